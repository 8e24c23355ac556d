"""More elements before and after the axes of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from unroll.dimensions import Shape, shape_text
from unroll.dtypes import ALL, Array
from unroll.errors import ShapeError
from unroll.memory import check_fits
from unroll.ops.operator import Operator, Requirements, Signature, apply_one, int_vector, known_ints
from unroll.tensor import Tensor, TensorLike


@dataclass(frozen=True, repr=False)
class Pad(Operator):
    """A tensor with one value before and after its axes; `pads` says how often, before each axis and then after each."""

    signature = Signature("data: T, pads: int64, constant_value: T? -> output: T", T=ALL)
    work = 0
    mode: str = "constant"

    def shapes(self, require: Requirements, x: Tensor, pads: Tensor, value: Tensor | None = None) -> list[Shape]:
        ends = known_ints(pads, "pads") or ()
        if len(ends) != 2 * x.rank or min(ends, default=0) < 0:
            raise ShapeError(f"pads {shape_text(ends)} must be {2 * x.rank} numbers of at least 0, two an axis")
        if value is not None and value.shape not in ((), (1,)):
            raise ShapeError("what is put around a tensor must be one number")
        before, after = ends[: x.rank], ends[x.rank :]
        return [tuple(size + first + last for size, first, last in zip(x.shape, before, after, strict=True))]

    def evaluate(self, x: Array, pads: Array, value: Array | None = None) -> Array:
        around = list(zip(pads[: x.ndim].tolist(), pads[x.ndim :].tolist(), strict=True))
        sizes = [size + sum(ends) for size, ends in zip(x.shape, around, strict=True)]
        check_fits(prod(sizes) * x.dtype.itemsize, f"a tensor of shape {shape_text(sizes)}")
        return np.pad(x, around, constant_values=x.dtype.type(0) if value is None else value.item())


def pad(x: TensorLike, pads: Sequence[int] | Tensor, value: TensorLike | None = None) -> Tensor:
    """`x` with a value before and after its axes.

    Args:
        x: a tensor of any dtype.
        pads: how many are put before each axis, then after each: two ints an axis, of at least 0.
        value: what is put there, one number; 0 by default.

    Returns:
        A larger tensor of the dtype of `x`.

    Raises:
        ArgumentTypeError: `pads` are no ints.
        ShapeError: there are not two for each axis, or one is below 0.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.pad(x, [1, 2])
        >>> unroll.Graph([x], y).run({x: [4, 7]}, y)
        array([0., 4., 7., 0., 0.], dtype=float32)
    """
    return apply_one(Pad(), x, int_vector(pads, "pad: pads"), value)
