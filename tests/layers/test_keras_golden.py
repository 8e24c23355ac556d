"""Real Keras's layers, case by case: weights, shapes and numbers, in NumPy and in both runners of the exported model."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import TOLERANCE, Array, check_three_runners, golden_arrays, golden_json, refused, run_reference

import unroll
from unroll import layers, nest, ops
from unroll.activations import get_activation
from unroll.layers import Layer

MANIFEST = golden_json("keras_layers.json")
CASES: list[dict[str, Any]] = MANIFEST["cases"]


def cases(choose: Callable[[dict[str, Any]], bool]) -> pytest.MarkDecorator:
    chosen = [case for case in CASES if choose(case)]
    return pytest.mark.parametrize("case", chosen, ids=[str(case["id"]) for case in chosen])


def is_sequential(case: dict[str, Any]) -> bool:
    return bool(case["build"]["class"] == "Sequential")


def is_stateful(case: dict[str, Any]) -> bool:
    return len(case["calls"]) > 1


class MinimalRNNCell(Layer):
    """The custom cell of Keras's guide, with unroll.ops for keras.ops."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs: Any, states: Any) -> Any:
        output = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        return output, [output]


class TwoStatesCell(Layer):
    """Two states of two widths, an output of a third, and first states that are not zero."""

    def __init__(self, first: int, second: int, output: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = [first, second]
        self.output_size = output

    def build(self, input_shape: Any) -> None:
        first, second = self.state_size
        self.kernel = self.add_weight(shape=(input_shape[-1], first), initializer="uniform", name="kernel")
        self.between = self.add_weight(shape=(first, second), initializer="uniform", name="between")
        self.out = self.add_weight(shape=(second, self.output_size), initializer="uniform", name="out")

    def get_initial_state(self, batch_size: Any = None) -> Any:
        def ones(size: int) -> Any:
            known = isinstance(batch_size, int)
            shape = [batch_size, size] if known else ops.concat([batch_size, [size]], axis=0)
            return ops.constant_of_shape(shape, 1.0, "float32")

        return [ones(size) for size in self.state_size]

    def call(self, inputs: Any, states: Any) -> Any:
        first = ops.tanh(ops.matmul(inputs, self.kernel) + states[0])
        second = ops.tanh(ops.matmul(first, self.between) + states[1])
        return ops.matmul(second, self.out), [first, second]


CUSTOM: dict[str, Any] = {"MinimalRNNCell": MinimalRNNCell, "TwoStatesCell": TwoStatesCell}


def build(spec: Any) -> Any:
    """The layer that a manifest's spec describes; specs nest in the keyword arguments."""
    if isinstance(spec, list):
        return [build(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    kwargs = {name: build(value) for name, value in spec["kwargs"].items()}
    return (CUSTOM.get(spec["class"]) or getattr(layers, spec["class"]))(**kwargs)


def arrays_of(case: dict[str, Any], keys: Any) -> Any:
    """The arrays of a nest of keys."""
    return nest.map_leaves(lambda key: golden_arrays("keras_layers.npz")[f"{case['id']}/{key}"], keys)


def weights_of(case: dict[str, Any]) -> list[Array]:
    found: list[Array] = arrays_of(case, [item["key"] for item in case["weights"]])
    return found


def sketch(value: Any) -> Any:
    return [sketch(item) for item in value] if isinstance(value, (list, tuple)) else "*"


class Program(NamedTuple):
    """A case built with unroll: the layer, its graph, and for each call the feeds and Keras's numbers."""

    layer: Any
    graph: unroll.Graph
    returned: Any
    feeds: list[dict[str, Array]]
    expected: list[list[Array]]


def program(case: dict[str, Any]) -> Program:
    """Call the layer on placeholders, and give it Keras's weights."""
    layer, calls = build(case["build"]), case["calls"]
    placeholders: list[Any] = []

    def fed(name: str, array: Array) -> Any:
        batch = len(array) if is_stateful(case) else None
        placeholders.append(unroll.placeholder([batch, *array.shape[1:]], name, array.dtype))
        return placeholders[-1]

    first = calls[0]
    x = fed("x", arrays_of(case, first["input"]))
    kwargs: dict[str, Any] = {}
    if first["mask"] is not None:
        kwargs["mask"] = fed("mask", arrays_of(case, first["mask"]))
    if first["initial_state"] is not None:
        paths = nest.flatten_with_paths(first["initial_state"])
        states = [fed(f"state{place}", arrays_of(case, key)) for place, (_, key) in enumerate(paths)]
        kwargs["initial_state"] = nest.pack(first["initial_state"], states)
    is_cell = "Cell" in case["build"]["class"]
    outputs = layer(x, kwargs["initial_state"]) if is_cell else layer(x, **kwargs)
    layer.set_weights(weights_of(case))
    graph = unroll.Graph(placeholders, outputs, states=layer.states if is_stateful(case) else None)
    given = [[call[key] for key in ("input", "mask", "initial_state") if call[key] is not None] for call in calls]
    fed_names = [placeholder.name for placeholder in placeholders]
    feeds = [dict(zip(fed_names, nest.flatten(arrays_of(case, keys)), strict=True)) for keys in given]
    return Program(layer, graph, outputs, feeds, [arrays_of(case, call["outputs"]) for call in calls])


def assert_close(found: list[Array], expected: list[Array], dtype: str) -> None:
    assert len(found) == len(expected)
    for array, wanted in zip(found, expected, strict=True):
        assert array.dtype == wanted.dtype
        assert array.shape == wanted.shape
        np.testing.assert_allclose(array, wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


class ReferenceStream:
    """onnx's own evaluator with the state carried by hand: the third runner of a stateful graph."""

    def __init__(self, graph: unroll.Graph) -> None:
        self.graph, self.model = graph, unroll.to_onnx(graph)
        self.reset()

    def reset(self) -> None:
        dtypes = {placeholder.name: placeholder for placeholder in self.graph.inputs}
        self.state = {
            name: np.zeros([int(str(dim)) for dim in dtypes[name].shape], dtypes[name].dtype)
            for name in self.graph.states
        }

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        names = [output.name for output in self.model.graph.output]
        found = dict(zip(names, run_reference(self.model, {**feeds, **self.state}), strict=True))
        self.state = {name: found[output] for name, output in self.graph.states.items()}
        return found


def check_calls(graph: unroll.Graph, case: dict[str, Any], feeds: list[dict[str, Array]], expected: Any) -> None:
    """Check a stateful case call by call in the three runners, reset where Keras's layer was."""
    names = graph.output_names[: len(expected[0])]
    for stream in (graph.stream(), unroll.Session(unroll.to_onnx(graph)).stream(), ReferenceStream(graph)):
        for call, given, wanted in zip(case["calls"], feeds, expected, strict=True):
            if call["reset"]:
                stream.reset()
            found = stream.run(given)
            assert_close([found[name] for name in names], wanted, case["dtype"])


def test_the_golden_file_holds_what_is_promised() -> None:
    assert MANIFEST["keras"].startswith("3.")
    assert len(CASES) >= 220
    assert len({case["id"] for case in CASES}) == len(CASES)
    for short in ("simple", "lstm", "gru", "gru-before"):
        ids = {case["id"] for case in CASES}
        assert {f"{short}-seq-state-b{batch}-t{steps}" for batch in (1, 3) for steps in (1, 2, 7)} <= ids


# -- layers and cells on their own ------------------------------------------------------------------------------------


@cases(lambda case: not is_sequential(case) and not is_stateful(case))
def test_a_layer_gives_keras_numbers(case: dict[str, Any]) -> None:
    made = program(case)
    check_three_runners(made.graph, made.feeds[0], made.expected[0], case["dtype"])


@cases(lambda case: not is_sequential(case) and is_stateful(case))
def test_a_stateful_layer_gives_keras_numbers_call_after_call(case: dict[str, Any]) -> None:
    made = program(case)
    check_calls(made.graph, case, made.feeds, made.expected)


@cases(lambda case: not is_sequential(case))
def test_a_layer_returns_what_keras_returns_and_has_its_weights(case: dict[str, Any]) -> None:
    made = program(case)
    assert sketch(made.returned) == case["calls"][0]["returned"]
    assert [list(parameter.shape) for parameter in made.layer.weights] == [item["shape"] for item in case["weights"]]
    assert made.layer.count_params() == case["count_params"]
    for found, given in zip(made.layer.get_weights(), weights_of(case), strict=True):
        np.testing.assert_array_equal(found, given, strict=True)


@cases(lambda case: not is_sequential(case))
def test_a_layer_on_its_own_names_its_weights_as_keras_does(case: dict[str, Any]) -> None:
    assert [parameter.name for parameter in program(case).layer.weights] == [item["path"] for item in case["weights"]]


# -- Sequential -------------------------------------------------------------------------------------------------------


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


# -- tables -----------------------------------------------------------------------------------------------------------


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


# -- promises that need no numbers of Keras ---------------------------------------------------------------------------


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
