"""What is wrong with a picture, found on the boxes of its SVG: text cut, struck through or overprinted, boxes that overlap,
lines through boxes that they do not end in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from svg_pictures import Box, Drawn, Edge, Rect, Text, read_svg

from unroll.viz import render

# What may touch: lines have a width, and numbers in SVG are rounded.
_TOUCH = 0.6
# A line may end a little inside its box, and pass closely by a corner that is round.
_DEEP = 2.5
# How far text may be from its line.
_ASTRAY = 20.0


def faults(svg: bytes | str) -> list[str]:
    """Return every fault of a picture as a line of text."""
    drawn = read_svg(svg)
    return [
        *_outside_the_page(drawn),
        *_text_cut(drawn),
        *_text_on_text(drawn),
        *_text_on_boxes(drawn),
        *_text_on_frames(drawn),
        *_text_struck_through(drawn),
        *_labels_astray(drawn),
        *_boxes_on_boxes(drawn),
        *_frames_cut(drawn),
        *_lines_through_boxes(drawn),
    ]


@cache
def faults_of_dot(dot: str) -> list[str]:
    """Return the faults of a picture that is given as DOT; one that is drawn several times is looked at once."""
    return faults(render.render(dot, "svg"))


def check_dot(dot: str) -> None:
    """Check that a picture, given as DOT, has no faults."""
    found = faults_of_dot(dot)
    assert not found, "\n".join(found)


def _said(text: Text) -> str:
    return f"{text.text!r} of {text.owner}"


def _free_texts(drawn: Drawn) -> list[Text]:
    """Return the text that stands on the page and not in an outline: beside lines, over columns, in frames."""
    plain = [box for box in drawn.boxes if box.outline is None]
    return [text for owner in (*drawn.edges, *drawn.frames, *plain) for text in owner.texts]


def _texts(drawn: Drawn) -> list[Text]:
    return [text for owner in (*drawn.edges, *drawn.frames, *drawn.boxes) for text in owner.texts]


def _outside_the_page(drawn: Drawn) -> Iterator[str]:
    page = drawn.page.grown(_TOUCH)
    for text in _texts(drawn):
        if not page.holds(text.ink):
            yield f"outside the page: {_said(text)}"
    for box in (*drawn.boxes, *drawn.frames):
        if box.outline is not None and not page.holds(box.outline):
            yield f"outside the page: {box.name}"
    for edge in drawn.edges:
        if len(edge.pieces) and not page.holds(_extent(edge)):
            yield f"outside the page: the line {edge.source}->{edge.target}"


def _extent(edge: Edge) -> Rect:
    x, y = edge.pieces[:, ::2], edge.pieces[:, 1::2]
    return Rect(float(x.min()), float(y.min()), float(x.max()), float(y.max()))


def _text_cut(drawn: Drawn) -> Iterator[str]:
    """Text must lie within the outline of its box, and cross no line of a table in it."""
    for box in (*drawn.boxes, *drawn.frames):
        for text in box.texts:
            if box.outline is not None and not box.outline.grown(_TOUCH).holds(text.ink):
                yield f"over the edge of its box: {_said(text)}"
            for inner in box.inner:
                if inner.grown(-_TOUCH).meets(text.ink) and not inner.grown(_TOUCH).holds(text.ink):
                    yield f"over the edge of its block: {_said(text)}"


def _text_on_text(drawn: Drawn) -> Iterator[str]:
    for one, other in _meeting([(text.ink.grown(-_TOUCH), text) for text in _texts(drawn)]):
        yield f"text on text: {_said(one)} and {_said(other)}"


def _text_on_boxes(drawn: Drawn) -> Iterator[str]:
    boxes = [box for box in drawn.boxes if box.outline is not None]
    for text in _free_texts(drawn):
        for box in boxes:
            if box.outline is not None and box.outline.grown(-_TOUCH).meets(text.ink):
                yield f"text on a box: {_said(text)} on {box.name}"


def _text_on_frames(drawn: Drawn) -> Iterator[str]:
    """Text that is no frame's own name must not stand on an edge of a frame."""
    for text in _free_texts(drawn):
        for frame in drawn.frames:
            if frame.outline is not None and _across(frame.outline, text.ink):
                yield f"text on the edge of a frame: {_said(text)} on {frame.name}"


def _across(outline: Rect, inside: Rect) -> bool:
    """Say whether something lies partly within an outline and partly beyond it."""
    return outline.grown(-_TOUCH).meets(inside) and not outline.grown(_TOUCH).holds(inside)


