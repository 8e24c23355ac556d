"""Functions under the names that NumPy, TensorFlow and PyTorch have for them, made of the operators here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unroll.checks import check_number
from unroll.dtypes import INT64, as_dtype
from unroll.errors import ArgumentError
from unroll.memory import check_fits
from unroll.ops.filling import Range, constant_of_shape
from unroll.ops.functions import cast
from unroll.ops.operator import apply_one
from unroll.ops.shaping import unsqueeze
from unroll.tensor import Tensor, TensorLike, constant


def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """`x` with a new axis of size 1, or several, at the places `axis` of the result; `unsqueeze` by another name.

    Args:
        x: a tensor of any dtype.
        axis: where the new axis is in the result, or several.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ShapeError: an axis that the result does not have, or one named twice.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> ops.expand_dims(x, axis=-1).shape
        (batch, 3, 1)
    """
    return unsqueeze(x, axis)


def zeros(shape: Sequence[int] | Tensor, dtype: npt.DTypeLike = "float32") -> Tensor:
    """A tensor of `shape` filled with zeros.

    Args:
        shape: ints, or an int64 vector that is known while tracing, such as ``unroll.ops.shape(x)``.
        dtype: the dtype of the tensor.

    Returns:
        A tensor of `shape` and `dtype`.

    Raises:
        DTypeError: not a dtype of tensors.
        ShapeError: a size below 0, or one that only a run knows.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> ops.zeros(ops.shape(x)).shape
        (batch, 3)
    """
    return constant_of_shape(shape, as_dtype(dtype, "zeros").type(0), dtype)


def ones(shape: Sequence[int] | Tensor, dtype: npt.DTypeLike = "float32") -> Tensor:
    """A tensor of `shape` filled with ones.

    Args:
        shape: ints, or an int64 vector that is known while tracing, such as ``unroll.ops.shape(x)``.
        dtype: the dtype of the tensor.

    Returns:
        A tensor of `shape` and `dtype`.

    Raises:
        DTypeError: not a dtype of tensors.
        ShapeError: a size below 0, or one that only a run knows.

    Example:
        >>> ops.ones([2, 3], dtype="int64").dtype
        dtype('int64')
    """
    return constant_of_shape(shape, as_dtype(dtype, "ones").type(1), dtype)


def range(
    start: float, stop: float | Tensor | None = None, step: float = 1, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """The numbers from `start` to before `stop` by `step`, a constant; with one number, from 0 to before it.

    Args:
        start: the first number; where `stop` is left out, the end.
        stop: the end, which is not among them. Where only a run knows it, an int64 tensor such as ``unroll.ops.shape(x)[0]``;
            then all are whole numbers, and the step is 1.
        step: the distance; not 0.
        dtype: by default int64 where all are whole, else float32.

    Returns:
        A vector.

    Raises:
        ArgumentError, DTypeError, ShapeError: one is not a finite number, or `step` is 0.

    Example:
        >>> ops.range(2, 8, 3).value.tolist()
        [2, 5]
    """
    if isinstance(stop, Tensor):
        numbers = apply_one(Range(), start, stop, step)
        return numbers if dtype is None else cast(numbers, dtype)
    first, last = (0, start) if stop is None else (start, stop)
    named = (("start", first), ("stop", last), ("step", step))
    limits = [check_number(value, f"range: {name}") for name, value in named]
    whole = all(isinstance(value, (int, np.integer)) for _, value in named)
    kind = as_dtype(dtype, "range") if dtype is not None else INT64 if whole else np.dtype("float32")
    if not limits[2]:
        raise ArgumentError("range: step is 0; a number above or below it is wanted")
    count = max(0.0, -((limits[0] - limits[1]) // limits[2]))
    check_fits(int(count) * kind.itemsize, f"a range of {int(count)} numbers")
    return constant(np.arange(*(limits if not whole else (int(value) for _, value in named))), kind)
