"""Cells stacked on one another, as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, scopes
from unroll.cells.contract import as_cell, returned
from unroll.cells.rnn_cell import dims_of, zero_state
from unroll.errors import ArgumentError, StructureError
from unroll.layers.arguments import Regularizer
from unroll.layers.layer import Layer
from unroll.layers.sublayers import name_parts
from unroll.tensor import Tensor


class StackedRNNCells(Layer):
    """Cells in a stack, the output of each the input of the next: Keras 3's ``StackedRNNCells``.

    Args:
        cells: the cells, from the input up: those of `unroll.layers`, of TensorFlow's contract, or your own. Those without a
            name are called by their class, a second one ``lstm_cell_1``.
        name: the cell's scope; ``stacked_rnn_cells`` by default.
        dtype: of the weights; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentError: no cells, or something that is no cell.

    Example:
        >>> cell = layers.StackedRNNCells([layers.LSTMCell(13), layers.GRUCell(5)])
        >>> cell.state_size  # h and c of the first, h of the second
        [[13, 13], 5]
    """

    def __init__(
        self,
        cells: Sequence[Any],
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable, activity_regularizer=activity_regularizer)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ArgumentError(f"StackedRNNCells: a non-empty list of cells is wanted, not {cells!r}")
        self.cells = list(cells)
        self._contracts = [as_cell(cell, "StackedRNNCells") for cell in cells]
        name_parts(cells, "StackedRNNCells")

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells, as each has them."""
        return [contract.state_size for contract in self._contracts]

    @property
    def output_size(self) -> Any:
        """The width of the last cell's output."""
        return self._contracts[-1].output_size

    @property
    def state_names(self) -> tuple[str, ...]:
        """The cells' names and those of their states: ``lstm_cell/h``."""
        pairs = zip(self.cells, self._contracts, strict=True)
        return tuple(
            scopes.join(str(getattr(contract, "name", place)), name)
            for place, (cell, contract) in enumerate(pairs)
            for name in state_names(cell)
        )

    def build(self, input_shape: Any) -> None:
        """Build each cell on the output of the one below."""
        for cell, contract in zip(self.cells, self._contracts, strict=True):
            self._build_part(cell, input_shape)
            input_shape = (input_shape[0], *dims_of(contract.output_size))

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Trace one step, and return the output of the last cell and the new states.

        Args:
            inputs: the input of the first cell.
            states: those of each cell, in a list or, where a cell has one, without.
            training: whatever it is, the trace infers.

        Returns:
            The output of the last cell, and the new states in a list as `states`.

        Raises:
            StructureError: there are not as many states as the cells have.
        """
        states = list(states) if nest.is_nested(states) else [states]
        if len(states) != len(self.cells):
            raise StructureError(
                f"{self.described()}: states {nest.sketch(states)} were given; a list with those of each of {len(self.cells)} "
                "cells is wanted"
            )
        new_states = []
        for contract, old in zip(self._contracts, states, strict=True):
            packed = nest.pack(contract.state_size, nest.flatten(old))
            inputs, new = returned(contract, contract(inputs, packed))
            new_states.append(nest.pack(old, nest.flatten(new)))
        return inputs, new_states

    def get_initial_state(self, batch_size: Any = None) -> list[list[Tensor]]:
        """Return the first states of each cell."""
        return [list(nest.flatten(self._first(contract, batch_size))) for contract in self._contracts]

    def _first(self, contract: Any, batch_size: Any) -> Any:
        make = getattr(contract, "zero_state", None)
        with scopes.beside_steps(str(getattr(contract, "name", "cell"))):
            return make(batch_size, self.dtype) if make else zero_state(contract.state_size, batch_size, self.dtype)


def state_names(cell: Any) -> tuple[str, ...]:
    """Return what the states of a cell are called: as it says, by the fields of a named tuple, or by their place."""
    said = getattr(cell, "state_names", None)
    if said is not None:
        return tuple(said)
    paths = [path.replace("/", "_") for path, _ in nest.flatten_with_paths(cell.state_size)]
    return tuple(path if path and not path.isdigit() else f"state{'_' if path else ''}{path}" for path in paths)
