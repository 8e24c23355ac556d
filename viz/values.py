"""Numbers to print in a picture: small tensors whole, larger ones where all their elements are equal; else a mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.tensor import Constant, Tensor
from unroll.viz.dot_text import LONGEST, TIMES
from unroll.viz.shapes import shape_text

_MOST, _MOST_LINES = 12, 8
#: What stands for a value that is too large, and what a picture with that mark says once.
TOO_LARGE = "\u2026"
NOTE = f"{TOO_LARGE} in blue: too large, over {_MOST} numbers or {_MOST_LINES} rows"
_PER_LINE = 6
# How many elements of a constant are written within a formula.
_MOST_INLINE = 8
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
        left_out: whether lines have been asked for of a value that is too large.

    Raises:
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
    """

    def __init__(self, graph: Graph, feeds: Mapping[Any, Any] | None, tensors: Iterable[Tensor]) -> None:
        self.given = feeds is not None
        self.left_out = False
        wanted = list(dict.fromkeys(tensors)) if feeds is not None else []
        arrays = graph.run(feeds, wanted) if feeds is not None else []
        pairs = list(zip(wanted, arrays, strict=True))
        self._lines = {tensor: _told(array) for tensor, array in pairs}
        self._small = {tensor: array for tensor, array in pairs if array.size <= _MOST}

    def lines(self, tensor: Tensor | None, before: str = "") -> list[str]:
        """Return the value as lines of text, the first of which begins with the text `before`; a mark where it is too large;
        none where it was not computed.
        """
        lines = self._lines.get(tensor, []) if tensor is not None else []
        self.left_out |= lines == [TOO_LARGE]
        if tensor in self._small and lines and len(before + lines[0]) > LONGEST:
            lines = value_lines(self._small[tensor], len(before)) or lines
        return [f"{before}{lines[0]}", *lines[1:]] if lines else []


def value_lines(array: Array, taken: int = 0) -> list[str]:
    """Return a small array, or one of equal elements, as short lines; none for any other.

    Each row of a matrix begins a line, and a row that is too long for one is cut into lines of about equal length.

    Args:
        array: the array.
        taken: how much of the first line is taken by other text.
    """
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
    count = -(-rows.shape[-1] // _PER_LINE)
    while _longest(lines := _in_lines(rows, count), taken) > LONGEST and count < rows.shape[-1]:
        count += 1
    return lines if len(lines) <= _MOST_LINES else []


def _longest(lines: list[str], taken: int) -> int:
    return max(taken + len(lines[0]), *map(len, lines))


def _in_lines(rows: Array, count: int) -> list[str]:
    """Return a matrix as text, each row cut into `count` lines of about equal length."""
    return [", ".join(map(number, part)) for row in rows for part in np.array_split(row, count)]


def _told(array: Array) -> list[str]:
    """Return an array as lines, a mark where it is too large."""
    return value_lines(array) or ([TOO_LARGE] if array.size else [f"{shape_text(array.shape)}: empty"])


def number(value: Any) -> str:
    """Return a number with four significant digits."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return f"{int(value)}" if isinstance(value, (int, np.integer)) else f"{float(value) + 0.0:.4g}"


def inline(constant: Constant) -> str:
    """Return a constant as an operand within a node: a number, a list, or its shape where it is large."""
    value = constant.value
    if value.size > _MOST_INLINE:
        return f"{value.dtype} {TIMES.join(map(str, value.shape))}"
    items = [number(item) for item in value.flat]
    return items[0] if value.ndim == 0 else f"[{', '.join(items)}]"
