"""Loops and Ifs of files become our own: their bodies graphs, what these read from outside inputs, their shapes the bodies'."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from helpers import Array, refused
from onnx import TensorProto, helper, numpy_helper
from read_models import check_same, floats, ints, model_of, run

import unroll
from unroll import ops
from unroll.ops.branches import If
from unroll.ops.loop import Loop

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
X = floats(2, 4)


def graph_of(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, list[int | str] | None]],
    outputs: dict[str, int],
    weights: dict[str, Array] | None = None,
) -> onnx.GraphProto:
    """An inner graph; nothing is said of the shapes of its outputs."""
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    made = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()]
    held = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    return helper.make_graph(nodes, "inner", infos, made, held)


HEAD: dict[str, tuple[int, list[int | str] | None]] = {"i": (INT64, []), "go": (BOOL, [])}


def stepping(weights: dict[str, Array] | None = None, condition: str = "go") -> onnx.GraphProto:
    """``h' = tanh(h W)``, stacked as well; W stands outside unless it is given."""
    nodes = [
        helper.make_node("MatMul", ["h", "W"], ["hw"]),
        helper.make_node("Tanh", ["hw"], ["next"]),
        helper.make_node("Identity", ["next"], ["row"]),
        helper.make_node("Cast", [condition], ["on"], to=BOOL),
    ]
    return graph_of(nodes, {**HEAD, "h": (FLOAT, None)}, {"on": BOOL, "next": FLOAT, "row": FLOAT}, weights)


W = floats(4, 4)


def only(graph: unroll.Graph, kind: type[Loop | If]) -> unroll.Node:
    (node,) = (node for node in graph.nodes if isinstance(node.op, kind))
    return node


@pytest.mark.parametrize("opset", [9, 11, 13, 16, 19, 21])
def test_a_loop_of_a_count_is_read_with_its_weight_and_its_length(opset: int) -> None:
    node = helper.make_node("Loop", ["n", "", "start"], ["last", "rows"], "loop", body=stepping({"W": W}))
    model = model_of([node], {"start": [2, 4]}, {"last": [2, 4], "rows": [5, 2, 4]}, {"n": np.array(5)}, opset)
    graph = check_same(model, {"start": X})
    assert list(graph.parameters) == ["W"] and only(graph, Loop).op.num_shared == 1  # type: ignore[attr-defined]
    assert graph.shape(graph.tensor("rows")) == (5, 2, 4)


def test_a_count_that_is_fed_makes_a_length_that_only_a_run_knows() -> None:
    node = helper.make_node("Loop", ["n", "go", "start"], ["last", "rows"], "loop", body=stepping())
    shapes = {"start": [2, 4], "n": [], "go": []}
    model = model_of([node], shapes, {"last": [2, 4], "rows": ["steps", 2, 4]}, {"W": W}, 13, {"n": INT64, "go": BOOL})
    for count in (1, 4):
        graph = check_same(model, {"start": X, "n": np.array(count), "go": np.array(True)})
    for count, go in ((0, True), (3, False)):  # for which onnxruntime makes another rank of a body that says no shape
        feeds = {"start": X, "n": np.array(count), "go": np.array(go)}
        assert graph.run(feeds)["rows"].shape == run(unroll.to_onnx(graph), feeds)[1].shape == (0, 2, 4)
    assert [str(dim) for dim in graph.shape(graph.tensor("rows"))] == ["steps", "2", "4"]


def test_a_loop_goes_on_while_its_condition_is_true() -> None:
    nodes = [
        helper.make_node("Add", ["x", "x"], ["next"]),
        helper.make_node("ReduceMax", ["next"], ["largest"], keepdims=0),
        helper.make_node("Less", ["largest", "bound"], ["on"]),
    ]
    body = graph_of(nodes, {**HEAD, "x": (FLOAT, None)}, {"on": BOOL, "next": FLOAT})
    node = helper.make_node("Loop", ["", "yes", "start"], ["last"], "loop", body=body)
    weights = {"bound": np.array(50, np.float32), "yes": np.array(True)}
    graph = check_same(model_of([node], {"start": [3]}, {"last": [3]}, weights), {"start": np.array([1, 2, 3], "f")})
    np.testing.assert_array_equal(graph.run({"start": [1, 2, 3]})["last"], [32, 64, 96])


def test_a_state_that_grows_has_a_size_that_only_a_run_knows() -> None:
    nodes = [
        helper.make_node("Concat", ["kept", "row"], ["next"], axis=0),
        helper.make_node("Identity", ["go"], ["on"]),
    ]
    body = graph_of(nodes, {**HEAD, "kept": (FLOAT, None)}, {"on": BOOL, "next": FLOAT})
    node = helper.make_node("Loop", ["n", "", "start"], ["all"], "loop", body=body)
    shapes = {"start": [1, 4], "row": [2, 4], "n": []}
    model = model_of([node], shapes, {"all": ["rows", 4]}, dtypes={"n": INT64})
    graph = check_same(model, {"start": floats(1, 4), "row": X, "n": np.array(3)})
    assert [str(dim) for dim in graph.shape(graph.tensor("all"))] == ["rows", "4"]
    (inner,) = only(graph, Loop).op.bodies[0].inputs[2:3]
    assert inner.shape[0] != 1 and inner.shape[1] == 4


