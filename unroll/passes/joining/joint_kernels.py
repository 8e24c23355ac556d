"""Weights of several lanes as one: each lane's own in its place, and zeros elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.passes.joining.column_order import Block
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Constant, Tensor

#: Weights by the lane that is multiplied and the lane that is added to; None for zeros.
Grid = tuple[tuple[Tensor | None, ...], ...]


class JointKernels:
    """Builds joint weights as expressions over those of the lanes, each of them once."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._made: dict[object, Tensor] = {}
        self._zeros: dict[object, Tensor] = {}

    def matrix(self, grid: Grid, rows: Sequence[Block], columns: Sequence[Block], cell: str | None) -> Tensor:
        """Return the weights of a product of joint tensors, whose blocks are given."""
        key = grid, *rows, None, *columns
        if key not in self._made:
            like = next(tensor for line in grid for tensor in line if tensor is not None)
            lines = []
            for start, end in rows:
                for line in grid:
                    cut = [None if item is None else self._weights.cut(item, start, end, 0, cell) for item in line]
                    lines.append(self._line(cut, columns, (end - start,), like, cell))
            self._made[key] = self._weights.joined(lines, 0, cell)
        return self._made[key]

    def row(self, rows: Sequence[Tensor | None], columns: Sequence[Block], cell: str | None) -> Tensor | None:
        """Return a row for each lane as one, in the order of the blocks; None where there is none."""
        like = next((tensor for tensor in rows if tensor is not None), None)
        return None if like is None else self._line(rows, columns, [int(size) for size in like.shape[:-1]], like, cell)

    def _line(
        self,
        lanes: Sequence[Tensor | None],
        columns: Sequence[Block],
        before: Sequence[int],
        like: Tensor,
        cell: str | None,
    ) -> Tensor:
        parts = []
        for start, end in columns:
            for item in lanes:
                if item is None:
                    parts.append(self._zero((*before, end - start), like))
                else:
                    parts.append(self._weights.cut(item, start, end, item.rank - 1, cell))
        return self._weights.joined(parts, len(before), cell)

    def _zero(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        key = shape, like.dtype
        if key not in self._zeros:
            self._zeros[key] = Constant(np.zeros(shape, like.dtype))
        return self._zeros[key]
