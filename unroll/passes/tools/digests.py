"""A digest of what a tensor is computed from: equal for equal expressions of whatever graphs and names."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.passes.tools.rewriting import is_known
from unroll.tensor import Constant, Node, Tensor

#: Operators whose operands can be exchanged.
EXCHANGEABLE = frozenset(["Add", "And", "Equal", "Max", "Min", "Mul", "Or"])
#: Of these, those of which a chain can be taken in any order too.
CHAINS = frozenset(["Add", "Mul"])


class Digests:
    """Digests of the tensors of one graph, node by node. Inputs are known by their place, Parameters by their name.

    Args:
        graph: the graph.
        exact: if False, weights are known by their shape alone, and the operands of `EXCHANGEABLE` operators and the terms of
            `CHAINS` of them have no order, so that what is nearly alike has one digest.
        inputs: the inputs in an order in which those of another graph correspond to them; their own by default.
    """

    def __init__(self, graph: Graph, exact: bool = True, inputs: Sequence[Tensor] | None = None) -> None:
        self._exact = exact
        self._sums: dict[Node, int] = {}
        self._of: dict[Tensor, bytes] = {
            tensor: _digest("input", place, tensor.dtype, tensor.rank)
            for place, tensor in enumerate(graph.inputs if inputs is None else inputs)
        }
        self._ops: dict[int, tuple[Any, bytes]] = {}
        self._unknown: Counter[bytes] = Counter()

    def add(self, node: Node) -> bytes:
        """Take up a node whose inputs' nodes were taken up before."""
        inputs = [b"-" if tensor is None else self[tensor] for tensor in node.inputs]
        if not self._exact and node.op.name in EXCHANGEABLE and is_known(node.op):
            inputs = [self._sum(node, inputs).to_bytes(32, "little")]
        digest = _joined(self._op(node), *inputs)
        if not is_known(node.op):  # it may draw random numbers: each is itself
            self._unknown[digest] += 1
            digest = _digest(digest, self._unknown[digest])
        for tensor in node.outputs:
            self._of[tensor] = digest if len(node.outputs) == 1 else _digest(digest, tensor.index)
        return digest

    def __getitem__(self, tensor: Tensor) -> bytes:
        found = self._of.get(tensor)
        if found is None:
            found = _leaf(tensor) if self._exact else _digest("weight", tensor.shape, tensor.dtype)
            self._of[tensor] = found
        return found

    def _sum(self, node: Node, inputs: list[bytes]) -> int:
        """Return what the terms of a chain that ends here add up to, in whatever order."""
        total = 0
        for tensor, digest in zip(node.inputs, inputs, strict=True):
            before = tensor.node if tensor is not None else None
            joins = before is not None and before.op.name == node.op.name in CHAINS and before in self._sums
            total += self._sums[before] if before is not None and joins else int.from_bytes(digest, "little")
        self._sums[node] = total % 2**128
        return self._sums[node]

    def _op(self, node: Node) -> bytes:
        known = self._ops.get(id(node.op))
        if known is None or known[0] is not node.op:
            known = self._ops[id(node.op)] = (node.op, op_digest(node))
        return known[1]


def op_digest(node: Node) -> bytes:
    """Return a digest of operator and attributes."""
    fields = getattr(node.op, "__dataclass_fields__", ())
    parts = [(name, _value(getattr(node.op, name))) for name in fields]
    return _digest(node.op.domain, node.op.name, len(node.outputs), parts)


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, Graph):
        inner = Digests(value)
        for node in value.nodes:
            inner.add(node)
        return [inner[tensor] for tensor in value.outputs]
    return type(value).__name__, repr(value)


def _leaf(tensor: Tensor) -> bytes:
    if isinstance(tensor, Constant):
        return _joined(f"constant {tensor.dtype} {tensor.shape}".encode(), tensor.value.tobytes())
    if isinstance(tensor, Parameter):
        return _digest("Parameter", tensor.name, tensor.dtype, tensor.shape)
    return _digest("other", id(tensor))


def _digest(*parts: Any) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _joined(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()
