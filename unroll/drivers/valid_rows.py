"""Which rows are valid at which step: masks, lengths, and what becomes of the other rows."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from unroll import nest, ops, scopes
from unroll.cells.rnn_cell import agreed
from unroll.dimensions import Condition, Dim, Least, Limit, Requirement, Shape, is_never_zero, shape_text
from unroll.drivers.steps import ListedSteps, RolledSteps, Steps, cut, swapped
from unroll.dtypes import BOOL, INT64, cast_array
from unroll.errors import ArgumentError, DTypeError, ShapeError
from unroll.ops.functions import Identity
from unroll.ops.operator import apply_one
from unroll.ops.shaping import Unsqueeze
from unroll.tensor import Constant, Placeholder, Tensor, constant, named

#: The output of a row at a step that is not valid for it: zeros (TensorFlow), or its last output again (Keras).
Past = Literal["zero", "previous"]


class Rows:
    """Which rows go on at a step.

    Args:
        valid: booleans ``(batch,)`` or, as a column, ``(batch, 1)``; a scalar without a batch.
    """

    def __init__(self, valid: Tensor) -> None:
        self._by_rank = {valid.rank: valid}
        self._valid = valid

    def kept(self, new: Any, old: Any) -> Any:
        """Return the nest `new` in the rows that go on, and `old` (zeros where None) in the others."""
        if old is None:
            return nest.map_leaves(lambda ahead: self._chosen(ahead, 0), new)
        return nest.map_leaves(self._chosen, new, old)

    def _chosen(self, new: Tensor, old: Tensor | int) -> Tensor:
        if new is old:
            return new
        valid = self._of_rank(new.rank)
        with scopes.beside(new.node.origin if new.node is not None else None):
            return named(ops.where(valid, new, old), f"{new.hint or 'state'}_kept")

    def _of_rank(self, rank: int) -> Tensor:
        """Return the booleans as they broadcast with tensors of this rank."""
        if self._valid.rank == 0:
            return self._valid
        if rank not in self._by_rank:
            valid = self._valid
            wide = ops.squeeze(valid, [1]) if rank == 1 else ops.unsqueeze(valid, list(range(valid.rank, rank)))
            self._by_rank[rank] = named(wide, "valid")
        return self._by_rank[rank]


class RolledLengths(NamedTuple):
    """The length of each row, for a loop.

    Attributes:
        column: the lengths, ``(batch, 1)``; a scalar without a batch.
        numbers: the number of each step, ``(time,)``.
    """

    column: Tensor
    numbers: Tensor


#: A column of booleans ``(batch, 1)`` a step (a scalar without a batch), true where a row is valid; or the lengths that say so.
Valid = Steps | RolledLengths


def mask_over(mask: Any, steps: Steps, batch: Shape, axis: int, what: str) -> Steps:
    """Return the steps of a mask ``(batch, time)`` of booleans: one column ``(batch, 1)`` each, true where a row is valid.

    Args:
        mask: a tensor, or an array of booleans.
        steps: what it masks.
        batch: the batch axis of the inputs, as a shape.
        axis: where the time is in `mask`: 1, or 0 for ``(time, batch)``.
        what: who asks, for messages.

    Raises:
        DTypeError: not booleans.
        ShapeError: another rank or size.
    """
    tensor = mask if isinstance(mask, Tensor) else constant(mask)
    if tensor.dtype != BOOL:
        raise DTypeError(
            f"{what}: the mask {tensor.described()} must be of dtype bool, true where a step is valid; "
            "convert it with unroll.ops.cast(mask, 'bool')"
        )
    wanted = (*batch, steps.time) if axis == 1 or not batch else (steps.time, *batch)
    tensor = agreed(tensor, wanted, f"{what}: the mask")
    if tensor.shape != wanted:
        raise ShapeError(f"{what}: the mask {tensor.described()} was given, shape {shape_text(wanted)} is wanted")
    if isinstance(steps, RolledSteps):
        rows = swapped(tensor, axis if batch else 0, "mask")
        return RolledSteps(named(ops.unsqueeze(rows, [-1]), "mask") if batch else rows, steps.time)
    if not batch:
        return ListedSteps(cut(tensor, len(steps.items), 0, "mask"))
    return ListedSteps(ops.split(tensor if axis == 1 else ops.transpose(tensor), len(steps.items), 1))


def lengths_over(lengths: Any, steps: Steps, batch: Shape, what: str, argument: str = "sequence_length") -> Valid:
    """Return at which steps each row is valid, from the length of each; see `length_column` for arguments and errors."""
    if isinstance(steps, ListedSteps):
        return ListedSteps(length_steps(lengths, len(steps.items), batch, what, argument))
    column = length_column(lengths, steps.time, batch, what, argument)
    if isinstance(steps.time, int):
        return RolledLengths(column, constant(np.arange(steps.time, dtype=column.dtype), name="steps"))
    time = ops.squeeze(ops.shape(nest.flatten(steps.whole)[0])[:1], [0])
    numbers = ops.range(0, time)
    return RolledLengths(column, named(numbers if column.dtype == INT64 else ops.cast(numbers, column.dtype), "steps"))


def length_steps(lengths: Any, time: int, batch: Shape, what: str, argument: str = "sequence_length") -> list[Tensor]:
    """Turn the length of each row into one column ``(batch, 1)`` of booleans a step, true where the row reaches that far.

    See `length_column` for the arguments and the errors.
    """
    column = length_column(lengths, time, batch, what, argument)
    valid = []
    for step in range(time):
        with scopes.at_step(step):
            valid.append(named(ops.less(constant(np.array(step, column.dtype)), column), "valid"))
    return valid


def length_column(lengths: Any, time: Dim, batch: Shape, what: str, argument: str = "sequence_length") -> Tensor:
    """Return the length of each row as a column ``(batch, 1)``, checked; without a batch, as a scalar.

    Args:
        lengths: an int32 or int64 tensor ``(batch,)`` (a scalar without a batch), or a list of ints. The values of a
            placeholder are checked when it is fed; those of a list or constant now, or when a run says the time.
        time: how many steps there are.
        batch: the batch axis of the inputs, as a shape.
        what: who asks, for messages.
        argument: what the asker calls `lengths`.

    Raises:
        DTypeError: not integers.
        ShapeError: not one length a row.
        ArgumentError: a length below 0 or beyond `time`.
    """
    if isinstance(lengths, Tensor):
        tensor = lengths
    else:
        tensor = constant(np.array(cast_array(lengths, INT64, f"{what}: {argument}")), name=argument)
    if tensor.dtype.kind != "i":
        raise DTypeError(f"{what}: {argument} {tensor.described()} must be of dtype int32 or int64")
    if tensor.rank != len(batch) or any(is_never_zero(a - b) for a, b in zip(tensor.shape, batch, strict=True)):
        raise ShapeError(
            f"{what}: {argument} {tensor.described()} was given, shape {shape_text(batch)} is wanted: one length a row"
        )
    needs: list[Condition] = [
        Requirement(rows, count, f"{what}: one length a row")
        for rows, count in zip(batch, tensor.shape, strict=True)
        if rows != count
    ]
    if isinstance(tensor, Placeholder):
        needs.append(Limit(tensor.name, 0, time, f"{what}: {argument}"))
    if isinstance(tensor, Constant) and tensor.value.size:
        longest = int(tensor.value.max())
        if tensor.value.min() < 0 or (isinstance(time, int) and longest > time):
            raise ArgumentError(
                f"{what}: {argument} {tensor.value.tolist()} holds a length outside 0 to {time}, the number of steps"
            )
        if not isinstance(time, int):
            needs.append(Least(time, longest, f"{what}: {argument} holds {longest}"))
    if not batch:
        return apply_one(Identity(), tensor, requirements=needs)
    column = apply_one(Unsqueeze(), tensor, [1], requirements=needs)
    column.take_shape((*batch, 1))  # which the number of lengths is required to be
    return column
