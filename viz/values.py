"""Numbers to print in a picture: small tensors whole, larger ones only where all their elements are equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.tensor import Constant, Tensor
from unroll.viz.dot_text import TIMES

_MOST = 8
_PER_LINE = 4
# Fewer equal elements than this are written out one by one.
_FEWEST_EQUAL = 4


class Values:
    """The values of tensors during one run, as text; without feeds there are none.

    Args:
        graph: the graph that is drawn.
        feeds: an array for every input, or None.
        tensors: those whose value may be printed.

    Attributes:
        given: whether there are feeds.

    Raises:
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
    """

    def __init__(self, graph: Graph, feeds: Mapping[Any, Any] | None, tensors: Iterable[Tensor]) -> None:
        self.given = feeds is not None
        wanted = list(dict.fromkeys(tensors)) if feeds is not None else []
        arrays = graph.run(feeds, wanted) if feeds is not None else []
        self._lines = {tensor: value_lines(array) for tensor, array in zip(wanted, arrays, strict=True)}

    def lines(self, tensor: Tensor | None) -> list[str]:
        """Return the value as lines of text; none where it is too large or was not computed."""
        return self._lines.get(tensor, []) if tensor is not None else []


def value_lines(array: Array) -> list[str]:
    """Return a small array, or one of equal elements, as short lines; none for any other."""
    if array.size == 0:
        return []
    first = array.flat[0]
    if array.size >= _FEWEST_EQUAL and (
        np.all(array == first) or (array.dtype.kind == "f" and np.all(np.isnan(array)))
    ):
        return [f"all {number(first)}"]
    if array.size > _MOST:
        return []
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    return [
        ", ".join(number(item) for item in row[start : start + _PER_LINE])
        for row in rows
        for start in range(0, len(row), _PER_LINE)
    ]


def number(value: Any) -> str:
    """Return a number with four significant digits."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return f"{int(value)}" if isinstance(value, (int, np.integer)) else f"{float(value) + 0.0:.4g}"


def inline(constant: Constant) -> str:
    """Return a constant as an operand within a node: a number, a list, or its shape where it is large."""
    value = constant.value
    if value.size > _MOST:
        return f"{value.dtype} {TIMES.join(map(str, value.shape))}"
    items = [number(item) for item in value.flat]
    return items[0] if value.ndim == 0 else f"[{', '.join(items)}]"
