"""Which outputs of a step are gates: the box of a gate, or a piece of a function of several gates at once."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.tensor import Node
from unroll.viz.gates import Gates
from unroll.viz.page.cell_boxes import CellBox
from unroll.viz.page.steps import Template

#: Of an activation, the numbers that it lies between.
BOUNDS = {"Sigmoid": (0.0, 1.0), "HardSigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0)}
_PASSING = ("Split", "Slice", "Identity", "Reshape", "Squeeze")


def find_gates(template: Template, boxes: Sequence[CellBox], gates: Gates, names: Sequence[str]) -> None:
    """Note in a template which of its outputs are gates, and call them so.

    Args:
        template: one step.
        boxes: its boxes.
        gates: the gates of the graph.
        names: those of the cell.
    """
    wanted = set(names)
    for box in boxes:
        if (
            box.kind == "gate"
            and box.gate in wanted
            and box.label == box.gate
            and box.gate not in template.gates.values()
        ):
            template.gates[box.last, 0] = box.gate
    for number, node in enumerate(template.nodes):
        held = gates.held(node) if node.op.name == "Split" and activation(template, number) in BOUNDS else []
        for output, (gate, _) in enumerate(held):
            if gate in wanted and gate not in template.gates.values():
                template.gates[number, output] = gate
                template.labels.setdefault((number, output), gate)


def activation(template: Template, number: int) -> str:
    """Return the operator that makes a gate, before what only cuts it."""
    node: Node | None = template.nodes[number]
    while node is not None and node.op.name in _PASSING:
        node = node.inputs[0].node if node.inputs[0] is not None else None
    return node.op.name if node is not None else template.nodes[number].op.name
