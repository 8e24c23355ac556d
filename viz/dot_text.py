"""Text on its way into DOT: escaped for HTML-like labels and for attributes, and measured."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import graphviz

#: The family that ships with a dependency comes first, then families of about its width for viewers that lack it.
FONT = "Open Sans,Segoe UI,Helvetica,Arial,sans-serif"

# Advance widths of Open Sans from space to tilde, regular and bold, in hundredths of an em. Boxes are sized with these, so
# that a picture is the same DOT text whether or not a layout engine is at hand.
_REGULAR = (
    26, 27, 40, 65, 57, 82, 73, 22, 30, 30, 55, 57, 25, 32, 27, 37, 57, 57, 57, 57, 57, 57, 57, 57, 57, 57, 27, 27, 57, 57,
    57, 43, 90, 63, 65, 63, 73, 56, 52, 73, 74, 28, 27, 61, 52, 90, 75, 78, 60, 78, 62, 55, 55, 73, 60, 93, 58, 56, 57, 33,
    37, 33, 54, 45, 58, 56, 61, 48, 61, 56, 34, 55, 61, 25, 25, 52, 25, 93, 61, 60, 61, 61, 41, 48, 35, 61, 50, 78, 52, 50,
    47, 38, 55, 38, 57,
)  # fmt: skip
_BOLD = (
    26, 29, 47, 65, 57, 90, 75, 27, 34, 34, 54, 57, 29, 32, 29, 41, 57, 57, 57, 57, 57, 57, 57, 57, 57, 57, 29, 29, 57, 57,
    57, 48, 90, 69, 67, 64, 74, 56, 55, 72, 77, 33, 33, 66, 56, 94, 81, 80, 63, 80, 66, 55, 58, 76, 65, 97, 67, 62, 58, 33,
    41, 33, 53, 41, 61, 60, 63, 51, 63, 59, 39, 56, 66, 31, 31, 62, 31, 98, 66, 62, 63, 63, 45, 50, 43, 66, 57, 86, 58, 57,
    49, 39, 55, 39, 57,
)  # fmt: skip
_WIDER = {"…": 85, "—": 100}
#: Signs of formulas that the shipped font has.
TIMES, MINUS, SIGMA = "\u00d7", "\u2212", "\u03c3"
LONGEST = 48
# Characters of four bytes at most; Graphviz scans a little less than 16,384 bytes at a time.
_PIECE = 4000
# Steps repeat one another's texts: so many are not measured and escaped again.
_KEPT = 4096


def visible(text: str, longest: int | None = LONGEST) -> str:
    """Return `text` with characters that cannot be printed spelt out, cut in the middle where it is very long."""
    shown = text if text.isprintable() else "".join(map(_spelt, text))
    if longest is None or len(shown) <= longest:
        return shown
    half = longest // 2
    return f"{shown[: half - 1]}…{shown[-half:]}"


def _spelt(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=_KEPT)
def escaped(text: str, longest: int | None = LONGEST) -> str:
    r"""Return `text` as it must stand inside an HTML-like label to be shown to the letter.

    Graphviz replaces ``\N`` and its like there too, entities or not, so every backslash is doubled.
    """
    return html.escape(visible(text, longest)).replace("\\", "&#92;&#92;")


def tooltip(text: str) -> str:
    r"""Return `text` as a tooltip that Graphviz shows to the letter: no escape such as ``\N``, no entity, no HTML.

    Graphviz replaces escapes in tooltips twice, entities or not, so every backslash is doubled twice.
    """
    shown: str = graphviz.nohtml(in_pieces(visible(text, None).replace("&", "&amp;").replace("\\", "&#92;" * 4)))
    return shown


def in_pieces(text: str) -> str:
    r"""Return text of an attribute as Graphviz can scan it: it takes 16,384 bytes of a quoted string at a time.

    A backslash at the end of a line says that the string goes on; a file that somebody else reads with `dot` has it too.
    """
    if len(text) <= _PIECE:
        return text
    pieces, start = [], 0
    while start < len(text):
        end = start + _PIECE
        while text[end - 1 : end] == "\\" and end < len(text):
            end += 1  # not within an escape
        pieces.append(text[start:end])
        start = end
    return "\\\n".join(pieces)


def html_label(inner: str) -> str:
    """Return an HTML-like label of this markup."""
    return f"<{inner}>"


def font(inner: str, size: float | None = None, color: str | None = None, bold: bool = False) -> str:
    """Return markup in a size and a colour."""
    attributes = ([f'POINT-SIZE="{size:g}"'] if size else []) + ([f'COLOR="{color}"'] if color else [])
    if not inner:
        return ""  # Graphviz refuses markup around nothing
    body = f"<B>{inner}</B>" if bold else inner
    return f"<FONT {' '.join(attributes)}>{body}</FONT>" if attributes else body


def table(rows: Iterable[str], **attributes: object) -> str:
    """Return a table without borders (unless `attributes` say otherwise) of rows given as ``<TD>`` markup."""
    settings = {"border": 0, "cellborder": 0, "cellspacing": 0, "cellpadding": 0} | attributes
    text = " ".join(f'{name.upper()}="{value}"' for name, value in settings.items())
    return f"<TABLE {text}>{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def cell(inner: str, **attributes: object) -> str:
    """Return one ``<TD>`` of a table."""
    text = "".join(f' {name.upper()}="{value}"' for name, value in attributes.items())
    return f"<TD{text}>{inner}</TD>"


@lru_cache(maxsize=_KEPT)
def text_width(text: str, size: float, bold: bool = False, longest: int | None = LONGEST) -> float:
    """Return about how wide `text` is in points, when shown at `size` points, cut where it is longer than `longest`."""
    widths = _BOLD if bold else _REGULAR
    return sum(_advance(char, widths) for char in visible(text, longest)) / 100 * size


def _advance(char: str, widths: Sequence[int]) -> int:
    place = ord(char) - 32
    if 0 <= place < len(widths):
        return widths[place]
    if char in _WIDER:
        return _WIDER[char]
    return 100 if unicodedata.east_asian_width(char) in "WF" else 60
