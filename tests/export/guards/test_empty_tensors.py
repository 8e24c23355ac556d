"""A tensor that becomes empty inside a model ends no process: NumPy's result, or an error that names the node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from helpers import run_python
from onnx import TensorProto, helper, numpy_helper

import unroll
from unroll import Graph, ops
from unroll.export.guards.empty_tensors import guarded

GATES = {"GRU": 3, "LSTM": 4}


def recurrent(op: str, data: str = "cut", output: str = "y") -> onnx.NodeProto:
    return helper.make_node(op, [data, "w", "r"], [output], name="cell", hidden_size=2)


def cut(data: str = "x", result: str = "cut") -> onnx.NodeProto:
    """Takes the first `n` of axis 1, the batch; or of axis 0, the steps, where `axis` says so."""
    return helper.make_node("Slice", [data, "zero", "n", "axis"], [result])


def weights(op: str, axis: int = 1) -> list[onnx.TensorProto]:
    arrays = {
        "w": np.full((1, GATES[op] * 2, 2), 0.5, np.float32),
        "r": np.full((1, GATES[op] * 2, 2), 0.25, np.float32),
        "zero": np.array([0], np.int64),
        "axis": np.array([axis], np.int64),
    }
    return [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def info(name: str, kind: int = TensorProto.FLOAT, shape: list[str] | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: list[onnx.NodeProto], op: str, axis: int = 1, functions: tuple[onnx.FunctionProto, ...] = ()
) -> onnx.ModelProto:
    inputs = [info("x", shape=["t", "b", "f"]), info("n", TensorProto.INT64, ["one"])]
    graph = helper.make_graph(nodes, "main", inputs, [info("y")], weights(op, axis))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=8)


def in_branch(op: str, known: bool = False) -> onnx.ModelProto:
    """In a branch of an If whose condition is fed or, where it is `known`, a constant, for which onnxruntime takes it out."""
    branch = helper.make_graph([cut(), recurrent(op, output="inner")], "branch", [], [info("inner")])
    yes = helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True)))
    if not known:
        yes = helper.make_node("Less", ["n", "axis"], ["yes"])
    one = helper.make_node("Reshape", ["yes", "none"], ["flag"])
    none = helper.make_node("Constant", [], ["none"], value=numpy_helper.from_array(np.array([], np.int64)))
    return model([yes, none, one, helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)], op)


def in_body(op: str) -> onnx.ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), cut(), recurrent(op, output="inner")],
        "body",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, [])],
        [info("on", TensorProto.BOOL, []), info("inner")],
    )
    count, yes = (np.array(value) for value in (np.int64(2), True))
    start = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in (("count", count), ("yes", yes))
    ]
    return model([*start, helper.make_node("Loop", ["count", "yes"], ["y"], body=body)], op)


def in_function(op: str) -> onnx.ModelProto:
    inner = helper.make_function(
        "own", "step", ["data", "w", "r"], ["y"], [recurrent(op, "data")], [helper.make_opsetid("", 17)]
    )
    return model([cut(), helper.make_node("step", ["cut", "w", "r"], ["y"], domain="own")], op, functions=(inner,))


MAKERS = {
    "flat": lambda op: model([cut(), recurrent(op)], op),
    "steps": lambda op: model([cut(), recurrent(op)], op, axis=0),
    "branch": in_branch,
    "known branch": lambda op: in_branch(op, known=True),
    "body": in_body,
    "function": in_function,
}

PROGRAM = """
import sys
import numpy as np, onnx, unroll
x = np.arange(12, dtype=np.float32).reshape(3, 2, 2) / 12
for path in sys.argv[1:]:
    session = unroll.Session(onnx.load(path))
    for n in (0, 2, 1, 0, 2):
        try:
            print(np.round(session.run({"x": x, "n": [n]})["y"].astype(float).sum(), 4))
        except unroll.UnrollError as error:
            print(type(error).__name__, error)
"""


@pytest.mark.slow
def test_what_becomes_empty_inside_is_an_error_that_names_the_node(tmp_path: Path) -> None:
    """All in one process, which lives through each."""
    made = {(where, op): make(op) for where, make in MAKERS.items() for op in GATES}
    paths = [str(tmp_path / f"{place}.onnx") for place in range(len(made))]
    for path, proto in zip(paths, made.values(), strict=True):
        onnx.save(proto, path)
    lines = run_python(PROGRAM, *paths).splitlines()
    assert len(lines) == 5 * len(made)
    for place, (where, _) in enumerate(made):
        shown = lines[5 * place : 5 * place + 5]
        for line in (shown[0], shown[3]):
            assert line.startswith("EvaluationError"), (where, line)
            if where != "known branch":  # onnxruntime gives what it takes out other names
                assert "cell' was given a tensor without elements" in line, where
        assert float(shown[1]) != 0
        assert shown[1] == shown[4]


@pytest.mark.parametrize("op", list(GATES))
@pytest.mark.parametrize("where", list(MAKERS))
def test_a_guard_changes_no_number(where: str, op: str) -> None:
    """Held against onnxruntime without the guard."""
    made = MAKERS[where](op)
    copy = guarded(made)
    assert copy is not made
    feeds = {"x": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 2, 2), "n": np.array([1])}
    results = [
        ort.InferenceSession(item.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)[0]
        for item in (made, copy)
    ]
    assert np.array_equal(*results)
    assert results[0].size


@pytest.mark.slow
def test_a_session_of_a_graph_gives_the_empty_result_of_numpy() -> None:
    shown = run_python(
        """
