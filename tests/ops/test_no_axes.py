"""An empty list of axes: onnxruntime takes it for every axis of size 1 in a Squeeze, where it says none."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import refused
from onnx import TensorProto, helper

import unroll
from unroll import ops
from unroll.errors import ShapeError


@pytest.mark.parametrize("axes", [None, []])
def test_a_squeeze_of_no_axes_keeps_the_batch_of_one_in_every_runner(axes: list[int] | None) -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = unroll.Graph([x], {"y": ops.squeeze(x, axes)})
    fed = {"x": np.arange(3, dtype="float32").reshape(1, 3)}
    assert graph.outputs[0].shape == x.shape
    assert graph.run(fed)["y"].shape == unroll.Session(graph).run(fed)["y"].shape == (1, 3)


def test_a_file_that_squeezes_no_axes_is_not_taken_for_what_only_one_runner_computes() -> None:
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Squeeze", ["x", "axes"], ["y"])],
            "no axes",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
            [helper.make_tensor("axes", TensorProto.INT64, [0], [])],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=7,
    )
    assert [node.op.name for node in unroll.from_onnx(model).nodes] == ["ai.onnx.Squeeze"]


def test_axes_that_are_a_tensor_without_elements_are_refused() -> None:
    x = unroll.placeholder([1, 3], "x")
    none = unroll.constant(np.array([], "int64"))
    assert ops.squeeze(x, none).shape == (1, 3)
    refused(lambda: ops.apply(ops.OPERATORS["", "Squeeze"](), x, none), ShapeError, "axes is empty")
