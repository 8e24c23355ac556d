"""The loop of a cell over tensors whose first axis is the time: one step is traced, as the body of a Scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll import nest, ops
from unroll.cells.contract import call_step, cell_name
from unroll.cells.rnn_cell import (
    RNNCellLike,
    State,
    agreed_state,
    batch_of,
    check_state,
    initial_state,
    zero_state,
)
from unroll.dimensions import Dim, Dimension
from unroll.drivers.steps import RolledSteps
from unroll.drivers.structure_checks import checked_result, checked_steps, main_input, state_dtype
from unroll.drivers.valid_rows import Past, RolledLengths, Rows
from unroll.graph import Graph
from unroll.ops.scan import scan
from unroll.scopes import beside_steps
from unroll.structure import nodes_before
from unroll.tensor import Constant, Placeholder, Tensor, named


def roll_cell(
    cell: RNNCellLike,
    steps: RolledSteps,
    state: State = None,
    *,
    valid: RolledSteps | RolledLengths | None = None,
    past: Past = "zero",
    backward: bool = False,
    dtype: npt.DTypeLike | None = None,
    what: str = "",
) -> tuple[RolledSteps, Any, State]:
    """Trace one step of `cell` into the body of a Scan over the steps; the caller has entered the scope.

    The body holds only what changes from step to step. What the cell computes from weights alone, or reads from outside, is
    computed once, before the loop.

    Args:
        cell: the cell, under TensorFlow's contract.
        steps: the inputs.
        state: the state before the first step walked, a nest as ``cell.state_size``; zeros by default.
        valid: at which steps each row is valid; where it is not, the state is carried past the step as it was.
        past: what the output is there.
        backward: walk from the last step to the first.
        dtype: the dtype of the zero state; that of the inputs by default.
        what: who asks, for messages.

    Returns:
        The outputs in the order of `steps`, the output of the last step walked, and the last state.

    Raises:
        StructureError, ShapeError, DTypeError: a state or output, given or returned, is not as the cell says.
    """
    scanned = nest.flatten(steps.whole)
    step = [
        _inside(tensor, name, tensor.shape[1:]) for tensor, name in zip(scanned, _names("x", steps.whole), strict=True)
    ]
    packed = nest.pack(steps.whole, step)
    checked_steps([packed])
    first = main_input(step, dtype)
    kind, batch = state_dtype(first, dtype), batch_of(first)
    rows = _rows_of(next(outer for outer, inner in zip(scanned, step, strict=True) if inner is first), batch)
    state = _checked_start(cell, state, rows, batch, kind, what)
    before = _insides(state, "state")
    output, after = checked_result(cell, call_step(cell, packed, before, batch, kind), None, batch)
    check_state(f"{cell_name(cell)}: the new state", cell.state_size, after, batch, kind)
    states, befores, afters = (nest.flatten(part) for part in (state, before, after))
    if valid is not None:
        more, column = _valid_at_a_step(valid)
        for outer, inner in more:
            scanned, step = [*scanned, outer], [*step, inner]
        going, last = Rows(column), None
        afters = nest.flatten(going.kept(after, before))
        if past == "previous":
            starts = nest.map_leaves(
                lambda size, tensor: zero_state(size, rows, tensor.dtype), cell.output_size, output
            )
            last = _insides(starts, "previous")
            states, befores = [*states, *nest.flatten(starts)], [*befores, *nest.flatten(last)]
        output = going.kept(output, last)
        afters += nest.flatten(output) if last is not None else []
    outputs = nest.flatten(output)
    made = {f"{tensor.name}/next": new for tensor, new in zip(befores, afters, strict=True)}
    body, shared = _body([*befores, *step], made | dict(zip(_names("output", output), outputs, strict=True)))
    ways = [backward] * len(step), [backward] * len(outputs)
    results = scan(body, states, scanned, shared, input_directions=ways[0], output_directions=ways[1])
    final = [named(tensor, inner.name) for tensor, inner in zip(results, befores, strict=False)]
    stacks = [named(tensor, "outputs") for tensor in results[len(states) :]]
    last_of_each = [
        final[afters.index(tensor)] if tensor in afters else named(stack[0 if backward else -1], "output")
        for tensor, stack in zip(outputs, stacks, strict=True)
    ]
    return (
        RolledSteps(nest.pack(output, stacks), steps.time),
        nest.pack(output, last_of_each),
        nest.pack(after, final[: len(nest.flatten(after))]),
    )


def _names(name: str, structure: Any) -> list[str]:
    """Return a name for each leaf of a nest."""
    return [f"{name}/{path}" if path else name for path, _ in nest.flatten_with_paths(structure)]


def _inside(tensor: Tensor, name: str, shape: Sequence[Dim] | None = None) -> Placeholder:
    """Return what stands for a tensor, or for a step of it of another shape, in the body."""
    return Placeholder(tensor.shape if shape is None else tuple(shape), tensor.dtype, name)


def _insides(structure: Any, name: str) -> Any:
    """Return what stands for the tensors of a nest in the body."""
    names = _names(name, structure)
    return nest.pack(structure, [_inside(part, at) for part, at in zip(nest.flatten(structure), names, strict=True)])


def _valid_at_a_step(valid: RolledSteps | RolledLengths) -> tuple[list[tuple[Tensor, Placeholder]], Tensor]:
    """Return what is scanned to tell the valid rows, each with what stands for a step of it, and the column of a step."""
    if isinstance(valid, RolledLengths):
        number = _inside(valid.numbers, "step", ())
        return [(valid.numbers, number)], named(ops.less(number, valid.column), "valid")
    mask = _inside(valid.whole, "valid", valid.whole.shape[1:])
    return [(valid.whole, mask)], mask


def _rows_of(whole: Tensor, batch: Sequence[Dim]) -> int | Tensor | None:
    """Return how many rows there are, as cells take it to make a state."""
    if not batch:
        return None
    if isinstance(batch[0], Dimension):
        with beside_steps("zero_state"):
            return ops.shape(whole)[1:2]
    return batch[0]


def _checked_start(
    cell: RNNCellLike, state: State, rows: int | Tensor | None, batch: Any, dtype: np.dtype[Any], what: str
) -> State:
    """Return the state before the first step, checked; zeros where none is given."""
    if state is None:
        state = initial_state(cell, rows, dtype)
    state = nest.coerced(cell.state_size, state)
    where = f"{what}: initial_state" if what else "initial_state"
    with beside_steps("initial_state"):
        state = agreed_state(where, cell.state_size, state, batch)
    check_state(where, cell.state_size, state, batch, dtype)
    return state


def _body(inputs: Sequence[Placeholder], outputs: Mapping[str, Tensor]) -> tuple[Graph, list[Tensor]]:
    """Return the body, and what it reads from outside, for which placeholders stand in it.

    Only nodes that depend on its inputs are in it: the others compute the same at every step.
    """
    changing: set[Tensor] = set(inputs)
    nodes = []
    for node in nodes_before(outputs.values()):
        if not changing.isdisjoint(node.inputs):
            nodes.append(node)
            changing.update(node.outputs)
    read = [tensor for node in nodes for tensor in node.inputs if tensor is not None]
    outside = dict.fromkeys(
        tensor for tensor in (*read, *outputs.values()) if tensor not in changing and not isinstance(tensor, Constant)
    )
    names = {item.name for item in inputs} | set(outputs)
    shared = []
    for tensor in outside:
        name = tensor.label
        while name in names:
            name += "_"
        names.add(name)
        shared.append(_inside(tensor, name))
    inner: dict[Tensor, Tensor] = dict(zip(outside, shared, strict=True))
    for node in nodes:
        operands = tuple(tensor if tensor is None else inner.get(tensor, tensor) for tensor in node.inputs)
        inner |= zip(node.outputs, node.copied(operands, node.provenance).outputs, strict=True)
    made = {name: inner.get(tensor, tensor) for name, tensor in outputs.items()}
    return Graph([*inputs, *shared], made), list(outside)
