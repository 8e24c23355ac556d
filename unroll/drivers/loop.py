"""The one loop of a cell over timesteps, with its masks and its time axis, that every driver and layer uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.cells.contract import call_step, cell_name
from unroll.cells.rnn_cell import RNNCellLike, State, agreed, agreed_state, batch_of, check_state, initial_state
from unroll.dimensions import Dim, Dimension, Limit, Requirement, Shape, is_never_zero, shape_text
from unroll.drivers.structure_checks import checked_result, known_time, main_input, state_dtype
from unroll.dtypes import BOOL, INT64, DType, cast_array
from unroll.errors import ArgumentError, DTypeError, ShapeError
from unroll.ops.functions import Identity
from unroll.ops.operator import apply_one
from unroll.ops.shaping import Unsqueeze
from unroll.tensor import Placeholder, Tensor, constant, named

#: The output of a row at a step that is not valid for it: zeros (TensorFlow), or its last output again (Keras).
Past = Literal["zero", "previous"]


def run_cell(
    cell: RNNCellLike,
    steps: Sequence[Any],
    state: State = None,
    *,
    valid: Sequence[Tensor] | None = None,
    past: Past = "zero",
    backward: bool = False,
    dtype: npt.DTypeLike | None = None,
    what: str = "",
) -> tuple[list[Any], State]:
    """Call `cell` on each step, handing its state on; the caller has entered the scope.

    Args:
        cell: the cell, under TensorFlow's contract.
        steps: the inputs of each step, alike and checked.
        state: the state before the first step called, a nest as ``cell.state_size``; zeros by default.
        valid: a column of booleans ``(batch, 1)`` a step (a scalar without a batch), as `mask_steps` and `length_steps`
            make them; where it is False the state is carried past the step as it was.
        past: what the output is there.
        backward: walk from the last step to the first. A row whose last steps are not valid then starts at its own end.
        dtype: the dtype of the zero state; that of the inputs by default.
        what: who asks, for messages.

    Returns:
        The outputs in the order of `steps`, and the last state.

    Raises:
        StructureError, ShapeError, DTypeError: a state or output, given or returned, is not as the cell says.
    """
    first = main_input(steps[0], dtype)
    kind, batch = state_dtype(first, dtype), batch_of(first)
    order = range(len(steps))[:: -1 if backward else 1]
    if state is None:
        state = _zero_state(cell, first, kind, order[0])
    state = nest.coerced(cell.state_size, state)
    where = f"{what}: initial_state" if what else "initial_state"
    with scopes.beside_steps("initial_state"):
        state = agreed_state(where, cell.state_size, state, batch)
    check_state(where, cell.state_size, state, batch, kind)
    outputs: dict[int, Any] = {}
    last: Any = None
    for step in order:
        with scopes.at_step(step):
            result = call_step(cell, steps[step], state, batch, kind)
            last_state = state
            output, state = checked_result(cell, result, step, batch)
            check_state(f"{cell_name(cell)} at step {step}: the new state", cell.state_size, state, batch, kind)
            if valid is not None:
                rows = Rows(valid[step])
                state = rows.kept(state, last_state)
                output = rows.kept(output, last if past == "previous" else None)
        outputs[step] = last = output
    return [outputs[step] for step in range(len(steps))], state


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


def _zero_state(cell: RNNCellLike, first: Tensor, dtype: DType, step: int) -> State:
    batch: Dim | Tensor | None = next(iter(batch_of(first)), None)
    with scopes.at_step(step):
        if isinstance(batch, Dimension):
            with scopes.beside_steps("zero_state"):
                batch = ops.shape(first)[:1]
        return initial_state(cell, batch, dtype)


# -- the time axis ----------------------------------------------------------------------------------------------------


def steps_of(inputs: Any, axis: int, what: str, batched: bool = True) -> list[Any]:
    """Cut ``(batch, time, ...)`` tensors, or a nest of them, into one step each.

    Args:
        inputs: the tensors; integers (ids) may be ``(batch, time)``.
        axis: where the time is: 1, or 0 for ``(time, batch, ...)``.
        what: who asks, for messages.
        batched: whether there is a batch axis.

    Raises:
        ShapeError: the time is not known, differs from tensor to tensor, or is missing.
    """
    time = known_time(nest.flatten(inputs), axis, what, batched)
    pieces = [_cut(tensor, time, axis, "x") for tensor in nest.flatten(inputs)]
    return [nest.pack(inputs, [piece[step] for piece in pieces]) for step in range(time)]


def _cut(tensor: Tensor, time: int, axis: int, hint: str) -> list[Tensor]:
    cut = []
    for step, piece in enumerate(ops.split(tensor, time, axis)):
        with scopes.at_step(step):
            cut.append(named(ops.squeeze(piece, [axis]), hint))
    return cut


def joined(outputs: Sequence[Any], axis: int) -> Any:
    """Stack the outputs of all steps, tensors or nests alike, on a time axis."""
    return nest.map_leaves(lambda *parts: _stacked(parts, axis), *outputs)


def _stacked(parts: Sequence[Tensor], axis: int) -> Tensor:
    wide = []
    for step, part in enumerate(parts):
        with scopes.at_step(step):
            wide.append(ops.unsqueeze(part, [axis]))
    return named(ops.concat(wide, axis), "outputs")


# -- which rows are valid at which step -------------------------------------------------------------------------------


def mask_steps(mask: Any, time: int, batch: Shape, axis: int, what: str) -> list[Tensor]:
    """Cut a mask ``(batch, time)`` of booleans into one column ``(batch, 1)`` a step, true where a row is valid.

    Args:
        mask: a tensor, or an array of booleans.
        time: how many steps there are.
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
    wanted = (*batch, time) if axis == 1 or not batch else (time, *batch)
    tensor = agreed(tensor, wanted, f"{what}: the mask")
    if tensor.shape != wanted:
        raise ShapeError(f"{what}: the mask {tensor.described()} was given, shape {shape_text(wanted)} is wanted")
    if not batch:
        return _cut(tensor, time, 0, "mask")
    return list(ops.split(tensor if axis == 1 else ops.transpose(tensor), time, 1))


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


