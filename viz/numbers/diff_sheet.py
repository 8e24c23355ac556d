"""What differs between two graphs, on a sheet: boxes with signs, lines between them, and weights and outputs in words."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.viz import palette
from unroll.viz.dot_text import MINUS
from unroll.viz.numbers.canvas import Canvas
from unroll.viz.numbers.diff_layout import LINE, MOST, NAME, TEXT, Layout
from unroll.viz.numbers.differences import PLUS, UNLIKE

_MARGIN = 18.0
#: Fill and line by sign: told apart by the sign too, and removed ones by a dashed line.
_LOOKS = {
    PLUS: ("#BFE0F5", "#12507F"),
    MINUS: ("#F9C5B3", "#A33A1B"),
    UNLIKE: ("#FBDDA6", "#7A5200"),
    "": (palette.OP_FILL, palette.OP_LINE),
}
_WORDS = {PLUS: "added", MINUS: "removed", UNLIKE: "changed", "": "the same"}
_LONGEST = 150


class DiffSheet:
    """What differs on a sheet.

    Args:
        layout: its boxes.
        said: what differs in words, a line each; the first counts, and those of operators begin with a sign.

    Attributes:
        canvas: the sheet.
    """

    def __init__(self, layout: Layout, said: Sequence[str]) -> None:
        self.canvas = Canvas("what differs between two graphs")
        self._right = _MARGIN + self.canvas.text(_MARGIN, _MARGIN + 11, said[0], 13, bold=True)
        y = _MARGIN + 24
        if layout.boxes:
            y = self._legend(layout, y)
            self._boxes(layout, y)
            y += layout.height + 18
        rest = [line for line in said[1:] if not line.startswith((PLUS, MINUS, UNLIKE))]
        if layout.left_out:
            rest.insert(0, f"{layout.left_out} more kinds of operators differ: {MOST} are drawn")
        for line in rest:
            self._right = max(self._right, _MARGIN + self.canvas.text(_MARGIN, y + 9, line, NAME, longest=_LONGEST))
            y += 15
        self.canvas.width, self.canvas.height = self._right + _MARGIN, y + _MARGIN - 8

    def _legend(self, layout: Layout, y: float) -> float:
        x, signs = _MARGIN, {box.sign for box in layout.boxes if box.lines}
        for sign, (fill, line) in _LOOKS.items():
            if sign in signs:
                self.canvas.rect(x, y, 16, 11, fill, line, sign == MINUS)
                self.canvas.text(x + 8, y + 9, sign, TEXT, bold=True, anchor="middle")
                x += 22 + self.canvas.text(x + 21, y + 9, _WORDS[sign], TEXT, palette.MUTED) + 14
        self._right = max(self._right, x)
        return y + 26

    def _boxes(self, layout: Layout, y: float) -> None:
        for way, sign in layout.lines:
            points = []
            for box in way:
                middle = _MARGIN + box.x + box.width / 2
                points += [(middle, y + box.y)] if box is not way[0] else []
                points += [(middle, y + box.y + box.height)] if box is not way[-1] else []
            color = _LOOKS[sign][1] if sign else palette.LINE
            self.canvas.line(points, color, 1.0, under=True)
            (x, high), tip = points[-1], 4.0
            self.canvas.line(((x - tip / 2, high - tip), (x, high), (x + tip / 2, high - tip)), color, 1.0, under=True)
        for box in layout.boxes:
            if box.lines:
                fill, line = _LOOKS[box.sign]
                x, top = _MARGIN + box.x, y + box.y
                self.canvas.rect(x, top, box.width, box.height, fill, line, box.sign == MINUS)
                if box.sign:
                    self.canvas.text(x + 6, top + 14, box.sign, NAME + 1, bold=True)
                for place, text in enumerate(box.lines):
                    color = palette.MUTED if place == 1 or not box.sign else palette.INK
                    size = TEXT if place else NAME
                    self.canvas.text(x + (22 if box.sign else 8), top + 14 + LINE * place, text, size, color, not place)
        self._right = max(self._right, _MARGIN + layout.width)
