"""At how many steps a weight is used, also where a pass has put what is computed from weights in between; and what biases are
added to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.linear import Gemm, MatMul
from unroll.parameter import Parameter
from unroll.tensor import Node
from unroll.viz.contraction import Contraction
from unroll.viz.units import Unit
from unroll.viz.weight_names import role_of


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


def sources_of_biases(graph: Graph, parameters: Sequence[Parameter]) -> dict[Parameter, str]:
    """Return of which source the product is that each bias is added to, of several that only operators name."""
    biases = {item for item in parameters if item.rank == 1 and role_of(item)}
    found: dict[Parameter, set[str]] = {}
    for node in graph.nodes if len(biases) > 1 else ():
        for place, item in enumerate(node.inputs[-2:], max(len(node.inputs) - 2, 0)):
            if isinstance(item, Parameter) and item in biases:
                product = node if isinstance(node.op, Gemm) else _other(node, place)
                found.setdefault(item, set()).add(_source(product))
    return {item: next(iter(sources)) for item, sources in found.items() if len(sources) == 1 and all(sources)}


def _other(node: Node, place: int) -> Node | None:
    """Return what makes the other operand of an Add."""
    other = node.inputs[1 - place] if isinstance(node.op, Add) else None
    return None if other is None else other.node


def _source(product: Node | None) -> str:
    weight = product.inputs[1] if product is not None and isinstance(product.op, (Gemm, MatMul)) else None
    rows = weight.blocks.rows if isinstance(weight, Parameter) and weight.blocks is not None else ()
    return rows[0][0] if len(rows) == 1 else ""


def _is_of(scope: str, weights: Collection[str]) -> bool:
    parts = scope.split("/")
    return any("/".join(parts[:count]) in weights for count in range(len(parts), 0, -1))
