"""The driver that traces one step and lets a loop run it: `unroll.dynamic_rnn` with ``rolled=True``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll import nest, ops
from unroll.cells.rnn_cell import RNNCellLike, State, agreed_state, batch_of, check_state, initial_state
from unroll.dimensions import Dim, Dimension
from unroll.drivers.loop import length_column, run_cell
from unroll.drivers.structure_checks import checked_steps, known_time, main_input, state_dtype
from unroll.errors import UnsupportedError
from unroll.graph import Graph
from unroll.ops.scan import scan
from unroll.parameter import Parameter
from unroll.scopes import beside_steps
from unroll.structure import leaves_of, nodes_before
from unroll.tensor import Placeholder, Tensor, constant, named


def rolled_rnn(
    cell: RNNCellLike, inputs: Any, sequence_length: Any, state: State, dtype: npt.DTypeLike | None, axis: int
) -> tuple[Any, State]:
    """Trace one step of `cell` into the body of a Scan over the time axis; the caller has entered the scope.

    Args:
        cell: the cell, under TensorFlow's contract.
        inputs: as `unroll.dynamic_rnn`.
        sequence_length: likewise.
        state: the state before step 0; zeros by default.
        dtype: the dtype of the zero state; that of the inputs by default.
        axis: where the time is.

    Returns:
        The outputs, stacked on the time axis, and the last state.

    Raises:
        UnsupportedError: the cell reads a tensor from outside the loop that is neither a weight nor a constant.
        ShapeError, DTypeError, StructureError, ArgumentError: as `unroll.dynamic_rnn`.
    """
    what = "dynamic_rnn"
    time = known_time(nest.flatten(inputs), axis, what)
    scanned = [_swapped(tensor, axis, "inputs") for tensor in nest.flatten(inputs)]
    step = [
        _inside(tensor.shape[1:], tensor, place) for tensor, place in zip(scanned, _names("x", inputs), strict=True)
    ]
    checked_steps([nest.pack(inputs, step)])
    first = main_input(step, dtype)
    kind = state_dtype(first, dtype)
    if state is None:
        whole = next(outer for outer, inner in zip(scanned, step, strict=True) if inner is first)
        state = _zero_state(cell, first, whole, kind)
    state = nest.coerced(cell.state_size, state)
    state = agreed_state(f"{what}: initial_state", cell.state_size, state, batch_of(first))
    check_state(f"{what}: initial_state", cell.state_size, state, batch_of(first), kind)
    states = nest.flatten(state)
    before = [_inside(part.shape, part, name) for part, name in zip(states, _names("state", state), strict=True)]
    shared: dict[Tensor, Placeholder] = {}
    valid = None
    if sequence_length is not None:
        column = length_column(sequence_length, time, batch_of(first), what)
        numbers = constant(np.arange(time, dtype=column.dtype), name="steps")
        number, lengths = _inside((), numbers, "step"), _inside(column.shape, column, "sequence_length")
        scanned, step, shared[column] = [*scanned, numbers], [*step, number], lengths
        valid = [named(ops.less(number, lengths), "valid")]
    packed = nest.pack(inputs, step[: len(nest.flatten(inputs))])
    (output,), after = run_cell(cell, [packed], nest.pack(state, before), valid=valid, dtype=dtype)
    made = dict(zip([f"{part.name}/next" for part in before], nest.flatten(after), strict=True))
    made |= dict(zip(_names("output", output), nest.flatten(output), strict=True))
    body = _body([*before, *step], shared, made, what)
    results = scan(body, states, scanned, list(shared))
    last = [named(tensor, part.name) for tensor, part in zip(results, before, strict=False)]
    stacks = [_swapped(named(tensor, "outputs"), axis, "outputs") for tensor in results[len(states) :]]
    return nest.pack(output, stacks), nest.pack(after, last)


def _names(name: str, structure: Any) -> list[str]:
    """Return a name for each leaf of a nest."""
    return [f"{name}/{path}" if path else name for path, _ in nest.flatten_with_paths(structure)]


def _inside(shape: Sequence[Dim], tensor: Tensor, name: str) -> Placeholder:
    """Return what stands for a tensor, or a step of it, in the body."""
    return Placeholder(tuple(shape), tensor.dtype, name)


def _swapped(tensor: Tensor, axis: int, name: str) -> Tensor:
    """Return a tensor with the time moved from `axis` to the front, or back again."""
    return tensor if axis == 0 else named(ops.transpose(tensor, [1, 0, *range(2, tensor.rank)]), name)


def _zero_state(cell: RNNCellLike, first: Tensor, whole: Tensor, dtype: np.dtype[Any]) -> State:
    """Return the first state, for as many rows as the inputs have."""
    batch: Dim | Tensor = batch_of(first)[0]
    if isinstance(batch, Dimension):
        with beside_steps("zero_state"):
            batch = ops.shape(whole)[1:2]
    return initial_state(cell, batch, dtype)


def _body(
    inputs: Sequence[Placeholder], shared: dict[Tensor, Placeholder], outputs: Mapping[str, Tensor], what: str
) -> Graph:
    """Return the body, in which placeholders stand for the Parameters it reads; they are added to `shared`.

    Raises:
        UnsupportedError: the body reads a placeholder from outside.
    """
    own = {*inputs, *shared.values()}
    nodes = nodes_before(list(outputs.values()))
    read = [tensor for node in nodes for tensor in node.inputs]
    for tensor in (*read, *outputs.values()):
        if isinstance(tensor, Placeholder) and tensor not in own:
            raise UnsupportedError(
                f"{what}: rolled=True: the cell reads {tensor.described()} from outside the loop; a step takes its inputs, "
                "its state, weights and constants. Make it one of the inputs, or leave rolled=True out"
            )
    for parameter in (*leaves_of(nodes), *outputs.values()):
        if isinstance(parameter, Parameter) and parameter not in shared:
            shared[parameter] = _inside(parameter.shape, parameter, parameter.label)
    inner: dict[Tensor, Tensor] = dict(shared)
    for node in nodes:
        operands = tuple(tensor if tensor is None else inner.get(tensor, tensor) for tensor in node.inputs)
        inner |= zip(node.outputs, node.copied(operands, node.provenance).outputs, strict=True)
    return Graph([*inputs, *shared.values()], {name: inner.get(tensor, tensor) for name, tensor in outputs.items()})
