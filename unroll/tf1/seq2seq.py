"""``tf.contrib.seq2seq``: decoders over a number of steps that is known, helpers, attention and the loss of sequences.

TensorFlow decodes until every row is done; a graph has a fixed number of steps. What comes after the step where every row was
done is there too, zeros with `impute_finished`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from unroll import nest, scopes
from unroll.checks import check_flag, check_size
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.tf1.first_values import TABLE as INITIALIZERS
from unroll.tf1.layers import Dense
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.operators import TABLE as TF
from unroll.tf1.operators import constant, convert_to_tensor
from unroll.tf1.signatures import takes
from unroll.tf1.variables import entered, get_variable
from unroll.words import spelled


@takes(
    "contrib.seq2seq.sequence_loss",
    "logits, targets, weights, average_across_timesteps=True, average_across_batch=True, softmax_loss_function=None, name=None",
)
def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: Any,
    average_across_batch: Any,
    softmax_loss_function: Any,
) -> Any:
    """Return the cross-entropy of each step, averaged by its weights over time, the batch, both or neither."""
    loss = softmax_loss_function or NN["sparse_softmax_cross_entropy_with_logits"]
    weights = convert_to_tensor(weights)
    found = loss(labels=targets, logits=logits) * weights
    axes = [axis for axis, is_averaged in enumerate((average_across_batch, average_across_timesteps)) if is_averaged]
    if not axes:
        return found
    total = TF["reduce_sum"](weights, axes)
    return TF["reduce_sum"](found, axes) / TF["where"](total > 0, total, TF["ones_like"](total))


class BasicDecoderOutput(NamedTuple):
    """What a decoder gives: outputs, and the ids that were chosen by them."""

    rnn_output: Any
    sample_id: Any


def _time_first(x: Any) -> Any:
    return TF["transpose"](x, [1, 0, *range(2, x.core.rank)])


class TrainingHelper:
    """Gives a decoder the inputs that it is trained on, step by step."""

    @takes("contrib.seq2seq.TrainingHelper", "self, inputs, sequence_length, time_major=False, name=None")
    def __init__(self, inputs: Any, sequence_length: Any, time_major: bool) -> None:
        steps = inputs if time_major else _time_first(convert_to_tensor(inputs))
        self._steps, self.sequence_length = TF["unstack"](steps), convert_to_tensor(sequence_length)
        #: How many steps there are.
        self.steps = len(self._steps)

    def initialize(self) -> Any:
        """Return which rows are done at the start, and the first input."""
        return TF["equal"](self.sequence_length, 0), self._steps[0]

    def sample(self, time: int, outputs: Any, state: Any) -> Any:
        """Return the ids of the largest outputs."""
        return TF["argmax"](outputs, -1, output_type="int32")

    def next_inputs(self, time: int, outputs: Any, state: Any, sample_ids: Any) -> Any:
        """Return which rows are done, the next input and the state."""
        later = self._steps[min(time + 1, self.steps - 1)]
        return TF["greater_equal"](time + 1, self.sequence_length), later, state


class GreedyEmbeddingHelper:
    """Gives a decoder the embedding of the id that it chose last, until that is the end's."""

    steps = None

    @spelled()
    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embed = embedding if callable(embedding) else lambda ids: NN["embedding_lookup"](embedding, ids)
        self._start, self._end = convert_to_tensor(start_tokens), end_token

    def initialize(self) -> Any:
        """Return which rows are done at the start, none, and the embeddings of the first ids."""
        return TF["not_equal"](self._start, self._start), self._embed(self._start)

    sample = TrainingHelper.sample

    def next_inputs(self, time: int, outputs: Any, state: Any, sample_ids: Any) -> Any:
        """Return which rows are done, the next input and the state."""
        return TF["equal"](sample_ids, self._end), self._embed(sample_ids), state


class BasicDecoder:
    """A cell whose inputs a helper gives, and whose outputs a layer may go over."""

    @spelled()
    def __init__(self, cell: Any, helper: Any, initial_state: Any, output_layer: Any = None) -> None:
        self.cell, self.helper, self.initial_state, self.output_layer = cell, helper, initial_state, output_layer

    def initialize(self) -> Any:
        """Return which rows are done at the start, the first input and the first state."""
        return (*self.helper.initialize(), self.initial_state)

    def step(self, time: int, inputs: Any, state: Any) -> Any:
        """Return the output, the next state, the next input and which rows are done."""
        outputs, state = self.cell(inputs, state)
        outputs = outputs if self.output_layer is None else self.output_layer(outputs)
        ids = self.helper.sample(time, outputs, state)
        finished, later, state = self.helper.next_inputs(time, outputs, state, ids)
        return BasicDecoderOutput(outputs, ids), state, later, finished


