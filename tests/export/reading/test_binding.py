"""Sizes and values by name: put into a file before its shapes are inferred, and everything that follows is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused
from onnx import ModelProto, TensorProto, helper, numpy_helper

import unroll


def chosen_file() -> ModelProto:
    """A rate that chooses a branch, a size that decides a shape, and an operator that is none of ours."""

    def branch(name: str, factor: float) -> Any:
        weight = numpy_helper.from_array(np.array(factor, "float32"), f"{name}/factor")
        node = helper.make_node("Mul", ["x", f"{name}/factor"], [f"{name}/y"])
        output = helper.make_tensor_value_info(f"{name}/y", TensorProto.FLOAT, None)
        return helper.make_graph([node], name, [], [output], [weight])

    nodes = [
        helper.make_node("Equal", ["sr", "fast"], ["is_fast"], "equal"),
        helper.make_node(
            "If", ["is_fast"], ["scaled"], "choice", then_branch=branch("then", 2.0), else_branch=branch("else", 3.0)
        ),
        helper.make_node("Shape", ["x"], ["shape"], "shape"),
        helper.make_node("Gather", ["shape", "one"], ["time"], "gather"),
        helper.make_node("Unsqueeze", ["time", "axes"], ["times"], "unsqueeze"),
        helper.make_node("Concat", ["minus", "times"], ["wanted"], "concat", axis=0),
        helper.make_node("Reshape", ["scaled", "wanted"], ["z"], "reshape"),
    ]
    constants = {"fast": 16000, "one": 1, "axes": [0], "minus": [-1]}
    graph = helper.make_graph(
        nodes,
        "chosen",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "time"]),
            helper.make_tensor_value_info("sr", TensorProto.INT64, []),
        ],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, None])],
        [numpy_helper.from_array(np.array(value, "int64"), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def kinds(graph: unroll.Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def test_a_value_chooses_a_branch_and_a_size_a_shape() -> None:
    graph = unroll.from_onnx(chosen_file(), dims={"time": 3}, values={"sr": 16000})
    assert kinds(graph) == ["Mul", "Reshape"]
    assert [item.name for item in graph.inputs] == ["x"]
    assert graph.shape(graph.inputs[0])[1] == 3
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(graph.run({"x": x})["z"], 2 * x)
    other = unroll.from_onnx(chosen_file(), values={"sr": 8000})
    np.testing.assert_array_equal(other.run({"x": x})["z"], 3 * x)
    assert "If" not in kinds(other)
    assert "If" in kinds(unroll.from_onnx(chosen_file(), dims={"time": 3}))


def test_the_file_that_is_given_stays_as_it_is() -> None:
    model = chosen_file()
    before = model.SerializeToString()
    unroll.from_onnx(model, dims={"time": 3}, values={"sr": 1})
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    ("given", "builtin", "said"),
    [
        ({"dims": {"tim": 3}}, ValueError, ["'tim'", "time"]),
        ({"dims": {"time": "3"}}, TypeError, ["time", "'3'"]),
        ({"dims": [3]}, TypeError, ["dims", "a dict"]),
        ({"values": {"rate": 3}}, ValueError, ["'rate'", "no input", "sr"]),
        ({"values": {"sr": [1, 2]}}, ValueError, ["sr of shape (2,)", "() is wanted"]),
        ({"values": {"sr": 1.5}}, TypeError, ["sr"]),
        ({"values": {"x": np.ones((2, 4))}, "dims": {"time": 3}}, ValueError, ["x of shape (2, 4)", "time = 3"]),
    ],
)
def test_names_sizes_and_values_that_do_not_fit_are_refused(
    given: dict[str, Any], builtin: type[Exception], said: list[str]
) -> None:
    refused(lambda: unroll.from_onnx(chosen_file(), **given), builtin, "from_onnx", *said)
