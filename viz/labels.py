"""Text beside lines: each label at the place it wants, if there is room, else at the nearest free place along its line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from unroll.viz.dot_text import text_width
from unroll.viz.ground import Ground
from unroll.viz.placement import Rectangle
from unroll.viz.routes import Piece, Point, pieces

#: The size of text on wires.
TEXT = 9.0
_HIGH, _AIR, _MARGIN = 10.0, 4.0, 2.5
# The cost of standing on a box or on other text, and of being crossed by a line.
_ON_TEXT, _ON_LINE = 100, 3
# Places are tried so far from the one wanted every few points, and farther along the line at so many places.
_NEAR, _EVERY, _PLACES = 90.0, 6.0, 60
# What is farther from a line than this does not seem to belong to it.
_ASTRAY = 16.0


class Label(NamedTuple):
    """Text with the place it is wanted at: its middle, in points.

    Attributes:
        of: what it tells of; of the labels of one text that tell of one thing, one is enough where room is short.
    """

    text: str
    x: float
    y: float
    of: tuple[Hashable, ...] = ()


def settle(
    ground: Ground, labelled: Sequence[tuple[Sequence[Point], Label | None]], led: bool = True
) -> tuple[list[Point | None], list[int]]:
    """Return where each label stands, None for one that says nothing new and has no room; and which of the others have none.

    Args:
        ground: what is drawn already, those lines among it; the labels are added to it.
        labelled: the lines of a picture, each with the label it wants.
        led: some lines may run elsewhere than where their labels expect them.
    """
    if led:
        labelled = [(line, None if label is None else _by_its_line(line, label)) for line, label in labelled]
    settled: list[Point | None] = [None] * len(labelled)
    said: set[tuple[Hashable, str]] = set()
    waiting: list[int] = []
    for place, (line, label) in enumerate(labelled):
        if label is None:
            continue
        at, trouble = _best(ground, label, _near(line, label))
        if trouble:
            waiting.append(place)
            continue
        settled[place] = _written(ground, at)
        said |= {(thing, label.text) for thing in label.of}
    crowded: list[int] = []
    for place in waiting:
        line, label = labelled[place]
        if label is None or any((thing, label.text) in said for thing in label.of):
            continue
        places = (_best(ground, label, _near(line, label)), _best(ground, label, _far(line, label)))
        at, trouble = min(places, key=lambda found: found[1])
        if trouble:
            crowded.append(place)
        settled[place] = _written(ground, at)
        said |= {(thing, label.text) for thing in label.of}
    return settled, crowded


def _by_its_line(line: Sequence[Point], label: Label) -> Label:
    """Return a label with the place that it wants; where its line has been led elsewhere, the nearest to that beside it."""
    room = room_of(label.text, (label.x, label.y))
    if min(map(partial(_apart, room), pieces(line)), default=0.0) <= _ASTRAY:
        return label
    x, y = min(_far(line, label), key=lambda at: (at[0] - label.x) ** 2 + (at[1] - label.y) ** 2)
    return label._replace(x=x, y=y)


def _apart(room: Rectangle, piece: Piece) -> float:
    """Return how far a straight piece is from a rectangle, along the farther axis."""
    x0, y0, x1, y1 = piece
    aside = max(min(x0, x1) - room.right, room.left - max(x0, x1), 0.0)
    return max(aside, min(y0, y1) - room.top, room.bottom - max(y0, y1))


def room_of(text: str, middle: Point) -> Rectangle:
    """Return the room that text beside a line takes."""
    return Rectangle(*middle, text_width(text, TEXT) + _MARGIN, _HIGH)


def _written(ground: Ground, at: Rectangle) -> Point:
    ground.add_box(at)
    return at.x, at.y


def settle_title(ground: Ground, wanted: Rectangle, others: Iterable[Point]) -> Rectangle:
    """Return where the name of a frame stands: where it is wanted, or else at the first of other places that is free, or
    at the least bad one; it is added to the ground.
    """
    best, least = wanted, _trouble(ground, wanted)
    for x, y in others:
        if not least:
            break
        at = wanted._replace(x=x, y=y)
        trouble = _trouble(ground, at)
        if trouble < least:
            best, least = at, trouble
    ground.add_box(best)
    return best


def _best(ground: Ground, label: Label, places: Iterable[Point]) -> tuple[Rectangle, int]:
    """Return the first free place for a label, or, where none is free, the least bad one; and how bad it is."""
    best = room_of(label.text, (label.x, label.y))
    least = _trouble(ground, best)
    for x, y in places if least else ():
        at = best._replace(x=x, y=y)
        trouble = _trouble(ground, at)
        if trouble < least:
            best, least = at, trouble
        if not trouble:
            break
    return best, least


def _trouble(ground: Ground, at: Rectangle) -> int:
    """Return the cost of a place for text."""
    return _ON_TEXT * len(ground.boxes_at(at)) + _ON_LINE * len(ground.lines_at(at))


def _near(line: Sequence[Point], label: Label) -> Iterator[Point]:
    """Yield places beside a line around the one that is wanted, the nearest first."""
    left, right, low, high = label.x - _NEAR, label.x + _NEAR, label.y - _NEAR, label.y + _NEAR
    close = [
        (x0, y0, x1, y1)
        for x0, y0, x1, y1 in pieces(line)
        if (x0 <= right or x1 <= right)
        and (x0 >= left or x1 >= left)
        and (y0 <= high or y1 <= high)
        and (y0 >= low or y1 >= low)
    ]
    yield from sorted(
        _beside(close, text_width(label.text, TEXT), _EVERY),
        key=lambda at: (at[0] - label.x) ** 2 + (at[1] - label.y) ** 2,
    )


def _far(line: Sequence[Point], label: Label) -> Iterator[Point]:
    """Yield places beside a line from its beginning to its end."""
    whole = list(pieces(line))
    length = sum(abs(x1 - x0) + abs(y1 - y0) for x0, y0, x1, y1 in whole)
    yield from _beside(whole, text_width(label.text, TEXT), max(_EVERY, length / _PLACES))


def _beside(line: Sequence[Piece], width: float, every: float) -> Iterator[Point]:
    """Yield places beside a line: left and right of it where it rises, over and under it where it is level."""
    for x0, y0, x1, y1 in line:
        across, up = x1 - x0, y1 - y0
        count = max(1, round((abs(across) + abs(up)) / every))
        for place in range(count):
            part = (place + 0.5) / count
            x, y = x0 + across * part, y0 + up * part
            if abs(up) > abs(across):
                yield x + _AIR + width / 2, y
                yield x - _AIR - width / 2, y
            else:
                yield x, y + _HIGH / 2 + 2
                yield x, y - _HIGH / 2 - 2
