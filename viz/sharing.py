"""Which operators share one box: those that one formula says, where nobody else reads what they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.linear import Gemm, MatMul
from unroll.tensor import Node
from unroll.viz.gates import Gates
from unroll.viz.node_formulas import SEVERAL, Formulas
from unroll.viz.tensor_names import TensorNames
from unroll.viz.units import Group, Unit


def shared_boxes(graph: Graph, units: Iterable[Unit], names: TensorNames, gates: Gates) -> list[Group]:
    """Return the operators that share a box, the last one first: its formula says all of them.

    Args:
        graph: the graph.
        units: the operators, each a unit, those before others first.
        names: what tensors are called; what has a name keeps its box.
        gates: the gates of the cells: operators of two gates share no box.
    """
    places = {unit.nodes[0]: unit for unit in units if unit.kind == "op"}
    readers = _readers(graph)
    through = {node for node in places if _is_preactivation(node, names, readers)}
    beside: dict[tuple[str | None, int | None], set[Node]] = {}
    for node, unit in places.items():
        beside.setdefault((unit.cell, unit.step), set()).add(node)
    taken: set[Node] = set()
    groups: list[Group] = []
    for node in reversed(places):
        unit = places[node]
        near = beside[unit.cell, unit.step]
        formulas = Formulas(names, SEVERAL, through, near)
        if node in taken or len(node.outputs) > 1 or not formulas.of(node).whole:
            continue
        held = {node: None}
        color = gates.fill(node)
        inner = formulas.inlined(node)
        for _ in inner:  # what is read in two places is met before the second of them
            before = len(held)
            for one in inner:
                if one in held or one in taken or readers.get(one) is None:
                    continue
                alike = gates.fill(one) in (None, color) and not gates.held(one)
                if alike and held.keys() >= readers[one]:
                    held[one] = None
            if len(held) == before:
                break
        while len(held) > 1:  # without what keeps its own box, the formula may be too bare to say all of these
            said = Formulas(names, SEVERAL, [*held][1:], held).inlined(node)
            if held.keys() == {node, *said}:
                break
            held = {node: None, **dict.fromkeys(said)}
        if len(held) > 1:
            taken.update(held)
            groups.append(Group("op", list(held), unit.step, unit.cell))
    return groups


def _is_preactivation(node: Node, names: TensorNames, readers: Mapping[Node, set[Node]]) -> bool:
    """Say whether a node makes what only the function of a gate reads: its name is worth no box where there is little room."""
    summed = isinstance(node.op, (Add, Gemm, MatMul)) and len(readers.get(node, ())) == 1
    return summed and names.label(node.outputs[0]).startswith("z_")


def _readers(graph: Graph) -> Mapping[Node, set[Node]]:
    """Return who reads each node; nothing of one that a user reads too."""
    found: dict[Node, set[Node]] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            if tensor is not None and tensor.node is not None:
                found.setdefault(tensor.node, set()).add(node)
    for tensor in graph.outputs:
        if tensor.node is not None:
            found.pop(tensor.node, None)
    return found
