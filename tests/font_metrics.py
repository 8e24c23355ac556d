"""How wide and how high text is, read from a TrueType file: what a viewer's font engine goes by."""

from __future__ import annotations

import struct
from functools import cache
from typing import NamedTuple

from unroll.viz import fonts

_FILES = {False: "OpenSans-Regular.ttf", True: "OpenSans-Bold.ttf"}


class Ink(NamedTuple):
    """Where the ink of a line of text is, in points: from its start to the right, and from its baseline upwards."""

    left: float
    right: float
    bottom: float
    top: float
    advance: float


class Font:
    """One TrueType file."""

    def __init__(self, data: bytes) -> None:
        count = struct.unpack_from(">H", data, 4)[0]
        entries = (struct.unpack_from(">4sIII", data, 12 + 16 * place) for place in range(count))
        tables = {name.decode(): data[offset : offset + length] for name, _, offset, length in entries}
        self._em = struct.unpack_from(">H", tables["head"], 18)[0]
        self._glyphs, self._advances = tables["glyf"], tables["hmtx"]
        self._listed = struct.unpack_from(">H", tables["hhea"], 34)[0]
        loca, long = tables["loca"], struct.unpack_from(">h", tables["head"], 50)[0]
        size = 4 if long else 2
        self._places = [
            place * (1 if long else 2) for place in struct.unpack(f">{len(loca) // size}{'I' if long else 'H'}", loca)
        ]
        self._codes = _codes(tables["cmap"])
        self.measured = cache(self._measured)

    def _measured(self, char: str) -> tuple[float, float, float, float, float]:
        """Return the ink and the advance of a character, in ems."""
        glyph = self._codes.get(ord(char), 0)
        advance = struct.unpack_from(">H", self._advances, 4 * min(glyph, self._listed - 1))[0]
        start, end = self._places[glyph : glyph + 2]
        box = struct.unpack_from(">4h", self._glyphs, start + 2) if end > start else (0, 0, advance, 0)
        left, bottom, right, top, wide = (number / self._em for number in (*box, advance))
        return left, right, bottom, top, wide

    def ink(self, text: str, size: float) -> Ink:
        """Return where the ink of `text` is at `size` points."""
        x, left, right, bottom, top = 0.0, 0.0, 0.0, 0.0, 0.0
        for char in text:
            begin, end, low, high, advance = self.measured(char)
            left, right = min(left, x + begin), max(right, x + end)
            bottom, top = min(bottom, low), max(top, high)
            x += advance
        return Ink(*(size * number for number in (left, right, bottom, top, x)))


def _codes(table: bytes) -> dict[int, int]:
    """Return the glyph of each character of the basic plane."""
    count = struct.unpack_from(">H", table, 2)[0]
    records = [struct.unpack_from(">HHI", table, 4 + 8 * place) for place in range(count)]
    start = next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
    assert struct.unpack_from(">H", table, start)[0] == 4
    half = struct.unpack_from(">H", table, start + 6)[0] // 2
    arrays = [start + 14, start + 16 + 2 * half, start + 16 + 4 * half, start + 16 + 6 * half]
    ends, begins, shifts, ranges = (struct.unpack_from(f">{half}H", table, at) for at in arrays)
    found: dict[int, int] = {}
    for place, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        for code in range(begin, min(end, 0xFFFE) + 1):
            glyph = code
            if ranges[place]:
                at = arrays[3] + 2 * place + ranges[place] + 2 * (code - begin)
                glyph = struct.unpack_from(">H", table, at)[0]
                if not glyph:
                    continue
            found[code] = (glyph + shifts[place]) & 0xFFFF
    return found


@cache
def font(bold: bool = False) -> Font:
    """Return the font that the package ships."""
    folder = fonts.shipped_folder()
    assert folder is not None
    return Font((folder / _FILES[bold]).read_bytes())
