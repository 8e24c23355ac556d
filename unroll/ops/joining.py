"""Joining tensors and cutting them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unroll.checks import check_size, plain
from unroll.dimensions import Dim, Dimension, Shape, divide, total
from unroll.dtypes import ALL, Array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.garbage_collection import collector_paused
from unroll.ops.operator import (
    OpenShape,
    Operator,
    Requirements,
    Signature,
    apply,
    apply_one,
    as_tensor,
    axis_of,
    known_ints,
    length_of,
    rank_of,
)
from unroll.ops.shaping import squeeze, unsqueeze
from unroll.tensor import Known, Tensor, TensorLike


@dataclass(frozen=True, repr=False)
class Concat(Operator):
    """Tensors joined along `axis`; they agree on every other one."""

    signature = Signature("inputs: T* -> concat_result: T", T=ALL)
    work = 0
    axis: int

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        first = inputs[0].shape
        axis = axis_of(self.axis, len(first))
        merged = list(first)
        for tensor in inputs[1:]:
            if len(tensor.shape) != len(first):
                raise ShapeError("every input must have the same rank")
            for at, dim in enumerate(tensor.shape):
                if at != axis and dim != merged[at]:
                    merged[at] = require.equal(merged[at], dim, f"joining along axis {axis}: axis {at}")
        merged[axis] = total(tensor.shape[axis] for tensor in inputs)
        return [tuple(merged)]

    def evaluate(self, *arrays: Array) -> Array:
        return np.concatenate(arrays, axis=self.axis)

    def known(self, *inputs: Tensor) -> Known:
        rows = [tensor.known for tensor in inputs if isinstance(tensor.known, tuple)]
        return tuple(dim for row in rows for dim in row) if len(rows) == len(inputs) else None


def concat(tensors: Sequence[TensorLike], axis: int) -> Tensor:
    """Join tensors along `axis`.

    Args:
        tensors: a list of tensors of one dtype and rank.
        axis: the axis to join along; from -rank to rank - 1.

    Returns:
        A tensor as long on `axis` as they are together.

    Raises:
        ArgumentError: no tensors.
        ArgumentTypeError: `axis` is not an int.
        DTypeError: their dtypes differ.
        ShapeError: they differ on another axis, or there is no such axis.

    Example:
        >>> a, b = unroll.placeholder([None, 3], name="a"), unroll.placeholder([None, 4], name="b")
        >>> ops.concat([a, b], axis=-1).shape
        (batch, 7)
    """
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)) or not tensors:
        raise ArgumentError(f"concat: a non-empty list of tensors is wanted, not {tensors!r}")
    return apply_one(Concat(axis_of(axis, rank_of(tensors[0]), "concat: axis")), *tensors)


def stack(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Args:
        tensors: a list of tensors of one dtype and shape.
        axis: the place of the new axis in the result.

    Returns:
        A tensor of one axis more, as long as the list.

    Raises:
        ArgumentError: no tensors.
        DTypeError: their dtypes differ.
        ShapeError: their shapes differ, or there is no such axis.

    Example:
        >>> a, b = unroll.placeholder([None, 3], name="a"), unroll.placeholder([None, 3], name="b")
        >>> ops.stack([a, b], axis=1).shape
        (batch, 2, 3)
    """
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)) or not tensors:
        raise ArgumentError(f"stack: a non-empty list of tensors is wanted, not {tensors!r}")
    with collector_paused():
        return concat([unsqueeze(tensor, [axis]) for tensor in tensors], axis)


