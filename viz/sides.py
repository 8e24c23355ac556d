"""Where wires leave and enter the sides of boxes among operators: of gaps, and of cells that stay closed."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.tensor import Tensor
from unroll.viz.placement import Layout
from unroll.viz.routes import Point
from unroll.viz.scene import Scene
from unroll.viz.units import Unit, Wire

# How far from one another states run that leave and enter closed cells, and gaps.
_LANE, _AT_GAPS = 16.0, 12.0


class Sides:
    """The ends of wires that go from one column to another.

    Args:
        scene: the units and wires.
        layout: where the units stand.
        wires: those wires.
    """

    def __init__(self, scene: Scene, layout: Layout, wires: Sequence[Wire]) -> None:
        self._places = layout.places
        found: dict[tuple[Unit, bool], list[Tensor]] = {}
        for wire in wires:
            for unit in (wire.source, wire.target):
                if unit.is_closed and not wire.source.is_mark:
                    tensors = found.setdefault((unit, unit is wire.source), [])
                    tensors += [wire.tensor] if wire.tensor not in tensors else []
        called = scene.contraction.states.called
        # What leaves and enters closed cells, from the top, by names.
        self._through = {key: sorted(tensors, key=called) for key, tensors in found.items()}

    def of(self, wire: Wire, unit: Unit, lane: int) -> float | None:
        """Return how far above the middle of a box a wire leaves or enters at its side; None where it does not do so there."""
        if unit.kind == "gap":
            return _AT_GAPS * lane
        if not (unit.is_closed or unit.is_mark):
            return None
        tensors = self._through.get((unit, unit is wire.source), [])
        if unit.is_mark or wire.source.is_mark or wire.tensor not in tensors:
            return 0.0
        return _LANE * ((len(tensors) - 1) / 2 - tensors.index(wire.tensor))

    def is_free(self, wire: Wire, start: Point, end: Point) -> bool:
        """Say whether no other box stands between two points of one height."""
        left, right = sorted((start[0], end[0]))
        return not any(
            place.left < right and left < place.right and place.bottom < start[1] < place.top
            for unit, place in self._places.items()
            if unit is not wire.source and unit is not wire.target
        )
