"""A Loop of another model's file that never ends does not keep whoever reads, verifies or rewrites it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from onnx import TensorProto, helper, numpy_helper

import unroll
from unroll import ops
from unroll.errors import UnrollError, UnrollWarning, UnsupportedError
from unroll.export.verifying.verification import NoWitnessError


def info(name: str, kind: int = TensorProto.FLOAT, shape: list[Any] | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, [2] if shape is None else shape)


def loop(name: str, count: str, inner: list[onnx.NodeProto] | None = None) -> onnx.NodeProto:
    """Doubles a vector for as long as a condition holds, which stays as it is."""
    body = helper.make_graph(
        [
            *(inner or [helper.make_node("Add", [f"{name}/v", f"{name}/v"], [f"{name}/sum"])]),
            helper.make_node("Identity", [f"{name}/go"], [f"{name}/on"]),
        ],
        "body",
        [info(f"{name}/i", TensorProto.INT64, []), info(f"{name}/go", TensorProto.BOOL, []), info(f"{name}/v")],
        [info(f"{name}/on", TensorProto.BOOL, []), info(f"{name}/sum")],
    )
    return helper.make_node("Loop", [count, "yes", "x"], [f"{name}/y"], name=name, body=body)


def model(node: onnx.NodeProto, counts: dict[str, int]) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(np.array(True), "yes")]
    weights += [numpy_helper.from_array(np.array(count), name) for name, count in counts.items()]
    after = helper.make_node("Tanh", [node.output[0]], ["y"])
    inner = [info(node.output[0])]
    graph = helper.make_graph([node, after], "main", [info("x")], [info("y")], weights, value_info=inner)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def nested() -> onnx.ModelProto:
    """A thousand times a thousand iterations."""
    inner = loop("inner", "n")
    inner.input[2] = "outer/v"
    renamed = helper.make_node("Identity", ["inner/y"], ["outer/sum"])
    return model(loop("outer", "n", [inner, renamed]), {"n": 1000})


@pytest.mark.slow
@pytest.mark.parametrize("which", ["no count", "a count of 2**40", "a loop in a loop"])
def test_a_loop_without_end_is_an_error_that_names_it_and_the_file_is_left_as_it_is(which: str) -> None:
    proto = {
        "no count": lambda: model(loop("endless", ""), {}),
        "a count of 2**40": lambda: model(loop("endless", "n"), {"n": 2**40}),
        "a loop in a loop": nested,
    }[which]()
    graph = unroll.from_onnx(proto)
    if which == "no count":
        refused(lambda: graph.run({"x": [1, 2]}), UnsupportedError, "after 30000 iterations")
    with ops.most_iterations(500):
        refused(lambda: graph.run({"x": [1, 2]}), UnsupportedError, "after 500 iterations")
        refused(lambda: unroll.verify(proto), NoWitnessError, "iterations")
        with pytest.warns(UnrollWarning, match="nothing was rewritten: .* iterations") as said:
            assert unroll.optimize(graph) is graph
    assert len(said) == 1


def test_a_loop_that_ends_is_computed() -> None:
    graph = unroll.from_onnx(model(loop("short", "n"), {"n": 3}))
    np.testing.assert_allclose(graph.run({"x": [0.01, 0.02]})["y"], np.tanh([0.08, 0.16]), rtol=1e-6)
    assert issubclass(NoWitnessError, UnrollError)
