"""At how many steps a weight is used, also where a pass has put what is computed from weights in between."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.parameter import Parameter
from unroll.tensor import Constant
from unroll.viz.contraction import Contraction
from unroll.viz.units import Unit


def steps_of(contraction: Contraction, readers: Sequence[Unit]) -> int:
    """Return at how many steps what some units read is used; 0 where it is used at no step, too.

    What computes with weights alone, such as a Slice of a kernel, uses none: those do that read what it makes.
    """
    reads: dict[Unit, list[Unit]] = {}
    for wire in contraction.wires:
        reads.setdefault(wire.source, []).append(wire.target)
    of_weights: dict[Unit, bool] = {}
    made = {tensor: unit for unit in contraction.units for node in unit.nodes for tensor in node.outputs}
    for unit in contraction.in_order():
        inputs = [tensor for node in unit.nodes for tensor in node.inputs if tensor is not None]
        of_weights[unit] = unit.kind == "op" and all(
            isinstance(tensor, (Parameter, Constant)) or of_weights.get(made.get(tensor, unit), False)
            for tensor in inputs
        )
    steps: set[tuple[int, int]] = set()
    met: dict[Unit, None] = dict.fromkeys(readers)
    waiting = list(met)
    while waiting:
        unit = waiting.pop()
        if of_weights.get(unit):
            later = [item for item in reads.get(unit, ()) if item not in met]
            met |= dict.fromkeys(later)
            waiting += later
        elif unit.step is None:
            return 0
        else:
            steps.add((unit.phase, unit.step))
    return len(steps)
