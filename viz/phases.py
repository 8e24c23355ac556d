"""Which loops run after one another: a decoder begins where its encoder has ended, and stands to the right of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import networkx

from unroll.viz.contraction import Contraction
from unroll.viz.units import Unit, Wire


class _Span(NamedTuple):
    """The first and the last step of a cell that something depends on."""

    first: int
    last: int


def find_phases(contraction: Contraction) -> None:
    """Tell each cell that walks over steps its phase: how many loops must have ended before it begins.

    A cell follows another where the state that it begins with, or everything that it reads of the other, was made at the
    other's last step. Layers that read one another step by step are of one phase, and so are two directions.
    """
    steps: dict[str, set[int]] = {}
    for unit in contraction.units:
        if unit.cell is not None and unit.step is not None:
            steps.setdefault(unit.cell, set()).add(unit.step)
    if len(steps) < 2:
        return
    ends = contraction.states.last_steps(contraction.units)
    seen = _seen(contraction)
    read: dict[tuple[str, str], _Span] = {}
    begun: dict[tuple[str, str], list[Wire]] = {}
    states = _states(contraction)
    for wire in contraction.wires:
        reader = wire.target.cell
        for cell, span in seen.get(wire.source, {}).items() if reader in steps else ():
            if reader is None or cell == reader:
                continue
            read[reader, cell] = _joined(read.get((reader, cell)), span)
            if span == (ends[cell], ends[cell]) and (reader, wire.role) in states:
                begun.setdefault((reader, cell), []).append(wire)
    follows = begun.keys() | {
        pair for pair, span in read.items() if span == (ends[pair[1]], ends[pair[1]]) and len(steps[pair[1]]) > 1
    }
    phases = _longest(list(steps), read, follows)
    for unit in contraction.units:
        unit.phase = phases.get(unit.cell or "", 0)
    handed = (wire for (reader, cell), wires in begun.items() if phases[reader] > phases[cell] for wire in wires)
    contraction.handed = frozenset(wire for wire in handed if wire.source.cell is not None)


def _states(contraction: Contraction) -> set[tuple[str | None, tuple[str, int]]]:
    """Return the inputs of cells that bring, at other steps, what the cell itself made at the step before."""
    return {
        (wire.target.cell, wire.role)
        for wire in contraction.wires
        if wire.target.cell is not None and wire.source.cell == wire.target.cell and contraction.states.is_along(wire)
    }


def _seen(contraction: Contraction) -> dict[Unit, dict[str, _Span]]:
    """Return for each unit which steps of which cells reach it without going through a cell."""
    sources: dict[Unit, list[Wire]] = {}
    for wire in contraction.wires:
        sources.setdefault(wire.target, []).append(wire)
    seen: dict[Unit, dict[str, _Span]] = {}
    for unit in contraction.in_order():
        found: dict[str, _Span] = {}
        if unit.cell is not None:
            if unit.step is not None:
                found[unit.cell] = _Span(unit.step, unit.step)
        else:
            for wire in sources.get(unit, ()):
                for cell, span in seen.get(wire.source, {}).items():
                    found[cell] = _joined(found.get(cell), span)
        seen[unit] = found
    return seen


def _joined(one: _Span | None, other: _Span) -> _Span:
    return other if one is None else _Span(min(one.first, other.first), max(one.last, other.last))


def _longest(cells: list[str], read: Mapping[tuple[str, str], _Span], follows: set[tuple[str, str]]) -> dict[str, int]:
    """Return how many loops come before each cell; cells that read one another in a circle are of one phase."""
    order: networkx.DiGraph[str] = networkx.DiGraph()
    order.add_nodes_from(cells)
    order.add_edges_from((cell, reader) for reader, cell in read)
    parts: networkx.DiGraph[int] = networkx.condensation(order)
    part_of: Mapping[str, int] = parts.graph["mapping"]
    after = {(part_of[cell], part_of[reader]) for reader, cell in follows}
    phases: dict[int, int] = {}
    for part in networkx.topological_sort(parts):
        phases[part] = max((phases[one] + ((one, part) in after) for one in parts.predecessors(part)), default=0)
    return {cell: phases[part_of[cell]] for cell in cells}
