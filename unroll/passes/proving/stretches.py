"""A stretch of a long network as a graph of its own: its beginning, or its end.

Nodes are told apart by depth, the longest way to them from the inputs: both directions, and all layers of a stack, are
then cut at about the same step, whoever wrote the graph. One walk over the nodes, without recursion.
"""

from __future__ import annotations

from unroll.graph import Graph
from unroll.passes.tools.weight_expressions import weight_expressions
from unroll.tensor import Node, Placeholder, Tensor


class Depths:
    """How deep each node of a graph lies.

    Args:
        graph: the graph.

    Attributes:
        of: by node, the number of nodes on the longest path to it, itself included; nodes of weights do not count.
        deepest: the largest depth.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.of: dict[Node | None, int] = {None: 0}
        self._weights = set(weight_expressions(graph))
        for node in graph.nodes:
            if node in self._weights:
                self.of[node] = 0
                continue
            deepest = 0
            for tensor in node.inputs:
                if tensor is not None and (depth := self.of[tensor.node]) > deepest:
                    deepest = depth
            self.of[node] = deepest + 1
        self.deepest = max(self.of.values())

    def beginning(self, share: float) -> Graph | None:
        """Return the graph up to a share of its depth; None where nothing would be left.

        Its outputs are what the rest of the graph reads of its second half, or what the whole graph gives: in a
        recurrent network the states, there. Tensors made early and read late, such as the inputs of later steps, are
        left out.
        """
        least, most = self.deepest * share / 2, self.deepest * share
        crossing: dict[Tensor, None] = {}
        for node in self.graph.nodes:
            if self.of[node] > most:
                crossing |= dict.fromkeys(
                    tensor for tensor in node.inputs if tensor is not None and least < self.of[tensor.node] <= most
                )
        crossing |= dict.fromkeys(tensor for tensor in self.graph.outputs if least < self.of[tensor.node] <= most)
        if not crossing:
            return None
        return Graph(self.graph.inputs, list(crossing), self.graph.requirements)

    def ending(self, share: float) -> Graph | None:
        """Return the last share of the graph's depth; None where nothing would be left.

        Floating tensors that enter it become placeholders. Other tensors that enter it, such as shapes and masks, are
        computed in it, because passes read their values; and so are weights.
        """
        least = self.deepest * (1 - share)
        if all(self.of[tensor.node] <= least for tensor in self.graph.outputs):
            return None
        kept = self._kept_for(least)
        new: dict[Tensor | None, Tensor | None] = {None: None}
        inputs: dict[Placeholder, None] = {}
        for node in self.graph.nodes:
            if node not in kept:
                continue
            for tensor in node.inputs:
                if tensor in new:
                    continue
                assert tensor is not None
                made = tensor if tensor.node is None else self._placeholder(tensor, len(inputs))
                new[tensor] = made
                if isinstance(made, Placeholder):
                    inputs[made] = None
            copy = node.copied(tuple(new[tensor] for tensor in node.inputs), node.provenance)
            new |= dict(zip(node.outputs, copy.outputs, strict=True))
        outputs = [found for tensor in self.graph.outputs if (found := new.get(tensor)) is not None and found.node]
        return Graph(list(inputs), outputs, self.graph.requirements) if outputs else None

    def _kept_for(self, least: float) -> set[Node]:
        """Return the nodes deeper than that, and what computes shapes, masks and weights for them."""
        kept = {node for node in self.graph.nodes if self.of[node] > least}
        read = {tensor for node in kept for tensor in node.inputs}
        for node in reversed(self.graph.nodes):
            if node in kept or not any(tensor in read for tensor in node.outputs):
                continue
            if node in self._weights or any(tensor in read and tensor.dtype.kind != "f" for tensor in node.outputs):
                kept.add(node)
                read.update(node.inputs)
        return kept

    def _placeholder(self, tensor: Tensor, number: int) -> Placeholder:
        return Placeholder(self.graph.shape(tensor), tensor.dtype, f"entering/{number}")
