"""Arrays whose numbers are Parameters', or follow from them: no C may depend on what these numbers are now."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll.dtypes import Array, DType
from unroll.tensor import Tensor


class Held(np.ndarray[Any, np.dtype[Any]]):
    """An array that may have other numbers when weights are filled in anew.

    Attributes:
        tensor: whose value it is.
        rows: which rows of it, where it is a part.
        bits: in which dtype of fewer bits its numbers are held; None for their own.
        scale: of int8, by what the integers of each column are multiplied.
    """

    tensor: Tensor | None = None
    rows: tuple[object, ...] = ()
    bits: DType | None = None
    scale: Array | None = None

    @classmethod
    def of(cls, array: Array, tensor: Tensor | None) -> Held:
        """Return an array as the value of a tensor."""
        found = np.ascontiguousarray(array).reshape(array.shape).view(cls)
        found.tensor = tensor
        return found

    def part(self, start: int, end: int) -> Held:
        """Return some of its rows."""
        found = np.asarray(self)[start:end].view(Held)
        found.tensor, found.bits, found.scale = self.tensor, self.bits, self.scale
        found.rows = (start, end, self.rows)
        return found


def key_of(array: Array) -> tuple[object, ...]:
    """Return what tells two weights apart: whose value they are, or for constants what they hold."""
    if isinstance(array, Held):
        return ("held", array.tensor, array.rows, array.shape, str(array.bits))
    return (array.dtype.str, array.shape, array.tobytes())


def coded(array: Array, weights: Array) -> Array:
    """Return numbers of a weight, or of some of its columns, as they are held.

    Args:
        array: the numbers, one column a position, or one after another.
        weights: the weight that they are of.
    """
    bits = weights.bits if isinstance(weights, Held) else None
    return array if bits is None else array.astype(bits)
