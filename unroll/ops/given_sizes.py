"""Sizes as programs put them together: ints, symbols and tensors side by side, or one tensor of them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll.dtypes import INT64
from unroll.ops.functions import Cast, cast
from unroll.ops.joining import concat
from unroll.ops.shaping import unsqueeze
from unroll.tensor import Constant, Tensor, constant


def int64(x: Tensor) -> Tensor:
    """Return integers in int64, as operators have sizes; without a Cast where they were cast from that."""
    source = x.node.inputs[0] if x.node is not None and isinstance(x.node.op, Cast) else None
    if isinstance(x, Constant):  # whose value is known in int64 alone
        return constant(x.value, INT64)
    if source is not None and source.dtype == INT64:
        return source
    return x if x.dtype == INT64 else cast(x, INT64)


def plain_size(size: Any) -> Any:
    """Return one size as an int where it is known, else as it is."""
    known = size.known if isinstance(size, Tensor) else size
    return int(known) if isinstance(known, (int, np.integer)) and not isinstance(known, bool) else size


def sizes_of(shape: Any) -> Any:
    """Return a shape as operators take it: a list of ints and symbols, or an int64 vector where only a run knows it."""
    if isinstance(shape, Tensor):
        vector = int64(shape)
        known = vector.known if isinstance(vector.known, tuple) else (None,)
        return list(known) if all(isinstance(size, int) for size in known) else vector
    given = shape.tolist() if isinstance(shape, np.ndarray) else shape
    listed = given if isinstance(given, (list, tuple)) else [given]
    sizes = [plain_size(size) for size in listed]
    if not any(isinstance(size, Tensor) for size in sizes):
        return sizes
    return concat([size_vector(size) for size in sizes], 0)


def size_vector(size: Any) -> Tensor:
    """Return one size as an int64 vector of it."""
    return unsqueeze(int64(size), 0) if isinstance(size, Tensor) else constant([size], INT64)
