"""NumPy's functions called on tensors, ``np.stack([a, b])``: those that are operators here build them.

What NumPy computes otherwise than an operator does, with an option that no operator has, is refused with what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from unroll.checks import check_int, shown
from unroll.errors import ArgumentTypeError, ShapeError, UnsupportedError
from unroll.ops.arithmetic import mul
from unroll.ops.choices import clip, where
from unroll.ops.filling import constant_of_shape
from unroll.ops.filling import shape as shape_of
from unroll.ops.joining import concat, split, stack
from unroll.ops.linear import matmul
from unroll.ops.operator import as_tensor, axes_of, rank_of
from unroll.ops.reduction import argmax, reduce_max, reduce_mean, reduce_min, reduce_sum
from unroll.ops.shaping import expand, reshape, squeeze, tile, transpose, unsqueeze
from unroll.ops.slicing import gather
from unroll.ops.spelling import ELSEWHERE
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


def _like(value: int) -> Callable[..., Tensor]:
    return lambda a, dtype=None: constant_of_shape(shape_of(a), value, dtype or a.dtype)


def _where(condition: Any, x: Any, y: Any) -> Tensor:
    return where(condition, x, y)


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.amax: _reducing(reduce_max),
    np.amin: _reducing(reduce_min),
    np.argmax: _argmax,
    np.broadcast_to: lambda array, shape: expand(array, shape),
    np.clip: _clip,
    np.concatenate: _concatenate,
    np.dot: _dot,
    np.expand_dims: unsqueeze,
    np.max: _reducing(reduce_max),
    np.mean: _reducing(reduce_mean),
    np.min: _reducing(reduce_min),
    np.ndim: lambda a: a.rank,
    np.ones_like: _like(1),
    np.reshape: lambda a, shape: reshape(a, shape),
    np.shape: lambda a: a.shape,
    np.split: _split,
    np.squeeze: lambda a, axis=None: squeeze(a, axis),
    np.stack: lambda arrays, axis=0: stack(list(arrays), axis),
    np.sum: _reducing(reduce_sum),
    np.swapaxes: _swapaxes,
    np.take: _take,
    np.tile: lambda A, reps: tile(A, [reps] if isinstance(reps, int) else reps),  # noqa: N803 (NumPy's name)
    np.transpose: lambda a, axes=None: transpose(a, axes),
    np.where: _where,
    np.zeros_like: _like(0),
}


def numpy_function(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return what one of NumPy's functions gives for tensors.

    Raises:
        ArgumentTypeError: no operator is that function, or it is called with an option that the operator does not have.
        UnrollError: as the operator does.
    """
    name, ours = getattr(function, "__name__", "function"), _FUNCTIONS.get(function)
    if ours is None:
        advice = ELSEWHERE.get(name, "use a function of unroll.ops, or Graph(inputs, outputs).run(feeds) for an array")
        raise ArgumentTypeError(f"numpy.{name} computes with arrays, and a tensor has no value before a run; {advice}")
    try:
        return ours(*args, **kwargs)
    except TypeError as error:
        trace = error.__traceback__
        if isinstance(error, ArgumentTypeError) or trace is None or trace.tb_next is not None:
            raise
        given = ", ".join([*map(shown, args), *(f"{key}={shown(value)}" for key, value in kwargs.items())])
        raise ArgumentTypeError(f"numpy.{name}({given}) of a tensor: {error}; use a function of unroll.ops") from None
