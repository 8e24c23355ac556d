"""Keras 3's ``keras.ops``: functions of tensors, and of the symbolic tensors of a model, in Keras's names and arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unroll import activations
from unroll import ops as ours
from unroll.checks import check_flag, check_int, check_size, plain
from unroll.dtypes import as_dtype
from unroll.errors import ShapeError
from unroll.keras import nn_ops
from unroll.keras.nn_ops import average_pool as average_pool
from unroll.keras.nn_ops import binary_crossentropy as binary_crossentropy
from unroll.keras.nn_ops import categorical_crossentropy as categorical_crossentropy
from unroll.keras.nn_ops import conv as conv
from unroll.keras.nn_ops import max_pool as max_pool
from unroll.keras.nn_ops import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from unroll.keras.symbolic_ops import symbolic
from unroll.layers.symbolic import KerasTensor
from unroll.ops import composed, contraction
from unroll.ops.given_sizes import sizes_of
from unroll.ops.operator import as_tensor, axes_of, axis_of, listed
from unroll.tensor import Tensor, TensorLike, constant
from unroll.words import face

Axes = int | Sequence[int] | None


def _titled(function: Callable[..., Any], name: str, arguments: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return ``keras.ops.{name}({arguments})``."
    return symbolic(function)


def _of_one(name: str, function: Callable[..., Tensor]) -> Callable[..., Any]:
    return _titled(lambda x: function(as_tensor(x, name)), name, "x")


def _of_two(name: str, function: Callable[..., Tensor]) -> Callable[..., Any]:
    return _titled(lambda x1, x2: function(x1, x2), name, "x1, x2")


def _over_axes(name: str, function: Callable[..., Tensor]) -> Callable[..., Any]:
    return _titled(
        lambda x, axis=None, keepdims=False: function(x, axis, keepdims), name, "x, axis=None, keepdims=False"
    )


# -- elementwise ----------------------------------------------------------------------------------------------------

abs, exp, log, sqrt = (_of_one(name, getattr(ours, name)) for name in ("abs", "exp", "log", "sqrt"))
sign, floor, erf, tanh = (_of_one(name, getattr(ours, name)) for name in ("sign", "floor", "erf", "tanh"))
sigmoid, relu = _of_one("sigmoid", ours.sigmoid), _of_one("relu", ours.relu)
softplus, softsign = _of_one("softplus", ours.softplus), _of_one("softsign", ours.softsign)
negative, logical_not = _of_one("negative", ours.neg), _of_one("logical_not", ours.logical_not)
stop_gradient = _of_one("stop_gradient", ours.identity)
square = _of_one("square", lambda x: ours.mul(x, x))
rsqrt, reciprocal = _of_one("rsqrt", lambda x: 1 / ours.sqrt(x)), _of_one("reciprocal", lambda x: 1 / x)
log1p = _of_one("log1p", lambda x: ours.log(1 + x))
log_sigmoid, ceil = _of_one("log_sigmoid", lambda x: -ours.softplus(-x)), _of_one("ceil", composed.ceil)
selu, silu = _of_one("selu", activations.selu), _of_one("silu", activations.silu)
swish = silu
relu6, hard_sigmoid = _of_one("relu6", activations.relu6), _of_one("hard_sigmoid", activations.hard_sigmoid)

add, subtract, multiply = _of_two("add", ours.add), _of_two("subtract", ours.sub), _of_two("multiply", ours.mul)
divide, power = _of_two("divide", ours.div), _of_two("power", ours.pow)
true_divide = divide
maximum, minimum = _of_two("maximum", ours.maximum), _of_two("minimum", ours.minimum)
equal, not_equal = _of_two("equal", ours.equal), _of_two("not_equal", ours.not_equal)
less, less_equal = _of_two("less", ours.less), _of_two("less_equal", ours.less_equal)
greater, greater_equal = _of_two("greater", ours.greater), _of_two("greater_equal", ours.greater_equal)
logical_and, logical_or = _of_two("logical_and", ours.logical_and), _of_two("logical_or", ours.logical_or)
logical_xor, matmul = _of_two("logical_xor", ours.not_equal), _of_two("matmul", ours.matmul)
floor_divide, mod = _of_two("floor_divide", composed.floor_divide), _of_two("mod", composed.mod)


@symbolic
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Return x where it is above 0, else ``alpha * (exp(x) - 1)``."""
    return ours.elu(x, alpha)


@symbolic
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """Return x where it is above 0, else ``negative_slope * x``."""
    return ours.leaky_relu(x, negative_slope)


@symbolic
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """Return the Gaussian error linear unit of x."""
    return activations.gelu(as_tensor(x, "gelu"), check_flag(approximate, "gelu: approximate"))


@symbolic
def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Return the softmax of x over an axis."""
    return ours.softmax(x, axis)


@symbolic
def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Return the logarithm of the softmax of x over an axis."""
    return ours.log_softmax(x, axis)


