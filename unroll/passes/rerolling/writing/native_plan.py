"""One recurrence, or two in opposite directions, as ONNX's LSTM, GRU or RNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unroll.dimensions import Limit
from unroll.dtypes import INT64
from unroll.ops.choices import Greater, Max, Min, Where
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.slicing import Slice
from unroll.passes.rerolling.finding import Column, Recurrence, View
from unroll.passes.rerolling.native import Direction
from unroll.passes.rerolling.writing.emission import Emission
from unroll.passes.rerolling.writing.packing import Packer
from unroll.passes.rerolling.writing.stacking import Stack
from unroll.passes.tools.making import Maker, measured
from unroll.scopes import Origin
from unroll.tensor import Constant, Placeholder, Tensor

_INT32 = np.dtype("int32")
_OPERATORS: dict[str, type[Recurrent]] = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}


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
        """Return the stack of a column; where lengths count positions, in their order."""
        if not self.directions[0].mask.backward:
            return emission.stacker.stack(column, maker)
        stack, back = emission.stacker.stack(column[::-1], maker)
        return stack, not back

    def _forward(self, emission: Emission, maker: Maker, stack: Tensor, back: bool, backward: bool) -> Tensor:
        """Return a stack, turned where it lies in another order than the first one."""
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
            item.name == new.name and item.least >= 0 and isinstance(item.most, int) and item.most <= steps
            for item in limits
        )
        if isinstance(new, Constant):
            limited = bool((new.value >= 0).all() and (new.value <= steps).all())
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
        """Say which tensors stand for the last states, and for h at each step."""
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
        state = side.cell.states[0]
        h, kept = side.mask.heads[state], recurrence.pattern.states[state]
        if h not in side.uses.steps and 0 not in side.uses.steps.get(kept, ()):
            return
        stack = maker.at(results[0], way, axis=1) if len(self.directions) > 1 else maker.squeeze(results[0], 1)
        emission.add_loop(recurrence, h, stack, side.uses, backward)
        if lengths is None:
            return
        for tensor, places in self._zeroed(emission.view, side).items():
            emission.stacker.add_loop([tensor], stack, [len(recurrence.steps) - 1 - places if backward else places])

    def _zeroed(self, view: View, side: Direction) -> dict[Tensor, int]:
        """Return the outputs that are zero past the length of a row, as the operator gives them, each with its step."""
        found: dict[Tensor, int] = {}
        state, steps = side.cell.states[0], side.recurrence.steps
        if side.first_is_zeroed(view):
            found[steps[0].after[state]] = 0
        for at, tensor in side.recurrence.column(side.mask.heads[state]).items():
            for node in side.uses.readers.get(tensor, ()):
                if isinstance(node.op, Where):
                    found[node.outputs[0]] = at
        return found
