"""How far two arrays are apart, and how far they may be: one rule for every proof."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unroll.dimensions import shape_text
from unroll.dtypes import Array, DType

#: By dtype: two runners agree where ``|a - b| <= tolerance * max(1, |b|)``. Integers and booleans must be equal.
TOLERANCES: dict[str, float] = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-9, "bfloat16": 5e-2}
#: That of floats of 8 bits and less, which only pass through.
_COARSE = 0.5


def tolerance_for(dtype: DType, tolerance: float | None = None) -> float:
    """Return the tolerance of a dtype, or the one that is given for floats."""
    if not is_float(dtype):
        return 0.0
    return TOLERANCES.get(str(dtype), _COARSE) if tolerance is None else float(tolerance)


def is_float(dtype: DType) -> bool:
    """Say whether a dtype is one of floats, such as those of other files that NumPy itself does not have."""
    return dtype.kind == "f" or (dtype.kind == "V" and "float" in dtype.name)


def gaps(seen: Array, expected: Array) -> tuple[Array, Array]:
    """Return ``|a - b|`` and ``|a - b| / max(1, |b|)`` of every element of two arrays of one shape.

    NaN in the same place, and equal infinities, differ by 0; in other places by infinity. Integers and booleans differ by
    1 where they are not equal.
    """
    if not is_float(expected.dtype):
        differs = (seen != expected).astype(np.float64)
        return differs, differs
    a, b = seen.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        gap = np.where(np.isnan(gap), np.inf, gap)
        scale = np.maximum(1.0, np.where(np.isfinite(b), np.abs(b), 1.0))
    return gap, gap / scale


def worst_difference(expected: Mapping[str, Array], found: Mapping[str, Array]) -> float:
    """Return the worst ``|a - b| / max(1, |b|)`` of all outputs; infinity where one has no number and the other has."""
    worst = 0.0
    for name, wanted in expected.items():
        a, b = np.asarray(found[name]), np.asarray(wanted)
        if a.shape != b.shape:
            return float("inf")
        worst = max(worst, float(gaps(a, b)[1].max(initial=0.0)))
    return worst


def array_difference(left: Array, right: Array, tolerance: float | None = None) -> str:
    """Return where two arrays first differ, in words; empty where they do not.

    Floats may differ by the tolerance times the largest magnitude in the whole array: sums of many terms round by that.

    Args:
        left: the array to compare with.
        right: the array that should be the same.
        tolerance: that of its dtype by default.
    """
    if left.shape != right.shape:
        return f"{shape_text(left.shape)} and {shape_text(right.shape)}"
    if left.dtype != right.dtype:
        return f"{left.dtype} and {right.dtype}"
    if left.dtype.kind != "f":
        places = np.argwhere(left != right)
    else:
        largest = float(np.max(np.abs(left), initial=0, where=np.isfinite(left)))
        allowed = tolerance_for(left.dtype, tolerance) * max(1.0, largest)
        places = np.argwhere(~np.isclose(left, right, rtol=0, atol=allowed, equal_nan=True))
    if len(places) == 0:
        return ""
    at = tuple(int(index) for index in places[0])
    return f"{left[at]} and {right[at]}" + (f" at {list(at)}" if at else "")
