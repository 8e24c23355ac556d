"""Where each box stands: a grid of timesteps by levels, with other boxes over the middle of those they are wired to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from unroll.viz.bands import Band, Room, bands
from unroll.viz.boxes import Box
from unroll.viz.columns import columns
from unroll.viz.levels import ASIDE, FIRST, FIRST_BACKWARD, LAST, LAST_BACKWARD, ONLY, Shown, Slot
from unroll.viz.ports import Ported
from unroll.viz.units import Unit

_APART = 16.0
_SWEEPS = 4
# The frame around a scope's cells lies between its last column and the states that leave it.
_FRAME = 16.0


class Rectangle(NamedTuple):
    """A box with its place: centre, width and height, in points; y grows upwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y - self.height / 2


NOWHERE = Rectangle(0, 0, 0, 0)


@dataclass
class Layout:
    """Every unit's rectangle, the column centres and the bands of the levels."""

    places: dict[Unit, Rectangle] = field(default_factory=dict)
    columns: dict[Slot, Rectangle] = field(default_factory=dict)
    bands: list[Band] = field(default_factory=list)

    def at_level(
        self, level: Mapping[Unit, int], beside: Mapping[Unit, float] | None = None
    ) -> dict[int, list[Rectangle]]:
        """Return the rectangles of each level, from left to right, some with room `beside` them."""
        found: dict[int, list[Rectangle]] = {}
        for unit, place in self.places.items():
            if beside and unit in beside:
                place = place._replace(width=place.width + 2 * beside[unit])
            found.setdefault(level[unit], []).append(place)
        return {key: sorted(places) for key, places in found.items()}


def place(
    shown: Shown,
    boxes: Mapping[Unit, Box],
    slots: Mapping[Unit, Slot],
    lanes: Mapping[Unit, float],
    pitch: float,
    depths: Mapping[int, float],
    channels: Mapping[int, float],
    room: Room,
    ports: Mapping[Unit, Ported],
    titles: Callable[[str], str] | None = None,
) -> Layout:
    """Give every unit a rectangle.

    Args:
        shown: the units, wires and levels.
        boxes: the size of each unit's content.
        slots: the column of each unit that has one: a timestep, a gap, or beside the timesteps, one of `ASIDE`.
        lanes: how far above the middle of their row the units in `ASIDE` stand.
        pitch: the room between two columns.
        depths: for each level under which dashed lines run, how far below it they reach.
        channels: for each level that states from another one reach from below, the room they need.
        room: more room than that.
        ports: where tensors enter and leave the boxes of loops.
        titles: where columns hold operators, the name of the frame around a cell.
    """
    layout = Layout()
    members: dict[tuple[Slot, int], list[Unit]] = {}
    for unit, slot in slots.items():
        members.setdefault((slot, shown.level[unit]), []).append(unit)
    used = {slot for slot, _ in members}
    order = [slot for slot in _row(shown) if slot in used]
    widths: dict[Slot, float] = dict.fromkeys(order, 0.0)
    for (slot, _), units in members.items():
        widths[slot] = max(widths[slot], _row_width(units, boxes, slot))
    offsets: dict[Unit, float] = {}
    opened = titles is not None
    spread = slots if opened else {unit: slot for unit, slot in slots.items() if slot.at == ONLY}
    for slot, width, found in columns(shown, boxes, spread, titles or (lambda _: ""), ports):
        widths[slot] = max(widths[slot], width)
        offsets |= found
    x = 0.0
    for slot in order:
        width = widths[slot]
        x += (_FRAME if slot.at == LAST else 0) + room.before.get(slot, 0.0)
        layout.columns[slot] = Rectangle(x + width / 2, 0, width, 0)
        x += width + pitch + (_FRAME if slot.at == LAST_BACKWARD else 0)
    width = max((column.right for column in layout.columns.values()), default=0)
    layout.bands = bands(shown, boxes, slots, depths, channels, opened, room, width)
    for (slot, level), units in members.items():
        if (opened or slot.at == ONLY) and slot.at not in (LAST, LAST_BACKWARD):
            _set_apart(layout, units, boxes, slot, level, offsets)
        elif slot.at in ASIDE:
            _stand_beside(layout, units, boxes, slot, level, lanes)
        else:
            _line_up(layout, units, boxes, slot, level)
    _place_free(layout, shown, boxes, [unit for unit in shown.units if unit not in slots])
    return layout


def _row(shown: Shown) -> Iterator[Slot]:
    """Yield every column that there may be, from left to right."""
    phases: dict[int, list[Slot]] = {0: []}
    for slot in shown.columns:
        phases.setdefault(slot.phase, []).append(slot)
    for phase, timesteps in phases.items():
        yield from (Slot(phase, LAST_BACKWARD), Slot(phase, FIRST), *timesteps, Slot(phase, ONLY))
        yield from (Slot(phase, FIRST_BACKWARD), Slot(phase, LAST))


def _row_width(units: Sequence[Unit], boxes: Mapping[Unit, Box], slot: Slot) -> float:
    widths = [boxes[unit].width for unit in units]
    return max(widths) if slot.at in ASIDE else sum(widths) + _APART * (len(widths) - 1)


