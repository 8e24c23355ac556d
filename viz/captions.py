"""What stands around a picture: a title over it, and under it a legend of colours and arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unroll.viz import palette
from unroll.viz.boxes import Line, chips, text_box
from unroll.viz.dot_text import cell, escaped, font, table, text_width
from unroll.viz.gates import Mark
from unroll.viz.placement import Rectangle
from unroll.viz.routes import straight
from unroll.viz.sheet import Sheet

#: How many letters of a title are shown.
LONGEST_TITLE = 120
_TITLE, _SMALL = 16.0, 10.0
_AIR, _APART, _SAMPLE = 18.0, 26.0, 30.0
_PLAIN = {"shape": "plain", "style": ""}


class Captions(NamedTuple):
    """What is asked for.

    Attributes:
        title: the text over the picture, or None.
        legend: whether there is one.
    """

    title: str | None = None
    legend: bool = False


class Meaning(NamedTuple):
    """What lines of one look are."""

    text: str
    looks: Mapping[str, str]


def title_label(title: str) -> str:
    """Return the markup of a title."""
    return font(escaped(title, LONGEST_TITLE), _TITLE, palette.INK, True)


def add_title(sheet: Sheet, title: str) -> None:
    """Set a title over a picture, at its left."""
    around = sheet.extent()
    width = text_width(title, _TITLE, True, LONGEST_TITLE) + 8
    at = Rectangle(around.left + width / 2, around.top + _AIR + _TITLE, width, _TITLE * 1.5)
    # At the left of its room: Graphviz finds text a little less wide than viewers do, and would set it in the middle.
    label = table([cell(title_label(title), align="LEFT", width=f"{width:.0f}")])
    sheet.node("title", at, label, **_PLAIN)


def add_legend(sheet: Sheet, gates: Sequence[Mark], lines: Sequence[Meaning], boxes: Sequence[str] = ()) -> None:
    """Set a legend under a picture: the gates in their colours, what each kind of arrow brings, and what boxes stand for."""
    around = sheet.extent()
    x, y = around.left, around.bottom - _AIR - _SMALL
    if gates:
        box = chips(gates)
        box = box._replace(width=box.width + 12)
        looks = {"fillcolor": palette.OP_FILL, "color": palette.OP_LINE}
        sheet.node("legend_gates", Rectangle(x + box.width / 2, y, box.width, box.height), box.label, **looks)
        x = _said(sheet, "legend_of_gates", "gates", x + box.width, y)
    for place, meaning in enumerate(lines):
        name = f"legend_{place}"
        sheet.edge(name, name, straight((x, y), (x + _SAMPLE, y)), None, **meaning.looks)
        x = _said(sheet, name, meaning.text, x + _SAMPLE, y)
    for place, text in enumerate(boxes):
        _said(sheet, f"legend_of_boxes_{place}", text, around.left, y - (place + 1) * 2 * _SMALL)


def _said(sheet: Sheet, name: str, text: str, x: float, y: float) -> float:
    """Write text from `x` on, and return where the next thing begins."""
    box = text_box([Line(text, _SMALL, palette.MUTED)], 4)
    sheet.node(name, Rectangle(x + box.width / 2 + 2, y, box.width, box.height), box.label, **_PLAIN)
    return x + box.width + _APART
