"""Text in aligned columns, as wide as it comes or folded to fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_MOST_ROWS = 40
_GAP = "  "
_INDENT = "  "
#: The least width that a column is folded to: below it, nothing could be read.
_LEAST = 8
#: What a long cell is folded after: a blank; and in a name that is longer than a line, a slash.
_WORDS, _PARTS = re.compile(r"[^ ]*(?: +|$)"), re.compile(r"[^/]*(?:/+|$)")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], full: bool, width: int | None = None) -> str:
    """Return rows in aligned columns; a long table is cut in the middle unless `full`.

    Args:
        header: the names of the columns.
        rows: the cells of each row.
        full: show every row.
        width: how wide a line may be; longer cells go on in the line below. By default as wide as they are.
    """
    if not rows:
        return ""
    half = _MOST_ROWS // 2
    cut = [] if full or len(rows) <= _MOST_ROWS else [f"... {len(rows) - 2 * half} more ..."]
    shown = [*rows[:half], *rows[-half:]] if cut else rows
    widths = _fitted([max(map(len, column)) for column in zip(header, *shown, strict=True)], width)

    def lines(rows: Iterable[Sequence[str]]) -> list[str]:
        return [line for row in rows for line in _lines(row, widths)]

    rule = _GAP.join("-" * width for width in widths)
    middle = [*lines(shown[:half]), *cut, *lines(shown[half:])] if cut else lines(shown)
    return "\n".join([*lines([header]), rule, *middle])


def folded(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width`, broken after blanks and slashes; those after the first are indented."""
    if len(text) <= width:
        return [text]
    lines, line = [], ""
    for piece in _pieces(text, width - len(_INDENT)):
        if line.strip() and len(line) + len(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = _INDENT
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str, most: int) -> Iterator[str]:
    """Yield the parts of a text that stay together, each of at most so many letters (and blanks after them)."""
    for word in filter(None, _WORDS.findall(text)):
        parts = [word] if len(word.rstrip()) <= most else _PARTS.findall(word)
        for part in filter(None, parts):
            yield from (
                [part]
                if len(part.rstrip()) <= most
                else (part[start : start + most] for start in range(0, len(part), most))
            )


def _fitted(widths: Sequence[int], width: int | None) -> list[int]:
    """Return the widths of columns, the widest of them narrowed until together they fit."""
    room = None if width is None else width - len(_GAP) * (len(widths) - 1)
    if room is None or sum(widths) <= room:
        return list(widths)
    most = next((cap for cap in range(room, _LEAST, -1) if sum(min(item, cap) for item in widths) <= room), _LEAST)
    fitted = [min(item, most) for item in widths]
    for place, item in enumerate(widths):  # what is left over
        fitted[place] += max(0, min(item - fitted[place], room - sum(fitted)))
    return fitted


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    cells = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    for place in range(max(map(len, cells))):
        parts = (
            (cell[place] if place < len(cell) else "").ljust(width) for cell, width in zip(cells, widths, strict=True)
        )
        yield _GAP.join(parts).rstrip()
