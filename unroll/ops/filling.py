"""Reading the shape of a tensor, filling one of a given shape, and counting as far as one goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll.checks import plain, shown
from unroll.dimensions import Dim, Dimension, Shape, shape_text
from unroll.dtypes import ALL, FLOAT32, INT64, Array, DType, as_dtype, cast_array
from unroll.errors import ArgumentTypeError, ShapeError
from unroll.memory import check_fits
from unroll.ops.operator import (
    NotKnownError,
    OpenShape,
    Operator,
    Requirements,
    Signature,
    apply_one,
    int_vector,
    known_shape,
    length_of,
)
from unroll.tensor import LARGEST_KNOWN, Constant, Known, Tensor, TensorLike

#: What Range counts in.
_COUNTED = tuple(np.dtype(kind) for kind in ("float32", "float64", "int32", "int64"))


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

    def open_shapes(self, shape: Tensor) -> list[OpenShape] | None:
        rank = length_of(shape)
        return None if rank is None else [(None,) * rank]

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [self.dtype]

    def evaluate(self, shape: Array) -> Array:
        sizes = shape.tolist()
        check_fits(prod(sizes) * self.dtype.itemsize, f"a tensor of shape {shape_text(sizes)}")
        return np.full(sizes, self.value, self.dtype)

    @property
    def attributes(self) -> dict[str, Any]:
        return {"value": np.array([self.value], self.dtype)}


class Range(Operator):
    """The numbers from `start` to before `limit` by `delta`; how many there are must be known while tracing."""

    signature = Signature("start: T, limit: T, delta: T -> output: T", T=_COUNTED)
    work = 0

    def shapes(self, require: Requirements, start: Tensor, limit: Tensor, delta: Tensor) -> list[Shape]:
        first, last, step = (_number(tensor) for tensor in (start, limit, delta))
        if step == 0:
            raise ShapeError("the step is 0; a number above or below it is wanted")
        if isinstance(first, Dimension) or isinstance(last, Dimension) or isinstance(step, Dimension):
            if step != 1 or isinstance(first, float) or isinstance(last, float):
                raise NotKnownError(f"from {first} to {last} by {step}: how many numbers these are is not known")
            return [(last - first,)]
        return [(_count(first, last, step),)]

    def open_shapes(self, start: Tensor, limit: Tensor, delta: Tensor) -> list[OpenShape]:
        return [(None,)]

    def evaluate(self, start: Array, limit: Array, delta: Array) -> Array:
        count = _count(start.item(), limit.item(), delta.item())
        check_fits(count * start.dtype.itemsize, f"a range of {count} numbers")
        numbers: Array = np.arange(count).astype(start.dtype) * delta + start
        return numbers.astype(start.dtype)

    def known(self, start: Tensor, limit: Tensor, delta: Tensor) -> Known:
        ends = [tensor.known for tensor in (start, limit, delta)]
        numbers = [end for end in ends if isinstance(end, int)]
        if len(numbers) < len(ends) or _count(*numbers) > LARGEST_KNOWN:
            return None
        return tuple(range(*numbers))


def _number(tensor: Tensor) -> Dim | float:
    if isinstance(tensor, Constant) and not tensor.shape:
        number: float = tensor.value.item()
        return number
    if tensor.shape or isinstance(tensor.known, tuple) or tensor.known is None:
        raise NotKnownError(f"{tensor.described()} must be a number that is known while tracing")
    return tensor.known


def _count(start: float, limit: float, delta: float) -> int:
    return max(0, ceil((limit - start) / delta)) if isfinite(limit - start) and isfinite(delta) else 0


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
