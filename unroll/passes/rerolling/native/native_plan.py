"""One recurrence, or two in opposite directions, as ONNX's LSTM, GRU or RNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unroll.dimensions import Limit
from unroll.dtypes import FLOAT32, INT64
from unroll.ops.choices import Greater, Max, Min, Where
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.slicing import Slice
from unroll.passes.rerolling.finding.first_step import is_zero
from unroll.passes.rerolling.finding.pattern import Leaf
from unroll.passes.rerolling.finding.recurrences import Column, Recurrence, Uses, uses_of
from unroll.passes.rerolling.finding.view import View
from unroll.passes.rerolling.native.gates import Cell
from unroll.passes.rerolling.native.lengths import Masked, masked, zeroed
from unroll.passes.rerolling.native.normal_form import UnmatchedError
from unroll.passes.rerolling.native.packing import Packer
from unroll.passes.rerolling.native.pattern_reading import Algebra
from unroll.passes.rerolling.native.recognising import recognised
from unroll.passes.rerolling.writing.emission import Emission
from unroll.passes.rerolling.writing.stacking import Stack
from unroll.passes.tools.making import Maker, measured
from unroll.passes.tools.weight_expressions import Weights
from unroll.scopes import Origin
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: A node and a tensor that it reads.
Reading = tuple[Node, Tensor]
_INT32 = np.dtype("int32")
_OPERATORS: dict[str, type[Recurrent]] = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}


@dataclass(frozen=True, eq=False)
class Direction:
    """One recurrence that is a cell.

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
        """Return what its nodes read as inputs of a step alone: past the length of a row an operator does not read those."""
        template, lengths = self.recurrence.template, self.mask.lengths
        if lengths is None:
            return {}
        found: dict[Reading, Tensor] = {}
        for step in self.recurrence.steps:
            for part, node in zip(template.parts, step.nodes, strict=True) if step.nodes else ():
                pairs = list(zip(part.sources, view.inputs[node], strict=True))
                seen = {tensor for source, tensor in pairs if not isinstance(source, Leaf)}
                found |= {(node, tensor): lengths for _, tensor in pairs if tensor is not None and tensor not in seen}
        return found

    def initial(self, view: View) -> list[Tensor] | None:
        """Return the states before the first step, h first; None where they are zero."""
        first = self.recurrence.steps[0]
        states = [first.before[number] for number in self.cell.states]
        return None if self.recurrence.simplified or all(is_zero(view, tensor) for tensor in states) else states

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


