"""Which outputs of a step are gates: the box of a gate, or a piece of a function of several gates at once."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.viz.gates import Gates
from unroll.viz.page.activations import BOUNDS, activation
from unroll.viz.page.cell_boxes import CellBox
from unroll.viz.page.rows import Template


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
