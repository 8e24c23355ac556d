"""Where the panels of weights stand, and in which shape: beside the picture or below it, as the page can be shown largest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unroll.viz.placement import Rectangle

#: The distance from the picture's left edge to the first dashed line beside it, and from one such line to the next.
LANES, NEXT_LANE = 34.0, 8.0
_APART = 24.0
_NARROWEST = 420.0
# The page that a picture should fill; of places in which it is shown about as large, up to so much, the one with the least
# blank is taken.
_PAGE = (16.0, 9.0)
_ABOUT = 1.08

Size = tuple[float, float]


class Arrangement(NamedTuple):
    """The place of each panel.

    Attributes:
        places: where they stand.
        upright: in their second shape.
        beside: to the left of the picture.
    """

    places: list[Rectangle]
    upright: bool
    beside: bool


def best_arrangement(
    sizes: Sequence[Sequence[Size]],
    boxes: Sequence[Rectangle],
    buses: Sequence[Sequence[float]],
    ceiling: float,
    lines: int,
    wires: Sequence[tuple[Rectangle, Rectangle]],
    opened: bool,
) -> Arrangement:
    """Return the arrangement of panels in which the page can be shown about largest, with the least blank.

    Args:
        sizes: the two shapes of each panel: wide and upright.
        boxes: everything else in the picture.
        buses: the heights at which the lines of each panel run.
        ceiling: the height below which panels stand that are not beside the picture.
        lines: how many dashed lines there are.
        wires: the two ends of every wire, which panels on a second row keep clear of.
        opened: each weight has a line of its own, which begins beside its heading: the panels are upright, to the left.
    """
    if opened:
        return _beside([shapes[1] for shapes in sizes], buses, boxes, lines, True)
    candidates = list(_candidates(sizes, boxes, buses, ceiling, lines, wires))
    around = outermost(boxes)
    rooms = [_room([around, *found.places]) for found in candidates]
    scales = [min(_PAGE[0] / width, _PAGE[1] / height) for width, height in rooms]
    large = [place for place, scale in enumerate(scales) if scale * _ABOUT >= max(scales)]
    return candidates[min(large, key=lambda place: rooms[place][0] * rooms[place][1])]


def _candidates(
    sizes: Sequence[Sequence[Size]],
    boxes: Sequence[Rectangle],
    buses: Sequence[Sequence[float]],
    ceiling: float,
    lines: int,
    wires: Sequence[tuple[Rectangle, Rectangle]],
) -> Iterator[Arrangement]:
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    for upright in (False, True):
        shapes = [item[int(upright)] for item in sizes]
        everything = sum(width + _APART for width, _ in shapes)
        for width in dict.fromkeys(max(room, _NARROWEST) for room in (right - left, 1.5 * (right - left), everything)):
            yield Arrangement(_below(shapes, boxes, left, width, ceiling, wires), upright, False)
        yield _beside(shapes, buses, boxes, lines, upright)


def outermost(boxes: Sequence[Rectangle]) -> Rectangle:
    """Return the room that boxes take together."""
    left, right = min([box.left for box in boxes]), max([box.right for box in boxes])
    bottom, top = min([box.bottom for box in boxes]), max([box.top for box in boxes])
    return Rectangle((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)


def _room(boxes: Sequence[Rectangle]) -> Size:
    """Return how wide and how high a picture is."""
    width = max(box.right for box in boxes) - min(box.left for box in boxes)
    return width, max(box.top for box in boxes) - min(box.bottom for box in boxes)


def _beside(
    shapes: Sequence[Size], buses: Sequence[Sequence[float]], boxes: Sequence[Rectangle], lines: int, upright: bool
) -> Arrangement:
    """Stand panels under one another to the left of the picture, each as near as it can be to what reads it."""
    right = min(box.left for box in boxes) - LANES - NEXT_LANE * lines - 8
    floor = min(box.bottom for box in boxes)
    middles = [sum(heights) / len(heights) if heights else floor for heights in buses]
    order = sorted(range(len(shapes)), key=lambda place: -middles[place])
    tops: dict[int, float] = {}
    free = float("inf")
    for place in order:
        tops[place] = min(middles[place] + shapes[place][1] / 2, free)
        free = tops[place] - shapes[place][1] - _APART
    # What hangs below the picture is pushed up again, as far as the picture is high.
    end = max([floor, *(box.top for box in boxes)]) - sum(shapes[place][1] + _APART for place in order) + _APART
    end = min(end, floor)
    for place in reversed(order):
        tops[place] = max(tops[place], end + shapes[place][1])
        end = tops[place] + _APART
    places = [
        Rectangle(right - width / 2, tops[place] - height / 2, width, height)
        for place, (width, height) in enumerate(shapes)
    ]
    return Arrangement(places, upright, True)


def _below(
    shapes: Sequence[Size],
    boxes: Sequence[Rectangle],
    left: float,
    room: float,
    ceiling: float,
    wires: Sequence[tuple[Rectangle, Rectangle]],
) -> list[Rectangle]:
    """Stand panels in rows of at most this width, as high as the boxes there leave room."""
    rows: list[list[Size]] = [[]]
    width = 0.0
    for size in shapes:
        if rows[-1] and width + size[0] > room:
            rows.append([])
            width = 0.0
        rows[-1].append(size)
        width += size[0] + _APART
    places: list[Rectangle] = []
    for row in rows:
        width = sum(size[0] + _APART for size in row) - _APART
        for source, target in wires:
            # A line that leans over the panels from the right must not cross them.
            if source.x > left + width > target.x and source.top < ceiling:
                ceiling = source.top - 6
        stood = _row(row, left, ceiling, boxes)
        places += stood
        ceiling = min(place.bottom for place in stood) - 12 - 6 * len(shapes)
    return places


def _row(row: Sequence[Size], left: float, ceiling: float, boxes: Sequence[Rectangle]) -> list[Rectangle]:
    """Return places side by side, as high under `ceiling` as boxes leave room."""
    width = sum(size[0] + _APART for size in row) - _APART
    height = max(size[1] for size in row)
    top = ceiling
    for box in sorted(boxes, key=lambda one: -one.top):
        inside = box.left < left + width + 18 and box.right > left - 18
        if inside and box.bottom < top + 24 and box.top > top - height:
            top = box.bottom - 20 - 6 * len(row)
    places = []
    x = left
    for size in row:
        places.append(Rectangle(x + size[0] / 2, top - size[1] / 2, *size))
        x += size[0] + _APART
    return places
