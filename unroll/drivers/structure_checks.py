"""What drivers check of inputs and of what a cell returns: structure, shapes and dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, scopes
from unroll.cells.contract import cell_name, returned
from unroll.cells.rnn_cell import RNNCellLike, State, agreed, dims_of
from unroll.dimensions import Dim, Dimension, Shape, is_never_zero, shape_text
from unroll.dtypes import FLOAT32, DType, as_dtype
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from unroll.tensor import Tensor


def main_input(inputs: Any, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return the tensor of a step's inputs that decides the batch and the dtype: the first one of `dtype`, else of
    floats, else of all.
    """
    leaves: list[Tensor] = nest.flatten(inputs)
    asked = None if dtype is None else as_dtype(dtype, "dtype")
    floats = [leaf for leaf in leaves if leaf.dtype.kind == "f"]
    return next((leaf for leaf in floats if asked is not None and leaf.dtype == asked), (floats or leaves)[0])


def state_dtype(first: Tensor, dtype: npt.DTypeLike | None) -> DType:
    """Return the dtype of the state: that of the inputs where they are floats.

    Raises:
        DTypeError: another one is asked for.
    """
    if first.dtype.kind != "f":
        return FLOAT32 if dtype is None else as_dtype(dtype, "dtype")
    kind = first.dtype if dtype is None else as_dtype(dtype, "dtype")
    if kind != first.dtype:
        raise DTypeError(
            f"dtype={kind} was given for inputs of dtype {first.dtype} ({first.described()}); "
            "leave it out, or convert the inputs with unroll.ops.cast"
        )
    return kind


def checked_steps(inputs: Sequence[Any], instead: str = "dynamic_rnn") -> Sequence[Any]:
    """Return `inputs` once every step is known to have tensors alike; batches that are not known must be equal then.

    Args:
        inputs: the steps.
        instead: the driver that takes one tensor, for messages.

    Raises:
        ArgumentError, ArgumentTypeError: not a list of tensors, or an empty one.
        StructureError, ShapeError, DTypeError: steps that differ.
    """
    if isinstance(inputs, Tensor):
        raise ArgumentTypeError(f"inputs: {inputs.described()} is one tensor{_listing(inputs, instead)}")
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ArgumentError(f"inputs: a non-empty list with one tensor a step is wanted, not {inputs!r}")
    wanted = nest.flatten(inputs[0])
    steps = []
    for step, given in enumerate(inputs):
        nest.check_same_structure(inputs[0], given, f"inputs of step {step}")
        alike = _agreed(given, wanted, step)
        steps.append(alike)
        for tensor, first in zip(nest.flatten(alike), wanted, strict=True):
            if not isinstance(tensor, Tensor):
                raise ArgumentTypeError(
                    f"inputs of step {step}: {type(tensor).__name__} is no tensor; use unroll.placeholder or unroll.constant"
                )
            if tensor.shape != first.shape or tensor.dtype != first.dtype:
                _raise_unlike(step, tensor, first, instead)
    if not wanted or any(tensor.rank == 0 and tensor.dtype.kind == "f" for tensor in wanted):
        raise ShapeError("inputs: every step needs a tensor of rank 1 (features,) or 2 (batch, features)")
    ranks = [tensor for tensor in wanted if tensor.rank > 1]
    for tensor in ranks:
        if is_never_zero(tensor.shape[0] - ranks[0].shape[0]):
            raise ShapeError(f"inputs: {tensor.described()} and {ranks[0].described()} have different batch sizes")
    return steps


def _agreed(given: Any, wanted: Sequence[Any], step: int) -> Any:
    """Return the inputs of a step, whose sizes that are not known are those of step 0."""
    pairs = list(zip(nest.flatten(given), wanted, strict=True))
    if not all(isinstance(part, Tensor) for pair in pairs for part in pair):
        return given
    with scopes.beside_steps("inputs"), scopes.at_step(step):
        return nest.pack(given, [agreed(part, first.shape, f"inputs of step {step}") for part, first in pairs])


