"""How high each level of a picture is, and what room lies between: for lines, for frames and for what has no room else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from unroll.viz.boxes import Box
from unroll.viz.levels import ASIDE, LAST, LAST_BACKWARD, Shown, Slot
from unroll.viz.units import Unit

_LEVEL_GAP, _ABOVE_CELLS, _BELOW_CELLS = 34.0, 46.0, 38.0
# Between operators, whose lines have no text.
_OPERATOR_GAP = 24.0
# Curves that spread over the whole width need height, or they would lie flat.
_FAN, _MOST_FAN = 0.05, 46.0
# What the frames of opened cells need between levels, for their names and for the states that leave and enter them.
_UNDER_FRAME, _OVER_FRAME = 14.0, 22.0
# Last states of one level stand over one another: each needs room under those of the level above.
_OVER_EACH_OTHER = 24.0


class Band(NamedTuple):
    """The heights between which a level lies."""

    bottom: float
    top: float


class Room(NamedTuple):
    """Room beyond what boxes take.

    Attributes:
        above: above some levels.
        before: to the left of some columns.
        beside: between some units and the lines that pass by.
        heights: how high some levels are at least.
    """

    above: dict[int, float]
    before: dict[Slot, float]
    beside: dict[Unit, float]
    heights: dict[int, float]


def bands(
    shown: Shown,
    boxes: Mapping[Unit, Box],
    slots: Mapping[Unit, Slot],
    depths: Mapping[int, float],
    channels: Mapping[int, float],
    opened: bool,
    room: Room,
    width: float,
) -> list[Band]:
    """Return between which heights each level lies, from the lowest on.

    Args:
        shown: the units, wires and levels.
        boxes: the size of each unit's content.
        slots: the column of each unit that has one.
        depths: for each level under which dashed lines run, how far below it they reach.
        channels: for each level that states from another one reach from below, the room they need.
        opened: every operator is drawn.
        room: more room than that.
        width: how wide the columns are together.
    """
    heights: dict[int, float] = dict(room.heights)
    rows: set[int] = set()
    for unit in shown.units:
        level = shown.level[unit]
        heights[level] = max(heights.get(level, 0), boxes[unit].height)
        if unit.row is not None:
            rows.add(level)
    members: dict[tuple[Slot, int], list[Unit]] = {}
    for unit, slot in slots.items():
        members.setdefault((slot, shown.level[unit]), []).append(unit)
    for (slot, level), units in members.items():
        if slot.at in (LAST, LAST_BACKWARD) or (slot.at in ASIDE and not opened):
            heights[level] = max(heights[level], sum(boxes[unit].height + 6 for unit in units))
    fans = _fans(shown, slots)
    starts, ends = _frame_ends(shown, slots) if opened else (set(), set())
    inner = _within_cells(shown, slots) if opened else set()
    ending = {
        level: len(units) for (slot, level), units in members.items() if opened and slot.at in (LAST, LAST_BACKWARD)
    }
    found: list[Band] = []
    y = 0.0
    for level in range(max(heights) + 1):
        y += _UNDER_FRAME if level in starts else 0
        if level in rows and level:
            y += _BELOW_CELLS - _LEVEL_GAP
        y += depths.get(level, 0.0) + channels.get(level, 0.0)
        found.append(Band(y, y + heights.get(level, 0)))
        y += heights.get(level, 0) + (
            _ABOVE_CELLS if level in rows else _OPERATOR_GAP if level in inner else _LEVEL_GAP
        )
        y += (_OVER_FRAME if level in ends else 0) + room.above.get(level, 0.0)
        y += min(_MOST_FAN, _FAN * width) if level in fans else 0
        y += _OVER_EACH_OTHER * (ending.get(level, 0) - 1) if ending.keys() >= {level, level + 1} else 0
    return found


def _frame_ends(shown: Shown, slots: Mapping[Unit, Slot]) -> tuple[set[int], set[int]]:
    """Return the levels at which the frames of opened cells begin, and those at which they end."""
    levels: dict[tuple[object, str | None], list[int]] = {}
    for unit in shown.units:
        if unit.cell is not None and not unit.is_closed:
            levels.setdefault((slots.get(unit), unit.cell), []).append(shown.level[unit])
    return {min(found) for found in levels.values()}, {max(found) for found in levels.values()}


def _within_cells(shown: Shown, slots: Mapping[Unit, Slot]) -> set[int]:
    """Return the levels of which, and of the next, all boxes but those beside the steps are operators of cells, or gaps."""
    beside = {unit for unit, slot in slots.items() if slot.at in ASIDE}
    outside = {
        shown.level[unit]
        for unit in shown.units
        if unit not in beside and unit.kind not in ("gap", "cell") and (unit.cell is None or unit.kind != "op")
    }
    levels = set(shown.level.values())
    return {level for level in levels if level not in outside and level + 1 in levels - outside}


def _fans(shown: Shown, slots: Mapping[Unit, Slot]) -> set[int]:
    """Return the levels above which wires fan out of one unit in the middle, or into one."""
    out: dict[Unit, set[Unit]] = {}
    into: dict[Unit, set[Unit]] = {}
    for wire in shown.wires:
        out.setdefault(wire.source, set()).add(wire.target)
        into.setdefault(wire.target, set()).add(wire.source)
    levels = {shown.level[unit] for unit, ends in out.items() if len(ends) > 2 and unit not in slots}
    return levels | {shown.level[unit] - 1 for unit, ends in into.items() if len(ends) > 2 and unit not in slots}
