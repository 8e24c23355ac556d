"""Sequences of different lengths in reverse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unroll.checks import plain
from unroll.dimensions import Shape
from unroll.dtypes import ALL, Array
from unroll.errors import ArgumentError, ShapeError
from unroll.ops.operator import Operator, Requirements, Signature, apply_one
from unroll.tensor import Tensor, TensorLike


@dataclass(frozen=True, repr=False)
class ReverseSequence(Operator):
    """The first elements of each row along `time_axis`, as many as its length, in the opposite order; the rest as it is.

    Raises:
        ArgumentError: the two axes are not 0 and 1.
    """

    signature = Signature("input: T, sequence_lens: int64 -> Y: T", T=ALL)
    work = 0
    batch_axis: int = 1
    time_axis: int = 0

    def __post_init__(self) -> None:
        axes = [plain(axis) for axis in (self.batch_axis, self.time_axis)]
        if not all(isinstance(axis, int) for axis in axes) or sorted(axes) != [0, 1]:
            raise ArgumentError(
                f"ReverseSequence: batch_axis {self.batch_axis!r} and time_axis {self.time_axis!r}: one is 0, the other 1"
            )
        object.__setattr__(self, "batch_axis", axes[0])
        object.__setattr__(self, "time_axis", axes[1])

    def shapes(self, require: Requirements, x: Tensor, sequence_lens: Tensor) -> list[Shape]:
        if len(x.shape) < 2 or len(sequence_lens.shape) != 1:
            raise ShapeError("the input must have rank 2 at least, and sequence_lens rank 1")
        require.equal(sequence_lens.shape[0], x.shape[self.batch_axis], "the length of sequence_lens and the batch")
        return [x.shape]

    def evaluate(self, x: Array, sequence_lens: Array) -> Array:
        rows = np.moveaxis(x, self.batch_axis, 0)  # (batch, time, ...)
        time, lengths = np.arange(rows.shape[1]), sequence_lens[:, None]
        order = np.where(time < lengths, lengths - 1 - time, time)
        turned = rows[np.arange(len(rows))[:, None], order]
        return np.ascontiguousarray(np.moveaxis(turned, 0, self.batch_axis))


def reverse_sequence(x: TensorLike, lengths: TensorLike, *, batch_axis: int = 1, time_axis: int = 0) -> Tensor:
    """The first ``lengths[i]`` steps of row i of `x` in the opposite order, the rest as it is.

    Args:
        x: ``(time, batch, ...)``, or ``(batch, time, ...)`` with the two axes given; of any dtype.
        lengths: int64 ``(batch,)``, 0 to the size of the time axis each.
        batch_axis: 0 or 1.
        time_axis: the other one.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentError: the axes are not 0 and 1.
        DTypeError: the lengths are not int64.
        ShapeError: the shapes do not fit.

    Example:
        >>> x = unroll.placeholder([2, 3], name="x")
        >>> y = ops.reverse_sequence(x, [2, 3], batch_axis=0, time_axis=1)
        >>> unroll.Graph([x], y).run({x: [[1, 2, 3], [4, 5, 6]]}, y)
        array([[2., 1., 3.],
               [6., 5., 4.]], dtype=float32)
    """
    return apply_one(ReverseSequence(batch_axis, time_axis), x, lengths)
