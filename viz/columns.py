"""Where operators stand within one column: each level in the order that keeps wires short, over the middle of its operands;
cells of one row side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from unroll.viz.boxes import Box
from unroll.viz.levels import Shown, Slot
from unroll.viz.ports import Ported
from unroll.viz.titles import title_lines, title_width
from unroll.viz.units import Unit, Wire

#: What each unit is wired to, and how far right of the middle of that it is wanted, which is not 0 beside ports.
_Near: TypeAlias = dict[Unit, list[tuple[Unit, float]]]

_APART = 10.0
_SWEEPS = 6
# Between the operators of two cells side by side: room for their frames and for a line between these.
_CELLS_APART = 46.0


def columns(
    shown: Shown,
    boxes: Mapping[Unit, Box],
    slots: Mapping[Unit, Slot],
    titles: Callable[[str], str],
    ports: Mapping[Unit, Ported],
) -> Iterator[tuple[Slot, float, dict[Unit, float]]]:
    """Yield for every column its slot, its width, and how far from its middle each unit stands.

    Args:
        shown: the units, wires and levels.
        boxes: the size of each unit's content.
        slots: the column of each unit that has one.
        titles: the name of the frame around a cell.
        ports: where tensors enter and leave the boxes of loops.
    """
    members: dict[Slot, list[Unit]] = {}
    for unit in shown.units:
        if unit in slots:
            members.setdefault(slots[unit], []).append(unit)
    below: _Near = {unit: [] for unit in shown.units}
    above: _Near = {unit: [] for unit in shown.units}
    for wire in shown.wires:
        if wire.source in slots and slots[wire.source] == slots.get(wire.target):
            aside = _leaves(wire, ports) - _arrives(wire, ports)
            below[wire.target].append((wire.source, aside))
            above[wire.source].append((wire.target, -aside))
    for slot, units in members.items():
        wide = {unit: boxes[unit].width for unit in units}
        beside = _cells_side_by_side(shown, units, wide, below, above, titles)
        x = beside | _spread(shown, units, wide, below, above, beside)
        left = min(x[unit] - wide[unit] / 2 for unit in units)
        right = max(x[unit] + wide[unit] / 2 for unit in units)
        # The name of the cell stands left of the wires that leave its frame in the middle.
        framed = (unit for unit in units if unit.kind != "cell" and unit not in beside)
        names = dict.fromkeys(unit.cell for unit in framed if unit.cell is not None)
        name = max((title_width(title_lines(titles(cell))) for cell in names), default=0)
        yield slot, max(right - left, 2 * name), {unit: x[unit] - (left + right) / 2 for unit in units}


def _leaves(wire: Wire, ports: Mapping[Unit, Ported]) -> float:
    """Return how far right of the middle of its source a wire leaves that."""
    return ports[wire.source].out.get(wire.tensor, 0.0) if wire.source in ports else 0.0


def _arrives(wire: Wire, ports: Mapping[Unit, Ported]) -> float:
    return ports[wire.target].into.get(wire.role[1], 0.0) if wire.target in ports else 0.0


def _cells_side_by_side(
    shown: Shown,
    units: Sequence[Unit],
    wide: Mapping[Unit, float],
    below: _Near,
    above: _Near,
    titles: Callable[[str], str],
) -> dict[Unit, float]:
    """Return where the operators stand of cells that are not alone in their row; the middle of the column is at 0.

    The cells to the left in all rows are as wide as one another, and so are those to the right.
    """
    cells: dict[str, list[Unit]] = {}
    for unit in units:
        if unit.cell is not None and unit.cell in shown.sides:
            cells.setdefault(unit.cell, []).append(unit)
    if len({shown.sides[cell] for cell in cells}) < 2:
        return {}
    within: dict[str, dict[Unit, float]] = {}
    widths: dict[int, float] = {}
    for cell, held in cells.items():
        x = _spread(shown, held, wide, below, above, {})
        left, right = min(x[unit] - wide[unit] / 2 for unit in held), max(x[unit] + wide[unit] / 2 for unit in held)
        within[cell] = {unit: x[unit] - (left + right) / 2 for unit in held}
        side, framed = shown.sides[cell], any(unit.kind != "cell" for unit in held)
        name = 2 * title_width(title_lines(titles(cell))) if framed else 0.0
        widths[side] = max(widths.get(side, 0.0), right - left, name)
    ends = {side: sum(wide + _CELLS_APART for other, wide in widths.items() if other < side) for side in widths}
    middle = (sum(widths.values()) + _CELLS_APART * (len(widths) - 1)) / 2
    return {
        unit: x + ends[shown.sides[cell]] + widths[shown.sides[cell]] / 2 - middle
        for cell, found in within.items()
        for unit, x in found.items()
    }


def _spread(
    shown: Shown,
    units: Sequence[Unit],
    wide: Mapping[Unit, float],
    below: _Near,
    above: _Near,
    fixed: Mapping[Unit, float],
) -> dict[Unit, float]:
    """Sweep up and down the levels, moving each unit that is not fixed towards its neighbours; end with a sweep from the
    operands up.
    """
    levels: dict[int, list[Unit]] = {}
    for unit in units:
        if unit not in fixed:
            levels.setdefault(shown.level[unit], []).append(unit)
    x = dict(fixed)
    order = sorted(levels)
    for sweep in range(_SWEEPS + 1):
        upward = sweep % 2 == 0
        for level in order if upward else reversed(order):
            near = below if upward else above
            wanted = []
            for place, unit in enumerate(levels[level]):
                seen = [x[other] + aside for other, aside in near[unit] if other in x]
                wanted.append(
                    (sum(seen) / len(seen) if seen else x.get(unit, 0.0), x.get(unit, float(place)), place, unit)
                )
            wanted.sort(key=lambda item: item[:3])
            _set_out(x, [(want, unit) for want, _, _, unit in wanted], wide)
    return x


def _set_out(x: dict[Unit, float], row: Sequence[tuple[float, Unit]], wide: Mapping[Unit, float]) -> None:
    """Place units in order as near to where they are wanted as their widths allow, and centre what moved."""
    end = None
    for want, unit in row:
        half = wide[unit] / 2
        x[unit] = want if end is None else max(want, end + _APART + half)
        end = x[unit] + half
    shift = sum(x[unit] - want for want, unit in row) / len(row)
    for _, unit in row:
        x[unit] -= shift
