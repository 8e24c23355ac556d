"""The frames around boxes that belong together: a scope's cells, or, where cells are opened up, each cell's operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from unroll.viz import palette
from unroll.viz.dot_text import text_width
from unroll.viz.placement import BEFORE, Layout, Rectangle
from unroll.viz.scene import Scene
from unroll.viz.units import Unit

#: The size of a frame's name.
TEXT = 10.0
_SIDE, _BELOW = 12.0, 12.0
_ABOVE_CELLS, _ABOVE_OPERATORS = 22.0, 36.0


class Frame(NamedTuple):
    """A frame with its place, in points.

    Attributes:
        path: the scope or cell in full.
        name: what is written at its top left.
        left, bottom, right, top: its edges.
        line: the colour of its edge.
        fill: the colour inside.
    """

    path: str
    name: str
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
    inside: dict[tuple[object, str], list[Rectangle]] = {}
    below: dict[tuple[object, str], float] = {}
    for unit, place in layout.places.items():
        slot = scene.slots.get(unit)
        if opened:
            path = _path(unit, slot)
        else:
            row = first_states.get(unit) if slot == BEFORE else unit.row
            path = row.partition("/")[0] if row is not None and "/" in row else None
        if path is not None:
            key = (slot if opened else None, path)
            inside.setdefault(key, []).append(place)
            below[key] = max(below.get(key, 0.0), depths.get(scene.level(unit), _BELOW))
    cells = {unit.cell for unit in layout.places}
    found = []
    for (slot, path), places in inside.items():
        is_cell = opened and path in cells
        name = scene.boxes.title(path) if opened else path
        left, right = min(place.left for place in places) - _SIDE, max(place.right for place in places) + _SIDE
        if slot in layout.columns:
            # Wires leave in the middle of a column: the name needs half of it.
            middle, least = layout.columns[slot].x, text_width(name, TEXT) + _SIDE
            left, right = min(left, middle - least), max(right, middle + least)
        found.append(
            Frame(
                path,
                name,
                left,
                min(place.bottom for place in places) - below[slot, path],
                right,
                max(place.top for place in places) + (_ABOVE_OPERATORS if opened else _ABOVE_CELLS),
                palette.CELL_LINE if is_cell else palette.SCOPE_LINE,
                palette.CELL_FILL if is_cell else palette.SCOPE_FILL,
            )
        )
    return found


def _path(unit: Unit, slot: object) -> str | None:
    """Return what an operator's frame is called: its cell, or the scope of the states of zeros."""
    return unit.nodes[0].origin.scope if slot == BEFORE and unit.kind == "op" else unit.cell
