"""Values in blocks of columns, such as the gates that one product gives: a form for each, and how they are cut and combined."""

from __future__ import annotations

from typing import TypeAlias

from unroll.ops.arithmetic import Add, Div, Mul, Sub
from unroll.ops.slicing import bounds_of
from unroll.passes.rerolling.native.normal_form import (
    CONSTANT,
    Activation,
    Atoms,
    Form,
    UnmatchedError,
    reweighed,
    scaled,
    total,
)
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor

#: A value cut along its last axis into blocks: the width and the form of each.
Value: TypeAlias = "list[tuple[int, Form]]"


class Blocks:
    """Cuts and combines the values of one pattern.

    Args:
        atoms: the atoms of its forms.
        weights: makes the parts of weights.
        cell: the scope that these parts come from.
    """

    def __init__(self, atoms: Atoms, weights: Weights, cell: str) -> None:
        self._atoms, self._weights, self._cell = atoms, weights, cell
        self._cuts: dict[tuple[int, int, int], Form] = {}

    def cut(self, value: Value, start: int, end: int) -> Value:
        """Return columns `start` to `end` of a value.

        Raises:
            UnmatchedError: what would be cut apart has no form in parts.
        """
        found, at = [], 0
        for size, form in value:
            low, high = max(start - at, 0), min(end - at, size)
            if low < high:
                found.append((high - low, form if high - low == size else self._form(form, low, high)))
            at += size
        return found

    def combined(self, op: Add | Sub | Mul | Div, left: Value, right: Value) -> Value:
        """Return the sum, difference, product or quotient of two values, block by block.

        Raises:
            UnmatchedError: it has no form.
        """
        ends = sorted({*_ends(left), *_ends(right)})
        found, start = [], 0
        for end in ends:
            one, two = only(self.cut(left, start, end)), only(self.cut(right, start, end))
            if isinstance(op, Mul):
                form = self._atoms.product(one, two)
            elif isinstance(op, Div):
                if set(two) != {CONSTANT}:
                    raise UnmatchedError("a division by what is no number" if two else "a division by 0")
                form = scaled(one, 1 / two[CONSTANT])
            else:
                form = total(one, two, -1.0 if isinstance(op, Sub) else 1.0)
            found.append((end - start, form))
            start = end
        return found

    def _form(self, form: Form, start: int, end: int) -> Form:
        """Return columns `start` to `end` of a form: those of its weights, and of what its activations are of."""

        def weight(tensor: Tensor) -> Tensor:
            return self._weights.cut(tensor, start, end, tensor.rank - 1, self._cell)

        def atom(number: int) -> Form:
            key = (number, start, end)
            if key not in self._cuts:
                found = self._atoms[number]
                if not isinstance(found, Activation):
                    raise UnmatchedError("a state or an input is cut apart")
                cut = self._form(found.form, start, end)
                self._cuts[key] = self._atoms.activated(found.name, found.parameters, cut)
            return self._cuts[key]

        return reweighed(form, weight, atom)


def width_of(tensor: Tensor) -> int:
    """Return how many columns a tensor has.

    Raises:
        UnmatchedError: that is not a known number.
    """
    width = tensor.shape[-1] if tensor.shape else None
    if not isinstance(width, int):
        raise UnmatchedError(f"{tensor.described()} has no known width")
    return width


def only(value: Value) -> Form:
    """Return the form of a value of one block.

    Raises:
        UnmatchedError: it has several.
    """
    if len(value) != 1:
        raise UnmatchedError("a state of several parts")
    return value[0][1]


def _ends(value: Value) -> list[int]:
    ends, at = [], 0
    for size, _ in value:
        at += size
        ends.append(at)
    return ends


def sliced_columns(node: Node, source: Tensor) -> tuple[int, int] | None:
    """Return the first column that a Slice takes and the one after the last; None where it takes less of another axis."""
    bounds = bounds_of(node)
    if bounds is None or node.outputs[0].shape[:-1] != source.shape[:-1]:
        return None
    first, last = bounds.get(
        source.rank - 1, (0, width_of(source))
    )  # along other axes all is taken, whatever it is called
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    start, end, _ = slice(first, last).indices(width_of(source))
    return start, end
