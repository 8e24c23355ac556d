"""Which timestep each step of each recurrence is: the order is that in which states are handed on, and nothing else.

What a step reads tells where a loop begins, and which of two loops that read the same in opposite orders runs backward:

1. the rows of one sequence, which have numbers;
2. what another loop makes at a step, or an input of the graph that another loop reads as well: both are at one timestep;
3. for loops in opposite orders, the numbers in the names of inputs of the graph, else the order of these inputs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from unroll.parameter import Parameter
from unroll.passes.placing.found_blocks import parameters_of
from unroll.passes.rerolling.finding import Recurrence, View
from unroll.passes.tools.time_slices import TimeSlices
from unroll.tensor import Node, Tensor

#: How many tensors above an input of a step are looked at for the one that it was cut from.
_MOST = 24
_NUMBER = re.compile(r"[0-9]+")
#: Timesteps by the number of the step in its recurrence, as far as something tells them.
_Found: TypeAlias = "dict[int, int]"


class _Reading:
    """What the steps of a recurrence read.

    Attributes:
        rows: the number of the row of a sequence at each step, the nearest sequence first.
        loops: the step of another recurrence, by its number.
        inputs: the inputs of the graph that one step alone reads, by the step; -1 is one that was written otherwise.
        earlier: the nodes of that step.
        weights: what the input of each step is made with.
    """

    def __init__(self) -> None:
        self.rows: dict[Tensor, _Found] = {}
        self.loops: dict[int, _Found] = {}
        self.inputs: dict[int, list[Tensor]] = {}
        self.earlier: Iterable[Node] = ()
        self.weights: list[Tensor] = []

    def note(self, at: int, places: Iterable[tuple[Tensor | int, int]]) -> None:
        """Take down what a step reads; of what it reads at several places nothing is said."""
        found: dict[Tensor | int, set[int]] = {}
        for source, place in places:
            found.setdefault(source, set()).add(place)
        for source, several in found.items():
            if len(several) == 1 and isinstance(source, int):
                self.loops.setdefault(source, {})[at] = several.pop()
            elif len(several) == 1 and not isinstance(source, int):
                self.rows.setdefault(source, {})[at] = several.pop()

    def lacks(self, source: Tensor | int, place: int) -> bool:
        """Say whether the steps read other places of a source than this one."""
        found = self.loops.get(source) if isinstance(source, int) else self.rows.get(source)
        return found is not None and place not in found.values()


class _Walk(NamedTuple):
    """What tensors are made of.

    Attributes:
        places: a sequence and the number of a row, or another loop and its step; the nearest first.
        inputs: the inputs of the graph.
        nodes: what makes them of these.
        weights: the weights that are read.
    """

    places: list[tuple[Tensor | int, int]]
    inputs: list[Tensor]
    nodes: dict[Node, None]
    weights: list[Tensor]


class _Line(NamedTuple):
    """Timesteps that go up or down by one: that of the first step, and by how much."""

    first: int
    by: int

    def at(self, step: int) -> int:
        return self.first + self.by * step


class Times(NamedTuple):
    """When a recurrence is.

    Attributes:
        steps: the timestep of each step.
        earlier: the nodes of a step before the first that was written otherwise, and its timestep.
        weights: what all steps read of weights, in making their inputs as well.
    """

    steps: list[int]
    earlier: dict[Node, int]
    weights: list[Parameter]


def timesteps(view: View, recurrences: Sequence[Recurrence]) -> list[Times]:
    """Return the timesteps of each recurrence.

    A loop is at the rows n, n + 1, ... of the sequence that it reads, or at the steps of the loop that it reads. One that
    reads neither counts from 0, or from 1 where a step before it was written otherwise. A loop that reads in the opposite
    order of what it reads, or of another loop, walks backward.
    """
    order = sorted(range(len(recurrences)), key=lambda number: _start(view, recurrences[number]))
    ordered = [recurrences[number] for number in order]
    found = dict(zip(order, _Order(view, ordered).found(), strict=True))
    return [found[number] for number in range(len(recurrences))]


def _start(view: View, recurrence: Recurrence) -> int:
    """Return the place of the first node of the first step; a loop that depends on it from there on starts later."""
    first = [view.place[node] for node, at in recurrence.members.items() if at == 0 and node in view.place]
    return min(first, default=0)


class _Order:
    """Finds the timesteps of recurrences that are sorted by where they start."""

    def __init__(self, view: View, recurrences: Sequence[Recurrence]) -> None:
        self._view, self._recurrences = view, recurrences
        self._slices = TimeSlices(lambda node: view.inputs.get(node, node.inputs))
        self._inputs: dict[Tensor, int] = {tensor: place for place, tensor in enumerate(view.graph.inputs)}
        self._steps = {
            node: (number, at) for number, item in enumerate(recurrences) for node, at in item.members.items()
        }
        self._readings = [self._reading(number) for number in range(len(recurrences))]
        self._beside = self._neighbours()
        self._lines: dict[int, _Line] = {}

    def found(self) -> list[Times]:
        """Return the timesteps of each recurrence."""
        for number, reading in enumerate(self._readings):
            lines = [line for row in reading.rows.values() if (line := self._line(number, row)) is not None]
            if lines:
                self._lines[number] = lines[0]
        self._spread(list(self._lines))
        for number in range(len(self._recurrences)):
            if number not in self._lines:
                self._begin(number)
        times = []
        for number, (recurrence, reading) in enumerate(zip(self._recurrences, self._readings, strict=True)):
            line = self._lines[number]
            steps = [line.at(step) for step in range(len(recurrence.steps))]
            weights = parameters_of([*recurrence.shared(), *reading.weights])
            times.append(Times(steps, dict.fromkeys(reading.earlier, line.at(-1)), weights))
        return times

    def _spread(self, placed: Iterable[int]) -> list[int]:
        """Place the recurrences at the timesteps of those that are placed, and return which these are."""
        waiting, added = deque(placed), list[int]()
        while waiting:
            there = waiting.popleft()
            for number, steps in self._beside.get(there, ()):
                if number in self._lines:
                    continue
                line = self._lines[there]
                moved = self._line(number, {at: line.at(other) for at, other in steps.items()})
                if moved is not None:
                    self._lines[number] = moved
                    added.append(number)
                    waiting.append(number)
        return added

    def _neighbours(self) -> Mapping[int, list[tuple[int, _Found]]]:
        """Return, for each recurrence, those at its timesteps: which of its steps is at the time of each of theirs."""
        found: dict[int, dict[int, _Found]] = {}
        last: dict[Tensor, tuple[int, int]] = {}
        for number, reading in enumerate(self._readings):
            for other, steps in reading.loops.items():
                found.setdefault(other, {}).setdefault(number, {}).update(steps)
            for at, tensors in reading.inputs.items():
                for tensor in tensors:
                    if tensor in last:
                        other, there = last[tensor]
                        found.setdefault(other, {}).setdefault(number, {})[at] = there
                        found.setdefault(number, {}).setdefault(other, {})[there] = at
                    last[tensor] = (number, at)
        return {number: list(others.items()) for number, others in found.items()}

    def _line(self, number: int, found: _Found) -> _Line | None:
        """Return the line on which timesteps lie, two or more of one recurrence; None where they lie on none from 0 on."""
        steps = sorted(found)
        if len(steps) < 2:
            return None
        by = 1 if found[steps[-1]] > found[steps[0]] else -1
        line = _Line(found[steps[0]] - by * steps[0], by)
        ends = (-1 if self._readings[number].earlier else 0, len(self._recurrences[number].steps) - 1)
        from_0 = all(line.at(end) >= 0 for end in ends)
        return line if from_0 and all(found[at] == line.at(at) for at in steps) else None

    def _begin(self, number: int) -> None:
        """Place a recurrence of which nothing tells the time, in the direction in which it hands its states on.

        Where another loop reads the same in the opposite order, one of the two walks backward: the one that reads the
        inputs of the graph against the numbers in their names, else against their order.
        """
        recurrence, reading = self._recurrences[number], self._readings[number]
        self._lines[number] = _Line(1 if reading.earlier else 0, 1)
        beside = self._spread([number])
        if any(self._lines[other].by < 0 for other in beside) and self._falls(number):
            for other in beside:
                del self._lines[other]
            self._lines[number] = _Line(len(recurrence.steps) - 1, -1)
            self._spread([number])

    def _falls(self, number: int) -> bool:
        """Say whether the inputs of the graph that a loop reads are numbered, or else listed, in the opposite order."""
        inputs = self._readings[number].inputs
        numbered: dict[str, dict[int, set[int]]] = {}
        for at, tensors in inputs.items():
            for name in (tensor.label for tensor in tensors):
                for match in _NUMBER.finditer(name):
                    stem = f"{name[: match.start()]}#{name[match.end() :]}"
                    numbered.setdefault(stem, {}).setdefault(at, set()).add(int(match[0]))
        for steps in numbered.values():
            line = self._line(number, {at: min(found) for at, found in steps.items() if len(found) == 1})
            if line is not None and len(steps) == len(inputs):
                return line.by < 0
        listed = [min(self._inputs[tensor] for tensor in inputs[at]) for at in sorted(inputs)]
        return len(listed) > 1 and listed == sorted(listed, reverse=True)

    # -- what steps read ------------------------------------------------------------------------------------------

    def _reading(self, number: int) -> _Reading:
        recurrence, reading = self._recurrences[number], _Reading()
        readers: dict[Tensor, set[int]] = {}
        for at, step in enumerate(recurrence.steps):
            walks = [self._above([tensor], number) for tensor in step.inputs]
            for tensor in (tensor for walk in walks for tensor in walk.inputs):
                readers.setdefault(tensor, set()).add(at)
            reading.note(at, (item for walk in walks for item in walk.places))
            weights = dict.fromkeys(tensor for walk in walks for tensor in walk.weights)
            reading.weights = [tensor for tensor in (reading.weights if at else weights) if tensor in weights]
        for tensor, steps in readers.items():
            if len(steps) == 1:
                reading.inputs.setdefault(next(iter(steps)), []).append(tensor)
        if not recurrence.simplified:
            self._look_before(number, reading, readers.keys())
        return reading

    def _look_before(self, number: int, reading: _Reading, own: Container[Tensor]) -> None:
        """Find a step before the first one that was written otherwise, as one whose states are zero may be.

        It multiplies a row or an input that no step reads with a weight of theirs. A vector from which the first state is
        made, such as what an encoder made, is multiplied with a weight of its own, and is no step.
        """
        recurrence = self._recurrences[number]
        walk = self._above(recurrence.steps[0].before, number, reading.rows.keys())
        weights = parameters_of([*recurrence.shared(), *reading.weights])
        inputs = [tensor for tensor in walk.inputs if tensor not in own] if reading.inputs else []
        places = [(source, place) for source, place in walk.places if reading.lacks(source, place)]
        products = {parameter for parameter in parameters_of(walk.weights) if parameter.rank > 1}
        if (inputs or places) and not products.isdisjoint(weights):
            reading.earlier = walk.nodes
            reading.note(-1, places)
            if inputs:
                reading.inputs[-1] = inputs
            self._steps.update(dict.fromkeys(walk.nodes, (number, -1)))

    def _above(self, tensors: Sequence[Tensor], number: int, rows: Container[Tensor] | None = None) -> _Walk:
        """Return what tensors are made of near by, the nearest first, up to what other loops make, and to whole sequences.

        Sequences are whatever rows are cut from, or those among `rows` alone: gates are cut from a product as well.
        """
        found = _Walk([], [], {}, [])
        waiting = deque((tensor, False) for tensor in tensors)
        seen = set[Tensor]()
        while waiting and len(seen) < _MOST * len(tensors):
            tensor, beyond = waiting.popleft()
            if tensor in seen:
                continue
            seen.add(tensor)
            node, cut = tensor.node, self._slices.cut_of(tensor)
            if self._view.is_fixed(tensor):
                found.weights.append(tensor)
            elif node is not None and node in self._steps:
                loop, at = self._steps[node]
                if loop != number:
                    found.places.append((loop, at))
            elif cut is not None and (rows is None or cut.source in rows):
                found.places.append((cut.source, cut.number))
                waiting.append((cut.source, True))
            elif node is not None:
                if not beyond:
                    found.nodes[node] = None
                read = self._view.inputs.get(node, node.inputs)
                waiting += [(item, beyond) for item in read if item is not None]
            elif tensor in self._inputs:
                found.inputs.append(tensor)
        return found
