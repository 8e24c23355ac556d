"""Cells of a user that break their contract, and models that cannot be made or traced: each is refused with the fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused
from layer_inputs import layers, x

import unroll
from unroll import ops
from unroll.layers import Layer

# -- cells of a user ---------------------------------------------------------------------------------------------------


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


# -- Sequential --------------------------------------------------------------------------------------------------------


def any_length() -> Any:
    return layers.Sequential([layers.Input((None, 5)), layers.LSTM(3)])


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
