"""RNN, GRU and LSTM of files, with every attribute and input: NumPy computes what onnxruntime does, or says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import Array, refused
from onnx import helper
from random_recurrent_nodes import FUNCTIONS, GATES, Drawn, batch_first, draw_node, time_first
from read_models import floats, model_of, run

import unroll
from unroll.ops.opaque import Opaque


def expected(drawn: Drawn) -> dict[str, Array]:
    """What onnxruntime makes, which has no kernel for layout 1: it is given the same numbers with time first."""
    model, feeds = time_first(drawn)
    names = [item.name for item in model.graph.output]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = dict(zip(names, map(np.asarray, session.run(None, feeds)), strict=True))
    return {name: batch_first(array) if "'layout': 1" in drawn.told else array for name, array in found.items()}


def check_near(found: dict[str, Array], wanted: dict[str, Array], told: str) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, array.dtype), told
        scale = max(1.0, float(np.abs(array).max(initial=0)))
        np.testing.assert_allclose(found[name] / scale, array / scale, atol=1e-5, err_msg=f"{told}: {name}")


@pytest.mark.parametrize("start", range(0, 160, 20))
def test_random_nodes_of_every_attribute_are_read_and_right_or_refused_by_name(start: int) -> None:
    """2,000 are tried by benchmarks/recurrent_nodes.py."""
    seen = 0
    for seed in range(start, start + 20):
        drawn = draw_node(seed, foreign=0.4, mixed=0.2)
        graph = unroll.from_onnx(drawn.model)
        if not drawn.fixed:
            refused(lambda g=graph, d=drawn: g.run(d.feeds), NotImplementedError, "node: ", "activation_", "Session")
        elif drawn.feeds["X"].dtype == np.float32:  # for others onnxruntime has no kernel
            seen += 1
            wanted = expected(drawn)
            check_near(graph.run(drawn.feeds), wanted, drawn.told)
            check_near(unroll.Session(unroll.to_onnx(graph)).run(drawn.feeds), wanted, f"{drawn.told}, written")
    assert seen > 8


def one(kind: str, **attributes: Any) -> onnx.ModelProto:
    node = helper.make_node(kind, ["X", "W", "R"], ["Y"], "node", hidden_size=2, **attributes)
    dirs = 2 if attributes.get("direction") == "bidirectional" else 1
    weights = {"W": floats(dirs, 2 * GATES[kind], 3), "R": floats(dirs, 2 * GATES[kind], 2)}
    return model_of([node], {"X": [4, 1, 3]}, {"Y": [4, dirs, 1, 2]}, weights, 14)


@pytest.mark.parametrize("name", ["Affine", "ScaledTanh", "ThresholdedRelu"])
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_an_activation_that_needs_a_number_and_gets_none_is_refused_by_name(kind: str, name: str) -> None:
    graph = unroll.from_onnx(one(kind, activations=[name] * FUNCTIONS[kind]))
    refused(lambda: graph.run({"X": floats(4, 1, 3)}), NotImplementedError, "node", name, "activation_alpha")


def test_numbers_that_may_belong_to_one_activation_or_another_are_refused_by_name() -> None:
    graph = unroll.from_onnx(one("LSTM", activations=["Sigmoid", "LeakyRelu", "Tanh"], activation_alpha=[0.3]))
    refused(
        lambda: graph.run({"X": floats(4, 1, 3)}), NotImplementedError, "Sigmoid, LeakyRelu, Tanh", "activation_alpha"
    )
    first = one("LSTM", activations=["LeakyRelu", "Sigmoid", "Tanh"], activation_alpha=[0.3])
    feeds = {"X": floats(4, 1, 3)}
    np.testing.assert_allclose(unroll.from_onnx(first).run(feeds)["Y"], run(first, feeds)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ["hard_sigmoid", "elu", "leaky_relu", "linear"])
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_what_we_write_of_such_numbers_means_one_thing_and_is_read_again(kind: str, activation: str) -> None:
    """A parameter stands where the next one is looked for, and where that of its place is."""
    x = unroll.placeholder([None, 4, 3], "x")
    layer = getattr(unroll.layers, kind)(5, activation=activation)
    model = unroll.to_onnx(unroll.Graph([x], {"y": layer(x)}), form="rerolled")
    (written,) = [node for node in model.graph.node if node.op_type == kind]
    given = {item.name: onnx.helper.get_attribute_value(item) for item in written.attribute}
    assert len(given["activation_alpha"]) == len(given["activations"]) == FUNCTIONS[kind]
    again = unroll.from_onnx(model)
    assert kind in [node.op.name for node in again.nodes]
    feeds = {"x": floats(2, 4, 3)}
    wanted = run(model, feeds)[0]
    for graph in (again, unroll.from_onnx(unroll.to_onnx(again)), unroll.unroll(again)[0]):
        np.testing.assert_allclose(graph.run(feeds)["y"], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clip", [0.0, -1.0])
def test_a_clip_that_is_no_bound_is_refused_by_name(clip: float) -> None:
    graph = unroll.from_onnx(one("GRU", clip=clip))
    assert isinstance(graph.nodes[0].op, Opaque)
    refused(lambda: graph.run({"X": floats(4, 1, 3)}), NotImplementedError, "clip")


@pytest.mark.parametrize("kind", GATES)
def test_weights_may_be_fed_or_computed(kind: str) -> None:
    rows = 2 * GATES[kind]
    nodes = [
        helper.make_node("Transpose", ["W0"], ["W"], perm=[0, 2, 1]),
        helper.make_node("Concat", ["B0", "B1"], ["B"], axis=1),
        helper.make_node(kind, ["X", "W", "R", "B"], ["Y"], "node", hidden_size=2, clip=0.4),
    ]
    shapes = {"X": ["time", "batch", 3], "W0": [1, 3, rows], "R": [1, rows, "hidden"], "B0": [1, rows], "B1": [1, rows]}
    model = model_of(nodes, shapes, {"Y": ["time", 1, "batch", 2]}, opset=14)
    graph = unroll.from_onnx(model)
    assert graph.nodes[-1].op.name == kind
    feeds = {"X": floats(5, 2, 3), "W0": floats(1, 3, rows), "R": floats(1, rows, 2)}
    feeds |= {"B0": floats(1, rows), "B1": floats(1, rows)}
    for found in (graph.run(feeds)["Y"], unroll.Session(unroll.to_onnx(graph)).run(feeds)["Y"]):
        np.testing.assert_allclose(found, run(model, feeds)[0], rtol=1e-5, atol=1e-6)
