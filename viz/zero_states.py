"""States of zeros: the operators that make them, those that only work out their shape, and the marks that stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from unroll.graph import Graph
from unroll.ops.convolution import Conv
from unroll.ops.filling import ConstantOfShape
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.shaping import Expand
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.states import States
from unroll.viz.units import BEFORE_STEPS, Unit, Wire


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
        if not used.isdisjoint(node.outputs):
            used.update([tensor for tensor in node.inputs if tensor is not None])
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
    begins, called = _as_states(wires, states)
    for wire in begins:
        cell, zero = wire.target.cell, wire.source
        if zero.kind != "zero" or cell is None or not (states.reads(wire) or states.brings(wire)):
            led.append(wire)
            continue
        # Where every operator is shown, one mark says the shape of all states of a cell.
        key = (cell, called.get(wire, states.name(wire)) if wire.target.row is not None else "")
        marks = begun.setdefault(zero, {})
        if key not in marks:
            marks[key] = replace(zero, id=f"{zero.id}_{len(marks)}") if marks else zero
        led.append(replace(wire, source=marks[key]))
    if begins == list(wires) and all(len(marks) < 2 for marks in begun.values()):
        return None
    return [mark for unit in units for mark in {unit: None, **dict.fromkeys(begun.get(unit, {}).values())}], led


def one_mark_a_box(units: Sequence[Unit], wires: Sequence[Wire]) -> tuple[list[Unit], list[Wire]]:
    """Let a closed cell among opened ones begin with one mark for all its states of zeros."""
    readers: dict[Unit, list[Unit]] = {}
    for wire in wires:
        if wire.source.kind == "zero":
            readers.setdefault(wire.source, []).append(wire.target)
    marks: dict[Unit, Unit] = {}
    led: dict[Unit, Unit] = {}
    for zero, targets in readers.items():
        if targets[0].is_closed and all(target is targets[0] for target in targets):
            led[zero] = marks.setdefault(targets[0], zero)
    for mark in marks.values():
        mark.tensor, mark.step = None, BEFORE_STEPS
    kept = [wire for wire in wires if led.get(wire.source, wire.source) is wire.source]
    first = {(wire.source, wire.target): wire for wire in reversed(kept) if wire.source in led}
    return (
        [unit for unit in units if led.get(unit, unit) is unit],
        [wire for wire in kept if wire.source not in led or first[wire.source, wire.target] is wire],
    )


def begins_with(reads: Sequence[Wire], wires: Iterable[Wire], states: States) -> bool:
    """Say whether a weight is what a cell begins with, as files keep first states: it is read as a state alone, or it has the
    shape of what the cell hands on, and nothing else is there to begin with. What multiplies by it is no step's beginning.

    Args:
        reads: the wires by which cells read it.
        wires: what flows between units.
        states: what the cells hand on.
    """
    if all(states.reads(wire) or states.brings(wire) for wire in reads):
        return True
    cells = {wire.target.cell for wire in reads}
    if len(cells) > 1 or any(_is_multiplied(wire) for wire in reads):
        return False
    ends = {wire.target for wire in wires if wire.source.cell == wire.target.cell and wire.tensor in states.handed}
    handed = [wire.tensor for wire in wires if wire.target in ends and wire.target.cell in cells]
    begins = {wire.target for wire in reads} - ends
    brought = any(wire.target in begins and states.reads(wire) for wire in wires)
    shapes = {tensor.shape for tensor in handed if tensor in states.handed}
    return len(begins) == 1 and not brought and reads[0].tensor.shape in shapes


def _is_multiplied(wire: Wire) -> bool:
    read = (node for node in wire.target.nodes if wire.tensor in node.inputs)
    return any(isinstance(node.op, (Conv, Gemm, MatMul)) for node in read)


def _as_states(wires: Sequence[Wire], states: States) -> tuple[list[Wire], dict[Wire, str]]:
    """Return the wires with first states, zeros or others, that the box of a cell begins with as all its states of that width,
    where it reads them once for all; those that it reads beside states that are handed on, as what stands in rows that have
    ended, are left out. And what the states of the first are called.
    """
    handed: dict[str, dict[str, Wire]] = {}
    known = set()  # where a state is read that says itself which it is
    later = set()
    for wire in wires:
        row = wire.target.row
        if row is not None and wire.source.row == row and wire.tensor in states.handed:
            handed.setdefault(row, {}).setdefault(states.called(wire.tensor), wire)
            known.add((row, wire.role))
            later.add(wire.target)
    led: list[Wire] = []
    called: dict[Wire, str] = {}
    for wire in wires:
        row = wire.target.row or ""
        if wire.source.kind not in ("zero", "constant") or row not in handed or (row, wire.role) in known:
            led.append(wire)
        elif wire.target not in later:
            alike = {name: one for name, one in handed[row].items() if one.tensor.shape[-1:] == wire.tensor.shape[-1:]}
            first = {replace(wire, role=one.role): name for name, one in alike.items()}
            led += first or [wire]
            called |= first
    return led, called
