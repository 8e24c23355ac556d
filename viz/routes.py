"""The lines between boxes, as the cubic curves that Graphviz draws without a layout of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

from unroll.viz.bands import Band
from unroll.viz.gaps import Gaps

Point: TypeAlias = tuple[float, float]
#: A straight part of a line: x and y where it begins, and where it ends.
Piece: TypeAlias = tuple[float, float, float, float]
_ARROW = 6.0
_ROUND = 7.0
#: How far a line keeps from the boxes that it passes between.
CLEAR = 9.0
# Curves are looked at in straight pieces of about this length, in so many at most.
_PIECE, _MOST_PIECES = 12.0, 40


def spline(points: Sequence[Point]) -> str:
    """Return a DOT ``pos`` of cubic control points that ends in an arrow head at the last of `points`."""
    return " ".join([f"e,{_text(points[-1])}", *(_text(point) for point in before_head(points))])


def before_head(points: Sequence[Point]) -> list[Point]:
    """Return a line as it is drawn up to its head: it stops short of the end by the length of that, along its last
    direction.
    """
    *body, before, end = points
    length = max(((end[0] - before[0]) ** 2 + (end[1] - before[1]) ** 2) ** 0.5, 0.01)
    part = min(_ARROW / length, 0.9)
    return [*body, before, (end[0] + (before[0] - end[0]) * part, end[1] + (before[1] - end[1]) * part)]


def _text(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def straight(start: Point, end: Point) -> list[Point]:
    """Return a straight line as one cubic."""
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return [start, (start[0] + third[0], start[1] + third[1]), (end[0] - third[0], end[1] - third[1]), end]


def rising(start: Point, end: Point, lean: float = 0.5) -> list[Point]:
    """Return a curve that leaves upwards and arrives upwards; a `lean` under 0.5 turns aside soon after it leaves."""
    if abs(start[0] - end[0]) < 1:
        return straight(start, end)
    height = end[1] - start[1]
    return [start, (start[0], start[1] + height * lean), (end[0], end[1] - height * (1.15 - lean)), end]


def sideways(start: Point, end: Point) -> list[Point]:
    """Return a curve that leaves to the right and arrives from the left."""
    if abs(start[1] - end[1]) < 1:
        return straight(start, end)
    bend = max(abs(end[0] - start[0]) * 0.5, 18.0)
    return [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end]


def through(start: Point, end: Point, bands: Sequence[Band], rows: Sequence[Gaps], lean: float) -> list[Point]:
    """Return a rising curve that passes between the boxes of the levels on its way, and takes the places where it does.

    Args:
        start: where it leaves a box, upwards.
        end: where it arrives.
        bands: the levels between, from bottom to top.
        rows: what is taken of each of those levels.
        lean: as for `rising`.
    """
    points = [start]
    for band, row in zip(bands, rows, strict=True):
        x = row.nearest(end[0])
        row.take(x)
        enter, leave = (x, band.bottom - 4), (x, band.top + 4)
        points += rising(points[-1], enter)[1:]
        points += straight(enter, leave)[1:]
    return points + rising(points[-1], end, 0.5 if rows else lean)[1:]


def around(start: Point, gutter: float, end: Point, over: float, under: float) -> list[Point]:
    """Return the corners of a line that leaves upwards, runs down between two columns and arrives from below.

    Args:
        start: the top of a box.
        gutter: where it runs down.
        end: the bottom of a box.
        over: how far above the one box it turns.
        under: how far below the other.
    """
    above, below = start[1] + over, end[1] - under
    return [start, (start[0], above), (gutter, above), (gutter, below), (end[0], below), end]


def rounded(corners: Sequence[Point]) -> list[Point]:
    """Return a line of horizontal and vertical pieces with round corners."""
    points = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        room = min(_ROUND, _distance(before, corner) / 2, _distance(corner, after) / 2)
        enter, leave = _toward(corner, before, room), _toward(corner, after, room)
        points += straight(points[-1], enter)[1:]
        points += [_toward(corner, enter, room * 0.45), _toward(corner, leave, room * 0.45), leave]
    return points + straight(points[-1], corners[-1])[1:]


def _distance(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _toward(start: Point, end: Point, length: float) -> Point:
    whole = _distance(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / whole, start[1] + (end[1] - start[1]) * length / whole


def spread(count: int, width: float, apart: float = 14.0) -> list[float]:
    """Return offsets from the middle for lines that share one side of a box of this width."""
    step = min(apart, (width - 12) / count) if count else 0
    return [(place - (count - 1) / 2) * step for place in range(count)]


def pieces(points: Sequence[Point]) -> Iterator[Piece]:
    """Yield a line of cubic curves as straight pieces, a curve that is straight as one."""
    for place in range(0, len(points) - 3, 3):
        one, two, three, four = points[place : place + 4]
        if _is_straight(one, two, three, four):
            yield (*one, *four)
            continue
        length = _distance(one, two) + _distance(two, three) + _distance(three, four)
        count = max(2, min(round(length / _PIECE), _MOST_PIECES))
        before = one
        for a, b, c, d in _shares(count):
            x = a * one[0] + b * two[0] + c * three[0] + d * four[0]
            y = a * one[1] + b * two[1] + c * three[1] + d * four[1]
            yield (*before, x, y)
            before = (x, y)


@cache
def _shares(count: int) -> list[tuple[float, float, float, float]]:
    """Return how much each of the four points of a cubic curve counts at the end of each of `count` pieces."""
    times = [step / count for step in range(1, count + 1)]
    return [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in times]


def _is_straight(one: Point, two: Point, three: Point, four: Point) -> bool:
    x, y = four[0] - one[0], four[1] - one[1]
    return all(abs((point[0] - one[0]) * y - (point[1] - one[1]) * x) < 0.5 for point in (two, three))
