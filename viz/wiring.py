"""The wires of a picture: states run level, everything else rises, each with its shape beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from unroll.tensor import Tensor
from unroll.viz import palette, routes
from unroll.viz.dot_text import text_width
from unroll.viz.ends import Ends, enters_sideways
from unroll.viz.gaps import Gaps
from unroll.viz.labels import TEXT, Label
from unroll.viz.levels import FIRST, FIRST_BACKWARD, LAST, LAST_BACKWARD, Slot
from unroll.viz.placement import Layout, Rectangle
from unroll.viz.routes import Point
from unroll.viz.scene import Scene
from unroll.viz.sides import Sides
from unroll.viz.units import Unit, Wire

_STATE = {"color": palette.STATE, "penwidth": "1.4"}
# How much farther from the boxes the lines of a cell that walks backward run, which stands beside one that walks forward.
_BACKWARD = 6.0
# How far from a first state a line runs that another one under it sends up.
_CLEAR = 6.0


class Line(NamedTuple):
    """A wire as it is drawn: its curve, its attributes in DOT, and its label."""

    wire: Wire
    points: list[Point]
    attributes: dict[str, str]
    label: Label | None = None


class Wiring:
    """Draws the wires of a scene.

    Args:
        scene: the units and wires.
        layout: where the units stand.
        depths: for each level under which dashed lines run, how far below it they reach.
        beside: the room that lines leave to the left and right of some units that they pass by.
    """

    def __init__(self, scene: Scene, layout: Layout, depths: Mapping[int, float], beside: Mapping[Unit, float]) -> None:
        self._scene, self._layout, self._depths = scene, layout, depths
        wires = {(*_drawn_once(wire), self._begins(wire)): wire for wire in reversed(scene.shown.wires)}
        self._wires = list(wires.values())[::-1]
        self._columns = {slot: place for place, slot in enumerate(layout.columns)}
        self._taken = layout.at_level(scene.shown.level, beside)
        self._rows: dict[int, Gaps] = {}
        self._tall = {scene.level(unit) for unit in scene.ported}
        self._labelled: set[tuple[Unit, Tensor]] = set()
        self._highest: dict[str, int] = {}
        for unit in scene.shown.units:
            if unit.row is not None:
                self._highest[_frame_of(unit)] = max(self._highest.get(_frame_of(unit), 0), scene.level(unit))

    def _begins(self, wire: Wire) -> str:
        """Return which state of a cell a wire from beside it brings: one tensor may be the first of several."""
        given = wire.source.kind in ("input", "constant") and self._scene.is_flat(wire)
        return self._scene.state_name(wire) if given and self._scene.contraction.is_state(wire) else ""

    def lines(self) -> Iterator[Line]:
        """Yield every wire as a line."""
        carried = [wire for wire in self._wires if self._is_carried(wire)]
        apart = set(carried)
        level = [wire for wire in self._wires if wire not in apart and self._is_level(wire)]
        apart.update(level)
        handed = [wire for wire in self._wires if wire not in apart and self._scene.is_handed_on(wire)]
        apart.update(handed)
        rising = [wire for wire in self._wires if wire not in apart]
        self._ends = Ends(self._scene, self._layout, [*rising, *carried])
        yield from self._level(level)
        yield from self._carried(carried)
        yield from (self._handed_on(wire) for wire in handed)
        yield from (self._rising(wire) for wire in rising)

    def _place(self, unit: Unit) -> Rectangle:
        return self._layout.places[unit]

    def _is_level(self, wire: Wire) -> bool:
        source, target = self._place(wire.source), self._place(wire.target)
        same = self._scene.level(wire.source) == self._scene.level(wire.target)
        back = self._scene.is_flat(wire) or self._beside(wire.target) == LAST_BACKWARD or wire.source.kind == "weight"
        return same and (source.right < target.left or (back and source.left > target.right))

    def _level(self, wires: list[Wire]) -> Iterator[Line]:
        """Yield the wires that run level; a state that a cell hands on for two reasons is drawn once."""
        drawn: set[tuple[object, ...]] = set()
        for wire in wires:
            same = (wire.source, wire.target, self._scene.lane(wire), self._scene.state_label(wire))
            if same not in drawn or wire.target.kind == "output":
                yield self._flat(wire)
            drawn.add(same)

    def _flat(self, wire: Wire) -> Line:
        source, target = self._place(wire.source), self._place(wire.target)
        cells = wire.source.row is not None or wire.target.row is not None
        y = (target.y if wire.target.row is not None else source.y) + self._scene.lane(wire)
        ahead = source.right < target.left
        start, end = (source.right, y), (target.left, y)
        if not ahead:
            start, end = (source.left, y), (target.right, y)
        ends = self._beside(wire.target) in (LAST, LAST_BACKWARD)
        within = source.height / 2 - 10
        if wire in self._scene.contraction.handed and abs(y - source.y) > within:
            # The row of the cell that gets the state is taller than that of the cell that made it.
            height, middle = source.y + (within if y > source.y else -within), (start[0] + end[0]) / 2
            start = (start[0], height)
            corners = [start, (middle, height), (middle, y), end]
        elif self._beside(wire.source) in (FIRST, FIRST_BACKWARD) and abs(y - source.y) > 1:
            # A first state that stands beside its lane, so that others have room.
            middle = (start[0] + end[0]) / 2
            corners = [(start[0], source.y), (middle, source.y), (middle, y), end]
        else:
            corners = [start, end]
        if ends and target.y > source.top:
            # A last state that stands above its row, so that others beside it have room.
            corners = [(source.x, source.top), (source.x, target.y), (target.left if ahead else target.right, target.y)]
            return Line(wire, routes.rounded(corners), dict(_STATE))
        level = self._taken[self._scene.level(wire.source)] if ends else ()
        between = [place for place in level if start[0] < place.x < end[0]]
        if any(place.bottom < y < place.top for place in between):
            over = max(place.top for place in between) + 9
            corners = [(source.x, source.top), (source.x, over), (end[0] - 16, over), (end[0] - 16, y), end]
            return Line(wire, routes.rounded(corners), dict(_STATE))
        attributes = dict(_STATE) if cells else {}
        if wire.source.kind == "weight":
            attributes = {"color": palette.WEIGHT, "style": "dashed"}
        elif "gap" in (wire.source.kind, wire.target.kind):
            attributes["style"] = "dotted"
        label = None
        if cells:
            # A last state leaves the frame around the cells: its label stands beyond it. Others leave room for gutters.
            shift = 6 if ends else -2 - self._scene.gutters / 2
            x = (start[0] + end[0]) / 2 + (shift if ahead else -shift)
            label = Label(self._scene.state_label(wire), x, y + 7, (wire.tensor,))
        return Line(wire, routes.rounded(corners), attributes, label)

    def _beside(self, unit: Unit) -> int | range | str | None:
        """Return which column a unit stands in; that of a first or last state is one beside the timesteps."""
        slot = self._scene.slots.get(unit)
        return None if slot is None else slot.at

    def _column(self, unit: Unit) -> int | None:
        slots = self._scene.slots
        return self._columns[slots[unit]] if unit in slots else None

    def _is_carried(self, wire: Wire) -> bool:
        """Say whether a wire brings something from another timestep to an operator, or to a cell whose state it is not."""
        scene = self._scene
        source, target = self._column(wire.source), self._column(wire.target)
        given = wire.source.kind == "input" and wire.source not in scene.begins
        beside = given or wire.source.kind == "weight" or self._beside(wire.target) in (LAST, LAST_BACKWARD)
        if beside or source is None or target is None or source == target:
            return False
        if scene.contraction.opened:
            starts_back = self._beside(wire.source) == FIRST_BACKWARD
            return starts_back or source < target or scene.contraction.states.is_along(wire)
        return scene.is_fed_back(wire)

    def _carried(self, wires: list[Wire]) -> Iterator[Line]:
        """Yield the wires that run over the top of one column, down between two, and up from below."""
        lanes: dict[tuple[Slot, bool], list[Tensor]] = {}
        _scene, opened = self._scene, self._scene.contraction.opened
        sides = Sides(self._scene, self._layout, wires)
        for wire in wires:
            slot = self._scene.slots[wire.target]
            ahead = (self._column(wire.source) or 0) < (self._column(wire.target) or 0)
            tensors = lanes.setdefault((slot, ahead), [])
            if wire.tensor not in tensors:
                tensors.append(wire.tensor)
            lane = tensors.index(wire.tensor)
            source, target = self._place(wire.source), self._place(wire.target)
            start, end = (
                (self._ends.leaves[wire.source, wire.tensor], source.top),
                (self._ends.arrives[wire], target.bottom),
            )
            column = self._layout.columns[slot]
            away = (22 if opened else 10) + 7 * lane
            gutter = column.left - away if ahead else column.right + away
            attributes = dict(_STATE) if opened and wire.target.cell is not None else {}
            if "gap" in (wire.source.kind, wire.target.kind):
                attributes["style"] = "dotted"
            over = under = 9.0 + 3 * lane
            level = self._scene.level
            if self._scene.shown.sides:
                over += self._layout.bands[level(wire.source)].top - source.top + (0 if ahead else _BACKWARD)
                under += target.bottom - self._layout.bands[level(wire.target)].bottom + (0 if ahead else _BACKWARD)
            if not opened:
                over += self._layout.bands[level(wire.source)].top - source.top
                under += target.bottom - self._layout.bands[level(wire.target)].bottom
                under += self._depths.get(level(wire.target), -4.0)
            out, into = sides.of(wire, wire.source, lane), sides.of(wire, wire.target, lane)
            leaves = (source.right if ahead else source.left, source.y + (out or 0.0))
            enters = (target.left if ahead else target.right, target.y + (into or 0.0))
            head = [start, (start[0], start[1] + over), (gutter, start[1] + over)]
            tail = [(gutter, end[1] - under), (end[0], end[1] - under), end]
            if out is not None and sides.is_free(wire, leaves, (gutter, leaves[1])):
                head = [leaves, (gutter, leaves[1])]
            if into is not None:
                tail = [(gutter, enters[1]), enters]
            level_on = head[0] == leaves and tail[-1] == enters and abs(leaves[1] - enters[1]) < 1
            corners = [leaves, enters] if level_on else [*head, *tail]
            label = None
            if wire.source.is_closed:
                at = ((leaves[0] + (enters[0] if level_on else gutter)) / 2, head[-1][1])
                label = self._name_of_made(wire, at)
            if not opened and "gap" not in (wire.source.kind, wire.target.kind):
                text = self._scene.shape(wire)
                label = Label(text, end[0] - 5 - text_width(text, TEXT) / 2, end[1] - under + 7, (wire.tensor,))
            yield Line(wire, routes.rounded(corners), attributes, label)

    def _handed_on(self, wire: Wire) -> Line:
        """Draw a state that leaves beside one cell, runs back under the row of another, and enters beside that."""
        scene = self._scene
        source, target = self._place(wire.source), self._place(wire.target)
        backward = scene.contraction.states.backward
        out, into = (-1 if unit.row in backward else 1 for unit in (wire.source, wire.target))
        place, count = scene.lane_place(wire)
        y = target.y + scene.lane(wire)
        start = (source.x + out * source.width / 2, source.y + scene.lane(wire))
        column = self._layout.columns[scene.slots[wire.source]]
        gutter = column.x + out * (column.width / 2 + 12 + 6 * place)
        side = target.x - into * (target.width / 2 + 16 + 6 * (count - 1 - place))
        level = scene.level(wire.target)
        channel = self._layout.bands[level].bottom - self._depths.get(level, 0.0) - 30 - 6 * (count - 1 - place)
        end = (target.x - into * target.width / 2, y)
        corners = [start, (gutter, start[1]), (gutter, channel), (side, channel), (side, y), end]
        text = scene.state_label(wire)
        label = Label(text, gutter - out * (12 + text_width(text, TEXT) / 2), channel + 7, (wire.tensor,))
        return Line(wire, routes.rounded(corners), dict(_STATE), label)

    def _rising(self, wire: Wire) -> Line:
        source, target = self._place(wire.source), self._place(wire.target)
        low, high = self._scene.level(wire.source), self._scene.level(wire.target)
        attributes = {"style": "dotted"} if "gap" in (wire.source.kind, wire.target.kind) else {}
        sideways = enters_sideways(self._scene, wire)
        if sideways:
            attributes |= _STATE
        if low >= high:
            points = routes.sideways((source.right, source.y + 8), (target.left, target.y - 8))
            return Line(wire, points, attributes)
        start = self._rises_from(wire, source)
        y = target.y + self._scene.lane(wire)
        # A cell that walks backward begins at its right.
        side, ahead = (
            (target.right, -1) if wire.target.row in self._scene.contraction.states.backward else (target.left, 1)
        )
        corner = (side - ahead * (24 + 0.3 * (target.top - y)), y)
        end = (corner[0], target.bottom - 4) if sideways else (self._ends.arrives[wire], target.bottom)
        lean = 0.35 if self._ends.into.get(wire.target, 1) == 1 else 0.8
        bands, rows = self._layout.bands[low + 1 : high], [self._row(level) for level in range(low + 1, high)]
        # Beside a loop, which is tall, lines run straight.
        leave = (start[0], self._layout.bands[low].top if low in self._tall else start[1])
        arrive = (end[0], self._layout.bands[high].bottom if high in self._tall and not sideways else end[1])
        leave = leave if leave[1] > start[1] + 1 else start
        arrive = arrive if arrive[1] < end[1] - 1 else end
        points = routes.through(leave, arrive, bands, rows, lean)
        points = [*([start, start, leave] if leave != start else []), *points]
        points += routes.straight(arrive, end)[1:] if arrive != end else []
        if sideways:
            points += [(end[0], y), (end[0], y), (side, y)]
        opened = self._scene.contraction.opened and wire.source.kind != "input"
        opened = opened or "loop" in (wire.source.kind, wire.target.kind)  # shapes stand at its ports
        if wire.source.kind != "gap" and wire.target.kind != "gap" and not opened:
            return Line(wire, points, attributes, self._rising_label(wire, start, end, sideways))
        if wire.source.is_closed and wire.target.kind == "op":
            return Line(wire, points, attributes, self._name_of_made(wire, (start[0] + 10, start[1] + 6)))
        return Line(wire, points, attributes, self._name_of_read(wire, end))

    def _name_of_made(self, wire: Wire, at: Point) -> Label | None:
        """Return the name of what a closed cell makes, over a point of its line: formulas call it so."""
        states = self._scene.contraction.states
        name = states.tensors.label(wire.tensor) or states.called(wire.tensor)
        # What only its place in a nest tells from others is called nothing.
        return Label(name, at[0], at[1] + 7, (wire.tensor,)) if name != "state" else None

    def _name_of_read(self, wire: Wire, end: Point) -> Label | None:
        """Return the name of what arrives at an operator, where that which gives it its name has no box."""
        name = "" if wire.read is None else self._scene.contraction.states.tensors.label(wire.read)
        if not name or wire.target.kind != "op":
            return None
        text = f"{name} {self._scene.shape(wire)}"
        depth = self._depths.get(self._scene.level(wire.target), 0.0)
        return Label(text, end[0] + 5 + text_width(text, TEXT) / 2, end[1] - depth - 14, (wire.tensor,))

    def _rises_from(self, wire: Wire, source: Rectangle) -> Point:
        """Return where a wire leaves what is under it: at the top; at the side where first states stand over one another."""
        beside, over = self._beside(wire.source), list[Rectangle]()
        if beside in (FIRST, FIRST_BACKWARD):
            slots, level = self._scene.slots, self._scene.level(wire.source)
            column = [
                unit for unit, slot in slots.items() if slot == slots[wire.source] and self._scene.level(unit) == level
            ]
            over = [place for place in map(self._place, column) if place.bottom > source.top]
        if not over:
            return self._ends.leaves[wire.source, wire.tensor], source.top
        if beside == FIRST:
            return max(source.right, *(place.right + _CLEAR for place in over)), source.y
        return min(source.left, *(place.left - _CLEAR for place in over)), source.y

    def _row(self, level: int) -> Gaps:
        """Return what is taken of a level by boxes, and by the lines that pass between them."""
        if level not in self._rows:
            self._rows[level] = Gaps(self._taken.get(level, ()), routes.CLEAR)
        return self._rows[level]

    def _rising_label(self, wire: Wire, start: Point, end: Point, sideways: bool) -> Label | None:
        """Return the shape beside a wire: at its end where it arrives alone, else once at its beginning."""
        text = self._scene.state_label(wire) if sideways else self._scene.shape(wire)
        half, low = text_width(text, TEXT) / 2, self._scene.level(wire.source)
        of = (wire.tensor,) if sideways else (wire.tensor, wire.source, wire.target)
        if sideways or self._ends.into.get(wire.target, 1) > 1:
            key = (wire.source, wire.tensor)
            if key in self._labelled:
                return None
            self._labelled.add(key)
            # Over the frame around the highest row of cells; within it, near the cell: above, others arrive.
            lift = 28 if wire.source.row is not None and low == self._highest.get(_frame_of(wire.source), low) else 10
            if sideways:
                lift = 8 + 26 * (self._scene.lane(wire) < 0)
            x = start[0] - 6 - half if end[0] > start[0] + 20 else start[0] + 6 + half
            return Label(text, x, start[1] + lift, of)
        depth = self._depths.get(self._scene.level(wire.target), 0.0)
        # The label stands on the side that the line does not come from.
        x = end[0] - 5 - half if start[0] > end[0] + 20 else end[0] + 5 + half
        if depth or wire.target.row is not None:
            return Label(text, x, end[1] - depth - 10, of)
        straight = abs(start[0] - end[0]) < 1 and wire.source.row is None
        return Label(text, x, (start[1] + end[1]) / 2 if straight else end[1] - 15, of)


def _frame_of(unit: Unit) -> str:
    """Return the scope that the frame around a cell is drawn for."""
    return (unit.row or "").partition("/")[0]


def _drawn_once(wire: Wire) -> tuple[object, ...]:
    """Return a key that is equal for wires that are one line; one that enters a loop twice has two ports there."""
    return (wire.source, wire.target, wire.tensor, wire.role[1] if wire.target.kind == "loop" else None)
