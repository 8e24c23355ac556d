"""Operators that move elements without computing with them: joining, cutting, reshaping and reading shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll.dimensions import Dim, Dimension, Shape, divide, product, shape_text, symbol, terms_of
from unroll.dtypes import ALL, FLOAT32, INT64, INTEGERS, Array, DType, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.ops.base import (
    Operator,
    Requirements,
    Signature,
    apply,
    apply_one,
    axis_of,
    dtype_attribute,
    known_ints,
    known_vector,
    rank_of,
)
from unroll.tensor import Constant, Known, Tensor, TensorLike

#: Where a slice that runs to the end of an axis ends.
END = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, repr=False)
class Concat(Operator):
    """Tensors joined along `axis`; they agree on every other one."""

    signature = Signature("inputs: T* -> concat_result: T", T=ALL)
    axis: int

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        first = inputs[0].shape
        axis = axis_of(self.axis, len(first))
        total = first[axis]
        merged = list(first)
        for tensor in inputs[1:]:
            if len(tensor.shape) != len(first):
                raise ShapeError("every input must have the same rank")
            total = total + tensor.shape[axis]
            for at, dim in enumerate(tensor.shape):
                if at != axis and dim != merged[at]:
                    merged[at] = require.equal(merged[at], dim, f"joining along axis {axis}: axis {at}")
        merged[axis] = total
        return [tuple(merged)]

    def evaluate(self, *arrays: Array) -> Array:
        return np.concatenate(arrays, axis=self.axis)

    def known(self, *inputs: Tensor) -> Known:
        rows = [tensor.known for tensor in inputs if isinstance(tensor.known, tuple)]
        return tuple(dim for row in rows for dim in row) if len(rows) == len(inputs) else None


def concat(tensors: Sequence[TensorLike], axis: int) -> Tensor:
    """Join tensors along `axis`.

    Raises:
        ArgumentError: no tensors.
        ShapeError: they differ on another axis.
    """
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)) or not tensors:
        raise ArgumentError(f"concat: a non-empty list of tensors is wanted, not {tensors!r}")
    return apply_one(Concat(axis_of(axis, rank_of(tensors[0]), "concat: axis")), *tensors)


def stack(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis."""
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)) or not tensors:
        raise ArgumentError(f"stack: a non-empty list of tensors is wanted, not {tensors!r}")
    return concat([unsqueeze(tensor, [axis]) for tensor in tensors], axis)


@dataclass(frozen=True, repr=False)
class Split(Operator):
    """A tensor cut along `axis`, into `num_outputs` equal pieces or into the sizes of `split`."""

    signature = Signature("input: T, split: int64? -> outputs: T", T=ALL)
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
            require.equal(sum(sizes, start=0), size, f"the pieces {list(sizes)} and axis {axis}")
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        return [(*before, piece, *after) for piece in sizes]

    def evaluate(self, x: Array, split: Array | None = None) -> list[Array]:
        cuts: Any = self.num_outputs if split is None else np.cumsum(split)[:-1]
        return np.split(x, cuts, axis=self.axis)


