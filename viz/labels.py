"""Text beside lines: each label at the place it wants, if there is room, else at the nearest free place along its line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from unroll.viz.dot_text import text_width
from unroll.viz.placement import Rectangle
from unroll.viz.routes import Point, sampled

#: The size of text on wires.
TEXT = 9.0
_HIGH, _AIR = 10.0, 4.0
_CELL = 24.0
# The cost of standing on a box or on other text, and of being crossed by a line.
_ON_TEXT, _ON_LINE = 100, 3
_FARTHEST = 90.0


class Label(NamedTuple):
    """Text with the place it is wanted at: its middle, in points."""

    text: str
    x: float
    y: float


class _Ground:
    """What is drawn where, in a grid of squares, so that few things are looked at for each place."""

    def __init__(self) -> None:
        self._boxes: dict[tuple[int, int], list[Rectangle]] = {}
        self._points: dict[tuple[int, int], list[tuple[Point, int]]] = {}

    def add_box(self, box: Rectangle) -> None:
        for square in _squares(box):
            self._boxes.setdefault(square, []).append(box)

    def add_line(self, points: Iterable[Point], number: int) -> None:
        for point in points:
            square = (int(point[0] // _CELL), int(point[1] // _CELL))
            self._points.setdefault(square, []).append((point, number))

    def trouble(self, at: Rectangle) -> int:
        """Return the cost of a place for text."""
        boxes: set[Rectangle] = set()
        lines: set[int] = set()
        for square in _squares(at):
            boxes.update(box for box in self._boxes.get(square, ()) if _overlap(at, box))
            points = self._points.get(square, ())
            lines.update(number for (x, y), number in points if at.left < x < at.right and at.bottom < y < at.top)
        return _ON_TEXT * len(boxes) + _ON_LINE * len(lines)


def settle(
    labelled: Sequence[tuple[Sequence[Point], Label | None]],
    lines: Iterable[Sequence[Point]],
    boxes: Iterable[Rectangle],
) -> list[Point | None]:
    """Return where each label stands.

    Args:
        labelled: the curves of a picture, each with the label it wants.
        lines: other curves, which are not written on either.
        boxes: what is not written on at all.
    """
    ground = _Ground()
    for box in boxes:
        ground.add_box(box)
    curves = [sampled(points) for points, _ in labelled]
    for number, curve in enumerate([*curves, *(sampled(points) for points in lines)]):
        ground.add_line(curve, number)
    settled: list[Point | None] = []
    for curve, (_, label) in zip(curves, labelled, strict=True):
        at = None
        if label is not None:
            at = _best(ground, label, curve)
            ground.add_box(at)
        settled.append(None if at is None else (at.x, at.y))
    return settled


def _best(ground: _Ground, label: Label, curve: Sequence[Point]) -> Rectangle:
    """Return the free place nearest to where a label is wanted, or, where none is free, the least bad one."""
    width = text_width(label.text, TEXT)
    best = Rectangle(label.x, label.y, width, _HIGH)
    least = ground.trouble(best)
    if not least:
        return best
    places = ((((x - label.x) ** 2 + (y - label.y) ** 2), x, y) for x, y in _beside(curve, width))
    for _, x, y in sorted(place for place in places if place[0] <= _FARTHEST**2):
        at = Rectangle(x, y, width, _HIGH)
        trouble = ground.trouble(at)
        if trouble < least:
            best, least = at, trouble
        if not trouble:
            break
    return best


def _beside(curve: Sequence[Point], width: float) -> Iterator[Point]:
    """Yield places beside a curve: left and right of it where it rises, over and under it where it is level."""
    for (x0, y0), (x1, y1) in itertools.pairwise(curve):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        if abs(y1 - y0) > abs(x1 - x0):
            yield x + _AIR + width / 2, y
            yield x - _AIR - width / 2, y
        else:
            yield x, y + _HIGH / 2 + 2
            yield x, y - _HIGH / 2 - 2


def _squares(box: Rectangle) -> Iterator[tuple[int, int]]:
    for column in range(int(box.left // _CELL), int(box.right // _CELL) + 1):
        for row in range(int(box.bottom // _CELL), int(box.top // _CELL) + 1):
            yield column, row


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    apart = one.left >= other.right or other.left >= one.right or one.bottom >= other.top or other.bottom >= one.top
    return not apart
