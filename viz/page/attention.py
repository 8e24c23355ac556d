"""Where the steps of a loop look back at all steps of an earlier one: the softmax whose weights the page shows as arcs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unroll.dimensions import known_size
from unroll.tensor import Node, Tensor
from unroll.viz.page.slots import Slot, Slots
from unroll.viz.page.steps import Loops, Row


class Attention(NamedTuple):
    """The weights of one loop over the steps of another.

    Attributes:
        row: the number of the loop that looks back.
        to: that of the loop whose steps it weighs.
        slot: where the weights are.
    """

    row: int
    to: int
    slot: int


def find_attention(loops: Loops, rows: Sequence[Row], slots: Sequence[Slots]) -> Iterator[Attention]:
    """Yield what attends to what, and add the slots of the weights.

    Args:
        loops: the loops of the graph.
        rows: these loops, in order.
        slots: the tensors of each.
    """
    for number, row in enumerate(rows):
        before = [at for at, other in enumerate(rows) if other.path and row.path and other.phase < row.phase]
        if not before:
            continue
        found: dict[int, dict[int, Tensor]] = {}
        for step, node in _at_steps(loops, row):
            if node.op.name != "Softmax" or step not in row.steps:
                continue
            count = _weighs(node)
            to = next((at for at in reversed(before) if len(rows[at].steps) == count), None)
            if to is not None:
                found.setdefault(to, {}).setdefault(step, node.outputs[0])
        for to, tensors in found.items():
            if len(tensors) == len(row.steps):
                slots[number].slots.append(Slot(batched=True, tensors=dict(sorted(tensors.items()))))
                yield Attention(number, to, len(slots[number].slots) - 1)
                break


def _at_steps(loops: Loops, row: Row) -> Iterator[tuple[int, Node]]:
    """Yield the operators of a loop and those that stand at its steps."""
    for step, nodes in row.steps.items():
        for node in nodes:
            yield step, node
    for unit in loops.contraction.units:
        if unit.kind == "op" and unit.phase == row.phase and unit.step is not None:
            for node in unit.nodes:
                yield unit.step, node


def _weighs(node: Node) -> int | None:
    """Return how many numbers a tensor has in one row of the batch; None where that is not known."""
    shape = node.outputs[0].shape[1:]
    return known_size(shape) if shape and all(isinstance(size, int) for size in shape) else None
