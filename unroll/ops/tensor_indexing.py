"""``x[index]`` where a run knows the index: a tensor in the place of an int, or of a bound of a slice."""

from __future__ import annotations

from typing import Any

from unroll.ops.given_sizes import plain_size, size_vector
from unroll.ops.indexing import getitem
from unroll.ops.operator import apply_one
from unroll.ops.slicing import Slice, gather
from unroll.tensor import Tensor


def index_by_tensors(x: Tensor, index: Any) -> Tensor:
    """Return ``x[index]``, in which ints and bounds may be tensors."""
    entries = [plain_size(entry) for entry in (index if isinstance(index, tuple) else (index,))]
    if any(entry is Ellipsis for entry in entries):
        at = [entry is Ellipsis for entry in entries].index(True)
        used = sum(entry is not None for entry in entries) - 1
        entries[at : at + 1] = [slice(None)] * (x.rank - used)
    rows, axis = [], 0
    for place, entry in enumerate(entries):
        if isinstance(entry, slice):
            start, stop, step = (plain_size(item) for item in (entry.start, entry.stop, entry.step))
            entries[place] = slice(start, stop, step)
            if isinstance(start, Tensor) or isinstance(stop, Tensor):
                first, last = 0 if start is None else start, 2**31 - 1 if stop is None else stop
                x = apply_one(Slice(), x, *map(size_vector, (first, last, axis, 1 if step is None else step)))
                entries[place] = slice(None)
        elif isinstance(entry, Tensor):
            rows.append((axis, entry, place))
        axis += entry is not None
    for axis, entry, _ in reversed(rows):
        x = gather(x, entry, axis)
    kept = tuple(entry for place, entry in enumerate(entries) if place not in [row[2] for row in rows])
    return getitem(x, kept) if kept else x