def split(x: TensorLike, pieces: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Cut a tensor along `axis`: into `pieces` equal ones, or into pieces of the sizes given.

    Raises:
        ArgumentError: fewer than one piece.
        ShapeError: the pieces do not add up to the axis.
    """
    tensor = x if isinstance(x, Tensor) else Constant(np.asarray(x))
    axis = axis_of(axis, tensor.rank, "split: axis")
    if isinstance(pieces, int) and not isinstance(pieces, bool):
        if pieces < 1:
            raise ArgumentError(f"split: {pieces} pieces; at least 1 is wanted")
        return apply(Split(axis, pieces), tensor)
    if not isinstance(pieces, (list, tuple, np.ndarray)) or len(pieces) == 0:
        raise ArgumentError(f"split: pieces {pieces!r} is neither a number of pieces nor a list of sizes")
    return apply(Split(axis), tensor, list(pieces))


def unstack(x: TensorLike, axis: int = 0) -> list[Tensor]:
    """Cut a tensor into the list of its slices along `axis`, whose size must be known; the axis is dropped.

    Raises:
        ShapeError: the size of the axis is not known.
    """
    tensor = x if isinstance(x, Tensor) else Constant(np.asarray(x))
    axis = axis_of(axis, tensor.rank, "unstack: axis")
    size = tensor.shape[axis]
    if isinstance(size, Dimension):
        raise ShapeError(
            f"unstack: axis {axis} of {tensor.described()} has no known size; make the placeholder with a fixed one"
        )
    return [squeeze(piece, [axis]) for piece in split(tensor, size, axis)]


class Slice(Operator):
    """A tensor's elements from `starts` to before `ends`, by `steps`, along `axes`; as Python's slices."""

    signature = Signature("data: T, starts: Ti, ends: Ti, axes: Ti?, steps: Ti? -> output: T", T=ALL, Ti=INTEGERS)

    def shapes(
        self,
        require: Requirements,
        x: Tensor,
        starts: Tensor,
        ends: Tensor,
        axes: Tensor | None = None,
        steps: Tensor | None = None,
    ) -> list[Shape]:
        first, last = known_vector(starts, "starts"), known_vector(ends, "ends")
        assert first is not None and last is not None  # neither input is optional
        along = known_ints(axes, "axes") or tuple(range(len(first)))
        by = known_ints(steps, "steps") or (1,) * len(first)
        if not len(first) == len(last) == len(along) == len(by):
            raise ShapeError("starts, ends, axes and steps must have one length")
        dims = list(x.shape)
        for start, end, axis, step in zip(first, last, along, by, strict=True):
            if step == 0:
                raise ShapeError("a step of 0")
            at = axis_of(axis, len(x.shape))
            dims[at] = _sliced(dims[at], start, end, step)
        return [tuple(dims)]

    def evaluate(
        self, x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
    ) -> Array:
        return x[_slices(x.ndim, starts, ends, axes, steps)]

    def known(self, *inputs: Tensor | None) -> Known:
        x, starts, ends, _, steps = (*(None if tensor is None else tensor.known for tensor in inputs), None, None)[:5]
        if not isinstance(x, tuple) or not isinstance(starts, tuple) or not isinstance(ends, tuple):
            return None
        if not all(isinstance(dim, int) for dim in (*starts, *ends)):
            return None
        step = steps[0] if isinstance(steps, tuple) else 1
        return x[slice(int(starts[0]), int(ends[0]), int(step))]


def _slices(rank: int, starts: Array, ends: Array, axes: Array | None, steps: Array | None) -> tuple[slice, ...]:
    index = [slice(None)] * rank
    along = range(len(starts)) if axes is None else axes.tolist()
    by = [1] * len(starts) if steps is None else steps.tolist()
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), along, by, strict=True):
        # Walking backwards, an end before the first element is what Python writes as None.
        stop = None if step < 0 and end <= np.iinfo(np.int32).min else end
        index[axis] = slice(start, stop, step)
    return tuple(index)


def _sliced(size: Dim, start: Dim, end: Dim, step: int) -> Dim:
    """Return how many elements a slice of an axis keeps."""
    if isinstance(size, int) and isinstance(start, int) and isinstance(end, int):
        stop = None if step < 0 and end <= np.iinfo(np.int32).min else end
        return len(range(size)[slice(start, stop, step)])
    if isinstance(start, int):
        far = np.iinfo(np.int32).max
        whole = end == size or (isinstance(end, int) and end >= far)
        kept = size - start if whole else size + end - start if isinstance(end, int) and end < 0 else None
        if step == 1 and start >= 0 and kept is not None and _is_never_negative(kept):
            return kept
        if step == 1 and ((start == 0 and end == 1) or (start == -1 and whole)):
            return 1
        if step == -1 and start >= far and isinstance(end, int) and end <= -far:
            return size
    return symbol(f"len({size}[{start}:{end}:{step}])")


def _is_never_negative(dim: Dim) -> bool:
    """Say whether a dimension is provably at least 0 where every symbol is at least 1."""
    terms = terms_of(dim)
    return sum(terms.values()) >= 0 and all(factor > 0 for monomial, factor in terms.items() if monomial)


def slice_(
    x: TensorLike,
    starts: Sequence[int],
    ends: Sequence[int],
    axes: Sequence[int] | None = None,
    steps: Sequence[int] | None = None,
) -> Tensor:
    """The elements of `x` from `starts` to before `ends` along `axes` (default: the first ones), by `steps`.

    ``x[:, 2:4]`` is the same, shorter.
    """
    return apply_one(
        Slice(),
        x,
        _vector(starts),
        _vector(ends),
        None if axes is None else _vector(axes),
        None if steps is None else _vector(steps),
    )


def _vector(values: Sequence[Dim] | Tensor) -> Tensor:
    return values if isinstance(values, Tensor) else Constant(np.array(cast_array(values, INT64, "list of ints")))


@dataclass(frozen=True, repr=False)
class Reshape(Operator):
    """The same elements in another shape; one -1 is computed, and a 0 keeps the size of its axis."""

    signature = Signature("data: T, shape: int64 -> reshaped: T", T=ALL)

    def shapes(self, require: Requirements, x: Tensor, shape: Tensor) -> list[Shape]:
        wanted = known_vector(shape, "the new shape")
        assert wanted is not None  # the input is not optional
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
        x: a tensor.
        shape: ints, of which symbolic dimensions may stand in at most one place, or an int64 vector tensor.

    Raises:
        ShapeError: the sizes do not match.
    """
    if isinstance(shape, Tensor):
        return apply_one(Reshape(), x, shape)
    if isinstance(shape, (int, Dimension)):
        shape = [shape]
    symbolic = [axis for axis, dim in enumerate(shape) if isinstance(dim, Dimension)]
    if not symbolic:
        return apply_one(Reshape(), x, _vector(list(shape)))
    if len(symbolic) > 1 or -1 in shape:
        if not isinstance(x, Tensor) or not all(x.rank > at and x.shape[at] == shape[at] for at in symbolic):
            raise ShapeError(
                f"reshape to {shape_text(tuple(shape))}: more than one size is unknown; "
                "pass unroll.ops.shape(x) of a tensor that has them"
            )
        return apply_one(Reshape(), x, _vector([0 if at in symbolic else dim for at, dim in enumerate(shape)]))
    result = apply_one(Reshape(), x, _vector([-1 if at in symbolic else dim for at, dim in enumerate(shape)]))
    wanted = shape[symbolic[0]]
    if result.shape[symbolic[0]] != wanted:
        raise ShapeError(f"reshape to {shape_text(tuple(shape))}: the elements give {shape_text(result.shape)}")
    return result


@dataclass(frozen=True, repr=False)
class Transpose(Operator):
    """A tensor with its axes in the order of `perm`."""

    signature = Signature("data: T -> transposed: T", T=ALL)
    perm: tuple[int, ...]

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        if sorted(self.perm) != list(range(len(x.shape))):
            raise ShapeError(f"perm {list(self.perm)} is not an order of the {len(x.shape)} axes")
        return [tuple(x.shape[axis] for axis in self.perm)]

    def evaluate(self, x: Array) -> Array:
        return np.transpose(x, self.perm)


def transpose(x: TensorLike, perm: Sequence[int] | None = None) -> Tensor:
    """`x` with its axes in the order of `perm`; by default reversed."""
    rank = rank_of(x)
    order = range(rank)[::-1] if perm is None else [axis_of(axis, rank, "transpose: axis") for axis in perm]
    return apply_one(Transpose(tuple(order)), x)


class Squeeze(Operator):
    """A tensor without the given axes, which have size 1."""

    signature = Signature("data: T, axes: int64? -> squeezed: T", T=ALL)

    def shapes(self, require: Requirements, x: Tensor, axes: Tensor | None = None) -> list[Shape]:
        along = known_ints(axes, "axes")
        if along is None:
            return [tuple(dim for dim in x.shape if dim != 1)]
        drop = {axis_of(axis, len(x.shape)) for axis in along}
        for axis in drop:
            require.equal(x.shape[axis], 1, f"axis {axis} is dropped, so its size and 1")
        return [tuple(dim for axis, dim in enumerate(x.shape) if axis not in drop)]

    def evaluate(self, x: Array, axes: Array | None = None) -> Array:
        return np.squeeze(x, axis=None if axes is None else tuple(axes.tolist()))

    def known(self, *inputs: Tensor) -> Known:
        vector = inputs[0].known
        return vector[0] if isinstance(vector, tuple) and len(vector) == 1 else None


class Unsqueeze(Operator):
    """A tensor with new axes of size 1, at the given places of the result."""

    signature = Signature("data: T, axes: int64 -> expanded: T", T=ALL)

    def shapes(self, require: Requirements, x: Tensor, axes: Tensor) -> list[Shape]:
        along = known_ints(axes, "axes") or ()
        rank = len(x.shape) + len(along)
        new = {axis_of(axis, rank) for axis in along}
        if len(new) < len(along):
            raise ShapeError(f"axes {list(along)} name one axis twice")
        rest = iter(x.shape)
        return [tuple(1 if axis in new else next(rest) for axis in range(rank))]

    def evaluate(self, x: Array, axes: Array) -> Array:
        return np.expand_dims(x, tuple(axes.tolist()))

    def known(self, *inputs: Tensor) -> Known:
        scalar = inputs[0].known
        return (scalar,) if isinstance(scalar, (int, Dimension)) else None


def squeeze(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """`x` without `axes`, which have size 1 (default: every axis known to have size 1)."""
    if axes is None and isinstance(x, Tensor):
        axes = [axis for axis, dim in enumerate(x.shape) if dim == 1]
    return apply_one(Squeeze(), x, None if axes is None else _vector(axes))


def unsqueeze(x: TensorLike, axes: Sequence[int]) -> Tensor:
    """`x` with new axes of size 1, at the places `axes` of the result."""
    return apply_one(Unsqueeze(), x, _vector(axes))


@dataclass(frozen=True, repr=False)
class Gather(Operator):
    """The slices of `data` along `axis` that `indices` name; negative ones count from the end."""

    signature = Signature("data: T, indices: Ti -> output: T", T=ALL, Ti=INTEGERS)
    axis: int = 0

    def shapes(self, require: Requirements, x: Tensor, indices: Tensor) -> list[Shape]:
        axis = axis_of(self.axis, len(x.shape))
        size, seen = x.shape[axis], indices.known
        for index in seen if isinstance(seen, tuple) else () if seen is None else (seen,):
            if isinstance(size, int) and isinstance(index, int) and not -size <= index < size:
                raise ShapeError(f"index {index} is outside axis {axis} of size {size}")
        return [(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])]

    def evaluate(self, x: Array, indices: Array) -> Array:
        return np.asarray(np.take(x, indices, axis=self.axis))

    def known(self, *inputs: Tensor) -> Known:
        x, indices = inputs[0].known, inputs[1].known
        if not isinstance(x, tuple) or isinstance(indices, Dimension) or indices is None:
            return None
        if isinstance(indices, tuple):
            return tuple(x[int(index)] for index in indices)
        return x[indices]


def gather(x: TensorLike, indices: TensorLike, axis: int = 0) -> Tensor:
    """The slices of `x` along `axis` that the integer tensor `indices` names; its shape replaces the axis."""
    rank = rank_of(x)
    if not isinstance(indices, Tensor):
        indices = Constant(np.array(cast_array(indices, INT64, "gather: indices")))
    return apply_one(Gather(axis_of(axis, rank, "gather: axis")), x, indices)


class Expand(Operator):
    """A tensor broadcast with `shape`."""

    signature = Signature("input: T, shape: int64 -> output: T", T=ALL)

    def shapes(self, require: Requirements, x: Tensor, shape: Tensor) -> list[Shape]:
        wanted = known_vector(shape, "the shape")
        return [require.broadcast(x.shape, wanted or ())]

    def evaluate(self, x: Array, shape: Array) -> Array:
        return x * np.ones(shape.tolist(), x.dtype) if x.dtype.kind != "b" else x & np.ones(shape.tolist(), bool)


def expand(x: TensorLike, shape: Sequence[int] | Tensor) -> Tensor:
    """`x` broadcast with `shape`, a list of ints or an int64 vector."""
    return apply_one(Expand(), x, _vector(shape))


class Shape_(Operator):  # noqa: N801 (the name Shape is taken by the type of shapes)
    """A tensor's shape as an int64 vector."""

    signature = Signature("data: T -> shape: int64", T=ALL)

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        return [(len(x.shape),)]

    def evaluate(self, x: Array) -> Array:
        return np.array(x.shape, INT64)

    def known(self, *inputs: Tensor) -> Known:
        return inputs[0].shape


@dataclass(frozen=True, repr=False)
class ConstantOfShape(Operator):
    """A tensor of the given shape, filled with one value."""

    signature = Signature("input: int64 -> output: T", T=ALL)
    value: float | int | bool = 0
    dtype: DType = FLOAT32

    def shapes(self, require: Requirements, shape: Tensor) -> list[Shape]:
        wanted = known_vector(shape, "the shape")
        if any(isinstance(dim, int) and dim < 0 for dim in wanted or ()):
            raise ShapeError(f"{shape_text(wanted or ())} has a negative size")
        return [tuple(wanted or ())]

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [self.dtype]

    def evaluate(self, shape: Array) -> Array:
        return np.full(shape.tolist(), self.value, self.dtype)

    @property
    def attributes(self) -> dict[str, Any]:
        return {"value": np.array([self.value], self.dtype)}


def shape(x: TensorLike) -> Tensor:
    """The shape of `x` as an int64 vector; inside a graph its symbolic sizes stay known."""
    return apply_one(Shape_(), x)


def constant_of_shape(shape: Sequence[int] | Tensor, value: float = 0, dtype: npt.DTypeLike = "float32") -> Tensor:
    """A tensor of `shape` (ints, or an int64 vector such as ``unroll.ops.shape(x)``) filled with `value`."""
    kind = dtype_attribute(dtype, "constant_of_shape")
    if not np.isscalar(value):
        raise ArgumentTypeError(f"constant_of_shape: value {value!r} is not a number")
    filled = cast_array(value, kind, "constant_of_shape: value")
    return apply_one(ConstantOfShape(filled.item(), kind), _vector(shape))