@takes(
    "contrib.seq2seq.dynamic_decode",
    "decoder, output_time_major=False, impute_finished=False, maximum_iterations=None, parallel_iterations=32, "
    "swap_memory=False, scope=None",
)
def dynamic_decode(
    decoder: Any, output_time_major: Any, impute_finished: Any, maximum_iterations: Any, scope: Any
) -> Any:
    """Return the outputs of a decoder, its last state, and how long each row became.

    Raises:
        ArgumentError: it is not known how many steps there are.
        ArgumentTypeError: `decoder` is no decoder.
    """
    if not isinstance(decoder, BasicDecoder):
        raise ArgumentTypeError(f"dynamic_decode: decoder is {decoder!r}; a tf.contrib.seq2seq.BasicDecoder is wanted")
    most = convert_to_tensor(maximum_iterations).core if maximum_iterations is not None else None
    given = (getattr(most, "known", None), getattr(decoder.helper, "steps", None))
    counts = [check_size(item, "dynamic_decode: maximum_iterations") for item in given if item is not None]
    if not counts:
        raise ArgumentError("dynamic_decode: a graph has a fixed number of steps: give maximum_iterations=20")
    with entered(scope, "decoder"):
        finished, inputs, state = decoder.initialize()
        lengths, emitted = TF["zeros_like"](TF["cast"](finished, "int32")), []
        for time in range(min(counts)):
            with scopes.at_step(time):
                outputs, later, inputs, done = decoder.step(time, inputs, state)
                if impute_finished:
                    outputs = nest.map_leaves(lambda x, f=finished: TF["where"](f, TF["zeros_like"](x), x), outputs)
                    later = nest.map_leaves(
                        lambda new, old, f=finished: TF["where"](f, old, new) if new.shape.ndims else new, later, state
                    )
                lengths = TF["where"](finished, lengths, TF["fill"](TF["shape"](lengths), time + 1))
                finished, state = TF["logical_or"](done, finished), later
            emitted.append(outputs)
    joined = nest.map_leaves(lambda *items: TF["stack"](list(items), 0 if output_time_major else 1), *emitted)
    return joined, state, lengths


# -- attention --------------------------------------------------------------------------------------------------------


_ATTENTION = (
    "self, num_units, memory, memory_sequence_length=None, {}=False, probability_fn=None, score_mask_value=None, dtype=None, "
    "custom_key_value_fn=None, name=None"
)


class _Attention:
    """What is attended to: values of a memory, which has no steps past its lengths, and keys made of them."""

    def __init__(self, units: Any, memory: Any, lengths: Any, is_weighed: bool, choose: Any) -> None:
        self.units = check_size(units, f"{type(self).__name__}: num_units")
        self.weighed, self._choose = is_weighed, choose or NN["softmax"]
        self.values, self._mask = convert_to_tensor(memory), None
        if lengths is not None:
            mask = TF["sequence_mask"](lengths, TF["shape"](self.values)[1])
            self._mask = mask
            self.values = self.values * TF["expand_dims"](TF["cast"](mask, self.values.dtype), 2)
        self.keys = Dense(self.units, use_bias=False, name="memory_layer")(self.values)

    def score(self, query: Any) -> Any:
        """Return how much each step is attended to, before it is made a probability."""
        raise NotImplementedError(type(self).__name__)

    def __call__(self, query: Any) -> Any:
        score = self.score(query)
        if self._mask is not None:
            score = TF["where"](self._mask, score, TF["ones_like"](score) * -np.inf)
        return self._choose(score)


class BahdanauAttention(_Attention):
    """Attention by a layer over keys and query: Bahdanau et al. 2014 (arXiv:1409.0473)."""

    _layer: Any = None

    @takes("contrib.seq2seq.BahdanauAttention", _ATTENTION.format("normalize"))
    def __init__(
        self, num_units: Any, memory: Any, memory_sequence_length: Any, normalize: bool, probability_fn: Any
    ) -> None:
        super().__init__(num_units, memory, memory_sequence_length, normalize, probability_fn)

    def score(self, query: Any) -> Any:
        self._layer = self._layer or Dense(self.units, use_bias=False, name="query_layer")
        with entered(None, "bahdanau_attention"):
            mixed = self.keys + TF["expand_dims"](self._layer(query), 1)
            v = get_variable("attention_v", [self.units], query.dtype)
            if self.weighed:
                g = get_variable("attention_g", [], query.dtype, INITIALIZERS["constant_initializer"](self.units**-0.5))
                mixed = mixed + get_variable(
                    "attention_b", [self.units], query.dtype, INITIALIZERS["zeros_initializer"]()
                )
                v = g * v * TF["rsqrt"](TF["reduce_sum"](TF["square"](v)))
            return TF["reduce_sum"](v * TF["tanh"](mixed), [2])


