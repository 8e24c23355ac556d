"""Where each operator is drawn: which cells stand over one another, and which side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx

from unroll.viz.contraction import Contraction
from unroll.viz.units import BEFORE_STEPS, Unit

# How many cells stand side by side in the columns that they share.
_MOST_BESIDE = 2

#: What must stand lower than each unit or stage, or higher.
Order = dict[object, dict[object, None]]


def keep_cells_apart(contraction: Contraction, before: Order, after: Order) -> dict[str, int]:
    """Let the operators of one row of cells begin where those of the row before it of its phase end: their frames must not
    meet.

    Cells that do not wait for one another, such as the two directions of a layer, are one row: they stand side by side in
    each column. Cells that read each other, as a cell and one around it do, are left as they are.

    Returns:
        The place of each cell in its row, for those that are not alone there.
    """
    members: dict[object, list[Unit]] = {}
    for unit in sorted(contraction.units, key=lambda unit: unit.cell in contraction.states.backward):
        members.setdefault(unit.cell or unit, []).append(unit)
    if not any(isinstance(key, str) for key in members):
        return {}
    edges = ((source.cell or source, unit.cell or unit) for unit in contraction.units for source in before[unit])  # type: ignore[attr-defined]
    reads: networkx.DiGraph[object] = networkx.DiGraph()  # given the edges at once, networkx 3.2 asks for pandas
    reads.add_edges_from((one, other) for one, other in edges if one is not other)
    reads.add_nodes_from(members)
    rows, bound = _rows(reads, members)
    places = {cell: place for place, row in enumerate(rows) for part in row for cell in part}
    preludes = _preludes([unit for unit in contraction.units if unit not in bound], places, after)
    ends: dict[int, object] = {}
    over: dict[str | None, object] = {}
    for place, row in enumerate(rows):
        cells = [cell for part in row for cell in part]
        phase = min(unit.phase for cell in cells for unit in members[cell])
        for stage in (preludes.get(place, []), [unit for cell in cells for unit in members[cell]]):
            end = ("end of", place, len(before))
            before[end], after[end] = {}, {}
            for unit in stage:
                if phase in ends:
                    before[unit][ends[phase]] = after[ends[phase]][unit] = None
                before[end][unit] = after[unit][end] = None
            if stage:
                ends[phase] = end
        over |= dict.fromkeys(cells, ends[phase])
    final = set(preludes.get(len(rows), ()))
    phases = {key: unit.phase for key, units in members.items() for unit in units}
    for unit in (unit for unit in contraction.units if unit.cell is None and unit not in bound):
        # What others make of a cell's results stands over the whole of it; what no cell reads, over all cells.
        made = [source.cell for source in before[unit] if isinstance(source, Unit) and source.cell in over]
        for top in [ends[phases[cell]] if unit in final else over[cell] for cell in made]:
            before[unit][top] = after[top][unit] = None
    return {cell: side for row in rows if len(row) > 1 for side, part in enumerate(row) for cell in part}


def _rows(
    reads: networkx.DiGraph[object], members: Mapping[object, Sequence[Unit]]
) -> tuple[list[list[list[str]]], set[object]]:
    """Return the rows of cells, from bottom to top, each of a few groups of cells that read each other; and those cells with
    what stands between them.
    """
    order = {key: place for place, key in enumerate(members)}
    parts: networkx.DiGraph[int] = networkx.condensation(reads)
    held: dict[int, set[object]] = networkx.get_node_attributes(parts, "members")
    ordered = networkx.lexicographical_topological_sort(parts, key=lambda one: min(map(order.__getitem__, held[one])))
    waits: dict[int, int] = {}  # for how many cells one waits that wait for one another
    found: dict[tuple[int, int], list[list[list[str]]]] = {}
    bound: set[object] = set()
    for one in ordered:
        cells = sorted((key for key in held[one] if isinstance(key, str)), key=order.__getitem__)
        above = max((waits[other] for other in parts.predecessors(one)), default=0)
        waits[one] = above + bool(cells)
        if cells:
            bound |= held[one]
            phase = min(unit.phase for cell in cells for unit in members[cell])
            rows = found.setdefault((above, phase), [[]])
            if len(rows[-1]) == _MOST_BESIDE:
                rows.append([])
            rows[-1].append(cells)
    return [row for _, rows in sorted(found.items(), key=lambda item: item[0][0]) for row in rows], bound


def _preludes(
    units: Sequence[Unit], cells: Mapping[str, int], after: Mapping[object, dict[object, None]]
) -> dict[int, list[Unit]]:
    """Return, by the place of a cell, the units outside cells that it is the first to read, directly or through others."""
    first: dict[object, int] = {}
    found: dict[int, list[Unit]] = {}
    outside = [unit for unit in units if unit.cell is None and unit.kind != "output" and unit.step != BEFORE_STEPS]
    # The list has sources at its end.
    for unit in (*reversed([unit for unit in outside if unit.nodes]), *(unit for unit in outside if not unit.nodes)):
        readers = (first.get(other, cells.get(getattr(other, "cell", None) or "")) for other in after[unit])
        first[unit] = min((place for place in readers if place is not None), default=len(cells))
        found.setdefault(first[unit], []).append(unit)
    return found
