"""The two contracts a cell can keep, TensorFlow's and Keras's, and how drivers take both.

TensorFlow 1: ``cell(inputs, state) -> (output, new_state)`` with `state_size` and `output_size`; the state is a nest as
`state_size`. Keras: ``cell.call(inputs, states) -> (output, new_states)`` with `state_size`, and optionally `output_size`,
`build` and `get_initial_state`; the states are always a list.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import nest, scopes
from unroll.cells.rnn_cell import RNNCell, RNNCellLike, State, batch_of, snake_case, zero_state
from unroll.dimensions import Shape
from unroll.dtypes import DType
from unroll.errors import ArgumentError, StructureError
from unroll.tensor import Tensor
from unroll.weights import WeightOwner


def as_cell(cell: Any, what: str) -> RNNCellLike:
    """Return `cell` under TensorFlow's contract: itself, or a Keras-contract cell as seen through `KerasContract`.

    Args:
        cell: a cell of either contract.
        what: who asks, for messages.

    Raises:
        ArgumentError: a part of the contract is missing; the message names it.
    """
    adapt = getattr(cell, "as_cell", None)
    if callable(adapt) and not isinstance(cell, type):  # a cell of another contract, which adapts itself
        cell = adapt()
    hint = f"; make one: {cell.__name__}(...)" if isinstance(cell, type) else ""
    keras = callable(getattr(cell, "call", None)) and not isinstance(cell, (RNNCell, KerasContract))
    needed = ("state_size",) if keras else ("state_size", "output_size")
    missing = [part for part in needed if not hasattr(type(cell), part) and not hasattr(cell, part)]
    if not keras and not callable(cell):
        missing.append("__call__(inputs, state), or Keras's call(inputs, states)")
    if missing or isinstance(cell, type):
        lacks = f" lacks {', '.join(missing)}" if missing else " is a class"
        raise ArgumentError(f"{what}: {cell!r} is not a cell: it{lacks}{hint}")
    return KerasContract(cell) if keras else cell


def call_step(cell: RNNCellLike, inputs: Any, state: State, batch: Shape, dtype: DType) -> Any:
    """Trace one step of `cell` from a state that has been checked.

    A cell checks the state it is called with. That is left out where it would be the same check again: of an `RNNCell`,
    on an input that is one tensor of the batch and dtype that the state was checked for.

    Args:
        cell: the cell, under TensorFlow's contract.
        inputs: the input of the step.
        state: the state, built as ``cell.state_size``.
        batch: the batch axis of its parts, as a shape.
        dtype: the dtype of its parts.

    Returns:
        What the cell returns, not checked.
    """
    same = isinstance(inputs, Tensor) and inputs.dtype == dtype and batch_of(inputs) == batch
    if same and isinstance(cell, RNNCell) and cell._takes_checked:
        return cell.call_checked(inputs, state)
    return cell(inputs, state)


def inner_step(cell: RNNCellLike, inputs: Any, state: State, batch: Shape, dtype: DType) -> tuple[Any, State]:
    """Trace one step of a cell within another, as `call_step` does, and check what comes of it; drivers check only the cell
    that they call.

    Raises:
        StructureError: the cell does not return an output and a state of tensors, built as its sizes say.
    """
    return returned(cell, call_step(cell, inputs, state, batch, dtype))


def returned(cell: RNNCellLike, result: Any, what: str = "") -> tuple[Any, State]:
    """Return what a cell returned, an output and a state, once both are tensors built as its sizes say.

    Raises:
        StructureError: they are not; the message begins with `what`, which is the cell by default.
    """
    what = what or str(getattr(cell, "name", type(cell).__name__))
    if not isinstance(result, tuple) or len(result) != 2:
        raise StructureError(f"{what}: it returned {nest.sketch(result)}; a cell returns (output, new_state)")
    for part, size, name in zip(result, (cell.output_size, cell.state_size), ("output", "new state"), strict=True):
        nest.check_same_structure(size, part, f"{what}: the {name}")
        for leaf in nest.flatten(part):
            if not isinstance(leaf, Tensor):
                raise StructureError(f"{what}: the {name} {leaf!r} is no tensor")
    output, state = result
    return output, state


def cell_name(cell: Any) -> str:
    """Return what a cell is called: its name, that of its class in snake case where it has none."""
    name = cell._called if isinstance(cell, WeightOwner) else getattr(cell, "name", None)
    return str(name or snake_case(type(cell).__name__))


class KerasContract:
    """A Keras-contract cell as the drivers see it: the state as `state_size` is built, not always a list.

    Args:
        cell: the cell. One that has no ``__call__`` is built and called here, under its class name in snake case.
    """

    def __init__(self, cell: Any) -> None:
        self.cell = cell
        self.name = cell_name(cell)

    @property
    def state_size(self) -> Any:
        """As the cell has it: an int, or a list or tuple with one entry a state."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """As the cell has it; where it does not say, the size of its first state."""
        found = getattr(self.cell, "output_size", None)
        return nest.flatten(self.state_size)[0] if found is None else found

    def __call__(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step.

        Raises:
            StructureError: the cell does not return an output and a state.
        """
        states = list(state) if nest.is_nested(state) else [state]
        result = self.cell(inputs, states) if callable(self.cell) else self._call(inputs, states)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise StructureError(
                f"{self.name}: call(inputs, states) returned {nest.sketch(result)}; (output, [states]) is wanted"
            )
        leaves, places = nest.flatten(result[1]), len(nest.flatten(self.state_size))
        if len(leaves) != places:
            raise StructureError(
                f"{self.name}: call(inputs, states) returned {len(leaves)} states, but its state_size {self.state_size} "
                f"has {places}"
            )
        return result[0], nest.pack(self.state_size, leaves)

    def _call(self, inputs: Any, states: list[Any]) -> Any:
        with scopes.in_cell(self.name):
            if not getattr(self.cell, "built", False) and hasattr(self.cell, "build"):
                self.cell.build(tuple(inputs.shape))
                self.cell.built = True
            return self.cell.call(inputs, states)

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        """Return the first state: the cell's own `get_initial_state`, or zeros."""
        make = getattr(self.cell, "get_initial_state", None)
        if make is None:
            return zero_state(self.state_size, batch_size, dtype)
        return nest.pack(self.state_size, nest.flatten(make(batch_size=batch_size)))
