"""Where the weights of cells stand on a sheet: all at one scale, cells beside one another as far as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unroll.dtypes import Array
from unroll.viz import palette
from unroll.viz.block_means import block_means
from unroll.viz.dot_text import TIMES, text_width, visible
from unroll.viz.numbers.bitmaps import coloured, signed
from unroll.viz.numbers.canvas import Canvas
from unroll.viz.numbers.scales import scale_bar
from unroll.viz.numbers.weights import Blocks, CellWeights, Weight
from unroll.viz.values import number

# A sheet, and the widest and highest rectangle on it.
_SHEET, _WIDE, _HIGH = 900.0, 480.0, 420.0
# The side of a square that is one number, where there are few.
_LARGEST = 22.0
# A heat map has no cells that are narrower than this: where there would be, one cell is the mean of a block.
_CELL = 2.0
_MARGIN, _GAP, _BETWEEN = 18.0, 30.0, 12.0
_TITLE, _TEXT, _SMALL = 13.0, 11.0, 9.0
_HEAD, _BAND, _LINE = 16.0, 16.0, 12.0
_BIAS = 9.0
# No title or note is longer than so many letters.
_LONGEST = 120
# A range of colours ends here, so that one large number does not whiten all others.
_PERCENTILE = 99


class KernelSheet:
    """The weights of cells on a sheet.

    Args:
        cells: the cells.
        values: show numbers as colours.

    Attributes:
        canvas: the sheet.
        notes: what is said below it.
    """

    def __init__(self, cells: Sequence[CellWeights], values: bool) -> None:
        self._values = values
        self._weights = [weight for cell in cells for stack in cell.stacks for weight in stack]
        self._scale = _scale(cells, values)
        self._end = _end([_drawn(weight, self._scale) for weight in self._weights if weight.grid.size])
        self.canvas = Canvas(f"weights of {', '.join(cell.title for cell in cells)}")
        self.notes: list[str] = []
        x = y = _MARGIN
        high = right = 0.0
        for cell in cells:
            wide, tall = self._size(cell)
            if x > _MARGIN and x + wide > _SHEET:
                x, y, high = _MARGIN, y + high + _GAP, 0.0
            self._cell(cell, x, y)
            x += wide + _GAP
            high, right = max(high, tall), max(right, x - _GAP)
        self._foot(y + high + (8 if values else 0), right)

    def _foot(self, y: float, right: float) -> None:
        self.notes += self._remarks()
        if self._values:
            scale_bar(self.canvas, _MARGIN, y, 150, (-self._end, self._end), signed)
            y += 30
        for note in self.notes:
            right = max(right, _MARGIN + self.canvas.text(_MARGIN, y + 9, note, _SMALL, palette.MUTED))
            y += _LINE
        self.canvas.width, self.canvas.height = (
            max(right, _MARGIN + 150) + _MARGIN,
            y + (_MARGIN - 4 if self.notes or self._values else 0),
        )

    def _remarks(self) -> Iterator[str]:
        if self._scale < _BIAS and any(not _is_kernel(weight) for weight in self._weights):
            yield "to scale, but that vectors are drawn higher than they are"
        if not self._values:
            return
        step = _step(self._scale)
        if step > 1:
            yield f"each dot is the mean of up to {step} {TIMES} {step} numbers"
        odd = sum(int(weight.grid.size - np.isfinite(weight.grid).sum()) for weight in self._weights)
        if odd:
            yield f"{odd:,} of {sum(weight.grid.size for weight in self._weights):,} numbers are NaN or infinite, in orange"
        if step == 1 and any(np.abs(_finite(weight.grid)).max(initial=0) > self._end for weight in self._weights):
            yield f"{_PERCENTILE} of 100 numbers are within the scale, and the others have the colours of its ends"

    def _size(self, cell: CellWeights) -> tuple[float, float]:
        sizes = [self._stack_size(stack) for stack in cell.stacks]
        wide = sum(width for width, _ in sizes) + _GAP * (len(sizes) - 1)
        return max(wide, text_width(cell.title, _TITLE, True, _LONGEST)), max(
            high for _, high in sizes
        ) + 2 * _HEAD + len(cell.notes) * _LINE

    def _stack_size(self, stack: Sequence[Weight]) -> tuple[float, float]:
        left = self._left(stack)
        wide = max(
            max(_across(weight) * self._scale, text_width(self._title(weight), _TEXT, longest=None)) for weight in stack
        )
        return left + wide, sum(self._high(weight, at == 0) for at, weight in enumerate(stack))

    def _left(self, stack: Sequence[Weight]) -> float:
        heads = [text_width(_sized(*block), _TEXT, True) for weight in stack for block in weight.rows if block[0]]
        return max(heads, default=-8.0) + 8

    def _high(self, weight: Weight, first: bool) -> float:
        return _HEAD + (_BAND if first and _named(weight) else 0) + self._tall(weight) + _BETWEEN

    def _tall(self, weight: Weight) -> float:
        rows = int(weight.grid.shape[0])
        return max(rows * self._scale, 6.0 if _is_kernel(weight) else rows * _BIAS)

    def _cell(self, cell: CellWeights, x: float, y: float) -> None:
        self.canvas.text(x, y + 11, cell.title, _TITLE, palette.WEIGHT, True, longest=_LONGEST)
        for note in cell.notes:
            y += _LINE
            self.canvas.text(x, y + 11, note, _SMALL, palette.MUTED, longest=_LONGEST)
        y += _HEAD + 8
        for stack in cell.stacks:
            wide, _ = self._stack_size(stack)
            left, top = x + self._left(stack), y
            for place, weight in enumerate(stack):
                self._weight(cell, weight, left, top, headed=place == 0)
                top += self._high(weight, place == 0)
            x += wide + _GAP

    def _weight(self, cell: CellWeights, weight: Weight, x: float, y: float, headed: bool) -> None:
        self.canvas.text(x, y + 11, self._title(weight), _TEXT)
        y += _HEAD
        columns = list(_placed(weight.columns, self._scale, weight.tiles[1]))
        if headed and _named(weight):
            for name, size, start, wide in columns:
                self.canvas.rect(x + start, y, wide, _BAND - 2, cell.paint(name) or palette.PLAIN_BLOCK)
                self._fitted(x + start + wide / 2, y + 11, (_sized(name, size), visible(name)), wide - 2)
            y += _BAND
        tall, across = self._tall(weight), _across(weight) * self._scale
        rows = list(
            _placed(weight.rows or (("", weight.grid.shape[0]),), tall / max(weight.grid.shape[0], 1), weight.tiles[0])
        )
        self._row_heads(rows, x, y)
        if self._values and weight.grid.size:
            self.canvas.bitmap(x, y, across, tall, coloured(_drawn(weight, self._scale), -self._end, self._end, signed))
        else:
            for name, _, start, wide in columns:
                for source, _, top, high in rows:
                    fill = cell.paint(name) or palette.PLAIN_BLOCK
                    self.canvas.rect(x + start, y + top, wide, high, fill)
                    self._symbol(weight, source, name if cell.paint(name) else "", x + start, y + top, wide, high)
        self._frame(weight, columns, rows, x, y, across, tall)
        if self._values and _is_kernel(weight) and _finite(weight.grid).size:
            self._mark(weight, x, y, across, tall)

    def _row_heads(self, rows: Sequence[tuple[str, int, float, float]], x: float, y: float) -> None:
        """Write sources at the left, each below the one before where rows are low."""
        lowest = y - _LINE
        for name, size, top, high in rows:
            if name:
                lowest = max(lowest + _LINE, y + top + high / 2 + 4)
                self.canvas.text(x - 6, lowest, _sized(name, size), _TEXT, anchor="end")

    def _fitted(self, x: float, y: float, texts: Sequence[str], wide: float) -> None:
        """Write the first of some texts that has room, if any."""
        fitting = next((text for text in texts if text_width(text, _TEXT, True) <= wide), None)
        if fitting is not None:
            self.canvas.text(x, y, fitting, _TEXT, bold=True, anchor="middle")

    def _symbol(self, weight: Weight, source: str, gate: str, x: float, y: float, wide: float, high: float) -> None:
        """Write what a formula calls a block: its letter with its source and gate as index."""
        letter = "W" if _is_kernel(weight) else "b" if "bias" in weight.title.lower() or "bias" in source else ""
        index = source.removesuffix(" bias").partition(" (")[0]
        index = f"{index},{gate}" if index and gate and len(index + gate) > 2 else f"{index}{gate}"
        size = text_width(letter, _TEXT) + text_width(index, _SMALL - 1)
        if letter and size <= wide - 4 and high >= _TEXT:
            left, base = x + (wide - size) / 2, y + high / 2 + 4
            self.canvas.text(left, base, letter, _TEXT)
            self.canvas.text(left + text_width(letter, _TEXT), base + 2.5, index, _SMALL - 1)

    def _frame(
        self,
        weight: Weight,
        columns: Sequence[tuple[str, int, float, float]],
        rows: Sequence[tuple[str, int, float, float]],
        x: float,
        y: float,
        across: float,
        tall: float,
    ) -> None:
        """Draw the lines between blocks, and thicker ones between the matrices of a window."""
        edges = ((x, y), (x + across, y), (x + across, y + tall), (x, y + tall), (x, y))
        self.canvas.line(edges, palette.WEIGHT, 1)
        for place, (_, _, start, _) in enumerate(columns):
            if place:
                thick = 2.0 if place % len(weight.columns) == 0 else 0.75
                self.canvas.line(((x + start, y), (x + start, y + tall)), palette.WEIGHT, thick)
        for place, (_, _, top, _) in enumerate(rows):
            if place:
                thick = 2.0 if place % max(len(weight.rows), 1) == 0 else 0.75
                self.canvas.line(((x, y + top), (x + across, y + top)), palette.WEIGHT, thick)

    def _mark(self, weight: Weight, x: float, y: float, across: float, tall: float) -> None:
        """Mark the number that is farthest from zero."""
        row, column = _farthest(weight.grid)
        side = max(self._scale, 6.0)
        middle = (x + (column + 0.5) * across / weight.grid.shape[1], y + (row + 0.5) * tall / weight.grid.shape[0])
        for away, color in ((side / 2 + 1, "#FFFFFF"), (side / 2, palette.INK)):
            left, right = middle[0] - away, middle[0] + away
            top, bottom = middle[1] - away, middle[1] + away
            self.canvas.line(((left, top), (right, top), (right, bottom), (left, bottom), (left, top)), color, 1.2)

    def _title(self, weight: Weight) -> str:
        if not self._values or not _is_kernel(weight) or not _finite(weight.grid).size:
            return weight.title
        row, column = _farthest(weight.grid)
        return f"{weight.title}   max |w| {number(abs(weight.grid[row, column]))}"


def _scale(cells: Sequence[CellWeights], values: bool) -> float:
    """Return how long one element is, in points: small kernels have large squares, and room for the names of gates."""
    stacks = [stack for cell in cells for stack in cell.stacks]
    weights = [weight for stack in stacks for weight in stack]
    across = max((_across(weight) for weight in weights), default=1) or 1
    down = max((weight.grid.shape[0] for weight in weights), default=1) or 1
    largest = min(_LARGEST, _WIDE / across, _HIGH / down)
    names = [
        (text_width(_sized(name, size), _TEXT, True) + 5) / size
        for stack in stacks
        for name, size in stack[0].columns
        if name and size
    ]
    room = max(names, default=0.0)
    most = min(_SHEET / across, 2 * largest)
    return max(largest, min(room, most))


def _drawn(weight: Weight, scale: float) -> Array:
    """Return the numbers of a weight as they are drawn: where a dot would be too small for one, the means of blocks."""
    step, grid = _step(scale), weight.grid
    if step == 1:
        return grid
    rows, columns = weight.rows or (("", grid.shape[0]),), weight.columns
    starts = [_starts(rows, step, weight.tiles[0]), _starts(columns, step, weight.tiles[1])]
    dots = [_dots(start, size) for start, size in zip(starts, grid.shape, strict=True)]
    return np.repeat(np.repeat(block_means(grid, *starts), dots[0], axis=0), dots[1], axis=1)


def _step(scale: float) -> int:
    return max(1, int(-(-_CELL // scale)))


def _end(drawn: Sequence[Array]) -> float:
    whole = np.concatenate([np.abs(_finite(grid)).ravel() for grid in drawn]) if drawn else np.zeros(0)
    most = float(np.percentile(whole, _PERCENTILE)) if whole.size else 0.0
    return most or float(whole.max(initial=0)) or 1.0


def _finite(grid: Array) -> Array:
    return np.asarray(grid[np.isfinite(grid)], np.float64)


def _farthest(grid: Array) -> tuple[int, int]:
    """Return the row and column of the finite number that is farthest from zero."""
    away = np.where(np.isfinite(grid), np.abs(np.where(np.isfinite(grid), grid, 0)), -1)
    row, column = np.unravel_index(int(np.argmax(away)), grid.shape)
    return int(row), int(column)


def _starts(blocks: Blocks, step: int, times: int) -> Array:
    """Return where means begin: every so many numbers, and anew in each block."""
    found: list[int] = []
    begin = 0
    for _, size in blocks * times:
        found += range(begin, begin + size, step)
        begin += size
    return np.array(found)


def _dots(starts: Array, size: int) -> Array:
    """Return how many dots wide each mean is drawn: two for a whole one, in proportion for the last of a block."""
    counts = np.diff([*starts, size])
    return np.asarray(np.maximum(1, np.rint(2 * counts / counts.max())), np.intp)


def _placed(blocks: Blocks, scale: float, times: int) -> Iterator[tuple[str, int, float, float]]:
    """Yield each block with its name and size, where it begins, and how long it is drawn."""
    begin = 0
    for name, size in blocks * times:
        yield name, size, begin * scale, size * scale
        begin += size


def _is_kernel(weight: Weight) -> bool:
    return bool(weight.rows) and not all(name.endswith(" bias") for name, _ in weight.rows)


def _named(weight: Weight) -> bool:
    return any(name for name, _ in weight.columns)


def _across(weight: Weight) -> int:
    return int(weight.grid.shape[1])


def _sized(name: str, size: int) -> str:
    return f"{visible(name)} {size}"
