"""How each operator is lowered, by its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.dtypes import Array
from unroll.errors import UnsupportedError
from unroll.export.c.expressions import Expr, applied, load
from unroll.export.c.layout import LoopVar, View
from unroll.export.c.lowering import Entry, Lowering, Pieces, Value
from unroll.export.c.products import Factor, Pending, split_count
from unroll.export.c.reductions import REDUCTIONS
from unroll.export.c.scalars import SCALARS, template_of
from unroll.export.c.statements import Contraction
from unroll.export.c.views import VIEWS, broadcast, seen, shape_of
from unroll.export.c.windows import WINDOWS
from unroll.ops.operator import OPERATORS, Operator
from unroll.ops.scan import Scan
from unroll.tensor import Node, Tensor


def entry_of(op: Operator) -> Entry | None:
    """Return how an operator is lowered; None for one that has no entry, or is not ours."""
    if OPERATORS.get((op.domain, op.name)) is not type(op):
        return None
    return ENTRIES.get(op.name)


def _elements(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    """An operator of elements: its scalar expression, on inputs that are broadcast."""
    shape = shape_of(node.outputs[0])
    if node.op.name == "Add":
        found = _added(given)
        if found is not None:
            return [found]
    dtypes = [tensor.dtype for tensor in node.inputs if tensor is not None]
    template = template_of(node.op, dtypes, node.outputs[0].dtype)
    assert template is not None
    count = _gates(low, node) if len(given) == 1 and isinstance(given[0], Pending) else 1
    if count > 1:
        assert isinstance(given[0], Pending)
        parts = given[0].split(low, count, node.outputs[0].label)
        return [Pieces(applied(template, (part,), node.outputs[0].dtype) for part in parts)]
    args = tuple(broadcast(low, value, shape) for value in given)
    return [applied(template, args, node.outputs[0].dtype)]


def _gates(low: Lowering, node: Node) -> int:
    """Return into how many gates all who read a node's output split it; 1 for one that is not split."""
    (tensor,) = node.outputs
    readers = low.readers(tensor)
    return split_count(readers[0], tensor) if len(readers) == 1 == low.read[tensor] else 1


def _added(given: Sequence[Value | None]) -> Pending | None:
    """Return the sum of products, or of products and a bias; None where it is no such sum."""
    left, right = given
    if isinstance(right, Pending) and not isinstance(left, Pending):
        left, right = right, left
    if not isinstance(left, Pending):
        return None
    if isinstance(right, Pending):
        return left.plus(right) if right.shape == left.shape else None
    vector = isinstance(right, np.ndarray) and right.ndim <= len(left.shape) and right.size in (1, left.shape[-1])
    if vector and isinstance(right, np.ndarray) and right.shape[-1:] in ((), (1,), left.shape[-1:]):
        return Pending(left.shape, left.dtype, left.factors, (*left.bias, right))
    return None


