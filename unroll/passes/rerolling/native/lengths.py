"""Steps that count for some rows only: ``where(step < length, new, old)`` in place of each new state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unroll.ops.choices import Greater, Less, Where
from unroll.ops.shaping import Unsqueeze
from unroll.passes.rerolling.finding import Column, Inner, Input, Recurrence, Source, State, View
from unroll.passes.rerolling.native.normal_form import UnmatchedError
from unroll.tensor import Constant, Node, Tensor


@dataclass(frozen=True)
class Masked:
    """A recurrence whose states are kept back past the length of each row.

    Attributes:
        heads: the new states before they are kept back; without a mask, the states themselves.
        lengths: the lengths ``(batch,)``, or one for all ``(1,)``; None without a mask.
        backward: whether the steps run from the last position to the first.
        condition: the number of the input that says which rows count.
    """

    heads: tuple[Inner, ...]
    lengths: Tensor | None = None
    backward: bool = False
    condition: int | None = None


def masked(view: View, recurrence: Recurrence) -> Masked:
    """Return how the states of a recurrence are kept back.

    Raises:
        UnmatchedError: they are, but not by lengths.
    """
    states, parts = recurrence.pattern.states, recurrence.pattern.parts
    kept = [isinstance(parts[inner.place].example.op, Where) for inner in states]
    if not any(kept):
        return Masked(states)
    name = view.graph.name(parts[states[kept.index(True)].place].example)
    sources = [parts[inner.place].sources for inner in states]
    conditions = {source[0] for source in sources}
    if not all(kept) or len(conditions) != 1 or any(source[2] != State(k) for k, source in enumerate(sources)):
        raise UnmatchedError(f"{name}: the states are not all kept back by one mask")
    (condition,) = conditions
    heads = [source[1] for source in sources]
    if not isinstance(condition, Input) or not all(isinstance(head, Inner) for head in heads):
        raise UnmatchedError(f"{name}: a mask that depends on the state")
    lengths, order = _lengths(view, recurrence.input(condition.number), name)
    if order not in (list(range(len(order))), list(range(len(order)))[::-1]):
        raise UnmatchedError(f"{name}: the steps are not counted from 0")
    return Masked(_inner(heads), lengths, len(order) > 1 and order[0] > order[-1], condition.number)


def _inner(sources: list[Source]) -> tuple[Inner, ...]:
    return tuple(source for source in sources if isinstance(source, Inner))


def _lengths(view: View, column: Column, name: str) -> tuple[Tensor, list[int]]:
    """Return the lengths that the number of each step is compared with, and the numbers."""
    fixed = [tensor for tensor in column if isinstance(tensor, Constant) and tensor.shape[1:] == (1,)]
    if len(fixed) == len(column):
        return _counted(fixed, name)
    found: Tensor | None = None
    numbers = []
    for tensor in column:
        number, lengths = _compared(view, tensor) if tensor.rank == 2 and tensor.shape[1] == 1 else (None, None)
        if number is None or lengths is None or found not in (None, lengths):
            raise UnmatchedError(f"{name}: a mask that is not the number of the step against lengths")
        if number.dtype.kind != "i":
            raise UnmatchedError(
                f"{name}: steps are counted in {number.dtype}; the operators take whole lengths, of int32"
            )
        found = lengths
        numbers.append(int(number.value.item()))
    if found is None:
        raise UnmatchedError(f"{name}: a mask of nothing")
    return found, numbers


def _counted(masks: Sequence[Constant], name: str) -> tuple[Tensor, list[int]]:
    """Return the lengths that masks of every step amount to, and the numbers of the steps.

    Raises:
        UnmatchedError: a row skips a step and goes on.
    """
    rows = np.stack([mask.value[:, 0] for mask in masks])
    numbers = list(range(len(rows)))
    for order in (numbers, numbers[::-1]):
        if (rows[order][:-1] >= rows[order][1:]).all():
            return Constant(rows.sum(axis=0, dtype=np.int32)), order
    raise UnmatchedError(f"{name}: a mask that skips steps, after which rows go on")


def _compared(view: View, tensor: Tensor) -> tuple[Constant | None, Tensor | None]:
    """Return the number and the lengths ``(batch,)`` of ``number < lengths``, where either may be unsqueezed."""
    compared = _narrow(view, tensor)
    node = compared.node
    one, two = view.inputs[node][:2] if node is not None and isinstance(node.op, (Less, Greater)) else (None, None)
    number, lengths = (one, two) if node is not None and isinstance(node.op, Less) else (two, one)
    if not isinstance(number, Constant) or number.value.size != 1 or number.rank > compared.rank or lengths is None:
        return None, None
    lengths = _narrow(view, lengths)
    return (number, lengths) if lengths.rank == 1 else (None, None)


def _narrow(view: View, tensor: Tensor) -> Tensor:
    """Return what was unsqueezed to a column ``(batch, 1)``."""
    node = tensor.node
    if node is None or not isinstance(node.op, Unsqueeze):
        return tensor
    source, axes = view.inputs[node][:2]
    column = source is not None and source.rank == 1 and axes is not None and axes.known in ((1,), (-1,))
    return source if column and source is not None else tensor


def zeroed(view: View, node: Node, condition: Tensor, value: Tensor) -> bool:
    """Say whether a node gives a step's value where it counts and zeros where it does not."""
    if not isinstance(node.op, Where) or node.outputs[0].shape != value.shape:
        return False
    seen, new, past = view.inputs[node]
    return seen is condition and new is value and past is not None and view.is_zero(past)
