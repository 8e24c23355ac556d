"""At how many steps a weight is used, also where a pass has put what is computed from weights in between."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from unroll.viz.contraction import Contraction
from unroll.viz.units import Unit


class WeightUses:
    """Where the weights of a picture are used.

    What a pass has computed from weights alone, such as a Slice of a kernel, uses none: those do that read it. It stands in the
    scope that is called as the weight.
    """

    def __init__(self, contraction: Contraction) -> None:
        names = set(contraction.graph.parameters)
        self._reads: dict[Unit, list[Unit]] = {}
        for wire in contraction.wires:
            self._reads.setdefault(wire.source, []).append(wire.target)
        self._of_weights = {
            unit for unit in contraction.units if unit.nodes and _is_of(unit.nodes[0].origin.scope, names)
        }

    def steps_of(self, readers: Sequence[Unit]) -> int:
        """Return at how many steps what some units read is used; 0 where it is used at no step, too."""
        steps: set[tuple[int, int]] = set()
        met: dict[Unit, None] = dict.fromkeys(readers)
        waiting = list(met)
        while waiting:
            unit = waiting.pop()
            if unit in self._of_weights:
                later = [item for item in self._reads.get(unit, ()) if item not in met]
                met |= dict.fromkeys(later)
                waiting += later
            elif unit.step is None:
                return 0
            else:
                steps.add((unit.phase, unit.step))
        return len(steps)


def _is_of(scope: str, weights: Collection[str]) -> bool:
    parts = scope.split("/")
    return any("/".join(parts[:count]) in weights for count in range(len(parts), 0, -1))