def test_loops_and_ifs_within_one_another_are_read_and_computed() -> None:
    then = graph_of([helper.make_node("Neg", ["next"], ["a"])], {}, {"a": FLOAT})
    other = graph_of([helper.make_node("Mul", ["next", "scale"], ["a"])], {}, {"a": FLOAT}, {"scale": floats(4)})
    inner = stepping()
    inner.node[3].input[0] = "go"
    nodes = [
        helper.make_node("Loop", ["two", "", "x"], ["next", "rows"], "inner", body=inner),
        helper.make_node("ReduceMax", ["next"], ["largest"], keepdims=0),
        helper.make_node("Less", ["largest", "half"], ["small"]),
        helper.make_node("If", ["small"], ["chosen"], "choose", then_branch=then, else_branch=other),
        helper.make_node("Identity", ["go0"], ["on0"]),
    ]
    body = graph_of(nodes, {"i0": (INT64, []), "go0": (BOOL, []), "x": (FLOAT, None)}, {"on0": BOOL, "chosen": FLOAT})
    node = helper.make_node("Loop", ["four", "", "start"], ["last"], "outer", body=body)
    weights = {"four": np.array(4), "two": np.array(2), "half": np.array(0.5, np.float32), "W": W}
    graph = check_same(model_of([node], {"start": [2, 4]}, {"last": [2, 4]}, weights), {"start": X})
    assert sorted(graph.parameters) == ["W", "scale"]
    again = unroll.from_onnx(unroll.to_onnx(graph))
    np.testing.assert_allclose(again.run({"start": X})["last"], graph.run({"start": X})["last"], rtol=1e-6)
    assert unroll.verify(graph)


def test_an_if_whose_branches_differ_in_a_size_says_so() -> None:
    then = graph_of([helper.make_node("Identity", ["x"], ["a"])], {}, {"a": FLOAT})
    other = graph_of([helper.make_node("Concat", ["x", "x"], ["b"], axis=0)], {}, {"b": FLOAT})
    node = helper.make_node("If", ["c"], ["y"], "choose", then_branch=then, else_branch=other)
    model = model_of([node], {"x": [2, 4], "c": []}, {"y": ["rows", 4]}, dtypes={"c": BOOL})
    for truth in (True, False):
        graph = check_same(model, {"x": X, "c": np.array(truth)})
    assert [str(dim) for dim in graph.shape(graph.tensor("y"))] == ["rows", "4"]


def test_the_rank_of_an_if_comes_from_what_its_branches_declare() -> None:
    def branch(name: str) -> onnx.GraphProto:
        found = graph_of([helper.make_node("Reshape", ["x", "sizes"], [name])], {}, {name: FLOAT})
        found.output[0].CopyFrom(helper.make_tensor_value_info(name, FLOAT, ["rows", 4]))
        return found

    node = helper.make_node("If", ["c"], ["y"], "choose", then_branch=branch("a"), else_branch=branch("b"))
    shapes = {"x": [2, 4], "c": [], "sizes": [2]}
    model = model_of([node], shapes, {"y": ["rows", 4]}, dtypes={"c": BOOL, "sizes": INT64})
    check_same(model, {"x": X, "c": np.array(True), "sizes": ints(2, 4)})


def test_a_loop_that_never_ends_is_given_up_and_the_number_can_be_set() -> None:
    node = helper.make_node("Loop", ["", "", "start"], ["last", "rows"], "forever", body=stepping({"W": W}))
    model = model_of([node], {"start": [2, 4]}, {"last": [2, 4], "rows": [None, 2, 4]})
    graph = unroll.from_onnx(model)
    refused(lambda: graph.run({"start": X}), NotImplementedError, "forever", "30000 iterations", "most_iterations")
    with ops.most_iterations(7):
        refused(lambda: graph.run({"start": X}), NotImplementedError, "7 iterations")
    refused(lambda: ops.most_iterations(0).__enter__(), ValueError, "most_iterations", "0")


def test_a_loop_of_a_billion_runs_is_given_up() -> None:
    node = helper.make_node("Loop", ["n", "", "start"], ["last", "rows"], "long", body=stepping({"W": W}))
    model = model_of([node], {"start": [2, 4]}, {"last": [2, 4], "rows": [10**9, 2, 4]}, {"n": np.array(10**9)})
    refused(lambda: unroll.from_onnx(model).run({"start": X}), NotImplementedError, "long", "iterations")


def test_the_runs_of_loops_within_a_loop_are_counted_together() -> None:
    nodes = [
        helper.make_node("Loop", ["n", "", "x"], ["next", "rows"], "inner", body=stepping({"W": W})),
        helper.make_node("Identity", ["go0"], ["on0"]),
    ]
    body = graph_of(nodes, {"i0": (INT64, []), "go0": (BOOL, []), "x": (FLOAT, None)}, {"on0": BOOL, "next": FLOAT})
    node = helper.make_node("Loop", ["n", "", "start"], ["last"], "outer", body=body)
    graph = unroll.from_onnx(model_of([node], {"start": [2, 4]}, {"last": [2, 4]}, {"n": np.array(300)}))
    refused(lambda: graph.run({"start": X}), NotImplementedError, "iterations")


def test_a_sequence_is_refused_by_a_clear_word() -> None:
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "x"], ["list"], "two"),
        helper.make_node("ConcatFromSequence", ["list"], ["y"], axis=0),
    ]
    model = model_of(nodes, {"x": [2, 4]}, {"y": [4, 4]})
    refused(lambda: unroll.from_onnx(model), NotImplementedError, "two", "sequence")
