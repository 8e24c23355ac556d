"""The frames around boxes that belong together: a scope's cells, or, where cells are opened up, each cell's operators."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeAlias

from unroll.tensor import Node
from unroll.viz import palette
from unroll.viz.levels import FIRST, FIRST_BACKWARD, Slot
from unroll.viz.placement import Layout, Rectangle
from unroll.viz.routes import Point
from unroll.viz.scene import Scene
from unroll.viz.titles import LINE, title_lines, title_width
from unroll.viz.units import Unit

_SIDE, _BELOW = 12.0, 12.0
_ABOVE_CELLS, _ABOVE_OPERATORS = 26.0, 36.0
# The states of the cell beside run under the name.
_ABOVE_LINES = 10.0
# The room that a frame needs for each frame within it.
_NEXT_SIDE, _NEXT_ABOVE = 8.0, 14.0
# The distance between two places that are tried for a name.
_NEXT_TITLE = 5.0
# A name is set where Graphviz's own width of it begins, and is read by viewers whose widths are a little larger.
_SLACK = 1.06


#: The column of a frame, its path, and, around what makes a first state, the cell that begins with it.
_Key: TypeAlias = tuple["Slot | None", str, "str | None"]


class Frame(NamedTuple):
    """A frame with its place, in points.

    Attributes:
        path: the path of the scope or cell.
        lines: the text at its top left.
        left, bottom, right, top: its edges.
        line: the colour of its edge.
        fill: the colour inside.
    """

    path: str
    lines: list[str]
    left: float
    bottom: float
    right: float
    top: float
    line: str
    fill: str


def frames(scene: Scene, layout: Layout, depths: Mapping[int, float]) -> list[Frame]:
    """Return the frames of a picture.

    Args:
        scene: the units.
        layout: where they stand.
        depths: for each level under which dashed lines run, how far below it they reach.
    """
    opened = scene.contraction.opened
    first_states = {wire.source: wire.target.row for wire in scene.shown.wires}
    cells = {unit.cell for unit in layout.places if unit.cell is not None} if opened else set()
    inside: dict[_Key, list[Rectangle]] = {}
    nodes: dict[_Key, list[Node]] = {}
    below: dict[_Key, float] = {}
    for unit, place in layout.places.items():
        slot = scene.slots.get(unit)
        if unit.is_closed:
            continue
        if opened:
            path = _path(unit, slot)
        else:
            row = first_states.get(unit) if _is_first(slot) else unit.row
            path = row.partition("/")[0] if row is not None and "/" in row else None
        for around in _and_around(path, cells) if path is not None else ():
            key = (slot, around, scene.begins.get(unit)) if opened else (None, around, None)
            inside.setdefault(key, []).append(place)
            nodes.setdefault(key, []).extend(unit.nodes)
            below[key] = max(below.get(key, 0.0), depths.get(scene.level(unit), _BELOW))
    sides: dict[Slot | None, set[int]] = {}
    for slot, path, _ in inside:
        if path in scene.shown.sides:
            sides.setdefault(slot, set()).add(scene.shown.sides[path])
    found = []
    for key in sorted(inside, key=lambda key: key[1].count("/")):
        (slot, path, _), places = key, inside[key]
        is_cell = path in cells
        lines = title_lines(scene.boxes.title(path, nodes[key]) if opened else path)
        depth = max((len(_and_around(other, cells)) for other in cells if path in _and_around(other, cells)), default=1)
        more = depth - len(_and_around(path, cells)) if is_cell else 0
        side = _SIDE + _NEXT_SIDE * more
        left, right = min(place.left for place in places) - side, max(place.right for place in places) + side
        above = (_ABOVE_OPERATORS if opened else _ABOVE_CELLS) + _NEXT_ABOVE * more
        if path in scene.shown.sides and len(sides.get(slot, ())) > 1:
            above += _ABOVE_LINES
            least = (title_width(lines) + 2 * _SIDE - right + left) / 2
            left, right = (left - least, right + least) if least > 0 else (left, right)
        elif slot is not None and slot in layout.columns:
            # Wires leave in the middle of a column: the name needs half of it.
            middle, least = layout.columns[slot].x, title_width(lines) + _SIDE
            left, right = min(left, middle - least), max(right, middle + least)
        found.append(
            Frame(
                path,
                lines,
                left,
                min(place.bottom for place in places) - below[key] - _NEXT_SIDE * more,
                right,
                max(place.top for place in places) + above,
                palette.CELL_LINE if is_cell else palette.SCOPE_LINE,
                palette.CELL_FILL if is_cell else palette.SCOPE_FILL,
            )
        )
    return found


def _and_around(path: str, cells: Collection[str]) -> list[str]:
    """Return the frames that an operator stands in: its cell's and those of the cells around that."""
    parts = path.split("/")
    ends = ("/".join(parts[:count]) for count in range(1, len(parts)))
    return [*(end for end in ends if end in cells), path]


def outline(frame: Frame) -> Rectangle:
    """Return a frame as a rectangle."""
    width, height = frame.right - frame.left, frame.top - frame.bottom
    return Rectangle(frame.left + width / 2, frame.bottom + height / 2, width, height)


def title_places(frame: Frame) -> tuple[Rectangle, list[Point]]:
    """Return where the name of a frame stands, at its top left, and where else it may: farther right, at the bottom, or
    between.
    """
    width, height = _SLACK * title_width(frame.lines), LINE * len(frame.lines)
    first, last = frame.left + 9 + width / 2, frame.right - 9 - width / 2
    rights = [first + _NEXT_TITLE * place for place in range(1 + max(0, int((last - first) // _NEXT_TITLE)))]
    top, bottom = frame.top - 4 - height / 2, frame.bottom + 2 + height / 2
    rows = [top - _NEXT_TITLE * place for place in range(1, max(1, int((top - bottom) // _NEXT_TITLE)))]
    others = [(x, y) for y in (top, bottom) for x in (*rights, last)] + [(x, y) for y in rows for x in (first, last)]
    return Rectangle(first, top, width, height), others


def _path(unit: Unit, slot: Slot | None) -> str | None:
    """Return the path of an operator's frame: its cell, or the scope of the states of zeros."""
    return unit.nodes[0].origin.scope if _is_first(slot) and unit.kind == "op" else unit.cell


def _is_first(slot: Slot | None) -> bool:
    """Say whether a column is that of the states that cells begin with."""
    return slot is not None and slot.at in (FIRST, FIRST_BACKWARD)
