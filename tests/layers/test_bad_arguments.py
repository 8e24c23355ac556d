"""What a user can get wrong in making a layer of Keras: each is refused with what was seen, what was wanted and the fix."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import refused
from layer_inputs import RECURRENT, layers, x

WITH_UNITS = ("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "Dense")


# -- constructors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_UNITS)
def test_units_must_be_an_int_of_at_least_one(name: str) -> None:
    make = getattr(layers, name)
    for units in (0, -1):
        refused(partial(make, units), ValueError, name, "units", str(units), "at least 1")
    for wrong in ("3", 2.5, None, True):
        refused(partial(make, wrong), TypeError, name, "units", repr(wrong), "int")


def test_units_left_out_are_asked_for() -> None:
    refused(lambda: layers.LSTM(), TypeError, "LSTM", "units")


@pytest.mark.parametrize("name", WITH_UNITS)
def test_a_keyword_that_keras_does_not_know_names_the_near_ones(name: str) -> None:
    refused(lambda: getattr(layers, name)(3, use_bais=True), TypeError, name, "use_bais", "use_bias")
    refused(lambda: getattr(layers, name)(3, colour="red"), TypeError, name, "colour", "units", "activation")


@pytest.mark.parametrize(
    ("name", "wrong", "near"),
    [
        ("LSTM", "return_sequence", "return_sequences"),
        ("LSTM", "recurent_activation", "recurrent_activation"),
        ("GRU", "reset_aftr", "reset_after"),
        ("SimpleRNN", "go_backward", "go_backwards"),
        ("RNN", "zero_output_for_masks", "zero_output_for_mask"),
        ("Bidirectional", "mergemode", "merge_mode"),
        ("ConvLSTM2D", "kernelsize", "kernel_size"),
        ("Embedding", "maskzero", "mask_zero"),
        ("Masking", "maskvalue", "mask_value"),
        ("Dropout", "noiseshape", "noise_shape"),
        ("LayerNormalization", "epsilom", "epsilon"),
        ("TimeDistributed", "nam", "name"),
    ],
)
def test_a_misspelt_keyword_is_told_the_right_one(name: str, wrong: str, near: str) -> None:
    first: dict[str, tuple[Any, ...]] = {
        "RNN": (layers.LSTMCell(2),),
        "Bidirectional": (layers.LSTM(2),),
        "TimeDistributed": (layers.Dense(2),),
        "ConvLSTM2D": (2, 2),
        "Embedding": (4, 2),
        "Masking": (),
        "LayerNormalization": (),
    }
    refused(lambda: getattr(layers, name)(*first.get(name, (2,)), **{wrong: 1}), TypeError, name, wrong, near)


@pytest.mark.parametrize("name", RECURRENT)
def test_a_misspelt_keyword_of_a_call_is_refused(name: str) -> None:
    refused(lambda: getattr(layers, name)(3)(x(), inital_state=None), TypeError, "inital_state", "initial_state")


@pytest.mark.parametrize("argument", ["activation", "recurrent_activation"])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "LSTMCell", "GRUCell"])
def test_an_activation_that_does_not_exist_lists_those_that_do(name: str, argument: str) -> None:
    make = getattr(layers, name)
    refused(
        lambda: make(3, **{argument: "tahn"}), ValueError, name, argument, "'tahn'", "tanh", "sigmoid", "hard_sigmoid"
    )
    refused(lambda: make(3, **{argument: 3}), TypeError, name, argument, "3")
    refused(lambda: make(3, **{argument: np.tanh}), TypeError, name, argument, "tanh", "unroll.ops")


@pytest.mark.parametrize("argument", ["kernel_initializer", "recurrent_initializer", "bias_initializer"])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRUCell", "ConvLSTM1D"])
def test_an_initializer_that_does_not_exist_lists_those_that_do(name: str, argument: str) -> None:
    sizes = (2, 3) if name == "ConvLSTM1D" else (2,)
    make = getattr(layers, name)
    refused(
        lambda: make(*sizes, **{argument: "glorot"}),
        ValueError,
        argument,
        "'glorot'",
        "glorot_uniform",
        "orthogonal",
        "zeros",
    )
    refused(lambda: make(*sizes, **{argument: True}), TypeError, argument, "True")


@pytest.mark.parametrize("argument", ["kernel_regularizer", "recurrent_regularizer", "bias_regularizer"])
def test_a_regularizer_that_does_not_exist_lists_those_that_do(argument: str) -> None:
    refused(lambda: layers.LSTM(2, **{argument: "l3"}), ValueError, argument, "'l3'", "l1", "l2", "l1l2")


@pytest.mark.parametrize("argument", ["kernel_constraint", "recurrent_constraint", "bias_constraint"])
def test_a_constraint_that_does_not_exist_lists_those_that_do(argument: str) -> None:
    refused(lambda: layers.GRU(2, **{argument: "positive"}), ValueError, argument, "'positive'", "non_neg", "max_norm")


@pytest.mark.parametrize(
    "argument", ["return_sequences", "return_state", "go_backwards", "stateful", "unroll", "use_bias"]
)
def test_a_switch_must_be_true_or_false(argument: str) -> None:
    refused(lambda: layers.LSTM(2, **{argument: "yes"}), TypeError, "LSTM", argument, "'yes'", "True", "False")


@pytest.mark.parametrize("rate", ["0.5", None])
def test_a_rate_must_be_a_number(rate: Any) -> None:
    refused(lambda: layers.LSTM(2, dropout=rate), TypeError, "LSTM", "dropout", repr(rate))
    refused(lambda: layers.Dropout(rate), TypeError, "Dropout", "rate", repr(rate))


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_the_rate_of_dropout_lies_between_0_and_1(rate: float) -> None:
    refused(lambda: layers.Dropout(rate), ValueError, "Dropout", "rate", str(rate), "0 to 1")


def test_a_dtype_must_be_a_floating_one() -> None:
    refused(lambda: layers.LSTM(2, dtype="int32"), TypeError, "int32", "float32")


@pytest.mark.parametrize(
    ("kwargs", "fragments"),
    [
        ({"kernel_size": (3, 3)}, ("kernel_size", "(3, 3)")),
        ({"kernel_size": 0}, ("kernel_size", "0")),
        ({"strides": (1, 2)}, ("strides", "(1, 2)")),
        ({"padding": "full"}, ("padding", "'full'", "'valid'", "'same'")),
        ({"padding": "causal"}, ("padding", "'causal'", "'valid'", "'same'")),
        ({"data_format": "NCHW"}, ("data_format", "'NCHW'", "'channels_last'", "'channels_first'")),
        ({"strides": 2, "dilation_rate": 2}, ("strides", "dilation_rate")),
        ({"filters": 0}, ("filters", "0")),
    ],
)
def test_a_convolution_is_refused_what_it_cannot_do(kwargs: dict[str, Any], fragments: tuple[str, ...]) -> None:
    refused(
        lambda: layers.ConvLSTM1D(**{"filters": 2, "kernel_size": 3, **kwargs}), ValueError, "ConvLSTM1D", *fragments
    )


def test_a_convolution_larger_than_its_input_is_refused() -> None:
    refused(lambda: layers.ConvLSTM1D(2, 5)(x(None, 3, 4, 2)), ValueError, "ConvLSTM1D", "5", "4")


@pytest.mark.parametrize("name", ["Embedding"])
def test_an_embedding_needs_a_number_of_words_and_a_width(name: str) -> None:
    refused(lambda: layers.Embedding(0, 3), ValueError, "Embedding", "input_dim", "0")
    refused(lambda: layers.Embedding(5, 2.5), TypeError, "Embedding", "output_dim", "2.5")


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("Dense", "lora_rank", 2),
        ("Dense", "quantization_config", {}),
        ("Embedding", "lora_rank", 2),
        ("LSTM", "input_shape", (7, 4)),
        ("Input", "sparse", True),
        ("Input", "ragged", True),
    ],
)
def test_what_is_not_done_is_refused_with_the_reason(name: str, argument: str, value: Any) -> None:
    first: dict[str, tuple[Any, ...]] = {"Embedding": (5, 2), "Input": ((7, 4),)}
    make = getattr(layers, name)
    refused(
        lambda: make(*first.get(name, (2,)), **{argument: value}),
        NotImplementedError,
        name,
        argument,
        repr(value),
        ": ",
    )


# -- wrappers ----------------------------------------------------------------------------------------------------------


def test_a_merge_mode_that_does_not_exist_lists_those_that_do() -> None:
    refused(
        lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="add"),
        ValueError,
        "merge_mode",
        "'add'",
        *("'concat'", "'sum'", "'mul'", "'ave'", "None"),
    )


@pytest.mark.parametrize("merge_mode", ["sum", "mul", "ave"])
def test_two_directions_of_different_widths_are_only_joined(merge_mode: str) -> None:
    def call() -> Any:
        backward = layers.LSTM(2, go_backwards=True)
        return layers.Bidirectional(layers.LSTM(3), merge_mode=merge_mode, backward_layer=backward)(x())

    refused(call, ValueError, "Bidirectional", repr(merge_mode), "3", "2", "concat")


def test_the_two_directions_must_differ_in_direction() -> None:
    backward = layers.LSTM(3)
    refused(lambda: layers.Bidirectional(layers.LSTM(3), backward_layer=backward), ValueError, "go_backwards")


@pytest.mark.parametrize("argument", ["return_sequences", "return_state", "stateful"])
def test_the_two_directions_must_return_alike(argument: str) -> None:
    backward = layers.LSTM(3, go_backwards=True, **{argument: True})
    refused(
        lambda: layers.Bidirectional(layers.LSTM(3), backward_layer=backward), ValueError, argument, "True", "False"
    )


@pytest.mark.parametrize("name", ["Bidirectional", "TimeDistributed"])
def test_a_wrapper_takes_a_layer(name: str) -> None:
    for wrong in (3, "LSTM", layers.LSTM):
        refused(partial(getattr(layers, name), wrong), TypeError, name, "layer")


def test_bidirectional_takes_a_recurrent_layer() -> None:
    refused(lambda: layers.Bidirectional(layers.Dense(2)), TypeError, "Bidirectional", "Dense")


def test_bidirectional_takes_the_states_of_both_directions() -> None:
    layer = layers.Bidirectional(layers.LSTM(3))
    one = [x(None, 3, name="h"), x(None, 3, name="c")]
    refused(lambda: layer(x(), initial_state=one), ValueError, "Bidirectional", "initial_state", "4", "2")


def test_time_distributed_takes_at_least_three_axes() -> None:
    refused(
        lambda: layers.TimeDistributed(layers.Dense(2))(x(None, 4)), ValueError, "TimeDistributed", "(batch, 4)", "time"
    )
