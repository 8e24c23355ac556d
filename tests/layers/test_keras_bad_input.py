"""What a user can get wrong with the layers of Keras: each is refused with what was seen, what was wanted and the fix."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import ops
from unroll.layers import Layer

layers: Any = unroll.layers  # wrong arguments are given on purpose, which a type checker would refuse


def x(*shape: int | None, dtype: str = "float32", name: str = "x") -> Any:
    return unroll.placeholder(shape or (None, 7, 4), name, dtype)


WITH_UNITS = ("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "Dense")
RECURRENT = ("SimpleRNN", "LSTM", "GRU")


# -- constructors -----------------------------------------------------------------------------------------------------


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
    refused(lambda: make(*sizes, **{argument: 3}), TypeError, argument, "3")


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
    refused(lambda: layers.LSTM(2, **{argument: "yes"}), ValueError, "LSTM", argument, "'yes'", "True", "False")


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


# -- wrappers ---------------------------------------------------------------------------------------------------------


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


# -- inputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECURRENT)
def test_the_input_of_a_recurrent_layer_has_batch_time_and_features(name: str) -> None:
    refused(lambda: getattr(layers, name)(3)(x(None, 4)), ValueError, name, "(batch, 4)", "time")
    refused(lambda: getattr(layers, name)(3)(x(None, 2, 3, 4)), ValueError, name, "(batch, 2, 3, 4)")
    refused(lambda: getattr(layers, name)(3)(x(None, 7, None)), ValueError, name, "axis -1", "input")


@pytest.mark.parametrize("name", [*RECURRENT, "Dense"])
def test_an_array_is_no_tensor(name: str) -> None:
    refused(lambda: getattr(layers, name)(3)(np.zeros((3, 7, 4), "float32")), TypeError, name, "tensor", "placeholder")


def test_a_layer_that_has_weights_takes_inputs_of_their_width_only() -> None:
    layer = layers.LSTM(3)
    layer(x())
    refused(lambda: layer(x(None, 7, 5, name="wider")), ValueError, "LSTM", "(batch, 5)", "4")


@pytest.mark.parametrize("name", [*RECURRENT, "Dense"])
def test_whole_numbers_are_to_be_cast_before_a_layer_that_multiplies(name: str) -> None:
    refused(lambda: getattr(layers, name)(3)(x(None, 7, 4, dtype="int32")), TypeError, "x (batch, 7, 4) int32", "cast")


@pytest.mark.parametrize("axis", [3, -4])
def test_a_normalization_names_an_axis_that_the_input_does_not_have(axis: int) -> None:
    refused(lambda: layers.LayerNormalization(axis=axis)(x()), ValueError, "LayerNormalization", "axis", str(axis))


def test_training_is_refused() -> None:
    refused(lambda: layers.LSTM(3, dropout=0.5)(x(), training=True), NotImplementedError, "training=True", "LSTM")


# -- masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RECURRENT, "Bidirectional"])
def test_a_mask_is_batch_by_time_and_bool(name: str) -> None:
    def call(mask: Any) -> Any:
        layer = layers.Bidirectional(layers.LSTM(3)) if name == "Bidirectional" else getattr(layers, name)(3)
        return layer(x(), mask=mask)

    refused(lambda: call(x(None, dtype="bool", name="mask")), ValueError, "mask", "(batch,)", "(batch, 7)")
    refused(lambda: call(x(None, 7, 1, dtype="bool", name="mask")), ValueError, "mask", "(batch, 7, 1)", "(batch, 7)")
    refused(lambda: call(x(None, 6, dtype="bool", name="mask")), ValueError, "mask", "(batch, 6)", "(batch, 7)")
    refused(lambda: call(x(None, 7, name="mask")), TypeError, "mask", "float32", "bool", "unroll.ops.cast")
    refused(lambda: call(x(None, 7, dtype="int32", name="mask")), TypeError, "mask", "int32", "bool")


# -- states -----------------------------------------------------------------------------------------------------------


def test_an_initial_state_fits_the_layer() -> None:
    h, c, wide = x(None, 3, name="h"), x(None, 3, name="c"), x(None, 4, name="wide")
    refused(lambda: layers.LSTM(3)(x(), initial_state=[h]), ValueError, "initial_state", "LSTM")
    refused(lambda: layers.LSTM(3)(x(), initial_state=h), ValueError, "initial_state", "LSTM")
    refused(lambda: layers.GRU(3)(x(), initial_state=[h, c]), ValueError, "initial_state", "GRU")
    refused(lambda: layers.LSTM(3)(x(), initial_state=[h, wide]), ValueError, "initial_state", "wide", "(batch, 3)")
    double = x(None, 3, dtype="float64", name="double")
    refused(lambda: layers.GRU(3)(x(), initial_state=[double]), TypeError, "initial_state", "double", "float32")


def test_a_stateful_layer_needs_a_batch_that_is_known() -> None:
    for name in RECURRENT:
        layer = getattr(layers, name)(3, stateful=True)
        refused(partial(layer, x()), ValueError, name, "stateful", "batch")


def test_a_stateful_layer_has_its_state_fed_and_takes_no_other() -> None:
    layer, h = layers.GRU(3, stateful=True), x(2, 3, name="h")
    refused(lambda: layer(x(2, 7, 4), initial_state=[h]), NotImplementedError, "GRU", "initial_state", "stateful")


def test_a_stateful_layer_of_a_model_needs_a_batch_that_is_known() -> None:
    def traced() -> Any:
        return layers.Sequential([layers.Input((7, 4)), layers.LSTM(3, stateful=True)]).trace()

    refused(traced, ValueError, "stateful", "batch")


# -- weights ----------------------------------------------------------------------------------------------------------


def built(name: str = "LSTM", units: int = 3) -> Any:
    layer = getattr(layers, name)(units)
    layer(x())
    return layer


def test_set_weights_takes_as_many_arrays_as_there_are_weights() -> None:
    layer = built()
    kernel, recurrent, bias = layer.get_weights()
    for wrong in ([kernel, recurrent], [kernel, recurrent, bias, bias], []):
        refused(
            partial(layer.set_weights, wrong),
            ValueError,
            "set_weights",
            str(len(wrong)),
            *("3", "kernel (4, 12)", "recurrent_kernel (3, 12)", "bias (12,)"),
        )


def test_set_weights_takes_them_in_keras_order_and_shape_or_not_at_all() -> None:
    layer = built()
    before = layer.get_weights()
    kernel, recurrent, bias = (array + 1 for array in before)
    refused(lambda: layer.set_weights([recurrent, kernel, bias]), ValueError, "kernel", "(3, 12)", "(4, 12)")
    refused(lambda: layer.set_weights([kernel, bias, recurrent]), ValueError, "recurrent_kernel", "(12,)", "(3, 12)")
    refused(lambda: layer.set_weights([kernel.T, recurrent, bias]), ValueError, "kernel", "(12, 4)", "(4, 12)")
    refused(lambda: layer.set_weights([kernel, recurrent, bias[:9]]), ValueError, "bias", "(9,)", "(12,)")
    refused(lambda: layer.set_weights([kernel, recurrent, bias.astype(complex)]), TypeError, "bias", "complex128")
    refused(lambda: layer.set_weights([kernel, recurrent, "bias"]), TypeError, "bias")
    for found, kept in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, kept)


def test_the_bias_of_a_gru_that_resets_before_does_not_fit_one_that_resets_after() -> None:
    layer = built("GRU")
    kernel, recurrent, _ = layer.get_weights()
    refused(lambda: layer.set_weights([kernel, recurrent, np.zeros(9)]), ValueError, "bias", "(9,)", "(2, 9)")


def test_a_layer_without_weights_yet_takes_none() -> None:
    refused(lambda: layers.LSTM(3).set_weights([np.zeros((4, 12))] * 3), ValueError, "LSTM", "set_weights", "call")
    refused(lambda: layers.LSTM(3).count_params(), ValueError, "LSTM", "count_params", "call")


def test_an_array_of_weights_is_asked_for_as_a_list() -> None:
    refused(lambda: built("Dense").set_weights(5), TypeError, "set_weights", "5")


# -- cells of a user --------------------------------------------------------------------------------------------------


def over(cell: Any) -> Any:
    return layers.RNN(cell)(x())


def test_a_cell_without_a_state_size_is_told_so() -> None:
    class NoStateSize(Layer):
        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, states

    refused(lambda: over(NoStateSize()), ValueError, "NoStateSize", "state_size")


def test_a_cell_without_a_call_is_told_so() -> None:
    class NoCall(Layer):
        state_size = 4

    class PlainNoCall:
        state_size = 4

    refused(lambda: over(NoCall()), ValueError, "NoCall", "call")
    refused(lambda: over(PlainNoCall()), ValueError, "PlainNoCall", "call")


@pytest.mark.parametrize("returned", ["output", "three", "none"])
def test_a_cell_whose_call_returns_no_pair_is_told_so(returned: str) -> None:
    class NoPair(Layer):
        state_size = 4

        def call(self, inputs: Any, states: Any) -> Any:
            return {"output": inputs, "three": (inputs, inputs, inputs), "none": None}[returned]

    refused(lambda: over(NoPair()), ValueError, "no_pair", "call", "(output, ")


def test_a_cell_that_returns_too_few_or_too_many_states_is_told_so() -> None:
    class OneOfTwo(Layer):
        state_size = (4, 4)

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, [states[0]]

    class TwoOfOne(Layer):
        state_size = 4

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, [states[0], states[0]]

    refused(lambda: over(OneOfTwo()), ValueError, "one_of_two", "state", "1", "2")
    refused(lambda: over(TwoOfOne()), ValueError, "two_of_one", "state", "2", "1")


def test_a_cell_whose_new_state_has_another_width_is_told_so() -> None:
    class Widening(Layer):
        state_size = 4

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, [ops.concat([states[0], inputs], axis=-1)]

    refused(lambda: over(Widening()), ValueError, "widening", "state", "(batch, 8)", "(batch, 4)")


@pytest.mark.parametrize("size", ["4", 2.5, 0, (4, "x")])
def test_a_state_size_must_be_an_int_or_a_list_of_them(size: Any) -> None:
    class OddSize(Layer):
        state_size = size

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, states

    with pytest.raises(unroll.UnrollError, match="state_size"):
        over(OddSize())


def test_something_that_is_no_cell_is_refused() -> None:
    refused(lambda: layers.RNN(3), ValueError, "RNN", "3", "cell")
    refused(lambda: layers.RNN(layers.LSTMCell), ValueError, "RNN", "LSTMCell", "class")
    refused(lambda: layers.RNN([]), ValueError, "RNN", "cell")
    refused(lambda: layers.RNN([layers.LSTMCell(2), 3]), ValueError, "3", "cell")
    refused(lambda: layers.RNN(layers.Dense(2)), ValueError, "Dense", "state_size")
    refused(lambda: layers.StackedRNNCells([layers.LSTMCell(2), layers.Dense(2)]), ValueError, "Dense", "state_size")


# -- Sequential -------------------------------------------------------------------------------------------------------


def any_length() -> Any:
    return layers.Sequential([layers.Input((None, 5)), layers.LSTM(3)])


def test_a_model_of_any_length_asks_for_the_length_when_traced() -> None:
    refused(lambda: any_length().trace(), ValueError, "timesteps=", "call", "known")


def test_a_layer_on_a_tensor_of_any_length_asks_for_a_known_one() -> None:
    refused(lambda: layers.LSTM(3)(x(None, None, 5)), ValueError, "LSTM", "x_1", "known", "placeholder")


def test_a_model_takes_the_width_its_input_says() -> None:
    model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(3)])
    refused(lambda: model(x(None, 7, 4)), ValueError, "(batch, 7, 4)", "5")
    refused(lambda: model.predict(np.zeros((3, 7, 4), "float32")), ValueError, "4", "5")
    refused(lambda: model.predict(np.zeros((3, 6, 5), "float32")), ValueError, "6", "7")


@pytest.mark.parametrize("timesteps", [0, -1])
def test_a_model_is_traced_for_at_least_one_step(timesteps: int) -> None:
    refused(lambda: any_length().trace(timesteps=timesteps), ValueError, "timesteps", str(timesteps), "at least 1")
    refused(lambda: any_length().trace(timesteps="7"), TypeError, "timesteps", "'7'")


def test_a_model_whose_input_says_its_length_is_not_traced_for_another() -> None:
    model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(3)])
    refused(lambda: model.trace(timesteps=6), ValueError, "timesteps", "6", "7")


def test_a_model_without_an_input_asks_for_one_when_traced() -> None:
    refused(lambda: layers.Sequential([layers.LSTM(3)]).trace(), ValueError, "Input")


def test_a_model_is_a_list_of_layers() -> None:
    refused(lambda: layers.Sequential([layers.Input((7, 5)), 3]), TypeError, "Sequential", "3")
    refused(lambda: layers.Sequential([layers.Input((7, 5)), layers.LSTM]), TypeError, "Sequential", "LSTM")
    refused(lambda: layers.Sequential(layers.LSTM(3)), TypeError, "Sequential", "list")


def test_two_layers_of_a_model_must_not_share_a_name() -> None:
    twice = [layers.Input((7, 5)), layers.Dense(3, name="same"), layers.Dense(3, name="same")]
    refused(lambda: layers.Sequential(twice), ValueError, "same", "name")


def test_layers_of_a_model_that_do_not_fit_are_named() -> None:
    def traced() -> Any:
        return layers.Sequential([layers.Input((7, 5)), layers.LSTM(3), layers.GRU(2)]).trace()

    refused(traced, ValueError, "GRU", "(batch, 3)", "return_sequences")


def test_a_model_refuses_weights_that_do_not_fit() -> None:
    model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(3), layers.Dense(2)])
    weights = model.get_weights()
    refused(lambda: model.set_weights(weights[:-1]), ValueError, "set_weights", "4", "5")
    refused(lambda: model.set_weights(weights[::-1]), ValueError, "kernel", "(2,)", "(5, 12)")


@pytest.mark.parametrize("shape", [5, "75", (7, -1), (7, 2.5)])
def test_the_shape_of_an_input_is_a_tuple_of_sizes(shape: Any) -> None:
    with pytest.raises(unroll.UnrollError, match="Input"):
        layers.Input(shape)
