"""Drivers: loops of a cell over timesteps. They know nothing of gates and check only structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.cells.base import RNNCellLike, State, check_state, zero_state
from unroll.cells.multi import check_cell
from unroll.collection import paused
from unroll.dimensions import Dim, Dimension, Shape, is_never_zero, shape_text
from unroll.dtypes import DType, as_dtype
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError, StructureError, UnsupportedError
from unroll.tensor import Tensor, named


def static_rnn(
    cell: RNNCellLike,
    inputs: Sequence[Any],
    initial_state: State = None,
    dtype: npt.DTypeLike | None = None,
    sequence_length: Any = None,
    scope: str | None = None,
) -> tuple[list[Any], State]:
    """Trace `cell` over a list of timestep inputs, as TensorFlow 1's ``static_rnn``.

    Args:
        cell: the cell, called once a step and sharing its weights.
        inputs: one tensor ``(batch, features)`` a step, or ``(features,)`` without a batch, or a nest of tensors that
            the cell takes; all steps alike.
        initial_state: the state before step 0, a nest as ``cell.state_size``; zeros by default.
        dtype: the dtype of the zero state; that of the inputs by default.
        sequence_length: not supported yet.
        scope: the scope of variables and nodes; ``rnn`` by default.

    Returns:
        The list of the cell's outputs, one a step, and the last state.

    Raises:
        ArgumentError: an empty list of inputs, or something that is no cell.
        ShapeError, DTypeError: inputs that differ from step to step, or do not fit the cell or the state.
        StructureError: a state, given or returned by the cell, that is not built as ``cell.state_size``.
        UnsupportedError: `sequence_length` is given.
    """
    check_cell(cell, "static_rnn")
    _refuse_lengths(sequence_length, "static_rnn")
    steps = _checked_steps(inputs)
    with paused(), scopes.scope(scope or "rnn"):
        return _loop(cell, steps, initial_state, dtype)


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
) -> tuple[Any, State]:
    """Trace `cell` over the time axis of one tensor, with TensorFlow 1's ``dynamic_rnn`` signature, unrolled.

    Args:
        cell: the cell, called once a step and sharing its weights.
        inputs: ``(batch, time, features)``, or ``(time, batch, features)`` if `time_major`; or a nest of such tensors.
            The time must be known.
        sequence_length: not supported yet.
        initial_state: the state before step 0, a nest as ``cell.state_size``; zeros by default.
        dtype: the dtype of the zero state; that of the inputs by default.
        parallel_iterations: how TensorFlow schedules its loop; there is no loop here, so it has nothing to act on.
        swap_memory: likewise.
        time_major: time is axis 0 of inputs and outputs instead of axis 1.
        scope: the scope of variables and nodes; ``rnn`` by default.

    Returns:
        The outputs, stacked on the time axis, and the last state.

    Raises:
        ShapeError: the time dimension is not known, or the rank is below 3; and as `static_rnn`.
    """
    check_cell(cell, "dynamic_rnn")
    _refuse_lengths(sequence_length, "dynamic_rnn")
    if isinstance(inputs, list) and all(isinstance(item, Tensor) and item.rank < 3 for item in inputs):
        raise ShapeError(
            "dynamic_rnn: inputs are a list of steps, one tensor (batch, time, features) is wanted; for a list use static_rnn"
        )
    axis = 0 if time_major else 1
    time = _known_time(nest.flatten(inputs), axis)
    with paused(), scopes.scope(scope or "rnn"):
        pieces = [ops.split(tensor, time, axis) for tensor in nest.flatten(inputs)]
        steps = []
        for step in range(time):
            with scopes.at_step(step):
                leaves = [named(ops.squeeze(piece[step], [axis]), "x") for piece in pieces]
            steps.append(nest.pack(inputs, leaves))
        outputs, state = _loop(cell, _checked_steps(steps), initial_state, dtype)
        return nest.map_leaves(lambda *parts: _stacked(parts, axis), *outputs), state


def _stacked(parts: Sequence[Tensor], axis: int) -> Tensor:
    wide = []
    for step, part in enumerate(parts):
        with scopes.at_step(step):
            wide.append(ops.unsqueeze(part, [axis]))
    return named(ops.concat(wide, axis), "outputs")


def _loop(
    cell: RNNCellLike, steps: Sequence[Any], initial_state: State, dtype: npt.DTypeLike | None
) -> tuple[list[Any], State]:
    """Call the cell on each step; the caller has entered the scope."""
    first: Tensor = nest.flatten(steps[0])[0]
    kind = _state_dtype(first, dtype)
    batch = first.shape[:1] if first.rank > 1 else ()
    state = initial_state if initial_state is not None else _zero_state(cell, first, kind)
    if initial_state is not None:
        check_state("initial_state", cell.state_size, initial_state, batch, kind)
    outputs = []
    for step, inputs in enumerate(steps):
        with scopes.at_step(step):
            result = cell(inputs, state)
        output, new_state = _checked_result(cell, result, step)
        check_state(f"{_name(cell)} at step {step}: the new state", cell.state_size, new_state, batch, kind)
        outputs.append(output)
        state = new_state
    return outputs, state


def _zero_state(cell: RNNCellLike, first: Tensor, dtype: DType) -> State:
    batch: Dim | Tensor | None = first.shape[0] if first.rank > 1 else None
    with scopes.at_step(0):
        if isinstance(batch, Dimension):
            with scopes.beside_steps("zero_state"):
                batch = ops.shape(first)[:1]
        make = getattr(cell, "zero_state", None)
        return make(batch, dtype) if make is not None else zero_state(cell.state_size, batch, dtype)


def _state_dtype(first: Tensor, dtype: npt.DTypeLike | None) -> DType:
    kind = first.dtype if dtype is None else as_dtype(dtype, "dtype")
    if kind != first.dtype:
        raise DTypeError(
            f"dtype={kind} was given for inputs of dtype {first.dtype} ({first.described()}); "
            "leave it out, or convert the inputs with unroll.ops.cast"
        )
    return kind


def _checked_steps(inputs: Sequence[Any]) -> Sequence[Any]:
    """Check that every step's inputs are tensors alike."""
    if isinstance(inputs, Tensor):
        raise ArgumentTypeError(
            f"inputs: {inputs!r} is one tensor; give a list with one tensor a step, unroll.ops.unstack(x, axis), "
            "or use dynamic_rnn"
        )
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ArgumentError(f"inputs: a non-empty list with one tensor a step is wanted, not {inputs!r}")
    wanted = nest.flatten(inputs[0])
    for step, given in enumerate(inputs):
        nest.check_same_structure(inputs[0], given, f"inputs of step {step}")
        for tensor, first in zip(nest.flatten(given), wanted, strict=True):
            if not isinstance(tensor, Tensor):
                raise ArgumentTypeError(
                    f"inputs of step {step}: {type(tensor).__name__} is no tensor; use unroll.placeholder or unroll.constant"
                )
            if tensor.shape != first.shape or tensor.dtype != first.dtype:
                _raise_unlike(step, tensor, first)
    if not wanted or any(tensor.rank == 0 for tensor in wanted):
        raise ShapeError("inputs: every step needs a tensor of rank 1 (features,) or 2 (batch, features)")
    ranks = [tensor for tensor in wanted if tensor.rank > 1]
    for tensor in ranks:
        if is_never_zero(tensor.shape[0] - ranks[0].shape[0]):
            raise ShapeError(f"inputs: {tensor.described()} and {ranks[0].described()} have different batch sizes")
    return inputs


