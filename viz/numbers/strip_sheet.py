"""Where strips of values stand on a sheet: loops under one another, and all on one time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.viz import palette
from unroll.viz.block_means import block_means
from unroll.viz.dot_text import text_width
from unroll.viz.numbers.bitmaps import Ramp, coloured, of_gate, plain, signed
from unroll.viz.numbers.canvas import Canvas
from unroll.viz.numbers.scales import short
from unroll.viz.page.activations import NEAR, percent, saturated, sign_of
from unroll.viz.page.colours import GATES
from unroll.viz.page.data import Shown
from unroll.viz.page.rows import Row
from unroll.viz.page.tracks import told
from unroll.viz.weight_names import shown_path

# The widest strip, and how wide one step is where there are few.
_WIDE, _STEP = 720.0, 26.0
_LOWEST, _HIGHEST, _UNIT = 24.0, 96.0, 7.0
_MARGIN, _GAP, _BETWEEN = 18.0, 6.0, 16.0
_TITLE, _TEXT, _SMALL = 13.0, 11.0, 8.5
# Dots a point of the sheet; more steps or units than there is room for are drawn by the means of some.
_DOTS = 2
#: A unit is saturated that is so at this share of the steps, and dead where it changes less than this.
_SATURATED, _STILL = 0.9, 1e-6
_MARK = 4.0
_BAR = 8.0
_AXIS = 15.0
# So many strips are drawn at most: of more a bitmap could not be read.
_MOST = 120
_LONGEST = 60


class _Grid(NamedTuple):
    """The values of a strip: units by steps of the time axis.

    Attributes:
        values: its numbers.
        known: at which steps there are any.
        active: at which steps the sequence has not ended.
    """

    values: Array
    known: Array
    active: Array


class StripSheet:
    """The values of loops on a sheet.

    Args:
        rows: for each loop its tracks with their values, and which steps are behind a sequence's end.
        batch_row: which row of the batch is shown.

    Attributes:
        canvas: the sheet.
        notes: what is said below it.
    """

    def __init__(self, rows: Sequence[tuple[Row, list[Shown], Shown | None]], batch_row: int) -> None:
        self._batch_row = batch_row
        steps = [step for row, _, _ in rows for step in row.steps]
        self._first, self._count = min(steps), max(steps) - min(steps) + 1
        self._wide = min(_WIDE, _STEP * self._count)
        names = [text for _, tracks, _ in rows for shown in tracks for text in self._heads(shown)]
        self._left = _MARGIN + max(text_width(text, _TEXT, True, _LONGEST) for text in names) + 8
        self._marks: dict[str, int] = {"saturated": 0, "dead": 0, "ended": 0, "odd": 0, "absent": 0, "units": 0}
        self.canvas = Canvas("values at every step")
        self.notes: list[str] = []
        self._right = self._left + self._wide + 150
        y, drawn = _MARGIN, 0
        for row, tracks, ended in rows:
            if drawn < _MOST:
                y = self._row(row, tracks[: _MOST - drawn], ended, y) + _BETWEEN
            drawn += len(tracks)
        self._foot(y, drawn)

    def _row(self, row: Row, tracks: Sequence[Shown], ended: Shown | None, y: float) -> float:
        """Draw the strips of a loop and return where they end."""
        named = shown_path(row.path) + (f", call {row.call}" if row.call else "")
        self.canvas.text(_MARGIN, y + 11, named, _TITLE, palette.STATE, True, longest=_LONGEST)
        title = text_width(named, _TITLE, True, _LONGEST)
        said = ", ".join(self._said(row, tracks))
        wide = self.canvas.text(_MARGIN + title + 10, y + 11, said, _TEXT, palette.MUTED)
        self._right = max(self._right, _MARGIN + title + 10 + wide)
        y += 19
        active = self._active(ended)
        for shown in tracks:
            if shown.array is not None and shown.array.shape[-1]:
                y += self._strip(shown, active, y) + _GAP
        self._axis(y - 2)
        return y + _AXIS

    def _said(self, row: Row, tracks: Sequence[Shown]) -> Iterator[str]:
        yield f"{len(row.steps):,} step{'s' * (len(row.steps) != 1)}"
        state = next((shown for shown in tracks if shown.track.kind == "state" and shown.array is not None), None)
        if state is not None and state.array is not None:
            shape, units = state.shape[1:], state.array.shape[-1]
            yield (f"state {shape_text(shape)}" if len(shape) > 1 else f"{units} unit{'s' * (units != 1)}")
        if row.backward:
            yield "from the last step to the first"

    def _active(self, ended: Shown | None) -> Array:
        active = np.ones(self._count, bool)
        if ended is not None and ended.array is not None:
            held = self._of_row(ended.array)[:, 0].astype(bool)
            active[np.array(ended.steps) - self._first] = held == (ended.track.name == "active")
        return active

    def _of_row(self, array: Array) -> Array:
        return np.asarray(array[min(self._batch_row, len(array) - 1)])

    def _strip(self, shown: Shown, active: Array, y: float) -> float:
        """Draw one strip and return how high it is."""
        held = self._of_row(shown.array) if shown.array is not None else np.zeros((0, 1))
        values = np.full((held.shape[1], self._count), np.nan)
        known = np.zeros(self._count, bool)
        places = np.array(shown.steps) - self._first
        values[:, places], known[places] = held.T, True
        self._marks["absent"] += int(len(places) < self._count)
        grid = _Grid(values, known, active & known)
        high = min(_HIGHEST, max(_LOWEST, _UNIT * len(values)))
        facts = told(shown.track, held[None])
        low, top = facts["scale"]
        ramp = self._ramp(shown, low)
        self._names(shown, y, high)
        self.canvas.bitmap(self._left, y, self._wide, high, self._cells(grid, low, top, ramp, high))
        x = self._left + self._wide
        edges = ((self._left, y), (x, y), (x, y + high), (self._left, y + high), (self._left, y))
        self.canvas.line(edges, palette.INPUT_LINE, 0.5)
        self._hatch(known & ~active, y, high)
        marked = self._mark(shown, grid, x + 3, y, high)
        self._scale(x + 14, y, high, (low, top), ramp)
        share = facts["saturated"][0] if facts["saturated"] is not None else 0
        lines = [f"mean {short(facts['mean'][0])}" + (f", {percent(share)} saturated" if share else "")]
        if facts["odd"]:
            marked.append(f"{facts['odd']:,} not finite")
            self._marks["odd"] += facts["odd"]
        for place, text in enumerate([*lines, ", ".join(marked)]):
            width = self.canvas.text(x + 68, y + 9 + 11 * place, text, _SMALL, palette.MUTED)
            self._right = max(self._right, x + 68 + width)
        return high

    def _heads(self, shown: Shown) -> tuple[str, str]:
        sign = f", {sign_of(shown.track.activation)}" if shown.track.activation else ""
        size = shown.array.shape[-1] if shown.array is not None else 0
        title = f"{shown.track.title}{sign}" if shown.track.title != shown.track.name else ""
        return f"{shown.track.name} {size}", title

    def _names(self, shown: Shown, y: float, high: float) -> None:
        name, title = self._heads(shown)
        middle = y + high / 2
        if shown.color is not None:
            self.canvas.rect(self._left - 5, y, 3, high, GATES[shown.color].mark)
        self.canvas.text(self._left - 9, middle - 1, name, _TEXT, bold=True, anchor="end", longest=_LONGEST)
        self.canvas.text(self._left - 9, middle + 10, title, _SMALL, palette.MUTED, anchor="end", longest=_LONGEST)

    def _ramp(self, shown: Shown, low: float) -> Ramp:
        if shown.track.kind == "gate" and shown.color is not None and low == 0:
            return of_gate(GATES[shown.color].fill)
        return plain if low == 0 else signed

    def _cells(self, grid: _Grid, low: float, top: float, ramp: Ramp, high: float) -> Array:
        """Return the coloured dots of a strip: the means of several steps or units where there are too many."""
        values, known = grid.values, grid.known
        step = max(1, -(-self._count // int(_DOTS * self._wide)))
        unit = max(1, -(-len(values) // int(_DOTS * high)))
        if step > 1 or unit > 1:
            rows, columns = np.arange(0, len(values), unit), np.arange(0, self._count, step)
            values, known = block_means(values, rows, columns), np.logical_or.reduceat(known, columns)
            self._marks["units"] = max(self._marks["units"], unit)
        cells = coloured(values, low, top, ramp)
        cells[:, ~known] = 255
        return cells

    def _mark(self, shown: Shown, grid: _Grid, x: float, y: float, high: float) -> list[str]:
        """Mark units that are saturated or do not change at the right of a strip, and return what is said of them."""
        held = grid.values[:, grid.active]
        if held.shape[1] < 2 or shown.track.kind == "input":
            return []
        near = saturated(held, shown.track.activation)
        most = _SATURATED * np.maximum(1, np.isfinite(held).sum(axis=1))
        full = np.zeros(len(held), bool) if near is None else near.sum(axis=1) >= most
        with np.errstate(invalid="ignore"):
            still = (np.ptp(held, axis=1) <= _STILL * np.maximum(1, np.abs(held).max(axis=1))) & ~full
        tall = high / len(held)
        side = min(_MARK, max(tall - 1, 1.5))
        for unit in np.flatnonzero(full):
            self.canvas.rect(x, y + (unit + 0.5) * tall - side / 2, side, side, palette.INK)
        for unit in np.flatnonzero(still):
            self.canvas.rect(x, y + (unit + 0.5) * tall - side / 2, side, side, "#FFFFFF", palette.INK)
        found = []
        for kind, units in (("saturated", full), ("dead", still)):
            if units.any():
                self._marks[kind] += int(units.sum())
                found.append(f"{units.sum()} {kind}")
        found[-1:] = [f"{text} of {len(held)}" for text in found[-1:]]
        return found

    def _hatch(self, ended: Array, y: float, high: float) -> None:
        """Hatch the steps that are behind a sequence's end."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], ended, [False]]).astype(int)))
        one = self._wide / self._count
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            self._marks["ended"] += 1
            left, right = self._left + begin * one, self._left + end * one
            for place in np.arange(left - high, right, 6.0):
                start, stop = max(place, left), min(place + high, right)
                if start < stop:
                    low, top = y + high - (start - place), y + high - (stop - place)
                    self.canvas.line(((start, low), (stop, top)), palette.MUTED, 0.6)

    def _scale(self, x: float, y: float, high: float, ends: tuple[float, float], ramp: Ramp) -> None:
        cells = coloured(np.linspace(ends[1], ends[0], 32)[:, None], *ends, ramp)
        self.canvas.bitmap(x, y, _BAR, high, cells)
        self.canvas.text(x + _BAR + 3, y + 7, short(ends[1]), _SMALL, palette.MUTED)
        self.canvas.text(x + _BAR + 3, y + high, short(ends[0]), _SMALL, palette.MUTED)

    def _axis(self, y: float) -> None:
        """Write steps below the strips of a loop, in round numbers."""
        one = self._wide / self._count
        widest = text_width(str(self._first + self._count), _SMALL) + 8
        every = next(
            size for power in range(12) for size in (10**power, 2 * 10**power, 5 * 10**power) if size * one >= widest
        )
        self.canvas.text(self._left - 9, y + 10, "step", _SMALL, palette.MUTED, anchor="end")
        for step in range(-(-self._first // every) * every, self._first + self._count, every):
            x = self._left + (step - self._first + 0.5) * one
            self.canvas.line(((x, y), (x, y + 3)), palette.MUTED, 0.6)
            self.canvas.text(x, y + 11, str(step), _SMALL, palette.MUTED, anchor="middle")

    def _foot(self, y: float, drawn: int) -> None:
        self.notes += self._remarks(drawn)
        for note in self.notes:
            self._right = max(self._right, _MARGIN + self.canvas.text(_MARGIN, y + 8, note, 9, palette.MUTED))
            y += 12
        self.canvas.width, self.canvas.height = self._right + _MARGIN, y + _MARGIN - 6

    def _remarks(self, drawn: int) -> Iterator[str]:
        yield f"row {self._batch_row} of the batch"
        if self._marks["saturated"]:
            yield f"\u25a0 saturated: within {NEAR} of an end of its range at nine of ten steps or more"
        if self._marks["dead"]:
            yield "\u25a1 dead: the same at every step"
        if self._marks["ended"]:
            yield "hatched: behind the end of the sequence"
        if self._marks["absent"]:
            yield "white: not computed at that step"
        if self._marks["odd"]:
            odd = self._marks["odd"]
            yield f"{odd:,} number{'s are' if odd > 1 else ' is'} NaN or infinite, in orange"
        step = max(1, -(-self._count // int(_DOTS * self._wide)))
        if step > 1:
            yield f"each dot is the mean of up to {step} steps"
        if self._marks["units"] > 1:
            yield f"each dot is the mean of up to {self._marks['units']} units"
        if drawn > _MOST:
            more = drawn - _MOST
            yield f"{more} more strip{'s are' if more > 1 else ' is'} left out"
