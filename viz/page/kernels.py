"""The weights of a graph as heat maps to scale: their numbers, or the means of blocks where they are many, and their blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.parameter import Parameter
from unroll.viz.block_means import block_means
from unroll.viz.page.planes import Planes
from unroll.viz.page.rows import Row

# A heat map has no more rows and columns than these.
_MOST_ROWS, _MOST_COLUMNS = 128, 256
_READ = re.compile(r"(/Read/ReadVariableOp|/Read/Identity|/ReadVariableOp|/read)?(:0)?$")
# A range ends here, so that one large number does not whiten all others.
_PERCENTILE = 99


def parameter_data(item: Parameter, planes: Planes, short: bool) -> dict[str, Any]:
    """Return what the page is told of a weight.

    Args:
        item: the Parameter.
        planes: where its numbers go.
        short: whether two bytes a number must do.
    """
    blocks = item.blocks
    value = item.value
    if blocks is not None and blocks.transposed:
        value = np.moveaxis(value, -1, -2) if value.ndim > 1 else value
    grid = value.reshape(-1, value.shape[-1]) if value.ndim > 1 else value.reshape(1, -1)
    steps = (-(-grid.shape[0] // _MOST_ROWS) or 1, -(-grid.shape[1] // _MOST_COLUMNS) or 1)
    finite = np.isfinite(grid) if grid.dtype.kind == "f" else np.ones(grid.shape, bool)
    means, largest = _reduced(grid, steps) if max(steps) > 1 else (grid, None)
    found: dict[str, Any] = {
        "name": str(item.name),
        "short": _trimmed(item).rpartition("/")[2],
        "scope": _trimmed(item).rpartition("/")[0],
        "shape": shape_text(item.shape)
        + (" transposed" if blocks is not None and blocks.transposed and item.rank > 1 else ""),
        "dtype": str(item.dtype),
        "size": int(item.value.size),
        "full": list(grid.shape),
        "rows": means.shape[0],
        "columns": means.shape[1],
        "block": list(steps),
        "range": _scale(grid[finite]),
        "odd": int(finite.size - finite.sum()),
        "plane": planes.add(means, short),
    }
    if largest is not None:
        found["largest"] = planes.add(largest, short)
    if blocks is not None:
        found["blocks"] = {"rows": blocks.rows, "columns": blocks.columns, "note": blocks.note, "window": blocks.window}
    return found


def gate_weights(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a loop's kernel that are a gate's, as ``columns``, and the mean of its biases, as ``bias``.

    The gate may have several names.

    What no block table says is left out, and a mean that is no number.
    """
    weights = dict.fromkeys(
        weight for template in row.templates for source in template.sources.values() for weight in source.weights
    )
    found: dict[str, Any] = {}
    biases = []
    for item in weights:
        begin = 0
        for name, size in item.blocks.columns if item.blocks is not None else ():
            if name in names and item.blocks is not None and item.blocks.rows and item.rank > 1:
                found.setdefault("columns", f"{begin}\u2013{begin + size - 1}" if size > 1 else str(begin))
            elif name in names and item.rank == 1 and "bias" in _trimmed(item).rpartition("/")[2]:
                biases.append(float(np.mean(item.value[begin : begin + size], dtype=np.float64)))
            begin += size
    if biases and np.isfinite(sum(biases)):
        found["bias"] = sum(biases)
    return found


def _trimmed(item: Parameter) -> str:
    """Return the name of a weight without what TensorFlow's files write behind it."""
    return _READ.sub("", item.name)


def _reduced(grid: Array, steps: tuple[int, int]) -> tuple[Array, Array]:
    """Return the mean of each block of a matrix, and of each the number that is farthest from zero."""
    rows, columns = (np.arange(0, size, step) for size, step in zip(grid.shape, steps, strict=True))
    wide = grid.astype(np.float64)
    with np.errstate(all="ignore"):
        high = np.maximum.reduceat(np.maximum.reduceat(wide, rows, axis=0), columns, axis=1)
        low = np.minimum.reduceat(np.minimum.reduceat(wide, rows, axis=0), columns, axis=1)
        return block_means(grid, rows, columns), np.where(-low > high, low, high)


def _scale(numbers: Array) -> float:
    """Return where the range of colours ends on either side of zero."""
    return float(np.percentile(np.abs(numbers), _PERCENTILE)) if numbers.size else 0.0
