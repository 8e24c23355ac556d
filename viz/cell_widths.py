"""How wide a cell is: as many units as its gates have, or else its states."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.dimensions import Dim
from unroll.parameter import BlockTable
from unroll.tensor import Tensor
from unroll.viz.contraction import Contraction

#: The gates of a cell with their sizes.
Columns = Sequence[tuple[str, int]]


def units_text(columns: Columns, results: Sequence[tuple[Tensor, str]]) -> str:
    """Return how wide a cell is: as its gates are, or else its states; nothing where those differ."""
    sizes: set[Dim] = {size for _, size in columns} or {tensor.shape[-1] for tensor, _ in results if tensor.rank}
    (size,) = sizes if len(sizes) == 1 else (None,)
    return f"{size} unit{'s' * (size != 1)}" if size is not None else ""


def gate_columns(contraction: Contraction) -> dict[str, Columns]:
    """Return the gates of each cell, as the weights have them that read its input, or else its state; none where none do."""
    tables: dict[str, list[BlockTable]] = {unit.cell: [] for unit in contraction.units if unit.cell is not None}
    for parameter, readers in contraction.readers.items():
        for row in {unit.cell for unit in readers if unit.cell is not None}:
            if parameter.blocks is not None:
                tables[row].append(parameter.blocks)
    return {
        cell: next((blocks.columns for source in "hx" for blocks in found if source in dict(blocks.rows)), ())
        for cell, found in tables.items()
    }