@symbolic
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Return x limited to ``x_min .. x_max``."""
    return ours.clip(x, x_min, x_max)


@symbolic
def cast(x: TensorLike, dtype: npt.DTypeLike) -> Tensor:
    """Return x in another dtype."""
    return ours.cast(x, dtype)


@symbolic
def where(condition: TensorLike, x1: TensorLike, x2: TensorLike) -> Tensor:
    """Return x1 where the condition is true, else x2."""
    return ours.where(condition, x1, x2)


# -- over axes ------------------------------------------------------------------------------------------------------

sum, mean = _over_axes("sum", ours.reduce_sum), _over_axes("mean", ours.reduce_mean)
max, min = _over_axes("max", ours.reduce_max), _over_axes("min", ours.reduce_min)
prod, logsumexp = _over_axes("prod", composed.prod), _over_axes("logsumexp", composed.logsumexp)
any = _over_axes("any", lambda x, axis, keepdims: _truth(ours.reduce_max, x, axis, keepdims))
all = _over_axes("all", lambda x, axis, keepdims: _truth(ours.reduce_min, x, axis, keepdims))


def _truth(reduce: Callable[..., Tensor], x: TensorLike, axis: Axes, keepdims: bool) -> Tensor:
    """Reduce booleans, or what is not zero: operators compare numbers."""
    return ours.cast(reduce(ours.cast(ours.cast(x, "bool"), "int32"), axis, keepdims), "bool")


def _variance(x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    x = as_tensor(x, "var")
    away = x - ours.reduce_mean(x, axis, keepdims=True)
    return ours.reduce_mean(away * away, axis, keepdims)


var = _over_axes("var", _variance)
std = _over_axes("std", lambda x, axis, keepdims: ours.sqrt(_variance(x, axis, keepdims)))


@symbolic
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the place of the largest element along an axis; of all elements where `axis` is None."""
    return ours.argmax(ours.reshape(x, [-1]), 0) if axis is None else ours.argmax(x, axis, keepdims)


@symbolic
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the place of the smallest element along an axis; of all elements where `axis` is None."""
    return argmax(ours.neg(x), axis, keepdims)  # type: ignore[no-any-return]


@symbolic
def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """Return sums over letters of products of tensors, as ``numpy.einsum``."""
    return contraction.einsum(subscripts, *operands)


@symbolic
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """Return the sum over pairs of axes of a product, or over the last `axes` of one and the first of the other."""
    return contraction.tensordot(x1, x2, axes)


@symbolic
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the product over the last axis of x1 and the last but one of x2, as ``numpy.dot``."""
    return np.dot(x1, x2)  # type: ignore[no-any-return]  # which builds operators of tensors


# -- shapes ---------------------------------------------------------------------------------------------------------


@symbolic
def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Return tensors one after another along an axis."""
    return ours.concat(xs, axis)


@symbolic
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Return tensors side by side along a new axis."""
    return ours.stack(x, axis)


@symbolic
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the slices of x along an axis."""
    return ours.unstack(x, axis, num=num)


@symbolic
def split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Return x in equal parts, or cut before each of some indices, along an axis."""
    parts = plain(indices_or_sections)
    if isinstance(parts, int):
        return list(ours.split(x, parts, axis))
    x = as_tensor(x, "split")
    size = _known(x, axis_of(axis, x.rank, "split: axis"), "split")
    ends = [0, *(check_int(end, "split: an index") for end in listed(parts, "split: indices")), size]
    return list(ours.split(x, [end - start for start, end in pairwise(ends)], axis))


def _known(x: Tensor, axis: int, what: str) -> int:
    """Return the size of an axis.

    Raises:
        ShapeError: it is not known.
    """
    size = x.shape[axis]
    if not isinstance(size, int):
        raise ShapeError(f"{what}: axis {axis} of {x.described()} must have a known size")
    return size


@symbolic
def reshape(x: TensorLike, newshape: Sequence[Any]) -> Tensor:
    """Return the elements of x in another shape, of which one size may be -1."""
    return ours.reshape(x, _sizes(newshape))


@symbolic
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with its axes in another order, reversed by default."""
    return ours.transpose(x, axes)


@symbolic
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Return x with two axes in each other's place."""
    x = as_tensor(x, "swapaxes")
    order = list(range(x.rank))
    one, other = axis_of(axis1, x.rank, "swapaxes: axis1"), axis_of(axis2, x.rank, "swapaxes: axis2")
    order[one], order[other] = other, one
    return ours.transpose(x, order)


@symbolic
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """Return x with new axes of size 1."""
    return ours.expand_dims(x, axis)


@symbolic
def squeeze(x: TensorLike, axis: Axes = None) -> Tensor:
    """Return x without axes of size 1."""
    return ours.squeeze(x, axis)


@symbolic
def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """Return x repeated as a whole, so many times along each axis."""
    x = as_tensor(x, "tile")
    times = plain(repeats)
    counts = [times] if isinstance(times, int) else listed(times, "tile: repeats")
    return ours.tile(x, [1] * (x.rank - len(counts)) + counts)


