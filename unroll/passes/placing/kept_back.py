"""The new states of a step before a mask keeps them back, whatever the mask: the cell is what makes these."""

from __future__ import annotations

from unroll.ops.arithmetic import Add, Mul
from unroll.ops.choices import Where
from unroll.passes.rerolling.finding import Inner, Input, Recurrence, Source, State


def heads_of(recurrence: Recurrence) -> list[Inner]:
    """Return the outputs of the pattern that are the new states, each without the mask that keeps the old state in its place.

    A mask chooses between both, or adds both, each times a number that the step is given: ``m * new + (1 - m) * old``.
    """
    return [_head(recurrence, number, inner) for number, inner in enumerate(recurrence.pattern.states)]


def _head(recurrence: Recurrence, number: int, inner: Inner) -> Inner:
    part = recurrence.pattern.parts[inner.place]
    old, found = State(number), list[Source]()
    if isinstance(part.example.op, Where):
        found = [source for source in part.sources[1:] if source != old] if isinstance(part.sources[0], Input) else []
    elif isinstance(part.example.op, Add):
        weighed = [_weighed(recurrence, source) for source in part.sources]
        found = [source for source in weighed if source != old]
    return found[0] if len(found) == 1 and isinstance(found[0], Inner) else inner


def _weighed(recurrence: Recurrence, source: Source) -> Source:
    """Return what is multiplied with an input of the step; None for anything else."""
    part = recurrence.pattern.parts[source.place] if isinstance(source, Inner) else None
    if part is None or not isinstance(part.example.op, Mul):
        return None
    others = [factor for factor in part.sources if not isinstance(factor, Input)]
    return others[0] if len(others) == 1 else None