class LuongAttention(_Attention):
    """Attention by products of keys and query: Luong et al. 2015 (arXiv:1508.04025)."""

    @takes("contrib.seq2seq.LuongAttention", _ATTENTION.format("scale"))
    def __init__(
        self, num_units: Any, memory: Any, memory_sequence_length: Any, scale: bool, probability_fn: Any
    ) -> None:
        super().__init__(num_units, memory, memory_sequence_length, check_flag(scale, "scale"), probability_fn)

    def score(self, query: Any) -> Any:
        with entered(None, "luong_attention"):
            found = TF["squeeze"](TF["matmul"](TF["expand_dims"](query, 1), self.keys, transpose_b=True), [1])
            return (
                get_variable("attention_g", [], query.dtype, INITIALIZERS["ones_initializer"]()) * found
                if self.weighed
                else found
            )


class AttentionWrapperState(NamedTuple):
    """The state of a cell that attends."""

    cell_state: Any
    attention: Any
    time: Any
    alignments: Any
    alignment_history: Any
    attention_state: Any

    def clone(self, **given: Any) -> AttentionWrapperState:
        """Return the state with other parts."""
        return self._replace(**given)


class AttentionWrapper:
    """A cell that reads its input beside what it attended to last, and attends by its output.

    Raises:
        ArgumentError: several mechanisms, or a history of alignments.
    """

    @takes(
        "contrib.seq2seq.AttentionWrapper",
        "self, cell, attention_mechanism, attention_layer_size=None, alignment_history=False, cell_input_fn=None, "
        "output_attention=True, initial_cell_state=None, name=None, attention_layer=None",
    )
    def __init__(
        self, cell: Any, attention_mechanism: Any, attention_layer_size: Any, alignment_history: Any, cell_input_fn: Any,
        output_attention: Any, initial_cell_state: Any, name: Any, attention_layer: Any,
    ) -> None:  # fmt: skip
        if not isinstance(attention_mechanism, _Attention) or alignment_history:
            raise ArgumentError(
                "AttentionWrapper: one attention mechanism is wanted, and no alignment_history: fetch the alignments"
            )
        size = attention_layer_size
        layer = None if size is None else Dense(size, use_bias=False, name="attention_layer")
        self._cell, self._mechanism, self._layer = cell, attention_mechanism, attention_layer or layer
        self._join = cell_input_fn or (lambda inputs, attention: TF["concat"]([inputs, attention], -1))
        self._gives_attention, self._first, self._name = output_attention, initial_cell_state, name
        self._scope: Any = None
        #: How wide what it attends to is.
        self.attention_size = int(
            size or getattr(attention_layer, "units", None) or attention_mechanism.values.shape[-1]
        )
        self.output_size = self.attention_size if output_attention else cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> AttentionWrapperState:
        """Return the state before the first step: zeros, and the cell's first state where one was given."""
        first = self._cell.zero_state(batch_size, dtype) if self._first is None else self._first
        attention, sizes = TF["zeros"]([batch_size, self.attention_size], dtype), TF["shape"](self._mechanism.keys)[1]
        alignments = TF["zeros"]([batch_size, sizes], dtype)
        return AttentionWrapperState(first, attention, constant(0), alignments, (), alignments)

    def __call__(self, inputs: Any, state: AttentionWrapperState, scope: Any = None) -> Any:
        """Return the output and the state of one step."""
        with entered(
            scope or self._scope or self._name, "attention_wrapper", reuse=True if self._scope else None
        ) as self._scope:
            output, cell_state = self._cell(self._join(inputs, state.attention), state.cell_state)
            alignments = self._mechanism(output)
            context = TF["squeeze"](TF["matmul"](TF["expand_dims"](alignments, 1), self._mechanism.values), [1])
            attention = context if self._layer is None else self._layer(TF["concat"]([output, context], 1))
            new = AttentionWrapperState(cell_state, attention, state.time + 1, alignments, (), alignments)
            return (attention if self._gives_attention else output), new


TABLE: dict[str, Any] = {
    item.__name__: item
    for item in (
        AttentionWrapper, AttentionWrapperState, BahdanauAttention, BasicDecoder, BasicDecoderOutput, GreedyEmbeddingHelper,
        LuongAttention, TrainingHelper, dynamic_decode, sequence_loss,
    )
}  # fmt: skip
