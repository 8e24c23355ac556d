"""What is drawn where: boxes and lines in a grid of squares, so that few of them are looked at for each place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from unroll.viz.placement import Rectangle
from unroll.viz.routes import Piece, Point, before_head, pieces

_SIDE = 32.0
# How far an arrow head reaches to each side of its line.
_HEAD = 2.2
_Square: TypeAlias = tuple[int, int]


class Ground:
    """The boxes and lines of a picture. A line has a number, by which its pieces are known to be one line."""

    def __init__(self) -> None:
        self._boxes: dict[_Square, list[Rectangle]] = {}
        # Each with the room that it takes, by which most that are near are told from those that are met.
        self._pieces: dict[_Square, list[tuple[float, float, float, float, Piece, int]]] = {}
        self._where: dict[int, set[_Square]] = {}

    def add_box(self, box: Rectangle) -> None:
        """Put a box on the ground."""
        for square in _squares(box.left, box.bottom, box.right, box.top):
            self._boxes.setdefault(square, []).append(box)

    def add_line(self, curves: Sequence[Point], number: int) -> None:
        """Put a line of cubic curves that ends in an arrow head on the ground."""
        drawn = before_head(curves)
        (x0, y0), (x1, y1) = drawn[-1], curves[-1]
        length = max(math.hypot(x1 - x0, y1 - y0), 0.01)
        aside = (y1 - y0) / length * _HEAD, (x0 - x1) / length * _HEAD
        head = [(x0 + side * aside[0], y0 + side * aside[1], x1, y1) for side in (-1, 1)]
        self._add_pieces([*pieces(drawn), *head], number)

    def move_line(self, curves: Sequence[Point], number: int) -> None:
        """Put a line elsewhere."""
        for square in self._where.pop(number, ()):
            self._pieces[square] = [found for found in self._pieces[square] if found[-1] != number]
        self.add_line(curves, number)

    def _add_pieces(self, straight: Iterable[Piece], number: int) -> None:
        for piece in straight:
            x0, y0, x1, y1 = piece
            room = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
            for square in _squares(*room):
                self._pieces.setdefault(square, []).append((*room, piece, number))
                self._where.setdefault(number, set()).add(square)

    def add_outline(self, box: Rectangle, number: int) -> None:
        """Put the four edges of a frame on the ground, as a line."""
        left, bottom, right, top = box.left, box.bottom, box.right, box.top
        corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        self._add_pieces([(*one, *other) for one, other in itertools.pairwise(corners)], number)

    def boxes_at(self, at: Rectangle) -> set[Rectangle]:
        """Return the boxes that a rectangle overlaps."""
        left, bottom, right, top = at.left, at.bottom, at.right, at.top
        found: set[Rectangle] = set()
        for square in _squares(left, bottom, right, top):
            for box in self._boxes.get(square, ()):
                x, y = box.width / 2, box.height / 2
                if left < box.x + x and right > box.x - x and bottom < box.y + y and top > box.y - y:
                    found.add(box)
        return found

    def boxes_on(self, piece: Piece, deep: float) -> set[Rectangle]:
        """Return the boxes that a straight piece passes through by more than `deep`."""
        x0, y0, x1, y1 = piece
        found: set[Rectangle] = set()
        for square in _squares(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)):
            for box in self._boxes.get(square, ()):
                x, y = box.width / 2 - deep, box.height / 2 - deep
                if box not in found and _crosses(piece, box.x - x, box.y - y, box.x + x, box.y + y):
                    found.add(box)
        return found

    def lines_at(self, at: Rectangle) -> set[int]:
        """Return the numbers of the lines that pass through a rectangle."""
        left, bottom, right, top = at.left, at.bottom, at.right, at.top
        found: set[int] = set()
        for square in _squares(left, bottom, right, top):
            for x0, y0, x1, y1, piece, number in self._pieces.get(square, ()):
                apart = x1 <= left or x0 >= right or y1 <= bottom or y0 >= top
                if not apart and number not in found and _crosses(piece, left, bottom, right, top):
                    found.add(number)
        return found


def _squares(left: float, bottom: float, right: float, top: float) -> Iterator[_Square]:
    rows = range(int(bottom // _SIDE), int(top // _SIDE) + 1)
    for column in range(int(left // _SIDE), int(right // _SIDE) + 1):
        for row in rows:
            yield column, row


def _crosses(piece: Piece, left: float, bottom: float, right: float, top: float) -> bool:
    """Say whether a straight piece has a part within a rectangle."""
    x0, y0, x1, y1 = piece
    if max(x0, x1) <= left or min(x0, x1) >= right or max(y0, y1) <= bottom or min(y0, y1) >= top:
        return False
    if x0 == x1 or y0 == y1:
        return True
    enters, leaves = 0.0, 1.0
    for start, along, low, high in ((x0, x1 - x0, left, right), (y0, y1 - y0, bottom, top)):
        one, other = (low - start) / along, (high - start) / along
        enters, leaves = max(enters, min(one, other)), min(leaves, max(one, other))
    return enters < leaves