@symbolic
def repeat(x: Tensor, repeats: int, axis: int | None = None) -> Tensor:
    """Return x with each element repeated along an axis; of all elements in a row where `axis` is None."""
    x = ours.reshape(x, [-1]) if axis is None else as_tensor(x, "repeat")
    place = 0 if axis is None else axis_of(axis, x.rank, "repeat: axis")
    times = check_size(repeats, "repeat: repeats", least=0)
    return ours.gather(x, np.repeat(np.arange(_known(x, place, "repeat")), times), place)


@symbolic
def flip(x: Tensor, axis: Axes = None) -> Tensor:
    """Return x from its end along axes; along all where `axis` is None."""
    x = as_tensor(x, "flip")
    axes = range(x.rank) if axis is None else axes_of(axis, x.rank, "flip: axis")
    return x[tuple(slice(None, None, -1 if place in axes else 1) for place in range(x.rank))]


@symbolic
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Return the slices of x at indices along an axis; of all elements in a row where `axis` is None."""
    return ours.gather(ours.reshape(x, [-1]), indices, 0) if axis is None else ours.gather(x, indices, axis)


@symbolic
def broadcast_to(x: TensorLike, shape: Sequence[Any]) -> Tensor:
    """Return x repeated to a shape."""
    return ours.expand(x, _sizes(shape))


@symbolic
def one_hot(x: Tensor, num_classes: int, axis: int = -1, dtype: npt.DTypeLike = "float32") -> Tensor:
    """Return a row of zeros with a one at each id's place, along a new axis."""
    x = as_tensor(x, "one_hot")
    place = axis_of(axis, x.rank + 1, "one_hot: axis")
    check_size(num_classes, "one_hot: num_classes", least=0)
    places = constant(np.arange(num_classes), name="classes", dtype=x.dtype)
    rows = ours.cast(ours.equal(ours.unsqueeze(x, -1), places), dtype)
    return ours.transpose(rows, [*range(place), x.rank, *range(place, x.rank)])


# -- what stands for itself -----------------------------------------------------------------------------------------


@symbolic
def shape(x: Tensor) -> tuple[Any, ...]:
    """Return the shape: an int for each size that is known, and a tensor of no axes for each that is not."""
    x = as_tensor(x, "shape")
    sizes = ours.shape(x)
    return tuple(dim if isinstance(dim, int) else sizes[place] for place, dim in enumerate(x.shape))


def _sizes(shape: Sequence[Any]) -> Any:
    """Return a shape, of which some sizes may be tensors, as our operators take it."""
    if isinstance(shape, Tensor) or not [dim for dim in listed(shape, "a shape") if isinstance(dim, Tensor)]:
        return shape
    return sizes_of(shape)


@symbolic
def full(shape: Sequence[Any], fill_value: float, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return a tensor of one value."""
    return ours.constant_of_shape(_sizes(shape), fill_value, "float32" if dtype is None else dtype)


@symbolic
def zeros(shape: Sequence[Any], dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return a tensor of zeros."""
    return ours.zeros(_sizes(shape), "float32" if dtype is None else dtype)


@symbolic
def ones(shape: Sequence[Any], dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return a tensor of ones."""
    return ours.ones(_sizes(shape), "float32" if dtype is None else dtype)


@symbolic
def size(x: Tensor) -> Tensor:
    """Return how many elements there are, an int64 tensor of no axes."""
    return composed.size(x)


@symbolic
def zeros_like(x: Tensor, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return a tensor of zeros of the shape of x."""
    x = as_tensor(x, "zeros_like")
    return ours.zeros(ours.shape(x), x.dtype if dtype is None else dtype)


@symbolic
def ones_like(x: Tensor, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return a tensor of ones of the shape of x."""
    x = as_tensor(x, "ones_like")
    return ours.ones(ours.shape(x), x.dtype if dtype is None else dtype)


@symbolic
def arange(
    start: float, stop: float | Tensor | None = None, step: float | None = None, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """Return ``start, start + step, ...`` below `stop`; ``0 .. start - 1`` where `stop` is None."""
    return ours.range(start, stop, 1 if step is None else step, dtype)


@symbolic
def convert_to_tensor(x: TensorLike, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return a tensor as it is, and an array or a number as a constant."""
    if isinstance(x, Tensor):
        return x if dtype is None or as_dtype(dtype, "convert_to_tensor") == x.dtype else ours.cast(x, dtype)
    return constant(np.asarray(x, np.float32) if isinstance(x, float) and dtype is None else x, dtype=dtype)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return int(x.rank) if isinstance(x, KerasTensor) else as_tensor(x, "ndim").rank


_OWN = [name for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == __name__]
__all__ = sorted([*(name for name in _OWN if not name.startswith("_")), *nn_ops.__all__])

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.keras.ops", __all__, lambda: ours.ADVICE)
