"""``tf.contrib.seq2seq``: the core's decoders, helpers and attention, and the loss of sequences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from unroll import seq2seq
from unroll.tf1.cells import DEFINED, Cell, OfThisFace, for_core, of_this_face
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.operators import TABLE as TF
from unroll.tf1.operators import constant, convert_to_tensor
from unroll.tf1.recurrent import driver_scope
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import lifted, translated
from unroll.tf1.variables import numbered


@takes(
    "contrib.seq2seq.sequence_loss",
    "logits, targets, weights, average_across_timesteps=True, average_across_batch=True, softmax_loss_function=None, name=None",
)
def sequence_loss(
    logits: Any, targets: Any, weights: Any, average_across_timesteps: Any, average_across_batch: Any,
    softmax_loss_function: Any,
) -> Any:  # fmt: skip
    """Return the cross-entropy of each step, averaged by its weights over time, the batch, both or neither."""
    loss = softmax_loss_function or NN["sparse_softmax_cross_entropy_with_logits"]
    weights = convert_to_tensor(weights)
    found = loss(labels=targets, logits=logits) * weights
    axes = [axis for axis, is_averaged in enumerate((average_across_batch, average_across_timesteps)) if is_averaged]
    if not axes:
        return found
    total = TF["reduce_sum"](weights, axes)
    return TF["reduce_sum"](found, axes) / TF["where"](total > 0, total, TF["ones_like"](total))


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


_WRAPPER = (
    "self, cell, attention_mechanism, attention_layer_size=None, alignment_history=False, cell_input_fn=None, "
    "output_attention=True, initial_cell_state=None, name=None, attention_layer=None"
)


class AttentionWrapper(Cell, seq2seq.AttentionWrapper):
    """The core's, whose state counts the steps too.

    Raises:
        UnsupportedError: a history of alignments is asked for.
    """

    __init__ = takes("contrib.seq2seq.AttentionWrapper", _WRAPPER, for_core)(seq2seq.AttentionWrapper.__init__)

    @translated
    def zero_state(self, batch_size: Any, dtype: Any = "float32") -> Any:
        """Return the state before the first step: zeros, and the cell's first state where one was given."""
        return self._counted(super().zero_state(batch_size, dtype), constant(0))

    @translated
    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Return the output and the state of one step."""
        plain = seq2seq.AttentionWrapperState._make([*state[:2], state.alignments]) if hasattr(state, "time") else state
        output, new = super().__call__(inputs, plain, scope)
        return output, self._counted(new, state.time + 1)

    @staticmethod
    def _counted(state: Any, time: Any) -> AttentionWrapperState:
        return AttentionWrapperState(state.cell_state, state.attention, time, state.alignments, (), state.alignments)


@takes(
    "contrib.seq2seq.dynamic_decode",
    "decoder, output_time_major=False, impute_finished=False, maximum_iterations=None, parallel_iterations=32, "
    "swap_memory=False, scope=None",
)
def dynamic_decode(
    decoder: Any, output_time_major: Any, impute_finished: Any, maximum_iterations: Any, scope: Any
) -> Any:
    """Return the outputs of a decoder, its last state, and how long each row became; see `unroll.seq2seq.dynamic_decode`."""
    with driver_scope(scope, numbered("decoder")) as name:
        decode = lifted(seq2seq.dynamic_decode)
        return decode(decoder, output_time_major, impute_finished, maximum_iterations, name)


def _of_decoder(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a decoder for the core, to which a helper that the program wrote gives the core's tensors."""
    made, helper = for_core(given), given["helper"]
    if not isinstance(helper, (OfThisFace, type)):
        asked = [method for method in ("initialize", "sample", "next_inputs") if hasattr(helper, method)]
        made["helper"] = SimpleNamespace(**{method: translated(getattr(helper, method)) for method in asked})
    return made


_ATTENTION = (
    "self, num_units, memory, memory_sequence_length=None, {}=False, probability_fn=None, score_mask_value=None, dtype=None, "
    "custom_key_value_fn=None, name=None"
)
_CLASSES: dict[str, str] = {
    "BahdanauAttention": _ATTENTION.format("normalize"),
    "BasicDecoder": "self, cell, helper, initial_state, output_layer=None",
    "GreedyEmbeddingHelper": "self, embedding, start_tokens, end_token",
    "LuongAttention": _ATTENTION.format("scale"),
    "TrainingHelper": "self, inputs, sequence_length, time_major=False, name=None",
}


def _class(name: str, arguments: str) -> Any:
    kind, prepared = getattr(seq2seq, name), _of_decoder if name == "BasicDecoder" else for_core
    begin = takes(f"contrib.seq2seq.{name}", arguments, prepared)(kind.__init__)
    methods = [method for method in DEFINED if any(method in vars(base) for base in kind.__mro__)]
    crossing = {method: lifted(getattr(kind, method)) for method in methods}
    return of_this_face(kind, OfThisFace, __init__=begin, **crossing)


TABLE: dict[str, Any] = {
    **{name: _class(name, arguments) for name, arguments in _CLASSES.items()},
    "AttentionWrapper": AttentionWrapper,
    "AttentionWrapperState": AttentionWrapperState,
    "BasicDecoderOutput": seq2seq.BasicDecoderOutput,
    "dynamic_decode": dynamic_decode,
    "sequence_loss": sequence_loss,
}
