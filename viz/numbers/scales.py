"""Scales: a strip of colours with the numbers that its ends stand for."""

from __future__ import annotations

import numpy as np

from unroll.viz import palette
from unroll.viz.dot_text import MINUS
from unroll.viz.numbers.bitmaps import Ramp, coloured
from unroll.viz.numbers.canvas import Canvas
from unroll.viz.values import number

_TEXT, _THICK, _DOTS = 9.0, 9.0, 64


def scale_bar(canvas: Canvas, x: float, y: float, wide: float, ends: tuple[float, float], ramp: Ramp) -> None:
    """Draw a scale from left to right with its ends and middle below it; it is 24 points high."""
    canvas.bitmap(x, y, wide, _THICK, coloured(np.linspace(*ends, _DOTS)[None, :], *ends, ramp))
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        value = ends[0] + share * (ends[1] - ends[0])
        canvas.text(x + share * wide, y + _THICK + 11, told(value), _TEXT, palette.MUTED, anchor=anchor)  # type: ignore[arg-type]


def short(value: float) -> str:
    """Return a number with three significant digits, and a minus sign that is one."""
    return f"{value + 0.0:.3g}".replace("-", MINUS)


def told(value: float) -> str:
    """Return a number with a minus sign that is one."""
    return number(value).replace("-", MINUS, 1) if value < 0 else number(value)
