"""Decoding over a number of steps that is known.

TensorFlow decodes until every row is done; a graph has a fixed number of steps. What comes after the step where every row was
done is there too, zeros with `impute_finished`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from unroll import nest, ops, scopes
from unroll.arguments import checked
from unroll.cells.contract import as_cell
from unroll.cells.rnn_cell import RNNCellLike, State
from unroll.checks import check_flag, check_function, check_size, shown
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.garbage_collection import collector_paused
from unroll.ops.given_sizes import plain_size
from unroll.tensor import Tensor
from unroll.words import spelled


class BasicDecoderOutput(NamedTuple):
    """What a decoder gives.

    Attributes:
        rnn_output: the outputs of its cell, or of the layer over them.
        sample_id: the ids that were chosen by them.

    Example:
        >>> unroll.seq2seq.BasicDecoderOutput(1, 2)
        BasicDecoderOutput(rnn_output=1, sample_id=2)
    """

    rnn_output: Any
    sample_id: Any


class BasicDecoder:
    """A cell whose inputs a helper gives, and whose outputs a layer may go over; `dynamic_decode` runs it.

    Args:
        cell: the cell.
        helper: a `TrainingHelper` or `GreedyEmbeddingHelper`, or what has their methods:
            ``initialize() -> (finished, inputs)``, ``sample(time, outputs, state) -> ids``, and
            ``next_inputs(time, outputs, state, ids) -> (finished, inputs, state)``.
        initial_state: the state before the first step, such as that of an encoder.
        output_layer: a function of the cell's output, such as a dense layer.

    Raises:
        ArgumentError, ArgumentTypeError: no cell, no helper, or `output_layer` is no function.

    Example:
        >>> table = unroll.Parameter([[0.0, 1.0], [2.0, 3.0]], name="table")
        >>> helper = unroll.seq2seq.GreedyEmbeddingHelper(table, [1, 1], end_token=0)
        >>> cell = unroll.GRUCell(2)
        >>> decoder = unroll.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2))
        >>> outputs, state, lengths = unroll.seq2seq.dynamic_decode(decoder, maximum_iterations=3)
        >>> outputs.rnn_output.shape, outputs.sample_id.shape
        ((2, 3, 2), (2, 3))
    """

    @spelled()
    def __init__(self, cell: RNNCellLike, helper: Any, initial_state: State, output_layer: Any = None) -> None:
        lacking = [name for name in ("initialize", "sample", "next_inputs") if not hasattr(helper, name)]
        if lacking or isinstance(helper, type):
            lacks = f" has no {', '.join(lacking)}" if lacking else " is a class"
            wanted = "a TrainingHelper or GreedyEmbeddingHelper is wanted"
            raise ArgumentTypeError(f"BasicDecoder: helper {shown(helper)}{lacks}; {wanted}")
        self.cell, self.helper, self.initial_state = as_cell(cell, "BasicDecoder"), helper, initial_state
        what = "BasicDecoder: output_layer"
        self.output_layer = None if output_layer is None else check_function(output_layer, what)

    def initialize(self) -> tuple[Any, Any, State]:
        """Return which rows are done at the start, the first input and the first state."""
        return (*self.helper.initialize(), self.initial_state)

    def step(self, time: int, inputs: Any, state: State) -> tuple[BasicDecoderOutput, State, Any, Any]:
        """Return the output, the next state, the next input and which rows are done."""
        outputs, state = self.cell(inputs, state)
        outputs = outputs if self.output_layer is None else self.output_layer(outputs)
        ids = self.helper.sample(time, outputs, state)
        finished, later, state = self.helper.next_inputs(time, outputs, state, ids)
        return BasicDecoderOutput(outputs, ids), state, later, finished


@checked()
def dynamic_decode(
    decoder: Any,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: int | Tensor | None = None,
    scope: str | None = None,
) -> tuple[Any, State, Any]:
    """Trace a decoder over a fixed number of steps, as TensorFlow 1's contrib ``dynamic_decode``.

    Args:
        decoder: a `BasicDecoder`.
        output_time_major: time is axis 0 of the outputs instead of axis 1.
        impute_finished: outputs of rows that are done are zeros, and their states stay.
        maximum_iterations: the number of steps, at the most, an int or a tensor that is known while tracing: needed unless the
            helper knows how many there are.
        scope: the scope of variables and nodes; ``decoder`` by default.

    Returns:
        The outputs, stacked over time; the last state; and how many steps each row had, int32 ``(batch,)``.

    Raises:
        ArgumentError: it is not known how many steps there are.
        ArgumentTypeError: `decoder` is no decoder, or an argument is not what it must be.

    Example:
        >>> x, lengths = unroll.placeholder([None, 4, 3], name="x"), unroll.placeholder([None], name="n", dtype="int32")
        >>> cell = unroll.GRUCell(2)
        >>> first = cell.zero_state(unroll.ops.shape(x)[0])
        >>> decoder = unroll.seq2seq.BasicDecoder(cell, unroll.seq2seq.TrainingHelper(x, lengths), first)
        >>> outputs, state, said = unroll.seq2seq.dynamic_decode(decoder)
        >>> outputs.rnn_output.shape, said.shape
        ((batch, 4, 2), (batch,))
    """
    if not isinstance(decoder, BasicDecoder):
        raise ArgumentTypeError(f"dynamic_decode: decoder is {shown(decoder)}; a BasicDecoder is wanted")
    axis = 0 if check_flag(output_time_major, "dynamic_decode: output_time_major") else 1
    imputes = check_flag(impute_finished, "dynamic_decode: impute_finished")
    given = (maximum_iterations, getattr(decoder.helper, "steps", None))
    counts = [
        check_size(plain_size(count), "dynamic_decode: maximum_iterations") for count in given if count is not None
    ]
    if not counts:
        raise ArgumentError("dynamic_decode: a graph has a fixed number of steps: give maximum_iterations=20")
    emitted: list[Any] = []
    with collector_paused(), scopes.scope(scope or "decoder"):
        finished, inputs, state = decoder.initialize()
        lengths = ops.zeros(ops.shape(finished), "int32")
        for time in range(min(counts)):
            with scopes.at_step(time):
                outputs, later, inputs, done = decoder.step(time, inputs, state)
                if imputes:
                    outputs = nest.map_leaves(lambda x: _where(finished, 0, x), outputs)  # noqa: B023
                    later = nest.map_leaves(lambda new, old: _where(finished, old, new), later, state)  # noqa: B023
                lengths = ops.where(finished, lengths, time + 1)
                finished, state = ops.logical_or(done, finished), later
            emitted.append(outputs)
    return nest.map_leaves(lambda *items: ops.stack(list(items), axis), *emitted), state, lengths


def _where(finished: Any, done: Any, going: Any) -> Any:
    """Return what rows have that are done, and those that are not; a number of all rows goes on."""
    if not going.rank:
        return going
    return ops.where(ops.unsqueeze(finished, [*range(1, going.rank)]) if going.rank > 1 else finished, done, going)