def _clip(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    shape, dtype = shape_of(node.outputs[0]), node.outputs[0].dtype
    end = {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64"}[dtype.name]
    found = low.expr(given[0])
    for value, name in zip(given[1:], ("max", "min"), strict=False):
        if value is not None:
            found = applied(f"{name}_{end}({{0}}, {{1}})", (found, broadcast(low, value, shape)), dtype)
    return [found]


def _matmul(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    left, right = given
    dtype = node.outputs[0].dtype
    if isinstance(right, np.ndarray) and right.ndim == 2 and dtype.kind == "f" and right.size:
        parts = list(left) if isinstance(left, Pieces) else [low.expr(left)]
        if all(part.shape for part in parts) and 0 not in shape_of(node.outputs[0]):
            pieces = tuple(low.view(part) for part in parts)
            return [Pending(shape_of(node.outputs[0]), dtype, (Factor(pieces, right),))]
    return [_contracted(low, node, low.expr(left), low.expr(right))]


def _contracted(low: Lowering, node: Node, left: Expr, right: Expr) -> Expr:
    """Return a product of two tensors, the inner one of the loops over the columns of the right one."""
    tensor, shape = node.outputs[0], shape_of(node.outputs[0])
    dtype = tensor.dtype
    a, b = load(low.view(left)), load(low.view(right))
    inner = a.shape[-1]
    rows = () if len(a.shape) == 1 else a.shape[-2:-1]
    columns = () if len(b.shape) == 1 else b.shape[-1:]
    stack = shape[: len(shape) - len(rows) - len(columns)]
    m, n = (rows or (1,))[0], (columns or (1,))[0]
    a = seen(
        low,
        a,
        lambda view: view.reshaped((*view.shape[:-2], m, inner)) if rows else view.reshaped((1, inner)),
        (*a.shape[:-2], m, inner) if rows else (1, inner),
    )
    b = seen(low, b, lambda view: view if columns else view.reshaped((inner, 1)), b.shape if columns else (inner, 1))
    full = (*stack, m, n, inner)
    rank = len(full)
    a3 = broadcast(
        low, seen(low, a, lambda view: view.reshaped((*view.shape[:-1], 1, inner)), (*a.shape[:-1], 1, inner)), full
    )
    order = (*range(len(b.shape) - 2), len(b.shape) - 1, len(b.shape) - 2)
    turned = seen(low, b, lambda view: view.permuted(order), tuple(b.shape[axis] for axis in order))
    around = (*turned.shape[:-2], 1, *turned.shape[-2:])
    b3 = broadcast(low, seen(low, turned, lambda view: view.reshaped(around), around), full)
    depth = max(a.depth, b.depth)
    out = low.scratch(tensor.label, dtype, (*stack, m, n), depth, exact=True)
    if out.size:
        low.emit(Contraction(out, a3, b3, full, 1, tensor.label), depth)
    assert rank == len(stack) + 3
    return seen(low, load(out), lambda view: view.reshaped(shape), shape)


def _scan(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    op = node.op
    assert isinstance(op, Scan)
    first, second = op.num_states, op.num_states + op.num_scan_inputs
    count = shape_of(node.inputs[first])[0]  # type: ignore[arg-type]
    if not count:
        raise UnsupportedError(f"{low.what}: {node!r}: there is nothing to scan; at least one step is wanted")
    rows = [low.view(value) for value in given[first:second]]
    shared = [value if isinstance(value, np.ndarray) else load(low.view(value)) for value in given[second:]]
    outer = low.depth
    states = []
    for inner, new, value in zip(op.body.inputs, op.body.outputs, given[:first], strict=False):
        state = low.scratch(new.label, inner.dtype, shape_of(inner), outer)
        low.copied(state, low.expr(value), f"{new.label} before the first step")
        states.append(state)
    stacks = [
        low.scratch(tensor.label, tensor.dtype, shape_of(tensor), outer, exact=True)
        if tensor not in low.wanted
        else low.taken(tensor)
        for tensor in node.outputs[first:]
    ]
    var = LoopVar(low.names.made("t"), count, outer + 1)
    low.open(var)
    values: dict[Tensor, Value] = dict(zip(op.body.inputs, _inside(op, var, states, rows, shared), strict=True))
    ways = op.scan_output_directions or (0,) * len(stacks)
    for tensor, stack, back in zip(op.body.outputs[first:], stacks, ways, strict=True):
        row = stack.row(var, bool(back))
        assert row is not None
        low.want(tensor, row)
    found = low.walk(op.body.nodes, values, op.body.outputs)
    for tensor, value, stack, back in zip(op.body.outputs[first:], found[first:], stacks, ways, strict=True):
        row = stack.row(var, bool(back))
        assert row is not None
        low.copied(row, value, tensor.label)
    _hand_on(low, states, found[:first], [tensor.label for tensor in op.body.outputs[:first]])
    low.close(node.outputs[0].label)
    return [load(view) for view in (*states, *stacks)]


def _inside(
    op: Scan, var: LoopVar, states: Sequence[View], rows: Sequence[View], shared: Sequence[Array | Expr]
) -> list[Value]:
    """Return what the inputs of a body are."""
    backward = op.scan_input_directions or (0,) * len(rows)
    found: list[Value] = [load(_at(state, var.depth)) for state in states]
    for view, back in zip(rows, backward, strict=True):
        row = view.row(var, bool(back))
        assert row is not None
        found.append(load(row))
    return [*found, *shared]


def _at(view: View, depth: int) -> View:
    """Return a view of what a loop changes."""
    return View(view.buffer, view.shape, view.strides, view.offset, view.moving, view.block, depth, depth)


def _hand_on(low: Lowering, states: Sequence[View], new: Sequence[Value], labels: Sequence[str]) -> None:
    """Put the new states in the place of the old ones, all of them read before one is written."""
    buffers = {state.buffer for state in states}
    ready: list[Value] = []
    for state, value in zip(states, new, strict=True):
        expression = low.expr(value)
        others = {leaf.view.buffer for leaf in expression.leaves() if leaf.view is not None} & buffers
        if others - {state.buffer} or (others and expression.view is None):
            expression = load(low.stored(expression))
        ready.append(expression)
    for state, value, label in zip(states, ready, labels, strict=True):
        low.copied(_at(state, low.depth), value, label)


ENTRIES: dict[str, Entry] = {
    **dict.fromkeys((*SCALARS, "Cast", "Pow"), _elements),
    **REDUCTIONS,
    **VIEWS,
    **WINDOWS,
    "Clip": _clip,
    "MatMul": _matmul,
    "Scan": _scan,
}