def _listing(tensor: Tensor, instead: str) -> str:
    """Say how the steps of one tensor are walked: by another driver, or in a list where it is known how many they are."""
    if _lasts_unknown(tensor):
        return (
            f", whose time, axis 1, is {tensor.shape[1]}: only a run knows it, and there are no steps to list. Use {instead}, "
            "which traces one step for any time (as rolled=True does)"
        )
    return f"; give a list with one tensor a step, unroll.ops.unstack(x, axis), or use {instead}"


def _lasts_unknown(tensor: Tensor) -> bool:
    """Say whether a tensor looks like a sequence of a time that only a run knows."""
    return tensor.rank > 2 and isinstance(tensor.shape[1], Dimension)


def _raise_unlike(step: int, tensor: Tensor, first: Tensor, instead: str) -> None:
    """Raise the error that says how a step's input differs from step 0's."""
    if tensor.dtype != first.dtype:
        raise DTypeError(
            f"inputs of step {step}: {tensor.described()} has another dtype than step 0's {first.described()}; "
            "convert it with unroll.ops.cast"
        )
    whole = next((item for item in (tensor, first) if item.rank != min(tensor.rank, first.rank)), None)
    if whole is not None and _lasts_unknown(whole):
        fix = f"{whole.label} is a whole sequence, of time {whole.shape[1]} on axis 1: give it to {instead}, without a list"
    elif tensor.rank != first.rank:
        fix = "give every step the same rank, (batch, features) or (features,)"
    elif tensor.shape[-1] != first.shape[-1]:
        fix = "give every step the same number of features"
    else:
        fix = "give every step the same batch size"
    raise ShapeError(f"inputs of step {step}: {tensor.described()} is unlike step 0's {first.described()}; {fix}")


def checked_result(cell: RNNCellLike, result: Any, step: int | None, batch: Shape) -> tuple[Any, State]:
    """Return what a cell returned, an output and a state, once the output is known to be as its `output_size` says.

    Raises:
        StructureError, ShapeError: it is not.
    """
    what = cell_name(cell) if step is None else f"{cell_name(cell)} at step {step}"
    output, state = returned(cell, result, what)
    for tensor, size in zip(nest.flatten(output), nest.flatten(cell.output_size), strict=True):
        wanted = (*batch, *dims_of(size))
        if tensor.shape != wanted:
            raise ShapeError(
                f"{what}: the output is {tensor.described()}; output_size {size} wants shape {shape_text(wanted)}"
            )
    return output, state


def time_of(tensors: Sequence[Any], axis: int, what: str, batched: bool = True) -> Dim:
    """Return the size of the time axis of tensors ``(batch, time, ...)``, which they have in common: a number where one of
    them says it.

    Without a batch, they are ``(time, ...)``.

    Raises:
        ArgumentError, ArgumentTypeError: no tensors.
        ShapeError: a rank below 2, a time of 0, or several.
    """
    times: list[tuple[Dim, Shape]] = []
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"{what}: inputs: {type(tensor).__name__} is no tensor; use unroll.placeholder or unroll.constant, "
                "and for a list of steps static_rnn"
            )
        if tensor.rank < 1 + batched + (tensor.dtype.kind == "f"):
            raise ShapeError(
                f"{what}: inputs {tensor.described()} must be (batch, time, features); without a batch use "
                "static_rnn(cell, unroll.ops.unstack(x))"
            )
        time = tensor.shape[axis]
        if isinstance(time, int) and time < 1:
            raise ShapeError(
                f"{what}: inputs {tensor.described()} have time {time} on axis {axis}; at least 1 step is wanted, or None "
                "for a time that a run decides"
            )
        times.append((time, tensor.shape))
    if not times:
        raise ArgumentError(f"{what}: inputs are empty; a tensor (batch, time, features) is wanted")
    if any(is_never_zero(time - times[0][0]) for time, _ in times):
        raise ShapeError(
            f"{what}: inputs differ in time, axis {axis}: {', '.join(shape_text(shape) for _, shape in times)}; "
            "give them the same steps"
        )
    known = [time for time, _ in times if isinstance(time, int)]
    return (
        known[0]
        if known and len(known) == len(times)
        else next((time for time, _ in times if not isinstance(time, int)), times[0][0])
    )
