"""A sheet of rectangles, lines, text and bitmaps: written as a small SVG by ourselves, drawn as PNG or PDF by Graphviz."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from unroll.dtypes import Array
from unroll.errors import FileError
from unroll.viz import palette, render
from unroll.viz.dot_text import FONT, in_pieces, text_width, visible
from unroll.viz.numbers.bitmaps import data_uri, enlarged, png

Anchor = Literal["start", "middle", "end"]
_PAPER = "#FFFFFF"
# So many dots a point have bitmaps that are given to Graphviz, whose own drawing of them would be blurred.
_DOTS = 3
_SIDES = {"start": -1, "middle": 0, "end": 1}


class Rect(NamedTuple):
    """A rectangle; y grows downwards, as everywhere on a sheet."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    line: str
    dashed: bool


class Text(NamedTuple):
    """A line of text, whose base line is at y."""

    x: float
    y: float
    text: str
    size: float
    color: str
    bold: bool
    anchor: Anchor


class Line(NamedTuple):
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float


class Bitmap(NamedTuple):
    """Coloured cells, ``(rows, columns, 3)`` bytes, stretched over a rectangle."""

    x: float
    y: float
    width: float
    height: float
    cells: Array


@dataclass
class Canvas:
    """A sheet: rectangles and text, bitmaps over them, lines over all. Text and bitmaps must not overlap.

    Attributes:
        title: what the picture is, for those who cannot see it.
        width: in points.
        height: in points.
    """

    title: str
    width: float = 0.0
    height: float = 0.0
    _under: list[Rect | Text | Line] = field(default_factory=list)
    _bitmaps: list[Bitmap] = field(default_factory=list)
    _over: list[Line] = field(default_factory=list)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "none",
        line: str = "none",
        dashed: bool = False,
    ) -> None:
        """Draw a rectangle."""
        self._under.append(Rect(x, y, width, height, fill, line, dashed))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 10,
        color: str = palette.INK,
        bold: bool = False,
        anchor: Anchor = "start",
        longest: int | None = None,
    ) -> float:
        """Write a line of text and return about how wide it is."""
        shown = visible(text, longest)
        if shown:
            self._under.append(Text(x, y, shown, size, color, bold, anchor))
        return text_width(shown, size, bold, None)

    def line(
        self, points: Sequence[tuple[float, float]], color: str = palette.LINE, width: float = 0.75, under: bool = False
    ) -> None:
        """Draw a line, over bitmaps unless it is said to be under them."""
        (self._under if under else self._over).append(Line(tuple(points), color, width))

    def bitmap(self, x: float, y: float, width: float, height: float, cells: Array) -> None:
        """Draw coloured cells."""
        self._bitmaps.append(Bitmap(x, y, width, height, cells))

    def svg(self) -> bytes:
        """Return the sheet as SVG, bitmaps and all in the one file."""
        title = html.escape(visible(self.title, 200))
        size = (
            f'width="{self.width:.0f}pt" height="{self.height:.0f}pt" viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        )
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size} role="img" '
            f'font-family="{FONT}" xml:space="preserve">',
            f"<title>{title}</title>",
            f'<rect width="100%" height="100%" fill="{_PAPER}"/>',
            *(_svg(item) for item in (*self._under, *self._bitmaps, *self._over)),
            "</svg>",
        ]
        return "\n".join(lines).encode("utf-8") + b"\n"

    def rendered(self, format: str) -> bytes:
        """Return the sheet as svg, png or pdf.

        Raises:
            MissingPackageError: the format needs pygraphviz, which cannot be imported.
            FileError: the picture is too large, or no temporary file can be written.
            UnsupportedError: Graphviz could not draw it.
        """
        if format == "svg":
            return self.svg()
        try:
            with TemporaryDirectory(prefix="unroll-picture-") as folder:
                files = []
                for number, bitmap in enumerate(self._bitmaps):
                    files.append(Path(folder) / f"{number}.png")
                    cells = enlarged(bitmap.cells, bitmap.height * _DOTS, bitmap.width * _DOTS)
                    files[-1].write_bytes(png(cells))
                return render.render(self._dot(files), format, "an .svg file needs no Graphviz")
        except OSError as error:
            raise FileError(f"the picture's parts could not be written to a temporary folder: {error}") from None

    def _dot(self, files: Sequence[Path]) -> str:
        """Return the sheet as DOT: its ground as drawing commands, its bitmaps as nodes, lines over them as edges."""
        ground = "".join(self._commands())
        corners = [("a", 0.0, 0.0), ("b", self.width, self.height)]
        lines = [f'graph [outputorder=nodesfirst pad=0 _background="{in_pieces(_quoted(ground))}"]']
        lines += [
            f'{name} [pos="{x:.2f},{y:.2f}" style=invis label="" width=0.01 height=0.01]' for name, x, y in corners
        ]
        for number, (bitmap, file) in enumerate(zip(self._bitmaps, files, strict=True)):
            x, y = bitmap.x + bitmap.width / 2, self._up(bitmap.y + bitmap.height / 2)
            lines.append(
                f'i{number} [pos="{x:.2f},{y:.2f}" shape=none label="" fixedsize=true imagescale=both '
                f'image="{_quoted(file.as_posix())}" width={bitmap.width / 72:.5f} height={bitmap.height / 72:.5f}]'
            )
        for line in self._over:
            for (x, y), (u, v) in zip(line.points, line.points[1:], strict=False):
                start, end = f"{x:.2f},{self._up(y):.2f}", f"{u:.2f},{self._up(v):.2f}"
                lines.append(
                    f'a -> b [dir=none color="{line.color}" penwidth={line.width} pos="{start} {start} {end} {end}"]'
                )
        return "digraph {\n" + "\n".join(lines) + "\n}\n"

    def _commands(self) -> Iterator[str]:
        """Yield the ground as commands of xdot."""
        for item in self._under:
            if isinstance(item, Rect):
                x, y, u, v = item.x, self._up(item.y), item.x + item.width, self._up(item.y + item.height)
                corners = f"4 {x:.2f} {y:.2f} {u:.2f} {y:.2f} {u:.2f} {v:.2f} {x:.2f} {v:.2f} "
                style = "dashed" if item.dashed else "solid"
                yield f"S {len(style)} -{style} "
                if item.fill != "none":
                    yield f"{_color('c', item.fill)}{_color('C', item.fill)}P {corners}"
                if item.line != "none":
                    yield f"{_color('c', item.line)}p {corners}"
            elif isinstance(item, Text):
                text = _unjoined(item.text)
                wide = text_width(item.text, item.size, item.bold, None)
                yield (
                    f"{_color('c', item.color)}t {int(item.bold)} F {item.size:g} {len(FONT)} -{FONT} "
                    f"T {item.x:.2f} {self._up(item.y):.2f} {_SIDES[item.anchor]} {wide:.2f} {len(text.encode())} -{text} "
                )
            else:
                points = " ".join(f"{x:.2f} {self._up(y):.2f}" for x, y in item.points)
                width = f"setlinewidth({item.width:g})"
                yield f"S 5 -solid S {len(width)} -{width} {_color('c', item.color)}L {len(item.points)} {points} "
                yield "S 15 -setlinewidth(1) "

    def _up(self, y: float) -> float:
        return self.height - y


