"""What a node computes, as a formula: ``c = f * c[0] + i * j``. It says less rather than something that is not so."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from unroll.ops.filling import ConstantOfShape
from unroll.ops.functions import Identity
from unroll.ops.joining import Concat
from unroll.ops.linear import Gemm
from unroll.ops.operator import OPERATORS
from unroll.ops.reduction import ReduceMean, ReduceSum
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
#: Along the last axis, which stays.
_REDUCED: dict[type, str] = {ReduceMean: "mean", ReduceSum: "sum"}
_WORD = re.compile(r"\w+")
_WORDS = {word for said in (*_CALLS.values(), *_INFIX.values(), *_REDUCED.values()) for word in _WORD.findall(said)}
#: How tightly a sign binds what stands beside it, as everybody reads it.
_BINDS = {
    "And": 0, "Equal": 1, "Less": 1, "Greater": 1, "LessOrEqual": 1, "GreaterOrEqual": 1, "Add": 2, "Sub": 2, "Gemm": 2,
    "Mul": 3, "Div": 3, "MatMul": 3, "Neg": 3,
    "Pow": 4,
}  # fmt: skip
_MOST = 8
# How long a formula is that stands in one line, and how much farther from its middle a sign is preferred to one in brackets.
_ONE_LINE, _A_BRACKET = 40, 8
_SIGNS = {f"{sign} " for sign in ("+", MINUS, TIMES, "/", "@")}
#: What stands for an operand that has no name of its own, and for a formula that is too long.
UNNAMED, LONG = "·", "…"


class Limits(NamedTuple):
    """How much a formula says.

    Attributes:
        longest: how many letters it has at most, with the name of what it makes.
        within: how many one operand has that is written as what makes it.
        depths: how many operators after one another are written in the place of operands without a name, or, where that is too
            long, how many then.
        unnamed: how many operands may have neither.
        unnamed_within: and how many within one operand.
    """

    longest: int
    within: int
    depths: tuple[int, ...]
    unnamed: int
    unnamed_within: int


#: Of one operator in a box of its own, and of several that share a box.
ONE, SEVERAL = Limits(48, 28, (3, 0), 2, 1), Limits(72, 60, (7, 6, 5, 4, 3, 2, 1, 0), 3, 3)


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
        limits: how much a formula says.
        through: the nodes that are written in the place of what they make even where that has a name.
        only: the nodes that may be written in the place of what they make; None for all.
        never: those that may not.
    """

    def __init__(
        self,
        names: TensorNames,
        limits: Limits = ONE,
        through: Collection[Node] = (),
        only: Collection[Node] | None = None,
        never: Collection[Node] = (),
    ) -> None:
        self._names = names
        self._limits = limits
        self._through = through
        self._only = only
        self._never = never

    def of(self, node: Node) -> Said:
        """Return a short formula of a node, with the name of what it makes; the name alone where no formula says it, and
        nothing where its operator's name says enough.
        """
        if len(node.outputs) > 1:
            return Said(self._pieces(node), False)
        return self._said(node)[0]

    def inlined(self, node: Node) -> list[Node]:
        """Return the nodes that the formula of a node writes in the place of what they make, readers before what they read."""
        said, depth = self._said(node)
        if LONG in said.text or depth == 0:
            return []
        found: dict[Node, int] = {}
        waiting = [(node, depth)]
        while waiting:
            reader, left = waiting.pop()
            for place, tensor in enumerate(reader.inputs):
                made = tensor.node if tensor is not None and left > 0 else None
                if tensor is None or made is None or isinstance(made.op, ConstantOfShape) or is_zero(made):
                    continue
                named = made not in self._through and self._names.seen_from(tensor, node)
                if not named and self._operand(tensor, reader, place, node, left) != UNNAMED:
                    found.setdefault(made, left)
                    waiting.append((made, left - 1))
        return list(found)

    def _said(self, node: Node) -> tuple[Said, int]:
        """Return the formula of a node, and how deep it goes; 0 where it says nothing of what makes its operands."""
        name = self._names.label(node.outputs[0])
        prefix = f"{name} = " if name else ""
        for depth in self._limits.depths:  # where it is too long, what has no name is left out
            text = self._applied(node, node, depth)
            if text is None:
                return Said(name, False), 0
            if not _names_something(text):
                return Said(name, True), 0
            if text.count(UNNAMED) <= self._limits.unnamed and len(prefix + text) <= self._limits.longest:
                return Said(prefix + text, True), depth
        return Said(f"{prefix}{LONG}" if name else "", False), 0

    def operand(self, node: Node, place: int) -> str:
        """Return what a node reads, as a formula; nothing where it names nothing."""
        text = self._operand(node.inputs[place], node, place, node, self._limits.depths[0])
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
        if isinstance(node.op, (ReduceMean, ReduceSum)):
            along = node.inputs[1].known if len(operands) > 1 and node.inputs[1] is not None else None
            last = along in ((-1,), (node.outputs[0].rank - 1,))
            return f"{_REDUCED[type(node.op)]}({operands[0]})" if last else None
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
        name = self._names.seen_from(tensor, reader) if tensor.node is None or tensor.node not in self._through else ""
        if name:
            return name
        if tensor.node is None or depth == 0 or len(tensor.node.outputs) > 1:
            return UNNAMED
        if tensor.node in self._never or (self._only is not None and tensor.node not in self._only):
            return UNNAMED
        inner = self._applied(tensor.node, reader, depth - 1)
        if inner is None or len(inner) > self._limits.within or inner.count(UNNAMED) > self._limits.unnamed_within:
            return UNNAMED
        return f"({inner})" if _needs_brackets(tensor.node.op.name, node.op.name, place) else inner


def in_two(text: str) -> list[str]:
    """Return a formula in one line, or a long one in two: the second begins with a sign, within as few brackets as can be."""
    if len(text) <= _ONE_LINE:
        return [text] if text else []
    depth, best, cost = 0, 0, float("inf")
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        sign = letter == " " and (text[place - 1] == "," or text[place + 1 : place + 3] in _SIGNS)
        found = _A_BRACKET * depth + abs(place - len(text) / 2)
        if sign and found < cost:
            best, cost = place, found
    return [text[:best], text[best + 1 :]] if best else [text]


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
    if inner == "Gemm" and outer == "Add":
        return False
    return _BINDS[inner] < _BINDS[outer] or (_BINDS[inner] == _BINDS[outer] and not (inner == outer in ("Add", "Mul")))
