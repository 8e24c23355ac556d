"""What passes share: walking a graph in order, with tensors replaced on the way."""

from __future__ import annotations

from unroll.graph import Graph
from unroll.naming import Lineage
from unroll.tensor import Node, Tensor


class Rewriting:
    """A new graph in the making: which tensor stands for which of the old one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._new: dict[Tensor, Tensor] = {}
        self._copied_from: dict[Node | None, Node] = {}
        self._called: dict[Tensor, str] = {}

    def __getitem__(self, tensor: Tensor) -> Tensor:
        """Return what stands for an old tensor: itself, unless it was replaced."""
        return self._new.get(tensor, tensor)

    def inputs(self, node: Node) -> tuple[Tensor | None, ...]:
        """Return what stands for the inputs of an old node."""
        new = self._new
        return tuple(None if tensor is None else new.get(tensor, tensor) for tensor in node.inputs)

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Let `new` stand for `old` from here on, under its name where `new` is a copy that has none of its own."""
        self._new[old] = new
        if new.hint is None and old.hint is not None and new.node in self._copied_from:
            self._called[new] = self.graph.names.tensors[old]

    def keep(self, node: Node, inputs: tuple[Tensor | None, ...]) -> Node:
        """Let the old node stand, or where an input was replaced, a copy of it on `inputs`; return which it is."""
        if inputs == node.inputs:
            return node
        copy = self.copy(node, inputs)
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            self._new[old] = new
        return copy

    def copy(self, node: Node, inputs: tuple[Tensor | None, ...]) -> Node:
        """Return a node like `node` on other inputs, which give it the same shapes; it is called as before."""
        copy = Node(
            node.op,
            inputs,
            [tensor.shape for tensor in node.outputs],
            [tensor.dtype for tensor in node.outputs],
            node.provenance,
            node.requirements,
        )
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            new.hint = old.hint
            new.known = old.known
        self._copied_from[copy] = node
        return copy

    def finish(self) -> Graph:
        """Return the new graph: same inputs and output names, names of what was kept, and what must be equal stays so."""
        outputs = [self[tensor] for tensor in self.graph.outputs]
        named = dict(zip(self.graph.output_names, outputs, strict=True))
        lineage = Lineage(self.graph.names, self._copied_from, self._called)
        graph = Graph(self.graph.inputs, named, self.graph.requirements, lineage)
        graph.states = self.graph.states
        return graph
