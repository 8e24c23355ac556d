"""A recurrence of any kind as ONNX's Scan, whose body is the pattern of a step, or of several steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll.dimensions import Shape
from unroll.graph import Graph
from unroll.ops.scan import scan
from unroll.passes.rerolling.finding import Column, Inner, Recurrence, Uses, View, replayed, uses_of
from unroll.passes.rerolling.writing.emission import Emission
from unroll.passes.tools.making import Maker, measured
from unroll.scopes import Origin
from unroll.tensor import Constant, Placeholder, Tensor


@dataclass(frozen=True, eq=False)
class ScanPlan:
    """One recurrence as a Scan.

    Attributes:
        recurrence: its steps, a multiple of `per_run`.
        uses: who reads what it makes.
        per_run: how many steps the body computes.
        reason: why it does not become a native operator.
    """

    recurrence: Recurrence
    uses: Uses
    per_run: int = 1
    reason: str = ""
    name: str = "Scan"

    @property
    def recurrences(self) -> Sequence[Recurrence]:
        """The one recurrence."""
        return (self.recurrence,)

    def write(self, emission: Emission) -> None:
        """Write the Scan."""
        recurrence, per_run = self.recurrence, self.per_run
        maker = Maker(frozenset({Origin(recurrence.scope, None, None, None)}))
        columns = list(dict.fromkeys(recurrence.input(number) for number in range(recurrence.pattern.input_count)))
        stacks = [emission.stacker.stack(column, maker) for column in columns]
        scanned = (
            [maker.reshape(stack, self._runs(stack.shape)) for stack, _ in stacks]
            if per_run > 1
            else [s for s, _ in stacks]
        )
        shared = [tensor for tensor in recurrence.shared() if not isinstance(tensor, Constant)]
        kept, backward = self._kept(), all(back for _, back in stacks)
        body = _Body(recurrence, columns, shared, kept, per_run, [backward for _, backward in stacks], maker)
        results = scan(
            body.graph(),
            self._initial(emission, maker, {column: stack for column, (stack, _) in zip(columns, stacks, strict=True)}),
            scanned,
            [emission.new(tensor) for tensor in shared],
            input_directions=[back for _, back in stacks],
            output_directions=[backward] * len(kept),
            provenance=recurrence.provenance,
        )
        states = len(recurrence.pattern.states)
        for inner, stack in zip(kept, results[states:], strict=True):
            whole = maker.reshape(stack, (self._count(), *stack.shape[2:])) if per_run > 1 else stack
            emission.add_loop(recurrence, inner, whole, self.uses, backward)
        for tensor, result in zip(recurrence.steps[-1].after, results[:states], strict=True):
            emission.stand_in(tensor, result)

    def _count(self) -> int:
        return len(self.recurrence.steps)

    def _runs(self, shape: Shape) -> Shape:
        return (self._count() // self.per_run, self.per_run, *shape[1:])

    def _kept(self) -> list[Inner]:
        """Return the outputs of the pattern that are wanted of every step, not states of which only the last is wanted."""
        last, states = self._count() - 1, self.recurrence.pattern.states
        return [inner for inner in self.uses.steps if inner not in states or self.uses.beside_last(inner, last)]

    def _initial(self, emission: Emission, maker: Maker, columns: Mapping[Column, Tensor]) -> list[Tensor]:
        first = self.recurrence.steps[0]
        if not self.recurrence.simplified:
            return [emission.new(tensor) for tensor in first.before]
        there = measured(((column[0].shape, stack) for column, stack in columns.items()), first=1)
        return [maker.zeros(tensor.shape, tensor.dtype, there) for tensor in first.before]


def scan_plan_of(view: View, recurrence: Recurrence, per_run: int = 1, reason: str = "") -> ScanPlan | str:
    """Return how a recurrence becomes a Scan, or why it cannot."""
    there = len(recurrence.steps)
    recurrence = recurrence.without_last(there % per_run)
    if len(recurrence.steps) < 2:
        return f"there are {there} steps, and an iteration is to be {per_run} of them"
    first, uses = recurrence.steps[0], uses_of(view, recurrence)
    for before, after in zip(first.before, first.after, strict=True):
        if before.shape != after.shape or before.dtype != after.dtype:
            second = recurrence.steps[1]
            if len(recurrence.steps) > 2 and [t.shape for t in second.before] == [t.shape for t in second.after]:
                return _later(view, recurrence, per_run, reason)  # one row, or one column, that the first step spreads
            return f"{after.described()} becomes the state that was {before.described()}"
    for number in range(recurrence.pattern.input_count):
        column = recurrence.input(number)
        if per_run > 1 and 0 in column[0].shape:
            return f"{column[0].described()} has no elements, which several steps an iteration cannot share out"
        for tensor in column:
            if tensor.shape != column[0].shape or tensor.dtype != column[0].dtype:
                return f"{tensor.described()} is read at one step and {column[0].described()} at another"
    if recurrence.simplified:
        if any(inner not in recurrence.pattern.states for inner in uses.steps):
            return _later(view, recurrence, per_run, reason)
        sizes = {dim for tensor in first.before for dim in tensor.shape if not isinstance(dim, int)}
        if not sizes.issubset(dim for tensor in first.inputs for dim in tensor.shape):  # no zeros can be made
            return _later(view, recurrence, per_run, reason)
    return ScanPlan(recurrence, uses, per_run, reason)


def _later(view: View, recurrence: Recurrence, per_run: int, reason: str) -> ScanPlan | str:
    """Return the plan that leaves the first step outside, as it is."""
    rest = Recurrence(
        recurrence.pattern, recurrence.steps[1:], {node: at - 1 for node, at in recurrence.members.items() if at}
    )
    return scan_plan_of(view, rest, per_run, reason)


class _Body:
    """The body in the making: the pattern on placeholders, `per_run` times over."""

    def __init__(
        self,
        recurrence: Recurrence,
        columns: Sequence[Column],
        shared: Sequence[Tensor],
        kept: Sequence[Inner],
        per_run: int,
        backward: Sequence[bool],
        maker: Maker,
    ) -> None:
        self.pattern, self.kept, self.per_run, self.maker = recurrence.pattern, kept, per_run, maker
        self.backward = backward
        step = recurrence.steps[-1]
        self.number = [columns.index(recurrence.input(number)) for number in range(self.pattern.input_count)]
        self.states = [_inner_input(f"state{k}", tensor) for k, tensor in enumerate(step.after)]
        self.scanned = []
        for k, column in enumerate(columns):
            shape = column[0].shape if per_run == 1 else (per_run, *column[0].shape)
            self.scanned.append(Placeholder(shape, column[0].dtype, f"step{k}"))
        self.shared = {tensor: _inner_input(f"shared{k}", tensor) for k, tensor in enumerate(shared)}

    def graph(self) -> Graph:
        """Return the body."""
        states: list[Tensor] = list(self.states)
        inputs = [self._inputs(place) for place in range(len(self.scanned))]
        kept: list[list[Tensor]] = [[] for _ in self.kept]
        for run in range(self.per_run):
            nodes = replayed(self.pattern, states, [inputs[number][run] for number in self.number], self.shared)
            states = [nodes[place].outputs[index] for place, index in self.pattern.states]
            for stack, (place, index) in zip(kept, self.kept, strict=True):
                stack.append(nodes[place].outputs[index])
        outputs = {f"state{k}/next": tensor for k, tensor in enumerate(states)}
        for k, parts in enumerate(kept):
            wide = [self.maker.unsqueeze(part, 0) for part in parts] if self.per_run > 1 else parts
            outputs[f"kept{k}"] = self.maker.joined(wide[::-1] if all(self.backward) else wide, 0)
        return Graph([*self.states, *self.scanned, *self.shared.values()], outputs)

    def _inputs(self, place: int) -> list[Tensor]:
        if self.per_run == 1:
            return [self.scanned[place]]
        pieces = self.maker.pieces(self.scanned[place], self.per_run)
        return pieces[::-1] if self.backward[place] else pieces


def _inner_input(name: str, tensor: Tensor) -> Placeholder:
    return Placeholder(tensor.shape, tensor.dtype, name)
