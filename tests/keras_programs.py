"""Layers and models as real Keras's cases say them, and what they are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import TOLERANCE, Array, golden_arrays, golden_json, run_reference

import unroll
from unroll import layers, nest, ops
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
