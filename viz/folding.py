"""What a picture of cells leaves out, because it says nothing of the network: axes of 1 that come and go, copies, and masks
of single steps.
"""

from __future__ import annotations

from collections.abc import Mapping

from unroll.dimensions import Dim
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor

_COMPARING = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual")


class Folding:
    """The operators that a picture of cells leaves out.

    Args:
        graph: the graph.

    Attributes:
        nodes: those operators.
        titles: what an operator is called together with those left out beside it: a Split whose pieces lose the axis that it
            cuts is an Unstack, and a Concat along an axis that all its pieces were given is a Stack.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._stands_for: dict[Tensor, Tensor] = {}
        self.nodes: set[Node] = set()
        self.titles: dict[Node, str] = {}
        readers: dict[Tensor, list[Node]] = {}
        for node in graph.nodes:
            for tensor in node.inputs:
                if tensor is not None:
                    readers.setdefault(tensor, []).append(node)
        for node in graph.nodes:
            first = next((tensor for tensor in node.inputs if not isinstance(tensor, Constant)), None)
            if first is None or isinstance(first, Parameter) or _in_cell(node):
                continue
            if self._is_same(node, first) or _is_mask_of_steps(node, readers):
                self.nodes.add(node)
                self._stands_for |= dict.fromkeys(node.outputs, self.source(first))
        for node in graph.nodes:
            if node not in self.nodes:
                title = self._title(node, readers)
                if title:
                    self.titles[node] = title

    def source(self, tensor: Tensor) -> Tensor:
        """Return the tensor that one stands for, before everything that is left out."""
        return self._stands_for.get(tensor, tensor)

    def _is_same(self, node: Node, first: Tensor) -> bool:
        """Say whether a node changes nothing but axes of 1."""
        name = node.op.name
        if name in ("Squeeze", "Unsqueeze", "Identity"):
            return True
        if name != "Reshape":
            return False
        return _without_ones(self._graph.shape(first)) == _without_ones(self._graph.shape(node.outputs[0]))

    def _title(self, node: Node, readers: Mapping[Tensor, list[Node]]) -> str:
        if node.op.name == "Split":
            read = [reader for tensor in node.outputs for reader in readers.get(tensor, ())]
            return (
                "Unstack"
                if read and all(reader in self.nodes and reader.op.name == "Squeeze" for reader in read)
                else ""
            )
        if node.op.name == "Concat":
            made = [tensor.node for tensor in node.inputs if tensor is not None]
            lifted = (one is not None and one in self.nodes and one.op.name == "Unsqueeze" for one in made)
            return "Stack" if made and all(lifted) else ""
        return ""


def _in_cell(node: Node) -> bool:
    return any(origin.cell is not None for origin in node.provenance)


def _is_mask_of_steps(node: Node, readers: Mapping[Tensor, list[Node]]) -> bool:
    """Say whether a node makes the mask of a step for cells, which nothing else reads: it cuts a mask into steps, or
    compares lengths with the number of a step.
    """
    compared = node.op.name in _COMPARING and any(isinstance(tensor, Constant) for tensor in node.inputs)
    if not (compared or node.op.name == "Split") or node.outputs[0].dtype.kind != "b":
        return False
    return all(_in_cell(reader) for tensor in node.outputs for reader in readers.get(tensor, ()))


def _without_ones(shape: tuple[Dim, ...]) -> list[Dim]:
    return [size for size in shape if size != 1]
