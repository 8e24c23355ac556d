"""Two cells over one sequence, one from each end: TensorFlow 1's bidirectional drivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.arguments import checked
from unroll.cells.contract import as_cell
from unroll.cells.rnn_cell import RNNCellLike, State
from unroll.checks import shown
from unroll.drivers.dynamic import sequence_steps, valid_rows
from unroll.drivers.static import row_lengths
from unroll.drivers.steps import Steps, listed_steps
from unroll.drivers.structure_checks import checked_steps
from unroll.drivers.valid_rows import Valid
from unroll.drivers.walk import Walked, walk
from unroll.errors import ArgumentError, ArgumentTypeError, StructureError
from unroll.garbage_collection import collector_paused
from unroll.tensor import Tensor, named


@checked()
def static_bidirectional_rnn(
    cell_fw: RNNCellLike,
    cell_bw: RNNCellLike,
    inputs: Sequence[Any],
    initial_state_fw: State = None,
    initial_state_bw: State = None,
    dtype: npt.DTypeLike | None = None,
    sequence_length: Any = None,
    scope: str | None = None,
    *,
    rolled: bool = False,
) -> tuple[list[Any], State, State]:
    """Trace two cells over a list of steps, forward and backward: Schuster and Paliwal 1997.

    TensorFlow 1's ``static_bidirectional_rnn``. The backward cell starts at the end of each row.

    Args:
        cell_fw: the cell that walks from the first step on.
        cell_bw: the cell that walks from the last valid step of a row to the first; another object than `cell_fw` where
            the two are not to share weights.
        inputs: as `unroll.static_rnn`.
        initial_state_fw: the forward cell's state before its first step; zeros by default.
        initial_state_bw: the backward cell's.
        dtype: as `unroll.static_rnn`.
        sequence_length: as `unroll.static_rnn`.
        scope: the scope of variables and nodes, above ``fw`` and ``bw``; ``bidirectional_rnn`` by default.
        rolled: as `unroll.static_rnn`.

    Returns:
        The outputs, one a step, each forward beside backward on the last axis; the last state of the forward cell; that
        of the backward cell, after step 0.

    Raises:
        StructureError: the cells' outputs are nests, which cannot be joined; and as `unroll.static_rnn`.

    Example:
        >>> X = [unroll.placeholder([None, 3], name=f"X{t}") for t in range(4)]
        >>> outputs, fw, bw = unroll.static_bidirectional_rnn(unroll.GRUCell(5), unroll.GRUCell(5), X)
        >>> len(outputs), outputs[0].shape, bw.shape  # both directions side by side
        (4, (batch, 10), (batch, 5))
    """
    what = "static_bidirectional_rnn"
    items = checked_steps(inputs, "bidirectional_dynamic_rnn")
    with collector_paused(), scopes.scope(scope or "bidirectional_rnn"):
        steps = listed_steps(items, rolled=rolled)
        valid = row_lengths(sequence_length, items, steps, what)
        walks = _both((cell_fw, cell_bw), steps, (initial_state_fw, initial_state_bw), dtype, valid, what)
        outputs = walks[0].outputs.beside(walks[1].outputs, _side_by_side).listed()
    return outputs, walks[0].state, walks[1].state


def _side_by_side(forward: Any, backward: Any) -> Tensor:
    """Return the outputs of both directions as one.

    Raises:
        StructureError: they are nests.
    """
    if nest.is_nested(forward) or nest.is_nested(backward):
        raise StructureError(
            "static_bidirectional_rnn: outputs that are nests cannot be joined; use the cells in two static_rnn"
        )
    return named(ops.concat([forward, backward], axis=-1), "output")


@checked()
def bidirectional_dynamic_rnn(
    cell_fw: RNNCellLike,
    cell_bw: RNNCellLike,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: State = None,
    initial_state_bw: State = None,
    dtype: npt.DTypeLike | None = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: str | None = None,
    *,
    rolled: bool = False,
) -> tuple[tuple[Any, Any], tuple[State, State]]:
    """Trace two cells over the time axis of one tensor, with TensorFlow 1's ``bidirectional_dynamic_rnn`` signature.

    Args:
        cell_fw: as `static_bidirectional_rnn`.
        cell_bw: as `static_bidirectional_rnn`.
        inputs: as `unroll.dynamic_rnn`.
        sequence_length: as `unroll.static_rnn`.
        initial_state_fw: as `static_bidirectional_rnn`.
        initial_state_bw: as `static_bidirectional_rnn`.
        dtype: as `unroll.dynamic_rnn`.
        parallel_iterations: nothing to act on, as in `unroll.dynamic_rnn`.
        swap_memory: likewise.
        time_major: time is axis 0 of inputs and outputs instead of axis 1.
        scope: the scope of variables and nodes, above ``fw`` and ``bw``; ``bidirectional_rnn`` by default.
        rolled: as `unroll.dynamic_rnn`.

    Returns:
        The outputs ``(forward, backward)``, each stacked on the time axis, and the last states likewise.

    Raises:
        ShapeError: the rank is below 3; and as `unroll.static_rnn`.

    Example:
        >>> x = unroll.placeholder([None, 7, 28], name="x")
        >>> outputs, states = unroll.bidirectional_dynamic_rnn(unroll.GRUCell(13), unroll.GRUCell(13), x)
        >>> [output.shape for output in outputs]
        [(batch, 7, 13), (batch, 7, 13)]
    """
    axis, what = 0 if time_major else 1, "bidirectional_dynamic_rnn"
    with collector_paused(), scopes.scope(scope or "bidirectional_rnn"):
        steps = sequence_steps(inputs, axis, what, rolled)
        valid = valid_rows(sequence_length, inputs, steps, axis, what)
        walks = _both((cell_fw, cell_bw), steps, (initial_state_fw, initial_state_bw), dtype, valid, what)
        forward, backward = (walked.outputs.joined(axis) for walked in walks)
        return (forward, backward), (walks[0].state, walks[1].state)


@checked()
def stack_bidirectional_rnn(
    cells_fw: Sequence[RNNCellLike],
    cells_bw: Sequence[RNNCellLike],
    inputs: Sequence[Any],
    initial_states_fw: Sequence[State] | None = None,
    initial_states_bw: Sequence[State] | None = None,
    dtype: npt.DTypeLike | None = None,
    sequence_length: Any = None,
    scope: str | None = None,
    *,
    rolled: bool = False,
) -> tuple[list[Any], tuple[State, ...], tuple[State, ...]]:
    """Trace a stack of bidirectional layers over a list of steps; both directions of one feed both of the next.

    TensorFlow 1's ``contrib.rnn.stack_bidirectional_rnn``.

    Args:
        cells_fw: the forward cells, from the input up.
        cells_bw: the backward cells, as many as forward ones.
        inputs: as `unroll.static_rnn`.
        initial_states_fw: one state for each layer; zeros by default.
        initial_states_bw: likewise.
        dtype: as `unroll.static_rnn`.
        sequence_length: as `unroll.static_rnn`.
        scope: the scope of variables and nodes; ``stack_bidirectional_rnn`` by default.
        rolled: as `unroll.static_rnn`.

    Returns:
        The outputs of the last layer, one a step; the last states of the forward cells; those of the backward cells.

    Raises:
        ArgumentError: no cells, or lists of different lengths; and as `static_bidirectional_rnn`.
        ArgumentTypeError: `inputs` is no list.

    Example:
        >>> X = [unroll.placeholder([None, 3], name=f"X{t}") for t in range(4)]
        >>> forward, backward = [unroll.GRUCell(5), unroll.GRUCell(6)], [unroll.GRUCell(5), unroll.GRUCell(6)]
        >>> outputs, fw, bw = unroll.stack_bidirectional_rnn(forward, backward, X)
        >>> outputs[0].shape, [state.shape for state in fw]
        ((batch, 12), [(batch, 5), (batch, 6)])
    """
    layers = _layers(cells_fw, cells_bw, initial_states_fw, initial_states_bw, "stack_bidirectional_rnn")
    if not isinstance(inputs, (list, tuple)):
        raise ArgumentTypeError(
            f"stack_bidirectional_rnn: inputs {shown(inputs)}: a list of tensors, one a step, is wanted; "
            "stack_bidirectional_dynamic_rnn takes one tensor, of any time"
        )
    outputs, states_fw, states_bw = list(inputs), [], []
    with scopes.scope(scope or "stack_bidirectional_rnn"):
        for layer, (fw, bw, start_fw, start_bw) in enumerate(layers):
            outputs, state_fw, state_bw = static_bidirectional_rnn(
                fw, bw, outputs, start_fw, start_bw, dtype, sequence_length, f"cell_{layer}", rolled=rolled
            )
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return outputs, tuple(states_fw), tuple(states_bw)


@checked()
def stack_bidirectional_dynamic_rnn(
    cells_fw: Sequence[RNNCellLike],
    cells_bw: Sequence[RNNCellLike],
    inputs: Any,
    initial_states_fw: Sequence[State] | None = None,
    initial_states_bw: Sequence[State] | None = None,
    dtype: npt.DTypeLike | None = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: str | None = None,
    swap_memory: bool = False,
    *,
    rolled: bool = False,
) -> tuple[Any, tuple[State, ...], tuple[State, ...]]:
    """Trace a stack of bidirectional layers over the time axis of one tensor.

    TensorFlow 1's ``contrib.rnn.stack_bidirectional_dynamic_rnn``.

    Args:
        cells_fw: as `stack_bidirectional_rnn`.
        cells_bw: as `stack_bidirectional_rnn`.
        inputs: as `unroll.dynamic_rnn`.
        initial_states_fw: as `stack_bidirectional_rnn`.
        initial_states_bw: as `stack_bidirectional_rnn`.
        dtype: as `unroll.dynamic_rnn`.
        sequence_length: as `unroll.static_rnn`.
        parallel_iterations: nothing to act on, as in `unroll.dynamic_rnn`.
        time_major: time is axis 0 of inputs and outputs instead of axis 1.
        scope: the scope of variables and nodes; ``stack_bidirectional_rnn`` by default.
        swap_memory: nothing to act on.
        rolled: as `unroll.dynamic_rnn`.

    Returns:
        The outputs of the last layer, stacked on the time axis; the last states of the forward cells; those of the
        backward cells.

    Raises:
        ArgumentError: no cells, or lists of different lengths; and as `bidirectional_dynamic_rnn`.

    Example:
        >>> x = unroll.placeholder([None, 7, 28], name="x")
        >>> forward, backward = [unroll.GRUCell(5), unroll.GRUCell(6)], [unroll.GRUCell(5), unroll.GRUCell(6)]
        >>> outputs, fw, bw = unroll.stack_bidirectional_dynamic_rnn(forward, backward, x)
        >>> outputs.shape, [state.shape for state in bw]
        ((batch, 7, 12), [(batch, 5), (batch, 6)])
    """
    layers = _layers(cells_fw, cells_bw, initial_states_fw, initial_states_bw, "stack_bidirectional_dynamic_rnn")
    states_fw, states_bw = [], []
    with scopes.scope(scope or "stack_bidirectional_rnn"):
        for layer, (fw, bw, start_fw, start_bw) in enumerate(layers):
            with scopes.scope(f"cell_{layer}"):
                sides, (state_fw, state_bw) = bidirectional_dynamic_rnn(
                    fw, bw, inputs, sequence_length, start_fw, start_bw, dtype, time_major=time_major, rolled=rolled
                )
                inputs = named(ops.concat(list(sides), axis=-1), "outputs")
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)


def _layers(
    cells_fw: Sequence[RNNCellLike],
    cells_bw: Sequence[RNNCellLike],
    initial_states_fw: Sequence[State] | None,
    initial_states_bw: Sequence[State] | None,
    what: str,
) -> list[tuple[RNNCellLike, RNNCellLike, State, State]]:
    """Return the two cells and the two initial states (None for zeros) of each layer."""
    for side, cells in (("cells_fw", cells_fw), ("cells_bw", cells_bw)):
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ArgumentError(f"{what}: {side}: a non-empty list of cells is wanted, not {cells!r}")
    count = len(cells_fw)
    starts_fw = [None] * count if initial_states_fw is None else list(initial_states_fw)
    starts_bw = [None] * count if initial_states_bw is None else list(initial_states_bw)
    if not len(cells_bw) == len(starts_fw) == len(starts_bw) == count:
        raise ArgumentError(
            f"{what}: {count} forward cells, {len(cells_bw)} backward cells and {len(starts_fw)} and {len(starts_bw)} "
            "initial states were given; one of each a layer is wanted"
        )
    return list(zip(cells_fw, cells_bw, starts_fw, starts_bw, strict=True))


def _both(
    cells: tuple[RNNCellLike, RNNCellLike],
    steps: Steps,
    starts: tuple[State, State],
    dtype: npt.DTypeLike | None,
    valid: Valid | None,
    what: str,
) -> tuple[Walked, Walked]:
    """Walk the steps forward under ``fw`` and backward under ``bw``."""
    forward, backward = (as_cell(cell, what) for cell in cells)
    with scopes.scope("fw"):
        there = walk(forward, steps, starts[0], valid=valid, dtype=dtype, what=f"{what}: forward")
    with scopes.scope("bw"):
        back = walk(backward, steps, starts[1], valid=valid, backward=True, dtype=dtype, what=f"{what}: backward")
    return there, back
