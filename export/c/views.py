"""Operators that only look at numbers otherwise: a view where strides allow it, else a copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unroll.export.c.expressions import Expr, applied, literal, load
from unroll.export.c.layout import Sizes, View
from unroll.export.c.lowering import Entry, Lowering, Pieces, Value
from unroll.export.c.products import Pending, pieces_of, split_count
from unroll.export.c.types import number
from unroll.ops.filling import ConstantOfShape
from unroll.ops.joining import Concat, Split
from unroll.ops.reversing import ReverseSequence
from unroll.ops.shaping import Transpose
from unroll.ops.slicing import Gather
from unroll.tensor import Node, Tensor

_Look = Callable[[View], View | None]


def shape_of(tensor: Tensor) -> Sizes:
    """Return the sizes of a tensor, all of which are fixed."""
    return tuple(int(dim) for dim in tensor.shape)


def seen(low: Lowering, value: Value | None, look: _Look, shape: Sizes) -> Expr:
    """Return a value looked at otherwise, copied where that needs a copy."""
    expression = low.expr(value)
    found = expression.looked_at(look, shape)
    if found is None:
        found = load(low.stored(expression)).looked_at(look, shape)
    if found is None:
        copy = low.scratch("copy", expression.dtype, expression.shape, expression.depth, exact=True)
        low.copied(copy, expression, "copy")
        found = load(copy).looked_at(look, shape)
    assert found is not None
    return found


def broadcast(low: Lowering, value: Value | None, shape: Sizes) -> Expr:
    """Return a value broadcast to a shape."""
    return seen(low, value, lambda view: view.expanded(shape), shape)


def _ints(value: Value | None) -> list[int]:
    """Return the numbers of a vector, which are known."""
    assert isinstance(value, np.ndarray)
    return [int(item) for item in value.reshape(-1).tolist()]


def _reshape(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    shape = shape_of(node.outputs[0])
    return [seen(low, given[0], lambda view: view.reshaped(shape), shape)]


def _squeeze(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    return _reshape(low, node, given)


def _transpose(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    assert isinstance(node.op, Transpose)
    order = node.op.perm
    return [seen(low, given[0], lambda view: view.permuted(order), shape_of(node.outputs[0]))]


def _expand(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    return [broadcast(low, given[0], shape_of(node.outputs[0]))]


def _tile(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    expression, times = low.expr(given[0]), _ints(given[1])
    for axis, count in enumerate(times):
        if count == 0:
            return [literal("0", shape_of(node.outputs[0]), expression.dtype)]
        if count > 1:
            expression = load(low.joined([expression] * count, axis))
    return [expression]


def _slice(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    source = given[0]
    expression = low.expr(source)
    starts, ends = _ints(given[1]), _ints(given[2])
    axes = _ints(given[3]) if len(given) > 3 and given[3] is not None else list(range(len(starts)))
    steps = _ints(given[4]) if len(given) > 4 and given[4] is not None else [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        at = axis % len(expression.shape)
        stop = None if step < 0 and end <= np.iinfo(np.int32).min else end
        picked = range(*slice(start, stop, step).indices(expression.shape[at]))
        expression = _cut(low, expression, at, picked.start, len(picked), picked.step)
    return [expression]


def _cut(low: Lowering, source: Value, axis: int, start: int, count: int, step: int = 1) -> Expr:
    shape = low.expr(source).shape
    wanted = tuple(count if at == axis else size for at, size in enumerate(shape))
    return seen(low, source, lambda view: view.cut(axis, start, count, step), wanted)


def _split(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    assert isinstance(node.op, Split)
    source, tensor = given[0], node.inputs[0]
    assert tensor is not None
    count = split_count(node, tensor)
    if isinstance(source, Pending) and count > 1:
        return source.split(low, count, tensor.label)
    if isinstance(source, Pieces) and count == len(source) and len({part.shape for part in source}) == 1:
        return source
    expression = low.expr(source)
    view = expression.view
    if count > 1 and view is not None and view.block is not None and view.block.stride == view.block.unit * count:
        return [load(piece) for piece in pieces_of(view, count)]
    axis, start = node.op.axis % len(expression.shape), 0
    if expression.view is None or expression.index is not None:
        expression = load(low.stored(expression))
    found: list[Value] = []
    for output in node.outputs:
        size = shape_of(output)[axis]
        found.append(_cut(low, expression, axis, start, size))
        start += size
    return found


def _concat(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    assert isinstance(node.op, Concat)
    tensor = node.outputs[0]
    parts = [low.expr(value) for value in given]
    axis = node.op.axis % len(parts[0].shape)
    parts = [part for part in parts if part.shape[axis]] or parts[:1]
    if len(parts) == 1:
        return [parts[0]]
    if axis == len(parts[0].shape) - 1 and [reader.op.name for reader in low.readers(tensor)] == ["MatMul"]:
        return [Pieces(parts)]
    return [load(low.joined(parts, axis, tensor))]


def _pad(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    """One axis after another: what is put before it, the tensor, and what is put after it, joined."""
    tensor, found = node.outputs[0], low.expr(given[0])
    ends, rank, value = _ints(given[1]), len(found.shape), given[2] if len(given) > 2 else None
    filling = literal(number(0, found.dtype), (), found.dtype) if value is None else low.expr(value)
    padded = [axis for axis in range(rank) if ends[axis] or ends[axis + rank]]
    for axis in padded:
        sizes = found.shape
        before, after = (
            broadcast(low, filling, (*sizes[:axis], ends[at], *sizes[axis + 1 :])) for at in (axis, axis + rank)
        )
        found = load(low.joined([before, found, after], axis, tensor if axis == padded[-1] else None))
    return [found]


def _gather(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    assert isinstance(node.op, Gather)
    source = low.expr(given[0])
    axis, shape = node.op.axis % len(source.shape), shape_of(node.outputs[0])
    indices = given[1]
    if isinstance(indices, np.ndarray) and indices.ndim == 0:
        at = int(indices) % source.shape[axis]
        one = _cut(low, source, axis, at, 1)
        return [seen(low, one, lambda view: view.reshaped(shape), shape)]
    view, index = low.view(source), low.expr(indices)
    rank = len(index.shape)
    around = (1,) * axis + index.shape + (1,) * (len(shape) - axis - rank)
    spread = seen(low, index, lambda item: item.reshaped(around), around)
    along = (*range(axis), *range(axis + rank, len(shape)))
    return [_picked(low, view, broadcast(low, spread, shape), axis, along, shape)]


def _picked(low: Lowering, view: View, index: Expr, axis: int, along: Sequence[int], shape: Sizes) -> Expr:
    """Return what reads a view at indices along an axis, and along its others as axes of the result do."""
    flat = view.plain() or low.joined([load(view)], 0)
    kind = "i32" if index.dtype.itemsize == 4 else "i64"
    inside = applied(f"index_{kind}({{0}}, {view.shape[axis]})", (index,), index.dtype)
    return Expr(shape, view.dtype, view=flat, index=inside, axis=axis, along=tuple(along), size=2 + index.size)


def _reverse(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    assert isinstance(node.op, ReverseSequence)
    op, shape = node.op, shape_of(node.outputs[0])
    view, lengths = low.view(given[0]), low.expr(given[1])
    time = np.arange(shape[op.time_axis], dtype=np.int64)
    steps = broadcast(low, time.reshape([-1 if at == op.time_axis else 1 for at in range(len(shape))]), shape)
    rows = tuple(-1 if at == op.batch_axis else 1 for at in range(len(shape)))
    sizes = tuple(shape[op.batch_axis] if size == -1 else 1 for size in rows)
    spread = broadcast(low, seen(low, lengths, lambda item: item.reshaped(sizes), sizes), shape)
    spread = load(low.stored(spread)) if spread.size > 1 else spread
    index = applied("reversed_i64({0}, {1})", (steps, spread), np.dtype("int64"))
    return [_picked(low, view, index, op.time_axis, [at for at in range(len(shape)) if at != op.time_axis], shape)]


def _filled(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    assert isinstance(node.op, ConstantOfShape)
    return [literal(number(node.op.value, node.op.dtype), shape_of(node.outputs[0]), node.op.dtype)]


VIEWS: dict[str, Entry] = {
    "Concat": _concat,
    "ConstantOfShape": _filled,
    "Expand": _expand,
    "Gather": _gather,
    "Pad": _pad,
    "Reshape": _reshape,
    "ReverseSequence": _reverse,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _squeeze,
}
