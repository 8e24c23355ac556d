"""The driver over the time axis of one tensor: TensorFlow 1's ``dynamic_rnn``, unrolled or as a loop."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import scopes
from unroll.arguments import checked
from unroll.cells.contract import as_cell
from unroll.cells.rnn_cell import RNNCellLike, State
from unroll.drivers.steps import ListedSteps, Steps, steps_of
from unroll.drivers.structure_checks import checked_steps, main_input
from unroll.drivers.valid_rows import Valid, lengths_over
from unroll.drivers.walk import walk
from unroll.errors import ShapeError
from unroll.garbage_collection import collector_paused
from unroll.tensor import Tensor


@checked()
def dynamic_rnn(
    cell: RNNCellLike,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: State = None,
    dtype: npt.DTypeLike | None = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: str | None = None,
    *,
    rolled: bool = False,
) -> tuple[Any, State]:
    """Trace `cell` over the time axis of one tensor, with TensorFlow 1's ``dynamic_rnn`` signature.

    A time that is a number is unrolled. Where it is not known, or with `rolled`, which TensorFlow does not have, one step is
    traced, as the body of a loop over time (a Scan, as TensorFlow's own is a while loop): one graph for every length from 1
    on, and tracing takes no longer for 100,000 steps than for one. Exported with ``form="rerolled"`` or ``"auto"`` the loop
    becomes LSTM, GRU or RNN operators where the cell is one. Nothing can be fetched from within a step, and pictures show
    the loop as one node.

    Args:
        cell: the cell, called once a step and sharing its weights; of TensorFlow's contract or Keras's.
        inputs: ``(batch, time, features)``, or ``(time, batch, features)`` if `time_major`; or a nest of such tensors.
        sequence_length: as `unroll.static_rnn`.
        initial_state: the state before step 0, a nest as ``cell.state_size``; zeros by default.
        dtype: the dtype of the zero state; that of the inputs by default.
        parallel_iterations: how TensorFlow schedules its loop; a step waits for the one before it here, so it has
            nothing to act on.
        swap_memory: likewise.
        time_major: time is axis 0 of inputs and outputs instead of axis 1.
        scope: the scope of variables and nodes; ``rnn`` by default.
        rolled: trace one step as the body of a loop, where the time is known too.

    Returns:
        The outputs, stacked on the time axis, and the last state.

    Raises:
        ShapeError: the rank is below 3, or tensors differ in time; and as `unroll.static_rnn`.

    Example:
        >>> x = unroll.placeholder([None, 7, 28], name="x")
        >>> outputs, state = unroll.dynamic_rnn(unroll.GRUCell(13), x)
        >>> outputs.shape, state.shape
        ((batch, 7, 13), (batch, 13))
        >>> x = unroll.placeholder([None, "time", 28], name="x")  # of any length
        >>> outputs, state = unroll.dynamic_rnn(unroll.GRUCell(13), x, scope="any")
        >>> outputs.shape, state.shape
        ((batch, time, 13), (batch, 13))
    """
    cell = as_cell(cell, "dynamic_rnn")
    axis = 0 if time_major else 1
    with collector_paused(), scopes.scope(scope or "rnn"):
        steps = sequence_steps(inputs, axis, "dynamic_rnn", rolled)
        valid = valid_rows(sequence_length, inputs, steps, axis, "dynamic_rnn")
        walked = walk(cell, steps, initial_state, valid=valid, dtype=dtype, what="dynamic_rnn")
        return walked.outputs.joined(axis), walked.state


def sequence_steps(inputs: Any, axis: int, what: str, rolled: bool) -> Steps:
    """Return the steps of the inputs of a whole sequence, checked; see `unroll.drivers.steps.steps_of`."""
    check_not_steps(inputs, what)
    steps = steps_of(inputs, axis, what, rolled=rolled)
    if isinstance(steps, ListedSteps):
        checked_steps(steps.items)
    return steps


def valid_rows(sequence_length: Any, inputs: Any, steps: Steps, axis: int, what: str) -> Valid | None:
    """Return at which steps each row is valid; None where no lengths are given."""
    if sequence_length is None:
        return None
    return lengths_over(sequence_length, steps, (main_input(inputs).shape[1 - axis],), what)


def check_not_steps(inputs: Any, what: str) -> None:
    """Check that inputs are not a list of steps.

    Raises:
        ShapeError: they are.
    """
    if isinstance(inputs, list) and all(isinstance(item, Tensor) and item.rank < 3 for item in inputs):
        raise ShapeError(
            f"{what}: inputs are a list of steps, one tensor (batch, time, features) is wanted; for a list use static_rnn"
        )
