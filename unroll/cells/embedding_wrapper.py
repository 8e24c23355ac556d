"""A wrapper that reads integers as rows of a table."""

from __future__ import annotations

import math
from typing import Any

from unroll import nest, scopes
from unroll.cells.building_blocks import check_initializer
from unroll.cells.contract import returned
from unroll.cells.projection import WeightedWrapper
from unroll.cells.rnn_cell import RNNCellLike, State
from unroll.checks import check_size
from unroll.errors import ArgumentTypeError, DTypeError, ShapeError
from unroll.initializers import RandomUniform
from unroll.look_up import look_up
from unroll.ops import squeeze
from unroll.tensor import Tensor


class EmbeddingWrapper(WeightedWrapper):
    """The cell over rows of a table chosen by integers, as TensorFlow 1's contrib ``EmbeddingWrapper``.

    ``cell(embedding[ids], state)``; embedding ``(embedding_classes, embedding_size)``, at first uniform with variance 1. It
    has the dtype of the state. A step's input is integers ``(batch,)`` or ``(batch, 1)``, or one without a batch.

    Args:
        cell: the cell inside, whose input is `embedding_size` wide.
        embedding_classes: how many rows the table has; ids are from 0 to one less.
        embedding_size: how wide the rows are.
        initializer: draws the table; by default that of the scope, else uniform in ``-sqrt(3) .. sqrt(3)``.
        reuse: TensorFlow's; only None and False are taken.
        name: the wrapper's scope; ``embedding_wrapper`` by default.

    Raises:
        ArgumentTypeError, ArgumentError: no cell, a size that is not an int of at least 1, or no such initialiser.
        ArgumentTypeError, DTypeError, ShapeError: when called with an input that is not integers of such a shape.
        ArgumentError: ids that the table does not have; those of a placeholder are checked when it is fed.

    Example:
        >>> cell = unroll.cells.EmbeddingWrapper(unroll.GRUCell(5), embedding_classes=100, embedding_size=8)
        >>> ids = unroll.placeholder([None], name="ids", dtype="int64")
        >>> outputs, state = unroll.static_rnn(cell, [ids], dtype="float32")
        >>> outputs[0].shape, cell.weights["embedding"].shape
        ((batch, 5), (100, 8))
    """

    def __init__(
        self,
        cell: RNNCellLike,
        embedding_classes: int,
        embedding_size: int,
        initializer: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(cell, reuse, name)
        self.embedding_classes = check_size(embedding_classes, "EmbeddingWrapper: embedding_classes")
        self.embedding_size = check_size(embedding_size, "EmbeddingWrapper: embedding_size")
        self.initializer = check_initializer(initializer, "EmbeddingWrapper: initializer")

    def check_input(self, inputs: Any) -> None:
        what = f"EmbeddingWrapper {self.name!r}: the input"
        if not isinstance(inputs, Tensor):
            raise ArgumentTypeError(f"{what} {nest.sketch(inputs)} is no tensor")
        if inputs.dtype.kind != "i":
            raise DTypeError(
                f"{what} {inputs.described()} must be integers; convert it with unroll.ops.cast(x, 'int64')"
            )
        if inputs.rank > 2 or (inputs.rank == 2 and inputs.shape[1] != 1):
            raise ShapeError(f"{what} {inputs.described()} must be one integer a row: (batch,) or (batch, 1)")

    def call(self, inputs: Tensor, state: State) -> tuple[Any, State]:
        limit = math.sqrt(3)  # gives variance 1
        draw = self.initializer or scopes.current().initializer or RandomUniform(-limit, limit)
        shape, dtype = (self.embedding_classes, self.embedding_size), nest.flatten(state)[0].dtype
        table = self.add_weight("embedding", shape, draw, dtype=dtype)
        ids = squeeze(inputs, [1]) if inputs.rank == 2 else inputs
        rows = look_up(table, ids, f"EmbeddingWrapper {self.name!r}: ids", "embedded")
        return returned(self.cell, self.cell(rows, state))
