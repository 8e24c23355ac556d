"""Everything a picture is computed from: units, boxes, columns, states and their lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unroll.viz.boxes import Box, Boxes
from unroll.viz.levels import arrange
from unroll.viz.placement import AFTER, BEFORE, ONLY
from unroll.viz.units import BEFORE_STEPS, Contraction, Unit, Wire
from unroll.viz.values import Values

from unroll.dimensions import shape_text
from unroll.graph import Graph
from unroll.tensor import Tensor

_LANES_APART = 34.0


class Scene:
    """A graph made ready to be placed.

    Args:
        graph: the graph.
        feeds: an array for every input, or None.
        full: draw every timestep.
        opened: draw every operator, not one box a cell.

    Attributes:
        graph: the graph.
        contraction: its units and wires, of all timesteps.
        shown: those that are drawn.
        values: numbers to print.
        boxes: makes what stands in a box.
        sizes: the box of each unit shown.
        slots: the column of each unit that has one.
    """

    def __init__(self, graph: Graph, feeds: Mapping[Any, Any] | None, full: bool, opened: bool = False) -> None:
        self.graph = graph
        self.contraction = Contraction(graph, opened)
        self.shown = arrange(self.contraction, full)
        self.values = Values(graph, feeds, self._printed())
        self.boxes = Boxes(self.contraction, self.values)
        self.sizes: dict[Unit, Box] = {unit: self.boxes.box(unit) for unit in self.shown.units}
        self._states = _state_names(self.contraction)
        self.slots = self._columns()
        beside = (self.sizes[unit].height + 4 for unit, slot in self.slots.items() if slot in (BEFORE, AFTER))
        self._lane_pitch = max([_LANES_APART, *beside])
        self._lane_room = max(
            [_LANES_APART, *(self.sizes[unit].height - 24 for unit in self.slots if unit.kind == "cell")]
        )

    def level(self, unit: Unit) -> int:
        """Return the row of the picture that a unit stands in."""
        return self.shown.level[unit]

    def is_flat(self, wire: Wire) -> bool:
        """Say whether a wire runs level from one column to the next: a state of a cell."""
        cells = wire.source.row is not None or wire.target.row is not None
        return cells and self.level(wire.source) == self.level(wire.target)

    def state_name(self, wire: Wire) -> str:
        """Return what the state on a wire is called, such as ``c`` or ``h``."""
        target = wire.target
        names = self._states.get(target.row or "", {}) if target.kind == "cell" else {}
        return names.get(wire.role, last_part(wire.tensor))

    def shape(self, wire: Wire) -> str:
        """Return the shape of what is on a wire, as text."""
        return shape_text(self.graph.shape(wire.tensor))

    def state_label(self, wire: Wire) -> str:
        """Return the name and shape of a state."""
        return f"{self.state_name(wire)} {self.shape(wire)}"

    def lane(self, wire: Wire) -> float:
        """Return how far above the middle of its row a state runs: the states of a cell are stacked, by name."""
        names = sorted(set(self._states.get(wire.target.row or wire.source.row or "", {}).values()))
        name = self.state_name(wire)
        if name not in names or len(names) < 2:
            return 0.0
        height = min(self._lane_pitch * (len(names) - 1), self._lane_room)
        return height / 2 - names.index(name) * height / (len(names) - 1)

    def lanes(self) -> dict[Unit, float]:
        """Return the lane of each first and last state that stands beside the cells."""
        ends = ((unit, wire) for wire in self.shown.wires for unit in (wire.source, wire.target))
        lanes = {unit: self.lane(wire) for unit, wire in ends if self.slots.get(unit) in (BEFORE, AFTER)}
        return lanes | self._spread(lanes)

    def _spread(self, lanes: Mapping[Unit, float]) -> dict[Unit, float]:
        """Return lanes above their row for last states that would stand on one another, as operators of one row give."""
        alike: dict[tuple[int, float], list[Unit]] = {}
        for unit, lane in lanes.items():
            if self.slots.get(unit) == AFTER:
                alike.setdefault((self.level(unit), lane), []).append(unit)
        spread: dict[Unit, float] = {}
        for (level, _), units in alike.items():
            over = max(self.sizes[unit].height for unit in self.shown.units if self.level(unit) == level) / 2 + 14
            if len(units) > 1:
                spread |= {unit: over + self._lane_pitch * place for place, unit in enumerate(units)}
        return spread

    def _printed(self) -> list[Tensor]:
        """Return the tensors whose value may be printed."""
        found: list[Tensor] = list(self.graph.parameters.values())
        for unit in self.shown.units:
            if unit.tensor is not None:
                found.append(unit.tensor)
            else:
                found += [tensor for node in unit.nodes for tensor in node.outputs]
        return found

    def _columns(self) -> dict[Unit, object]:
        """Return the column of each unit that has one; last states move to the right of their cell."""
        first_states = {wire.source for wire in self.shown.wires if self.is_flat(wire) and wire.source.row is None}
        stepless = {gap for unit, gap in self.shown.stand_in.items() if unit.step is None}
        slots: dict[Unit, object] = {}
        for unit in self.shown.units:
            if unit.kind == "gap" and self.shown.hidden and unit not in stepless:
                slots[unit] = None
            elif unit in first_states and unit.kind in ("zero", "input", "constant"):
                slots[unit] = BEFORE
            elif unit.step is not None:
                slots[unit] = BEFORE if unit.step == BEFORE_STEPS else unit.step
            elif not self.shown.steps:
                slots[unit] = ONLY
        slots |= dict.fromkeys(self._last_states(), AFTER)
        return slots

    def _last_states(self) -> list[Unit]:
        """Return the outputs that are last states, and level them with their cell: they leave it to the right.

        What a cell returns at other steps too is an output of each step, unless it is returned a second time.
        """
        last = self.shown.steps[-1] if self.shown.steps else None
        ends = [
            wire for wire in self.contraction.wires if wire.target.kind == "output" and wire.source.cell is not None
        ]
        every_step = {(wire.source.cell, last_part(wire.tensor)) for wire in ends if wire.source.step != last}
        if len(self.shown.steps) == 1:
            every_step = {(wire.source.cell, last_part(wire.tensor)) for wire in ends[:1]}
        risen: set[Tensor] = set()
        found = []
        for wire in ends if last is not None else ():
            cell, name = wire.source.cell or "", last_part(wire.tensor)
            if wire.source.step == last:
                is_state = self.contraction.opened or name in self._states.get(cell, {}).values()
                if wire.tensor in risen or (is_state and (cell, name) not in every_step):
                    found.append(wire.target)
                    self.shown.level[wire.target] = self.level(wire.source)
                risen.add(wire.tensor)
        return found


def last_part(tensor: Tensor) -> str:
    """Return the last part of what a tensor is called."""
    return tensor.label.rpartition("/")[2]


def _state_names(contraction: Contraction) -> dict[str, dict[tuple[str, int], str]]:
    """Return for each cell row what the state in each role is called, as it leaves the step before, or as zeros."""
    names: dict[str, dict[tuple[str, int], str]] = {}
    for wire in contraction.wires:
        row = wire.target.row
        if row is not None and wire.source.row == row and contraction.is_state(wire):
            names.setdefault(row, {})[wire.role] = last_part(wire.tensor)
    for wire in contraction.wires:
        if wire.target.row is not None and wire.source.kind == "zero":
            names.setdefault(wire.target.row, {}).setdefault(wire.role, last_part(wire.tensor))
    return names
