"""Real Keras's layers over a time that is a symbol, case by case: Keras's numbers at its length, and another length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from any_length import check_any_length, shortest_and_longest
from helpers import Array, refused
from keras_programs import CASES, arrays_of, build, is_stateful, weights_of

import unroll
from unroll import layers, nest
from unroll.ops.scan import Scan

#: Layers that know nothing of time.
TIMELESS = ("Dense", "Embedding", "LayerNormalization", "Masking")


def has_time(case: dict[str, Any]) -> bool:
    """A recurrent layer, a wrapper of one, or a model of such; a model whose Input says its length has no other."""
    kind, parts = case["build"]["class"], case["build"]["kwargs"].get("layers", [])
    if is_stateful(case) or any(part["class"] == "Input" and part["kwargs"]["shape"][0] is not None for part in parts):
        return False
    unrolled = case["build"]["kwargs"].get("unroll")  # which asks for a number of steps
    return kind not in TIMELESS and "Cell" not in kind and not unrolled


@pytest.mark.sampled(3)
@pytest.mark.slow
@pytest.mark.parametrize(
    "case", shortest_and_longest([case for case in CASES if has_time(case)]), ids=lambda case: str(case["id"])
)
def test_a_layer_of_any_length_gives_keras_numbers(case: dict[str, Any]) -> None:
    call, feeds, axes = case["calls"][0], dict[str, Array](), dict[str, int]()
    feeds["x"] = arrays_of(case, call["input"])
    if call["mask"] is not None:
        feeds["mask"] = arrays_of(case, call["mask"])
    axes = dict.fromkeys(feeds, 1)
    states = nest.flatten(arrays_of(case, call["initial_state"])) if call["initial_state"] is not None else []
    feeds |= {f"state{place}": array for place, array in enumerate(states)}

    def make(time: int | str) -> unroll.Graph:
        layer = build(case["build"])
        inputs = {
            name: unroll.placeholder(
                [None, time, *array.shape[2:]] if name in axes else [None, *array.shape[1:]], name, array.dtype
            )
            for name, array in feeds.items()
        }
        given: dict[str, Any] = {"mask": inputs["mask"]} if "mask" in inputs else {}
        if states:
            parts = [inputs[f"state{place}"] for place in range(len(states))]
            given["initial_state"] = nest.pack(call["initial_state"], parts)
        outputs = layer(inputs["x"], **given)
        layer.set_weights(weights_of(case))
        return unroll.Graph(list(inputs.values()), outputs)

    if any(isinstance(node.op, Scan) for node in make("time").nodes):
        wanted = nest.flatten(arrays_of(case, call["outputs"]))
        check_any_length(make, feeds["x"].shape[1], feeds, axes, wanted, case["dtype"])


def test_layers_on_a_tensor_of_any_length_have_the_shapes_of_keras() -> None:
    x = unroll.placeholder([None, None, 5], "x")
    assert str(layers.RNN(layers.LSTMCell(4))(x).shape) == "(batch, 4)"
    assert str(layers.RNN([layers.LSTMCell(32), layers.LSTMCell(64)])(x).shape) == "(batch, 64)"


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_steps_that_are_not_known_are_not_unrolled(kind: Any) -> None:
    x = unroll.placeholder([None, "time", 5], "x")
    refused(
        lambda: kind(3, unroll=True)(x), NotImplementedError, "unroll=True", "axis 1", "time", "layers.Input((28, 5))"
    )
    assert str(kind(3, unroll=True)(unroll.placeholder([None, 4, 5], "z")).shape) == "(batch, 3)"


@pytest.mark.parametrize("units", [[4], [32, 64]])
def test_a_model_of_any_length_runs_at_one_seven_and_three_hundred_steps(units: list[int]) -> None:
    cells = [layers.LSTMCell(size) for size in units]
    model = layers.Sequential([layers.Input((None, 5)), layers.RNN(cells if len(cells) > 1 else cells[0])])
    graph = model.trace()
    assert [str(graph.shape(tensor)) for tensor in (*graph.inputs, *graph.outputs)] == [
        "(batch, time, 5)",
        f"(batch, {units[-1]})",
    ]
    session = unroll.Session(graph, form="rerolled")
    for time in (1, 7, 300):
        x = np.random.default_rng(time).standard_normal((2, time, 5)).astype("float32")
        (found,) = session.run({"input_layer": x}).values()
        np.testing.assert_allclose(found, model.predict(x), rtol=1e-5, atol=1e-5)
