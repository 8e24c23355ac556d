"""Feeds that are made to tell two graphs apart: what a difference could hide behind is in none of them.

Sizes of symbols differ from one another and from feed to feed. Floats are never 0 or 1 and never equal to one another; their
magnitudes keep activations away from where they are flat. Integers are drawn from what the graph does with them (see
`unroll.feed_walk`): lengths from 0 to the number of steps, and places over the whole of a table, with both ends in every feed
that has room for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from unroll.dimensions import substitute
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.feed_uses import Uses
from unroll.feed_walk import followed, uses_of
from unroll.feeds import InputSpec
from unroll.graph import Graph
from unroll.sizes import Sizes, checked_dims, read_out, symbols_of

#: The sizes that symbols take, one feed after the other: `batch` is the first of them, in alphabetical order or not.
_SIZES = ((5, 4, 7, 3, 6), (3, 6, 2, 5, 4), (2, 3, 5, 4, 7), (1, 2, 4, 3, 5))
#: By what the floats of each feed are multiplied: bounds that clip are met only by the larger ones.
_SCALES = (1.0, 2.5, 0.5)
#: How large places and lengths may be of which nothing is known, one feed after the other.
_UNKNOWN = (4, 1, 40)
#: Which symbols have one size.
ALIKE = ("none", "axis", "all")
#: Up to how many booleans a row may have for all their patterns to be dealt out.
_PATTERNS = 6
#: How many rows show what masks a row in some of its places, in all and in none.
_MASKED = 24
#: Up to how many whole numbers all of a range are dealt out; of a wider one those that are compared with, and some others.
_DEALT = 4096


class Trial(NamedTuple):
    """One set of feeds.

    Attributes:
        feeds: an array for each input, by name.
        sizes: the number that each symbol stands for.
    """

    feeds: dict[str, Array]
    sizes: dict[str, int]


def trial_feeds(
    graph: Graph, *, seed: int = 0, dims: Mapping[str, int] | None = None, count: int = 3, rows: int = 8, extra: int = 0
) -> list[dict[str, Array]]:
    """Return feeds for a graph that tell it apart from others; see this module.

    Args:
        graph: the graph.
        seed: of what is drawn; at least 0.
        dims: sizes of symbols by name; others are chosen, and differ from feed to feed.
        count: how many sets of feeds; at least 1. Two or more differ in sizes and magnitudes.
        rows: up to how many rows the first feed may have, so that every length and every row of a table comes up.
        extra: up to how many sets are added, where some have still not come up.

    Returns:
        ``{input name: array}``, `count` times or more.

    Raises:
        ArgumentTypeError, ArgumentError: a number is no int or too small; `dims` holds something else than
            sizes of symbols, or sizes that the graph does not allow; or no sizes were found that it allows.
    """
    return [trial.feeds for trial in trials(graph, seed=seed, dims=dims, count=count, rows=rows, extra=extra)]


def trials(
    graph: Graph,
    *,
    seed: int = 0,
    dims: Mapping[str, int] | None = None,
    count: int = 3,
    rows: int = 8,
    extra: int = 0,
    alike: str = "none",
    what: str = "trial_feeds",
) -> list[Trial]:
    """Return what `trial_feeds` does, with the sizes of symbols.

    Args:
        graph: the graph.
        seed: see `trial_feeds`, as for the next four.
        dims: sizes by name.
        count: how many sets.
        rows: how many rows the first may have.
        extra: how many sets may be added.
        alike: which symbols have one size, one of `ALIKE`: none; those that are the same ``axis`` of their inputs; or
            all. A file may not say which of its symbols must be equal.
        what: who asks, for messages.
    """
    if not isinstance(graph, Graph):
        raise ArgumentTypeError(f"{what}: a Graph is wanted, not {type(graph).__name__}")
    for name, number, least in (("seed", seed, 0), ("count", count, 1), ("rows", rows, 1), ("extra", extra, 0)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise ArgumentTypeError(f"{what}: {name} {number!r} is not an int")
        if number < least:
            raise ArgumentError(f"{what}: {name} {number}; at least {least} is wanted")
    sizes = checked_dims(dims, symbols_of(graph), what)
    return _Drawing(graph, int(seed), sizes, alike, what).trials(count, rows, extra)


class _Drawing:
    """Draws the feeds of one graph."""

    def __init__(self, graph: Graph, seed: int, dims: Mapping[str, int], alike: str, what: str) -> None:
        self._graph, self._near = graph, Sizes(graph, dims, what)
        self._rng = np.random.default_rng(seed)
        self._free = sorted(self._near.free, key=lambda name: (name != "batch", name))
        self._place = _places(graph, self._free, alike)
        self._steps = read_out(graph)
        self._followed = followed(graph)
        self._specs = {spec.name: spec for spec in graph.input_specs}
        self._decks: dict[tuple[str, float, float], tuple[Array, int]] = {}
        self._widened: dict[str, int] = {}
        self._seen: dict[tuple[tuple[str, int], ...], dict[str, Uses]] = {}

    def trials(self, count: int, rows: int, extra: int) -> list[Trial]:
        """Return the sets of feeds."""
        self._widen(self._sizes(0), rows)
        found = [self._trial(turn) for turn in range(count)]
        while extra and any(at < len(deck) for deck, at in self._decks.values()):
            found.append(self._trial(len(found)))
            extra -= 1
        return found

    # -- sizes ---------------------------------------------------------------------------------------------------------

    def _sizes(self, turn: int) -> dict[str, int]:
        row = _SIZES[turn % len(_SIZES)]
        wish = {name: row[place % len(row)] + place // len(row) for name, place in self._place.items()}
        wish |= self._steps
        if turn == 0:
            wide = {self._place[name]: size for name, size in self._widened.items()}
            wish |= {name: wide[place] for name, place in self._place.items() if place in wide}
        return self._near.near(wish)

    def _shapes(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        shapes = {}
        for name, spec in self._specs.items():
            shape = tuple(substitute(dim, sizes) for dim in spec.shape)
            shapes[name] = tuple(int(size) for size in shape if isinstance(size, int))
        return shapes

    def _uses(self, sizes: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Uses]:
        """Return what is done with each input that is followed, within its limits."""
        key = tuple(sizes.items())
        if key not in self._seen:
            own = {tensor: shapes[tensor.name] for tensor in self._followed}
            found = uses_of(self._graph, sizes, own) if own else {}
            self._seen[key] = {tensor.name: _limited(uses, self._specs[tensor.name]) for tensor, uses in found.items()}
        return self._seen[key]

    def _wanted(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Return how many numbers each element of an input should take in turn, as far as that is known."""
        shapes = self._shapes(sizes)
        wanted = {
            name: 2 ** min(int(np.prod(self._rows_first(spec, shapes[name])[1:])), _PATTERNS)
            for name, spec in self._specs.items()
            if spec.dtype.kind == "b"
        }
        for name, uses in self._uses(sizes, shapes).items():
            if self._specs[name].dtype.kind == "f" and (uses.equal or not uses.values) and not uses.whole.any():
                wanted[name] = _MASKED
            for _, (low, high) in _groups(uses):
                if np.isfinite(low) and np.isfinite(high):
                    wanted[name] = max(wanted.get(name, 0), int(min(high - low + 1, _DEALT)))
        return wanted

    def _widen(self, sizes: Mapping[str, int], rows: int) -> None:
        """Give the first feed as many rows as it takes to have every number in it, as far as `rows` allows."""
        for name, number in self._wanted(sizes).items():
            spec = self._specs[name]
            size = str(spec.shape[self._row_axis(spec)]) if spec.shape else ""
            if size in self._free and size not in self._steps:
                self._widened[size] = max(self._widened.get(size, 0), min(number, rows), sizes[size])

    # -- one set -------------------------------------------------------------------------------------------------------

    def _trial(self, turn: int) -> Trial:
        sizes = self._sizes(turn)
        shapes = self._shapes(sizes)
        uses = self._uses(sizes, shapes)
        feeds: dict[str, Array] = {}
        for name, spec in self._specs.items():
            seen = uses.get(name)
            if spec.dtype.kind == "b":
                feeds[name] = self._booleans(spec, shapes[name], turn)
            elif spec.dtype.kind == "f" and (seen is None or not _counts(seen)):
                feeds[name] = self._floats(spec, shapes[name], turn, seen)
            else:
                feeds[name] = self._whole(spec, shapes[name], turn, uses[name])
        return Trial(feeds, sizes)

    def _floats(self, spec: InputSpec, shape: tuple[int, ...], turn: int, uses: Uses | None) -> Array:
        size = int(np.prod(shape))
        middles = np.linspace(0.15, 0.95, size, endpoint=False) + 0.4 / max(size, 1)
        drawn = self._rng.permutation(middles) * self._rng.choice((-1.0, 1.0), size) * _SCALES[turn % len(_SCALES)]
        if uses is not None:
            for ids, values in uses.values:  # around a bound, on both sides
                drawn[ids] = np.where(self._rng.random(len(ids)) < 0.3, values + drawn[ids], drawn[ids])
        whole: Array = drawn.reshape(shape).astype(spec.dtype)
        if uses is not None and shape and size and (uses.equal or not uses.values):
            zeros = [
                (np.arange(size), np.zeros(size))
            ]  # compared after a reduction: rows of zeros may be what is masked
            self._masked(whole, uses.equal or zeros, turn)
        return whole

    def _masked(self, drawn: Array, equal: Sequence[tuple[Array, Array]], turn: int) -> None:
        """Put what elements are compared with for being equal in some rows, and in some elements."""
        flat = np.full(drawn.size, np.nan)
        for ids, values in equal:
            flat[ids] = values
        target = flat.reshape(drawn.shape)
        rows = self._rng.random(drawn.shape[:-1]) < (0.3, 0.5)[turn % 2]
        some = self._rng.random(drawn.shape[:-1]) < 0.3
        chosen = rows[..., None] | (some[..., None] & (self._rng.random(drawn.shape) < 0.4))
        chosen = chosen & ~np.isnan(target)
        drawn[chosen] = target[chosen]

    def _row_axis(self, spec: InputSpec) -> int:
        """Return the axis that may have any size; the first, where there is none."""
        loose = [name for name in self._free if name not in self._steps]
        return next((axis for axis, dim in enumerate(spec.shape) if str(dim) in loose), 0)

    def _rows_first(self, spec: InputSpec, shape: Sequence[int]) -> list[int]:
        """Return a shape with that axis in front."""
        axis = self._row_axis(spec)
        return [*shape[axis : axis + 1], *shape[:axis], *shape[axis + 1 :]]

    def _booleans(self, spec: InputSpec, shape: tuple[int, ...], turn: int) -> Array:
        """Return rows of every pattern in turn where these are few; else all, none, the first of a row, and any."""
        rows = self._rows_first(spec, shape)
        count, width = (rows[0], int(np.prod(rows[1:]))) if rows else (1, 1)
        if width <= _PATTERNS:
            numbers = self._dealt(spec.name, count, 0, 2**width - 1, turn, Uses(0)).astype(int)
            drawn = (numbers[:, None] >> np.arange(width)) & 1 > 0
        else:
            drawn = self._rng.random((count, width)) < 0.5
            ends = [width, 0, *self._rng.integers(0, width, count)][: (count + 2) // 2]
            for row, end in enumerate(ends[:count]):
                drawn[row] = np.arange(width) < end
        return np.moveaxis(drawn.reshape(rows), 0, self._row_axis(spec)) if shape else drawn.reshape(())

    def _whole(self, spec: InputSpec, shape: tuple[int, ...], turn: int, uses: Uses) -> Array:
        drawn = np.zeros(int(np.prod(shape)))
        for ids, (low, high) in _groups(uses):
            if np.isfinite(low) and np.isfinite(high):
                drawn[ids] = self._dealt(spec.name, len(ids), low, max(low, high), turn, uses)
            elif uses.unknown[ids].any():
                least, most = _within(low, high, 0, _UNKNOWN[turn % len(_UNKNOWN)])
                drawn[ids] = self._rng.integers(least, most + 1, len(ids))
            else:
                far = 7 + 2 * int(min(uses.combined[ids].max(initial=0), 1 << 20))
                least, most = _within(low, high, -far, far)
                drawn[ids] = self._rng.integers(least, most + 1, len(ids))
        return drawn.reshape(shape).astype(spec.dtype)

    def _dealt(self, name: str, count: int, low: float, high: float, turn: int, uses: Uses) -> Array:
        """Return numbers out of a range: both ends, and then one after the other until all have come up."""
        deck, at = self._decks.get((name, low, high), (None, 0))
        if deck is None:
            numbers = self._numbers(low, high, uses)
            deck = self._rng.permutation(numbers[(numbers > low) & (numbers < high)])
        ends = [high, low] if turn % 2 == 0 else [low, high]
        if count == 1:  # one end, then the other, then the rest
            ends = ends[: turn < 2]
        elif count == 2:
            ends = ends[: 1 + (turn % 2 == 0)]
        after = deck if len(deck) else np.array([low, high])
        rest = [float(after[(at + place) % len(after)]) for place in range(count - len(ends))]
        self._decks[name, low, high] = deck, at + len(rest)
        return self._rng.permutation(np.array([*ends, *rest], np.float64))

    def _numbers(self, low: float, high: float, uses: Uses) -> Array:
        if high - low < _DEALT:
            return np.arange(low, high + 1)
        seen = np.concatenate([np.empty(0), *(np.round(values) for _, values in uses.values)])
        seen = np.unique(seen[(seen >= low) & (seen <= high)])[:_DEALT]
        return np.concatenate([seen, np.floor(self._rng.uniform(low, high, 64)), [low, high]])


def _places(graph: Graph, names: Sequence[str], alike: str) -> dict[str, int]:
    """Return by symbol which of the sizes of a row it takes."""
    if alike == "none":
        return {name: place for place, name in enumerate(names)}
    places = dict.fromkeys(names, 0)
    if alike == "axis":
        for spec in reversed(graph.input_specs):
            places |= {str(dim): axis for axis, dim in enumerate(spec.shape) if str(dim) in places}
    return places


def _counts(uses: Uses) -> bool:
    """Say whether floats are whole numbers in truth: cast to integers, or compared with several of them, as steps are."""
    if uses.whole.any():
        return True
    values = [values for _, values in uses.values]
    told = np.unique(np.concatenate(values)) if values else np.empty(0)
    return len(told) > 4 and bool((told == np.round(told)).all())


def _limited(uses: Uses, spec: InputSpec) -> Uses:
    """Return uses with the limits that the graph has for an input."""
    for limit in spec.limits:
        np.maximum(uses.least, limit.least, out=uses.least)
        np.minimum(uses.most, limit.most, out=uses.most)
    return uses


def _groups(uses: Uses) -> list[tuple[Array, tuple[float, float]]]:
    """Return elements that take their numbers from one range, and the range: what is compared, within what is allowed."""
    told = ~np.isnan(uses.low)
    low = np.where(told, np.maximum(uses.low, uses.least), uses.least)
    high = np.where(told, np.minimum(uses.high, uses.most), uses.most)
    ranges = np.stack([np.floor(low), np.ceil(high), uses.unknown & ~told], axis=1)
    if not len(ranges):
        return []
    kinds, which = np.unique(ranges, axis=0, return_inverse=True)
    which = which.reshape(-1)
    return [(np.flatnonzero(which == place), (float(low), float(high))) for place, (low, high, _) in enumerate(kinds)]


def _within(low: float, high: float, least: int, most: int) -> tuple[int, int]:
    """Return a range of whole numbers, moved into what is allowed."""
    first = int(low) if np.isfinite(low) else least
    last = int(high) if np.isfinite(high) else most
    if np.isfinite(low) and not np.isfinite(high):
        last = max(first + most - max(least, 0), first)
    if np.isfinite(high) and not np.isfinite(low):
        first = min(first, last)
    return first, last
