"""Formulas in which every operand is known, so that its number can be put in its place."""

from __future__ import annotations

from collections.abc import Container
from typing import TypeAlias

from unroll.tensor import Constant, Node, Tensor
from unroll.viz.node_formulas import LONG, UNNAMED, Formulas
from unroll.viz.tensor_names import TensorNames

#: A piece of a formula: text, or the tensor that stands there.
Piece: TypeAlias = "str | Tensor"

# Operands are marked by characters that no name holds and no formula writes.
_FIRST, _LAST = 0xE000, 0xF8FF


class OperandFormulas:
    """Writes formulas of nodes in pieces.

    Args:
        names: what the tensors of the graph are called.
    """

    def __init__(self, names: TensorNames) -> None:
        self._marks = _Marks(names)
        self._formulas = Formulas(self._marks)

    def of(self, node: Node, sources: Container[Tensor]) -> list[Piece]:
        """Return what a node computes; nothing where no formula says it, or leaves out an operand.

        Args:
            node: the node.
            sources: tensors that have a name where it is read.
        """
        self._marks.marked.clear()
        self._marks.sources = sources
        text = self._formulas.of(node) if len(node.outputs) == 1 else ""
        return [] if UNNAMED in text or LONG in text else self._pieces(text)

    def _pieces(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        for char in text:
            tensor = self._marks.marked.get(char)
            if tensor is not None:
                pieces.append(tensor)
            elif pieces and isinstance(pieces[-1], str):
                pieces[-1] += char
            else:
                pieces.append(char)
        return pieces


class _Marks(TensorNames):
    """Calls each tensor that has a name by one character of its own."""

    def __init__(self, names: TensorNames) -> None:
        self._named = names
        self.marked: dict[str, Tensor] = {}
        self.sources: Container[Tensor] = ()

    def label(self, tensor: Tensor) -> str:
        return ""

    def seen_from(self, tensor: Tensor, reader: Node) -> str:
        if isinstance(tensor, Constant) or (tensor not in self.sources and not self._named.seen_from(tensor, reader)):
            return ""
        mark = chr(_FIRST + len(self.marked))
        if _FIRST + len(self.marked) > _LAST:
            return ""
        self.marked[mark] = tensor
        return mark
