"""Keras's tables: arguments and their defaults, activations, first values; and promises that need no numbers of Keras."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from helpers import check_three_runners, refused
from keras_programs import (
    MANIFEST,
    build,
)

import unroll
from unroll import layers
from unroll.activations import get_activation

# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MANIFEST["signatures"])
def test_a_constructor_takes_keras_arguments_in_keras_order_with_its_defaults(name: str) -> None:
    wanted = MANIFEST["signatures"][name]
    parameters = inspect.signature(getattr(layers, name)).parameters
    assert list(parameters)[: len(wanted)] == list(wanted)
    for argument, default in wanted.items():
        found = parameters[argument].default
        assert (None if found is inspect.Parameter.empty else repr(found)) == default, argument


def plainest(name: str, /, **kwargs: Any) -> Any:
    """The layer with what its constructor must be given, and no more."""
    needed: dict[str, tuple[Any, ...]] = {
        "TimeDistributed": (layers.Dense(2),),
        "Embedding": (4, 2),
        "Masking": (),
        "Dropout": (0.5,),
        "LayerNormalization": (),
        "RNN": (layers.LSTMCell(2),),
        "StackedRNNCells": ([layers.LSTMCell(2)],),
        "Bidirectional": (layers.LSTM(2),),
    }
    first = (2, 2) if name.startswith("ConvLSTM") else needed.get(name, (2,))
    return getattr(layers, name)(*first, **kwargs)


LAYERS = sorted(MANIFEST["signatures"].keys() - {"Input"})


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_takes_keras_common_arguments(name: str) -> None:
    layer = plainest(name, name="mine", dtype="float64", trainable=False)
    assert layer.name == "mine"
    assert layer.dtype == "float64"
    assert layer.trainable is False


@pytest.mark.parametrize("name", LAYERS)
def test_no_argument_of_keras_is_dropped(name: str) -> None:
    layer = plainest(name)
    for argument in MANIFEST["signatures"][name]:
        kept = "forward_layer" if (name, argument) == ("Bidirectional", "layer") else argument
        assert hasattr(layer, kept), argument


ACTIVATIONS: dict[str, Any] = MANIFEST["activations"]["values"]
NOT_BY_NAME = {name for name, values in ACTIVATIONS.items() if values is None} | {"sparsemax"}


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.keys() - NOT_BY_NAME))
def test_an_activation_of_keras_gives_its_values(name: str) -> None:
    grid = np.array(MANIFEST["activations"]["x"])
    x = unroll.placeholder(grid.shape, "x", "float64")
    graph = unroll.Graph(x, get_activation(name, "linear", "test")(x))
    expected = np.array(ACTIVATIONS[name])
    if name == "gelu":  # TensorFlow rounds its square root of 2 to float32: the numbers of the formula stand in
        exact = np.vectorize(lambda value: 0.5 * value * math.erfc(-value / math.sqrt(2)))(grid)
        np.testing.assert_allclose(expected, exact, rtol=1e-5, atol=1e-8)
        expected = exact
    check_three_runners(graph, {"x": grid}, [expected], "float64")


@pytest.mark.parametrize("name", sorted(NOT_BY_NAME))
def test_an_activation_that_is_not_to_be_had_by_name_says_why(name: str) -> None:
    refused(lambda: layers.LSTM(2, activation=name), NotImplementedError, "activation", name)


@pytest.mark.parametrize("name", MANIFEST["first_values"])
def test_biases_begin_as_in_keras(name: str) -> None:
    entry = MANIFEST["first_values"][name]
    layer = build(entry["build"])
    layer(unroll.placeholder([None, *entry["input_shape"]], "x"))
    found = {parameter.name.rpartition("/")[2]: parameter.value for parameter in layer.weights}
    for weight, values in entry["weights"].items():
        np.testing.assert_array_equal(found[weight], np.array(values, "float32"), strict=True)


# -- promises that need no numbers of Keras ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "RNN"])
def test_unroll_is_taken_either_way_and_both_are_unrolled(name: str) -> None:
    graphs = []
    for unrolled in (False, True):
        x = unroll.placeholder([None, 3, 4], "x")
        first = layers.LSTMCell(2) if name == "RNN" else 2
        graphs.append(unroll.Graph(x, getattr(layers, name)(first, unroll=unrolled)(x)))
    assert [node.op.name for node in graphs[0].nodes] == [node.op.name for node in graphs[1].nodes]
    assert all(node.op.name not in ("Loop", "Scan") for node in graphs[0].nodes)


def test_a_layer_called_twice_shares_its_weights() -> None:
    layer = layers.GRU(3)
    a, b = (unroll.placeholder([None, 2, 4], name) for name in "ab")
    graph = unroll.Graph([a, b], [layer(a), layer(b)])
    assert len(graph.parameters) == 3
    assert set(graph.parameters.values()) == set(layer.weights)


def test_an_embedding_begins_with_the_weights_it_is_given() -> None:
    values = np.arange(15, dtype="float32").reshape(5, 3)
    for given in (values, [values]):
        layer = layers.Embedding(5, 3, weights=given)
        layer(unroll.placeholder([None, 2], "ids", "int32"))
        np.testing.assert_array_equal(layer.get_weights()[0], values, strict=True)


def test_the_two_directions_begin_with_the_weights_they_are_given() -> None:
    x = unroll.placeholder([None, 2, 4], "x")
    whole = layers.Bidirectional(layers.GRU(3))
    whole(x)
    values = [array + number for number, array in enumerate(whole.get_weights())]
    layer = layers.Bidirectional(layers.GRU(3), weights=values)
    layer(x)
    for found, given in zip(layer.get_weights(), values, strict=True):
        np.testing.assert_array_equal(found, given, strict=True)


@pytest.mark.parametrize("layer", [layers.Dropout(0.5), layers.Activation("linear")], ids=["Dropout", "Activation"])
def test_a_mask_given_to_a_layer_is_on_its_output_and_not_on_its_input(layer: Any) -> None:
    x, mask = unroll.placeholder([None, 3, 4], "x"), unroll.placeholder([None, 3], "mask", "bool")
    output = layer(x, mask=mask)
    unroll.Graph(x, layers.LSTM(2)(x))  # it would ask for the mask among its inputs
    with pytest.raises(unroll.UnrollError, match="mask"):
        unroll.Graph(x, layers.LSTM(2)(output))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_computes_in_the_dtype_it_is_given(dtype: str) -> None:
    x = unroll.placeholder([None, 2, 4], "x", dtype)
    layer = layers.LSTM(3, dtype=dtype)
    assert layer(x).dtype == dtype
    assert {str(weight.dtype) for weight in layer.get_weights()} == {dtype}
