"""Programs written for Keras run with only their import changed: Keras's numbers, shapes and layers, in NumPy and as ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.keras_models import CASES
from helpers import Array, check_three_runners

import unroll
from unroll import keras, nest

GOLDEN = Path(__file__).parent.parent / "golden"
ARRAYS = np.load(GOLDEN / "keras_models.npz")
SAID: dict[str, Any] = json.loads((GOLDEN / "keras_models.json").read_text(encoding="utf-8"))["cases"]


def arrays(prefix: str, count: int) -> list[Array]:
    return [ARRAYS[f"{prefix}/{place}"] for place in range(count)]


def models_of(name: str) -> dict[str, Any]:
    """Run a program, and give its models Keras's weights, by position."""
    made = CASES[name].program(keras)
    models = made if isinstance(made, dict) else {"": made}
    next(iter(models.values())).set_weights(arrays(f"{name}/weight", SAID[name]["weights"]))
    return models


@pytest.mark.parametrize("name", CASES)
def test_a_program_gives_keras_s_numbers_in_every_runner(name: str) -> None:
    for key, model in models_of(name).items():
        said = SAID[name]["models"][key]
        fed, expected = arrays(f"{name}/{key}/input", said["inputs"]), arrays(f"{name}/{key}/output", said["outputs"])
        if model.stateful:
            check_stream(model.trace(), fed, expected)
            continue
        found = model.predict(fed if len(fed) > 1 else fed[0])
        assert (sorted(found) if isinstance(found, dict) else None) == said["keys"]
        for array, wanted in zip(nest.flatten(found), expected, strict=True):
            np.testing.assert_allclose(array, wanted, rtol=1e-5, atol=1e-5)
        graph = model.trace()  # any time
        feeds = dict(zip((item.name for item in graph.inputs), fed, strict=True))
        if said["keys"]:  # the graph's outputs stand as the program lists them
            expected = [expected[said["keys"].index(output)] for output in graph.output_names]
        for outputs in (graph.run(feeds), unroll.Session(graph).run(feeds)):
            for output, wanted in zip(graph.output_names, expected, strict=True):
                np.testing.assert_allclose(outputs[output], wanted, rtol=1e-5, atol=1e-5)
        times = {
            item.name: feeds[item.name].shape[1] for item in graph.inputs if not isinstance((*item.shape, 0, 0)[1], int)
        }
        check_three_runners(model.trace(timesteps=times or None), feeds, expected, "float32")


def check_stream(graph: unroll.Graph, fed: list[Array], expected: list[Array]) -> None:
    """Check the first call of a model whose state goes on, in NumPy and in onnxruntime; a second call gives other numbers."""
    feeds = {graph.inputs[0].name: fed[0]}
    for stream in (graph.stream(), unroll.Session(graph).stream()):
        first, second = stream.run(feeds), stream.run(feeds)
        np.testing.assert_allclose(first[graph.output_names[0]], expected[0], rtol=1e-5, atol=1e-5)
        assert np.abs(first[graph.output_names[0]] - second[graph.output_names[0]]).max() > 1e-3


@pytest.mark.parametrize("name", CASES)
def test_a_model_says_what_keras_says_of_it(name: str) -> None:
    models = models_of(name)
    first = next(iter(models.values()))
    assert first.count_params() == SAID[name]["count"]
    for key, model in models.items():
        said = SAID[name]["models"][key]
        assert [type(layer).__name__.replace("Input", "InputLayer") for layer in model.layers] == [
            kind.replace("Functional", "Model") for kind in said["layers"]
        ]
        if said["output_shapes"] is not None:
            assert [list(item.shape) for item in model.outputs] == said["output_shapes"]


@pytest.mark.parametrize("name", CASES)
def test_a_program_ends_in_a_picture_a_flat_file_and_a_proof(name: str, tmp_path: Path) -> None:
    model = next(iter(models_of(name).values()))
    open_ = [shape[1] is None for shape in nest_of_shapes(model.input_shape) if len(shape) > 1]
    graph = model.trace(timesteps=4) if any(open_) else model.trace()
    unroll.draw(graph, tmp_path / "model.svg")
    model_proto = unroll.to_onnx(graph, form="unrolled")
    assert not {node.op_type for node in model_proto.graph.node} & {"LSTM", "GRU", "RNN", "Scan", "Loop", "If"}
    assert unroll.verify(graph).worst.agrees


def nest_of_shapes(shapes: Any) -> list[Any]:
    if isinstance(shapes, dict):
        return list(shapes.values())
    return list(shapes) if any(isinstance(item, tuple) for item in shapes) else [shapes]
