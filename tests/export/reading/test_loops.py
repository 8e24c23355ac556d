"""Scans of files become our own Scan: its body a graph, what it reads from outside its inputs, its weights Parameters."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from helpers import Array, refused
from onnx import TensorProto, helper, numpy_helper
from read_models import check_same, floats, ints, model_of, opaque_names, run

import unroll
from unroll.ops.scan import Scan

FLOAT = TensorProto.FLOAT


def body_of(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list[int | str] | None],
    outputs: list[str],
    weights: dict[str, Array] | None = None,
) -> onnx.GraphProto:
    """The body of a loop; nothing is said of the shapes of its outputs."""
    infos = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()]
    made = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    held = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    return helper.make_graph(nodes, "body", infos, made, held)


def rnn_body(weights: dict[str, Array] | None = None) -> onnx.GraphProto:
    """``h' = tanh(x W + h R)``, stacked as well; W and R stand outside unless they are given."""
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["xw"]),
        helper.make_node("MatMul", ["h", "R"], ["hr"]),
        helper.make_node("Add", ["xw", "hr"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["next"]),
        helper.make_node("Identity", ["next"], ["row"]),
    ]
    return body_of(nodes, {"h": None, "x": None}, ["next", "row"], weights)


W, R = floats(3, 4), floats(4, 4)
SCAN = {"num_scan_inputs": 1}


def the_scan(graph: unroll.Graph) -> tuple[Scan, tuple[unroll.Tensor | None, ...]]:
    (node,) = (node for node in graph.nodes if isinstance(node.op, Scan))
    assert isinstance(node.op, Scan)
    return node.op, node.inputs


@pytest.mark.parametrize("opset", [9, 11, 13, 16, 21])
def test_what_a_body_reads_from_outside_is_an_input_of_ours(opset: int) -> None:
    node = helper.make_node("Scan", ["start", "rows"], ["last", "all"], "loop", body=rnn_body(), **SCAN)
    shapes = {"start": [2, 4], "rows": ["time", 2, 3]}
    model = model_of([node], shapes, {"last": [2, 4], "all": ["time", 2, 4]}, {"W": W, "R": R}, opset)
    graph = check_same(model, {"start": floats(2, 4), "rows": floats(5, 2, 3)})
    op, inputs = the_scan(graph)
    assert op.num_shared == 2 and [tensor.label for tensor in inputs[2:] if tensor is not None] == ["W", "R"]
    assert list(graph.parameters) == ["W", "R"] and not op.body.parameters
    assert [str(dim) for dim in graph.shape(graph.tensor("all"))] == ["time", "2", "4"]


def test_the_weights_of_a_body_are_parameters_of_their_names() -> None:
    node = helper.make_node("Scan", ["start", "rows"], ["last", "all"], "loop", body=rnn_body({"W": W, "R": R}), **SCAN)
    model = model_of([node], {"start": [2, 4], "rows": [5, 2, 3]}, {"last": [2, 4], "all": [5, 2, 4]})
    graph = check_same(model, {"start": floats(2, 4), "rows": floats(5, 2, 3)})
    np.testing.assert_array_equal(graph.parameters["W"].value, W)
    graph.parameters["W"].assign(np.zeros_like(W))
    graph.parameters["R"].assign(np.zeros_like(R))
    assert not graph.run({"start": floats(2, 4), "rows": floats(5, 2, 3)})["last"].any()


def test_two_bodies_with_weights_of_one_name_keep_both() -> None:
    nodes = [
        helper.make_node("Scan", ["start", "rows"], ["one", "rows1"], "a", body=rnn_body({"W": W, "R": R}), **SCAN),
        helper.make_node("Scan", ["start", "rows"], ["two", "rows2"], "b", body=rnn_body({"W": W, "R": -R}), **SCAN),
    ]
    model = model_of(
        nodes,
        {"start": [2, 4], "rows": [5, 2, 3]},
        {"one": [2, 4], "two": [2, 4], "rows1": [5, 2, 4], "rows2": [5, 2, 4]},
    )
    graph = check_same(model, {"start": floats(2, 4), "rows": floats(5, 2, 3)})
    assert list(graph.parameters) == ["W", "R", "W_", "R_"]