def _text_struck_through(drawn: Drawn) -> Iterator[str]:
    lines = _Lines(drawn)
    for text in _texts(drawn):
        for edge in lines.through(text.ink.grown(-_TOUCH)):
            yield f"struck through: {_said(text)} by {edge.source}->{edge.target}"


def _labels_astray(drawn: Drawn) -> Iterator[str]:
    """Text must stand by the line that it tells of."""
    for edge in drawn.edges:
        x, y = edge.pieces[:, ::2], edge.pieces[:, 1::2]
        for text in edge.texts:
            aside = np.maximum(np.maximum(x.min(axis=1) - text.ink.right, text.ink.left - x.max(axis=1)), 0)
            above = np.maximum(np.maximum(y.min(axis=1) - text.ink.bottom, text.ink.top - y.max(axis=1)), 0)
            if len(aside) and np.maximum(aside, above).min() > _ASTRAY:
                yield f"far from its line: {_said(text)}"


class _Lines:
    """All lines of a picture, to be asked which of them pass through a rectangle."""

    def __init__(self, drawn: Drawn) -> None:
        self._edges = drawn.edges
        self._owners = np.repeat(np.arange(len(drawn.edges)), [len(edge.pieces) for edge in drawn.edges])
        self._pieces = np.concatenate([np.empty((0, 4)), *(edge.pieces for edge in drawn.edges)])
        x, y = self._pieces[:, ::2], self._pieces[:, 1::2]
        self._extent = x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)

    def through(self, rect: Rect) -> list[Edge]:
        left, top, right, bottom = self._extent
        near = np.flatnonzero((left < rect.right) & (right > rect.left) & (top < rect.bottom) & (bottom > rect.top))
        crossing = near[_crossing(self._pieces[near], rect)] if len(near) else near
        return [self._edges[place] for place in dict.fromkeys(self._owners[crossing].tolist())]


def _crossing(pieces: np.ndarray, rect: Rect) -> np.ndarray:
    """Return which straight pieces pass through a rectangle: those that it does not cut down to nothing."""
    low, high = (np.array(corner)[:, None] for corner in (rect[:2], rect[2:]))
    start, along = pieces[:, :2].T, (pieces[:, 2:] - pieces[:, :2]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - start) / along, (high - start) / along
    level, within = along == 0, (start > low) & (start < high)
    enters = np.where(level, np.where(within, -np.inf, np.inf), np.minimum(one, other)).max(axis=0)
    leaves = np.where(level, np.where(within, np.inf, -np.inf), np.maximum(one, other)).min(axis=0)
    crosses: np.ndarray = np.maximum(enters, 0) < np.minimum(leaves, 1)
    return crosses


def _boxes_on_boxes(drawn: Drawn) -> Iterator[str]:
    rooms = [(box.room.grown(-_TOUCH), box) for box in drawn.boxes if box.room is not None]
    for one, other in _meeting(rooms):
        if not (_is_inside(one, other) or _is_inside(other, one)):
            yield f"box on box: {one.name} and {other.name}"


def _is_inside(one: Box, other: Box) -> bool:
    """Say whether a box is of the body of a loop that is drawn within that loop's frame, over which its text stands."""
    return other.outline is None and one.name.startswith(f"{other.name}_")


def _frames_cut(drawn: Drawn) -> Iterator[str]:
    """A frame must hold a box, or another frame, whole or not at all."""
    for frame in drawn.frames:
        for box in (*drawn.boxes, *drawn.frames):
            if frame.outline is not None and box.outline is not None and _across(frame.outline, box.outline):
                inside = box in drawn.frames and box.outline.holds(frame.outline)
                if not inside:
                    yield f"on the edge of a frame: {box.name} on {frame.name}"


def _lines_through_boxes(drawn: Drawn) -> Iterator[str]:
    lines = _Lines(drawn)
    for box in drawn.boxes:
        for edge in lines.through(box.outline.grown(-_DEEP)) if box.outline is not None else ():
            if box.name not in (edge.source, edge.target):
                yield f"line through a box: {edge.source}->{edge.target} through {box.name}"


def _meeting(placed: list[tuple[Rect, Box]] | list[tuple[Rect, Text]]) -> Iterator[tuple[object, object]]:
    """Yield the pairs whose rectangles meet, with a line swept over the page from left to right."""
    waiting: list[tuple[Rect, object]] = []
    for rect, item in sorted(placed, key=lambda pair: pair[0]):
        waiting = [pair for pair in waiting if pair[0].right > rect.left]
        yield from ((other, item) for at, other in waiting if at.meets(rect))
        waiting.append((rect, item))
