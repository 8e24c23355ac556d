"""How a product is cut into tiles: rows times columns whose sums stay in registers, from the first factor to the last."""

from __future__ import annotations

from typing import NamedTuple

from unroll.dtypes import DType
from unroll.export.c.lanes import most_lanes

#: How many registers of sums a tile has at most: of 16 that x86 has, some hold weights and factors.
_MOST_SUMS = 12
#: How many sums keep a processor busy: two units, each of which takes four cycles to add.
_ENOUGH_SUMS = 8
#: How many rows are computed at once where there are that many.
_ROWS = 4
#: In how many sums one is added up at most.
_MOST_PARTS = 4


class Tile(NamedTuple):
    """Rows and columns that are computed at once.

    Attributes:
        first: the first row.
        repeats: how many such tiles lie one below the other.
        rows: how many rows one has.
        lanes: how many columns, in registers, or in numbers where `vector` is False.
        parts: in how many sums each is added up, each over a part of the factors: so one need not wait for another, and
            weights are read at several places at once, which hides where pages of memory end.
        vector: whether the columns are lanes.
    """

    first: int
    repeats: int
    rows: int
    lanes: int
    parts: int
    vector: bool


def panel_width(rows: int, dtype: DType) -> int:
    """Return how many columns lie together in the weights: those of a tile, for a few rows or for many."""
    return most_lanes(dtype) * (4 if rows < _ROWS else 2)


def tiles(rows: int, width: int, dtype: DType) -> list[Tile]:
    """Return the tiles of a panel, from its first row to its last."""
    found = []
    whole = rows // _ROWS
    if whole:
        found.append(_tile(0, whole, _ROWS, width, dtype))
    if rows % _ROWS:
        found.append(_tile(whole * _ROWS, 1, rows % _ROWS, width, dtype))
    return found


def _tile(first: int, count: int, rows: int, width: int, dtype: DType) -> Tile:
    vector = width % most_lanes(dtype) == 0
    columns = width // most_lanes(dtype) if vector else width
    most = min(_ENOUGH_SUMS, max(1, _MOST_SUMS // rows))
    lanes = next(size for size in range(most, 0, -1) if columns % size == 0)
    parts = min(_MOST_PARTS, max(1, _ENOUGH_SUMS // (rows * lanes)))
    return Tile(first, count, rows, lanes, parts, vector)
