"""One recurrence as a direction of ONNX's RNN, LSTM or GRU: its cell, its lengths, and who reads what of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unroll.dtypes import FLOAT32
from unroll.passes.rerolling.finding import Input, Recurrence, Uses, View, uses_of
from unroll.passes.rerolling.native.gates import Cell
from unroll.passes.rerolling.native.lengths import Masked, masked, zeroed
from unroll.passes.rerolling.native.normal_form import UnmatchedError
from unroll.passes.rerolling.native.pattern_reading import PatternForms
from unroll.passes.rerolling.native.recognising import recognised
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor

#: A node and a tensor that it reads.
Reading = tuple[Node, Tensor]


@dataclass(frozen=True, eq=False)
class Direction:
    """A recurrence that is a cell, read in one direction.

    Attributes:
        recurrence: its steps.
        cell: what the pattern is.
        mask: how its states are kept back.
        uses: who reads what it makes.
        weights: makes the parts of its weights.
    """

    recurrence: Recurrence
    cell: Cell
    mask: Masked
    uses: Uses
    weights: Weights

    @property
    def hidden(self) -> int:
        """The width of the state."""
        return int(self.recurrence.steps[-1].after[0].shape[-1])

    def blind(self, view: View) -> dict[Reading, Tensor]:
        """Return what its nodes read as inputs only, and the lengths: past them an operator does not read its inputs."""
        pattern, lengths = self.recurrence.pattern, self.mask.lengths
        if lengths is None:
            return {}
        found: dict[Reading, Tensor] = {}
        for step in self.recurrence.steps:
            for part, node in zip(pattern.parts, step.nodes, strict=True) if step.nodes else ():
                pairs = list(zip(part.sources, view.inputs[node], strict=True))
                seen = {tensor for source, tensor in pairs if not isinstance(source, Input)}
                found |= {(node, tensor): lengths for _, tensor in pairs if tensor is not None and tensor not in seen}
        return found

    def initial(self, view: View) -> list[Tensor] | None:
        """Return the states before the first step, h first; None where they are zero."""
        first = self.recurrence.steps[0]
        states = [first.before[number] for number in self.cell.states]
        return None if self.recurrence.simplified or all(view.is_zero(tensor) for tensor in states) else states

    def first_is_zeroed(self, view: View) -> bool:
        """Say whether h after the first step is zero in rows of length 0, as the operator gives it: so it was before."""
        return self.mask.lengths is not None and self.initial(view) is None

    def pairs_with(self, other: Direction, view: View) -> bool:
        """Say whether two recurrences are one cell's two directions: alike, over the same steps in opposite orders."""
        return (
            self.cell.op == other.cell.op
            and self.hidden == other.hidden
            and self.cell.reset_after == other.cell.reset_after
            and self.mask.lengths is other.mask.lengths
            and (self.mask.lengths is None or self.mask.backward != other.mask.backward)
            and len(self.cell.inputs) == len(other.cell.inputs)
            and all(one == two[::-1] for one, two in zip(self.cell.inputs, other.cell.inputs, strict=True))
            and (self.initial(view) is None) == (other.initial(view) is None)
        )


def direction_of(view: View, recurrence: Recurrence, weights: Weights, blind: Mapping[Reading, Tensor]) -> Direction:
    """Return the cell that a recurrence is.

    Args:
        view: the graph.
        recurrence: its steps.
        weights: makes the parts of its weights.
        blind: what other operators do not read past the length of a row, and these lengths; see `Direction.blind`.

    Raises:
        UnmatchedError: it is no such cell, or something is read of it that the operator does not give.
    """
    last = recurrence.steps[-1].after
    for tensor in (*last, *recurrence.steps[0].before):
        if tensor.dtype != FLOAT32 or tensor.rank != 2:
            raise UnmatchedError(f"{tensor.described()}: onnxruntime's operators take states (batch, units) of float32")
    for before, after in zip(recurrence.steps[0].before, last, strict=True):
        if before.shape != after.shape:
            raise UnmatchedError(f"{after.described()} becomes the state that was {before.described()}")
    mask = masked(view, recurrence)
    for (place, output), after in zip(mask.heads, last, strict=True):
        head = recurrence.pattern.parts[place].example.outputs[output]
        if head.shape != after.shape:
            raise UnmatchedError(f"{head.described()} is spread over a state {after.described()}")
    cell = recognised(PatternForms(view, recurrence, weights, mask.heads))
    if not cell.inputs:
        raise UnmatchedError("no gate reads an input")
    rows = view.graph.shape(last[0])[0]
    for column in cell.inputs:
        if any(tensor.rank != 2 or tensor.shape != column[0].shape for tensor in column):
            raise UnmatchedError(f"{column[0].described()}: the steps' inputs are not all (batch, features)")
        if view.graph.shape(column[0])[0] != rows:
            raise UnmatchedError(f"{column[0].described()}: one row of input for a state of {rows} rows")
    uses = uses_of(view, recurrence)
    direction = Direction(recurrence, cell, mask, uses, weights)
    _check_uses(view, direction, blind)
    return direction


def _check_uses(view: View, direction: Direction, blind: Mapping[Reading, Tensor]) -> None:
    """Refuse a recurrence of which something is read that the operator does not give.

    That is a gate, c before the last step, or h past the length of a row.
    """
    recurrence, mask, uses = direction.recurrence, direction.mask, direction.uses
    h = direction.cell.states[0]
    head, last = mask.heads[h], len(recurrence.steps) - 1
    for inner in uses.steps:
        if inner == head and mask.lengths is None:
            continue
        first = {0} if inner == recurrence.pattern.states[h] and direction.first_is_zeroed(view) else set()
        step = max(uses.steps[inner] - {last} - first, default=None)
        name = view.graph.name(recurrence.pattern.parts[inner.place].example)
        if inner in recurrence.pattern.states:
            if step is not None:
                raise UnmatchedError(f"{name}: read at step {step}, and the operator gives it at the last one alone")
        elif inner == head and mask.condition is not None:
            conditions = recurrence.input(mask.condition)
            for at, tensor in recurrence.column(head).items():
                seeing = (
                    node for node in uses.readers.get(tensor, ()) if blind.get((node, tensor)) is not mask.lengths
                )
                readers = list(seeing)
                if tensor in uses.given or not all(zeroed(view, node, conditions[at], tensor) for node in readers):
                    raise UnmatchedError(f"{name}: read past the length of a row")
        else:
            raise UnmatchedError(f"{name}: read outside, and the operator gives its states alone")
