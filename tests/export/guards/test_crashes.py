"""What would end the whole process in onnxruntime is refused or left out before it runs; a program is a process of its own."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from helpers import refused, run_python
from onnx import TensorProto, helper

import unroll
from unroll import Graph, layers
from unroll.export.file_proof import prove
from unroll.export.guards.empty_tensors import why_no_empty_feeds
from unroll.feeds import FeedChecker

NETWORK = """
import sys
import numpy as np
import unroll
from unroll import layers
x = unroll.placeholder([None, 4, 3], "x")
graph = unroll.Graph([x], {"y": getattr(layers, sys.argv[1])(5, unroll=True)(x)})
"""
REFUSED = """
empty = {"x": np.zeros((0, 4, 3))}
made = {
    "session": lambda: unroll.Session(graph, form="rerolled"),
    "compiled": lambda: unroll.compile(graph, form="rerolled", tune=False),
    "int8": lambda: unroll.compile(graph, form="rerolled", tune=False, quantize="int8"),
}[sys.argv[2]]()
right = made.run({"x": np.ones((2, 4, 3))})["y"]
for action in (made.run, made.bind, made.run):
    try:
        action(empty)
    except unroll.UnrollError as error:
        print(type(error).__name__, error)
assert np.array_equal(made.run({"x": np.ones((2, 4, 3))})["y"], right)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "how", "operator"),
    [
        ("GRU", "session", "GRU"),
        ("LSTM", "session", "LSTM"),
        ("GRU", "compiled", "GRU"),
        ("LSTM", "int8", "DynamicQuantizeLSTM"),
    ],
)
def test_an_empty_batch_is_refused_where_a_native_operator_would_abort(layer: str, how: str, operator: str) -> None:
    said = run_python(NETWORK + REFUSED, layer, how).splitlines()
    assert len(said) == 3
    for line in said:
        for fragment in ("UnsupportedError", "'x'", "(0, 4, 3)", operator, "aborts", "form='unrolled'"):
            assert fragment in line, line


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "form"), [("SimpleRNN", "rerolled"), ("GRU", "unrolled"), ("LSTM", "scan")])
def test_an_empty_batch_gives_empty_results_where_nothing_aborts(layer: str, form: str) -> None:
    shown = run_python(
        f"{NETWORK}print(unroll.Session(graph, form={form!r}).run({{'x': np.zeros((0, 4, 3))}})['y'].shape)", layer
    )
    assert shown == "(0, 5)\n"


STREAM = """
import numpy as np
import unroll
x = unroll.placeholder([None, 4, 3], "x")
c, h = (unroll.placeholder(["batch", 5], name) for name in "ch")
outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x, initial_state=(c, h))
graph = unroll.Graph([x, c, h], {"y": outputs}, states={c: state.c, h: state.h})
session = unroll.Session(graph, form="rerolled")
stream = session.stream()
stream.run({"x": np.ones((2, 4, 3))})
stream.reset()
try:
    stream.run({"x": np.zeros((0, 4, 3))})
except unroll.UnrollError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_stream_refuses_it_too() -> None:
    said = run_python(STREAM)
    assert "LSTM" in said
    assert "aborts" in said


@pytest.mark.slow
def test_verifying_on_an_empty_batch_proves_nothing_and_says_so() -> None:
    program = """
try:
    unroll.verify(graph, {'x': np.zeros((0, 4, 3))}, form='rerolled')
except unroll.UnrollError as error:
    print(type(error).__name__, error)
"""
    said = run_python(NETWORK + program, "GRU")
    assert "NoWitnessError" in said
    assert "nothing was compared" in said or "onnxruntime: feed 'x' of shape (0, 4, 3)" in said


def body(*nodes: onnx.NodeProto) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "body", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])


def model_of(*nodes: onnx.NodeProto, functions: tuple[onnx.FunctionProto, ...] = ()) -> onnx.ModelProto:
    return helper.make_model(helper.make_graph(list(nodes), "main", [], []), functions=functions)


GRU = helper.make_node("GRU", ["x", "w", "r"], ["y"], hidden_size=5)
IF = helper.make_node("If", ["flag"], ["y"], then_branch=body(GRU), else_branch=body())
LOOP = helper.make_node("Loop", ["", "flag"], ["y"], body=body(IF))
FUNCTION = helper.make_function("own", "step", ["x", "w", "r"], ["y"], [GRU], [helper.make_opsetid("", 13)])


@pytest.mark.parametrize("model", [model_of(GRU), model_of(IF), model_of(LOOP), model_of(functions=(FUNCTION,))])
def test_the_operator_is_found_in_bodies_and_functions_too(model: onnx.ModelProto) -> None:
    assert "GRU" in why_no_empty_feeds(model)


def test_other_operators_and_a_users_own_gru_take_empty_batches() -> None:
    own = helper.make_node("GRU", ["x"], ["y"], domain="own")
    rnn = helper.make_node("RNN", ["x", "w", "r"], ["y"], hidden_size=5)
    assert why_no_empty_feeds(model_of(own, rnn)) == ""


def test_a_feed_that_is_empty_has_no_part_in_a_proof() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    size = unroll.placeholder(["n"], "n").shape[0]
    beside = unroll.placeholder([size - 1, 2], "beside")  # empty where n is 1
    graph = Graph([x, beside], {"y": layers.GRU(5, unroll=True)(x), "z": unroll.ops.tanh(beside)})
    models = unroll.to_onnx(graph), unroll.to_onnx(graph, form="rerolled")
    proof = prove(*models, graph)
    assert proof.worst.agrees
    assert len(proof.feeds) == 4
    assert not any("[0, 2]" in shapes for shapes in proof.feeds)
    refused(lambda: prove(*models, graph, dims={"n": 1}), ArithmeticError, "nothing can be proven", "n = 1", "empty")


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["SimpleRNN", "GRU"])
def test_a_loop_over_float16_weights_is_loaded_without_the_optimiser_that_crashes(layer: str) -> None:
    shown = run_python(
        f"{NETWORK}print(unroll.compile(graph, dtype='float16', form='scan', tune=False).choice.lost < 0.01)", layer
    )
    assert shown == "True\n"


@pytest.mark.slow
def test_options_of_ones_own_do_not_bring_the_crash_back() -> None:
    shown = run_python(
        f"""{NETWORK}
import onnxruntime
from unroll.export.compile_reduced import to_float16
session = unroll.Session(to_float16(unroll.to_onnx(graph, form="scan")), onnxruntime.SessionOptions())
print(session.run({{"x": np.ones((2, 4, 3))}})["y"].shape)
""",
        "GRU",
    )
    assert shown == "(2, 5)\n"


def test_feeds_of_a_changed_shape_are_looked_at_again() -> None:
    spec = unroll.placeholder([None, 3], "x")
    checker = FeedChecker(Graph([spec], {"y": unroll.ops.tanh(spec)}).input_specs, no_empty="why not")
    for _ in range(2):
        assert checker.check({"x": np.ones((2, 3), "float32")})["x"].shape == (2, 3)
        refused(
            lambda: checker.check({"x": np.ones((0, 3), "float32")}), NotImplementedError, "'x'", "(0, 3)", "why not"
        )