import numpy as np, unroll
from unroll import ops
x = unroll.placeholder([3, "n", 2], "x")
w = unroll.constant(np.ones((1, 6, 2), "f"))
graph = unroll.Graph([x], {"y": ops.gru(x[:, 1:], w, w, hidden_size=2)[0]})
session = unroll.Session(graph)
for n in (1, 2):
    feeds = {"x": np.ones((3, n, 2))}
    seen, wanted = session.run(feeds)["y"], graph.run(feeds)["y"]
    print(seen.shape, seen.dtype, np.allclose(seen, wanted))
"""
    )
    assert shown.splitlines() == ["(3, 1, 0, 2) float32 True", "(3, 1, 1, 2) float32 True"]


def test_what_surely_has_elements_gets_no_guard() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    table = unroll.Parameter(np.ones((5, 3), "float32"), "table")
    for made in (unroll.layers.GRU(5, unroll=True)(x), unroll.layers.LSTM(5, unroll=True)(ops.tanh(x) + 1)):
        proto = unroll.to_onnx(Graph([x], {"y": made}), form="rerolled")
        assert guarded(proto) is proto
    ids = unroll.placeholder([None, 4], "ids", "int32")
    proto = unroll.to_onnx(
        Graph([ids], {"y": unroll.layers.LSTM(5, unroll=True)(ops.gather(table, ids))}), form="rerolled"
    )
    assert guarded(proto) is proto


def test_declared_shapes_are_believed_of_a_model_of_our_own_alone() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    proto = unroll.to_onnx(Graph([x], {"y": unroll.layers.LSTM(5, unroll=True)(x[:, 1:])}), form="rerolled")
    assert any(node.op_type == "LSTM" for node in proto.graph.node)
    assert guarded(proto, shapes_hold=True) is proto
    assert guarded(proto) is not proto


def test_a_kernel_without_elements_ends_no_convolution_in_an_endless_loop() -> None:
    made = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Slice", ["w", "zero", "n", "axis"], ["kernel"]),
                helper.make_node("Conv", ["x", "kernel"], ["y"], name="conv"),
            ],
            "main",
            [info("x", shape=["b", "c", "s"]), info("w", shape=["o", "c", "k"]), info("n", TensorProto.INT64, ["one"])],
            [info("y")],
            [numpy_helper.from_array(np.array([value], np.int64), name) for name, value in (("zero", 0), ("axis", 2))],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    session = unroll.Session(made)
    feeds = {"x": np.ones((1, 2, 5)), "w": np.ones((3, 2, 2))}
    assert session.run({**feeds, "n": [2]}, "y").tolist() == [[[4.0] * 4] * 3]
    with pytest.raises(unroll.UnrollError, match="node 'conv' was given a tensor without elements"):
        session.run({**feeds, "n": [0]})


def test_no_steps_leave_the_first_state_as_it_is() -> None:
    """onnxruntime's RNN gives zeros there."""
    x, h = unroll.placeholder(["t", "b", 2], "x"), unroll.placeholder([1, "b", 3], "h")
    w, r = (unroll.constant(np.ones((1, 3, size), np.float32)) for size in (2, 3))
    graph = Graph([x, h], {"last": ops.rnn(x, w, r, None, None, h, hidden_size=3)[1]})
    first = np.full((1, 2, 3), 0.5, np.float32)
    session = unroll.Session(graph)
    assert np.array_equal(session.run({"x": np.ones((0, 2, 2)), "h": first}, "last"), first)
    assert session.run({"x": np.ones((1, 0, 2)), "h": first[:, :0]}, "last").shape == (1, 0, 3)
    with pytest.raises(unroll.UnrollError, match="'RNN' was given a tensor without elements"):
        unroll.Session(unroll.to_onnx(graph)).run({"x": np.ones((0, 2, 2)), "h": first})


SCAN_PROGRAM = """
import sys
import numpy as np, onnx, unroll

session = unroll.Session(onnx.load(sys.argv[1]))
fed = {"x": np.ones((2, 3), "float32"), "sizes": np.array([3], np.int64)}
print(session.run(fed)["y"].tolist())
try:
    session.run(fed | {"sizes": np.array([3, 1, 2], np.int64)})
except unroll.UnrollError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.slow
def test_a_state_of_another_rank_than_the_body_of_a_scan_takes_is_an_error(tmp_path: Path) -> None:
    """The first state is made in a shape that is fed, so that only a run knows its rank: zeros, and then the sum so far."""
    inner = [info("s", shape=["n"]), info("v", shape=["n"])]
    body = helper.make_graph([helper.make_node("Add", ["s", "v"], ["s2"])], "body", inner, [info("s2", shape=["n"])])
    nodes = [
        helper.make_node("ConstantOfShape", ["sizes"], ["zeros"]),
        helper.make_node("Scan", ["zeros", "x"], ["y"], name="loop", body=body, num_scan_inputs=1),
    ]
    inputs = [info("x", shape=["t", "n"]), info("sizes", TensorProto.INT64, ["rank"])]
    proto = helper.make_model(
        helper.make_graph(nodes, "main", inputs, [info("y")]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    path = tmp_path / "scan.onnx"
    onnx.save(proto, path)
    first, second = run_python(SCAN_PROGRAM, str(path)).splitlines()
    assert first == "[2.0, 2.0, 2.0]"
    assert second.startswith("EvaluationError node 'loop' was given")
    assert "another rank than its body takes" in second
