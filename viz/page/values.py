"""What the tensors of the loops hold in one run, and how much of it the page has room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unroll.dtypes import Array
from unroll.tensor import Tensor
from unroll.viz.page.planes import Planes
from unroll.viz.page.rows import Row
from unroll.viz.page.slots import Slots

#: Up to so many numbers stand in the page with all their digits.
MOST_WHOLE = 25_000
#: So many numbers, of two bytes each, have room in the page.
MOST = 1_620_000
# A tensor of more units than this may be shown by means of some of them.
_WIDE = 64
# A tensor outside of loops that is larger than this is not shown by its numbers.
_LARGEST_ALONE = 65_536


@dataclass
class Kept:
    """How much of a run is in the page.

    Attributes:
        batch: how many rows of the batch were fed.
        rows: how many of them are in the page, the first ones.
        short: numbers have two bytes each.
        inner: for how many of these rows the numbers of every operator are in the page; for the others only those of gates,
            states and their operands are.
        block: so many units are one number, their mean, in a tensor of more than 64 units.
        every: one step of so many has numbers.
    """

    batch: int = 1
    rows: int = 1
    short: bool = False
    inner: int = 1
    block: int = 1
    every: int = 1


@dataclass
class Run:
    """The values of one run.

    Attributes:
        kept: how much of it is in the page.
        needed: the rows and slots that are shown before all others.
        arrays: for each row and slot, its values, ``(batch or 1, steps that have it, elements)``.
        steps: for each row and slot, these steps, counted from the first of the row; only of those that some steps do not have.
        data: for each row and slot, what the page is told of it.
    """

    kept: Kept
    needed: set[tuple[int, int]]
    arrays: dict[tuple[int, int], Array] = field(default_factory=dict)
    steps: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    data: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)


def run_of(
    feeds: Mapping[Any, Any],
    rows: Sequence[Row],
    slots: Sequence[Slots],
    needed: Sequence[Iterable[int]],
) -> Run:
    """Compute what the page shows, with `graph.run`.

    Args:
        feeds: an array for every input.
        rows: its loops.
        slots: the tensors of each.
        needed: for each row the slots that are shown before all others.

    Raises:
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
        EvaluationError, UnsupportedError: an operator cannot be computed.
    """
    run = Run(Kept(), {(number, at) for number, found in enumerate(needed) for at in found})
    for graph in dict.fromkeys(row.graph for row in rows):
        wanted: list[Tensor] = []
        begins: dict[tuple[int, int], int] = {}
        for number, found in enumerate(slots):
            for at, slot in enumerate(found.slots if rows[number].graph is graph else ()):
                if slot.tensors and slot.within is None and slot.parts is None:
                    begins[number, at] = len(wanted)
                    wanted += slot.tensors.values()
        values = graph.run(feeds, wanted)
        for (number, at), begin in begins.items():
            slot = slots[number].slots[at]
            array = Slots.array(slot, values[begin : begin + len(slot.tensors)])
            if rows[number].path or array.size <= _LARGEST_ALONE:
                run.arrays[number, at] = array
                if len(slot.tensors) < len(rows[number].steps):
                    first = next(iter(rows[number].steps))
                    run.steps[number, at] = [step - first for step in slot.tensors]
    run.kept = _kept(run.arrays, run.needed)
    return run


def _kept(arrays: Mapping[tuple[int, int], Array], needed: set[tuple[int, int]]) -> Kept:
    """Return how much of the values has room: less and less is kept until they have."""
    batch = max((len(array) for array in arrays.values()), default=1)
    total = sum(array.size for array in arrays.values())
    if total <= MOST_WHOLE:
        return Kept(batch, batch, inner=batch)
    shown = [array for key, array in arrays.items() if key in needed]
    inner = sum(array[:1].size for key, array in arrays.items() if key not in needed)
    kept = Kept(batch, batch, short=True, inner=1)
    total = sum(array.size for array in shown)
    if total + inner > MOST:
        kept.inner, inner = 0, 0
    if total > MOST:
        kept.rows = max(1, int(batch * MOST / total))
        total = sum(array[: kept.rows].size for array in shown)
    if total > MOST:
        kept.block = -(-total // MOST)
        total = sum(array[: kept.rows].size // (kept.block if array.shape[-1] > _WIDE else 1) for array in shown)
    kept.every = -(-total // MOST) or 1
    return kept


def pack(run: Run, planes: Planes) -> None:
    """Put the values into the page, and note where they are."""
    for key, array in run.arrays.items():
        shown = array[: run.kept.rows if key in run.needed else run.kept.inner]
        if not len(shown):
            continue
        found: dict[str, Any] = {"b": len(shown), "n": array.shape[-1]}
        if len(shown) < min(len(array), run.kept.rows):
            found["cut"] = True
        every = run.kept.every
        if key in run.steps:
            steps = run.steps[key]
            places = [place for place, step in enumerate(steps) if step % every == 0]
            if not places:
                continue
            shown = shown[:, places]
            found |= _held([steps[place] for place in places], every)
        elif every > 1:
            shown = shown[:, ::every]
            found["every"] = every
        if run.kept.block > 1 and array.shape[-1] > _WIDE:
            shown = _means(shown, run.kept.block)
            found["k"] = run.kept.block
        if array.dtype.kind in "ib":
            found["whole"] = "bool" if array.dtype.kind == "b" else "int"
        run.data[key] = found | planes.add(shown, run.kept.short) | {"n": array.shape[-1]}


def _held(steps: list[int], every: int) -> dict[str, Any]:
    """Return how the page is told of some steps: the first one and their count, where they follow each other."""
    if steps == list(range(steps[0], steps[-1] + 1, every)):
        return {"first": steps[0], "count": len(steps)} | ({"every": every} if every > 1 else {})
    return {"steps": steps}


def _means(array: Array, block: int) -> Array:
    starts = np.arange(0, array.shape[-1], block)
    counts = np.diff([*starts, array.shape[-1]])
    with np.errstate(all="ignore"):
        return np.add.reduceat(array.astype(np.float64), starts, axis=-1) / counts
