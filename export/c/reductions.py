"""Operators that make one element of several: what they begin with, how two are put together, what is made of the result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.export.c.expressions import load
from unroll.export.c.lowering import Entry, Lowering, Value
from unroll.export.c.statements import Reduction
from unroll.export.c.types import c_type, suffix
from unroll.export.c.views import seen, shape_of
from unroll.ops.reduction import ArgMax
from unroll.ops.reduction import Reduction as Operator
from unroll.tensor import Node


def _reduced(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    op, tensor = node.op, node.outputs[0]
    source = low.expr(given[0])
    rank = len(source.shape)
    if isinstance(op, ArgMax):
        axes = [op.axis % rank]
    else:
        assert isinstance(op, Operator)
        named = given[1] if len(given) > 1 else None
        axes = [int(axis) % rank for axis in named.reshape(-1)] if isinstance(named, np.ndarray) else []
        if not axes and op.noop_with_empty_axes:
            return [source]
        axes = axes or list(range(rank))
    kept = [axis for axis in range(rank) if axis not in axes]
    order = [*kept, *sorted(axes)]
    moved = seen(low, source, lambda view: view.permuted(order), tuple(source.shape[axis] for axis in order))
    front = tuple(source.shape[axis] for axis in kept)
    out = low.scratch(tensor.label, tensor.dtype, front, moved.depth, exact=True)
    if out.size:
        low.emit(_statement(node, out, moved, len(axes)), moved.depth)
    shape = shape_of(tensor)
    return [seen(low, load(out), lambda view: view.reshaped(shape), shape)]


def _statement(node: Node, out: object, moved: object, axes: int) -> Reduction:
    op, dtype = node.op, node.inputs[0].dtype  # type: ignore[union-attr]
    end, kind = suffix(dtype), c_type(dtype)
    count = int(np.prod(moved.shape[len(moved.shape) - axes :], dtype=np.int64)) if axes else 1  # type: ignore[attr-defined]
    add = "({0} + {1})" if dtype.kind == "f" else f"add_{end}({{0}}, {{1}})"
    start, step, last, wide = {
        "ReduceSum": ("0", add, "{0}", kind),
        "ReduceMean": ("0", add, f"{{0}} / {count}", kind),
        "ReduceMax": ("", f"max_{end}({{0}}, {{1}})", "{0}", kind),
        "ReduceMin": ("", f"min_{end}({{0}}, {{1}})", "{0}", kind),
        "ArgMax": ("", "", "{0}", kind),
    }[op.name]
    if op.name == "ReduceMean" and dtype.kind == "i":
        step, last, wide = "({0} + (double){1})", f"{end}_of_f64({{0}} / {count})", "double"
    return Reduction(out, moved, axes, start, step, last, wide, op.name == "ArgMax", node.outputs[0].label)  # type: ignore[arg-type]


REDUCTIONS: dict[str, Entry] = dict.fromkeys(("ArgMax", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"), _reduced)