def length_column(lengths: Any, time: int, batch: Shape, what: str, argument: str = "sequence_length") -> Tensor:
    """Return the length of each row as a column ``(batch, 1)``, checked; without a batch, as a scalar.

    Args:
        lengths: an int32 or int64 tensor ``(batch,)`` (a scalar without a batch), or a list of ints. The values of a
            placeholder are checked when it is fed.
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
        array = np.array(cast_array(lengths, INT64, f"{what}: {argument}"))
        if array.size and not (array.min() >= 0 and array.max() <= time):
            raise ArgumentError(
                f"{what}: {argument} {array.tolist()} holds a length outside 0 to {time}, the number of steps"
            )
        tensor = constant(array, name=argument)
    if tensor.dtype.kind != "i":
        raise DTypeError(f"{what}: {argument} {tensor.described()} must be of dtype int32 or int64")
    if tensor.rank != len(batch) or any(is_never_zero(a - b) for a, b in zip(tensor.shape, batch, strict=True)):
        raise ShapeError(
            f"{what}: {argument} {tensor.described()} was given, shape {shape_text(batch)} is wanted: one length a row"
        )
    needs: list[Requirement | Limit] = [
        Requirement(rows, count, f"{what}: one length a row")
        for rows, count in zip(batch, tensor.shape, strict=True)
        if rows != count
    ]
    if isinstance(tensor, Placeholder):
        needs.append(Limit(tensor.name, 0, time, f"{what}: {argument}"))
    if not batch:
        return apply_one(Identity(), tensor, requirements=needs)
    column = apply_one(Unsqueeze(), tensor, [1], requirements=needs)
    column.take_shape((*batch, 1))  # which the number of lengths is required to be
    return column
