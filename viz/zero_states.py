"""States of zeros: the operators that make them, those that only work out their shape, and the marks that stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unroll.graph import Graph
from unroll.ops.filling import ConstantOfShape
from unroll.ops.shaping import Expand
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.states import States
from unroll.viz.units import Unit, Wire


def is_zero(node: Node) -> bool:
    """Say whether a node makes zeros alone, as programs and files write a first state."""
    if isinstance(node.op, Expand):
        first = node.inputs[0]
        return isinstance(first, Constant) and not first.value.any()
    return isinstance(node.op, ConstantOfShape) and node.op.value == 0


def zero_helpers(graph: Graph) -> set[Node]:
    """Return the nodes that only work out the shape of a state of zeros."""
    used: set[Tensor] = set(graph.outputs)
    helpers: set[Node] = set()
    for node in reversed(graph.nodes):
        if is_zero(node):
            continue
        if any(tensor in used for tensor in node.outputs):
            used.update(tensor for tensor in node.inputs if tensor is not None)
        else:
            helpers.add(node)
    return helpers


def marks_apart(units: Sequence[Unit], wires: Sequence[Wire], states: States) -> tuple[list[Unit], list[Wire]] | None:
    """Give each state of each cell that begins with zeros a mark of its own, as files have one tensor of zeros for them all.

    Returns:
        The units and wires with those marks; None where no zeros are shared.
    """
    begun: dict[Unit, dict[tuple[str, str], Unit]] = {}
    led: list[Wire] = []
    for wire in wires:
        cell, zero = wire.target.cell, wire.source
        if zero.kind != "zero" or cell is None or not (states.reads(wire) or states.brings(wire)):
            led.append(wire)
            continue
        # Where every operator is shown, one mark says the shape of all states of a cell.
        key = (cell, states.name(wire) if wire.target.row is not None else "")
        marks = begun.setdefault(zero, {})
        if key not in marks:
            marks[key] = replace(zero, id=f"{zero.id}_{len(marks)}") if marks else zero
        led.append(replace(wire, source=marks[key]))
    if all(len(marks) < 2 for marks in begun.values()):
        return None
    return [mark for unit in units for mark in {unit: None, **dict.fromkeys(begun.get(unit, {}).values())}], led
