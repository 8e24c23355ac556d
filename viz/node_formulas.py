"""What a node computes, as a formula: ``c = f * c[0] + i * j``. It says less rather than something that is not so."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from unroll.ops.filling import ConstantOfShape
from unroll.ops.functions import Identity
from unroll.ops.joining import Concat
from unroll.ops.linear import Gemm
from unroll.ops.operator import OPERATORS
from unroll.ops.slicing import Gather, Slice, columns_of
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.dot_text import MINUS, SIGMA, TIMES
from unroll.viz.tensor_names import TensorNames
from unroll.viz.values import inline, number
from unroll.viz.zero_states import is_zero

_INFIX = {
    "Add": "+", "Sub": MINUS, "Mul": TIMES, "Div": "/", "MatMul": "@", "Pow": "^", "Equal": "==", "Less": "<", "Greater": ">",
    "LessOrEqual": "<=", "GreaterOrEqual": ">=", "And": "and",
}  # fmt: skip
_CALLS = {
    "Abs": "abs", "Elu": "elu", "Exp": "exp", "HardSigmoid": f"hard {SIGMA}", "LeakyRelu": "leaky relu", "Log": "log",
    "Neg": MINUS, "Not": "not ", "Relu": "relu", "Sigmoid": SIGMA, "Softmax": "softmax", "Softplus": "softplus",
    "Softsign": "softsign", "Sqrt": "sqrt", "Tanh": "tanh", "Where": "where",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_WORDS = {word for said in (*_CALLS.values(), *_INFIX.values()) for word in _WORD.findall(said)}
#: How tightly a sign binds what stands beside it, as everybody reads it.
_BINDS = {
    "And": 0, "Equal": 1, "Less": 1, "Greater": 1, "LessOrEqual": 1, "GreaterOrEqual": 1, "Add": 2, "Sub": 2, "Gemm": 2,
    "Mul": 3, "Div": 3, "MatMul": 3, "Neg": 3,
    "Pow": 4,
}  # fmt: skip
_LONGEST_WITHIN = 28
_LONGEST, _DEEPEST, _MOST, _MOST_UNNAMED = 36, 3, 8, 2
#: What stands for an operand that has no name of its own, and for a formula that is too long.
UNNAMED, LONG = "·", "…"


class Said(NamedTuple):
    """A line about what a node computes.

    Attributes:
        text: a formula, a name alone, or nothing.
        whole: whether the operator's settings are left with nothing to add.
    """

    text: str
    whole: bool


class Formulas:
    """Writes formulas for the nodes of a graph.

    Args:
        names: what its tensors are called.
    """

    def __init__(self, names: TensorNames) -> None:
        self._names = names

    def of(self, node: Node) -> Said:
        """Return a short formula of a node, with the name of what it makes; the name alone where no formula says it, and
        nothing where its operator's name says enough.
        """
        if len(node.outputs) > 1:
            return Said(self._pieces(node), False)
        name = self._names.label(node.outputs[0])
        prefix = f"{name} = " if name else ""
        for depth in (_DEEPEST, 0):  # where it is too long, what has no name is left out
            text = self._applied(node, node, depth)
            if text is None:
                return Said(name, False)
            if not _names_something(text):
                return Said(name, True)
            if text.count(UNNAMED) <= _MOST_UNNAMED and len(prefix + text) <= _LONGEST:
                return Said(prefix + text, True)
        return Said(f"{prefix}{LONG}" if name else "", False)

    def operand(self, node: Node, place: int) -> str:
        """Return what a node reads, as a formula; nothing where it names nothing."""
        text = self._operand(node.inputs[place], node, place, node, _DEEPEST)
        return text if _names_something(text) else ""

    def _pieces(self, node: Node) -> str:
        """Return the names of what a node of several outputs makes, in order."""
        names = [self._names.label(tensor) for tensor in node.outputs]
        text = ", ".join(name or UNNAMED for name in names)
        return text if any(names) else ""

    def _applied(self, node: Node, reader: Node, depth: int) -> str | None:
        """Return what a node computes, its operands called as `reader` calls them; None where no formula says it."""
        if not _is_plain(node):
            return None
        name = node.op.name
        operands = [self._operand(tensor, node, place, reader, depth) for place, tensor in enumerate(node.inputs)]
        if name in _INFIX and len(operands) == 2:
            return f" {_INFIX[name]} ".join(operands)
        if isinstance(node.op, Gemm):
            turned = (node.op.transA, node.op.transB)
            one, other = (_turned(text) if turn else text for text, turn in zip(operands, turned, strict=False))
            return f"{one} @ {other}{''.join(f' + {bias}' for bias in operands[2:] if bias)}"
        if isinstance(node.op, Identity):
            return operands[0]
        if isinstance(node.op, Slice):
            columns = columns_of(node)
            return f"{_atom(operands[0])}[..., {columns.start}:{columns.stop}]" if columns else None
        if isinstance(node.op, Gather):
            return _row(operands[0], node)
        if isinstance(node.op, Concat):
            return f"[{', '.join(operands)}]" if len(operands) <= 3 else None
        return f"{_CALLS[name]}({', '.join(operands)})" if name in _CALLS else None

    def _operand(self, tensor: Tensor | None, node: Node, place: int, reader: Node, depth: int) -> str:
        """Return the name of an operand, its value, or, where it has neither, what makes it."""
        if tensor is None:
            return ""
        if isinstance(tensor, Constant):
            in_a_row = tensor.value.size <= max((1, *tensor.value.shape[-1:]))
            short = in_a_row and tensor.value.size <= _MOST
            return inline(tensor) if short else UNNAMED if tensor.value.any() else "0"
        if tensor.node is not None and isinstance(tensor.node.op, ConstantOfShape):
            return number(tensor.node.op.value)
        if tensor.node is not None and is_zero(tensor.node):
            return "0"
        name = self._names.seen_from(tensor, reader)
        if name:
            return name
        if tensor.node is None or depth == 0 or len(tensor.node.outputs) > 1:
            return UNNAMED
        inner = self._applied(tensor.node, reader, depth - 1)
        if inner is None or len(inner) > _LONGEST_WITHIN or inner.count(UNNAMED) > 1:
            return UNNAMED
        return f"({inner})" if _needs_brackets(tensor.node.op.name, node.op.name, place) else inner


def _names_something(text: str) -> bool:
    """Say whether a formula names an operand or a number: what is left of another one is the name of the operator."""
    return UNNAMED not in text or not _WORDS.issuperset(_WORD.findall(text))


def _is_plain(node: Node) -> bool:
    """Say whether an operator is one of ours with nothing to say but its name: no slope, no axis but the last one."""
    op = node.op
    if OPERATORS.get((op.domain, op.name)) is not type(op):
        return False
    if isinstance(op, Gemm):
        return op.alpha == op.beta == 1
    if isinstance(op, Gather):
        return int(op.axis) == 0
    if "axis" in op.attributes:
        return int(op.attributes["axis"]) in (-1, node.outputs[0].rank - 1)
    return not is_dataclass(op) or all(getattr(op, item.name) == item.default for item in fields(op))


def _row(weight: str, node: Node) -> str | None:
    """Return one row of a weight, as NumPy writes it: ``bias[0]``; nothing of what may have steps."""
    index = node.inputs[1].known if node.inputs[1] is not None else None
    whole = isinstance(node.inputs[0], Parameter) and isinstance(index, int) and index >= 0
    return f"{weight}[{index}]" if whole and UNNAMED not in weight and " " not in weight else None


def _turned(text: str) -> str:
    """Return a matrix transposed."""
    return f"{_atom(text)}^T"


def _atom(text: str) -> str:
    """Return a name, and one sign for what has none, to which something is written that is of the whole of it."""
    return UNNAMED if any(sign in text for sign in " ([") else text


def _needs_brackets(inner: str, outer: str, place: int) -> bool:
    """Say whether what computes an operand would be read in another way without brackets around it."""
    if inner not in _INFIX and inner not in ("Gemm", "Neg", "Not"):
        return False
    if outer == "Gemm":
        return place < 2
    if outer not in _INFIX or inner == "Not":
        return outer in _INFIX
    return _BINDS[inner] < _BINDS[outer] or (_BINDS[inner] == _BINDS[outer] and not (inner == outer in ("Add", "Mul")))
