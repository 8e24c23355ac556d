"""Which timestep each step of a recurrence is: that of what it reads, where this tells, else its place in the chain."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unroll.passes.rerolling.finding import Recurrence, View
from unroll.passes.tools.time_slices import TimeSlices
from unroll.tensor import Node, Tensor

#: How many tensors above an input of a step are looked at for the one that it was cut from.
_MOST = 24


class _Source(NamedTuple):
    """What a step reads.

    Attributes:
        whole: what it was cut from; None for what a step of another loop made, or for an input of the graph.
        exact: whether its place there is a timestep: the number of a row, or of a step; not that of an input.
    """

    whole: Tensor | None
    exact: bool


class TimeOrder:
    """Finds the timesteps of recurrences.

    Args:
        view: the graph.
        steps: the timesteps of nodes that are placed already; it may grow.
    """

    def __init__(self, view: View, steps: Mapping[Node, int]) -> None:
        self._view, self._steps = view, steps
        self._slices = TimeSlices(lambda node: view.inputs.get(node, node.inputs))
        self._inputs: dict[Tensor, int] = {tensor: place for place, tensor in enumerate(view.graph.inputs)}

    def timesteps(self, recurrence: Recurrence) -> list[int]:
        """Return the timestep of each step.

        A loop that reads rows n, n + 1, ... of a sequence, or steps of another loop, is at these steps. One that reads inputs
        of the graph counts from 0, or from 1 where a step before it was written otherwise. One that reads anything in the
        opposite order walks backward.
        """
        count = len(recurrence.steps)
        for number in range(recurrence.pattern.input_count):
            found = [self._sources(tensor) for tensor in recurrence.input(number)]
            for key in found[0]:
                times = [place for sources in found if (place := sources.get(key)) is not None]
                rising = times == sorted(set(times))
                if len(times) < count or count < 2 or not (rising or times[::-1] == sorted(set(times))):
                    continue
                if key.exact and abs(times[-1] - times[0]) == count - 1:
                    return times
                first = int(rising and self._begins_late(recurrence, number))
                return list(range(first, first + count))[:: 1 if rising else -1]
        return list(range(count))

    def _sources(self, tensor: Tensor) -> dict[_Source, int | None]:
        """Return what an input of a step was cut from, and its place there, the nearest first; None where it has several."""
        found: dict[_Source, int | None] = {}
        waiting, seen = deque([tensor]), set[Tensor]()
        while waiting and len(seen) < _MOST:
            tensor = waiting.popleft()
            if tensor in seen or self._view.is_fixed(tensor):
                continue
            seen.add(tensor)
            node, cut = tensor.node, self._slices.cut_of(tensor)
            if node in self._steps and node is not None:
                key, place = _Source(None, True), self._steps[node]
            elif cut is not None:
                key, place = _Source(cut.source, True), cut.number
                waiting.append(cut.source)
            elif tensor in self._inputs:
                key, place = _Source(None, False), self._inputs[tensor]
            else:
                read = () if node is None else self._view.inputs.get(node, node.inputs)
                waiting += [item for item in read if item is not None]
                continue
            found[key] = place if found.get(key, place) == place else None
        return found

    def _begins_late(self, recurrence: Recurrence, number: int) -> bool:
        """Say whether its first states were made of an input like those that its steps read, by nodes that no loop has."""
        like = {(tensor.shape, tensor.dtype) for tensor in self._leaves(recurrence.input(number))}
        own = self._leaves(recurrence.input(number))
        before = self._leaves([] if recurrence.simplified else recurrence.steps[0].before, inside=True)
        return any((tensor.shape, tensor.dtype) in like for tensor in before if tensor not in own)

    def _leaves(self, tensors: Sequence[Tensor], inside: bool = False) -> list[Tensor]:
        """Return the inputs of the graph that tensors are near; those given themselves are left out where `inside`."""
        waiting, seen = list(tensors), set[Tensor]()
        while waiting and len(seen) < _MOST * max(len(tensors), 1):
            tensor = waiting.pop()
            if tensor in seen or tensor.node in self._steps:
                continue
            seen.add(tensor)
            if tensor.node is not None:
                read = self._view.inputs.get(tensor.node, tensor.node.inputs)
                waiting += [item for item in read if item is not None and not self._view.is_fixed(item)]
        return [tensor for tensor in self._inputs if tensor in seen and not (inside and tensor in tensors)]
