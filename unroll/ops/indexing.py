"""``tensor[...]`` with ints, slices, None and Ellipsis, as NumPy's basic indexing."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from unroll.checks import plain
from unroll.dimensions import Dimension
from unroll.errors import ArgumentTypeError, ShapeError
from unroll.ops.shaping import unsqueeze
from unroll.ops.slicing import END, gather, slice_
from unroll.tensor import Tensor


def getitem(x: Tensor, index: int | slice | types.EllipsisType | tuple[Any, ...] | None) -> Tensor:
    """Return ``x[index]``.

    Raises:
        ArgumentTypeError: an entry is none of int, slice, None and Ellipsis.
        ShapeError: more entries than axes, or an int outside its axis.
    """
    entries = _spread(x, index if isinstance(index, tuple) else (index,))
    starts, ends, axes, steps = [], [], [], []
    for axis, cut in enumerate(entry for entry in entries if entry is not None):
        if isinstance(cut, slice) and cut != slice(None):
            start, end, step = _bounds(cut)
            starts.append(start)
            ends.append(end)
            axes.append(axis)
            steps.append(step)
    if axes:
        x = slice_(x, starts, ends, axes, None if all(step == 1 for step in steps) else steps)
    axis = 0
    for entry in entries:
        if entry is None:
            x = unsqueeze(x, [axis])
            axis += 1
        elif isinstance(entry, slice):
            axis += 1
        else:
            x = gather(x, int(entry), axis)
    return x


def _spread(x: Tensor, index: tuple[Any, ...]) -> list[int | slice | None]:
    """Replace Ellipsis, and fill up with full slices."""
    index = tuple(map(plain, index))
    for entry in index:
        if isinstance(entry, (bool, np.bool_)) or not (
            entry is None or entry is Ellipsis or isinstance(entry, (int, np.integer, slice))
        ):
            raise ArgumentTypeError(
                f"{x!r}[{entry!r}]: an index is an int, a slice, None or ...; for a tensor of indices use unroll.ops.gather"
            )
    used = sum(entry is not None and entry is not Ellipsis for entry in index)
    if used > x.rank:
        raise ShapeError(f"{x!r} has {x.rank} axes; {used} indices were given")
    if sum(entry is Ellipsis for entry in index) > 1:
        raise ArgumentTypeError(f"{x!r}: an index can hold only one ...")
    fill: list[int | slice | None] = [slice(None)] * (x.rank - used)
    at = next((place for place, entry in enumerate(index) if entry is Ellipsis), len(index))
    return [*index[:at], *fill, *index[at + 1 :]]


def _bounds(entry: slice) -> tuple[int, int, int]:
    entry = slice(*map(plain, (entry.start, entry.stop, entry.step)))
    for value in (entry.start, entry.stop, entry.step):
        if isinstance(value, (Tensor, Dimension)) or not (value is None or isinstance(value, (int, np.integer))):
            raise ArgumentTypeError(f"slice bound {value!r} is not an int; use unroll.ops.slice_ with known bounds")
    step = 1 if entry.step is None else int(entry.step)
    if step > 0:
        return int(entry.start or 0), END if entry.stop is None else int(entry.stop), step
    return END if entry.start is None else int(entry.start), -END if entry.stop is None else int(entry.stop), step
