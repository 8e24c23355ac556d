"""The box of an If: its condition over the room for its two branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unroll.viz import palette
from unroll.viz.boxes import Box, Line
from unroll.viz.dot_text import cell, escaped, font, table, text_width

_TITLE, _TEXT = 11, 9
_LEADING, _PAD, _BETWEEN = 1.4, 10.0, 12.0


class IfBox(NamedTuple):
    """A box with room for two pictures.

    Attributes:
        box: its content.
        middles: the middle of the room for each picture, from the middle of the box; y grows upwards.
    """

    box: Box
    middles: list[tuple[float, float]]


def if_box(condition: str, told: Sequence[Line], sizes: Sequence[tuple[float, float]]) -> IfBox:
    """Return the box of an If.

    Args:
        condition: the condition, as a formula.
        told: what else is said, such as a shape and a value.
        sizes: the width and height of the picture of each branch.
    """
    title = Line(f"If {condition}" if condition else "If", _TITLE, palette.INK, True)
    heads = [Line("then", _TEXT, palette.INK, True), Line("else", _TEXT, palette.INK, True)]
    lines = [title, *told]
    high = max((height for _, height in sizes), default=0.0)
    rooms = [max(width, text_width("then", _TEXT, True)) for width, _ in sizes]
    inner = sum(rooms) + _BETWEEN
    width = max(inner, *(text_width(line.text, line.size, line.bold) for line in lines)) + 2 * _PAD
    columns = [
        cell(
            table(
                [
                    cell(_said(head), height=f"{_TEXT * _LEADING:.0f}"),
                    cell("", width=f"{room:.0f}", height=f"{high:.0f}"),
                ]
            ),
            valign="TOP",
        )
        for head, room in zip(heads, rooms, strict=True)
    ]
    rows = [cell(_said(line), height=f"{line.size * _LEADING:.0f}") for line in lines]
    rows.append(cell(table([cell("", width=f"{_BETWEEN:.0f}").join(columns)])))
    above = sum(line.size * _LEADING for line in lines) + _TEXT * _LEADING
    # Each stands right under its heading.
    heights = [(high - height - above) / 2 for _, height in sizes]
    left = -inner / 2
    middles = [(left + rooms[0] / 2, heights[0]), (left + rooms[0] + _BETWEEN + rooms[1] / 2, heights[1])]
    return IfBox(Box(table(rows), width, above + high + _PAD), middles)


def _said(line: Line) -> str:
    return font(escaped(line.text), line.size, line.color, line.bold)
