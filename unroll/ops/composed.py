"""Functions that ONNX has no operator for here, made of those it has: what NumPy, Keras and TensorFlow have by one name."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.checks import check_flag
from unroll.ops.arithmetic import div, mul
from unroll.ops.choices import less, logical_and, not_equal
from unroll.ops.filling import shape
from unroll.ops.functions import cast, exp, floor, identity, log, neg
from unroll.ops.given_sizes import int64
from unroll.ops.joining import unstack
from unroll.ops.operator import as_tensor, axes_of
from unroll.ops.reduction import reduce_max, reduce_mean, reduce_sum
from unroll.ops.shaping import reshape, squeeze, unsqueeze
from unroll.ops.slicing import gather
from unroll.ops.synonyms import range as range_
from unroll.tensor import Tensor, TensorLike, constant

Axes = int | Sequence[int] | None


def ceil(x: TensorLike) -> Tensor:
    """Return the least whole number that is not below each element."""
    x = as_tensor(x, "ceil")
    return neg(floor(neg(x))) if x.dtype.kind == "f" else identity(x)


def _pair(a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """Return two operands as tensors, one that is none of the dtype of the other."""
    kind = next((item.dtype for item in (a, b) if isinstance(item, Tensor)), None)
    one, other = (item if isinstance(item, Tensor) else constant(item, kind) for item in (a, b))
    return one, other


def true_divide(a: TensorLike, b: TensorLike) -> Tensor:
    """Return ``a / b``, of integers in float64."""
    return div(*(cast(item, "float64") if item.dtype.kind == "i" else item for item in _pair(a, b)))


def floor_divide(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the greatest whole number that is not above ``a / b``, as Python's ``//``."""
    one, other = _pair(a, b)
    cut = div(one, other)
    if one.dtype.kind == "f":
        return floor(cut)
    rest = one - cut * other  # integers are cut off towards zero
    is_below = logical_and(not_equal(rest, 0), not_equal(less(rest, 0), less(other, 0)))
    return cut - cast(is_below, one.dtype)


def quotient(a: TensorLike, b: TensorLike) -> Tensor:
    """Return ``a / b``, of integers rounded down: what Python 2 and TensorFlow 1's ``tf.div`` mean by ``/``."""
    one, other = _pair(a, b)
    return div(one, other) if one.dtype.kind == "f" else floor_divide(one, other)


def mod(a: TensorLike, b: TensorLike) -> Tensor:
    """Return what is left of ``a // b``, with the sign of b, as Python's ``%``."""
    one, other = _pair(a, b)
    return one - other * floor_divide(one, other)


def mean(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the mean over axes, in the dtype of x: that of integers is one."""
    if x.dtype.kind == "f":
        return reduce_mean(x, axis, keepdims)
    return cast(reduce_mean(cast(x, "float64"), axis, keepdims), x.dtype)


def prod(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the product over axes, whose sizes must be known."""
    x, keeps = as_tensor(x, "prod"), check_flag(keepdims, "prod: keepdims")
    for place in sorted(range(x.rank) if axis is None else axes_of(axis, x.rank, "prod: axis"), reverse=True):
        x = functools.reduce(mul, unstack(x, place))
        x = unsqueeze(x, [place]) if keeps else x
    return x


def logsumexp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return ``log(sum(exp(x)))`` over axes, of numbers of any size."""
    x = as_tensor(x, "logsumexp")
    top = reduce_max(x, axis, True)
    found = log(reduce_sum(exp(x - top), axis, True)) + top
    return (
        found
        if check_flag(keepdims, "logsumexp: keepdims")
        else squeeze(found, [*range(x.rank)] if axis is None else axis)
    )


def size(x: TensorLike) -> Tensor:
    """Return how many elements there are, an int64 tensor of no axes."""
    x = as_tensor(x, "size")
    sizes: list[Tensor] = [constant([1], "int64"), *(unsqueeze(shape(x)[at], [0]) for at in range(x.rank))]
    return functools.reduce(mul, sizes)[0]


def sequence_mask(lengths: Tensor, count: int | Tensor) -> Tensor:
    """Return which of `count` steps each row has: bool ``(*lengths, count)``."""
    steps = cast(range_(count) if isinstance(count, int) else range_(0, int64(count)), lengths.dtype)
    return less(steps, unsqueeze(lengths, [lengths.rank]))


def gather_nd(x: Tensor, indices: Tensor) -> Tensor:
    """Return what x has at places, whose numbers along its first axes lie along the last axis of `indices`."""
    sizes = [int(dim) for dim in x.shape[1 : int(indices.shape[-1])]]
    steps = np.array([int(np.prod(sizes[place:])) for place in range(len(sizes) + 1)])
    flat: Any = reshape(x, [-1, *x.shape[len(steps) :]])
    return gather(flat, reduce_sum(int64(indices) * steps, [-1]), 0)