def _raise_unlike(step: int, tensor: Tensor, first: Tensor) -> None:
    """Say how a step's input differs from step 0's."""
    if tensor.dtype != first.dtype:
        raise DTypeError(
            f"inputs of step {step}: {tensor.described()} has another dtype than step 0's {first.described()}; "
            "convert it with unroll.ops.cast"
        )
    if tensor.rank != first.rank:
        fix = "give every step the same rank, (batch, features) or (features,)"
    elif tensor.shape[-1] != first.shape[-1]:
        fix = "give every step the same number of features"
    else:
        fix = "give every step the same batch size"
    raise ShapeError(f"inputs of step {step}: {tensor.described()} is unlike step 0's {first.described()}; {fix}")


def _checked_result(cell: RNNCellLike, result: Any, step: int) -> tuple[Any, State]:
    what = f"{_name(cell)} at step {step}"
    if not isinstance(result, tuple) or len(result) != 2:
        raise StructureError(f"{what}: it returned {nest.sketch(result)}; a cell returns (output, new_state)")
    output, state = result
    nest.check_same_structure(cell.output_size, output, f"{what}: the output")
    for tensor, size in zip(nest.flatten(output), nest.flatten(cell.output_size), strict=True):
        if not isinstance(tensor, Tensor):
            raise StructureError(f"{what}: the output {tensor!r} is no tensor")
        if not tensor.shape or tensor.shape[-1] != size:
            raise ShapeError(f"{what}: the output {tensor.described()} does not end in output_size {size}")
    return output, state


def _known_time(tensors: Sequence[Any], axis: int) -> int:
    times: list[tuple[int, Shape]] = []
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"dynamic_rnn: inputs: {type(tensor).__name__} is no tensor; use unroll.placeholder or unroll.constant, "
                "and for a list of steps static_rnn"
            )
        if tensor.rank < 3:
            raise ShapeError(
                f"dynamic_rnn: inputs {tensor.described()} must be (batch, time, features); without a batch use "
                "static_rnn(cell, unroll.ops.unstack(x))"
            )
        time = tensor.shape[axis]
        if isinstance(time, Dimension) or time < 1:
            raise ShapeError(
                f"dynamic_rnn: inputs {tensor.described()} have time {time} on axis {axis}; it is unrolled, so it must be a "
                "known number of at least 1: make the placeholder with one, such as [None, 28, features]"
            )
        times.append((time, tensor.shape))
    if not times:
        raise ArgumentError("dynamic_rnn: inputs are empty; a tensor (batch, time, features) is wanted")
    if len({time for time, _ in times}) != 1:
        raise ShapeError(f"dynamic_rnn: inputs differ in time: {', '.join(shape_text(shape) for _, shape in times)}")
    return times[0][0]


def _refuse_lengths(sequence_length: Any, what: str) -> None:
    if sequence_length is not None:
        raise UnsupportedError(
            f"{what}: sequence_length is not supported yet; give sequences of one length, or choose the step you need "
            "from the list of outputs"
        )


def _name(cell: Any) -> str:
    return str(getattr(cell, "name", type(cell).__name__))
