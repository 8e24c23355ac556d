"""Free places in a row of boxes, found in the logarithm of their number."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from unroll.viz.placement import Rectangle


class Gaps:
    """What is taken of a row, as stretches from left to right that do not overlap.

    Args:
        taken: the boxes in the row.
        apart: how far what passes between them keeps from each.
    """

    def __init__(self, taken: Iterable[Rectangle], apart: float) -> None:
        self._apart = apart
        self._starts: list[float] = []
        self._ends: list[float] = []
        for left, right in sorted((item.left - apart, item.right + apart) for item in taken):
            if self._ends and left < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], right)
            else:
                self._starts.append(left)
                self._ends.append(right)

    def nearest(self, x: float) -> float:
        """Return the free place nearest to `x`."""
        at = bisect.bisect_left(self._starts, x) - 1
        if at < 0 or x >= self._ends[at]:
            return x
        start, end = self._starts[at], self._ends[at]
        return start if x - start <= end - x else end

    def take(self, x: float) -> None:
        """Let something pass at `x`."""
        left, right = x - self._apart, x + self._apart
        first, last = bisect.bisect_right(self._ends, left), bisect.bisect_left(self._starts, right)
        if first < last:
            left, right = min(left, self._starts[first]), max(right, self._ends[last - 1])
        self._starts[first:last] = [left]
        self._ends[first:last] = [right]
