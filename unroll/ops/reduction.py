"""Operators that reduce along axes, softmax among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import FLOATS, NUMBERS, Array
from unroll.errors import ArgumentError, ShapeError
from unroll.ops.elementwise import Unary
from unroll.ops.operator import (
    OpenShape,
    Operator,
    Requirements,
    Signature,
    apply_one,
    axes_of,
    axis_of,
    flag_attribute,
    known_ints,
    length_of,
    rank_of,
)
from unroll.tensor import Tensor, TensorLike


@dataclass(frozen=True, repr=False)
class Reduction(Operator, abstract=True):
    """An operator that combines the elements along `axes` (all of them by default)."""

    signature = Signature("data: T, axes: int64? -> reduced: T", T=NUMBERS)
    keepdims: int | bool = 1
    noop_with_empty_axes: int = 0

    def __post_init__(self) -> None:
        flag_attribute(self, "keepdims", "noop_with_empty_axes")

    def shapes(self, require: Requirements, x: Tensor, axes: Tensor | None = None) -> list[Shape]:
        along = known_ints(axes, "axes") or ()
        if not along and self.noop_with_empty_axes:
            return [x.shape]
        drop = {axis_of(axis, len(x.shape)) for axis in along or range(len(x.shape))}
        if len(drop) < len(along):
            raise ShapeError(f"axes {list(along)} name one axis twice")
        if self.keepdims:
            return [tuple(1 if axis in drop else dim for axis, dim in enumerate(x.shape))]
        return [tuple(dim for axis, dim in enumerate(x.shape) if axis not in drop)]

    def open_shapes(self, x: Tensor, axes: Tensor | None = None) -> list[OpenShape] | None:
        if self.keepdims:
            return [(None,) * x.rank]
        dropped = length_of(axes)
        return None if dropped is None or dropped > x.rank else [(None,) * (x.rank - dropped)]

    def evaluate(self, x: Array, axes: Array | None = None) -> Array:
        along = tuple(axes.tolist()) if axes is not None and axes.size else None
        if along is None and self.noop_with_empty_axes:
            return x
        return np.asarray(self.reduce(x, axis=along, keepdims=bool(self.keepdims))).astype(x.dtype)

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        return prod(inputs[0] or ())

    def reduce(self, x: Array, **options: Any) -> Array:
        """Combine the elements along ``options["axis"]``."""
        raise NotImplementedError(f"{type(self).__name__}.reduce")


class ReduceSum(Reduction):
    """The sum along `axes`."""

    def reduce(self, x: Array, **options: Any) -> Array:
        return np.asarray(np.sum(x, dtype=x.dtype, **options))


class ReduceMean(Reduction):
    """The mean along `axes`; of integers, rounded towards zero."""

    def reduce(self, x: Array, **options: Any) -> Array:
        return np.asarray(np.mean(x, **options))


class ReduceMax(Reduction):
    """The largest element along `axes`; of none, the least number of the dtype."""

    def reduce(self, x: Array, **options: Any) -> Array:
        return np.asarray(np.max(x, **options, **_of_none(x, -1)))


class ReduceMin(Reduction):
    """The smallest element along `axes`; of none, the largest number of the dtype."""

    def reduce(self, x: Array, **options: Any) -> Array:
        return np.asarray(np.min(x, **options, **_of_none(x, 1)))


def _of_none(x: Array, sign: int) -> dict[str, Any]:
    """Return what NumPy is told to make of no elements: an infinity, or the last integer on that side."""
    if x.size:
        return {}
    if x.dtype.kind != "i":
        return {"initial": sign * np.inf}
    bounds = np.iinfo(x.dtype)
    return {"initial": bounds.max if sign > 0 else bounds.min}


@dataclass(frozen=True, repr=False)
class ArgMax(Operator):
    """The index of the largest element along `axis`; of several, the first."""

    signature = Signature("data: T -> reduced: int64", T=NUMBERS)
    axis: int = 0
    keepdims: int | bool = 1

    def __post_init__(self) -> None:
        flag_attribute(self, "keepdims")

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        axis = axis_of(self.axis, len(x.shape))
        return [(*x.shape[:axis], *([1] if self.keepdims else []), *x.shape[axis + 1 :])]

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        return prod(inputs[0] or ())

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.argmax(x, axis=self.axis, keepdims=bool(self.keepdims)), np.int64)


def argmax(x: TensorLike, axis: int = -1, keepdims: bool = False) -> Tensor:
    """The index of the largest element of `x` along `axis`, as int64; of several, the first.

    Args:
        x: a tensor of numbers.
        axis: the axis to look along; from -rank to rank - 1.
        keepdims: keep the axis, with size 1.

    Returns:
        An int64 tensor without the axis, or with size 1 there.

    Raises:
        ArgumentTypeError: `axis` is not an int.
        DTypeError: booleans.
        ShapeError: there is no such axis.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> y = ops.argmax(x)
        >>> unroll.Graph([x], y).run({x: [[1, 5, 5]]}, y)
        array([1])
    """
    return apply_one(ArgMax(axis_of(axis, rank_of(x), "argmax: axis"), keepdims), x)


def reduce_sum(x: TensorLike, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The sum of `x` along `axis` (default: all).

    Args:
        x: a tensor of numbers.
        axis: an axis or several, each from -rank to rank - 1; all of them by default.
        keepdims: keep the axes, with size 1.

    Returns:
        A tensor without the axes, or with size 1 there, of the dtype of `x`.

    Raises:
        ArgumentError: an empty list of axes, or `keepdims` is neither True nor False.
        ArgumentTypeError: an axis is not an int.
        DTypeError: booleans.
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> x = unroll.placeholder([2, 3], name="x")
        >>> y = ops.reduce_sum(x, axis=1)
        >>> unroll.Graph([x], y).run({x: [[1, 2, 3], [1, 3, 5]]}, y)
        array([6., 9.], dtype=float32)
    """
    return _reduce(ReduceSum(keepdims), x, axis)


