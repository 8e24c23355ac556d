"""What a picture is computed from: units, boxes, columns, states and their lanes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unroll.graph import Graph
from unroll.ops.branches import If
from unroll.tensor import Node, Tensor
from unroll.viz.boxes import Box, Boxes
from unroll.viz.contraction import Contraction
from unroll.viz.details import WHOLE, Detail
from unroll.viz.dot_text import text_width
from unroll.viz.if_bodies import if_branches
from unroll.viz.if_boxes import if_box
from unroll.viz.labels import TEXT
from unroll.viz.levels import (
    ASIDE,
    FIRST,
    FIRST_BACKWARD,
    LAST,
    LAST_BACKWARD,
    ONLY,
    Slot,
    arrange,
    flows_in_time,
)
from unroll.viz.loop_boxes import loop_box
from unroll.viz.phases import find_phases
from unroll.viz.ports import Ported
from unroll.viz.scan_boxes import Inside
from unroll.viz.shapes import shape_text
from unroll.viz.sheet import Sheet
from unroll.viz.unit_steps import infer_steps
from unroll.viz.units import BEFORE_STEPS, Group, Unit, Wire
from unroll.viz.values import Values

_LANES_APART = 34.0
#: How many Ifs are drawn with their branches, and how many nodes one of those may have.
_MOST_IFS, _LARGEST_BRANCH = 12, 60
#: How much of the height of a cell is above and below its lanes.
_LANES_WITHIN = 24.0


class Scene:
    """A graph made ready to be placed.

    Args:
        graph: the graph.
        feeds: an array for every input, or None.
        full: draw every timestep.
        opened: draw every operator, not one box a cell.
        insides: what is inside each Scan.
        within: the graph is itself the body of a Scan, one step for all, or the branch of an If.
        drawn: draws the branch of an If; None where none are drawn.
        detail: what is drawn of it, where every operator is not.
        groups: what is one box each in it, of several operators.

    Attributes:
        graph: the graph.
        within: it is the body of a Scan.
        contraction: its units and wires, of all timesteps.
        shown: those that are drawn.
        values: numbers to print.
        boxes: makes the content of each box.
        sizes: the box of each unit shown.
        branches: the picture of each branch of an If that is drawn, with its middle from that of the If's box.
        ported: the boxes of loops, with where each tensor enters and leaves.
        slots: the column of each unit that has one.
        begins: for each unit that makes a first state, the cell that begins with it.
        gutters: the room between two columns for lines that run down between them.
    """

    def __init__(
        self,
        graph: Graph,
        feeds: Mapping[Any, Any] | None,
        full: bool,
        opened: bool = False,
        insides: Mapping[Node, Inside] | None = None,
        within: bool = False,
        drawn: Callable[[Graph], Sheet] | None = None,
        detail: Detail = WHOLE,
        groups: Sequence[Group] = (),
    ) -> None:
        self.graph = graph
        self.within = within
        self.detail = detail
        scans = {node: inside.body for node, inside in (insides or {}).items()}
        self.contraction = Contraction(graph, opened, scans, groups, folded=not detail.every)
        find_phases(self.contraction)
        infer_steps(self.contraction)
        self.shown = arrange(self.contraction, full, detail.few)
        self.values = Values(graph, feeds, self._printed())
        self.boxes = Boxes(self.contraction, self.values, timed=not within)
        read = {wire.tensor for wire in self.contraction.wires}
        self.ported: dict[Unit, Ported] = {
            unit: loop_box(unit.nodes[0], self.contraction, read, self.boxes, self.values, insides or {})
            for unit in self.shown.units
            if unit.kind == "loop"
        }
        self.sizes: dict[Unit, Box] = {
            unit: self.ported[unit].box if unit.kind == "loop" else self.boxes.box(unit) for unit in self.shown.units
        }
        self.branches: dict[Unit, list[tuple[Sheet, tuple[float, float]]]] = {}
        if drawn is not None and opened:
            self._open_branches(drawn)
        # Asked for again and again, of every wire.
        self._lane_places: dict[Wire, tuple[int, int]] = {}
        self._state_labels: dict[Wire, str] = {}
        self._shapes: dict[Tensor, str] = {}
        if self.ported and not opened:
            self.sizes |= self._outputs_with_room()
        self.begins: dict[Unit, str] = {}
        self.slots: dict[Unit, Slot] = self._columns()
        self.gutters = self._gutters()
        beside = (self.sizes[unit].height + 4 for unit, slot in self.slots.items() if slot.at in ASIDE)
        self._lane_pitch = max([_LANES_APART, *beside])
        self.sizes |= self._cells_with_lanes()
        self._lane_room = max(
            [_LANES_APART, *(self.sizes[unit].height - _LANES_WITHIN for unit in self.slots if unit.kind == "cell")]
        )

    def _open_branches(self, drawn: Callable[[Graph], Sheet]) -> None:
        """Give each If that is shown a box with room for its branches, as long as they are few and small."""
        bodies = {unit: op for unit in self.shown.units if unit.kind == "op" and isinstance(op := unit.nodes[0].op, If)}
        for unit in list(bodies)[:_MOST_IFS]:
            node = unit.nodes[0]
            if max(len(branch.nodes) for branch in bodies[unit].bodies) <= _LARGEST_BRANCH:
                sheets = [drawn(branch) for branch in if_branches(node, bodies[unit], self.graph)]
                rooms = [sheet.extent() for sheet in sheets]
                found = if_box(*self.boxes.condition(node), [(room.width, room.height) for room in rooms])
                self.sizes[unit] = found.box
                self.branches[unit] = list(zip(sheets, found.middles, strict=True))

    def _outputs_with_room(self) -> dict[Unit, Box]:
        """Return the boxes of outputs as wide as the shapes beside their arrows: over a loop, outputs stand side by side."""
        wires = {wire.target: wire for wire in self.shown.wires if wire.target.kind == "output"}
        boxes = {unit: (self.sizes[unit], text_width(self.shape(wire), TEXT)) for unit, wire in wires.items()}
        return {unit: box._replace(width=max(box.width, wide + 12)) for unit, (box, wide) in boxes.items()}

    def _cells_with_lanes(self) -> dict[Unit, Box]:
        """Return the boxes of cells as high as what stands beside their lanes, such as last states with their values."""
        states, found = self.contraction.states, {}
        for unit in self.slots if self._lane_pitch > _LANES_APART else ():
            if unit.kind == "cell":
                least = self._lane_pitch * (len(states.names.get(unit.row or "", ())) - 1) + _LANES_WITHIN
                found[unit] = self.sizes[unit]._replace(height=max(self.sizes[unit].height, least))
        return found

    def level(self, unit: Unit) -> int:
        """Return the row of the picture that a unit stands in."""
        return self.shown.level[unit]

    def is_flat(self, wire: Wire) -> bool:
        """Say whether a wire runs level from one column to the next: a state of a cell."""
        cells = wire.source.row is not None or wire.target.row is not None
        # The gap of a cell stands for what is around the cell at its steps, too.
        around = "gap" in (wire.source.kind, wire.target.kind) and not self.contraction.is_state(wire)
        return cells and not around and self.level(wire.source) == self.level(wire.target)

    def state_name(self, wire: Wire) -> str:
        """Return what the state on a wire is called, such as ``c`` or ``h``."""
        handed = wire.source.row is not None and wire.source.row != wire.target.row
        given = wire.target.kind == "cell" and not handed
        return self.contraction.states.name(wire) if given else self.contraction.states.called(wire.tensor)

    def shape(self, wire: Wire) -> str:
        """Return the shape of what is on a wire, as text."""
        tensor = wire.flowing
        if tensor not in self._shapes:
            self._shapes[tensor] = shape_text(self.graph.shape(tensor))
        return self._shapes[tensor]

    def state_label(self, wire: Wire) -> str:
        """Return the name and shape of a state."""
        if wire not in self._state_labels:
            self._state_labels[wire] = f"{self.state_name(wire)} {self.shape(wire)}"
        return self._state_labels[wire]

    def lane_place(self, wire: Wire) -> tuple[int, int]:
        """Return the place of a state among those of its cell, from the top, and how many there are."""
        if wire not in self._lane_places:
            states = self.contraction.states
            names = states.names.get(wire.target.row or wire.source.row or "", [])
            name = states.name(wire) if wire.target.kind == "cell" else states.called(wire.tensor)
            self._lane_places[wire] = (names.index(name), len(names)) if name in names else (0, 1)
        return self._lane_places[wire]

    def is_handed_on(self, wire: Wire) -> bool:
        """Say whether a wire is a state that one cell leaves to another, as an encoder does to its decoder."""
        cells = wire.source.kind == wire.target.kind == "cell"
        placed = wire.source in self.slots and wire.target in self.slots
        return cells and placed and self.contraction.is_state(wire) and wire.source.row != wire.target.row

    def channels(self) -> dict[int, float]:
        """Return the room that states handed on need under the level of the cell that gets them."""
        handed = [wire for wire in self.shown.wires if self.is_handed_on(wire)]
        return {self.level(wire.target): 20 + 6.0 * self.lane_place(wire)[1] for wire in handed}

    def is_fed_back(self, wire: Wire) -> bool:
        """Say whether a wire between boxes brings a later step something other than a state, and must run down for it."""
        gap = "gap" in (wire.source.kind, wire.target.kind)
        carried = wire.source in self.slots and wire.target in self.slots and not self.is_flat(wire)
        carried = carried and self.slots[wire.source] != self.slots[wire.target]
        down = carried and self.level(wire.source) >= self.level(wire.target)
        return down and (gap or (flows_in_time(self.contraction, wire) and not self.contraction.is_state(wire)))

    def _gutters(self) -> float:
        """Return the room that fed-back lines need between two columns."""
        found: dict[object, set[Tensor]] = {}
        for wire in self.shown.wires if not self.contraction.opened else ():
            if self.is_fed_back(wire):
                found.setdefault(self.slots[wire.target], set()).add(wire.tensor)
        return max((7.0 * len(tensors) + 8 for tensors in found.values()), default=0.0)

    def lane(self, wire: Wire) -> float:
        """Return how far above the middle of its row a state runs: the states of a cell are stacked, by name."""
        place, count = self.lane_place(wire)
        if count < 2:
            return 0.0
        height = min(self._lane_pitch * (count - 1), self._lane_room)
        return height / 2 - place * height / (count - 1)

    def lanes(self) -> dict[Unit, float]:
        """Return the lane of each first and last state that stands beside the cells."""
        # Of the cells that begin with one state, that which it stands beside says in which lane.
        wires = sorted(self.shown.wires, key=self.is_flat)
        ends = ((unit, wire) for wire in wires for unit in (wire.source, wire.target))
        lanes = {unit: self.lane(wire) for unit, wire in ends if unit in self.slots and self.slots[unit].at in ASIDE}
        return lanes | self._spread(lanes) | self._apart(lanes)

    def _apart(self, lanes: Mapping[Unit, float]) -> dict[Unit, float]:
        """Return lanes for first states of several cells of one row that would stand on each other: each cell has its own."""
        beside: dict[tuple[int, Slot], list[Unit]] = {}
        for unit in lanes if not self.contraction.opened else ():
            if self.slots[unit].at in (FIRST, FIRST_BACKWARD):
                beside.setdefault((self.level(unit), self.slots[unit]), []).append(unit)
        found: dict[Unit, float] = {}
        rising = {wire.source for wire in self.shown.wires if self.level(wire.source) < self.level(wire.target)}
        for units in beside.values():
            units.sort(key=lambda unit: -lanes[unit])
            room = [(self.sizes[one].height + self.sizes[other].height) / 2 for one, other in itertools.pairwise(units)]
            gaps = [lanes[one] - lanes[other] for one, other in itertools.pairwise(units)]
            if any(gap < least for gap, least in zip(gaps, room, strict=True)):
                units.sort(key=lambda unit: unit not in rising)  # nothing stands in the way of what goes higher
                middle = (len(units) - 1) / 2
                found |= {unit: self._lane_pitch * (middle - place) for place, unit in enumerate(units)}
        return found

    def _spread(self, lanes: Mapping[Unit, float]) -> dict[Unit, float]:
        """Return lanes above their row for last states that would overlap, such as those of operators in one row."""
        alike: dict[tuple[int, float], list[Unit]] = {}
        for unit, lane in lanes.items():
            if self.slots[unit].at in (LAST, LAST_BACKWARD):
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

    def _columns(self) -> dict[Unit, Slot]:
        """Return the column of each unit that has one; first and last states stand at the two ends of their cell."""
        slots: dict[Unit, Slot] = dict(self.shown.gaps)
        for unit in self.shown.units:
            if unit.step is not None and unit.step != BEFORE_STEPS:
                slots[unit] = Slot(unit.phase, unit.step)
            elif not self.shown.columns:
                slots[unit] = Slot(0, ONLY)
        return slots | self._first_states() | self._last_states()

    def _first_states(self) -> dict[Unit, Slot]:
        """Return the column of each first state: at the side where its cell begins."""
        backward = self.contraction.states.backward
        phases = {unit.cell: unit.phase for unit in self.shown.units}
        slots: dict[Unit, Slot] = {}
        for wire in reversed(self.shown.wires):
            begins = wire.source.kind in ("zero", "input", "constant") and self.is_flat(wire)
            if begins or wire.source.step == BEFORE_STEPS:
                cell = self.begins.get(wire.target, wire.target.cell)
                if cell is not None:
                    self.begins[wire.source] = cell
                if wire.source not in slots or slots[wire.source].at != FIRST:
                    slots[wire.source] = Slot(phases.get(cell, 0), FIRST_BACKWARD if cell in backward else FIRST)
        return slots

    def _last_states(self) -> dict[Unit, Slot]:
        """Return the column of each output that is a last state, and level it with its cell: it leaves beside the cell.

        A tensor that a cell also returns at other steps is an output of each step, unless it is returned a second time.
        """
        states = self.contraction.states
        ends = [
            wire for wire in self.contraction.wires if wire.target.kind == "output" and wire.source.step is not None
        ]
        last = states.last_steps(self.contraction.units)
        every_step = {states.alike(wire) for wire in ends if wire.source.step != last.get(wire.source.cell or "")}
        if len(self.shown.columns) == 1:
            every_step = {states.alike(wire) for wire in ends[:1]}
        saved = set(self.graph.states.values())
        risen: set[Tensor] = set()
        final = max((slot.phase for slot in self.shown.columns), default=0)
        slots: dict[Unit, Slot] = {}
        for wire in ends:
            cell, kept = wire.source.cell, wire.target.name in saved
            if kept or (cell is not None and wire.source.step == last[cell]):
                is_state = self.contraction.opened or states.makes(cell or "", wire.tensor)
                if kept or wire.tensor in risen or (is_state and states.alike(wire) not in every_step):
                    backward = cell in states.backward
                    slots[wire.target] = Slot(wire.source.phase, LAST_BACKWARD) if backward else Slot(final, LAST)
                    self.shown.level[wire.target] = self.level(wire.source)
                else:
                    risen.add(wire.tensor)
        return slots