@pytest.mark.parametrize(("axis_in", "axis_out"), [(1, 0), (0, 1), (-1, 1), (2, -1), (1, -3)])
@pytest.mark.parametrize("back", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_other_axes_and_directions_are_read(axis_in: int, axis_out: int, back: tuple[int, int]) -> None:
    options = {
        "scan_input_axes": [axis_in],
        "scan_output_axes": [axis_out],
        "scan_input_directions": [back[0]],
        "scan_output_directions": [back[1]],
    }
    node = helper.make_node("Scan", ["start", "rows"], ["last", "all"], "loop", body=rnn_body(), **SCAN, **options)
    shape: list[int | str | None] = [2, 3]
    shape.insert(axis_in % 3, 5)
    stacked: list[int | str | None] = [2, 4]
    stacked.insert(axis_out % 3, 5)
    model = model_of([node], {"start": [2, 4], "rows": shape}, {"last": [2, 4], "all": stacked}, {"W": W, "R": R})
    graph = check_same(model, {"start": floats(2, 4), "rows": floats(*[int(size or 0) for size in shape])})
    the_scan(graph)


def test_a_loop_in_a_loop_is_read_with_the_weights_of_the_inner_one() -> None:
    inner = helper.make_node("Scan", ["h", "block"], ["last", "rows_out"], "inner", body=rnn_body({"R": R}), **SCAN)
    outer = body_of([inner], {"h": None, "block": None}, ["last", "rows_out"])
    node = helper.make_node("Scan", ["start", "blocks"], ["end", "all"], "outer", body=outer, **SCAN)
    shapes = {"start": [2, 4], "blocks": [3, 5, 2, 3]}
    model = model_of([node], shapes, {"end": [2, 4], "all": [3, 5, 2, 4]}, {"W": W})
    graph = check_same(model, {"start": floats(2, 4), "blocks": floats(3, 5, 2, 3)})
    assert list(graph.parameters) == ["W", "R"]
    op, _ = the_scan(graph)
    assert [node.op.name for node in op.body.nodes] == ["Scan"]


@pytest.mark.parametrize("directions", [None, [0], [1]])
def test_the_scan_of_opset_8_runs_over_the_rows_of_a_batch_as_well(directions: list[int] | None) -> None:
    options = {} if directions is None else {"directions": directions}
    node = helper.make_node("Scan", ["", "start", "rows"], ["last", "all"], "loop", body=rnn_body(), **SCAN, **options)
    shapes = {"start": [3, 2, 4], "rows": [3, 5, 2, 3]}
    model = model_of([node], shapes, {"last": [3, 2, 4], "all": [3, 5, 2, 4]}, {"W": W, "R": R}, 8)
    graph = check_same(model, {"start": floats(3, 2, 4), "rows": floats(3, 5, 2, 3)})
    (outer,) = [node.op for node in graph.nodes if isinstance(node.op, Scan)]
    assert [node.op.name for node in outer.body.nodes] == ["Scan"]


def test_rows_of_several_lengths_of_opset_8_are_refused_by_name() -> None:
    node = helper.make_node("Scan", ["lens", "start", "rows"], ["last", "all"], "loop", body=rnn_body(), **SCAN)
    shapes = {"lens": [3], "start": [3, 2, 4], "rows": [3, 5, 2, 3]}
    outputs = {"last": [3, 2, 4], "all": [3, 5, 2, 4]}
    model = model_of([node], shapes, outputs, {"W": W, "R": R}, 8, {"lens": TensorProto.INT64})
    refused(lambda: unroll.from_onnx(model), NotImplementedError, "loop", "Scan", "opset 8")


def test_a_shape_that_stands_outside_is_known_inside() -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("Add", ["flat", "h"], ["next"]),
        helper.make_node("Neg", ["next"], ["row"]),
    ]
    body = body_of(nodes, {"h": None, "x": None}, ["next", "row"])
    node = helper.make_node("Scan", ["start", "rows"], ["last", "all"], "loop", body=body, **SCAN)
    model = model_of([node], {"start": [6], "rows": [4, 2, 3]}, {"last": [6], "all": [4, 6]}, {"shape": ints(6)})
    graph = check_same(model, {"start": floats(6), "rows": floats(4, 2, 3)})
    assert graph.shape(graph.tensor("all")) == (4, 6)


def test_our_own_file_is_read_as_the_graph_that_it_was() -> None:
    total, x = unroll.placeholder([2], name="total"), unroll.placeholder([2], name="x")
    scale = unroll.placeholder([2], name="scale")
    new = total + x * scale
    body = unroll.Graph([total, x, scale], {"new": new, "kept": unroll.ops.tanh(new)})
    rows, start = unroll.placeholder(["time", 2], name="rows"), unroll.placeholder([2], name="start")
    last, kept = unroll.ops.scan(body, [start], [rows], [unroll.constant(floats(2), name="k") * 2.0])
    graph = unroll.Graph([rows, start], {"last": last, "kept": kept})
    written = unroll.to_onnx(graph)
    again = unroll.from_onnx(written)
    op, _ = the_scan(again)
    assert [tensor.name for tensor in op.body.inputs[:2]] == ["total", "x"]
    assert [op.body.name(node) for node in op.body.nodes] == [body.name(node) for node in body.nodes]
    assert unroll.to_onnx(again).graph == written.graph


def test_a_scan_that_is_not_read_passes_through_and_is_computed_with_what_it_reads_from_outside() -> None:
    options = {"scan_input_axes": [0, 0]}
    node = helper.make_node("Scan", ["start", "rows"], ["last", "all"], "loop", body=rnn_body(), **SCAN, **options)
    model = model_of([node], {"start": [2, 4], "rows": [5, 2, 3]}, {"last": [2, 4], "all": [5, 2, 4]}, {"W": W, "R": R})
    graph, feeds = unroll.from_onnx(model), {"start": floats(2, 4), "rows": floats(5, 2, 3)}
    assert opaque_names(graph) == ["ai.onnx.Scan"]
    del model.graph.node[0].attribute[-1]  # onnxruntime takes one that says how to read what there is
    for found, wanted in zip(graph.run(feeds).values(), run(model, feeds), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
