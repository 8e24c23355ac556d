"""Real Keras's Sequential models, case by case: weights, names, masks, shapes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from helpers import check_three_runners
from keras_programs import (
    arrays_of,
    assert_close,
    build,
    cases,
    check_calls,
    is_sequential,
    is_stateful,
    weights_of,
)

import unroll
from unroll import layers


def timesteps_of(case: dict[str, Any]) -> int | None:
    """How many steps to trace, where the Input leaves it open."""
    spec = case["build"]["kwargs"]["layers"][0]["kwargs"]
    shape = spec.get("shape") or spec["batch_shape"][1:]
    return int(arrays_of(case, case["calls"][0]["input"]).shape[1]) if shape[0] is None else None


def model_of(case: dict[str, Any]) -> Any:
    """The model, with Keras's weights before it is traced or called: an Input says how wide everything is."""
    model = build(case["build"])
    model.set_weights(weights_of(case))
    return model


@cases(is_sequential)
def test_a_sequential_model_traced_gives_keras_numbers(case: dict[str, Any]) -> None:
    graph = model_of(case).trace(timesteps=timesteps_of(case))
    name = case["build"]["kwargs"]["layers"][0]["kwargs"].get("name", "input_layer")
    feeds = [{name: arrays_of(case, call["input"])} for call in case["calls"]]
    expected = [arrays_of(case, call["outputs"]) for call in case["calls"]]
    if is_stateful(case):
        check_calls(graph, case, feeds, expected)
    else:
        check_three_runners(graph, feeds[0], expected[0], case["dtype"])


@cases(lambda case: is_sequential(case) and not is_stateful(case))
def test_a_sequential_model_predicts_and_is_called_as_in_keras(case: dict[str, Any]) -> None:
    model, x = model_of(case), arrays_of(case, case["calls"][0]["input"])
    expected = arrays_of(case, case["calls"][0]["outputs"])
    assert_close([model.predict(x)], expected, case["dtype"])
    tensor = unroll.placeholder(x.shape, "x", x.dtype)
    graph = unroll.Graph(tensor, model(tensor))
    assert_close(graph.run({tensor: x}, graph.outputs), expected, case["dtype"])


@cases(lambda case: is_sequential(case) and not is_stateful(case))
def test_the_layers_of_a_model_called_one_after_another_hand_on_their_masks(case: dict[str, Any]) -> None:
    x = arrays_of(case, case["calls"][0]["input"])
    tensor = unroll.placeholder([None, *x.shape[1:]], "x", x.dtype)
    specs = case["build"]["kwargs"]["layers"][1:]
    parts = [build(spec | {"kwargs": {"name": f"layer_{place}"} | spec["kwargs"]}) for place, spec in enumerate(specs)]
    output: Any = tensor
    for part in parts:
        output = part(output)
    values = weights_of(case)
    for part in parts:
        count = len(part.weights)
        part.set_weights(values[:count])
        values = values[count:]
    graph = unroll.Graph(tensor, output)
    assert_close(graph.run({tensor: x}, graph.outputs), arrays_of(case, case["calls"][0]["outputs"]), case["dtype"])


@cases(is_sequential)
def test_a_sequential_model_has_keras_weights_and_shapes(case: dict[str, Any]) -> None:
    model = model_of(case)
    assert [list(parameter.shape) for parameter in model.weights] == [item["shape"] for item in case["weights"]]
    assert model.count_params() == case["count_params"]
    assert list(model.output_shape) == case["output_shape"]
    for found, given in zip(model.get_weights(), weights_of(case), strict=True):
        np.testing.assert_array_equal(found, given, strict=True)


@cases(is_sequential)
def test_a_sequential_model_names_its_weights_as_keras_does(case: dict[str, Any]) -> None:
    assert [parameter.name for parameter in model_of(case).weights] == [item["path"] for item in case["weights"]]


def test_a_named_input_names_the_input_of_the_graph() -> None:
    model = layers.Sequential([layers.Input((7, 5), name="frames"), layers.LSTM(3), layers.Dense(2)])
    assert [tensor.name for tensor in model.trace().inputs] == ["frames"]


def test_a_model_is_traced_for_a_batch_and_a_number_of_steps() -> None:
    model = layers.Sequential([layers.Input((None, 5)), layers.LSTM(3, return_sequences=True)])
    graph = model.trace(timesteps=2, batch_size=6)
    assert graph.inputs[0].shape == (6, 2, 5)
    assert graph.outputs[0].shape == (6, 2, 3)


def test_the_summary_says_each_layer_its_shape_and_its_weights() -> None:
    model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(3, name="reader"), layers.Dense(2)])
    text = str(model.summary())
    for fragment in ("reader", "LSTM", "(None, 3)", "108", "dense", "(None, 2)", "8", "116"):
        assert fragment in text