@dataclass(frozen=True, repr=False)
class Split(Operator):
    """A tensor cut along `axis`, into `num_outputs` equal pieces or into the sizes of `split`."""

    signature = Signature("input: T, split: int64? -> outputs: T", T=ALL)
    work = 0
    axis: int
    num_outputs: int | None = None

    def shapes(self, require: Requirements, x: Tensor, split: Tensor | None = None) -> list[Shape]:
        axis = axis_of(self.axis, len(x.shape))
        size = x.shape[axis]
        sizes: Sequence[Dim] | None = known_ints(split, "the sizes of the pieces")
        if sizes is None:
            count = self.num_outputs or 1
            piece = divide(size, count)
            if piece is None:
                raise ShapeError(f"axis {axis} of size {size} cannot be cut into {count} equal pieces")
            sizes = [piece] * count
        elif any(isinstance(piece, int) and piece < 0 for piece in sizes):
            raise ShapeError(f"sizes {list(sizes)} must not be negative")
        else:
            require.equal(total(sizes), size, f"the pieces {list(sizes)} and axis {axis}")
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        return [(*before, piece, *after) for piece in sizes]

    def open_shapes(self, x: Tensor, split: Tensor | None = None) -> list[OpenShape] | None:
        pieces, axis = length_of(split), axis_of(self.axis, x.rank)
        if pieces is None:
            return None
        return [(*x.shape[:axis], None, *x.shape[axis + 1 :])] * pieces

    def evaluate(self, x: Array, split: Array | None = None) -> list[Array]:
        axis = self.axis % x.ndim
        if split is None:
            count = self.num_outputs or 1
            size, rest = divmod(x.shape[axis], count)
            if rest:
                raise ValueError(f"axis {axis} of size {x.shape[axis]} cannot be cut into {count} equal pieces")
            ends = list(range(size, x.shape[axis] + 1, size)) if size else [0] * count
        else:
            ends = np.cumsum(split).tolist()
        before = (slice(None),) * axis  # np.split does the same in five times the time
        return [x[(*before, slice(start, end))] for start, end in zip((0, *ends), ends, strict=False)]


def split(x: TensorLike, pieces: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Cut a tensor along `axis`: into `pieces` equal ones, or into pieces of the sizes given.

    Args:
        x: a tensor of any dtype.
        pieces: how many equal pieces, or the size of each.
        axis: the axis to cut; from -rank to rank - 1.

    Returns:
        The pieces, in order.

    Raises:
        ArgumentError: `pieces` is below 1, or neither a number nor a list of sizes.
        ArgumentTypeError: `axis` is not an int.
        ShapeError: the pieces do not add up to the axis, or there is no such axis.

    Example:
        >>> x = unroll.placeholder([None, 12], name="x")
        >>> [piece.shape for piece in ops.split(x, 3, axis=-1)]
        [(batch, 4), (batch, 4), (batch, 4)]
        >>> [piece.shape for piece in ops.split(x, [2, 10], axis=-1)]
        [(batch, 2), (batch, 10)]
    """
    tensor = as_tensor(x, "split")
    axis = axis_of(axis, tensor.rank, "split: axis")
    if isinstance(plain(pieces), int):
        return apply(Split(axis, check_size(pieces, "split: the number of pieces")), tensor)
    if isinstance(pieces, np.ndarray):
        pieces = pieces.tolist()
    if not isinstance(pieces, (list, tuple)) or not pieces:
        raise ArgumentError(f"split: pieces {pieces!r} is neither a number of pieces nor a list of sizes")
    return apply(Split(axis), tensor, list(pieces))


def unstack(x: TensorLike, axis: int = 0, *last: int, num: int | None = None) -> list[Tensor]:
    """Cut a tensor into the list of its slices along `axis`, whose size must be known; the axis is dropped.

    Args:
        x: a tensor of any dtype.
        axis: the axis to cut; from -rank to rank - 1.
        last: the axis, where the number of slices stands before it as in TensorFlow: ``unstack(x, 28, 1)``.
        num: the number of slices, which is not needed; it is held against the size of the axis.

    Returns:
        The slices, in order, each of one axis less.

    Raises:
        ArgumentTypeError: `axis` or `num` is not an int.
        ShapeError: the size of the axis is not known, or is not `num`, or there is no such axis.

    Example:
        >>> x = unroll.placeholder([None, 2, 5], name="x")
        >>> [step.shape for step in ops.unstack(x, axis=1)]
        [(batch, 5), (batch, 5)]
    """
    if last:
        num, (axis, *more) = axis, last
        if more:
            raise ArgumentTypeError(
                f"unstack: {len(more)} arguments too many; unstack(x, axis) or unstack(x, num, axis) is wanted"
            )
    tensor = as_tensor(x, "unstack")
    axis = axis_of(axis, tensor.rank, "unstack: axis")
    size = tensor.shape[axis]
    if isinstance(size, Dimension):
        raise ShapeError(
            f"unstack: axis {axis} of {tensor.described()} has no known size; make the placeholder with a fixed one"
        )
    if num is not None and check_size(num, "unstack: num", least=0) != size:
        raise ShapeError(f"unstack: num is {num}, and axis {axis} of {tensor.described()} has {size} slices")
    with collector_paused():
        return [squeeze(piece, [axis]) for piece in split(tensor, size, axis)]
