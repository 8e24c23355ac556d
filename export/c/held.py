"""Arrays whose numbers are Parameters', or follow from them: no C may depend on what these numbers are now."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll.dtypes import Array
from unroll.tensor import Tensor


class Held(np.ndarray[Any, np.dtype[Any]]):
    """An array that may have other numbers when weights are filled in anew.

    Attributes:
        tensor: whose value it is.
        rows: which rows of it, where it is a part.
    """

    tensor: Tensor | None = None
    rows: tuple[object, ...] = ()

    @classmethod
    def of(cls, array: Array, tensor: Tensor) -> Held:
        """Return an array as the value of a tensor."""
        found = np.ascontiguousarray(array).reshape(array.shape).view(cls)
        found.tensor = tensor
        return found


def key_of(array: Array) -> tuple[object, ...]:
    """Return what tells two weights apart: whose value they are, or for constants what they hold."""
    if isinstance(array, Held):
        return ("held", array.tensor, array.rows, array.shape)
    return (array.dtype.str, array.shape, array.tobytes())
