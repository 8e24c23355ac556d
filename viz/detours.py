"""Ways around boxes for the few lines that would run through one: level and upright pieces, short, with few corners."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Sequence
from typing import TypeAlias

from unroll.viz.ground import Ground
from unroll.viz.placement import Rectangle
from unroll.viz.routes import Point, pieces, rounded

# How far a way keeps from boxes, how long a line's first and last part are, and how far beyond its ends a way may lead.
_CLEAR, _STUB, _BEYOND = 4.0, 5.0, 160.0
# What a corner costs, in points of length; a line that crosses or follows others costs more, too.
_CORNER, _ON_LINE = 30.0, 14.0
# A line may end a little inside its box, and pass closely by a corner that is round.
_DEEP, _INSIDE = 2.0, 5.0
_MOST_PLACES = 160

#: The places of a way in the lists of x and y, and whether it came there along x.
_At: TypeAlias = tuple[int, int, bool]


def is_through_a_box(ground: Ground, line: Sequence[Point], ends: Sequence[Rectangle]) -> bool:
    """Say whether a line of cubic curves runs through a box, or far into one of those at its ends."""
    straight = list(pieces(line))
    if any(not found.issubset(ends) for found in (ground.boxes_on(piece, _DEEP) for piece in straight)):
        return True
    return any(not found.isdisjoint(ends) for found in (ground.boxes_on(piece, _INSIDE) for piece in straight))


def around_boxes(ground: Ground, line: Sequence[Point]) -> list[Point] | None:
    """Return a line with the same ends that runs through no box, or None where there is none.

    Args:
        ground: the boxes of the picture, and the lines that the way crosses as seldom as may be.
        line: cubic curves.
    """
    start, end = line[0], line[-1]
    out, into = _stub(start, line), _stub(end, line[::-1])
    left, right = min(out[0], into[0]) - _BEYOND, max(out[0], into[0]) + _BEYOND
    low, high = min(out[1], into[1]) - _BEYOND, max(out[1], into[1]) + _BEYOND
    region = Rectangle((left + right) / 2, (low + high) / 2, right - left, high - low)
    boxes = sorted(ground.boxes_at(region))
    walls = [(box.left - _CLEAR, box.bottom - _CLEAR, box.right + _CLEAR, box.top + _CLEAR) for box in boxes]
    xs = _places([out[0], into[0]], [edge for wall in walls for edge in (wall[0], wall[2])], left, right)
    ys = _places([out[1], into[1]], [edge for wall in walls for edge in (wall[1], wall[3])], low, high)
    if len(xs) > _MOST_PLACES or len(ys) > _MOST_PLACES:
        return None
    way = _search(ground, xs, ys, _blocked(xs, ys, walls), out, into, abs(out[0] - start[0]) > abs(out[1] - start[1]))
    return None if way is None else rounded(_plain([start, *way, end]))


def _stub(end: Point, line: Sequence[Point]) -> Point:
    """Return the end of the straight part with which a line leaves a box: upright or level, as it left before."""
    other = next((point for point in line if point != end), end)
    x, y = other[0] - end[0], other[1] - end[1]
    if abs(x) > abs(y):
        return end[0] + (_STUB if x > 0 else -_STUB), end[1]
    return end[0], end[1] + (_STUB if y > 0 else -_STUB)


def _places(ends: Sequence[float], edges: Sequence[float], least: float, most: float) -> list[float]:
    """Return where a way may run along one axis: at its ends, and past the edges of boxes."""
    return sorted({*ends, *(edge for edge in edges if least <= edge <= most)})


def _blocked(
    xs: Sequence[float], ys: Sequence[float], walls: Sequence[tuple[float, float, float, float]]
) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Return the pieces to the right of, and above, each place that lie within a wall."""
    across: set[tuple[int, int]] = set()
    upward: set[tuple[int, int]] = set()
    for left, low, right, high in walls:
        columns = range(bisect.bisect_left(xs, left), bisect.bisect_right(xs, right))
        rows = range(bisect.bisect_left(ys, low), bisect.bisect_right(ys, high))
        inner_columns = [x for x in columns if left < xs[x] < right]
        inner_rows = [y for y in rows if low < ys[y] < high]
        across |= {(x, y) for x in columns[:-1] for y in inner_rows}
        upward |= {(x, y) for x in inner_columns for y in rows[:-1]}
    return across, upward


def _search(
    ground: Ground,
    xs: Sequence[float],
    ys: Sequence[float],
    blocked: tuple[set[tuple[int, int]], set[tuple[int, int]]],
    start: Point,
    end: Point,
    level: bool,
) -> list[Point] | None:
    """Return the corners of the cheapest way from `start` to `end`, which begins `level` or upright."""
    across, upward = blocked
    goal = bisect.bisect_left(xs, end[0]), bisect.bisect_left(ys, end[1])
    begin: _At = (bisect.bisect_left(xs, start[0]), bisect.bisect_left(ys, start[1]), level)
    cost: dict[_At, float] = {begin: 0.0}
    came: dict[_At, _At] = {}
    crossed: dict[tuple[int, int, int, int], int] = {}  # lines on each piece, which up to four ways come along
    waiting = [(0.0, begin)]
    while waiting:
        reached, at = heapq.heappop(waiting)
        if at[:2] == goal:
            return _corners(came, at, xs, ys)
        x, y, along = at
        if reached > cost[at] + abs(xs[x] - end[0]) + abs(ys[y] - end[1]) + 1e-6:
            continue
        steps = [(x + 1, y, (x, y) in across), (x - 1, y, (x - 1, y) in across)]
        steps += [(x, y + 1, (x, y) in upward), (x, y - 1, (x, y - 1) in upward)]
        for to_x, to_y, shut in steps:
            if shut or not (0 <= to_x < len(xs) and 0 <= to_y < len(ys)):
                continue
            there: _At = (to_x, to_y, to_x != x)
            length = abs(xs[to_x] - xs[x]) + abs(ys[to_y] - ys[y])
            total, known = cost[at] + length + _CORNER * (there[2] != along), cost.get(there, float("inf"))
            if total >= known:  # what lies on the way is the costly question
                continue
            key = (min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y))
            if key not in crossed:
                crossed[key] = len(ground.lines_at(_between(xs, ys, key)))
            total += _ON_LINE * crossed[key]
            if total < known:
                cost[there], came[there] = total, at
                heapq.heappush(waiting, (total + abs(xs[to_x] - end[0]) + abs(ys[to_y] - end[1]), there))
    return None


def _between(xs: Sequence[float], ys: Sequence[float], piece: tuple[int, int, int, int]) -> Rectangle:
    """Return the room around a piece of a way."""
    left, low, right, high = xs[piece[0]], ys[piece[1]], xs[piece[2]], ys[piece[3]]
    return Rectangle((left + right) / 2, (low + high) / 2, right - left + 4, high - low + 4)


def _corners(came: dict[_At, _At], at: _At, xs: Sequence[float], ys: Sequence[float]) -> list[Point]:
    way = [at]
    while way[-1] in came:
        way.append(came[way[-1]])
    return [(xs[x], ys[y]) for x, y, _ in reversed(way)]


def _plain(way: Sequence[Point]) -> list[Point]:
    """Return a way without the places at which it goes straight on."""
    found = [way[0]]
    for before, point, after in zip(way, way[1:], way[2:], strict=False):
        straight = before[0] == point[0] == after[0] or before[1] == point[1] == after[1]
        if not straight and point != found[-1]:
            found.append(point)
    return [*found, way[-1]]
