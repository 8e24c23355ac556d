"""Feeds that are made to tell two graphs apart: they avoid whatever a difference could hide behind.

Sizes of symbols differ from one another and from feed to feed. Floats are never 0 or 1 and never equal to one another;
their magnitudes keep activations away from where they are flat. Integers are drawn from what the graph does with them
(see `unroll.trials.feed_walk`): lengths from 0 to the number of steps, and indices over the whole of a table, with both
ends in every feed that has room for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from unroll.checks import check_size
from unroll.dimensions import substitute
from unroll.dtypes import Array
from unroll.errors import ArgumentError
from unroll.feeds import InputSpec
from unroll.graph import Graph, check_graph
from unroll.sizes import Sizes, checked_dims, read_out, symbols_of
from unroll.trials.feed_uses import Uses
from unroll.trials.feed_walk import followed, uses_of
from unroll.trials.trial_numbers import DEALT, MASKED, PATTERNS, Numbers, groups_of, limited

#: The sizes that symbols take, one feed after the other; `batch` comes first, the others in alphabetical order.
_SIZES = ((5, 4, 7, 3, 6), (3, 6, 2, 5, 4), (2, 3, 5, 4, 7), (1, 2, 4, 3, 5))
#: Inputs of more elements are not followed through the graph.
_FOLLOWED = 1 << 20
#: Which symbols have one size.
ALIKE = ("none", "axis", "all")
#: An input of more elements is given, not drawn: a file may say any size.
_MOST_ELEMENTS = 2**24


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
    """Return feeds that tell a graph apart from others; see this module.

    Args:
        graph: the graph.
        seed: of what is drawn; at least 0.
        dims: sizes of symbols by name; others are chosen, and differ from feed to feed.
        count: how many sets of feeds; at least 1. Two or more differ in sizes and magnitudes.
        rows: up to how many rows the first feed may have, so that every length and every row of a table comes up.
        extra: up to how many sets are added while some have not come up yet.

    Returns:
        ``{input name: array}``, `count` times or more.

    Raises:
        ArgumentTypeError, ArgumentError: a number is not an int or too small; `dims` holds something other than sizes
            of symbols, or sizes that the graph does not allow; or no sizes were found that it allows.
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

    Returns:
        The sets of feeds, each with the sizes it was made for.

    Raises:
        ArgumentTypeError: `graph` is not a Graph, or a number is not an int.
        ArgumentError: a number is too small, `dims` name what is not a symbol or sizes that the graph does not allow, or an
            input is too large to draw numbers for.
    """
    check_graph(graph, what)
    seed, extra = (check_size(value, f"{what}: {name}", 0) for name, value in (("seed", seed), ("extra", extra)))
    count, rows = (check_size(value, f"{what}: {name}") for name, value in (("count", count), ("rows", rows)))
    sizes = checked_dims(dims, symbols_of(graph), what)
    return _Drawing(graph, seed, sizes, alike, what).trials(count, rows, extra)


class _Drawing:
    """Draws the feeds of one graph."""

    def __init__(self, graph: Graph, seed: int, dims: Mapping[str, int], alike: str, what: str) -> None:
        self._what = what
        self._graph, self._near = graph, Sizes(graph, dims, what)
        self._numbers = Numbers(seed)
        self._free = sorted(self._near.free, key=lambda name: (name != "batch", name))
        self._place = _places(graph, self._free, alike)
        self._steps = read_out(graph)
        self._followed = followed(graph)
        self._specs = {spec.name: spec for spec in graph.input_specs}
        self._widened: dict[str, int] = {}
        self._seen: dict[tuple[tuple[str, int], ...], dict[str, Uses]] = {}

    def trials(self, count: int, rows: int, extra: int) -> list[Trial]:
        """Return the sets of feeds."""
        self._widen(self._sizes(0), rows)
        found = [self._trial(turn) for turn in range(count)]
        while extra and self._numbers.left:
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
        large = [name for name, shape in shapes.items() if prod(shape) > _MOST_ELEMENTS]
        if large:
            raise ArgumentError(
                f"{self._what}: input {large[0]!r} of shape {shapes[large[0]]} is too large to draw numbers for; give feeds, "
                "or smaller sizes"
            )
        return shapes

    def _uses(self, sizes: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Uses]:
        """Return what is done with each input that is followed, within its limits."""
        key = tuple(sizes.items())
        if key not in self._seen:
            all_ = {tensor: shapes[tensor.name] for tensor in self._followed}
            own = {tensor: shape for tensor, shape in all_.items() if prod(shape) <= _FOLLOWED}
            found = uses_of(self._graph, sizes, own) if own else {}
            self._seen[key] = {
                tensor.name: limited(uses, self._specs[tensor.name].at(sizes)) for tensor, uses in found.items()
            }
        return self._seen[key]

    def _wanted(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Return how many numbers each element of an input should take in turn, as far as that is known."""
        shapes = self._shapes(sizes)
        wanted = {
            name: 2 ** min(self._row_size(spec, shapes[name]), PATTERNS)
            for name, spec in self._specs.items()
            if spec.dtype.kind == "b"
        }
        for name, uses in self._uses(sizes, shapes).items():
            if self._specs[name].dtype.kind == "f" and (uses.equal or not uses.values) and not uses.whole.any():
                wanted[name] = MASKED
            for _, (low, high) in groups_of(uses):
                if np.isfinite(low) and np.isfinite(high):
                    wanted[name] = max(wanted.get(name, 0), int(min(high - low + 1, DEALT)))
        return wanted

    def _widen(self, sizes: Mapping[str, int], rows: int) -> None:
        """Give the first feed as many rows as it takes to have every number in it, as far as `rows` allows."""
        shapes = self._shapes(sizes)
        for name, number in self._wanted(sizes).items():
            spec = self._specs[name]
            size = str(spec.shape[self._row_axis(spec)]) if spec.shape else ""
            if size in self._free and size not in self._steps:
                most = min(number, rows, _FOLLOWED // max(self._row_size(spec, shapes[name]), 1))
                self._widened[size] = max(self._widened.get(size, 0), most, sizes[size])

    def _row_axis(self, spec: InputSpec) -> int:
        """Return the axis that may have any size; the first, where there is none."""
        loose = [name for name in self._free if name not in self._steps]
        return next((axis for axis, dim in enumerate(spec.shape) if str(dim) in loose), 0)

    def _row_size(self, spec: InputSpec, shape: Sequence[int]) -> int:
        """Return how many elements each index of that axis has."""
        return prod(size for axis, size in enumerate(shape) if axis != self._row_axis(spec))

    # -- one set -------------------------------------------------------------------------------------------------------

    def _trial(self, turn: int) -> Trial:
        sizes = self._sizes(turn)
        shapes = self._shapes(sizes)
        uses = self._uses(sizes, shapes)
        feeds = {
            name: self._numbers.array(spec.at(sizes), shapes[name], self._row_axis(spec), turn, uses.get(name))
            for name, spec in self._specs.items()
        }
        return Trial(feeds, sizes)


def _places(graph: Graph, names: Sequence[str], alike: str) -> dict[str, int]:
    """Return by symbol which of the sizes of a row it takes."""
    if alike == "none":
        return {name: place for place, name in enumerate(names)}
    places = dict.fromkeys(names, 0)
    if alike == "axis":
        for spec in reversed(graph.input_specs):
            places |= {str(dim): axis for axis, dim in enumerate(spec.shape) if str(dim) in places}
    return places
