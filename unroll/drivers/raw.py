"""The loop whose inputs a function makes step by step: TensorFlow 1's ``raw_rnn``, over a fixed number of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import nest, ops, scopes
from unroll.arguments import checked
from unroll.cells.contract import as_cell, call_step
from unroll.cells.rnn_cell import RNNCellLike, State, batch_of, check_state
from unroll.checks import check_size
from unroll.dimensions import Shape, shape_text
from unroll.drivers.structure_checks import checked_result, main_input, state_dtype
from unroll.drivers.valid_rows import Rows
from unroll.dtypes import BOOL
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError, StructureError
from unroll.garbage_collection import collector_paused
from unroll.tensor import Tensor, constant

#: ``(time, cell_output, cell_state, loop_state) -> (finished, next_input, next_state, emit_output, next_loop_state)``.
LoopFunction = Callable[[int, Any, State, Any], tuple[Any, Any, State, Any, Any]]


@checked(advice={"rolled": "loop_fn makes each step by itself, so that every step is traced"})
def raw_rnn(
    cell: RNNCellLike,
    loop_fn: LoopFunction,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: str | None = None,
    *,
    maximum_iterations: int | None = None,
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
        parallel_iterations: nothing to act on, as in `unroll.dynamic_rnn`.
        swap_memory: likewise.
        scope: the scope of variables and nodes; ``rnn`` by default.
        maximum_iterations: the number of steps, which must be given: TensorFlow runs until all rows are done, and a
            graph has a fixed length.

    Returns:
        What was emitted, one a step, zero for rows that are done; the last state of each row; the loop state at the
        step where the last row was done.

    Raises:
        ArgumentError: `maximum_iterations` is left out or below 1, or `cell` is not a cell.
        ArgumentTypeError: `loop_fn` is not a function, `maximum_iterations` is not an int, or what `loop_fn` returns for an
            input or an output is not a tensor.
        StructureError: `loop_fn` does not return five things, or a state not built as ``cell.state_size``.
        ShapeError, DTypeError: what it returns does not fit the cell.

    Example:
        A decoder, whose input is its own last output:

        >>> start = unroll.placeholder([2, 4], name="start")
        >>> def loop(time, output, state, loop_state):
        ...     return False, start if output is None else output, start if state is None else state, None, None
        >>> outputs, state, _ = unroll.raw_rnn(unroll.GRUCell(4), loop, maximum_iterations=3)
        >>> [output.shape for output in outputs]
        [(2, 4), (2, 4), (2, 4)]
    """
    what = "raw_rnn"
    cell = as_cell(cell, what)
    if maximum_iterations is None:
        raise ArgumentError(f"{what}: say how many steps to unroll, at the most: maximum_iterations=20")
    steps = check_size(maximum_iterations, f"{what}: maximum_iterations")
    if not callable(loop_fn):
        raise ArgumentTypeError(f"{what}: loop_fn {loop_fn!r} is not callable")
    emitted: list[Any] = []
    with collector_paused(), scopes.scope(scope or "rnn"):
        finished, inputs, state, _, loop_state = _asked(loop_fn, 0, None, None, None)
        first = main_input(inputs)
        batch, dtype = batch_of(first), state_dtype(first, None)
        done = _as_mark(finished, batch, 0)
        check_state(f"{what}: the state for step 0", cell.state_size, state, batch, dtype)
        for step in range(steps):
            with scopes.at_step(step):
                result = call_step(cell, inputs, state, batch, dtype)
                output, new_state = checked_result(cell, result, step, batch)
                finished, inputs, next_state, emit, next_loop = _asked(loop_fn, step + 1, output, new_state, loop_state)
                check_state(f"{what}: the state for step {step + 1}", cell.state_size, next_state, batch, dtype)
                emit = _checked_emit(output if emit is None else emit, emitted, step)
                if done is None:
                    state, loop_state = next_state, loop_state if next_loop is None else next_loop
                else:
                    going = ops.logical_not(done)
                    rows = Rows(going)
                    emit, state = rows.kept(emit, None), rows.kept(next_state, state)
                    loop_state = _advanced(going, next_loop, loop_state)
                emitted.append(emit)
                more = _as_mark(finished, batch, step + 1)
                done = more if done is None else done if more is None else ops.logical_or(done, more)
    return emitted, state, loop_state


def _asked(loop_fn: LoopFunction, time: int, output: Any, state: State, loop_state: Any) -> tuple[Any, ...]:
    if isinstance(loop_fn, type):
        raise ArgumentTypeError(f"raw_rnn: loop_fn is the class {loop_fn.__name__}; a function is wanted")
    result = loop_fn(time, output, state, loop_state)
    if not isinstance(result, tuple) or len(result) != 5:
        raise StructureError(
            f"raw_rnn: loop_fn returned {nest.sketch(result)} at time {time}; (finished, next_input, next_state, "
            "emit_output, next_loop_state) is wanted"
        )
    for leaf in nest.flatten(result[1]):
        if not isinstance(leaf, Tensor):
            raise ArgumentTypeError(f"raw_rnn: loop_fn gave the input {leaf!r} for step {time}; a tensor is wanted")
    return result


def _as_mark(finished: Any, batch: Shape, time: int) -> Tensor | None:
    """Return the rows that are done as booleans; None where nothing is."""
    if finished is False:
        return None
    mark = finished if isinstance(finished, Tensor) else constant(finished)
    what = f"raw_rnn: finished at time {time} is {mark.described()}"
    if mark.dtype != BOOL:
        raise DTypeError(f"{what}; booleans are wanted, such as a comparison gives")
    if mark.shape not in ((), batch):
        raise ShapeError(f"{what}; shape {shape_text(batch)} is wanted, one a row, or one bool for all rows")
    return mark


def _checked_emit(emit: Any, before: list[Any], step: int) -> Any:
    for leaf in nest.flatten(emit):
        if not isinstance(leaf, Tensor):
            raise ArgumentTypeError(f"raw_rnn: loop_fn emitted {leaf!r} for step {step}; a tensor is wanted")
    if before:
        what = f"raw_rnn: what loop_fn emitted for step {step}"
        nest.check_same_structure(before[0], emit, what)
        for leaf, first in zip(nest.flatten(emit), nest.flatten(before[0]), strict=True):
            if leaf.shape != first.shape or leaf.dtype != first.dtype:
                raise ShapeError(f"{what}: {leaf.described()} is unlike step 0's {first.described()}")
    return emit


def _advanced(going: Tensor, new: Any, old: Any) -> Any:
    """Return the next loop state, the old one for None; its tensors stay what they were once every row is done."""
    if new is None:
        return old
    leaves = nest.flatten(new)
    if old is None or not all(isinstance(leaf, Tensor) for leaf in leaves):
        return new
    any_going = ops.cast(ops.reduce_max(ops.cast(going, "int32")), "bool")
    return nest.map_leaves(lambda ahead, behind: ops.where(any_going, ahead, behind), new, old)
