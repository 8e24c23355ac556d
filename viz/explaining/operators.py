"""One operator as a term of its operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace

import numpy as np

from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.dot_text import MINUS
from unroll.viz.explaining.cutting import Cutting, simple
from unroll.viz.explaining.terms import Call, Found, Infix, Joined, Name, Term

_SIGNS = {
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "MatMul": "@", "Pow": "^", "Equal": "==", "Less": "<", "Greater": ">",
    "LessOrEqual": "<=", "GreaterOrEqual": ">=", "And": "and", "Or": "or",
}  # fmt: skip
#: Functions of each element, by their names in formulas.
BY_ELEMENT = {
    "Abs": "abs", "Ceil": "ceil", "Elu": "elu", "Erf": "erf", "Exp": "exp", "Floor": "floor", "HardSigmoid": "hard_sigmoid",
    "LeakyRelu": "leaky_relu", "Log": "log", "Neg": MINUS, "Not": "not", "Relu": "relu", "Round": "round",
    "Sigmoid": "sigmoid", "Softplus": "softplus", "Softsign": "softsign", "Sqrt": "sqrt", "Tanh": "tanh", "Where": "where",
    "Max": "max", "Min": "min", "Clip": "clip",
}  # fmt: skip


_NONE = object()
#: What files write for the end of an axis.
_ENDLESS = 2**31 - 1


def output_of(node: Node, place: int, operands: Sequence[Term | None]) -> Term:
    """Return one output of an operator of several."""
    given = tuple(item for item in operands if item is not None)
    tensor = node.outputs[place]
    return Call(tensor.shape, Found(tensor), node.op.name, given, settings(node, f"output={place}"), False)


def term_of(node: Node, operands: Sequence[Term | None], cutting: Cutting) -> Term:
    """Return what an operator of one output computes.

    Args:
        node: the operator.
        operands: what it reads, in order; None for what is left out.
        cutting: cuts weights.
    """
    tensor, name = node.outputs[0], node.op.name
    here = Found(tensor)
    given = [item for item in operands if item is not None]
    if name in _SIGNS and len(given) == 2:
        return simple(Infix(tensor.shape, here, _SIGNS[name], (given[0], given[1])))
    if isinstance(node.op, Gemm):
        found = _gemm(node, given, cutting)
        if found is not None:
            return found
    if isinstance(node.op, Concat) and node.op.axis in (-1, tensor.rank - 1):
        return Joined(tensor.shape, here, tuple(given))
    if name == "Identity":
        return given[0]
    if name == "Transpose":
        turned = cutting.turned(given[0]) if tuple(node.op.attributes.get("perm", ())) == (1, 0) else None
        if turned is not None:
            return turned
    if name == "Slice":
        cut = _sliced(node, given[0], cutting)
        if cut is not None:
            return cut
    if name in ("Gather", "Squeeze"):
        row = _row(node, given, cutting)
        if row is not None:
            return row
    if name == "Softmax" and node.op.attributes.get("axis", -1) in (-1, tensor.rank - 1):
        return Call(tensor.shape, here, "softmax", tuple(given))
    if name in BY_ELEMENT and len(given) == len(operands):
        return Call(tensor.shape, here, BY_ELEMENT[name], tuple(given), settings(node), True)
    return Call(tensor.shape, here, name, tuple(given), settings(node), False)


def operator_key(node: Node) -> object:
    """Return a key that is equal for operators that compute the same."""
    op = node.op
    given = tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in op.attributes.items())
    try:
        hash(given)
    except TypeError:
        return op
    return type(op), op.name, given


def pieces_of(node: Node, whole: Term, cutting: Cutting) -> list[Term] | None:
    """Return the pieces of a Split along the last axis as terms; None where they cannot be told."""
    axis = node.op.attributes.get("axis", 0)
    widths = [tensor.shape[-1] if tensor.shape else None for tensor in node.outputs]
    if not isinstance(node.op, Split) or axis not in (-1, len(whole.shape) - 1):
        return None
    found, first = [], 0
    for tensor, width in zip(node.outputs, widths, strict=True):
        cut = cutting.columns(whole, first, first + width) if isinstance(width, int) else None
        if cut is None or not isinstance(width, int):
            return None
        found.append(replace(cut, found=Found(tensor)))
        first += width
    return found


def settings(node: Node, *more: str) -> tuple[str, ...]:
    """Return the attributes of an operator that are not as they always are, and more of them."""
    op = node.op
    usual: dict[str, object] = {item.name: item.default for item in fields(op)} if is_dataclass(op) else {}
    given = (f"{name}={_plain(value)}" for name, value in op.attributes.items() if usual.get(name, _NONE) != value)
    return (*given, *more)


def _plain(value: object) -> str:
    if isinstance(value, np.ndarray) and value.ndim < 2:
        value = value.tolist() if value.ndim and value.size != 1 else value.reshape(()).item()
    if isinstance(value, (float, np.floating)):
        return f"{value:.9g}"
    if isinstance(value, (tuple, list)):
        return f"[{' '.join(map(_plain, value))}]"
    if isinstance(value, np.dtype):
        return value.name
    return str(value) if isinstance(value, (int, str, np.integer)) else f"<{type(value).__name__}>"


def _gemm(node: Node, given: Sequence[Term], cutting: Cutting) -> Term | None:
    op, tensor = node.op, node.outputs[0]
    if not isinstance(op, Gemm) or op.transA or op.alpha != 1 or op.beta != 1:
        return None
    right: Term | None = given[1]
    if op.transB:
        right = cutting.turned(given[1])
    if right is None:
        return None
    product = Infix(tensor.shape, None if len(given) > 2 else Found(tensor), "@", (given[0], right))
    return simple(Infix(tensor.shape, Found(tensor), "+", (product, given[2]))) if len(given) > 2 else product


def _sliced(node: Node, whole: Term, cutting: Cutting) -> Term | None:
    """Return rows or columns of a term that a Slice takes; None where they are not known, or not next to each other."""
    numbers = [_ints(tensor) for tensor in node.inputs[1:]]
    if len(numbers) < 2 or any(item is None for item in numbers):
        return None
    starts, stops = numbers[0] or [], numbers[1] or []
    rank = len(whole.shape)
    axes = [axis % rank for axis in (numbers[2] or [])] if len(numbers) > 2 else list(range(len(starts)))
    if len(numbers) > 3 and set(numbers[3] or []) != {1}:
        return None
    term: Term | None = whole
    for axis, start, stop in zip(axes, starts, stops, strict=True):
        size = whole.shape[axis]
        if start == 0 and stop >= (size if isinstance(size, int) else _ENDLESS):
            continue
        if not isinstance(size, int) or axis < rank - 2 or term is None:
            return None
        begin, end, _ = slice(start, stop).indices(size)
        cut = cutting.columns if axis == rank - 1 else cutting.rows
        term = cut(term, begin, end)
    return term


def _row(node: Node, given: Sequence[Term], cutting: Cutting) -> Term | None:
    """Return one row of a weight, taken by its number or the only one there is; None where that is not what is done."""
    weight, numbers = given[0], [_ints(tensor) for tensor in node.inputs[1:]]
    if len(weight.shape) != 2 or len(node.outputs[0].shape) != 1 or numbers == [] or numbers[0] is None:
        return None
    first = 0
    if node.op.name == "Gather":
        if node.op.attributes.get("axis", 0) != 0 or len(numbers[0]) != 1 or numbers[0][0] < 0:
            return None
        first = numbers[0][0]
    elif numbers[0] != [0] or weight.shape[0] != 1:
        return None
    row = cutting.rows(weight, first, first + 1)
    return replace(row, shape=row.shape[1:], found=None) if isinstance(row, Name) and row.region is not None else None


def _ints(tensor: Tensor | None) -> list[int] | None:
    return [int(item) for item in tensor.value.flat] if isinstance(tensor, Constant) else None
