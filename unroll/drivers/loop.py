"""The loop of a cell over a list of steps: one call of the cell a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.cells.contract import call_step, cell_name
from unroll.cells.rnn_cell import RNNCellLike, State, agreed_state, batch_of, check_state, initial_state
from unroll.dimensions import Dim, Dimension
from unroll.drivers.structure_checks import checked_result, main_input, state_dtype
from unroll.drivers.valid_rows import Past, Rows
from unroll.dtypes import DType
from unroll.tensor import Tensor


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


def _zero_state(cell: RNNCellLike, first: Tensor, dtype: DType, step: int) -> State:
    batch: Dim | Tensor | None = next(iter(batch_of(first)), None)
    with scopes.at_step(step):
        if isinstance(batch, Dimension):
            with scopes.beside_steps("zero_state"):
                batch = ops.shape(first)[:1]
        return initial_state(cell, batch, dtype)
