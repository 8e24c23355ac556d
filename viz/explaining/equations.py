"""The equations of one unit, and the order in which they are read."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from unroll.tensor import Tensor
from unroll.viz.explaining.terms import Symbol, Term, names_in
from unroll.viz.explaining.units import Unit


class Equation(NamedTuple):
    """One line: what a name is.

    Attributes:
        symbol: the name.
        term: what it is.
        tensor: the tensor of the graph that it is.
    """

    symbol: Symbol
    term: Term
    tensor: Tensor


class Source(NamedTuple):
    """What a name in equations stands for that no line of them says.

    Attributes:
        symbol: the name.
        tensor: the tensor of the graph.
        is_state: whether it is what the cell has handed on.
        read_at: the place of the operator in its unit that reads it, and which of its inputs it is.
    """

    symbol: Symbol
    tensor: Tensor
    is_state: bool
    read_at: tuple[int, int]

    def in_unit(self, unit: Unit) -> Tensor | None:
        """Return what is read at that place in a unit that is explained in the same way."""
        node, place = self.read_at
        return unit.nodes[node].inputs[place]


class Block(NamedTuple):
    """The equations of one unit.

    Attributes:
        unit: the unit.
        equations: its lines, in order.
        sources: what is read from outside.
    """

    unit: Unit
    equations: list[Equation]
    sources: list[Source]


def in_order(lines: Sequence[Equation], gates: Sequence[str]) -> list[Equation]:
    """Return lines with the gates in their order first, and each line behind those that it reads."""
    place = {line.symbol: at for at, line in enumerate(lines)}
    rank = {gate: at for at, gate in enumerate(gates)}
    reads = [
        {place[name.symbol] for name in names_in([line.term]) if name.symbol in place} - {at}
        for at, line in enumerate(lines)
    ]
    read_by: dict[int, list[int]] = {}
    for at, before in enumerate(reads):
        for other in before:
            read_by.setdefault(other, []).append(at)
    waiting = [len(before) for before in reads]
    # By name: in which order the operators of a step stand may differ from step to step.
    key = [(rank.get(line.symbol.base, len(gates)), line.symbol.base, at) for at, line in enumerate(lines)]
    ready = [key[at] for at, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    found = []
    while ready:
        *_, at = heapq.heappop(ready)
        found.append(lines[at])
        for other in read_by.get(at, ()):
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, key[other])
    return found if len(found) == len(lines) else list(lines)
