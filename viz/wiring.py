"""The wires of a picture: states run level, everything else rises, each with its shape beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from unroll.viz import palette, routes
from unroll.viz.dot_text import escaped, html_label, text_width
from unroll.viz.placement import AFTER, Layout, Rectangle
from unroll.viz.routes import Point
from unroll.viz.scene import Scene
from unroll.viz.units import Unit, Wire

from unroll.tensor import Tensor

#: The size of text on wires.
TEXT = 9.0


class Line(NamedTuple):
    """A wire as it is drawn: its curve and its attributes in DOT."""

    wire: Wire
    points: list[Point]
    attributes: dict[str, str]


class Wiring:
    """Draws the wires of a scene.

    Args:
        scene: the units and wires.
        layout: where the units stand.
        depths: for each level under which dashed lines run, how far below it they reach.
    """

    def __init__(self, scene: Scene, layout: Layout, depths: Mapping[int, float]) -> None:
        self._scene, self._layout, self._depths = scene, layout, depths
        wires = {(wire.source, wire.target, wire.tensor): wire for wire in reversed(scene.shown.wires)}
        self._wires = list(wires.values())[::-1]
        self._taken = layout.at_level(scene.shown.level)
        self._labelled: set[tuple[Unit, Tensor]] = set()
        self._leaves: dict[tuple[Unit, Tensor], float] = {}
        self._arrives: dict[Wire, float] = {}
        self._into: dict[Unit, int] = {}

    def lines(self) -> Iterator[Line]:
        """Yield every wire as a line."""
        opened = self._scene.contraction.opened
        carried = [wire for wire in self._wires if opened and self._is_carried(wire)]
        level = [wire for wire in self._wires if wire not in set(carried) and self._is_level(wire)]
        apart = {*carried, *level}
        rising = [wire for wire in self._wires if wire not in apart]
        self._tie([*rising, *carried])
        yield from (self._flat(wire) for wire in level)
        yield from self._carried(carried)
        yield from (self._rising(wire) for wire in rising)

    def _place(self, unit: Unit) -> Rectangle:
        return self._layout.places[unit]

    def _is_level(self, wire: Wire) -> bool:
        same = self._scene.level(wire.source) == self._scene.level(wire.target)
        return same and self._place(wire.source).right < self._place(wire.target).left

    def _flat(self, wire: Wire) -> Line:
        source, target = self._place(wire.source), self._place(wire.target)
        cells = wire.source.row is not None or wire.target.row is not None
        y = (target.y if wire.target.row is not None else source.y) + self._scene.lane(wire)
        start, end = (source.right, y), (target.left, y)
        if (
            self._scene.slots.get(wire.target) == AFTER and target.y > source.top
        ):  # a last state that stands above its row, so that others beside it have room
            corners = [(source.x, source.top), (source.x, target.y), (target.left, target.y)]
            return Line(wire, routes.rounded(corners), {"color": palette.STATE, "penwidth": "1.4"})
        attributes = {"color": palette.STATE, "penwidth": "1.4"} if cells else {}
        if wire.source.kind == "weight":
            attributes = {"color": palette.WEIGHT, "style": "dashed"}
        elif "gap" in (wire.source.kind, wire.target.kind):
            attributes["style"] = "dotted"
        if cells:
            # A last state leaves the frame around the cells: its label stands beyond it.
            shift = 6 if self._scene.slots.get(wire.target) == AFTER else -2
            attributes |= _label(self._scene.state_label(wire), (start[0] + end[0]) / 2 + shift, y + 7)
        return Line(wire, routes.straight(start, end), attributes)

    def _is_carried(self, wire: Wire) -> bool:
        """Say whether a wire brings an operator something from another timestep."""
        slots = self._scene.slots
        if wire.source.kind == "weight" or slots.get(wire.target) == AFTER:
            return False
        columns = list(self._layout.columns)
        ends = [columns.index(slots[unit]) if unit in slots else None for unit in (wire.source, wire.target)]
        return ends[0] is not None and ends[1] is not None and ends[0] < ends[1] and wire.source.kind != "input"

    def _carried(self, wires: list[Wire]) -> Iterator[Line]:
        """Yield the states of an opened picture: over the top of one column, down between two, and up from below."""
        lanes: dict[object, list[Tensor]] = {}
        for wire in wires:
            slot = self._scene.slots[wire.target]
            tensors = lanes.setdefault(slot, [])
            if wire.tensor not in tensors:
                tensors.append(wire.tensor)
            lane = tensors.index(wire.tensor)
            start = (self._leaves[wire.source, wire.tensor], self._place(wire.source).top)
            end = (self._arrives[wire], self._place(wire.target).bottom)
            gutter = self._layout.columns[slot].left - 22 - 7 * lane
            attributes = {"color": palette.STATE, "penwidth": "1.4"}
            if "gap" in (wire.source.kind, wire.target.kind):
                attributes["style"] = "dotted"
            clear = 9.0 + 3 * lane
            if wire.target.kind == "gap":
                gap = self._place(wire.target)
                y = gap.y + 12 * lane
                corners = [start, (start[0], start[1] + clear), (gutter, start[1] + clear), (gutter, y), (gap.left, y)]
            elif wire.source.kind == "gap":
                gap = self._place(wire.source)
                y = gap.y + 12 * lane
                corners = [(gap.right, y), (gutter, y), (gutter, end[1] - clear), (end[0], end[1] - clear), end]
            else:
                corners = routes.around(start, gutter, end, clear)
            yield Line(wire, routes.rounded(corners), attributes)

    def _tie(self, wires: list[Wire]) -> None:
        """Decide where on the top of its source and on the bottom of its target each wire is tied."""
        out: dict[Unit, dict[Tensor, float]] = {}
        into: dict[Unit, list[Wire]] = {}
        for wire in wires:
            out.setdefault(wire.source, {}).setdefault(wire.tensor, self._place(wire.target).x)
            if not self._enters_sideways(wire):
                into.setdefault(wire.target, []).append(wire)
        for unit, tensors in out.items():
            place = self._place(unit)
            # What a Split makes leaves as a bundle.
            offsets = routes.spread(len(tensors), place.width, 14 if len(tensors) < 3 else 0)
            for tensor, offset in zip(sorted(tensors, key=tensors.__getitem__), offsets, strict=True):
                self._leaves[unit, tensor] = place.x + offset
        for unit, ends in into.items():
            place = self._place(unit)
            self._into[unit] = len({wire.source for wire in ends})
            ends.sort(key=lambda wire: self._place(wire.source).x)
            for wire, offset in zip(ends, routes.spread(len(ends), place.width, 12), strict=True):
                self._arrives[wire] = place.x + offset

    def _enters_sideways(self, wire: Wire) -> bool:
        """Say whether a wire is a state that comes from another level, such as an encoder's last one."""
        return self._scene.contraction.is_state(wire) and wire.source.kind != "gap"

    def _rising(self, wire: Wire) -> Line:
        source, target = self._place(wire.source), self._place(wire.target)
        low, high = self._scene.level(wire.source), self._scene.level(wire.target)
        attributes = {"style": "dotted"} if "gap" in (wire.source.kind, wire.target.kind) else {}
        sideways = self._enters_sideways(wire)
        if sideways:
            attributes |= {"color": palette.STATE, "penwidth": "1.4"}
        if low >= high:
            points = routes.sideways((source.right, source.y + 8), (target.left, target.y - 8))
            return Line(wire, points, attributes)
        start = (self._leaves[wire.source, wire.tensor], source.top)
        y = target.y + self._scene.lane(wire)
        corner = (target.left - 24 - 0.3 * (target.top - y), y)
        end = (corner[0], target.bottom - 4) if sideways else (self._arrives[wire], target.bottom)
        lean = 0.35 if self._into.get(wire.target, 1) == 1 else 0.8
        bands, taken = self._layout.bands[low + 1 : high], self._levels_between(low, high)
        points, passes = routes.through(start, end, bands, taken, lean)
        for level, passed in zip(range(low + 1, high), passes, strict=True):
            self._taken[level] = sorted([*self._taken.get(level, []), passed])
        if sideways:
            points += [(end[0], y), (end[0], y), (target.left, y)]
        opened = self._scene.contraction.opened and wire.source.kind != "input"
        if wire.source.kind != "gap" and wire.target.kind != "gap" and not opened:
            attributes |= self._rising_label(wire, start, end, sideways)
        return Line(wire, points, attributes)

    def _levels_between(self, low: int, high: int) -> list[list[Rectangle]]:
        return [self._taken.get(level, []) for level in range(low + 1, high)]

    def _rising_label(self, wire: Wire, start: Point, end: Point, sideways: bool) -> dict[str, str]:
        """Return the shape beside a wire: at its end where it arrives alone, else once at its beginning."""
        text = self._scene.state_label(wire) if sideways else self._scene.shape(wire)
        half = text_width(text, TEXT) / 2
        if sideways or self._into.get(wire.target, 1) > 1:
            key = (wire.source, wire.tensor)
            if key in self._labelled:
                return {}
            self._labelled.add(key)
            lift = 28 if wire.source.row is not None else 10
            if sideways:
                lift = 8 + 26 * (self._scene.lane(wire) < 0)
            x = start[0] - 6 - half if end[0] > start[0] + 20 else start[0] + 6 + half
            return _label(text, x, start[1] + lift)
        depth = self._depths.get(self._scene.level(wire.target), 0.0)
        # The label stands on the side that the line does not come from.
        x = end[0] - 5 - half if start[0] > end[0] + 20 else end[0] + 5 + half
        if depth or wire.target.row is not None:
            return _label(text, x, end[1] - depth - 10)
        straight = abs(start[0] - end[0]) < 1 and wire.source.row is None
        return _label(text, x, (start[1] + end[1]) / 2 if straight else end[1] - 15)


def _label(text: str, x: float, y: float) -> dict[str, str]:
    return {"label": html_label(escaped(text)), "lp": f"{x:.1f},{y:.1f}"}
