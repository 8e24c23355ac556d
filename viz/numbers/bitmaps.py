"""Numbers as coloured cells, and these as PNG."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable

import numpy as np

from unroll.dtypes import Array
from unroll.viz.page.colours import GATES

#: What is no finite number.
ODD = "#D55E00"
PAPER = "#F7F6F3"
_POSITIVE, _NEGATIVE, _PLAIN = "#12507F", "#8A4E12", "#3A3A3A"
_BEND = 0.8
_MARKS = {colours.fill: colours.mark for colours in GATES}

#: A ramp gives colours, ``(..., 3)``, to places in it from 0 to 1.
Ramp = Callable[[Array], Array]


def signed(places: Array) -> Array:
    """Colours from brown over paper to blue: the page's, of numbers with a sign."""
    away = np.abs(2 * places - 1) ** _BEND
    return np.asarray(np.where((places < 0.5)[..., None], _mixed(_NEGATIVE, away), _mixed(_POSITIVE, away)))


def plain(places: Array) -> Array:
    """Colours from paper to grey, of inputs that are not negative."""
    return _mixed(_PLAIN, places)


def of_gate(fill: str | None) -> Ramp:
    """Return the ramp from paper to the colour of a gate, of numbers from 0 to 1."""
    mark = _MARKS.get(fill or "", _POSITIVE)
    return lambda places: _mixed(mark, places)


def coloured(numbers: Array, low: float, high: float, ramp: Ramp) -> Array:
    """Return the colours of numbers, those that are not finite in one of their own, ``(..., 3)`` bytes."""
    wide = np.asarray(numbers, np.float64)
    finite = np.isfinite(wide)
    span = high - low
    places = np.clip((np.where(finite, wide, low) - low) / span, 0, 1) if span > 0 else np.full(wide.shape, 0.5)
    found = np.where(finite[..., None], ramp(places), _rgb(ODD))
    return np.asarray(np.rint(found), np.uint8)


def enlarged(cells: Array, height: float, width: float) -> Array:
    """Return cells, each several times where they have fewer dots than that."""
    tall, wide = (max(1, -(-int(size) // count)) for size, count in zip((height, width), cells.shape, strict=False))
    return np.repeat(np.repeat(cells, tall, axis=0), wide, axis=1)


def png(cells: Array) -> bytes:
    """Return coloured cells as PNG."""
    rows, columns, _ = cells.shape
    raw = np.zeros((rows, 1 + 3 * columns), np.uint8)  # each row begins with the number of its filter: none
    raw[:, 1:] = cells.reshape(rows, -1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    pieces = [(b"IHDR", head), (b"IDAT", zlib.compress(raw.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in pieces)


def data_uri(cells: Array) -> str:
    """Return coloured cells as a PNG within a text."""
    return f"data:image/png;base64,{base64.b64encode(png(cells)).decode('ascii')}"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _mixed(color: str, shares: Array) -> Array:
    paper = _rgb(PAPER)
    return np.asarray(paper + (_rgb(color) - paper) * shares[..., None])


def _rgb(color: str) -> Array:
    return np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)], np.float64)
