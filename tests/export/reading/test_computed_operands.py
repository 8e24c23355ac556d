"""A known operator stays known where a run computes what it is given: sizes, axes, places."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
import pytest
from helpers import Array
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import unroll
from unroll.ops.opaque import Opaque

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
X = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")


class Case(NamedTuple):
    """A node that makes y, whose operands are fed, and the rank of y."""

    node: NodeProto
    feeds: dict[str, Any]
    rank: int
    fixed: Mapping[str, Any] = MappingProxyType({})


def node(kind: str, *inputs: str, outputs: tuple[str, ...] = ("y",), **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs, outputs, **attributes)


CASES = {
    "Slice": Case(node("Slice", "x", "s", "e", "a"), {"x": X, "s": [1], "e": [3]}, 3, {"a": [1]}),
    "Slice along computed axes": Case(node("Slice", "x", "s", "e", "a"), {"x": X, "a": [1]}, 3, {"s": [0], "e": [1]}),
    "Slice by computed steps": Case(
        node("Slice", "x", "s", "e", "a", "k"), {"x": X, "k": [2]}, 3, {"s": [0], "e": [4], "a": [2]}
    ),
    "Expand": Case(node("Expand", "x", "s"), {"x": X[:, :1], "s": [2, 3, 4]}, 3),
    "Expand to more axes": Case(node("Expand", "x", "s"), {"x": X, "s": [5, 1, 3, 4]}, 4),
    "Tile": Case(node("Tile", "x", "s"), {"x": X, "s": [2, 1, 3]}, 3),
    "ConstantOfShape": Case(node("ConstantOfShape", "s"), {"s": [2, 3]}, 2),
    "Range": Case(node("Range", "a", "s", "d"), {"s": 7}, 1, {"a": 1, "d": 2}),
    "Squeeze": Case(node("Squeeze", "x", "s"), {"x": X[:, :1], "s": [1]}, 2),
    "Unsqueeze": Case(node("Unsqueeze", "x", "s"), {"x": X, "s": [0, 2]}, 5),
    "Split": Case(node("Split", "x", "s", outputs=("y", "z"), axis=1), {"x": X, "s": [1, 2]}, 3),
    "ReduceSum": Case(node("ReduceSum", "x", "s"), {"x": X, "s": [1]}, 3),
    "ReduceMean": Case(node("ReduceMean", "x", "s", keepdims=0), {"x": X, "s": [0, 2]}, 1),
    "ReduceMax": Case(node("ReduceMax", "x", "s", keepdims=0), {"x": X, "s": [-1]}, 2),
    "Reshape": Case(node("Reshape", "x", "s"), {"x": X, "s": [-1, 4]}, 2),
    "Reshape to a shape of any length": Case(node("Reshape", "x", "s"), {"x": X, "s": [-1, 4]}, 2),
}


def model(nodes: list[NodeProto], case: Case, opset: int = 18) -> ModelProto:
    inputs = []
    for name, value in case.feeds.items():
        array = np.asarray(value)
        sizes: list[Any] = list(array.shape) if name != "x" else [None if size > 1 else 1 for size in array.shape]
        if len(sizes) == 1 and "y" in nodes[-1].output and nodes[-1].op_type == "Reshape" and case is CASES[_ANY]:
            sizes = ["n"]
        inputs.append(helper.make_tensor_value_info(name, FLOAT if array.dtype.kind == "f" else INT64, sizes))
    kind = INT64 if nodes[-1].op_type == "Range" else FLOAT
    outputs = [helper.make_tensor_value_info(name, kind, [None] * case.rank) for name in nodes[-1].output]
    fixed = [numpy_helper.from_array(np.asarray(value), name) for name, value in case.fixed.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, fixed)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


_ANY = "Reshape to a shape of any length"


def run_in_onnxruntime(proto: ModelProto, feeds: dict[str, Any]) -> list[Array]:
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, feeds))


@pytest.mark.parametrize("name", CASES)
def test_a_known_operator_stays_known_where_a_run_computes_its_operands(name: str) -> None:
    case = CASES[name]
    proto = model([case.node], case)
    feeds = {key: np.asarray(value) for key, value in case.feeds.items()}
    graph = unroll.from_onnx(proto)
    assert [item.op.name for item in graph.nodes] == [case.node.op_type]
    assert [len(graph.shape(tensor)) for tensor in graph.outputs] == [case.rank] * len(graph.outputs)
    wanted = run_in_onnxruntime(proto, feeds)
    written = unroll.to_onnx(graph)
    again = [item.op.name for item in unroll.from_onnx(written).nodes]
    assert again == [case.node.op_type]
    passes = unroll.optimize(graph, check=False).run(feeds)
    for found in (graph.run(feeds).values(), run_in_onnxruntime(written, feeds), passes.values()):
        for array, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-6)
    assert unroll.verify(proto, feeds=feeds)


@pytest.mark.parametrize("name", CASES)
def test_operands_that_are_given_by_value_tell_the_sizes(name: str) -> None:
    case = CASES[name]
    feeds = {key: np.asarray(value) for key, value in case.feeds.items()}
    proto = model([case.node], case)
    values = {key: value for key, value in feeds.items() if key != "x"}
    dims = {f"x_{axis}": size for axis, size in enumerate(X.shape) if feeds.get("x", X[:0]).shape[axis] == size > 1}
    graph = unroll.from_onnx(proto, values=values, dims=dims if "x" in feeds else None)
    wanted = run_in_onnxruntime(proto, feeds)
    assert [tuple(graph.shape(tensor)) for tensor in graph.outputs] == [array.shape for array in wanted]
    found = graph.run({"x": feeds["x"]} if "x" in feeds else {})
    for array, other in zip(found.values(), wanted, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-6)


def test_sizes_that_are_computed_in_floats_and_by_operators_of_others_are_followed() -> None:
    """Half of each size, rounded up, as exporters write it for an image."""
    nodes = [
        node("Shape", "w", outputs=("sizes",)),
        node("Cast", "sizes", outputs=("wide",), to=FLOAT),
        node("Div", "wide", "two", outputs=("halves",)),
        node("Ceil", "halves", outputs=("up",)),
        node("Cast", "up", outputs=("whole",), to=INT64),
        node("Reshape", "x", "whole"),
    ]
    fixed = {"two": np.float32(2), "w": np.zeros((4, 7), "float32")}
    case = Case(nodes[-1], {"x": np.arange(8, dtype="float32")}, 2, fixed)
    graph = unroll.from_onnx(model(nodes, case))
    assert [str(graph.shape(tensor)) for tensor in graph.outputs] == ["(2, 4)"]
    assert any(isinstance(item.op, Opaque) for item in graph.nodes)  # Ceil, which is none of ours
    for found in (graph, unroll.optimize(graph), unroll.from_onnx(unroll.to_onnx(graph))):
        assert found.run(case.feeds)["y"].shape == (2, 4)


def test_axes_that_a_run_computes_need_an_opset_that_has_them_as_an_input() -> None:
    case = CASES["ReduceMean"]
    graph = unroll.from_onnx(model([case.node], case))
    assert unroll.to_onnx(graph).opset_import[0].version == 18
    with pytest.raises(unroll.UnrollError, match="ReduceMean along axes that a run computes needs opset 18"):
        unroll.to_onnx(graph, opset=13)
