"""What each operator makes of values. One that is not listed makes an atom of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

import numpy as np

from unroll.dimensions import Dim, Shape
from unroll.ops.choices import Where
from unroll.ops.elementwise import Binary, Unary
from unroll.ops.filling import ConstantOfShape
from unroll.ops.functions import Cast
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm
from unroll.ops.operator import Operator
from unroll.ops.shaping import Transpose
from unroll.ops.slicing import Gather, bounds_of
from unroll.passes.proving.by_structure.atoms import Atom, Form, Value
from unroll.passes.proving.by_structure.moving import At, Back, Cut, New, Turn, UnlikeError, joined
from unroll.passes.proving.by_structure.values import Values
from unroll.passes.tools.rewriting import op_key
from unroll.tensor import Node

#: ``(values, node, what it reads, the shape of its output) -> what it makes``.
Rule: TypeAlias = Callable[[Values, Node, Sequence[Value], Shape], Sequence[Value]]


def made_by(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    """Return what a node of a known operator makes of values that are not all numbers.

    Args:
        values: computes with them.
        node: the node.
        read: what it reads; no input of the operators that are listed is left out.
        shape: of its first output.

    Raises:
        UnlikeError: that has no form here.
    """
    rule = RULES.get(node.op.name)
    if rule is not None:
        return rule(values, node, read, shape)
    if isinstance(node.op, (Unary, Binary, Where)):
        return [values.applied(_name(node), *read)]
    raise UnlikeError(node.op.name)


def _name(node: Node) -> object:
    return node.op.name if type(node.op) in _PLAIN or not node.op.attributes else op_key(node)


_PLAIN: tuple[type[Operator], ...] = (Where,)


def _add(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    return [values.add(read[0], read[1])]


def _sub(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    return [values.add(read[0], values.scaled(read[1], -1.0))]


def _mul(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    return [values.multiply(read[0], read[1])]


def _div(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    numbers = values.full(read[1])
    if numbers is None or not numbers.all() or node.outputs[0].dtype.kind != "f":
        return [values.applied("Div", *read)]
    return [values.multiply(read[0], values.number(1.0 / numbers))]


def _neg(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    return [values.scaled(read[0], -1.0)]


def _same(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    return [read[0]]


def _cast(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    before = node.inputs[0]
    assert isinstance(node.op, Cast) and before is not None
    return [
        read[0] if before.dtype == node.op.to else values.applied(("Cast", str(before.dtype), str(node.op.to)), read[0])
    ]


def _matmul(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    matrix = values.full(read[1])
    if matrix is None or matrix.ndim != 2 or len(read[0].shape) < 2:
        raise UnlikeError("a product of two values")
    return [values.times_matrix(read[0], matrix)]


def _gemm(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    op = node.op
    assert isinstance(op, Gemm)
    matrix = values.full(read[1])
    if matrix is None:
        raise UnlikeError("a product of two values")
    left = values.move(read[0], Turn((1, 0))) if op.transA else read[0]
    result = values.scaled(values.times_matrix(left, np.ascontiguousarray(matrix.T) if op.transB else matrix), op.alpha)
    return [result if len(read) < 3 else values.add(result, values.scaled(read[2], op.beta))]


def _less(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    one, other = read if node.op.name == "Less" else read[::-1]
    return [values.applied("Less", one, other)]


def _where(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    def choice(condition: Form, new: Form, old: Form) -> Form:
        inner = _atom(values, new)
        if inner is not None and inner.kind == "function" and inner.name == "Where":  # by the same condition: it holds
            new = inner.inside[1] if values.atoms.key(inner.inside[0]) == values.atoms.key(condition) else new
        bound = _bound(values, condition)
        if bound is not None and values.atoms.key(_past(values, new, bound)) == values.atoms.key(old):
            return new
        found = values.applied("Where", condition, new, old)
        assert isinstance(found, Form)
        return found

    return [values.each(choice, *read)]


#: A number, and what it is compared with: ``number < what``.
_Bound: TypeAlias = tuple[float, Hashable]


def _bound(values: Values, condition: Form) -> _Bound | None:
    """Return what a condition says, where it is that a number is less than something: a step, and the lengths of rows."""
    atom = _atom(values, condition)
    if atom is None or atom.kind != "function" or atom.name != "Less":
        return None
    number = values.full(atom.inside[0]) if isinstance(atom.inside[0], Form) else None
    return None if number is None or number.size != 1 else (float(number.item()), values.atoms.key(atom.inside[1]))


def _past(values: Values, form: Form, bound: _Bound) -> Form:
    """Return what a value is where a bound does not hold: of choices by later steps of the same lengths, the old value."""
    while True:
        atom = _atom(values, form)
        if atom is None or atom.kind != "function" or atom.name != "Where":
            return form
        condition, _, old = atom.inside
        other = _bound(values, condition)
        if other is None or other[1] != bound[1] or other[0] < bound[0]:
            return form
        form = old


def _atom(values: Values, form: Form) -> Atom | None:
    """Return the atom that a form is; None for any other form."""
    ((monomial, numbers),) = form.terms.items() if len(form.terms) == 1 else (((), None),)
    if numbers is None or len(monomial) != 1 or not (numbers == 1).all():
        return None
    return values.atoms[monomial[0]]


def _concat(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    assert isinstance(node.op, Concat)
    return [joined(read, node.op.axis % len(shape))]


def _split(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    assert isinstance(node.op, Split)
    axis, found = node.op.axis % len(shape), []
    start: Dim = 0
    for tensor in node.outputs:
        end = start + tensor.shape[axis]
        found.append(values.move(read[0], Cut(axis, start, end)))
        start = end
    return found


def _slice(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    source = node.inputs[0]
    bounds = bounds_of(node)
    assert source is not None
    if bounds is None:
        return [_backward(values, node, read)]
    value = read[0]
    for axis, (first, last) in bounds.items():
        size = source.shape[axis]
        if isinstance(size, int) and isinstance(first, int) and isinstance(last, int):
            start, end, _ = slice(first, last).indices(size)
            value = values.move(value, Cut(axis, start, max(start, end)))
        elif value.shape[axis] != shape[axis]:
            if not isinstance(first, int) or first < 0:
                raise UnlikeError("a cut at a size that is not known")
            value = values.move(value, Cut(axis, first, first + shape[axis]))
    return [value]


def _backward(values: Values, node: Node, read: Sequence[Value]) -> Value:
    """Return a whole axis from its end."""
    known = [tensor.known if tensor is not None else None for tensor in node.inputs[1:]]
    if len(known) != 4 or known[3] != (-1,) or not isinstance(known[2], tuple) or known[0] != (-1,):
        raise UnlikeError("a cut in steps")
    axis = int(known[2][0]) % len(read[0].shape)
    if node.outputs[0].shape != node.inputs[0].shape:  # type: ignore[union-attr]  # there is a first input
        raise UnlikeError("a cut in steps")
    return values.move(read[0], Back(axis))


def _gather(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    places = values.full(read[1])
    assert isinstance(node.op, Gather)
    axis = node.op.axis % len(read[0].shape)
    size = read[0].shape[axis]
    if places is None and axis == 0:
        return [_looked_up(values, read[0], read[1])]
    if places is None or places.ndim > 1 or not isinstance(size, int):
        raise UnlikeError("places that only a run knows")
    if places.ndim == 0:
        return [values.move(read[0], At(axis, int(places) % size))]
    cuts = [Cut(axis, int(place) % size, int(place) % size + 1) for place in places]
    return [joined([values.move(read[0], cut) for cut in cuts], axis)]


def _looked_up(values: Values, table: Value, ids: Value) -> Value:
    """Return the rows of a table: those of each step where ids are of several, so that a step can be cut out."""
    if len(ids.shape) < 2:
        key = ("Gather", values.atoms.key(table), values.atoms.key(ids))
        return values.atomic(key, (*ids.shape, *table.shape[1:]))
    steps = ids.shape[0]
    if not isinstance(steps, int):
        raise UnlikeError("places that only a run knows")
    rows = [_looked_up(values, table, values.move(ids, At(0, step))) for step in range(steps)]
    return joined([values.move(row, New(0)) for row in rows], 0)


def _transpose(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    assert isinstance(node.op, Transpose)
    order = tuple(node.op.perm)
    return [read[0] if order == tuple(range(len(order))) else values.move(read[0], Turn(order))]


def _reshape(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    return [values.reshaped(read[0], shape)]


def _expand(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    if read[0].shape == shape:
        return [read[0]]
    return [values.add(read[0], values.number(np.zeros([1] * len(shape)), shape))]


def _zeros(values: Values, node: Node, read: Sequence[Value], shape: Shape) -> Sequence[Value]:
    assert isinstance(node.op, ConstantOfShape)
    return [values.number(np.full([1] * len(shape), node.op.value, np.float64), shape)]


RULES: dict[str, Rule] = {
    "Add": _add,
    "Cast": _cast,
    "Concat": _concat,
    "ConstantOfShape": _zeros,
    "Div": _div,
    "Expand": _expand,
    "Gather": _gather,
    "Gemm": _gemm,
    "Greater": _less,
    "Identity": _same,
    "Less": _less,
    "MatMul": _matmul,
    "Mul": _mul,
    "Neg": _neg,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _reshape,
    "Sub": _sub,
    "Transpose": _transpose,
    "Unsqueeze": _reshape,
    "Where": _where,
}
