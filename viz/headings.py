"""The timesteps over the columns of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unroll.viz import palette
from unroll.viz.boxes import Line, text_box
from unroll.viz.frames import Frame
from unroll.viz.levels import Slot
from unroll.viz.phases import loop_names
from unroll.viz.placement import Layout, Rectangle
from unroll.viz.scene import Scene
from unroll.viz.units import Unit


class Heading(NamedTuple):
    """Text over a column."""

    at: Rectangle
    label: str


def headings(scene: Scene, layout: Layout, around: Sequence[Frame]) -> list[Heading]:
    """Return the timestep of each column that is one; where loops follow one another, with the name of the loop."""
    tops = _tops_of_phases(layout, around)
    loops = loop_names(scene.contraction.units)
    held: dict[Slot, list[Unit]] = {}
    for unit, slot in scene.slots.items():
        held.setdefault(slot, []).append(unit)
    found = []
    for slot, at in layout.columns.items():
        if isinstance(slot.at, int) and not scene.within:
            steps = scene.contraction.joint.heading(slot.at, [node for unit in held[slot] for node in unit.nodes])
            text = f"{loops.get(slot.phase, '')} t = {steps}".lstrip()
            box = text_box([Line(text, 11, palette.MUTED)], 2)
            found.append(Heading(Rectangle(at.x, tops[slot.phase], box.width, box.height), box.label))
    return found


def _tops_of_phases(layout: Layout, around: Sequence[Frame]) -> dict[int, float]:
    """Return how high the timesteps of each phase stand: over all that stands in its columns, and close to that."""
    columns: dict[int, list[Rectangle]] = {}
    for slot, at in layout.columns.items():
        columns.setdefault(slot.phase, []).append(at)
    if len(columns) < 2:
        top = max([*(band.top + 20 for band in layout.bands), *(frame.top + 14 for frame in around)])
        return dict.fromkeys(columns, top)
    found: dict[int, float] = {}
    for phase, rooms in columns.items():
        left, right = min(room.left for room in rooms), max(room.right for room in rooms)
        boxes = [place.top + 20 for place in layout.places.values() if place.left < right and left < place.right]
        frames = [frame.top + 14 for frame in around if frame.left < right and left < frame.right]
        found[phase] = max([*boxes, *frames], default=0.0)
    return found