def _line_up(layout: Layout, units: Sequence[Unit], boxes: Mapping[Unit, Box], slot: Slot, level: int) -> None:
    """Stand units of one column and level side by side."""
    band = layout.bands[level]
    x = layout.columns[slot].x - (sum(boxes[unit].width + _APART for unit in units) - _APART) / 2
    for unit in units:
        width, height = boxes[unit].width, boxes[unit].height
        layout.places[unit] = Rectangle(x + width / 2, (band.bottom + band.top) / 2, width, height)
        x += width + _APART


def _set_apart(
    layout: Layout,
    units: Sequence[Unit],
    boxes: Mapping[Unit, Box],
    slot: Slot,
    level: int,
    offsets: Mapping[Unit, float],
) -> None:
    """Stand operators of one column and level where the column has them."""
    band = layout.bands[level]
    for unit in units:
        x = layout.columns[slot].x + offsets.get(unit, 0.0)
        layout.places[unit] = Rectangle(x, (band.bottom + band.top) / 2, boxes[unit].width, boxes[unit].height)


def _stand_beside(
    layout: Layout,
    units: Sequence[Unit],
    boxes: Mapping[Unit, Box],
    slot: Slot,
    level: int,
    lanes: Mapping[Unit, float],
) -> None:
    """Stand the first and last states of a cell level with the lines they belong to."""
    band = layout.bands[level]
    for unit in units:
        y = (band.bottom + band.top) / 2 + lanes.get(unit, 0.0)
        layout.places[unit] = Rectangle(layout.columns[slot].x, y, boxes[unit].width, boxes[unit].height)


def _place_free(layout: Layout, shown: Shown, boxes: Mapping[Unit, Box], free: Sequence[Unit]) -> None:
    """Stand units without a step over the middle of the units they are wired to, as near as their level has room."""
    near: dict[Unit, list[Unit]] = {unit: [] for unit in free}
    for wire in shown.wires:
        for one, other in ((wire.source, wire.target), (wire.target, wire.source)):
            if one in near:
                near[one].append(other)
    wanted = {unit: layout.places[unit].x for unit in layout.places}
    for _ in range(_SWEEPS):
        for unit in (*free, *reversed(free)):
            seen = [wanted[other] for other in near[unit] if other in wanted]
            if seen:
                wanted[unit] = sum(seen) / len(seen)
    middle = (
        min((item.left for item in layout.columns.values()), default=0)
        + max((item.right for item in layout.columns.values()), default=0)
    ) / 2
    taken = layout.at_level(shown.level)
    wanted = {unit: wanted.get(unit, middle) for unit in free}
    for unit, x in _side_by_side(shown, boxes, wanted | _lists_in_order(shown, wanted)):
        band, box = layout.bands[shown.level[unit]], boxes[unit]
        if unit.kind == "output" and len(near[unit]) == 1 and near[unit][0] in layout.places:
            x += layout.places[near[unit][0]].x - wanted.get(near[unit][0], layout.places[near[unit][0]].x)
        row = taken.setdefault(shown.level[unit], [])
        x = nearest_free(x, box.width, row)
        layout.places[unit] = Rectangle(x, (band.bottom + band.top) / 2, box.width, box.height)
        row.append(layout.places[unit])
        row.sort()


def _lists_in_order(shown: Shown, wanted: Mapping[Unit, float]) -> dict[Unit, float]:
    """Return where the inputs, and outputs, of one list and level are wanted: where they would stand, but in their order."""
    lists: dict[object, list[Unit]] = {}
    for unit in wanted:
        if unit.listed is not None:
            lists.setdefault((unit.listed, shown.level[unit]), []).append(unit)
    return {
        unit: x
        for units in lists.values()
        for unit, x in zip(units, sorted(wanted[unit] for unit in units), strict=True)
    }


def _side_by_side(
    shown: Shown, boxes: Mapping[Unit, Box], wanted: Mapping[Unit, float]
) -> Iterator[tuple[Unit, float]]:
    """Yield units in their order, level by level, and where they are wanted: those of one place side by side around it, as the
    operands of a Stack, whose order says which is which.
    """
    groups: dict[tuple[int, float], list[Unit]] = {}
    for unit, x in wanted.items():
        groups.setdefault((shown.level[unit], round(x)), []).append(unit)
    for (_, middle), units in sorted(groups.items(), key=lambda item: item[0]):
        end = middle - sum(boxes[unit].width + _APART for unit in units) / 2
        for unit in units:
            half = (boxes[unit].width + _APART) / 2
            yield unit, wanted[unit] if len(units) == 1 else end + half
            end += 2 * half


def nearest_free(x: float, width: float, taken: Iterable[Rectangle], apart: float = _APART) -> float:
    """Return the centre nearest to `x` where something of this width fits between rectangles, left to right."""
    reach = width / 2 + apart
    start = end = None
    for left, right in sorted((item.left - reach, item.right + reach) for item in taken):
        if end is None or left >= end:
            if end is not None and x <= end:
                break
            start, end = left, right
        else:
            end = max(end, right)
    if start is None or end is None or not start < x < end:
        return x
    return start if x - start <= end - x else end
