"""The timestep of units whose nodes have none: that of the units they read, or of those that read them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from unroll.viz.contraction import Contraction
from unroll.viz.units import BEFORE_STEPS, Unit, Wire


def infer_steps(contraction: Contraction) -> None:
    """Give a unit without a step the one step that it reads from, or else that reads it."""
    reads: dict[Unit, list[Unit]] = {unit: [] for unit in contraction.units}
    read_by: dict[Unit, list[Wire]] = {unit: [] for unit in contraction.units}
    for wire in contraction.wires:
        reads[wire.target].append(wire.source)
        read_by[wire.source].append(wire)
    if contraction.opened:
        _begin_before_steps(contraction, read_by)
    ordered, leading = contraction.in_order(), _leading_row(contraction)
    for unit in (*ordered, *(unit for unit in contraction.units if unit.kind == "output")):
        if unit.step is None and unit.kind in ("op", "output"):
            made = (source for source in reads[unit] if source.kind not in ("input", "constant"))
            unit.step = _common_step(made, leading)
    for unit in (*reversed(ordered), *contraction.sources.values()):
        if unit.step is None and unit.kind in ("op", "input", "constant"):
            readers = (wire.target for wire in read_by[unit] if not contraction.is_state(wire))
            unit.step = _common_step(readers, leading)


def _begin_before_steps(contraction: Contraction, read_by: Mapping[Unit, Sequence[Wire]]) -> None:
    """Put a state that is given to a cell before the steps: what it reads where it otherwise reads its last step."""
    along = {(wire.target.cell, wire.role) for wire in contraction.wires if contraction.states.is_along(wire)}
    for unit in contraction.sources.values():
        if read_by[unit] and all((wire.target.cell, wire.role) in along for wire in read_by[unit]):
            unit.step = BEFORE_STEPS


def _common_step(units: Iterable[Unit], leading: str | None) -> int | None:
    """Return the one step that units stand at, or that of the leading cell among them."""
    listed = list(units)
    found = _only_step(unit.step for unit in listed)
    if found is None:
        found = _only_step(unit.step for unit in listed if unit.row is not None and unit.row == leading)
    return found


def _only_step(steps: Iterable[int | None]) -> int | None:
    found = set(steps) - {BEFORE_STEPS}
    return found.pop() if len(found) == 1 else None


def _leading_row(contraction: Contraction) -> str | None:
    """Return the first cell that reads its inputs in their order: the one whose time the columns follow."""
    places = {unit: place for place, unit in enumerate(unit for unit in contraction.units if unit.kind == "input")}
    order: dict[str, list[tuple[int, int]]] = {}
    for wire in contraction.wires:
        row, step = wire.target.row, wire.target.step
        if row is not None and step is not None and not contraction.is_state(wire):
            place = places.get(wire.source, wire.tensor.index)
            order.setdefault(row, []).append((step, place))
    return next((row for row, found in order.items() if _rises(sorted(set(found)))), None)


def _rises(pairs: Sequence[tuple[int, int]]) -> bool:
    return all(one[1] < other[1] for one, other in itertools.pairwise(pairs))
