"""Sizes that a file computes: followed through constants where these decide them, else as many as there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from unroll.dimensions import Shape, product
from unroll.dtypes import Array
from unroll.export.reading.calls import InexpressibleError
from unroll.export.reading.opaque_nodes import ONNX_DOMAIN
from unroll.ops.opaque import Opaque
from unroll.ops.operator import OpenShape, Operator
from unroll.passes.fold_constants import constant_values, evaluated
from unroll.randomness import RANDOM
from unroll.tensor import Constant, Node, Tensor

#: Returns a shape of so many axes as a file says it of a tensor, by name; symbols where it says nothing.
Declared: TypeAlias = Callable[[str, int], Shape]


class ComputedSizes:
    """What constants decide, and what is said of the rest.

    Attributes:
        followed: whether a value is known that no rule of an operator gives, so that whoever makes a node again may not know
            it.
    """

    def __init__(self) -> None:
        self._values: dict[Tensor | None, Tensor] = {}
        self.followed = False

    def constant(self, tensor: Tensor | None) -> Tensor | None:
        """Return the constant that a tensor is, or that constants make it; else the tensor."""
        return self._values.get(tensor, tensor)

    def follow(self, node: Node) -> None:
        """Take down what a node makes of constants alone, so that the shape rules of those behind it know that."""
        inputs = tuple(map(self.constant, node.inputs))
        if isinstance(node.op, Opaque):
            if node.op.domain not in ONNX_DOMAIN or node.op.holds_graphs or node.op.op_type in RANDOM:
                return
            values = _sizes(node) if node.op.op_type == "Size" else evaluated(node, inputs)
        else:
            values = None if node.op.bodies else constant_values(node, inputs)
        for tensor, value in zip(node.outputs, values or (), strict=False):
            self._values[tensor] = constant = as_constant(value)
            if tensor.known is None and constant.known is not None:
                tensor.known, self.followed = constant.known, True

    def told(self, op: Operator, shapes: list[Shape]) -> Operator:
        """Return an operator that still knows its shapes where what is known of values here is not."""
        asks = self.followed and type(op).open_shapes is not Operator.open_shapes
        return op.with_told(shapes) if asks else op


def _sizes(node: Node) -> list[Array] | None:
    """Return the number of elements that a Size gives, where it is known."""
    x = node.inputs[0]
    count = product(x.shape) if x is not None else None
    return [np.array(count, np.int64)] if isinstance(count, int) else None


def as_constant(array: Array, name: str | None = None) -> Constant:
    """Return a constant whose value shape rules know, where it may be one of sizes."""
    constant = Constant(array, name)
    if array.dtype == np.int32 and array.ndim <= 1:  # shapes are computed in int32 by some
        listed = array.tolist()
        constant.known = tuple(listed) if array.ndim else listed
    return constant


def open_shapes(
    op: Operator,
    inputs: Sequence[Tensor | None],
    names: Sequence[str],
    ranks: Sequence[int | None],
    declared: Declared,
) -> list[Shape]:
    """Return the shapes of what an operator makes of sizes that only a run computes: what the file says of them.

    Args:
        op: the operator.
        inputs: what it reads.
        names: its outputs in the file.
        ranks: how many axes they have, as the file says; None where it does not.
        declared: what the file says of their sizes.

    Raises:
        InexpressibleError: neither the operator nor the file says how many axes there are.
    """
    shapes = op.open_shapes(*inputs)
    if shapes is None:
        shapes = [_all_open(rank) for rank in ranks if rank is not None]
    if len(shapes) != len(names):
        raise InexpressibleError("how many axes it makes is what only a run computes")
    return [
        tuple(said if dim is None else dim for dim, said in zip(shape, declared(name, len(shape)), strict=True))
        for name, shape in zip(names, shapes, strict=True)
    ]


def _all_open(rank: int) -> OpenShape:
    return (None,) * rank
