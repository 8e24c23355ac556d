"""A large matrix as a small one: the means of its blocks."""

from __future__ import annotations

import numpy as np

from unroll.dtypes import Array


def block_means(grid: Array, rows: Array, columns: Array) -> Array:
    """Return the mean of each block of a matrix, by the rows and columns at which blocks begin.

    A block that holds what is no number is none itself.
    """
    wide = grid.astype(np.float64)
    with np.errstate(all="ignore"):
        total = np.add.reduceat(np.add.reduceat(wide, rows, axis=0), columns, axis=1)
        counts = np.diff([*rows, grid.shape[0]])[:, None] * np.diff([*columns, grid.shape[1]])[None, :]
        return np.asarray(total / counts)