@dataclass(frozen=True, eq=False)
class NativePlan:
    """One or two recurrences as one operator."""

    directions: tuple[Direction, ...]
    reason: str = ""

    @property
    def name(self) -> str:
        """ONNX's name of the operator."""
        return self.directions[0].cell.op

    @property
    def recurrences(self) -> Sequence[Recurrence]:
        """The recurrences."""
        return [item.recurrence for item in self.directions]

    def write(self, emission: Emission) -> None:
        """Write the operator."""
        first = self.directions[0]
        maker = Maker(frozenset(Origin(item.scope, None, item.scope, None) for item in self.recurrences))
        stacks = [self._stack(emission, maker, column) for column in first.cell.inputs]
        backward = stacks[0][1] if first.mask.lengths is None else first.mask.backward
        sides = list(self.directions if not backward else self.directions[::-1])
        x = maker.joined([self._forward(emission, maker, stack, back, backward) for stack, back in stacks], 2)
        direction = "bidirectional" if len(sides) > 1 else "reverse" if backward else "forward"
        packer = Packer(maker, sides[0].weights, [side.cell for side in sides], first.hidden, self._widths())
        initial = [side.initial(emission.view) for side in sides]
        states = [self._state(emission, maker, initial, number) for number in range(len(first.cell.states))]
        lengths = self._lengths(emission, maker, x)
        inputs = [x, packer.w(), packer.r(), packer.b(), lengths, *states]
        if first.cell.op == "LSTM":
            inputs.append(packer.p())
        while inputs[-1] is None:
            inputs.pop()
        provenance = frozenset(origin for item in self.recurrences for origin in item.provenance)
        op = self._operator(sides, direction)
        results = Maker(provenance).node(op, *inputs)
        for result, name in zip(results, ("Y", "Y_h", "Y_c")[: len(results)], strict=True):
            result.hint = name
        for way, side in enumerate(sides):
            self._hand_out(emission, side, way, results, states, lengths, direction == "reverse" or way > 0)

    def _stack(self, emission: Emission, maker: Maker, column: Column) -> Stack:
        """Return the stack of a column, in the order of positions where lengths count them."""
        if not self.directions[0].mask.backward:
            return emission.stacker.stack(column, maker)
        stack, back = emission.stacker.stack(column[::-1], maker)
        return stack, not back

    def _forward(self, emission: Emission, maker: Maker, stack: Tensor, back: bool, backward: bool) -> Tensor:
        """Return a stack in the order of the first one."""
        if back == backward:
            return stack
        end = int(np.iinfo(np.int64).min)
        return maker.one(Slice(), stack, *(Constant(np.array([bound], INT64)) for bound in (-1, end, 0, -1)))

    def _widths(self) -> list[int]:
        return [int(column[0].shape[-1]) for column in self.directions[0].cell.inputs]

    def _operator(self, sides: Sequence[Direction], direction: str) -> Recurrent:
        kind = _OPERATORS[self.name]
        calls = [call for side in sides for call in side.cell.activations]
        names = tuple(name for name, _ in calls)
        alphas = tuple(parameters[0] for _, parameters in calls if parameters)
        betas = tuple(parameters[1] for _, parameters in calls if len(parameters) > 1)
        given = {
            "hidden_size": sides[0].hidden,
            "direction": direction,
            "activations": None if names == kind.default_activations * len(sides) else names,
            "activation_alpha": alphas or None,
            "activation_beta": betas or None,
        }
        if kind is GRU:
            given["linear_before_reset"] = int(sides[0].cell.reset_after)
        return kind(**given)  # type: ignore[arg-type]

    def _state(
        self, emission: Emission, maker: Maker, initial: Sequence[list[Tensor] | None], number: int
    ) -> Tensor | None:
        parts = [maker.unsqueeze(emission.new(states[number]), 0) for states in initial if states is not None]
        return maker.joined(parts, 0) if parts else None

    def _lengths(self, emission: Emission, maker: Maker, x: Tensor) -> Tensor | None:
        """Return the lengths as the operator takes them: one a row, within 0 and the number of steps."""
        lengths = self.directions[0].mask.lengths
        if lengths is None:
            return None
        steps = len(self.directions[0].recurrence.steps)
        new = emission.new(lengths)
        limits = (item for item in emission.graph.requirements if isinstance(item, Limit))
        limited = isinstance(new, Placeholder) and any(
            item.name == new.name and item.least >= 0 and item.most <= steps for item in limits
        )
        if not limited:
            new = maker.one(Min(), new, Constant(np.array(steps, new.dtype)))
            new = maker.one(Max(), new, Constant(np.array(0, new.dtype)))
        new = maker.cast(new, _INT32)
        return maker.expanded(new, x.shape[1:2], measured([(x.shape, x)])) if new.shape == (1,) else new

    def _hand_out(
        self,
        emission: Emission,
        side: Direction,
        way: int,
        results: Sequence[Tensor],
        states: Sequence[Tensor | None],
        lengths: Tensor | None,
        backward: bool,
    ) -> None:
        """Say what stands for the last states and for h at each step."""
        recurrence, maker = side.recurrence, Maker(results[0].node.provenance)  # type: ignore[union-attr]
        last = recurrence.steps[-1]
        for number, result, first in zip(side.cell.states, results[1:], states, strict=True):
            tensor = last.after[number]
            if tensor not in side.uses.readers:
                continue
            new = maker.at(result, way)
            if lengths is not None and first is not None:  # a row of length 0 keeps its first state
                counts = maker.unsqueeze(maker.one(Greater(), lengths, Constant(np.array(0, _INT32))), 1)
                new = maker.one(Where(), counts, new, maker.at(first, way))
            emission.stand_in(tensor, new)
        h = side.mask.heads[side.cell.states[0]]
        if h not in side.uses.steps:
            return
        stack = maker.at(results[0], way, axis=1) if len(self.directions) > 1 else maker.squeeze(results[0], 1)
        emission.add_loop(recurrence, h, stack, side.uses, backward)
        if lengths is None:
            return
        for tensor, places in self._zeroed(emission.view, side).items():
            emission.stacker.add_loop([tensor], stack, [len(recurrence.steps) - 1 - places if backward else places])

    def _zeroed(self, view: View, side: Direction) -> dict[Tensor, int]:
        """Return the outputs, zero past a row's length, that the operator gives, and the step of each."""
        found = {}
        column = side.recurrence.column(side.mask.heads[side.cell.states[0]])
        for at, tensor in column.items():
            for node in side.uses.readers.get(tensor, ()):
                if isinstance(node.op, Where):
                    found[node.outputs[0]] = at
        return found


def direction_of(view: View, recurrence: Recurrence, weights: Weights, blind: Mapping[Reading, Tensor]) -> Direction:
    """Return the cell that a recurrence is.

    Args:
        view: the graph.
        recurrence: its steps.
        weights: makes the parts of its weights.
        blind: what operators do not read past the length of a row, and those lengths.

    Raises:
        UnmatchedError: it is none, or something is read of it that no such operator gives.
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
        head = recurrence.template.parts[place].example.outputs[output]
        if head.shape != after.shape:
            raise UnmatchedError(f"{head.described()} is spread over a state {after.described()}")
    cell = recognised(Algebra(view, recurrence, weights, mask.heads))
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
    """Refuse what an operator does not give: gates, c before the end, h past a row's length."""
    recurrence, mask, uses = direction.recurrence, direction.mask, direction.uses
    h = direction.cell.states[0]
    head, last = mask.heads[h], len(recurrence.steps) - 1
    for inner in uses.steps:
        if inner == head and mask.lengths is None:
            continue
        step = max(uses.steps[inner] - {last}, default=None)
        name = view.graph.name(recurrence.template.parts[inner.place].example)
        if inner in recurrence.template.states:
            if step is not None:
                raise UnmatchedError(f"{name}: read at step {step}, and the operator gives it at the last one alone")
        elif inner == head and mask.condition is not None:
            conditions = recurrence.leaf(mask.condition)
            for at, tensor in recurrence.column(head).items():
                seeing = (
                    node for node in uses.readers.get(tensor, ()) if blind.get((node, tensor)) is not mask.lengths
                )
                readers = list(seeing)
                if tensor in uses.given or not all(zeroed(view, node, conditions[at], tensor) for node in readers):
                    raise UnmatchedError(f"{name}: read past the length of a row")
        else:
            raise UnmatchedError(f"{name}: read outside, and the operator gives its states alone")