def _svg(item: Rect | Text | Line | Bitmap) -> str:
    if isinstance(item, Rect):
        place = f'x="{item.x:.2f}" y="{item.y:.2f}" width="{item.width:.2f}" height="{item.height:.2f}"'
        dashed = ' stroke-dasharray="4 3"' if item.dashed else ""
        line = f' stroke="{item.line}"{dashed}' if item.line != "none" else ""
        return f'<rect {place} fill="{item.fill}"{line}/>'
    if isinstance(item, Text):
        weight = ' font-weight="bold"' if item.bold else ""
        anchor = f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
        place = f'x="{item.x:.2f}" y="{item.y:.2f}" font-size="{item.size:g}" fill="{item.color}"'
        return f"<text {place}{weight}{anchor}>{html.escape(item.text)}</text>"
    if isinstance(item, Line):
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in item.points)
        return f'<polyline points="{points}" fill="none" stroke="{item.color}" stroke-width="{item.width:g}"/>'
    place = f'x="{item.x:.2f}" y="{item.y:.2f}" width="{item.width:.2f}" height="{item.height:.2f}"'
    looks = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
    return f'<image {place} {looks} xlink:href="{data_uri(item.cells)}"/>'


def _color(command: str, color: str) -> str:
    return f"{command} {len(color)} -{color} "


def _unjoined(text: str) -> str:
    """Return text in which no backslash stands before another or a quote: DOT would take both for one sign."""
    return "".join(f"{char}\u2060" if char == "\\" else char for char in text)


def _quoted(text: str) -> str:
    return text.replace('"', '\\"')
