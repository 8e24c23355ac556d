"""Where wires leave the tops of boxes and reach their bottoms, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.tensor import Tensor
from unroll.viz import routes
from unroll.viz.placement import Layout
from unroll.viz.scene import Scene
from unroll.viz.units import Unit, Wire


class Ends:
    """The ends of wires that rise.

    Args:
        scene: the units and wires.
        layout: where the units stand.
        wires: those that rise.

    Attributes:
        leaves: how far right each tensor leaves a unit.
        arrives: how far right each wire arrives.
        into: from how many units wires arrive at each.
    """

    def __init__(self, scene: Scene, layout: Layout, wires: Sequence[Wire]) -> None:
        self.leaves: dict[tuple[Unit, Tensor], float] = {}
        self.arrives: dict[Wire, float] = {}
        self.into: dict[Unit, int] = {}
        out: dict[Unit, dict[Tensor, float]] = {}
        into: dict[Unit, list[Wire]] = {}
        for wire in wires:
            out.setdefault(wire.source, {}).setdefault(wire.tensor, layout.places[wire.target].x)
            if not enters_sideways(scene, wire):
                into.setdefault(wire.target, []).append(wire)
        for unit, tensors in out.items():
            place = layout.places[unit]
            # The outputs of a Split leave as a bundle.
            offsets = routes.spread(len(tensors), place.width, 14 if len(tensors) < 3 else 0)
            for tensor, offset in zip(sorted(tensors, key=tensors.__getitem__), offsets, strict=True):
                self.leaves[unit, tensor] = place.x + offset
        for unit, ends in into.items():
            place = layout.places[unit]
            self.into[unit] = len({wire.source for wire in ends})
            ends.sort(key=lambda wire: layout.places[wire.source].x)
            for wire, offset in zip(ends, routes.spread(len(ends), place.width, 12), strict=True):
                self.arrives[wire] = place.x + offset
        self._tie_ports(scene, layout, wires)

    def _tie_ports(self, scene: Scene, layout: Layout, wires: Sequence[Wire]) -> None:
        """Let wires leave and reach loops at their ports, where their names stand."""
        for wire in wires:
            source, target = (scene.ported.get(unit) for unit in (wire.source, wire.target))
            if source is not None and wire.tensor in source.out:
                self.leaves[wire.source, wire.tensor] = layout.places[wire.source].x + source.out[wire.tensor]
            if target is not None and wire.role[1] in target.into and wire in self.arrives:
                self.arrives[wire] = layout.places[wire.target].x + target.into[wire.role[1]]


def enters_sideways(scene: Scene, wire: Wire) -> bool:
    """Say whether a wire is a state that comes from another level, such as an encoder's last one."""
    return scene.contraction.is_state(wire) and wire.source.kind != "gap"
