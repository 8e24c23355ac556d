"""Reading the shape of a tensor, and filling one of a given shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll.checks import plain, shown
from unroll.dimensions import Shape, shape_text
from unroll.dtypes import ALL, FLOAT32, INT64, Array, DType, as_dtype, cast_array
from unroll.errors import ArgumentTypeError, ShapeError
from unroll.memory import check_fits
from unroll.ops.operator import (
    Operator,
    Requirements,
    Signature,
    apply_one,
    int_vector,
    known_shape,
)
from unroll.tensor import Known, Tensor, TensorLike


class Shape_(Operator):  # noqa: N801 (the name Shape is taken by the type of shapes)
    """A tensor's shape as an int64 vector."""

    signature = Signature("data: T -> shape: int64", T=ALL)
    work = 0

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        return [(len(x.shape),)]

    def evaluate(self, x: Array) -> Array:
        return np.array(x.shape, INT64)

    def known(self, *inputs: Tensor) -> Known:
        return inputs[0].shape


@dataclass(frozen=True, repr=False)
class ConstantOfShape(Operator):
    """A tensor of the given shape, filled with one value."""

    signature = Signature("input: int64 -> output: T", T=ALL)
    work = 0
    value: float | int | bool = 0
    dtype: DType = FLOAT32

    def shapes(self, require: Requirements, shape: Tensor) -> list[Shape]:
        wanted = known_shape(shape, "the shape")
        if any(isinstance(dim, int) and dim < 0 for dim in wanted):
            raise ShapeError(f"{shape_text(wanted)} has a negative size")
        return [tuple(wanted)]

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [self.dtype]

    def evaluate(self, shape: Array) -> Array:
        sizes = shape.tolist()
        check_fits(prod(sizes) * self.dtype.itemsize, f"a tensor of shape {shape_text(sizes)}")
        return np.full(sizes, self.value, self.dtype)

    @property
    def attributes(self) -> dict[str, Any]:
        return {"value": np.array([self.value], self.dtype)}


def shape(x: TensorLike) -> Tensor:
    """The shape of `x` as an int64 vector; while tracing, its symbolic sizes are known.

    Args:
        x: a tensor of any dtype.

    Returns:
        An int64 vector, one element an axis.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> n = ops.shape(x)
        >>> unroll.Graph([x], n).run({x: np.zeros((7, 3))}, n)
        array([7, 3])
    """
    return apply_one(Shape_(), x)


def constant_of_shape(shape: Sequence[int] | Tensor, value: float = 0, dtype: npt.DTypeLike = "float32") -> Tensor:
    """A tensor of `shape` (ints, or an int64 vector such as ``unroll.ops.shape(x)``) filled with `value`.

    Args:
        shape: ints, or an int64 vector that is known while tracing, such as ``unroll.ops.shape(x)``.
        value: a number.
        dtype: the dtype of the tensor.

    Returns:
        A tensor of `shape` and `dtype`.

    Raises:
        ArgumentTypeError: `value` is not a number.
        DTypeError: not a dtype of tensors, or `value` does not fit it.
        ShapeError: a size below 0, or one that only a run knows.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> ops.constant_of_shape(ops.shape(x), value=1).shape
        (batch, 3)
    """
    kind = as_dtype(dtype, "constant_of_shape")
    number = plain(value)
    if not np.isscalar(number):
        raise ArgumentTypeError(f"constant_of_shape: value {shown(value)} is not a number")
    filled = cast_array(number, kind, "constant_of_shape: value")
    return apply_one(ConstantOfShape(filled.item(), kind), int_vector(shape, "shape"))
