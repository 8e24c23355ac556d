"""The names of frames: a long path stands in two lines."""

from __future__ import annotations

from collections.abc import Iterable

from unroll.viz.dot_text import text_width

#: The size of a frame's name, and the height of a line of it.
TEXT, LINE = 10.0, 12.0
# A path that is wider is parted at a slash.
_WIDEST = 120.0


def title_lines(name: str) -> list[str]:
    """Return a name as one line, or as two of about the same width where it is long and has a slash."""
    ends = [place + 1 for place, char in enumerate(name) if char == "/"]
    if not ends or text_width(name, TEXT) <= _WIDEST:
        return [name]
    return list(min(((name[:end], name[end:]) for end in ends), key=title_width))


def title_width(lines: Iterable[str]) -> float:
    """Return how wide the lines of a name are."""
    return max(text_width(line, TEXT) for line in lines)
