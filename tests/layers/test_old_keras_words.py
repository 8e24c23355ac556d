"""What Keras programs say that no longer fits: arguments of older versions, and inputs without a time."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import refused

import unroll
from unroll import layers, placeholder

#: A layer of every class but those that are made of others.
LAYERS: dict[str, Any] = {
    "SimpleRNN": lambda **given: layers.SimpleRNN(3, **given),
    "LSTM": lambda **given: layers.LSTM(3, **given),
    "GRU": lambda **given: layers.GRU(3, **given),
    "RNN": lambda **given: layers.RNN(layers.GRUCell(3), **given),
    "LSTMCell": lambda **given: layers.LSTMCell(3, **given),
    "ConvLSTM2D": lambda **given: layers.ConvLSTM2D(3, 3, **given),
    "Dense": lambda **given: layers.Dense(3, **given),
    "Dropout": lambda **given: layers.Dropout(0.5, **given),
    "Activation": lambda **given: layers.Activation("relu", **given),
    "Masking": lambda **given: layers.Masking(**given),
    "LayerNormalization": lambda **given: layers.LayerNormalization(**given),
    "Embedding": lambda **given: layers.Embedding(9, 3, **given),
    "TimeDistributed": lambda **given: layers.TimeDistributed(layers.Dense(3), **given),
    "Bidirectional": lambda **given: layers.Bidirectional(layers.GRU(3), **given),
    "StackedRNNCells": lambda **given: layers.StackedRNNCells([layers.GRUCell(3)], **given),
}
every_layer = pytest.mark.parametrize("layer", LAYERS)

#: What each argument of an older version is answered with.
ANSWERS: dict[str, tuple[Any, str]] = {
    "input_shape": ((28, 3), "layers.Input(shape)"),
    "batch_input_shape": ((None, 28, 3), "layers.Input(batch_shape="),
    "batch_shape": ((None, 28, 3), "layers.Input(batch_shape="),
    "batch_size": (2, "layers.Input(shape, batch_size="),
    "input_length": (28, "layers.Input((28, 3))"),
    "input_dtype": ("float32", "layers.Input(shape, dtype="),
    "implementation": (2, "leave it out"),
    "consume_less": ("mem", "leave it out"),
    "dynamic": (False, "leave it out"),
    "inner_activation": ("tanh", "recurrent_activation"),
    "init": ("uniform", "kernel_initializer"),
    "inner_init": ("uniform", "recurrent_initializer"),
    "forget_bias_init": ("one", "unit_forget_bias"),
    "W_regularizer": (None, "kernel_regularizer"),
    "U_constraint": (None, "recurrent_constraint"),
    "b_regularizer": (None, "bias_regularizer"),
    "dropout_W": (0.5, "dropout"),
    "dropout_U": (0.5, "recurrent_dropout"),
    "nb_filter": (3, "filters"),
}


@pytest.mark.parametrize("argument", ANSWERS)
@every_layer
def test_an_argument_of_an_older_keras_is_answered_with_what_replaces_it(layer: str, argument: str) -> None:
    value, answer = ANSWERS[argument]
    refused(lambda: LAYERS[layer](**{argument: value}), NotImplementedError, layer, f"{argument}=", answer)


@every_layer
def test_weights_are_taken_where_keras_takes_them_and_else_set_afterwards(layer: str) -> None:
    if layer in ("Bidirectional", "Embedding"):
        LAYERS[layer](weights=None)
    else:
        refused(lambda: LAYERS[layer](weights=[]), NotImplementedError, layer, "set_weights")


@every_layer
def test_time_major_is_for_recurrent_layers(layer: str) -> None:
    if layer in ("SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM2D"):
        assert LAYERS[layer](time_major=True).time_major
    else:
        refused(lambda: LAYERS[layer](time_major=True), NotImplementedError, layer, "(batch, time, ...)")


@pytest.mark.parametrize("layer", ["Dense", "LSTM", "GRUCell"])
def test_the_width_was_called_output_dim(layer: str) -> None:
    refused(lambda: getattr(layers, layer)(output_dim=3), NotImplementedError, "output_dim=3", "units")


def test_inputs_that_are_given_by_their_old_names_are_told_the_new_ones() -> None:
    make: Any = layers.Input
    refused(lambda: make(batch_input_shape=(None, 28, 3)), NotImplementedError, "Input(batch_shape=")
    refused(lambda: make(input_shape=(28, 3)), NotImplementedError, "Input((28, 3))")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("return_sequence", "return_sequences"), ("activations", "activation"), ("go_backward", "go_backwards")],
)
def test_a_misspelt_argument_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    make: Any = layers.LSTM
    refused(lambda: make(3, **{wrong: True}), TypeError, wrong, f"did you mean {right}?")


# -- inputs without a time --------------------------------------------------------------------------------------------

TIMELESS: dict[str, Any] = {
    "SimpleRNN": lambda: layers.SimpleRNN(3),
    "LSTM": lambda: layers.LSTM(3),
    "GRU": lambda: layers.GRU(3),
    "RNN": lambda: layers.RNN([layers.GRUCell(3)]),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(3)),
}
MISSING, SEQUENCES = "the time axis is missing", "return_sequences=True"


@pytest.mark.parametrize("layer", TIMELESS)
def test_an_input_without_a_time_is_told_that_axis_and_no_layer_below(layer: str) -> None:
    model = layers.Sequential([layers.Input((5,)), TIMELESS[layer]()])
    for action in (model.trace, lambda: TIMELESS[layer]()(placeholder([None, 5], "x"))):
        said = refused(action, ValueError, "(batch, time, features)", MISSING, "layers.Input((28, features))")
        assert layer == "Bidirectional" or SEQUENCES not in said


def test_a_layer_that_has_no_steps_below_a_recurrent_one_is_not_told_to_return_sequences() -> None:
    said = refused(lambda: layers.LSTM(3)(layers.Dense(4)(placeholder([None, 5], "x"))), ValueError, MISSING)
    assert SEQUENCES not in said


@pytest.mark.parametrize("layer", TIMELESS)
def test_the_last_output_of_a_recurrent_layer_is_told_to_be_all(layer: str) -> None:
    model = layers.Sequential([layers.Input((4, 5)), layers.GRU(3), TIMELESS[layer]()])
    said = refused(model.trace, ValueError, "(batch, time, features)", SEQUENCES)
    assert layer == "Bidirectional" or MISSING not in said


def test_where_only_shapes_are_known_both_are_said() -> None:
    refused(
        layers.Sequential([layers.Input((4, 5)), layers.LSTM(3), layers.LSTM(3)]).summary,
        ValueError,
        MISSING,
        SEQUENCES,
    )


def test_a_model_without_an_input_is_told_shapes_with_a_time_and_can_be_built_so() -> None:
    model = layers.Sequential([layers.LSTM(3)])
    refused(model.trace, ValueError, "layers.Input((28, 3))", "build((None, 28, 3))")
    refused(layers.LSTM(3).count_params, ValueError, "build((None, 28, 3))")
    model.build((None, 28, 3))
    assert model.trace().input_specs[0].shape[1:] == (28, 3)
    assert model.trace(timesteps=7).input_specs[0].shape[1:] == (7, 3)


def test_a_model_of_rows_is_built_without_a_time() -> None:
    model = layers.Sequential([layers.Dense(3)])
    model.build((None, 5))
    assert unroll.dimensions.shape_text(model.trace().inputs[0].shape) == "(batch, 5)"
