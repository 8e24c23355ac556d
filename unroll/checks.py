"""What one argument may be: an int, a number, True or False, a string. The same check and the same words everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from unroll.dtypes import FLOAT64, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError

#: The sizes, axes and counts that NumPy, ONNX and runtimes can hold.
LARGEST_INT = 2**63 - 1


def shown(value: object, most: int = 80) -> str:
    """Return what a value looks like, on one line and no longer than `most` characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def plain(value: Any) -> Any:
    """Return one number or boolean of NumPy, a scalar or an array without axes, as Python's; anything else as it is."""
    is_one = isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 and value.dtype.kind in "biuf"
    return value.item() if is_one else value


def is_same(value: object, default: object) -> bool:
    """Say whether a value is an argument's default, be it a number of Python or of NumPy."""
    found = plain(value)
    return value is default or (
        isinstance(found, (int, float)) and isinstance(default, (int, float)) and found == default
    )


def check_int(value: object, what: str) -> int:
    """Return `value` where it is an int that runtimes can hold.

    Raises:
        ArgumentTypeError: not an int (a bool does not count as one).
        ArgumentError: it takes more than 64 bits.
    """
    found = plain(value)
    if isinstance(found, bool) or not isinstance(found, int):
        raise ArgumentTypeError(f"{what} is {shown(value)} of type {type(value).__name__}; an int is wanted")
    if not -LARGEST_INT <= found <= LARGEST_INT:
        raise ArgumentError(f"{what} is {shown(value)}; an int of at most 64 bits is wanted")
    return int(found)


def check_size(value: object, what: str, least: int = 1) -> int:
    """Return `value` where it is an int of at least `least`.

    Raises:
        ArgumentTypeError: not an int (a bool does not count as one).
        ArgumentError: too small, or it takes more than 64 bits.
    """
    found = check_int(value, what)
    if found < least:
        raise ArgumentError(f"{what} is {value}; at least {least} is wanted")
    return found


def check_number(value: object, what: str) -> float:
    """Return `value` as a float where it is one real number.

    Raises:
        DTypeError, ShapeError, ArgumentError: it is not, or it is not finite.
    """
    found = cast_array(value, FLOAT64, what)
    if found.shape != ():
        raise ShapeError(f"{what}: {shown(value)} is not one number")
    if not np.isfinite(found):
        raise ArgumentError(f"{what} is {shown(value)}; a finite number is wanted")
    return float(found)


def check_flag(value: object, what: str) -> bool:
    """Return `value` as a bool where it is one, or 0 or 1; an argument out of its place seldom is.

    Raises:
        ArgumentTypeError: it is not.
    """
    found = plain(value)
    if not isinstance(found, int) or found not in (0, 1):
        raise ArgumentTypeError(f"{what} is {shown(value)} of type {type(value).__name__}; True or False is wanted")
    return bool(found)


def check_text(value: object, what: str) -> str:
    """Return `value` where it is a string.

    Raises:
        ArgumentTypeError: it is not.
    """
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{what} is {shown(value)} of type {type(value).__name__}; a string is wanted")
    return value


def check_function(value: Any, what: str) -> Any:
    """Return `value` where it can be called.

    Raises:
        ArgumentTypeError: it cannot.
    """
    if not callable(value):
        raise ArgumentTypeError(f"{what} is {shown(value)} of type {type(value).__name__}; a function is wanted")
    return value


def check_choice(value: Any, choices: Iterable[str], what: str) -> str:
    """Return `value` where it is one of some strings.

    Raises:
        ArgumentError: it is not.
    """
    listed = list(choices)
    if not isinstance(value, str) or value not in listed:
        raise ArgumentError(f"{what} is {shown(value)}; one of {', '.join(map(repr, listed))} is wanted")
    return value
