"""The numbers of trial feeds: floats that hide nothing, and whole numbers and booleans dealt from decks until all have
come up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.dtypes import ALL, FLOAT32, INT64, TEXT, Array
from unroll.feeds import InputSpec
from unroll.trials.feed_uses import Uses

#: What the floats of each feed are multiplied by: only the larger ones reach bounds that clip.
_SCALES = (1.0, 2.5, 0.5)
#: How large indices and lengths may be of which nothing is known, one feed after the other.
_UNKNOWN = (4, 1, 40)
#: Up to how many booleans a row may have for all their patterns to be dealt out.
PATTERNS = 6
#: How many rows show a mask that hides some elements of a row, all, or none.
MASKED = 24
#: What is fed where text is wanted, and how large whole numbers of dtypes that only pass through may be.
_WORDS, _SMALL = ("a", "word", "", "two words"), 3
#: A range of up to this many whole numbers is dealt out in full; of a wider one, the numbers compared with and some
#: others.
DEALT = 4096
#: Up to how many floats of one input no two are equal; to put more in an order at random takes long.
_ALL_DIFFERENT = 1_000_000


def as_drawn(array: Array) -> Array:
    """Return floats as they are."""
    return array


def below_one(array: Array) -> Array:
    """Put floats between 0 and 1, where logarithms, roots and odds are numbers."""
    return np.asarray(np.abs(array) / (1 + np.abs(array)), array.dtype)


def beyond_five(array: Array) -> Array:
    """Put floats above 5."""
    return np.asarray(np.abs(array) + 5, array.dtype)


#: What is made of the floats of a feed, one after the other, until a graph gives finite numbers on them.
RANGES = (as_drawn, below_one, beyond_five)


class Numbers:
    """Draws arrays; what was dealt is not dealt again before all has come up.

    Args:
        seed: of what is drawn.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._decks: dict[tuple[str, float, float], tuple[Array, int]] = {}

    @property
    def left(self) -> bool:
        """Whether some numbers of a range have not come up yet."""
        return any(at < len(deck) for deck, at in self._decks.values())

    def array(self, spec: InputSpec, shape: Sequence[int], rows: int, turn: int, uses: Uses | None) -> Array:
        """Return an array for an input.

        Args:
            spec: the input.
            shape: of the array.
            rows: the axis along which rows are drawn for themselves.
            turn: which feed it is for.
            uses: what the graph does with each element; None where that does not matter, or is not known.
        """
        if spec.dtype not in ALL:
            return self._passed_on(spec, shape, rows, turn, uses)
        if spec.dtype.kind == "b":
            return self._booleans(spec, shape, rows, turn)
        if spec.dtype.kind == "f" and (uses is None or not _counts(uses)):
            return self._floats(spec, shape, turn, uses)
        return self._whole(spec, shape, turn, _unknown(spec, shape) if uses is None else uses)

    def _passed_on(self, spec: InputSpec, shape: Sequence[int], rows: int, turn: int, uses: Uses | None) -> Array:
        """Return an array of a dtype of other files: text, small or unsigned integers, or floats of a few bits."""
        if spec.dtype == TEXT:
            return self._rng.choice(_WORDS, tuple(shape)).astype(TEXT)
        if "int" in spec.dtype.name:
            drawn = self.array(spec._replace(dtype=INT64), shape, rows, turn, uses)
            return np.asarray(np.minimum(np.abs(drawn), _SMALL)).astype(spec.dtype)
        return self.array(spec._replace(dtype=FLOAT32), shape, rows, turn, uses).astype(spec.dtype)

    def _floats(self, spec: InputSpec, shape: Sequence[int], turn: int, uses: Uses | None) -> Array:
        size = int(np.prod(shape))
        if size <= _ALL_DIFFERENT:
            middles = np.linspace(0.15, 0.95, size, endpoint=False) + 0.4 / max(size, 1)
            drawn = self._rng.permutation(middles) * self._rng.choice((-1.0, 1.0), size)
        else:
            drawn = self._rng.uniform(-0.8, 0.8, size)
            drawn += np.copysign(0.15, drawn)
        drawn *= _SCALES[turn % len(_SCALES)]
        if uses is not None:
            for ids, values in uses.values:  # around a bound, on both sides
                drawn[ids] = np.where(self._rng.random(len(ids)) < 0.3, values + drawn[ids], drawn[ids])
        whole: Array = drawn.reshape(shape).astype(spec.dtype)
        if uses is not None and shape and size and (uses.equal or not uses.values):
            zeros = np.arange(size), np.zeros(size)  # compared after a reduction: rows of zeros may be what is masked
            self._masked(whole, uses.equal or [zeros], turn)
        return whole

    def _masked(self, drawn: Array, equal: Sequence[tuple[Array, Array]], turn: int) -> None:
        """Put the numbers that elements are tested for equality with into some rows, and into some elements."""
        flat = np.full(drawn.size, np.nan)
        for ids, values in equal:
            flat[ids] = values
        target = flat.reshape(drawn.shape)
        rows = self._rng.random(drawn.shape[:-1]) < (0.3, 0.5)[turn % 2]
        some = self._rng.random(drawn.shape[:-1]) < 0.3
        chosen = rows[..., None] | (some[..., None] & (self._rng.random(drawn.shape) < 0.4))
        chosen = chosen & ~np.isnan(target)
        drawn[chosen] = target[chosen]

    def _booleans(self, spec: InputSpec, shape: Sequence[int], axis: int, turn: int) -> Array:
        """Return rows of every pattern in turn where these are few; else all, none, the first of a row, and any."""
        rows = [*shape[axis : axis + 1], *shape[:axis], *shape[axis + 1 :]]
        count, width = (rows[0], int(np.prod(rows[1:]))) if rows else (1, 1)
        if width <= PATTERNS:
            numbers = self._dealt(spec.name, count, 0, 2**width - 1, turn, Uses(0)).astype(int)
            drawn = (numbers[:, None] >> np.arange(width)) & 1 > 0
        else:
            drawn = self._rng.random((count, width)) < 0.5
            ends = [width, 0, *self._rng.integers(0, width, count)][: (count + 2) // 2]
            for row, end in enumerate(ends[:count]):
                drawn[row] = np.arange(width) < end
        return np.moveaxis(drawn.reshape(rows), 0, axis) if rows else drawn.reshape(())

    def _whole(self, spec: InputSpec, shape: Sequence[int], turn: int, uses: Uses) -> Array:
        drawn = np.zeros(int(np.prod(shape)))
        for ids, (low, high) in groups_of(uses):
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
        if high - low < DEALT:
            return np.arange(low, high + 1)
        seen = np.concatenate([np.empty(0), *(np.round(values) for _, values in uses.values)])
        seen = np.unique(seen[(seen >= low) & (seen <= high)])[:DEALT]
        return np.concatenate([seen, np.floor(self._rng.uniform(low, high, 64)), [low, high]])


def _counts(uses: Uses) -> bool:
    """Say whether floats stand for whole numbers: cast to integers, or compared with several of them, as steps are."""
    if uses.whole.any():
        return True
    values = [values for _, values in uses.values]
    told = np.unique(np.concatenate(values)) if values else np.empty(0)
    return len(told) > 4 and bool((told == np.round(told)).all())


def _unknown(spec: InputSpec, shape: Sequence[int]) -> Uses:
    """Return the uses of an input of which only its limits are known."""
    uses = Uses(int(np.prod(shape)))
    uses.unknown[:] = True
    return limited(uses, spec)


def limited(uses: Uses, spec: InputSpec) -> Uses:
    """Return uses with the limits that the graph has for an input, as far as they are numbers."""
    for limit in spec.limits:
        np.maximum(uses.least, limit.least, out=uses.least)
        if isinstance(limit.most, int):
            np.minimum(uses.most, limit.most, out=uses.most)
    return uses


def groups_of(uses: Uses) -> list[tuple[Array, tuple[float, float]]]:
    """Return elements that take their numbers from one range, and the range: what is compared, within what is allowed."""
    told = ~np.isnan(uses.low)
    low = np.where(told, np.maximum(uses.low, uses.least), uses.least)
    high = np.where(told, np.minimum(uses.high, uses.most), uses.most)
    ranges = np.stack([np.floor(low), np.ceil(high), uses.unknown & ~told], axis=1)
    if not len(ranges):
        return []
    if (ranges == ranges[0]).all():  # the usual case
        return [(np.arange(len(ranges)), (float(ranges[0, 0]), float(ranges[0, 1])))]
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
