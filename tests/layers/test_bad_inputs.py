"""What does not fit a layer of Keras that is called or given weights: it is refused with the fix."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import refused
from layer_inputs import RECURRENT, layers, x

# -- inputs ------------------------------------------------------------------------------------------------------------


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


# -- masks -------------------------------------------------------------------------------------------------------------


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


# -- states ------------------------------------------------------------------------------------------------------------


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


# -- weights -----------------------------------------------------------------------------------------------------------


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
