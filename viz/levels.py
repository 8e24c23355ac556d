"""Which row of the picture each unit stands in, and which timesteps and operators are shown."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import networkx

from unroll.viz.cell_rows import Order, keep_cells_apart
from unroll.viz.contraction import Contraction
from unroll.viz.shown_steps import shown_steps
from unroll.viz.units import Unit, Wire

#: Columns that are not timesteps: the first states of cells at the left and the last ones at the right, the other way
#: round for cells that walk backward; and the one column of a graph without timesteps.
FIRST, LAST, FIRST_BACKWARD, LAST_BACKWARD, ONLY = "first", "last", "first backward", "last backward", "only"
#: Columns beside the timesteps.
ASIDE = (FIRST, LAST, FIRST_BACKWARD, LAST_BACKWARD)
# How many operators without a step are shown.
_MOST_STEPLESS = 240


class Slot(NamedTuple):
    """A column of the picture.

    Attributes:
        phase: of the loops whose column it is; columns of a later phase stand to the right of all of an earlier one.
        at: a timestep, the timesteps left out there, or the name of a column beside the timesteps.
    """

    phase: int
    at: int | range | str


class Shown(NamedTuple):
    """The units and wires that reach the picture.

    Attributes:
        units: those to draw, sources before readers; gap units stand for those left out.
        wires: those between them.
        level: each unit's row of the picture, 0 at the bottom.
        columns: the columns of timesteps, those left out among them.
        gaps: the column of each gap that stands for timesteps.
        stand_in: what is drawn for each unit left out.
        sides: where every operator is drawn, the place of each cell that stands beside another one in their columns.
    """

    units: list[Unit]
    wires: list[Wire]
    level: dict[Unit, int]
    columns: list[Slot]
    gaps: dict[Unit, Slot]
    stand_in: dict[Unit, Unit]
    sides: dict[str, int]


def arrange(contraction: Contraction, full: bool, few: bool = False) -> Shown:
    """Give every unit a level and leave out the middle of a long sequence, unless `full`; all but its ends where `few`."""
    level, sides = _levels(contraction)
    columns = [Slot(phase, at) for phase, at in shown_steps(contraction, full, few)]
    gaps: dict[Unit, Slot] = {}
    stand_in: dict[Unit, Unit] = {}
    for (slot, _), units in _left_out(contraction, columns, level).items():
        row = next((unit.row for unit in units if unit.row is not None), None)
        inside = [unit for unit in units if unit.cell is not None] or units
        held = sorted(level[unit] for unit in inside if unit.row == row)
        at = held[len(held) // 2]
        counted = contraction.opened or row is not None
        gap = Unit("gap", f"gap_{len(gaps)}", row=row, phase=slot.phase)
        gap.name = more(len({unit.step for unit in units}), "step") if counted else "…"
        level[gap], gaps[gap] = at, slot
        stand_in |= dict.fromkeys(units, gap)
    cut = [] if full else _middle_stepless(contraction, level)
    if cut:
        gap = Unit("gap", f"gap_{len(gaps)}", name=more(len(cut), "operator"))
        level[gap] = level[cut[0]]
        stand_in |= dict.fromkeys(cut, gap)
    units = [unit for unit in contraction.units if unit not in stand_in]
    wires = [wire for wire in contraction.wires if wire.source not in stand_in and wire.target not in stand_in]
    wires += _wires_of_gaps(contraction, stand_in)
    units += dict.fromkeys(stand_in.values())
    ranks = {key: rank for rank, key in enumerate(sorted({level[unit] for unit in units}))}
    return Shown(units, wires, {unit: ranks[level[unit]] for unit in units}, columns, gaps, stand_in, sides)


def _left_out(
    contraction: Contraction, columns: Sequence[Slot], level: Mapping[Unit, int]
) -> dict[tuple[Slot, object], list[Unit]]:
    """Return the units at steps left out, by the gap that they stand in.

    Each cell has its own, which operators outside of cells share. Inputs and outputs have one at each level; where every
    operator is drawn, that of a cell.
    """
    gap_of = {(slot.phase, step): slot for slot in columns if isinstance(slot.at, range) for step in slot.at}
    hidden = [
        (unit, gap_of[unit.phase, unit.step])
        for unit in contraction.units
        if unit.step is not None and (unit.phase, unit.step) in gap_of
    ]
    first = {slot: unit.cell for unit, slot in reversed(hidden) if unit.cell is not None}
    found: dict[tuple[Slot, object], list[Unit]] = {}
    for unit, slot in hidden:
        shared = contraction.opened or (unit.kind == "op" and slot in first)
        alone: object = first.get(slot) if shared else level[unit]
        found.setdefault((slot, alone if unit.cell is None else unit.cell), []).append(unit)
    return found


def more(count: int, what: str) -> str:
    """Return what stands where steps or operators are left out."""
    return f"... {count:,} more {what}{'s' * (count != 1)} ..."


def _middle_stepless(contraction: Contraction, level: Mapping[Unit, int]) -> list[Unit]:
    """Return the operators without a step to leave out: those on the middle levels, where there are very many."""
    stepless = [unit for unit in contraction.units if unit.kind == "op" and unit.step is None]
    stepless.sort(key=lambda unit: level[unit])
    return stepless[_MOST_STEPLESS // 2 : -_MOST_STEPLESS // 2] if len(stepless) > _MOST_STEPLESS else []


def _wires_of_gaps(contraction: Contraction, stand_in: dict[Unit, Unit]) -> list[Wire]:
    """Return one wire for all equal ones that begin or end at a step left out."""
    found: dict[tuple[Unit, Unit, str], Wire] = {}
    for wire in contraction.wires:
        source, target = stand_in.get(wire.source, wire.source), stand_in.get(wire.target, wire.target)
        if (source is wire.source and target is wire.target) or source is target:
            continue
        state = contraction.is_state(wire) or contraction.opened
        key = (source, target, wire.tensor.label.rpartition("/")[2] if state else "")
        found.setdefault(key, Wire(source, target, wire.tensor, wire.role))
    return list(found.values())


def _levels(contraction: Contraction) -> tuple[dict[Unit, int], dict[str, int]]:
    """Stack units by longest path, a cell's steps all on one level of their own, leaving out what flows forward in time.

    Returns:
        The level of each unit, and the place of each cell that stands beside another one.
    """
    # Cells that walk backward stand above those that do not, where neither reads the other.
    units = sorted(contraction.units, key=lambda unit: unit.cell in contraction.states.backward)
    rows = _level_rows(contraction)
    alone = contraction.unrolled
    groups: dict[Unit, object] = {
        unit: unit if unit in alone else rows.get(unit.row or "", unit.row) or unit for unit in units
    }
    before: Order = {group: {} for group in groups.values()}
    after: Order = {group: {} for group in groups.values()}
    beside = _beside(contraction)
    for wire in contraction.wires:
        source, target = groups[wire.source], groups[wire.target]
        if source is not target and not flows_in_time(contraction, wire) and wire.source not in beside:
            before[target][source] = None
            after[source][target] = None
    sides = keep_cells_apart(contraction, before, after) if contraction.opened else {}
    place: dict[object, tuple[int, int]] = {}
    taken: set[tuple[int, int]] = set()
    phases: dict[object, set[int]] = {}
    for unit, group in groups.items():
        phases.setdefault(group, set()).add(unit.phase)
    order = list(_topological(before, after))
    for group in order:
        height = max((place[item][0] + 1 for item in before[group] if item in place), default=0)
        if isinstance(group, str):
            while any((phase, height) in taken for phase in phases[group]):
                height += 1
            taken |= {(phase, height) for phase in phases[group]}
        # Where a cell's row and other units would share a level, the others stand just above it.
        place[group] = (height, 0 if isinstance(group, str) else 1)
    hanging: set[object] = set()
    for group in order:
        loose = isinstance(group, Unit) and (not before[group] or group.cell is None)
        if loose and after[group] and before[group].keys() <= hanging:
            hanging.add(group)
    # Units that read nothing lower, such as inputs and fed-back states, stand just under their reader.
    for group in reversed(order):
        if group in hanging:
            place[group] = (min(place[item] for item in after[group])[0] - 1, 1)
    place |= _lists_on_one_level(place, hanging)
    for unit, wire in beside.items():
        place[unit] = place[groups[wire.target]]
    ranks = {key: rank for rank, key in enumerate(sorted(set(place.values())))}
    level = {unit: ranks[place[group]] for unit, group in groups.items()}
    return level | _amid_opened(contraction, level), sides


def _amid_opened(contraction: Contraction, level: Mapping[Unit, int]) -> dict[Unit, int]:
    """Return the levels of closed cells: amid the operators of the cells in their row that are opened; and of their marks."""
    opened: dict[tuple[str, int], list[int]] = {}
    for unit in contraction.units:
        if unit.cell is not None and unit.kind == "op":
            opened.setdefault((unit.cell, unit.phase), []).append(level[unit])
    ends = {(min(found), max(found), phase) for (_, phase), found in opened.items()}
    closed = {unit: level[unit] for unit in contraction.units if unit.is_closed}
    for unit, at in closed.items():
        row = next(
            ((low, high) for low, high, phase in sorted(ends) if low <= at <= high and phase == unit.phase), None
        )
        closed[unit] = (row[0] + row[1]) // 2 if row is not None else at
    low, high = dict[Unit, int](), dict[Unit, int]()
    for wire in contraction.wires:
        if not flows_in_time(contraction, wire):
            if wire.target in closed and not wire.source.is_mark:
                low[wire.target] = max(low.get(wire.target, 0), level[wire.source] + 1)
            if wire.source in closed:
                high[wire.source] = min(high.get(wire.source, level[wire.target]), level[wire.target] - 1)
    found = {unit: max(min(at, high.get(unit, at)), low.get(unit, at)) for unit, at in closed.items()}
    marks = {
        wire.source: found[wire.target] for wire in contraction.wires if wire.source.is_mark and wire.target in found
    }
    return found | marks


def _lists_on_one_level(
    place: Mapping[object, tuple[int, int]], hanging: Collection[object]
) -> dict[object, tuple[int, int]]:
    """Return places for inputs outside of the columns: those of one list stand side by side, as low as the lowest of them."""
    lists: dict[object, list[Unit]] = {}
    for unit in place:
        if unit in hanging and isinstance(unit, Unit) and unit.step is None and unit.listed is not None:
            lists.setdefault(unit.listed, []).append(unit)
    return {unit: min(place[item] for item in units) for units in lists.values() for unit in units}


def _level_rows(contraction: Contraction) -> dict[str, str]:
    """Return for cells that begin with what another has ended with the row that they stand in: that of the other.

    A cell that also reads the other at its steps, as a decoder that attends to its encoder does, stands above it.
    """
    phase = {unit.row: unit.phase for unit in contraction.units if unit.row is not None}
    reads: networkx.DiGraph[object] = networkx.DiGraph()
    reads.add_nodes_from(phase)
    handed = (
        {} if contraction.opened else dict.fromkeys(wire for wire in contraction.wires if wire in contraction.handed)
    )
    reads.add_edges_from(
        (wire.source.row or wire.source, wire.target.row or wire.target)
        for wire in contraction.wires
        if wire not in handed
    )
    standing: dict[str, list[str]] = {row: [row] for row in phase}
    for wire in handed:
        source, target = wire.source.row or "", wire.target.row or ""
        level, others = standing[source], standing[target]
        if level is others or {phase[row] for row in level} & {phase[row] for row in others}:
            continue
        pairs = [(one, other) for one in level for other in others]
        if not any(networkx.has_path(reads, *pair) or networkx.has_path(reads, *pair[::-1]) for pair in pairs):
            level += others
            standing |= dict.fromkeys(others, level)
    return {row: level[0] for row, level in standing.items()}


def _beside(contraction: Contraction) -> dict[Unit, Wire]:
    """Return the sources that stand beside a cell because they are its first state, each with that wire."""
    readers: dict[Unit, list[Wire]] = {}
    for wire in contraction.wires:
        if wire.source.kind in ("zero", "input", "constant"):
            readers.setdefault(wire.source, []).append(wire)
    return {
        unit: wires[0]
        for unit, wires in readers.items()
        if all(wire.target.row is not None and (unit.kind == "zero" or contraction.is_state(wire)) for wire in wires)
    }


def flows_in_time(contraction: Contraction, wire: Wire) -> bool:
    """Say whether a wire brings something from the step before, as states and fed-back outputs come, so that it need not
    rise.
    """
    made = wire.source.kind in ("cell", "op")
    if wire in contraction.handed:
        return True
    looped = contraction.opened or wire.target.row is not None or (_in_loop(wire.source) and _in_loop(wire.target))
    return made and looped and contraction.states.is_along(wire)


def _in_loop(unit: Unit) -> bool:
    """Say whether a unit belongs to a step itself, and is not only placed there."""
    return bool(unit.nodes) and unit.nodes[0].origin.step is not None


def _topological(before: Order, after: Order) -> Iterable[object]:
    """Yield groups, sources first; where they read each other in a circle, the first one met goes first."""
    waiting = {group: len(sources) for group, sources in before.items()}
    order = {group: place for place, group in enumerate(waiting)}
    groups = list(order)
    ready = [order[group] for group, count in waiting.items() if count == 0]
    remaining = iter(groups)
    while waiting:
        if not ready:
            ready.append(next(order[group] for group in remaining if group in waiting))
        group = groups[heapq.heappop(ready)]
        if group not in waiting:
            continue
        del waiting[group]
        yield group
        for reader in after[group]:
            if reader in waiting:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    heapq.heappush(ready, order[reader])
