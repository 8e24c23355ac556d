"""A picture as its SVG has it: boxes, frames, lines as short straight pieces, and text with the room that its ink takes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from font_metrics import font

_SVG = "{http://www.w3.org/2000/svg}"
_PIECES = 12


class Rect(NamedTuple):
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def grown(self, by: float) -> Rect:
        return Rect(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def meets(self, other: Rect) -> bool:
        apart = self.left >= other.right or other.left >= self.right
        return not (apart or self.top >= other.bottom or other.top >= self.bottom)

    def holds(self, other: Rect) -> bool:
        beside = self.left <= other.left and other.right <= self.right
        return beside and self.top <= other.top and other.bottom <= self.bottom


class Text(NamedTuple):
    """A piece of text of one size, and the group that it stands in."""

    text: str
    ink: Rect
    owner: str


@dataclass
class Box:
    """A node: its outline, if one is drawn, the outlines inside, such as the blocks of a kernel, and its text."""

    name: str
    outline: Rect | None
    inner: list[Rect]
    texts: list[Text]

    @property
    def room(self) -> Rect | None:
        """Its outline, or, where none is drawn, what its text takes."""
        return self.outline or (around([text.ink for text in self.texts]) if self.texts else None)


@dataclass
class Edge:
    """A line: the names of the boxes at its ends, and its pieces, those of its arrow head too, a row each: x, y, x, y."""

    source: str
    target: str
    pieces: np.ndarray
    texts: list[Text]


@dataclass
class Drawn:
    """A picture; each kind in the order in which it is drawn."""

    page: Rect
    boxes: list[Box] = field(default_factory=list)
    frames: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


def around(rects: list[Rect]) -> Rect:
    """Return the rectangle around others."""
    left, top = (min(rect[side] for rect in rects) for side in (0, 1))
    right, bottom = (max(rect[side] for rect in rects) for side in (2, 3))
    return Rect(left, top, right, bottom)


def read_svg(svg: bytes | str) -> Drawn:
    """Return what Graphviz has drawn."""
    root = ElementTree.fromstring(svg)
    graph = next(root.iter(f"{_SVG}g"))
    shift = re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)", graph.get("transform", "translate(0 0)"))
    assert shift is not None
    x, y, width, height = map(float, root.get("viewBox", "").split())
    x, y = x - float(shift[1]), y - float(shift[2])
    drawn = Drawn(Rect(x, y, x + width, y + height))
    for group in graph.iter(f"{_SVG}g"):
        kind = group.get("class")
        if kind in ("node", "cluster"):
            (drawn.boxes if kind == "node" else drawn.frames).append(_box(group))
        elif kind == "edge":
            drawn.edges.append(_edge(group))
    return drawn


def _box(group: ElementTree.Element) -> Box:
    name = group.findtext(f"{_SVG}title") or ""
    shapes = [rect for item in group.iter() if (rect := _extent(item)) is not None]
    return Box(name, shapes[0] if shapes else None, shapes[1:], _texts(group, name))


def _edge(group: ElementTree.Element) -> Edge:
    title = group.findtext(f"{_SVG}title") or ""
    source, _, target = title.partition("->")
    pieces = [_curve(item.get("d", "")) for item in group.iter(f"{_SVG}path")]
    pieces += [_closed(item.get("points", "")) for item in group.iter(f"{_SVG}polygon")]
    return Edge(source, target, np.concatenate(pieces or [np.empty((0, 4))]), _texts(group, title))


def _texts(group: ElementTree.Element, owner: str) -> list[Text]:
    found = []
    for item in group.iter(f"{_SVG}text"):
        text, size = item.text or "", float(item.get("font-size", "14"))
        ink = font(item.get("font-weight") == "bold").ink(text, size)
        x, y = float(item.get("x", "0")), float(item.get("y", "0"))
        x -= {"middle": ink.advance / 2, "end": ink.advance}.get(item.get("text-anchor", "start"), 0.0)
        if text.strip():
            found.append(Text(text, Rect(x + ink.left, y - ink.top, x + ink.right, y - ink.bottom), owner))
    return found


def _numbers(text: str) -> np.ndarray:
    return np.array(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text), float).reshape(-1, 2)


def _extent(item: ElementTree.Element) -> Rect | None:
    """Return the extent of a shape whose line is drawn, or which is filled."""
    if item.get("stroke", "none") == "none" and item.get("fill", "none") == "none":
        return None
    if item.tag == f"{_SVG}ellipse":
        x, y, rx, ry = (float(item.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
        return Rect(x - rx, y - ry, x + rx, y + ry)
    if item.tag not in (f"{_SVG}path", f"{_SVG}polygon"):
        return None
    points = _numbers(item.get("d") or item.get("points") or "")
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Rect(float(left), float(top), float(right), float(bottom))


def _curve(data: str) -> np.ndarray:
    """Return a path of cubic curves as straight pieces, one for a curve that is straight."""
    points = _numbers(data)
    curves = np.concatenate([points[start::3][: (len(points) - 1) // 3] for start in range(4)], axis=1)
    level = [(np.ptp(curves[:, axis::2], axis=1) < 0.05) for axis in (0, 1)]
    straight = curves[level[0] | level[1]]
    bent = curves[~(level[0] | level[1])]
    t = np.linspace(0, 1, _PIECES + 1)[:, None, None]
    a, b, c, d = (bent[:, start : start + 2] for start in (0, 2, 4, 6))
    at = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
    pieces = np.concatenate([at[:-1], at[1:]], axis=2).reshape(-1, 4)
    return np.concatenate([straight[:, [0, 1, 6, 7]], pieces])


def _closed(data: str) -> np.ndarray:
    points = _numbers(data)
    return np.concatenate([points[:-1], points[1:]], axis=1)
