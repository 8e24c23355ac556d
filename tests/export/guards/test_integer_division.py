"""The least whole number by -1 ends no process: a processor traps it, and NumPy gives the least number again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import run_python
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

import unroll
from unroll import Graph, ops
from unroll.export.guards.integer_division import with_safe_division
from unroll.ops.scan import scan

PROGRAM = """
import sys
import numpy as np, onnx, unroll

dtype, path = sys.argv[1:]
least = np.iinfo(dtype).min
a, b = unroll.placeholder(["n"], "a", dtype), unroll.placeholder(["n"], "b", dtype)
graph = unroll.Graph([a, b], {"y": unroll.ops.div(a, b)})
fed = {"a": [least, 7, -7, 7], "b": [-1, -1, 2, -2]}
for found in (unroll.Session(graph).run(fed), graph.run(fed), unroll.Session(path).run({})):
    print(found["y"].tolist())
"""


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_least_number_by_minus_one_is_itself_fed_or_folded(dtype: str, tmp_path: Path) -> None:
    """By hand: whole numbers divide towards zero, and -(-2^31) does not fit into 32 bits."""
    least, path = int(np.iinfo(dtype).min), tmp_path / "folded.onnx"
    arrays = [numpy_helper.from_array(np.array(item, dtype), name) for item, name in (([least], "a"), ([-1], "b"))]
    kind = getattr(TensorProto, dtype.upper())
    graph = helper.make_graph(
        [helper.make_node("Div", ["a", "b"], ["y"])],
        "constants",
        [],
        [helper.make_tensor_value_info("y", kind, [1])],
        arrays,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    shown = run_python(PROGRAM, dtype, str(path)).splitlines()
    assert shown == [str([least, -7, -3, -3]), str([least, -7, -3, -3]), str([least])]


BY_ZERO = """
import numpy as np, unroll

a, b = unroll.placeholder(["n"], "a", "int64"), unroll.placeholder(["n"], "b", "int64")
fed = unroll.Session(unroll.Graph([a, b], {"y": unroll.ops.div(a, b)}))
print(fed.run({"a": [7, -7], "b": [2, 1]})["y"].tolist())
zero = unroll.Graph([a], {"y": unroll.ops.div(a, unroll.constant(np.array([0])))})
for action in (lambda: fed.run({"a": [7, -7], "b": [2, 0]}), lambda: unroll.Session(zero).run({"a": [7]})):
    try:
        action()
    except unroll.UnrollError as error:
        print(type(error).__name__)
"""


@pytest.mark.slow
def test_a_division_by_zero_is_an_error_and_ends_no_process() -> None:
    """onnxruntime sees it by itself, fed or constant."""
    assert run_python(BY_ZERO).splitlines() == ["[3, -7]", "EvaluationError", "ModelError"]


def test_divisions_that_cannot_be_trapped_stay_as_they_are() -> None:
    x, n = unroll.placeholder([None, 4], "x"), unroll.placeholder([None], "n", "int64")
    for tensor in (x / 3, ops.div(x, x), ops.div(n, np.array(2))):
        model = unroll.to_onnx(Graph([x, n], {"y": tensor}))
        assert with_safe_division(model) is model


def test_a_division_in_a_body_is_guarded_too() -> None:
    s, v = unroll.placeholder([2], "s", "int32"), unroll.placeholder([2], "v", "int32")
    x, h = unroll.placeholder([3, 2], "x", "int32"), unroll.placeholder([2], "h", "int32")
    (last,) = scan(Graph([s, v], {"n": ops.div(s, v)}), [h], [x])
    graph = Graph([x, h], {"last": last})
    fed = {"x": [[2, -1], [1, 3], [-1, 1]], "h": [-8, 9]}
    model = unroll.to_onnx(graph)
    assert with_safe_division(model) is not model
    assert unroll.Session(graph).run(fed)["last"].tolist() == graph.run(fed)["last"].tolist() == [4, -3]


@pytest.mark.parametrize("operands", [["a", "b"], ["y", "b"], ["y", "y"]])
def test_divisions_after_a_branch_and_in_it_are_all_guarded(operands: list[str]) -> None:
    def whole(name: str, kind: int = TensorProto.INT32) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, ["n"] if kind == TensorProto.INT32 else [])

    branches = {
        f"{name}_branch": helper.make_graph([helper.make_node("Div", ["a", "b"], [name])], name, [], [whole(name)])
        for name in ("then", "else")
    }
    nodes = [helper.make_node("If", ["c"], ["y"], **branches), helper.make_node("Div", operands, ["z"])]
    inputs = [whole("a"), whole("b"), whole("c", TensorProto.BOOL)]
    graph = helper.make_graph(nodes, "main", inputs, [whole("z")])
    safe = with_safe_division(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))
    onnx.checker.check_model(safe, full_check=True)
    for holder in (safe.graph, *(attribute.g for attribute in safe.graph.node[0].attribute)):
        assert [node.op_type for node in holder.node].count("Where") == 1


def test_nodes_of_one_name_in_and_behind_a_branch_are_guarded_apart() -> None:
    def whole(name: str) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.INT64, ["n"])

    def divided(name: str, by: str = "a") -> NodeProto:
        return helper.make_node("Div", [by, "b"], [name], name="div")

    branches = {f"{way}_branch": helper.make_graph([divided(way)], way, [], [whole(way)]) for way in ("then", "else")}
    nodes = [helper.make_node("If", ["c"], ["i"], **branches), divided("o", "i")]
    inputs = [whole("a"), whole("b"), helper.make_tensor_value_info("c", TensorProto.BOOL, [])]
    graph = helper.make_graph(nodes, "main", inputs, [whole("o")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    found = unroll.Session(model).run({"a": [40, 7], "b": [2, 3], "c": True})
    assert found["o"].tolist() == [10, 0]
