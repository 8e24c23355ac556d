"""An If whose branches differ in rank, as exporters write one for ``squeeze``: sizes and values decide which one is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from helpers import Array, refused
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

import unroll
from unroll.cli import main
from unroll.export.verifying.witnesses import REWRITTEN

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
WEIGHT = np.random.default_rng(1).standard_normal((4, 3)).astype("float32")


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def branch(nodes: list[NodeProto], output: str, **weights: Array) -> GraphProto:
    fixed = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    return helper.make_graph(nodes, "branch", [], [helper.make_empty_tensor_value_info(output)], fixed)


def squeezing(x: str, to: str, size_of: str = "") -> list[NodeProto]:
    """What torch's exporter writes for ``x.squeeze(1)``; its inner names are those of every other one."""
    return [
        node("Shape", size_of or x, f"{to}/shape"),
        node("Gather", f"{to}/shape one", f"{to}/size"),
        node("Equal", f"{to}/size one", f"{to}/is_one"),
        node(
            "If",
            f"{to}/is_one",
            to,
            then_branch=branch([node("Squeeze", f"{x} ones", "inner")], "inner", ones=np.array([1])),
            else_branch=branch([node("Identity", x, "inner")], "inner"),
        ),
    ]


def model(nodes: list[NodeProto], inputs: dict[str, list[Any]], rank: int) -> ModelProto:
    infos = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items() if name != "rate"]
    infos += [helper.make_tensor_value_info("rate", INT64, []) for name in inputs if name == "rate"]
    outputs = [helper.make_tensor_value_info("y", FLOAT, [None] * rank)]
    fixed = {"one": np.array(1), "w": WEIGHT, "pads": np.array([0, 0, 0, 0, 2, 0]), "rate_of": np.array(16)}
    weights = [numpy_helper.from_array(value, name) for name, value in fixed.items()]
    graph = helper.make_graph(nodes, "g", infos, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def in_onnxruntime(proto: ModelProto, feeds: dict[str, Any]) -> Array:
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feeds)[0])


@pytest.mark.parametrize(("time", "rank"), [(1, 2), (5, 3)])
def test_a_size_decides_which_branch_is_read(time: int, rank: int) -> None:
    proto = model([*squeezing("x", "flat"), node("MatMul", "flat w", "y")], {"x": ["batch", "time", 4]}, rank)
    graph = unroll.from_onnx(proto, dims={"time": time})
    x = np.random.default_rng(time).standard_normal((2, time, 4)).astype("float32")
    assert "If" not in [item.op.name for item in graph.nodes]
    assert graph.shape(graph.outputs[0])[-1] == 3
    for found in (graph.run({"x": x}), unroll.Session(graph).run({"x": x})):
        np.testing.assert_allclose(found["y"], in_onnxruntime(proto, {"x": x}), rtol=1e-5, atol=1e-6)


def test_a_file_that_only_sizes_open_is_verified_with_them(tmp_path: Path) -> None:
    proto = model([*squeezing("x", "flat"), node("MatMul", "flat w", "y")], {"x": ["batch", "time", 4]}, 2)
    path = tmp_path / "rank.onnx"
    path.write_bytes(proto.SerializeToString())
    assert unroll.verify(path, dims={"time": 1}).subject == f"{path} itself"
    assert unroll.verify(path, {"x": np.ones((2, 1, 4), np.float32)}, dims={"time": 1}).runners[2] == "onnxruntime"
    refused(lambda: unroll.verify(path, dims={"tine": 1}), ValueError, "'tine'", "time")
    refused(lambda: unroll.verify(path, dims={"time": 1}, values={"x": 1}), ValueError, "()", "(batch, time, 4)")
    refused(lambda: unroll.verify(path, values={"rate": 1}), ValueError, "'rate'", "no input")
    graph = unroll.from_onnx(path, dims={"time": 1})
    refused(lambda: unroll.verify(graph, values={"x": 1}), TypeError, "feed those of a Graph")
    assert main(["verify", str(path), "--dim", "time=1"]) == 0
    assert main(["verify", str(path)]) == 2


