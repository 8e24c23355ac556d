"""Which timesteps are drawn, and which are left out between them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from unroll.viz.contraction import Contraction
from unroll.viz.units import BEFORE_STEPS

# How many steps are shown whole, and how many at the beginning and the end of longer sequences.
_MANY = (6, 2, 2)
_FEW = (4, 2, 1)
_FEWEST = (2, 1, 1)


def shown_steps(contraction: Contraction, full: bool, few: bool = False) -> Iterator[tuple[int, int | range]]:
    """Yield (phase, step) for every column of timesteps, phase by phase: the first and last steps of every loop, and ranges of
    steps for the others.

    Loops after one another stand side by side. Where they are drawn with all their operators, one step at each end is shown,
    and the first of those between that does what neither does.
    """
    loops: dict[int, dict[str | None, set[int]]] = {}
    done: dict[tuple[int, int], Counter[str]] = {}
    for unit in contraction.units:
        if unit.step is not None and unit.step != BEFORE_STEPS:
            found = loops.setdefault(unit.phase, {None: set()})
            found[None].add(unit.step)
            if unit.cell is not None:
                found.setdefault(unit.cell, set()).add(unit.step)
            done.setdefault((unit.phase, unit.step), Counter()).update(node.op.name for node in unit.nodes)
    room = _FEWEST if few else (_MANY, _FEW, _FEWEST)[contraction.opened + (len(loops) > 1)]
    for phase, found in sorted(loops.items()):
        kept = set[int]().union(*(_ends(sorted(steps), full, room) for steps in found.values()))
        if room is _FEWEST:
            kept |= _unlike_the_ends({step: done[phase, step] for step in sorted(found[None])})
        yield from ((phase, at) for at in _with_gaps(sorted(found[None]), kept))


def _ends(steps: Sequence[int], full: bool, room: tuple[int, int, int]) -> list[int]:
    """Return the timesteps at the two ends of a loop, or all.

    Args:
        steps: all timesteps in order.
        full: leave out none.
        room: how many are shown whole, and how many at the beginning and the end of longer sequences.
    """
    whole, first, last = room
    return list(steps) if full or len(steps) <= whole else [*steps[:first], *steps[len(steps) - last :]]


def _unlike_the_ends(done: Mapping[int, Counter[str]]) -> set[int]:
    """Return the first step at which other operators are computed than at the first and the last, if there is one."""
    steps = list(done)
    ends = done[steps[0]], done[steps[-1]]
    return set(itertools.islice((step for step in steps if done[step] not in ends), 1))


def _with_gaps(steps: Sequence[int], kept: Collection[int]) -> Iterator[int | range]:
    """Yield the steps kept, and ranges for those between them; nothing stands for a single step but itself."""
    for shown, run in itertools.groupby(steps, kept.__contains__):
        listed = list(run)
        if shown or len(listed) == 1:
            yield from listed
        else:
            yield range(listed[0], listed[-1] + 1)
