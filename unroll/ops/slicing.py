"""Taking some of a tensor's elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unroll.dimensions import Dim, Dimension, Shape, symbol, terms_of
from unroll.dtypes import ALL, INT64, INTEGERS, Array, cast_array
from unroll.errors import ShapeError
from unroll.ops.operator import (
    OpenShape,
    Operator,
    Requirements,
    Signature,
    apply_one,
    axis_of,
    int_vector,
    known_ints,
    known_vector,
    length_of,
    rank_of,
)
from unroll.tensor import Constant, Known, Node, Tensor, TensorLike

#: Where a slice that runs to the end of an axis ends.
END = int(np.iinfo(np.int64).max)


class Slice(Operator):
    """A tensor's elements from `starts` to before `ends`, by `steps`, along `axes`; as Python's slices."""

    signature = Signature("data: T, starts: Ti, ends: Ti, axes: Ti?, steps: Ti? -> output: T", T=ALL, Ti=INTEGERS)
    work = 0

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
        along = tuple(range(len(first))) if axes is None else known_ints(axes, "axes") or ()
        by = (1,) * len(first) if steps is None else known_ints(steps, "steps") or ()
        if not len(first) == len(last) == len(along) == len(by):
            raise ShapeError("starts, ends, axes and steps must have one length")
        if len({axis_of(axis, len(x.shape)) for axis in along}) < len(along):
            raise ShapeError(f"axes {list(along)} name one axis twice")
        dims = list(x.shape)
        for start, end, axis, step in zip(first, last, along, by, strict=True):
            if step == 0:
                raise ShapeError("a step of 0")
            at = axis_of(axis, len(x.shape))
            dims[at] = _sliced(dims[at], start, end, step)
        return [tuple(dims)]

    def open_shapes(
        self, x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor | None = None, steps: Tensor | None = None
    ) -> list[OpenShape]:
        along = axes.known if axes is not None else tuple(range(length_of(starts) or x.rank))
        if not isinstance(along, tuple):
            return [(None,) * x.rank]
        cut = {axis_of(int(axis), x.rank) for axis in along if isinstance(axis, int)}
        if len(cut) < len(along):
            return [(None,) * x.rank]
        return [tuple(None if axis in cut else dim for axis, dim in enumerate(x.shape))]

    def evaluate(
        self, x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
    ) -> Array:
        return x[_slices(x.ndim, starts, ends, axes, steps)]

    def known(self, *inputs: Tensor | None) -> Known:
        x, starts, ends, _, steps = (*(None if tensor is None else tensor.known for tensor in inputs), None, None)[:5]
        if not isinstance(x, tuple) or not isinstance(starts, tuple) or not isinstance(ends, tuple) or not starts:
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
        first, past, by = slice(start, stop, step).indices(size)
        return max(0, -((first - past) // by))  # len() of such a range ends at 2^63
    if isinstance(start, int):
        far = np.iinfo(np.int32).max
        whole = end == size or (isinstance(end, int) and end >= far)
        if step == 1 and 0 <= start <= far and (whole or (isinstance(end, int) and -far <= end < 0)):
            kept = size - start if whole else size + end - start
            if _is_never_negative(kept):
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
    axis: Sequence[int] | None = None,
    steps: Sequence[int] | None = None,
) -> Tensor:
    """The elements of `x` from `starts` to before `ends` along the axes `axis` (default: the first ones), by `steps`.

    ``x[:, 2:4]`` is the same, shorter.

    Args:
        x: a tensor of any dtype.
        starts: the first index on each of the axes; negative ones count from the end.
        ends: the index after the last one, likewise; `unroll.ops.slicing.END` for the end of the axis.
        axis: the axes; by default the first ones, as many as there are starts.
        steps: the step on each; 1 by default.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ShapeError: lists of different lengths, an axis that does not exist or is named twice, or a step of 0.

    Example:
        >>> x = unroll.placeholder([None, 28], name="x")
        >>> ops.slice_(x, starts=[2], ends=[4], axis=[1]).shape
        (batch, 2)
    """
    return apply_one(
        Slice(),
        x,
        int_vector(starts, "starts"),
        int_vector(ends, "ends"),
        None if axis is None else int_vector(axis, "axis"),
        None if steps is None else int_vector(steps, "steps"),
    )


@dataclass(frozen=True, repr=False)
class Gather(Operator):
    """The slices of `data` along `axis` that `indices` name; negative ones count from the end."""

    signature = Signature("data: T, indices: Ti -> output: T", T=ALL, Ti=INTEGERS)
    work = 0
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
    """The slices of `x` along `axis` that the integer tensor `indices` names; its shape replaces the axis.

    Args:
        x: a tensor of any dtype.
        indices: integers; negative ones count from the end.
        axis: the axis to take from; from -rank to rank - 1.

    Returns:
        A tensor of the dtype of `x`, the shape of `indices` in place of the axis.

    Raises:
        ArgumentTypeError: `axis` is not an int.
        DTypeError: the indices are not int32 or int64.
        ShapeError: there is no such axis, or an index that is known lies outside it.

    Example:
        >>> table = unroll.placeholder([100, 8], name="table")
        >>> ids = unroll.placeholder([None, 7], name="ids", dtype="int64")
        >>> ops.gather(table, ids).shape
        (batch, 7, 8)
    """
    rank = rank_of(x)
    if not isinstance(indices, Tensor):
        indices = Constant(np.array(cast_array(indices, INT64, "gather: indices")))
    return apply_one(Gather(axis_of(axis, rank, "gather: axis")), x, indices)


def bounds_of(node: Node | None) -> dict[int, tuple[Dim, Dim]] | None:
    """Return where a Slice by steps of one begins and ends, by axis, as far as tracing knows; None for other nodes."""
    if node is None or not isinstance(node.op, Slice) or node.inputs[0] is None:
        return None
    # Axes and steps that are left out are the first ones, and one by one.
    given = [tensor for tensor in node.inputs[1:] if tensor is not None]
    if not all(isinstance(tensor.known, tuple) for tensor in given):
        return None
    known = [() if tensor is None else tensor.known for tensor in (*node.inputs[1:], None, None)][:4]
    starts, ends, axes, steps = [dims if isinstance(dims, tuple) else () for dims in known]
    if any(step != 1 for step in steps):
        return None
    rank = node.inputs[0].rank
    return {
        int(axis) % rank: bounds
        for axis, bounds in zip(axes or range(rank), zip(starts, ends, strict=True), strict=False)
    }


def columns_of(node: Node) -> range | None:
    """Return the columns that a Slice takes; None where it takes rows, steps over some, or is not known."""
    source, bounds = node.inputs[0], bounds_of(node)
    if source is None or bounds is None or not source.rank:
        return None
    after, last = node.outputs[0].shape, source.rank - 1
    start, end = bounds.get(last, (None, None))
    whole = all(after[axis] == source.shape[axis] for axis in range(last))
    width = source.shape[last]
    if not (whole and isinstance(start, int) and isinstance(end, int) and isinstance(width, int)):
        return None
    return range(*slice(start, end).indices(width))
