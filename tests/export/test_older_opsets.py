"""An operator that an opset has not is written as those that it is made of, and computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from helpers import GOLDEN, Array, check_three_runners

import unroll
from unroll import ops
from unroll.export.lowering import LATEST_OPSET
from unroll.export.reading.reader import from_onnx
from unroll.passes.rerolling.planner import reroll

NORMALISED = GOLDEN / "foreign" / "dynamo-normalised_lstm-b3-t3-op18.onnx"


def normalised(dtype: str = "float32") -> tuple[unroll.Graph, dict[str, Array]]:
    rng = np.random.default_rng(3)
    x = unroll.placeholder([None, 3, 4], "x", dtype)
    scale, bias = (unroll.Parameter(rng.normal(size=(3, 4)).astype(dtype), name) for name in ("scale", "bias"))
    y = ops.layer_normalization(x, scale, bias, axis=-2, epsilon=0.25)
    return unroll.Graph([x], {"y": y}), {"x": rng.normal(size=(2, 3, 4)).astype(dtype)}


def by_hand(x: Array, scale: Array, bias: Array) -> Array:
    rows = x.reshape(len(x), -1).astype(np.float64)
    rows = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 0.25)
    return np.asarray(rows.reshape(x.shape) * scale + bias)


def kinds(model: onnx.ModelProto) -> list[str]:
    inner = [attribute.g for node in model.graph.node for attribute in node.attribute if attribute.HasField("g")]
    return [node.op_type for graph in (model.graph, *inner) for node in graph.node]


@pytest.mark.parametrize("opset", [13, 16, 17, 18, LATEST_OPSET])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 4e-3), ("float32", 1e-5), ("float64", 1e-9)])
def test_layer_normalisation_is_the_formula_in_every_opset(dtype: str, tolerance: float, opset: int) -> None:
    graph, feeds = normalised(dtype)
    wanted = by_hand(feeds["x"], graph.parameters["scale"].value, graph.parameters["bias"].value)
    model = unroll.to_onnx(graph, opset=opset)
    onnx.checker.check_model(model, full_check=True)
    assert ("LayerNormalization" in kinds(model)) == (opset >= 17)
    assert [item.name for item in model.graph.output] == ["y"]
    for found in (graph.run(feeds)["y"], unroll.Session(model).run(feeds)["y"]):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layer_normalisation_is_the_same_in_three_runners(dtype: str) -> None:
    graph, feeds = normalised(dtype)
    wanted = by_hand(feeds["x"], graph.parameters["scale"].value, graph.parameters["bias"].value)
    check_three_runners(graph, feeds, [wanted.astype(dtype)], dtype)


@pytest.mark.parametrize("opset", [13, 18])
def test_the_body_of_a_loop_is_written_so_too(opset: int) -> None:
    graph = from_onnx(NORMALISED)
    found, report = reroll(graph)
    assert report.operators == ["Scan"]
    model = unroll.to_onnx(found, opset=opset)
    onnx.checker.check_model(model, full_check=True)
    assert ("LayerNormalization" in kinds(model)) == (opset >= 17)
    feeds: Any = {"x": np.random.default_rng(1).normal(size=(3, 3, 3)).astype("float32")}
    np.testing.assert_allclose(
        unroll.Session(model).run(feeds)["stack"], graph.run(feeds)["stack"], rtol=1e-5, atol=1e-5
    )


def test_layer_normalisation_of_what_does_not_fit_is_refused() -> None:
    x = unroll.placeholder([None, 3, 4], "x")
    with pytest.raises(unroll.errors.ShapeError, match=r"5 and 4 must be equal .*Scale = constant"):
        ops.layer_normalization(x, np.ones(5, "float32"))
    with pytest.raises(unroll.errors.ShapeError, match="B does not broadcast"):
        ops.layer_normalization(x, np.ones(4, "float32"), np.ones((2, 3, 4), "float32"))
    with pytest.raises(unroll.errors.ShapeError, match="axis"):
        ops.layer_normalization(x, np.ones(4, "float32"), axis=3)
