"""A plot of time against T as SVG, both axes logarithmic, drawn with nothing but text."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

#: A line: (T, seconds) in the order of T.
Line: TypeAlias = "Sequence[tuple[float, float]]"

WIDTH, HEIGHT = 460, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 34, 40
COLOURS = (
    "#0b6e4f",
    "#d1495b",
    "#2e5eaa",
    "#e08e0b",
    "#7b4fa3",
    "#8c8c00",
    "#4a4a4a",
    "#139ab8",
    "#a0522d",
    "#88a50d",
    "#c94fa0",
    "#5f9e8f",
    "#b08968",
    "#000000",
)
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


@dataclass(frozen=True)
class Panel:
    """One plot: a title and lines by name."""

    title: str
    lines: Mapping[str, Line]


@dataclass(frozen=True)
class _Axis:
    """Powers of ten from `low` to `high`, drawn from one pixel to another."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> _Axis:
        low = math.floor(math.log10(min(values)))
        return cls(low, max(math.ceil(math.log10(max(values))), low + 1), start, end)

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def svg(panels: Sequence[Panel], dashed: Container[str] = ()) -> str:
    """Return the panels side by side, with one legend under them; a name looks the same in all panels."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    strokes = {
        name: f'stroke="{colour}" stroke-width="2"' + (' stroke-dasharray="5 4"' if name in dashed else "")
        for name, colour in colours.items()
    }
    width, height = WIDTH * len(panels), HEIGHT + 20 * math.ceil(len(names) / 3) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for place, panel in enumerate(panels):
        parts.append(f'<g transform="translate({place * WIDTH} 0)">')
        parts += _panel(panel, colours, strokes)
        parts.append("</g>")
    for place, name in enumerate(names):
        x, y = LEFT + (place % 3) * (width - LEFT) / 3, HEIGHT + 14 + 20 * (place // 3)
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + 22}" y2="{y}" {strokes[name]}/>')
        parts.append(f'<text x="{x + 28}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, colours: Mapping[str, str], strokes: Mapping[str, str]) -> list[str]:
    parts = [f'<text x="{LEFT}" y="20" font-size="13" font-weight="bold">{escape(panel.title)}</text>']
    points = [point for line in panel.lines.values() for point in line]
    if not points:
        return [*parts, f'<text x="{LEFT}" y="{HEIGHT / 2}">not measured</text>']
    across = _Axis.over([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = _Axis.over([y for _, y in points], HEIGHT - BOTTOM, TOP)
    for tick in across.ticks:
        x = across(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{tick:,.0f}</text>')
    for tick in up.ticks:
        y = up(tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{in_units(tick)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">T, steps</text>')
    for name, line in panel.lines.items():
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" {strokes[name]}/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colours[name]}"/>' for x, y in line]
    return parts


def in_units(seconds: float) -> str:
    """Write a time with three digits: ``12.4 µs``, ``1.46 ms``, ``53 s``."""
    scale, unit = next(((scale, unit) for scale, unit in UNITS if seconds >= scale * 0.9995), UNITS[-1])
    value = seconds / scale
    return f"{value:,.0f} {unit}" if value >= 100 or value == round(value) else f"{value:.3g} {unit}"
