"""Compute equal things once: common subexpressions.

Preserves the values of the outputs to the bit, and the names of what is kept; what merged nodes came from is all kept
as provenance. Never adds a node. Two nodes are equal where operator, attributes and inputs are; nodes of operators
that are not known, which may draw random numbers, are never merged.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from unroll.collection import paused
from unroll.graph import Graph
from unroll.passes.rewriting import Rewriting, is_known, merged
from unroll.tensor import Constant, Node, Tensor


def merge_equal(graph: Graph) -> Graph:
    """Return `graph` with equal nodes merged; see this module for what is preserved."""
    with paused():
        numbering = Numbering()
        groups: dict[Any, list[Node]] = {}
        for node in graph.nodes:
            groups.setdefault(numbering.number(node), []).append(node)
        if len(groups) == len(graph.nodes):
            return graph
        merging = Rewriting(graph)
        first_of = {node: nodes for nodes in groups.values() for node in nodes}
        for node in graph.nodes:
            nodes = first_of[node]
            if nodes[0] is not node:
                for old, kept in zip(node.outputs, nodes[0].outputs, strict=True):
                    merging.redirect(old, merging[kept])
            elif len(nodes) > 1:
                copy = merging.copy(node, merging.inputs(node), merged(nodes))
                for old, new in zip(node.outputs, copy.outputs, strict=True):
                    merging.redirect(old, new)
            else:
                merging.keep(node, merging.inputs(node))
        return merging.finish()


class Numbering:
    """Gives equal tensors equal keys: exact, as a node is known by the numbers of its inputs."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._of: dict[Tensor, Hashable] = {}

    def number(self, node: Node) -> int:
        """Return the number of a node, the same for an equal one; its inputs' nodes come before it."""
        inputs = tuple([None if tensor is None else self.key(tensor) for tensor in node.inputs])
        try:
            number = self._intern((op_key(node), inputs, len(node.outputs)))
        except TypeError:  # an attribute that has no hash
            number = self._intern((node, inputs))
        for tensor in node.outputs:
            self._of[tensor] = (number, tensor.index)
        return number

    def key(self, tensor: Tensor) -> Hashable:
        """Return the key of a tensor: equal constants have one."""
        found = self._of.get(tensor)
        if found is None:
            found = tensor
            if isinstance(tensor, Constant):
                found = (str(tensor.dtype), tensor.shape, tensor.value.tobytes())
            found = self._of[tensor] = ("leaf", self._intern(found))
        return found

    def _intern(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def op_key(node: Node) -> Hashable:
    """Return operator and attributes, equal for equal ones; an operator that is not known equals only itself."""
    if not is_known(node.op):
        return node
    fields = getattr(node.op, "__dataclass_fields__", None)
    if not fields:
        return node.op.domain, node.op.name
    # 0.0 equals -0.0 and False, and is not the same
    return (
        type(node.op),
        *[
            (type(value), repr(value) if isinstance(value, float) else value)
            for value in (getattr(node.op, name) for name in fields)
        ],
    )
