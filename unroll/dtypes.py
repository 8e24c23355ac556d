"""The dtypes of tensors, and the one rule by which an array becomes one of them.

An array is cast under NumPy's ``same_kind`` rule: float64 to float32, integers to floats and Python lists just work;
float to integer, complex, bool to number, strings and objects are refused, and so is a finite value that overflows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from unroll.errors import DTypeError, ShapeError

DType = np.dtype[Any]
Array = npt.NDArray[Any]

FLOATS: tuple[DType, ...] = (np.dtype("float16"), np.dtype("float32"), np.dtype("float64"))
INTEGERS: tuple[DType, ...] = (np.dtype("int32"), np.dtype("int64"))
BOOL: DType = np.dtype("bool")
INT64: DType = np.dtype("int64")
FLOAT32: DType = np.dtype("float32")
FLOAT64: DType = np.dtype("float64")
NUMBERS: tuple[DType, ...] = (*FLOATS, *INTEGERS)
#: The dtypes of tensors here. Those of other files pass through: no operator of ours computes with them.
ALL: tuple[DType, ...] = (*NUMBERS, BOOL)
#: The dtype of text in other files.
TEXT: DType = np.dtype(object)


def widened(array: Array) -> Array:
    """Return an array of a floating dtype in float64, and any other as it is."""
    return array.astype(np.float64) if array.dtype.kind == "f" and array.dtype != np.float64 else array


def held_array(array: Array) -> Array:
    """Return an array that nobody changes any more, read-only: over bytes, as files are read, itself, and a copy of any other.

    Bytes never change, so that the weights of a file need not lie in memory twice.
    """
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    held = array if isinstance(owner, bytes) else np.array(array)
    held.flags.writeable = False
    return held


def as_dtype(dtype: npt.DTypeLike, what: str = "dtype") -> DType:
    """Return `dtype` as one of the six dtypes a tensor can have.

    Raises:
        DTypeError: it is none of float16, float32, float64, int32, int64, bool.
    """
    try:
        found = np.dtype(dtype) if dtype is not None else None
    except (TypeError, ValueError):
        found = None
    if found not in ALL or found is None:
        raise DTypeError(f"{what}: {dtype!r} is not a dtype of tensors; use one of {', '.join(map(str, ALL))}")
    return found


def as_array(value: Any, what: str) -> Array:
    """Return anything that NumPy makes an array of as one.

    Raises:
        DTypeError: it makes none of it.
        ShapeError: a nested list is ragged.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(f"{what}: a masked array says what to leave out, which a tensor cannot; give .filled(value)")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{what}: not an array: {str(error).rstrip('.')}; give every row the same length") from None
    except (TypeError, OverflowError) as error:
        raise DTypeError(f"{what}: cannot become an array: {error}") from None


def cast_array(value: Any, dtype: DType, what: str) -> Array:
    """Cast `value` (array, nested list or number) to `dtype` under the ``same_kind`` rule.

    Args:
        value: anything NumPy makes an array of.
        dtype: the dtype wanted.
        what: what the value is, for the error's first words.

    Returns:
        An array of `dtype`, which may be `value` itself.

    Raises:
        DTypeError: the cast would change the kind of number, or a finite value would overflow.
        ShapeError: a nested list is ragged.
    """
    array = as_array(value, what)
    if array.dtype == dtype != TEXT:
        return array
    if array.size == 0 and not hasattr(value, "dtype"):
        return array.astype(dtype)  # an empty list has no dtype of its own
    if dtype == TEXT:
        if array.dtype.kind in "UST" or all(isinstance(item, (str, bytes)) for item in array.flat):
            return array.astype(TEXT)
        raise DTypeError(f"{what}: an array of dtype {array.dtype} is no text; give an array of strings")
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"{what}: an array of dtype {array.dtype} cannot be used as {dtype}; give an array of numbers of one dtype"
        )
    if (array.dtype == BOOL) != (dtype == BOOL) or not np.can_cast(array.dtype, dtype, "same_kind"):
        raise DTypeError(
            f"{what}: {array.dtype} cannot be cast to {dtype} without changing its meaning; "
            f"cast it yourself with .astype({str(dtype)!r}) if that is what you mean"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        result: Array = array.astype(dtype)
    if dtype.kind == "f":
        lost = np.isfinite(array) & ~np.isfinite(result) if array.dtype.kind == "f" else ~np.isfinite(result)
    else:
        lost = result != array
    if np.any(lost):
        first = array[lost].flat[0] if array.ndim else array[()]
        raise DTypeError(f"{what}: the value {first!s} overflows {dtype}; scale it, or use a wider dtype")
    return result
