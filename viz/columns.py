"""Where operators stand within one column: each level in the order that keeps wires short, over the middle of its operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from unroll.viz.boxes import Box
from unroll.viz.dot_text import text_width
from unroll.viz.levels import Shown, Slot
from unroll.viz.units import Unit

_APART = 10.0
_SWEEPS = 6


def columns(
    shown: Shown, boxes: Mapping[Unit, Box], slots: Mapping[Unit, Slot], titles: Callable[[str], str]
) -> Iterator[tuple[Slot, float, dict[Unit, float]]]:
    """Yield for every column its slot, its width, and how far from its middle each unit stands.

    Args:
        shown: the units, wires and levels.
        boxes: the size of each unit's content.
        slots: the column of each unit that has one.
        titles: the name of the frame around a cell.
    """
    members: dict[Slot, list[Unit]] = {}
    for unit in shown.units:
        if unit in slots:
            members.setdefault(slots[unit], []).append(unit)
    below: dict[Unit, list[Unit]] = {unit: [] for unit in shown.units}
    above: dict[Unit, list[Unit]] = {unit: [] for unit in shown.units}
    for wire in shown.wires:
        if wire.source in slots and slots[wire.source] == slots.get(wire.target):
            below[wire.target].append(wire.source)
            above[wire.source].append(wire.target)
    for slot, units in members.items():
        levels: dict[int, list[Unit]] = {}
        for unit in units:
            levels.setdefault(shown.level[unit], []).append(unit)
        x = _spread(levels, boxes, below, above)
        left = min(x[unit] - boxes[unit].width / 2 for unit in units)
        right = max(x[unit] + boxes[unit].width / 2 for unit in units)
        # The name of the cell stands left of the wires that leave its frame in the middle.
        names = dict.fromkeys(unit.cell for unit in units if unit.cell is not None)
        name = max((text_width(titles(cell), 10) for cell in names), default=0)
        yield slot, max(right - left, 2 * name), {unit: x[unit] - (left + right) / 2 for unit in units}


def _spread(
    levels: Mapping[int, Sequence[Unit]],
    boxes: Mapping[Unit, Box],
    below: Mapping[Unit, Sequence[Unit]],
    above: Mapping[Unit, Sequence[Unit]],
) -> dict[Unit, float]:
    """Sweep up and down the levels, moving each unit towards its neighbours; end with a sweep from the operands up."""
    x: dict[Unit, float] = {}
    order = sorted(levels)
    for sweep in range(_SWEEPS + 1):
        upward = sweep % 2 == 0
        for level in order if upward else reversed(order):
            near = below if upward else above
            wanted = []
            for place, unit in enumerate(levels[level]):
                seen = [x[other] for other in near[unit] if other in x]
                wanted.append(
                    (sum(seen) / len(seen) if seen else x.get(unit, 0.0), x.get(unit, float(place)), place, unit)
                )
            wanted.sort(key=lambda item: item[:3])
            _set_out(x, [(want, unit) for want, _, _, unit in wanted], boxes)
    return x


def _set_out(x: dict[Unit, float], row: Sequence[tuple[float, Unit]], boxes: Mapping[Unit, Box]) -> None:
    """Place units in order as near to where they are wanted as their widths allow, and centre what moved."""
    end = None
    for want, unit in row:
        half = boxes[unit].width / 2
        x[unit] = want if end is None else max(want, end + _APART + half)
        end = x[unit] + half
    shift = sum(x[unit] - want for want, unit in row) / len(row)
    for _, unit in row:
        x[unit] -= shift
