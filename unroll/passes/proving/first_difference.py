"""Where two canonical forms first differ, in words: which operator, attribute, constant or weight, and both values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.comparison import array_difference
from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.passes.canonical import chain_terms
from unroll.passes.tools.digests import EXCHANGEABLE, Digests, op_digest
from unroll.tensor import Constant, Node, Tensor


def form_difference(a: Graph, b: Graph, inputs: Sequence[Sequence[Tensor]], outputs: Sequence[Sequence[Tensor]]) -> str:
    """Return where two canonical forms first differ; empty where they do not, Parameters known by their names.

    Args:
        a: a canonical form.
        b: another.
        inputs: those of each, in an order in which they correspond.
        outputs: likewise.
    """
    left, right = (_side(graph, order) for graph, order in zip((a, b), inputs, strict=True))
    for x, y in zip(*outputs, strict=True):
        if left.digests[x] != right.digests[y]:
            return _first_difference(left, x, right, y)
    return ""


def weight_difference(a: Graph, b: Graph) -> str:
    """Return in words which Parameters of one name have different values in two graphs; empty where none have."""
    found = []
    for name, one in a.parameters.items():
        other = b.parameters.get(name)
        if other is not None and other is not one and (seen := _exactly(one.value, other.value)):
            found.append(f"Parameter {name!r}: {seen}")
    more = f", and {len(found) - 1} more Parameters" if len(found) > 1 else ""
    return found[0] + more if found else ""


def _exactly(one: Array, other: Array) -> str:
    """Return where two arrays differ in the least; empty where they do not."""
    seen = array_difference(one, other, 0.0)
    count = int(np.sum(~((one == other) | ((one != one) & (other != other))))) if one.shape == other.shape else 0
    return f"{seen} ({count} of {one.size} values differ)" if seen and count > 1 else seen


class _Side(NamedTuple):
    """A canonical form and its digests."""

    graph: Graph
    digests: Digests
    near: Digests

    def named(self, tensor: Tensor) -> str:
        """Return what a tensor is called, in the form or in the user's graph."""
        node = tensor.node
        if node is None:
            return self.graph.names.tensors.get(tensor, tensor.label)
        return f"{self.graph.names.tensors.get(tensor, tensor.label)} ({node.op.name})"


def _side(graph: Graph, inputs: Sequence[Tensor]) -> _Side:
    side = _Side(graph, Digests(graph, inputs=inputs), Digests(graph, exact=False, inputs=inputs))
    for node in graph.nodes:
        side.digests.add(node)
        side.near.add(node)
    return side


def _first_difference(left: _Side, x: Tensor, right: _Side, y: Tensor) -> str:
    """Walk from two tensors that differ towards the inputs, as long as the nodes themselves are alike."""
    reader: Node | None = None
    while True:
        one, other = x.node, y.node
        if one is None or other is None or not _alike(one, other) or x.index != y.index:
            read = f", read by {left.named(reader.outputs[0])}" if reader is not None and one is other is None else ""
            return f"{left.named(x)} and {right.named(y)}{_detail(x, y)}{read}"
        pair = _exchanged(left, one, right, other) if one.op.name in EXCHANGEABLE else _ordered(left, one, right, other)
        if pair is None:
            return f"{left.named(x)} and {right.named(y)}"
        reader = one
        x, y = pair


def _detail(x: Tensor, y: Tensor) -> str:
    """Return how two tensors of one kind differ, in words: in a value, or an attribute."""
    if isinstance(x, (Constant, Parameter)) and isinstance(y, (Constant, Parameter)):
        seen = _exactly(x.value, y.value)
        return f": {seen}" if seen else ": of the same values"
    one, other = x.node, y.node
    if one is None or other is None or one.op.name != other.op.name:
        return ""
    if x.index != y.index:
        return f": outputs {x.index} and {y.index}"
    pairs = [one.op.attributes, other.op.attributes]
    for name in dict.fromkeys((*pairs[0], *pairs[1])):
        values = [attributes.get(name) for attributes in pairs]
        if _shown(values[0]) != _shown(values[1]):
            return f": {name} {_shown(values[0])} and {_shown(values[1])}"
    counts = [sum(tensor is not None for tensor in node.inputs) for node in (one, other)]
    return f": {counts[0]} inputs and {counts[1]}" if counts[0] != counts[1] else ""


def _shown(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else repr(value)


def _ordered(left: _Side, one: Node, right: _Side, other: Node) -> tuple[Tensor, Tensor] | None:
    """Return the first inputs of two nodes that differ."""
    pairs = [(p, q) for p, q in zip(one.inputs, other.inputs, strict=True) if p is not None and q is not None]
    return next(((p, q) for p, q in pairs if left.digests[p] != right.digests[q]), None)


def _exchanged(left: _Side, one: Node, right: _Side, other: Node) -> tuple[Tensor, Tensor] | None:
    """Return terms of two sums that differ, of one kind where possible; their places mean nothing."""
    mine, its = chain_terms(one), chain_terms(other)
    both = Counter(left.digests[p] for p in mine) & Counter(right.digests[q] for q in its)
    first, second = _without(mine, left.digests, both), _without(its, right.digests, both)
    pairs = [(p, q) for p in first for q in second]
    near = [(p, q) for p, q in pairs if left.near[p] == right.near[q]]
    alike = [(p, q) for p, q in pairs if p.node is not None and q.node is not None and _alike(p.node, q.node)]
    return next(iter(near or alike or pairs), None)


def _without(terms: list[Tensor], digests: Digests, both: Counter[bytes]) -> list[Tensor]:
    left, found = Counter(both), []
    for term in terms:
        if left[digests[term]] > 0:
            left[digests[term]] -= 1
        else:
            found.append(term)
    return found


def _alike(one: Node, other: Node) -> bool:
    present = [[tensor is None for tensor in node.inputs] for node in (one, other)]
    return present[0] == present[1] and op_digest(one) == op_digest(other)
