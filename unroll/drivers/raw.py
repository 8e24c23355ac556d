"""The loop whose inputs a function makes on the way: TensorFlow 1's ``raw_rnn``, over a fixed number of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import nest, ops, scopes
from unroll.cells.base import RNNCellLike, State, check_size, check_state
from unroll.cells.contract import as_cell
from unroll.collection import paused
from unroll.drivers.checks import batch_of, cell_name, checked_result, main_input, state_dtype
from unroll.drivers.loop import kept
from unroll.dtypes import BOOL
from unroll.errors import ArgumentTypeError, StructureError
from unroll.tensor import Tensor, constant

#: ``(time, cell_output, cell_state, loop_state) -> (finished, next_input, next_state, emit_output, next_loop_state)``.
LoopFunction = Callable[[int, Any, State, Any], tuple[Any, Any, State, Any, Any]]


def raw_rnn(
    cell: RNNCellLike, loop_fn: LoopFunction, maximum_iterations: int, scope: str | None = None
) -> tuple[list[Any], State, Any]:
    """Trace `cell` for a fixed number of steps whose inputs `loop_fn` makes, as TensorFlow 1's ``raw_rnn``.

    This is what a decoder needs, whose input is its own last output.

    Args:
        cell: the cell, called once a step; of TensorFlow's contract or Keras's.
        loop_fn: called before each step and after the last one, with the time (a Python int, 0 first), the cell's last
            output and state (None at first) and the loop state it returned before (None at first). It returns

            - finished: bool ``(batch,)``, or a Python bool for all rows: from here on these rows are done;
            - the input of the next step;
            - the state for the next step; at time 0 this is the initial state;
            - what to emit for the step just done (None for the cell's output); what it returns at time 0 is not emitted;
            - the next loop state, a nest of tensors or anything else, or None.
        maximum_iterations: the number of steps; TensorFlow runs until all rows are done.
        scope: the scope of variables and nodes; ``rnn`` by default.

    Returns:
        What was emitted, one a step, zero for rows that are done; the last state of each row; the loop state of when the
        last row was done.

    Raises:
        StructureError: `loop_fn` does not return five things, or a state not built as ``cell.state_size``.
        ShapeError, DTypeError: what it returns does not fit the cell.
    """
    what = "raw_rnn"
    cell = as_cell(cell, what)
    steps = check_size(maximum_iterations, f"{what}: maximum_iterations")
    if not callable(loop_fn):
        raise ArgumentTypeError(f"{what}: loop_fn {loop_fn!r} is not callable")
    emitted = []
    with paused(), scopes.scope(scope or "rnn"):
        finished, inputs, state, _, loop_state = _asked(loop_fn, 0, None, None, None)
        done = _as_mark(finished)
        for step in range(steps):
            first = main_input(inputs)
            with scopes.at_step(step):
                check_state(
                    f"{what}: the state for step {step}",
                    cell.state_size,
                    state,
                    batch_of(first),
                    state_dtype(first, None),
                )
                output, new_state = checked_result(cell, cell(inputs, state), step)
                finished, inputs, next_state, emit, next_loop = _asked(loop_fn, step + 1, output, new_state, loop_state)
                going = ops.logical_not(done)
                name = cell_name(cell)
                nest.check_same_structure(cell.state_size, next_state, f"{what}: {name}: the state for step {step + 1}")
                emit = output if emit is None else emit
                emitted.append(kept(going, emit, None))
                state = kept(going, next_state, state)
                loop_state = _advanced(going, next_loop, loop_state)
                done = ops.logical_or(done, _as_mark(finished))
    return emitted, state, loop_state


def _asked(loop_fn: LoopFunction, time: int, output: Any, state: State, loop_state: Any) -> tuple[Any, ...]:
    result = loop_fn(time, output, state, loop_state)
    if not isinstance(result, tuple) or len(result) != 5:
        raise StructureError(
            f"raw_rnn: loop_fn returned {nest.sketch(result)} at time {time}; (finished, next_input, next_state, "
            "emit_output, next_loop_state) is wanted"
        )
    return result


def _as_mark(finished: Any) -> Tensor:
    mark = finished if isinstance(finished, Tensor) else constant(finished, "bool")
    if mark.dtype != BOOL:
        raise ArgumentTypeError(f"raw_rnn: finished is {mark.described()}; booleans are wanted")
    return mark


def _advanced(going: Tensor, new: Any, old: Any) -> Any:
    """Return the next loop state, the old one for None; its tensors stay what they were once every row is done."""
    if new is None:
        return old
    leaves = nest.flatten(new)
    if old is None or not all(isinstance(leaf, Tensor) for leaf in leaves):
        return new
    any_going = ops.cast(ops.reduce_max(ops.cast(going, "int32")), "bool")
    return nest.map_leaves(lambda ahead, behind: ops.where(any_going, ahead, behind), new, old)
