"""Numbers on their way into the page: float32, or whole numbers of decimals that round to what the number itself rounds to."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import numpy as np

from unroll.dtypes import Array

# What stands for NaN, infinity and minus infinity among whole numbers.
_NAN, _INF, _MINUS_INF = -32768, 32767, -32767
_MOST = 32766


class Planes:
    """Arrays, one after another, as bytes that the page unpacks.

    Attributes:
        size: how many bytes there are so far.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, array: Array, short: bool) -> dict[str, Any]:
        """Add an array and return where it is: ``{"at", "n"}``, and ``"d"`` decimals where it is of whole numbers.

        Args:
            array: any numbers.
            short: in two bytes each where that keeps three decimals at least; else in four.
        """
        flat = np.asarray(array, np.float32).ravel()
        decimals = _decimals(flat) if short else None
        if decimals is None:
            data = flat.astype("<f4").view(np.uint8).reshape(-1, 4).T.tobytes()
        else:
            data = _whole(flat, decimals).view(np.uint8).reshape(-1, 2).T.tobytes()
        where: dict[str, Any] = {"at": self.size, "n": int(flat.size)}
        if decimals is not None:
            where["d"] = decimals
        self._pieces.append(data)
        self.size += len(data)
        return where

    def text(self) -> str:
        """Return all of it, compressed, as text."""
        packed = gzip.compress(b"".join(self._pieces), 6, mtime=0)
        return base64.b64encode(packed).decode("ascii")


def _decimals(flat: Array) -> int | None:
    """Return how many decimals have room, the last of them not to be shown."""
    finite = flat[np.isfinite(flat)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    return next((count for count in (5, 4, 3) if largest * 10.0**count <= _MOST), None)


def _whole(flat: Array, decimals: int) -> Array:
    """Return numbers as whole numbers of decimals, cut after the last one.

    A number that is cut keeps a last decimal that is neither 0 nor 5: so it never looks like half of the decimal before, and
    rounded to one decimal less it is what the number itself is.
    """
    with np.errstate(all="ignore"):
        scaled = np.abs(flat.astype(np.float64)) * 10.0**decimals
        cut = np.floor(scaled)
        cut += (scaled > cut) & (cut % 5 == 0)
    cut = np.copysign(cut, flat)
    cut[np.isnan(flat)] = _NAN
    cut[flat == np.inf] = _INF
    cut[flat == -np.inf] = _MINUS_INF
    return cut.astype("<i2")