def test_what_would_decide_is_said() -> None:
    proto = model([*squeezing("x", "flat"), node("MatMul", "flat w", "y")], {"x": ["batch", "time", 4]}, 2)
    refused(lambda: unroll.from_onnx(proto), ValueError, "'flat'", "rank", "else_branch", 'dims={"time": 28}')


def test_sizes_that_operators_of_others_make_are_inferred_again() -> None:
    """A Pad, which is none of ours, makes 3 of 1 step, so that the If does not squeeze."""
    nodes = [node("Pad", "x pads", "wide"), *squeezing("wide", "flat"), node("MatMul", "flat w", "y")]
    proto = model(nodes, {"x": ["batch", "time", 4]}, 3)
    graph = unroll.from_onnx(proto, dims={"time": 1})
    assert str(graph.shape(graph.outputs[0])) == "(batch, 3, 3)"
    said = refused(lambda: unroll.from_onnx(proto), ValueError, "'flat'", "rank")
    assert '"time": 28' in said  # the size has a name of its own, and follows from this one


def test_branches_that_follow_from_branches_are_read_one_after_the_other() -> None:
    nodes = [*squeezing("x", "once"), *squeezing("once", "twice"), node("MatMul", "twice w", "y")]
    proto = model(nodes, {"x": [2, "time", 4]}, 2)
    graph = unroll.from_onnx(proto, dims={"time": 1})
    x = np.random.default_rng(1).standard_normal((2, 1, 4)).astype("float32")
    np.testing.assert_allclose(graph.run({"x": x})["y"], in_onnxruntime(proto, {"x": x}), rtol=1e-5, atol=1e-6)
    assert len(set(graph.names.tensors.values())) == len(graph.names.tensors)


@pytest.mark.parametrize("rate", [8, 16])
def test_an_input_that_is_given_chooses_a_network(rate: int) -> None:
    """An If around all: the branch has weights of its own, and Ifs that sizes decide."""
    other = {"then_branch": WEIGHT, "else_branch": -2 * WEIGHT}
    parts = {
        name: branch([*squeezing("x", f"{name}/flat"), node("MatMul", f"{name}/flat v", "inner")], "inner", v=value)
        for name, value in other.items()
    }
    nodes = [node("Equal", "rate rate_of", "fast"), node("If", "fast", "y", **parts)]
    proto = model(nodes, {"x": ["batch", "time", 4], "rate": []}, 2)
    graph = unroll.from_onnx(proto, dims={"time": 1}, values={"rate": rate})
    x = np.random.default_rng(rate).standard_normal((3, 1, 4)).astype("float32")
    assert [item.op.name for item in graph.nodes] == ["Squeeze", "MatMul"]
    assert list(graph.parameters) == ["v"]
    wanted = in_onnxruntime(proto, {"x": x, "rate": np.array(rate)})
    np.testing.assert_allclose(graph.run({"x": x})["y"], wanted, rtol=1e-5, atol=1e-6)
    # the other runners run the file as it is, with the value fed
    found = unroll.verify(proto, {"x": x}, dims={"time": 1}, values={"rate": rate})
    assert (
        found.runners == ("NumPy", "onnx reference", "onnxruntime", REWRITTEN) and found.subject == "the model itself"
    )
    half = unroll.from_onnx(proto, values={"rate": rate})  # which is not enough: the If stays, and the file opens
    assert [item.op.name for item in half.nodes][-1] == "ai.onnx.If"
    np.testing.assert_allclose(half.run({"x": x})["y"], wanted, rtol=1e-5, atol=1e-6)


def test_a_branch_may_be_a_constant() -> None:
    parts = {
        name: branch([node("Constant", "", "inner", value=numpy_helper.from_array(sign * WEIGHT, "w"))], "inner")
        for name, sign in {"then_branch": 1, "else_branch": -1}.items()
    }
    proto = model([node("Equal", "one one", "yes"), node("If", "yes", "y", **parts)], {"x": ["batch", 4]}, 2)
    graph = unroll.from_onnx(proto, dims={"batch": 2})
    assert graph.output_names == ("y",)
    np.testing.assert_array_equal(graph.run({"x": np.ones((2, 4), np.float32)})["y"], WEIGHT)
