"""Scratch that is used at different times is one room in the context: a linear scan over lifetimes.

Time is the order of statements, those inside loops among them. A buffer that only one loop uses, and that each run of its body
fills before it reads it, lives within the body; one that a loop hands on to its next run lives as long as the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unroll.export.c.layout import Buffer, LoopVar
from unroll.export.c.statements import Loop, Statement


@dataclass
class _Life:
    """When a buffer is used.

    Attributes:
        times: when.
        loops: the loops that are open then, as places in the list of loops.
        moved_by: the counters by which views of it move.
        filled: whether the first statement that uses it fills it, and does not read it.
    """

    filled: bool
    times: list[int] = field(default_factory=list)
    loops: list[tuple[int, ...]] = field(default_factory=list)
    moved_by: set[LoopVar] = field(default_factory=set)


class _Clock:
    """Notes when buffers are used, and when loops begin and end."""

    def __init__(self) -> None:
        self.lives: dict[Buffer, _Life] = {}
        self.spans: list[tuple[int, int]] = []
        self.vars: list[LoopVar] = []
        self._now = 0

    def run(self, statements: Sequence[Statement], inside: tuple[int, ...] = ()) -> None:
        """Go through statements in order; loops lie in each other as deep as Scans do."""
        for statement in statements:
            self._now += 1
            if isinstance(statement, Loop):
                place, begun = len(self.spans), self._now
                self.spans.append((0, 0))
                self.vars.append(statement.var)
                self.run(statement.body, (*inside, place))
                self._now += 1
                self.spans[place] = (begun, self._now)
            else:
                self._note(statement, inside)

    def _note(self, statement: Statement, inside: tuple[int, ...]) -> None:
        read = {view.buffer for view in statement.reads()}
        for view in (*statement.reads(), *statement.writes()):
            life = self.lives.setdefault(view.buffer, _Life(filled=view.buffer not in read))
            life.times.append(self._now)
            life.loops.append(inside)
            life.moved_by.update(var for var, _ in view.moving)

    def lifetime(self, life: _Life) -> tuple[int, int]:
        """Return the first and the last time at which a buffer's numbers are of use."""
        home = 0  # how many loops it lives within
        for places in zip(*life.loops, strict=False):
            whole = len(set(places)) == 1
            if not whole or not life.filled or self.vars[places[0]] in life.moved_by:
                break
            home += 1
        spans = [
            self.spans[loops[home]] if len(loops) > home else (time, time)
            for time, loops in zip(life.times, life.loops, strict=True)
        ]
        return min(first for first, _ in spans), max(last for _, last in spans)


def share_rooms(statements: Sequence[Statement], lasting: set[Buffer]) -> None:
    """Give scratch of one dtype that is used at different times one room.

    Args:
        statements: those of a program.
        lasting: buffers that live longer than a run, or are the caller's.
    """
    clock = _Clock()
    clock.run(statements)
    lives = [
        (*clock.lifetime(life), buffer)
        for buffer, life in clock.lives.items()
        if buffer.kind == "scratch" and buffer not in lasting
    ]
    free: dict[Buffer, int] = {}  # rooms, and when what is in them was last of use
    for first, last, buffer in sorted(lives, key=lambda item: item[:2]):
        rooms = [room for room, until in free.items() if until < first and room.dtype == buffer.dtype]
        if rooms:  # the one that needs to grow least, and of these the least
            room = min(rooms, key=lambda item: (max(buffer.size - item.extent, 0), item.extent))
            buffer.room = room
            room.guests.append(buffer)
            free[room] = last
        else:
            free[buffer] = last
