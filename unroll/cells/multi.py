"""Cells stacked on one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, scopes
from unroll.cells.contract import as_cell, inner_step
from unroll.cells.rnn_cell import RNNCell, RNNCellLike, State, batch_of, initial_state
from unroll.errors import ArgumentError
from unroll.ops import concat, split
from unroll.tensor import Tensor, named


class MultiRNNCell(RNNCell):
    """Cells in a stack: the output of each is the input of the next; TensorFlow 1's ``MultiRNNCell``.

    The variables of the cell in place i are under ``multi_rnn_cell/cell_<i>/``. A cell listed twice keeps the variables
    of its first place, and both places share them.

    Args:
        cells: the cells, from the input up.
        state_is_tuple: the state is a tuple of the cells' states; if False, they are joined on the last axis, and every
            cell's state must be one tensor.

    Raises:
        ArgumentError: no cells, something that is no cell, or nested states with ``state_is_tuple=False``.

    Example:
        >>> cell = unroll.MultiRNNCell([unroll.GRUCell(5), unroll.GRUCell(7)])
        >>> outputs, states = unroll.static_rnn(cell, [unroll.placeholder([2, 3], name="x")])
        >>> [tensor.shape for tensor in (*outputs, *states)]
        [(2, 7), (2, 5), (2, 7)]
    """

    def __init__(self, cells: Sequence[RNNCellLike], state_is_tuple: bool = True, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ArgumentError(f"MultiRNNCell: a non-empty list of cells is wanted, not {cells!r}")
        self.cells = tuple(as_cell(cell, "MultiRNNCell") for cell in cells)
        self.state_is_tuple = state_is_tuple
        if not state_is_tuple and any(nest.is_nested(cell.state_size) for cell in cells):
            raise ArgumentError("MultiRNNCell: state_is_tuple=False needs cells whose state is one tensor each")

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self.cells)
        return sizes if self.state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self.cells[-1].output_size

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        if not self.state_is_tuple:
            return super().zero_state(batch_size, dtype)
        return tuple(initial_state(cell, batch_size, dtype) for cell in self.cells)

    def call(self, inputs: Any, state: State) -> tuple[Any, State]:
        sizes = [cell.state_size for cell in self.cells]
        states = state if self.state_is_tuple else split(state, sizes, axis=-1)
        batch, dtype = batch_of(inputs), inputs.dtype
        new_states = []
        for place, (cell, old) in enumerate(zip(self.cells, states, strict=True)):
            with scopes.scope(f"cell_{place}"):
                inputs, new = inner_step(cell, inputs, old, batch, dtype)
            new_states.append(new)
        if self.state_is_tuple:
            return inputs, tuple(new_states)
        return inputs, named(concat(new_states, axis=-1), "state")
