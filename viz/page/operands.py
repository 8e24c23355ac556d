"""Formulas in which every operand is known, so that its number can be put in its place."""

from __future__ import annotations

from collections.abc import Container
from typing import ClassVar, TypeAlias

from unroll.tensor import Constant, Node, Tensor
from unroll.viz.dot_text import SIGMA
from unroll.viz.explaining.cutting import Cutting
from unroll.viz.explaining.operators import term_of
from unroll.viz.explaining.terms import Call, Joined, Name, Number, Region, Symbol, Term
from unroll.viz.explaining.writing import Text, is_short
from unroll.viz.zero_states import is_zero

#: A piece of a formula: text, or the tensor that stands there.
Piece: TypeAlias = "str | Tensor"

# Operands are marked by characters that no name holds and no formula writes.
_FIRST, _LAST = 0xE000, 0xF8FF
# A formula has no more characters than this, an operand counted as one, and goes no more operators back.
_LONGEST, _DEEPEST = 26, 3
_MOST_JOINED = 3


class OperandFormulas:
    """Writes formulas of nodes in pieces, as `unroll.explain` writes them."""

    def __init__(self) -> None:
        self._cutting = Cutting(_unnamed)
        self._marked: dict[str, Tensor] = {}

    def of(self, node: Node, known: Container[Tensor]) -> list[Piece]:
        """Return what a node computes; nothing where no formula says it, or an operand has no name.

        Args:
            node: the node.
            known: tensors that have a name where it is read.
        """
        self._marked = {}
        term = self._term(node, known, _DEEPEST)
        text = "" if term is None else _WRITER.term(term)
        return self._pieces(text) if len(text) <= _LONGEST else []

    def _term(self, node: Node, known: Container[Tensor], depth: int) -> Term | None:
        if len(node.outputs) > 1:
            return None
        operands = [None if tensor is None else self._operand(tensor, known, depth) for tensor in node.inputs]
        if any(term is None for tensor, term in zip(node.inputs, operands, strict=True) if tensor is not None):
            return None
        if all(term is None for term in operands):
            return None
        term = term_of(node, operands, self._cutting)
        return term if _is_said(term) else None

    def _operand(self, tensor: Tensor, known: Container[Tensor], depth: int) -> Term | None:
        if isinstance(tensor, Constant):
            return Number(tensor.shape, None, tensor.value) if is_short(tensor.value) else None
        if tensor in known:
            mark = chr(min(_FIRST + len(self._marked), _LAST))
            self._marked[mark] = tensor
            return Name(tensor.shape, None, Symbol(mark))
        if tensor.node is None or depth == 0:
            return None
        if is_zero(tensor.node):
            return Number((), None, tensor.dtype.type(0))
        return self._term(tensor.node, known, depth - 1)

    def _pieces(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        for char in text:
            tensor = self._marked.get(char)
            if tensor is not None:
                pieces.append(tensor)
            elif pieces and isinstance(pieces[-1], str):
                pieces[-1] += char
            else:
                pieces.append(char)
        return pieces


class _Short(Text):
    """Text with the signs that people write by hand."""

    _functions: ClassVar = {"sigmoid": SIGMA, "hard_sigmoid": f"hard {SIGMA}", "leaky_relu": "leaky relu"}

    def symbol(self, symbol: Symbol) -> str:
        return symbol.base

    def call(self, function: str, inside: str) -> str:
        return super().call(self._functions.get(function, function), inside)


_WRITER = _Short()


def _unnamed(region: Region, turned: bool) -> Symbol:
    """Blocks of weights have no names here: a weight is one operand."""
    return Symbol(region.parameter.name)


def _is_said(term: Term) -> bool:
    """Say whether people read a term as what it is: signs and functions of elements, and a few operands side by side."""
    if isinstance(term, Call):
        return (term.by_element or term.function == "softmax") and not term.settings
    return not isinstance(term, Joined) or len(term.inner) <= _MOST_JOINED
