"""Tensors of dtypes that no operator of ours computes with pass through: read, fed, run, written, verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import Array
from onnx import TensorProto, helper, numpy_helper

import unroll

PASSED = "UINT8 INT8 UINT16 INT16 UINT32 UINT64 BFLOAT16 STRING FLOAT8E4M3FN UINT4 INT4".split()  # noqa: SIM905


def model_of(kind: int, weight: Array) -> onnx.ModelProto:
    """A tensor that comes in and one that is held, both as they are."""
    infos = [helper.make_tensor_value_info(name, kind, [2, 2]) for name in ("x", "y", "z")]
    nodes = [helper.make_node("Identity", ["x"], ["y"], "same"), helper.make_node("Identity", ["held"], ["z"], "kept")]
    held = numpy_helper.from_array(weight, "held")
    graph = helper.make_graph(nodes, "one", infos[:1], infos[1:], [held])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def array_of(name: str, start: int) -> Array:
    if name == "STRING":
        return np.array([["a", "b"], ["c d", f"{start}"]], object)
    dtype = helper.tensor_dtype_to_np_dtype(getattr(TensorProto, name))
    return np.array([[start, start + 1], [2, 3]]).astype(dtype)


def as_numbers(array: Array) -> Any:
    return array.tolist() if array.dtype == object else array.astype(np.float64).tolist()


@pytest.mark.parametrize("name", PASSED)
def test_a_tensor_of_any_dtype_passes_through(name: str, tmp_path: Path) -> None:
    kind, fed, held = getattr(TensorProto, name), array_of(name, 0), array_of(name, 1)
    model = model_of(kind, held)
    graph = unroll.from_onnx(model)
    found = graph.run({"x": fed})
    assert found["y"].dtype == found["z"].dtype == fed.dtype
    assert [as_numbers(array) for array in found.values()] == [as_numbers(fed), as_numbers(held)]
    written = unroll.to_onnx(graph)
    onnx.checker.check_model(written, full_check=True)
    assert [item.type.tensor_type.elem_type for item in written.graph.output] == [kind, kind]
    again = unroll.from_onnx(unroll.save(graph, tmp_path / "x.onnx"))
    assert [as_numbers(array) for array in again.run({"x": fed}).values()] == [as_numbers(fed), as_numbers(held)]


@pytest.mark.parametrize("name", ["UINT8", "INT8", "UINT16", "STRING"])
def test_verify_feeds_and_compares_them(name: str) -> None:
    assert unroll.verify(model_of(getattr(TensorProto, name), array_of(name, 1)))


def test_text_may_be_fed_as_a_list() -> None:
    graph = unroll.from_onnx(model_of(TensorProto.STRING, array_of("STRING", 1)))
    assert graph.run({"x": [["p", "q"], ["r", "s"]]})["y"][0].tolist() == ["p", "q"]
    with pytest.raises(unroll.UnrollError, match="feed 'x'"):
        graph.run({"x": [[1, 2], [3, 4]]})


def test_a_quantised_layer_runs_beside_our_operators() -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], "quantise"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["r"], "back"),
        helper.make_node("Tanh", ["r"], ["y"], "after"),
    ]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in ("x", "y")]
    held = [numpy_helper.from_array(np.array(0.1, "f"), "scale"), numpy_helper.from_array(np.array(5, "u1"), "zero")]
    graph = helper.make_graph(nodes, "one", infos[:1], infos[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    feeds = {"x": np.array([-0.32, 0.27, 1.99], "f")}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    read = unroll.from_onnx(model)
    np.testing.assert_allclose(read.run(feeds)["y"], session.run(None, feeds)[0], rtol=1e-6)
    assert [node.op.name for node in read.nodes] == ["QuantizeLinear", "DequantizeLinear", "Tanh"]
    assert unroll.verify(model)