def reduce_mean(x: TensorLike, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The mean of `x` along `axis` (default: all).

    Args:
        x: a tensor of numbers.
        axis: an axis or several, each from -rank to rank - 1; all of them by default.
        keepdims: keep the axes, with size 1.

    Returns:
        A tensor without the axes, or with size 1 there, of the dtype of `x`; the mean of integers is rounded towards zero.

    Raises:
        ArgumentError: an empty list of axes, or `keepdims` is neither True nor False.
        ArgumentTypeError: an axis is not an int.
        DTypeError: booleans.
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> x = unroll.placeholder([2, 3], name="x")
        >>> y = ops.reduce_mean(x, axis=1)
        >>> unroll.Graph([x], y).run({x: [[1, 2, 3], [1, 3, 5]]}, y)
        array([2., 3.], dtype=float32)
    """
    return _reduce(ReduceMean(keepdims), x, axis)


def reduce_max(x: TensorLike, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The largest element of `x` along `axis` (default: all).

    Args:
        x: a tensor of numbers.
        axis: an axis or several, each from -rank to rank - 1; all of them by default.
        keepdims: keep the axes, with size 1.

    Returns:
        A tensor without the axes, or with size 1 there, of the dtype of `x`.

    Raises:
        ArgumentError: an empty list of axes, or `keepdims` is neither True nor False.
        ArgumentTypeError: an axis is not an int.
        DTypeError: booleans.
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> x = unroll.placeholder([2, 3], name="x")
        >>> y = ops.reduce_max(x, axis=1)
        >>> unroll.Graph([x], y).run({x: [[1, 2, 3], [1, 3, 5]]}, y)
        array([3., 5.], dtype=float32)
    """
    return _reduce(ReduceMax(keepdims), x, axis)


def reduce_min(x: TensorLike, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The smallest element of `x` along `axis` (default: all).

    Args:
        x: a tensor of numbers.
        axis: an axis or several, each from -rank to rank - 1; all of them by default.
        keepdims: keep the axes, with size 1.

    Returns:
        A tensor without the axes, or with size 1 there, of the dtype of `x`.

    Raises:
        ArgumentError: an empty list of axes, or `keepdims` is neither True nor False.
        ArgumentTypeError: an axis is not an int.
        DTypeError: booleans.
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> x = unroll.placeholder([2, 3], name="x")
        >>> y = ops.reduce_min(x, axis=1)
        >>> unroll.Graph([x], y).run({x: [[1, 2, 3], [1, 3, 5]]}, y)
        array([1., 1.], dtype=float32)
    """
    return _reduce(ReduceMin(keepdims), x, axis)


def _reduce(op: Reduction, x: TensorLike, axis: int | Sequence[int] | None) -> Tensor:
    if axis is None:
        return apply_one(op, x)
    along = axes_of(axis, rank_of(x), f"{op.name}: axis")
    if not along:  # ONNX would read this as all of them
        raise ArgumentError(f"{op.name}: the list of axes is empty; leave it out to reduce along every axis")
    return apply_one(op, x, along)


@dataclass(frozen=True, repr=False)
class Softmax(Unary):
    """``exp(x) / sum(exp(x))`` along `axis`."""

    signature = Signature("input: T -> output: T", T=FLOATS)
    work = 5
    axis: int = -1

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        axis_of(self.axis, len(inputs[0].shape))
        return [inputs[0].shape]

    def evaluate(self, x: Array) -> Array:
        powers = np.exp(x - np.max(x, axis=self.axis, keepdims=True))
        return np.asarray(powers / np.sum(powers, axis=self.axis, keepdims=True))


class LogSoftmax(Softmax):
    """The logarithm of softmax along `axis`."""

    def evaluate(self, x: Array) -> Array:
        shifted = x - np.max(x, axis=self.axis, keepdims=True)
        return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=self.axis, keepdims=True)))


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along `axis`.

    Args:
        x: float16, float32 or float64.
        axis: the axis along which the exponentials are summed.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentTypeError: `axis` is not an int.
        DTypeError: `x` is not of floats.
        ShapeError: there is no such axis.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.softmax(x)
        >>> unroll.Graph([x], y).run({x: [7, 7]}, y)
        array([0.5, 0.5], dtype=float32)
    """
    return apply_one(Softmax(axis), x)


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """The logarithm of softmax along `axis`.

    Args:
        x: float16, float32 or float64.
        axis: the axis along which the exponentials are summed.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentTypeError: `axis` is not an int.
        DTypeError: `x` is not of floats.
        ShapeError: there is no such axis.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.log_softmax(x)
        >>> unroll.Graph([x], y).run({x: [7, 7]}, y)  # -log 2
        array([-0.6931472, -0.6931472], dtype=float32)
    """
    return apply_one(LogSoftmax(axis), x)
