"""What gives a decoder its inputs: those that it is trained on, or what it said last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import ops
from unroll.checks import check_flag, check_int
from unroll.dimensions import Dim
from unroll.errors import ShapeError
from unroll.look_up import look_up
from unroll.ops.given_sizes import plain_size
from unroll.ops.operator import as_tensor
from unroll.parameter import Parameter
from unroll.tensor import Tensor
from unroll.words import spelled


def lengths_of(value: Any, rows: Dim, what: str) -> Tensor:
    """Return how many steps each row has.

    Raises:
        ShapeError: it is no number for each of so many rows.
    """
    lengths = as_tensor(value, what)
    if lengths.rank != 1 or (isinstance(rows, int) and isinstance(lengths.shape[0], int) and lengths.shape[0] != rows):
        raise ShapeError(f"{what} {lengths.described()}: one number for each row, shape ({rows},), is wanted")
    return lengths


class TrainingHelper:
    """Gives a decoder the inputs that it is trained on, step by step.

    Args:
        inputs: ``(batch, time, features)``, or ``(time, batch, features)`` if `time_major`; the time must be known.
        sequence_length: how many steps each row has, ``(batch,)``.
        time_major: time is axis 0 of the inputs.

    Attributes:
        steps: how many steps there are.

    Raises:
        ShapeError: the inputs have fewer than two axes, or their time is not known; or the lengths are not one a row.

    Example:
        >>> x = unroll.placeholder([None, 4, 3], name="x")
        >>> helper = unroll.seq2seq.TrainingHelper(x, unroll.placeholder([None], name="lengths", dtype="int32"))
        >>> helper.steps
        4
    """

    @spelled()
    def __init__(self, inputs: Tensor, sequence_length: Any, time_major: bool = False) -> None:
        x, is_first = as_tensor(inputs, "TrainingHelper: inputs"), check_flag(time_major, "TrainingHelper: time_major")
        if x.rank < 2:
            raise ShapeError(f"TrainingHelper: inputs {x.described()} must be (batch, time, features)")
        self._inputs = ops.unstack(x, 0 if is_first else 1)
        self.sequence_length = lengths_of(sequence_length, x.shape[is_first], "TrainingHelper: sequence_length")
        self.steps = len(self._inputs)

    def initialize(self) -> tuple[Tensor, Tensor]:
        """Return which rows are done at the start, and the first input."""
        return ops.equal(self.sequence_length, 0), self._inputs[0]

    def sample(self, time: int, outputs: Tensor, state: Any) -> Tensor:
        """Return the ids of the largest outputs, int32."""
        return ops.cast(ops.argmax(outputs, -1), "int32")

    def next_inputs(self, time: int, outputs: Tensor, state: Any, sample_ids: Tensor) -> tuple[Tensor, Tensor, Any]:
        """Return which rows are done, the next input and the state."""
        later = self._inputs[min(time + 1, self.steps - 1)]
        return ops.greater_equal(time + 1, self.sequence_length), later, state


class GreedyEmbeddingHelper:
    """Gives a decoder the embedding of the id that it chose last, until that is the end's.

    Args:
        embedding: the table ``(ids, features)``, or a function of ids.
        start_tokens: the first ids, ``(batch,)``.
        end_token: the id that ends a row, an int or a tensor.

    Raises:
        DTypeError, ShapeError: `embedding` is neither a table nor a function.
        ArgumentTypeError: `end_token` is neither an int nor a tensor.

    Example:
        >>> table = unroll.Parameter([[0.0, 1.0], [2.0, 3.0]], name="table")
        >>> helper = unroll.seq2seq.GreedyEmbeddingHelper(table, [1, 1], end_token=0)
        >>> finished, first = helper.initialize()
        >>> first.shape
        (2, 2)
    """

    steps: int | None = None

    @spelled()
    def __init__(self, embedding: Tensor | Callable[[Tensor], Tensor], start_tokens: Any, end_token: Any) -> None:
        given: Any = embedding
        is_function = callable(embedding) and not isinstance(embedding, Tensor)
        self._embedding: Any = given if is_function else as_tensor(given, "GreedyEmbeddingHelper: embedding")
        end = plain_size(end_token)
        self._end = end if isinstance(end, Tensor) else check_int(end, "GreedyEmbeddingHelper: end_token")
        self._start = as_tensor(start_tokens, "GreedyEmbeddingHelper: start_tokens")

    def _embedded(self, ids: Tensor) -> Tensor:
        if isinstance(self._embedding, Parameter):
            return look_up(self._embedding, ids, "GreedyEmbeddingHelper: ids")
        is_table, find = isinstance(self._embedding, Tensor), self._embedding
        found: Tensor = ops.gather(find, ids, 0) if is_table else find(ids)
        return found

    def initialize(self) -> tuple[Tensor, Tensor]:
        """Return which rows are done at the start, none, and the embeddings of the first ids."""
        return ops.not_equal(self._start, self._start), self._embedded(self._start)

    sample = TrainingHelper.sample

    def next_inputs(self, time: int, outputs: Tensor, state: Any, sample_ids: Tensor) -> tuple[Tensor, Tensor, Any]:
        """Return which rows are done, the next input and the state."""
        return ops.equal(sample_ids, self._end), self._embedded(sample_ids), state
