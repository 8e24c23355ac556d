"""The same elements in another shape, some of them repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from unroll.checks import plain
from unroll.dimensions import Dim, Dimension, Shape, divide, product, shape_text, symbol
from unroll.dtypes import ALL, Array
from unroll.errors import ShapeError
from unroll.memory import check_fits
from unroll.ops.functions import identity
from unroll.ops.operator import (
    OpenShape,
    Operator,
    Requirements,
    Signature,
    apply_one,
    axes_of,
    axis_of,
    int_vector,
    known_ints,
    known_shape,
    length_of,
    listed,
    rank_of,
)
from unroll.tensor import Constant, Known, Tensor, TensorLike


@dataclass(frozen=True, repr=False)
class Reshape(Operator):
    """The same elements in another shape; one -1 is computed, and a 0 keeps the size of its axis."""

    signature = Signature("data: T, shape: int64 -> reshaped: T", T=ALL)
    work = 0

    def shapes(self, require: Requirements, x: Tensor, shape: Tensor) -> list[Shape]:
        wanted = known_shape(shape, "the new shape")
        dims = list(wanted)
        for axis, dim in enumerate(dims):
            if dim == 0:
                if axis >= len(x.shape):
                    raise ShapeError(f"0 on axis {axis} keeps a size that rank {len(x.shape)} does not have")
                dims[axis] = x.shape[axis]
        size = product(x.shape)
        if dims.count(-1) > 1 or any(isinstance(dim, int) and dim < -1 for dim in dims):
            raise ShapeError(f"{shape_text(dims)} must have at most one -1 and nothing below it")
        if -1 in dims:
            at = dims.index(-1)
            rest = product(dims[:at] + dims[at + 1 :])
            dims[at] = _quotient(require, size, rest, dims)
        else:
            require.equal(product(dims), size, f"the sizes of {shape_text(dims)} and {shape_text(x.shape)}")
        return [tuple(dims)]

    def open_shapes(self, x: Tensor, shape: Tensor) -> list[OpenShape] | None:
        rank = length_of(shape)
        return None if rank is None else [(None,) * rank]

    def evaluate(self, x: Array, shape: Array) -> Array:
        return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape.tolist())])


def _quotient(require: Requirements, size: Dim, rest: Dim, dims: Sequence[Dim]) -> Dim:
    """Return ``size / rest``: exact where it can be, else a new symbol that is required to make it so."""
    found = divide(size, rest)
    if found is None:
        if isinstance(size, int) and isinstance(rest, int):
            raise ShapeError(f"{size} elements cannot take the shape {shape_text(dims)}")
        found = symbol(f"({size})/({rest})")
        require.equal(found * rest, size, f"reshaping to {shape_text(dims)}")
    return found


def reshape(x: TensorLike, shape: Sequence[Dim] | Tensor) -> Tensor:
    """The same elements in another shape; one -1 is computed, and a 0 keeps the size of its axis.

    Args:
        x: a tensor of any dtype.
        shape: ints, of which symbolic dimensions may stand in at most one place, or an int64 vector tensor.

    Returns:
        A tensor of that shape.

    Raises:
        ShapeError: the sizes do not match.

    Example:
        >>> x = unroll.placeholder([None, 28, 28], name="x")
        >>> ops.reshape(x, [-1, 784]).shape
        (batch, 784)
        >>> ops.reshape(x, [0, 14, -1]).shape
        (batch, 14, 56)
    """
    if isinstance(shape, Tensor):
        return apply_one(Reshape(), x, shape)
    single: Any = plain(shape)
    shape = [single] if isinstance(single, (int, Dimension)) else listed(shape, "reshape: shape")
    symbolic = [axis for axis, dim in enumerate(shape) if isinstance(dim, Dimension)]
    if not symbolic:
        return apply_one(
            Reshape(),
            x,
            int_vector(shape, "reshape: shape", "-1 stands for the size that follows from the others, 0 for that of x"),
        )
    if len(symbolic) > 1 or -1 in shape:
        if not isinstance(x, Tensor) or not all(x.rank > at and x.shape[at] == shape[at] for at in symbolic):
            raise ShapeError(
                f"reshape to {shape_text(tuple(shape))}: more than one size is unknown; "
                "pass unroll.ops.shape(x) of a tensor that has them"
            )
        return apply_one(Reshape(), x, int_vector([0 if at in symbolic else dim for at, dim in enumerate(shape)]))
    result = apply_one(Reshape(), x, int_vector([-1 if at in symbolic else dim for at, dim in enumerate(shape)]))
    wanted = shape[symbolic[0]]
    if result.shape[symbolic[0]] != wanted:
        raise ShapeError(f"reshape to {shape_text(tuple(shape))}: the elements give {shape_text(result.shape)}")
    return result


@dataclass(frozen=True, repr=False)
class Transpose(Operator):
    """A tensor with its axes in the order of `perm`."""

    signature = Signature("data: T -> transposed: T", T=ALL)
    work = 0
    perm: tuple[int, ...]

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        if sorted(self.perm) != list(range(len(x.shape))):
            raise ShapeError(f"perm {list(self.perm)} is not an order of the {len(x.shape)} axes")
        return [tuple(x.shape[axis] for axis in self.perm)]

    def evaluate(self, x: Array) -> Array:
        return np.transpose(x, self.perm)


def transpose(x: TensorLike, perm: Sequence[int] | None = None) -> Tensor:
    """`x` with its axes in the order of `perm`; by default reversed.

    Args:
        x: a tensor of any dtype.
        perm: the axes of `x`, in the order of the result.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ArgumentTypeError: an axis is not an int.
        ShapeError: `perm` does not name every axis once.

    Example:
        >>> x = unroll.placeholder([None, 7, 28], name="x")
        >>> ops.transpose(x, [1, 0, 2]).shape
        (7, batch, 28)
    """
    rank = rank_of(x)
    order = range(rank)[::-1] if perm is None else axes_of(perm, rank, "transpose: axis")
    return apply_one(Transpose(tuple(order)), x)


class Squeeze(Operator):
    """A tensor without the given axes, which have size 1."""

    signature = Signature("data: T, axes: int64? -> squeezed: T", T=ALL)
    work = 0

    def shapes(self, require: Requirements, x: Tensor, axes: Tensor | None = None) -> list[Shape]:
        along = known_ints(axes, "axes")
        if along is None:
            return [tuple(dim for dim in x.shape if dim != 1)]
        if not along:  # onnxruntime takes it for every axis of size 1, and onnx's reference for none
            raise ShapeError("axes is empty, and runtimes disagree on what that drops; leave the operator out")
        drop = {axis_of(axis, len(x.shape)) for axis in along}
        for axis in drop:
            require.equal(x.shape[axis], 1, f"axis {axis} is dropped, so its size and 1")
        return [tuple(dim for axis, dim in enumerate(x.shape) if axis not in drop)]

    def open_shapes(self, x: Tensor, axes: Tensor | None = None) -> list[OpenShape] | None:
        dropped = length_of(axes)
        return None if dropped is None or dropped > x.rank else [(None,) * (x.rank - dropped)]

    def evaluate(self, x: Array, axes: Array | None = None) -> Array:
        return np.squeeze(x, axis=None if axes is None else tuple(axes.tolist()))

    def known(self, *inputs: Tensor) -> Known:
        vector = inputs[0].known
        return vector[0] if isinstance(vector, tuple) and len(vector) == 1 else None


class Unsqueeze(Operator):
    """A tensor with new axes of size 1, at the given places of the result."""

    signature = Signature("data: T, axes: int64 -> expanded: T", T=ALL)
    work = 0

    def shapes(self, require: Requirements, x: Tensor, axes: Tensor) -> list[Shape]:
        along = known_ints(axes, "axes") or ()
        rank = len(x.shape) + len(along)
        new = {axis_of(axis, rank) for axis in along}
        if len(new) < len(along):
            raise ShapeError(f"axes {list(along)} name one axis twice")
        rest = iter(x.shape)
        return [tuple(1 if axis in new else next(rest) for axis in range(rank))]

    def open_shapes(self, x: Tensor, axes: Tensor) -> list[OpenShape] | None:
        new = length_of(axes)
        return None if new is None else [(None,) * (x.rank + new)]

    def evaluate(self, x: Array, axes: Array) -> Array:
        return np.expand_dims(x, tuple(axes.tolist()))

    def known(self, *inputs: Tensor) -> Known:
        scalar = inputs[0].known
        return (scalar,) if isinstance(scalar, (int, Dimension)) else None


def squeeze(x: TensorLike, axis: int | Sequence[int] | Tensor | None = None) -> Tensor:
    """`x` without `axis`, an axis or several, which have size 1 (default: every axis known to have size 1).

    Args:
        x: a tensor of any dtype.
        axis: an axis to drop, or several, each from -rank to rank - 1.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ShapeError: an axis whose size is known not to be 1, or that does not exist.

    Example:
        >>> x = unroll.placeholder([None, 1, 3], name="x")
        >>> ops.squeeze(x, axis=1).shape
        (batch, 3)
    """
    if axis is None and isinstance(x, Tensor):
        axis = [at for at, dim in enumerate(x.shape) if dim == 1]
    given = None if axis is None else int_vector(axis, "axis")
    if isinstance(given, Constant) and not given.value.size:
        return identity(x)
    return apply_one(Squeeze(), x, given)


def unsqueeze(x: TensorLike, axis: int | Sequence[int] | Tensor) -> Tensor:
    """`x` with a new axis of size 1, or several, at the places `axis` of the result.

    Args:
        x: a tensor of any dtype.
        axis: where the new axis is in the result, or several.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ShapeError: an axis that the result does not have, or one named twice.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> ops.unsqueeze(x, axis=1).shape
        (batch, 1, 3)
    """
    return apply_one(Unsqueeze(), x, int_vector(axis, "axis"))


class Expand(Operator):
    """A tensor broadcast with `shape`."""

    signature = Signature("input: T, shape: int64 -> output: T", T=ALL)
    work = 0

    def shapes(self, require: Requirements, x: Tensor, shape: Tensor) -> list[Shape]:
        return [require.broadcast(x.shape, known_shape(shape, "the shape"))]

    def open_shapes(self, x: Tensor, shape: Tensor) -> list[OpenShape] | None:
        rank = length_of(shape)
        if rank is None:
            return None
        own = [None if dim == 1 else dim for dim in x.shape]  # a size that is not known is taken not to be 1
        return [(*(None,) * max(0, rank - x.rank), *own)]

    def evaluate(self, x: Array, shape: Array) -> Array:
        sizes = np.broadcast_shapes(x.shape, tuple(shape.tolist()))
        check_fits(prod(sizes) * x.dtype.itemsize, f"a tensor of shape {shape_text(sizes)}")
        return np.array(np.broadcast_to(x, sizes))


def expand(x: TensorLike, shape: Sequence[int] | Tensor) -> Tensor:
    """`x` broadcast with `shape`, a list of ints or an int64 vector.

    Args:
        x: a tensor of any dtype.
        shape: a list of ints, or an int64 vector that is known while tracing.

    Returns:
        A tensor of the shape that that of `x` and `shape` broadcast to, of the dtype of `x`.

    Raises:
        ShapeError: they do not broadcast, or `shape` is not known.

    Example:
        >>> x = unroll.placeholder([1, 3], name="x")
        >>> ops.expand(x, [2, 3]).shape
        (2, 3)
    """
    return apply_one(Expand(), x, int_vector(shape, "expand: shape"))


class Tile(Operator):
    """A tensor repeated along each axis."""

    signature = Signature("input: T, repeats: int64 -> output: T", T=ALL)
    work = 0

    def shapes(self, require: Requirements, x: Tensor, repeats: Tensor) -> list[Shape]:
        times = known_shape(repeats, "how often to repeat")
        if len(times) != len(x.shape) or any(isinstance(count, int) and count < 0 for count in times):
            raise ShapeError(f"repeats {shape_text(times)} must be {len(x.shape)} numbers of at least 0, one an axis")
        return [tuple(dim * count for dim, count in zip(x.shape, times, strict=True))]

    def open_shapes(self, x: Tensor, repeats: Tensor) -> list[OpenShape]:
        return [(None,) * x.rank]

    def evaluate(self, x: Array, repeats: Array) -> Array:
        sizes = [size * count for size, count in zip(x.shape, repeats.tolist(), strict=True)]
        check_fits(prod(sizes) * x.dtype.itemsize, f"a tensor of shape {shape_text(sizes)}")
        return np.tile(x, repeats.tolist())


def tile(x: TensorLike, repeats: Sequence[int] | Tensor) -> Tensor:
    """`x` repeated along each axis, `repeats` times: ints, or an int64 vector tensor.

    Args:
        x: a tensor of any dtype.
        repeats: how often to repeat along each axis: ints, or an int64 vector that is known while tracing.

    Returns:
        A tensor of the dtype of `x`, each size times its number.

    Raises:
        ShapeError: there is not one number for each axis, or one is below 0.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.tile(x, [3])
        >>> unroll.Graph([x], y).run({x: [1, 2]}, y)
        array([1., 2., 1., 2., 1., 2.], dtype=float32)
    """
    return apply_one(Tile(), x, int_vector(repeats, "tile: repeats"))
