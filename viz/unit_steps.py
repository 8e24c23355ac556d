"""The timestep of units whose nodes have none: that of the units they read, or of those that read them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from unroll.tensor import Placeholder
from unroll.viz.contraction import Contraction
from unroll.viz.units import BEFORE_STEPS, Unit, Wire


def infer_steps(contraction: Contraction) -> None:
    """Give a unit without a step the one step that it reads from, or else that reads it; and the phase of that step."""
    reads: dict[Unit, list[Unit]] = {unit: [] for unit in contraction.units}
    read_by: dict[Unit, list[Wire]] = {unit: [] for unit in contraction.units}
    for wire in contraction.wires:
        reads[wire.target].append(wire.source)
        read_by[wire.source].append(wire)
    if contraction.opened:
        _begin_before_steps(contraction, read_by)
    ordered, leading = contraction.in_order(), _leading_cell(contraction)
    loose = {unit for unit in contraction.units if unit.cell is None and unit.step is not None and unit.kind == "op"}
    latest: dict[Unit, int] = {}  # the phase of the last loop that a unit waits for
    for unit in (*ordered, *(unit for unit in contraction.units if unit.kind == "output")):
        latest[unit] = max((latest.get(source, source.phase) for source in reads[unit]), default=0)
        made = [source for source in reads[unit] if source.kind not in ("input", "constant")]
        if unit.step is None and unit.kind in ("op", "output"):
            last = max((other.phase for other in made), default=0)
            _stand_with(unit, [other for other in made if other.phase == last], leading)
        elif unit in loose:
            unit.phase = latest[unit]
        latest[unit] = max(latest[unit], unit.phase)
    for unit in (*reversed(ordered), *contraction.sources.values()):
        if unit.step is None and unit.kind in ("op", "input", "constant"):
            readers = [wire.target for wire in read_by[unit] if not contraction.is_state(wire)]
            first = min((wire.target.phase for wire in read_by[unit]), default=0)
            if any(other.phase == first for other in readers):  # else it is a state before it is read by a later loop
                _stand_with(unit, readers, leading)
        elif unit in loose and unit.phase == 0:
            same = (wire.target for wire in read_by[unit] if wire.target.step == unit.step)
            unit.phase = min((other.phase for other in same), default=0)


def _stand_with(unit: Unit, others: Sequence[Unit], leading: str | None) -> None:
    """Let a unit stand at the one step that others stand at, or at that of the leading cell among them."""
    found = _only_place(others) or _only_place(
        [other for other in others if other.cell is not None and other.cell == leading]
    )
    if found is not None and (unit.cell is None or found[0] == unit.phase):  # a cell's operators are of its loop
        unit.phase, unit.step = found


def _only_place(units: Sequence[Unit]) -> tuple[int, int] | None:
    """Return the phase and step that all units stand at; None where they stand at several, or one of them at none."""
    found = {(unit.phase, unit.step) for unit in units if unit.step != BEFORE_STEPS}
    phase, step = found.pop() if len(found) == 1 else (0, None)
    return None if step is None else (phase, step)


def _begin_before_steps(contraction: Contraction, read_by: Mapping[Unit, Sequence[Wire]]) -> None:
    """Put a state that is given to a cell before the steps: what it reads where it otherwise reads its last step."""
    for unit in (unit for unit in contraction.units if unit.kind in ("zero", "input", "constant")):
        kept = isinstance(unit.tensor, Placeholder) and unit.tensor.name in contraction.graph.states
        if read_by[unit] and (kept or all(contraction.states.brings(wire) for wire in read_by[unit])):
            unit.step = BEFORE_STEPS


def _leading_cell(contraction: Contraction) -> str | None:
    """Return the first cell that reads its inputs in their order: the one whose time the columns follow."""
    places = {unit: place for place, unit in enumerate(unit for unit in contraction.units if unit.kind == "input")}
    order: dict[str, list[tuple[int, int]]] = {}
    for wire in contraction.wires:
        cell, step = wire.target.cell, wire.target.step
        if cell not in (None, wire.source.cell) and step is not None and not contraction.is_state(wire):
            place = places.get(wire.source, wire.tensor.index)
            order.setdefault(cell, []).append((step, place))
    return next((cell for cell, found in order.items() if _rises(sorted(set(found)))), None)


def _rises(pairs: Sequence[tuple[int, int]]) -> bool:
    return all(one[1] < other[1] for one, other in itertools.pairwise(pairs))
