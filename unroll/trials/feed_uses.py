"""What is known of the numbers that a graph is fed, element by element; see `unroll.trials.feed_walk`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dtypes import Array


class Moved(NamedTuple):
    """Elements of inputs that stand in a tensor: which ones (-1: none), and each as ``scale * fed + offset``.

    `low` and `high` say that what is too small, or too large, was cut off on the way.
    """

    ids: Array
    scale: Array
    offset: Array
    low: bool = False
    high: bool = False

    def each(self, move: Callable[[Array], Any]) -> list[Moved]:
        """Return what an operator that moves elements makes of these."""
        parts = [move(part) for part in self[:3]]
        if not isinstance(parts[0], (list, tuple)):
            return [self._replace(ids=np.asarray(parts[0]), scale=np.asarray(parts[1]), offset=np.asarray(parts[2]))]
        return [self._replace(ids=i, scale=s, offset=o) for i, s, o in zip(*parts, strict=True)]

    def shaped(self, shape: Sequence[int]) -> Moved:
        """Return the same elements in another shape."""
        return self._replace(
            ids=self.ids.reshape(shape), scale=self.scale.reshape(shape), offset=self.offset.reshape(shape)
        )

    def spread(self, shape: Sequence[int]) -> Moved:
        """Return the elements broadcast to a shape."""
        ids, scale, offset = (np.broadcast_to(part, shape) for part in self[:3])
        return self._replace(ids=ids, scale=scale, offset=offset)

    def columns(self, at: Array) -> Moved:
        """Return some columns of a matrix of elements."""
        return self._replace(ids=self.ids[:, at], scale=self.scale[:, at], offset=self.offset[:, at])


class Uses:
    """What was seen of each element that is fed.

    Attributes:
        least, most: what is allowed; infinite where there is no bound.
        low, high: the ends of the range in which comparisons tell numbers apart; NaN where nothing is compared.
        values: every number it is compared with, or one next to it, by the element's input.
        unknown: whether a node of unknown meaning reads the element.
        combined: the largest constant that it is added to or multiplied by.
        whole: whether it is cast to an integer.
        equal: numbers that a float is compared with for being equal.
    """

    def __init__(self, count: int) -> None:
        self.least, self.most = np.full(count, -np.inf), np.full(count, np.inf)
        self.low, self.high = np.full(count, np.nan), np.full(count, np.nan)
        self.unknown, self.whole = np.zeros(count, bool), np.zeros(count, bool)
        self.combined = np.zeros(count)
        self.values: list[tuple[Array, Array]] = []
        self.equal: list[tuple[Array, Array]] = []
        self._told: dict[int, tuple[Moved, list[Array]]] = {}

    def allow(self, moved: Moved, least: float, most: float) -> None:
        """Note that elements must lie in a range, or are told apart only there where others were cut off before."""
        if moved.low or moved.high:
            self.tell(moved, least - 1 if moved.low else least, most + 1 if moved.high else most)
        ids, scale, offset = used(moved)
        ends = np.sort(np.stack([(least - offset) / scale, (most - offset) / scale]), axis=0)
        if not moved.low:
            np.maximum.at(self.least, ids, np.ceil(ends[0]))
        if not moved.high:
            np.minimum.at(self.most, ids, np.floor(ends[1]))

    def tell(self, moved: Moved, *values: float | Array) -> None:
        """Note numbers that elements are told apart by."""
        self._told.setdefault(id(moved), (moved, []))[1].extend(np.asarray(value, np.float64) for value in values)

    def settle(self) -> None:
        """Put together all that was noted: thousands of steps may have compared the same elements."""
        for moved, values in self._told.values():
            single = np.array([value.ravel()[0] for value in values if value.size == 1])
            spread = [value for value in values if value.size > 1]
            for value in ([single.reshape(-1, *[1] * moved.ids.ndim)] if single.size else []) + spread:
                ids, scale, offset, wanted = used(moved, value)
                fed = (wanted - offset) / scale
                for end, keep in ((self.low, np.fmin), (self.high, np.fmax)):
                    keep.at(end, ids, fed)
                self.values.append((ids, fed))
        self._told.clear()

    def note(self, moved: Moved, flags: Array) -> None:
        """Set a flag of elements."""
        flags[used(moved)[0]] = True

    def combine(self, moved: Moved, constant: Array) -> None:
        """Note a constant that elements are combined with."""
        large = float(np.max(np.abs(constant), initial=0, where=np.isfinite(constant)))
        np.maximum.at(self.combined, used(moved)[0], large)


def used(moved: Moved, *more: Array) -> tuple[Array, ...]:
    """Return the ids, scales, offsets and other arrays where there is an element of an input."""
    parts = np.broadcast_arrays(*moved[:3], *more)
    here = (parts[0] >= 0) & (parts[1] != 0)
    return tuple(part[here] for part in parts)


def part_of(seen: Uses, start: int, size: int) -> Uses:
    """Return what was seen of one input, its elements counted from 0."""
    part, own = Uses(0), slice(start, start + size)
    for name in ("least", "most", "low", "high", "unknown", "whole", "combined"):
        setattr(part, name, getattr(seen, name)[own])
    for name in ("values", "equal"):
        pairs = [(ids - start, values) for ids, values in getattr(seen, name)]
        kept = [(ids[here], values[here]) for ids, values in pairs if (here := (ids >= 0) & (ids < size)).any()]
        setattr(part, name, kept)
    return part
