"""NumPy's functions called on tensors, ``np.stack([a, b])``: those that are operators here build them.

What they give is what NumPy gives, in its dtype: the mean of integers is float64. What NumPy computes otherwise than any
operator, or with an option that none has, is refused with what there is. Arrays and lists beside a tensor take its dtype,
and an axis whose size is a symbol is not taken for one of size 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from unroll.checks import check_int, check_size, plain, shown
from unroll.dtypes import Array, as_array, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedError
from unroll.ops.arithmetic import mul
from unroll.ops.choices import clip, where
from unroll.ops.filling import constant_of_shape
from unroll.ops.filling import shape as shape_of
from unroll.ops.functions import cast, identity, sqrt
from unroll.ops.joining import concat, split, stack
from unroll.ops.linear import matmul
from unroll.ops.operator import as_tensor, axes_of, rank_of
from unroll.ops.reduction import argmax, reduce_max, reduce_mean, reduce_min, reduce_sum
from unroll.ops.shaping import expand, reshape, squeeze, tile, transpose, unsqueeze
from unroll.ops.slicing import gather
from unroll.ops.spelling import instead_of
from unroll.tensor import Tensor


def _dot(a: Any, b: Any) -> Tensor:
    """Where NumPy's dot is its matmul."""
    if not rank_of(a) or not rank_of(b):
        return mul(a, b)
    if rank_of(b) > 2:
        raise UnsupportedError(f"numpy.dot with {shown(b)} on the right: use unroll.ops.matmul, or reshape it")
    return matmul(a, b)


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut into equal pieces, or at indices, where `unroll.ops.split` takes sizes."""
    x = as_tensor(ary, "numpy.split")
    if not isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        return list(split(x, indices_or_sections, axis))
    size = x.shape[axes_of(axis, x.rank, "numpy.split: axis")[0]]
    if not isinstance(size, int):
        raise ShapeError(
            f"numpy.split: axis {axis} of {x.described()} has no known size; use unroll.ops.split with sizes"
        )
    ends = [slice(check_int(index, "numpy.split: an index")).indices(size)[1] for index in indices_or_sections]
    cuts = [0, *ends, size]
    return list(split(x, [max(0, end - start) for start, end in pairwise(cuts)], axis))


def _counting(function: Callable[..., Tensor], kinds: str, dtype: str) -> Callable[..., Tensor]:
    """A reduction that NumPy computes, for tensors of some kinds, in another dtype."""
    reduced = _reducing(function)

    def counted(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        return reduced(cast(a, dtype) if a.dtype.kind in kinds else a, axis, keepdims=keepdims)

    return counted


def _reducing(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduced(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
        return function(a, axis, keepdims)

    return reduced


def _argmax(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    return argmax(reshape(a, [-1]), 0, keepdims) if axis is None else argmax(a, axis, keepdims)


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:
    return clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


def _concatenate(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    return concat(list(arrays), axis)


def _take(a: Any, indices: Any, axis: int | None = None) -> Tensor:
    return gather(reshape(a, [-1]), indices, 0) if axis is None else gather(a, indices, axis)


def _swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    x = as_tensor(a, "numpy.swapaxes")
    order = list(range(x.rank))
    one, other = axes_of([axis1, axis2], x.rank, "numpy.swapaxes: axis")
    order[one], order[other] = order[other], order[one]
    return transpose(x, order)


def _like(value: Any) -> Callable[..., Tensor]:
    return lambda a, dtype=None: constant_of_shape(shape_of(a), value, dtype or a.dtype)


def _hstack(tup: Sequence[Any]) -> Tensor:
    arrays = list(tup)
    return concat(arrays, 0 if arrays and rank_of(arrays[0]) == 1 else 1)


def _vstack(tup: Sequence[Any]) -> Tensor:
    arrays = [item if isinstance(item, Tensor) else np.atleast_2d(item) for item in tup]
    return concat([unsqueeze(item, 0) if isinstance(item, Tensor) and item.rank == 1 else item for item in arrays], 0)


def _variance(a: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """The mean of the squared distances from the mean."""
    if ddof:
        raise UnsupportedError(
            f"numpy.var: ddof={ddof!r}: write it with unroll.ops.reduce_sum, over a known number - ddof"
        )
    a = cast(a, "float64") if a.dtype.kind in "ib" else a
    off = a - reduce_mean(a, axis, True)
    return reduce_mean(off * off, axis, keepdims)


def _flip(m: Any, axis: Any = None) -> Tensor:
    """Axes the other way round."""
    x = as_tensor(m, "numpy.flip")
    turned = range(x.rank) if axis is None else axes_of(axis, x.rank, "numpy.flip: axis")
    return x[tuple(slice(None, None, -1) if at in turned else slice(None) for at in range(x.rank))]


def _moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    x = as_tensor(a, "numpy.moveaxis")
    before, after = (axes_of(axis, x.rank, "numpy.moveaxis: axis") for axis in (source, destination))
    if len(before) != len(after):
        raise ArgumentError(
            f"numpy.moveaxis: {len(before)} axes are moved to {len(after)} places; give as many of both"
        )
    order = [axis for axis in range(x.rank) if axis not in before]
    for place, axis in sorted(zip(after, before, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def _places(a: Any, axis: int | None, what: str) -> tuple[Tensor, int, Array]:
    """Return an array as a tensor, flat where no axis is given; the axis; and the places along it."""
    x = as_tensor(a, what)
    x, axis = (reshape(x, [-1]), 0) if axis is None else (x, axes_of(axis, x.rank, f"{what}: axis")[0])
    size = x.shape[axis]
    if not isinstance(size, int):
        raise ShapeError(f"{what}: axis {axis} of {x.described()} has no known size")
    return x, axis, np.arange(size)


def _repeat(a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    x, along, places = _places(a, axis, "numpy.repeat")
    return gather(x, np.repeat(places, check_size(repeats, "numpy.repeat: repeats", least=0)), along)


def _roll(a: Any, shift: Any, axis: int | None = None) -> Tensor:
    x, along, places = _places(a, axis, "numpy.roll")
    turned = gather(x, np.roll(places, check_int(shift, "numpy.roll: shift")), along)
    return turned if axis is not None else reshape(turned, shape_of(a))


def _tile(A: Any, reps: Any) -> Tensor:  # noqa: N803 (NumPy's name)
    """Repeated along the last axes where fewer numbers are given, as NumPy does."""
    x, times = as_tensor(A, "numpy.tile"), [reps] if isinstance(plain(reps), int) else list(reps)
    while x.rank < len(times):
        x = unsqueeze(x, 0)
    return tile(x, [1] * (x.rank - len(times)) + times)


def _where(condition: Any, x: Any, y: Any) -> Tensor:
    if isinstance(x, Tensor) or isinstance(y, Tensor):
        return where(condition, x, y)
    x, y = (item if type(item) in (bool, int, float) else as_array(item, "numpy.where") for item in (x, y))
    dtype = np.result_type(x, y)
    return where(condition, *(cast_array(item, dtype, "numpy.where") for item in (x, y)))


def _broadcast_to(array: Any, shape: Any) -> Tensor:
    """Expand, where the shape wanted is the one that comes of it: `unroll.ops.expand` keeps larger axes and others."""
    found = expand(array, [int(shape)] if isinstance(shape, (int, np.integer)) else shape)
    wanted = found.node.inputs[1].known if found.node is not None and found.node.inputs[1] is not None else None
    fits = isinstance(wanted, tuple) and len(wanted) == found.rank
    if not fits or any(size == 1 != got for size, got in zip(wanted, found.shape, strict=True)):  # type: ignore[arg-type]
        raise ShapeError(
            f"numpy.broadcast_to: {shown(array)} does not broadcast to {shown(shape)}: an axis of another size than 1 stays"
        )
    return found


def _reshape(a: Any, shape: Any) -> Tensor:
    """Reshape, but for a 0, which is a size in NumPy and keeps the size of its axis here."""
    sizes = shape if isinstance(shape, (list, tuple, np.ndarray)) else [shape]
    if any(isinstance(size, (int, np.integer)) and size == 0 for size in sizes):
        raise UnsupportedError(
            f"numpy.reshape of {shown(a)} to {shown(shape)}: in unroll.ops.reshape a 0 keeps the size of its axis; use "
            "that where it is meant"
        )
    return reshape(a, shape)


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.amax: _reducing(reduce_max),
    np.amin: _reducing(reduce_min),
    np.argmax: _argmax,
    np.broadcast_to: _broadcast_to,
    np.clip: _clip,
    np.concatenate: _concatenate,
    np.dot: _dot,
    np.copy: identity,
    np.expand_dims: unsqueeze,
    np.flip: _flip,
    np.fliplr: lambda m: _flip(m, 1),
    np.flipud: lambda m: _flip(m, 0),
    np.full_like: lambda a, fill_value, dtype=None: _like(fill_value)(a, dtype),
    np.hstack: _hstack,
    np.max: _reducing(reduce_max),
    np.mean: _counting(reduce_mean, "ib", "float64"),
    np.min: _reducing(reduce_min),
    np.moveaxis: _moveaxis,
    np.ndim: lambda a: a.rank,
    np.ones_like: _like(1),
    np.ravel: lambda a: reshape(a, [-1]),
    np.repeat: _repeat,
    np.reshape: _reshape,
    np.roll: _roll,
    np.shape: lambda a: a.shape,
    np.split: _split,
    np.squeeze: lambda a, axis=None: squeeze(a, axis),
    np.stack: lambda arrays, axis=0: stack(list(arrays), axis),
    np.sum: _counting(reduce_sum, "ib", "int64"),
    np.swapaxes: _swapaxes,
    np.take: _take,
    np.std: lambda a, axis=None, *, ddof=0, keepdims=False: sqrt(_variance(a, axis, ddof=ddof, keepdims=keepdims)),
    np.tile: _tile,
    np.transpose: lambda a, axes=None: transpose(a, axes),
    np.var: _variance,
    np.vstack: _vstack,
    np.where: _where,
    np.zeros_like: _like(0),
}


#: What is said where one of these is looked for in `unroll.ops`.
NUMPYS = {function.__name__: f"NumPy's own takes tensors: np.{function.__name__}(...)" for function in _FUNCTIONS}


def numpy_function(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return what one of NumPy's functions gives for tensors.

    Raises:
        ArgumentTypeError: no operator is that function, or it is called with an option that the operator does not have.
        UnrollError: as the operator does.
    """
    name, ours = getattr(function, "__name__", "function"), _FUNCTIONS.get(function)
    if ours is None:
        raise ArgumentTypeError(
            f"numpy.{name} computes with arrays, and a tensor has no value before a run; {instead_of(name)}"
        )
    try:
        return ours(*args, **kwargs)
    except TypeError as error:
        trace = error.__traceback__
        if isinstance(error, ArgumentTypeError) or trace is None or trace.tb_next is not None:
            raise
        given = ", ".join([*map(shown, args), *(f"{key}={shown(value)}" for key, value in kwargs.items())])
        raise ArgumentTypeError(f"numpy.{name}({given}) of a tensor: {error}; use a function of unroll.ops") from None
