"""Where the steps of a loop look back at all steps of an earlier one, or at the last ones of their own: the softmax whose
weights the page shows as arcs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unroll.dimensions import known_size
from unroll.tensor import Node, Tensor
from unroll.viz.page.rows import Row, Template
from unroll.viz.page.slots import Slot, Slots
from unroll.viz.page.steps import Loops


class Attention(NamedTuple):
    """The weights of one loop over the steps of another, or over its own.

    Attributes:
        row: the number of the loop that looks back.
        to: that of the loop whose steps it weighs.
        slot: where the weights are.
        past: over how many of its own last steps; 0 of another loop's.
    """

    row: int
    to: int
    slot: int
    past: int = 0


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
            yield from _over_own_past(number, row, slots[number])
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


def _over_own_past(number: int, row: Row, slots: Slots) -> Iterator[Attention]:
    """Yield the weights of a loop over its own last steps, whose outputs a state holds side by side."""
    window = next((found for template in row.templates if (found := _window(template)) is not None), None)
    if window is None:
        return
    name, past = window
    places = dict[int, None]()
    for at, template in enumerate(row.templates):
        weights = [place for place, node in enumerate(template.nodes) if node.op.name == "Softmax"]
        held = next((tensor for tensor, source in template.sources.items() if source.name == name), None)
        if held is None or len(weights) != 1 or _weighs(template.nodes[weights[0]]) != past:
            return
        if not _weighed(template, template.nodes[weights[0]].outputs[0], held):
            return
        places[slots.outputs[at][weights[0], 0]] = None
    if len(places) == 1:
        yield Attention(number, number, next(iter(places)), past)


def _window(template: Template) -> tuple[str, int] | None:
    """Return a state that is the last outputs side by side, and how many: the oldest is cut off, the newest joined on."""
    place = {node: at for at, node in enumerate(template.nodes)}
    for (at, _), name in template.handed.items():
        joined = template.nodes[at]
        pieces = [piece for piece in joined.inputs if piece is not None] if joined.op.name == "Concat" else []
        cut = pieces[0].node if len(pieces) == 2 and pieces[0].node in place else None
        if cut is None or cut.op.name != "Split" or pieces[0].index != 1 or len(cut.outputs) != 2:
            continue
        held = cut.inputs[0]
        source = template.sources.get(held) if held is not None else None
        if held is None or source is None or source.name != name or source.kind not in ("state", "zero"):
            continue
        whole, oldest, newest = (one.shape[-1] for one in (held, cut.outputs[0], pieces[1]))
        if isinstance(whole, int) and isinstance(newest, int) and oldest == newest and newest and whole % newest == 0:
            return name, whole // newest
    return None


def _weighed(template: Template, weights: Tensor, held: Tensor) -> bool:
    """Say whether weights are multiplied with what a tensor holds, both only brought into shape."""
    shaping = ("Reshape", "Unsqueeze")
    same: list[set[Tensor]] = [{weights}, {held}]
    for node in template.nodes:
        for group in same:
            if node.op.name in shaping and node.inputs[0] in group:
                group.add(node.outputs[0])
        if node.op.name == "Mul" and all(any(tensor in group for tensor in node.inputs) for group in same):
            return True
    return False


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
