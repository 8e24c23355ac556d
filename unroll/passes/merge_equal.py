"""Compute equal things once: common subexpressions.

Preserves the values of the outputs to the bit, and the names of what is kept; a merged node keeps the provenance of
all. Never adds a node. Two nodes are equal where operator, attributes and inputs are; nodes of operators that are not
known, which may draw random numbers, are never merged.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.passes.tools.rewriting import Rewriting, in_place, merged, op_key
from unroll.passes.tools.weight_expressions import weight_expressions
from unroll.tensor import Constant, Node, Tensor


@in_place
def merge_equal(graph: Graph) -> Graph:
    """Return `graph` with equal nodes merged; see this module for what is preserved."""
    return _merged(graph, graph.nodes)


@in_place
def merge_equal_weights(graph: Graph) -> Graph:
    """Return `graph` with equal nodes merged that depend on weights alone, such as a bias that each step cuts."""
    return _merged(graph, weight_expressions(graph))


def _merged(graph: Graph, among: Sequence[Node]) -> Graph:
    """Return `graph` with those nodes merged that are equal; what they read of nodes is among them."""
    with collector_paused():
        firsts = _Firsts()
        groups: dict[Node, list[Node]] = {}
        later: dict[Node, Node] = {}
        for node in among:
            first = firsts.of(node)
            if first is not node:
                groups.setdefault(first, [first]).append(node)
                later[node] = first
        if not groups:
            return graph
        merging = Rewriting(graph)
        for node in graph.nodes:
            if node in later:
                for old, kept in zip(node.outputs, later[node].outputs, strict=True):
                    merging.redirect(old, merging[kept])
            elif node in groups:
                copy = merging.copy(node, merging.inputs(node), merged(groups[node]))
                for old, new in zip(node.outputs, copy.outputs, strict=True):
                    merging.redirect(old, new)
            else:
                merging.carry(node)
        return merging.finish()


class _Firsts:
    """Finds the first of equal nodes. Exact: nodes are compared by operator, attributes, and the first equals of their
    inputs.
    """

    def __init__(self) -> None:
        self._nodes: dict[Hashable, Node] = {}
        self._constants: dict[Hashable, Constant] = {}
        self._tensors: dict[Tensor, Tensor] = {}  # of constants, and of tensors that are not the first

    def of(self, node: Node) -> Node:
        """Return the first node that equals `node`, which may be itself; the nodes of its inputs must have been asked
        for before.
        """
        tensors = self._tensors
        for tensor in node.inputs:
            if isinstance(tensor, Constant) and tensor not in tensors:
                value = (tensor.dtype, tensor.shape, tensor.value.tobytes())
                tensors[tensor] = self._constants.setdefault(value, tensor)
        inputs: tuple[Tensor | None, ...] = node.inputs
        if not tensors.keys().isdisjoint(inputs):
            inputs = tuple([tensors.get(tensor, tensor) for tensor in inputs])  # type: ignore[arg-type]  # None is None
        try:
            first = self._nodes.setdefault((op_key(node), inputs, len(node.outputs)), node)
        except TypeError:  # an attribute that has no hash
            return node
        if first is not node:
            tensors.update(zip(node.outputs, first.outputs, strict=True))
        return first
