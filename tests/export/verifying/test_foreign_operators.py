"""What onnx's reference implementation computes for NumPy, in float64 too, in which rounding is found out."""

from __future__ import annotations

import numpy as np
from onnx import helper, numpy_helper
from read_models import FLOAT, TensorProto, model_of, opaque_names

import unroll
from unroll.evaluator import evaluate


def test_an_if_of_graphs_that_are_not_ours_is_computed_in_float64_where_that_is_asked_for() -> None:
    """What its branch casts and adds is float32: 1e6 + 0.3 is 1000000.3 in float64, and 1000000.3125 in float32."""
    large = numpy_helper.from_array(np.array(1e6, "float32"), "large")
    then = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["cast"], to=TensorProto.FLOAT),
            helper.make_node("Constant", [], ["zero"], value=numpy_helper.from_array(np.zeros(1, "float32"), "zero")),
            helper.make_node("Add", ["cast", "large"], ["up"]),
            helper.make_node("Sub", ["up", "large"], ["down"]),
            helper.make_node("Add", ["down", "zero"], ["sum"]),
            helper.make_node(
                "Reshape", ["sum", "sizes"], ["then_y"]
            ),  # its rank is not known: a graph that we do not read
        ],
        "then",
        [],
        [helper.make_tensor_value_info("then_y", FLOAT, None)],
        [large],
    )
    other = helper.make_graph(
        [helper.make_node("Reshape", ["x", "sizes"], ["else_y"])],
        "else",
        [],
        [helper.make_tensor_value_info("else_y", FLOAT, None)],
    )
    node = helper.make_node("If", ["flag"], ["y"], then_branch=then, else_branch=other)
    kinds = {"flag": TensorProto.BOOL, "sizes": TensorProto.INT64}
    graph = unroll.from_onnx(model_of([node], {"flag": [], "x": [2], "sizes": ["rank"]}, {"y": [2]}, {}, 13, kinds))
    assert opaque_names(graph) == ["ai.onnx.If"]
    feeds = {"flag": np.array(True), "x": np.array([0.3, 0.6], "float32"), "sizes": np.array([2])}
    narrow, wide = (evaluate(graph, feeds, graph.outputs, wide=wide)[0] for wide in (False, True))
    assert narrow.tolist() == [0.3125, 0.625] and narrow.dtype == np.float32
    np.testing.assert_allclose(wide, feeds["x"], rtol=1e-8)
    assert wide.dtype == np.float64
