"""`unroll.unroll`: what it keeps, what it says, which sizes it takes, and what it leaves."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import ops

CELLS = {
    "lstm": lambda: unroll.BasicLSTMCell(4),
    "gru": lambda: unroll.GRUCell(4),
    "ugrnn": lambda: unroll.cells.UGRNNCell(4),
    "two": lambda: unroll.MultiRNNCell([unroll.BasicLSTMCell(4), unroll.GRUCell(3)]),
}


def rolled(cell: str = "ugrnn", **options: object) -> unroll.Graph:
    """A loop of one traced step over a time that only a run knows."""
    x = unroll.placeholder([None, "time", 3], "x")
    outputs, state = unroll.dynamic_rnn(CELLS[cell](), x, dtype="float32", **options)
    return unroll.Graph([x], {"outputs": outputs, "state": state})


@pytest.mark.parametrize("cell", CELLS)
def test_a_loop_of_one_traced_step_becomes_what_the_cell_traces_over_a_list(cell: str) -> None:
    flat, report = unroll.unroll(rolled(cell), dims={"time": 4})
    assert report and report.proof and not report.left
    x = unroll.placeholder([None, 4, 3], "x")
    outputs, state = unroll.dynamic_rnn(CELLS[cell](), x, dtype="float32")
    traced = unroll.Graph([x], {"outputs": outputs, "state": state})
    assert unroll.equivalent(flat, traced)
    assert {node.origin.step for node in flat.nodes if node.op.name == "MatMul"} == {0, 1, 2, 3}
    assert list(flat.parameters) == list(traced.parameters)


def test_the_nodes_of_a_step_are_called_as_a_trace_calls_them() -> None:
    flat, _ = unroll.unroll(rolled("lstm"), dims={"time": 2})
    assert {"rnn/t0/basic_lstm_cell/f/Sigmoid", "rnn/t1/basic_lstm_cell/MatMul"} <= set(map(flat.name, flat.nodes))


def test_lengths_and_a_loop_that_runs_backward_are_kept() -> None:
    x = unroll.placeholder([None, "time", 3], "x")
    lengths = unroll.placeholder([None], "lengths", "int32")
    cells = unroll.GRUCell(4), unroll.GRUCell(4)
    outputs, states = unroll.bidirectional_dynamic_rnn(*cells, x, lengths, dtype="float32")
    graph = unroll.Graph([x, lengths], {"outputs": outputs, "states": states})
    flat, report = unroll.unroll(graph, dims={"time": 3})
    assert [item.steps for item in report] == [3, 3]
    feeds = {"x": np.random.default_rng(0).normal(size=(4, 3, 3)), "lengths": [0, 1, 2, 3]}
    for name, wanted in graph.run(feeds).items():
        np.testing.assert_allclose(flat.run(feeds)[name], wanted, atol=1e-6)
    refused(lambda: flat.run(feeds | {"lengths": [0, 1, 2, 4]}), ValueError, "lengths")


def test_what_is_computed_from_sizes_is_computed_when_these_are_given() -> None:
    x = unroll.placeholder([None, "time", 3], "x")
    count = ops.cast(ops.shape(x)[1], "float32")
    graph = unroll.Graph([x], {"y": ops.reduce_sum(x, [1]) / count, "count": count})
    flat, report = unroll.unroll(graph, dims={"time": 4})
    assert not report.found
    assert str(report) == "no loop was found: the graph is flat"
    assert [node.op.name for node in flat.nodes] == ["ReduceSum", "Div"]
    assert flat.run({"x": np.ones((2, 4, 3))})["count"] == 4
    refused(lambda: flat.run({"x": np.ones((2, 5, 3))}), ValueError, "x")


def test_a_flat_graph_stays_the_graph_that_it_is() -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = unroll.Graph([x], {"y": ops.tanh(x)})
    assert unroll.unroll(graph)[0] is graph


def test_names_of_outputs_states_and_of_what_is_kept_stay() -> None:
    x, h = unroll.placeholder([None, "time", 3], "x"), unroll.placeholder([None, 4], "h")
    outputs, state = unroll.dynamic_rnn(unroll.GRUCell(4), x, initial_state=h)
    graph = unroll.Graph([x], {"outputs": ops.tanh(outputs)}, states={h: state})
    flat, _ = unroll.unroll(graph, dims={"time": 2})
    assert flat.states == graph.states == {"h": "h/next"}
    assert flat.output_names == graph.output_names
    stream = flat.stream()
    whole = np.random.default_rng(0).normal(size=(1, 4, 3))
    parts = [stream.run({"x": whole[:, at : at + 2]})["outputs"] for at in (0, 2)]
    at_once = graph.run({"x": whole, "h": np.zeros((1, 4))})["outputs"]
    np.testing.assert_allclose(np.concatenate(parts, 1), at_once, atol=1e-6)


# -- what is left -----------------------------------------------------------------------------------------------------


def test_a_loop_over_a_time_that_only_a_run_knows_is_left_and_the_knob_is_named() -> None:
    graph = rolled()
    flat, report = unroll.unroll(graph)
    assert flat is graph
    assert not report
    assert len(report.left) == 1
    assert "time steps, which only a run knows" in str(report)
    assert 'dims={"time": 28}' in str(report)


def test_a_loop_that_would_grow_too_large_is_left_at_once_and_the_knob_is_named() -> None:
    graph = rolled()
    flat, report = unroll.unroll(graph, dims={"time": 10**9})
    assert "Scan" in {node.op.name for node in flat.nodes}
    assert not report
    assert "1000000000 steps" in str(report)
    assert "most_nodes=" in str(report)
    small, said = unroll.unroll(graph, dims={"time": 10}, most_nodes=50)
    assert not said
    assert "most_nodes=" in str(said)
    assert unroll.unroll(graph, dims={"time": 10}, most_nodes=500)[1]
    assert len(small.nodes) < 50


def test_sizes_that_no_input_has_or_that_the_graph_does_not_allow_are_refused() -> None:
    graph = rolled()
    refused(lambda: unroll.unroll(graph, dims={"tiem": 3}), ValueError, "unroll", "'tiem'", "time")
    refused(lambda: unroll.unroll(graph, dims={"time": -1}), ValueError, "time = -1")
    refused(lambda: unroll.unroll(graph, dims={"time": 3}, most_nodes=0), ValueError, "most_nodes")
    refused(lambda: unroll.unroll("graph.onnx"), TypeError, "unroll", "from_onnx")  # type: ignore[arg-type]
    a, b = unroll.placeholder(["rows", 3], "a"), unroll.placeholder(["lines", 3], "b")
    both = unroll.Graph([a, b], {"y": a + b})
    refused(lambda: unroll.unroll(both, dims={"rows": 2, "lines": 3}), ValueError, "dims: ", "must be equal")


def test_time_and_memory_grow_with_the_steps_and_no_faster() -> None:
    graph = rolled("lstm")
    counts = [len(unroll.unroll(graph, dims={"time": time})[0].nodes) for time in (10, 20, 40)]
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])


# -- the form ---------------------------------------------------------------------------------------------------------


def test_the_unrolled_form_writes_loops_out_or_refuses() -> None:
    x = unroll.placeholder([3, None, 2], "x")
    y, _, _ = ops.lstm(x, np.full((1, 8, 2), 0.2), np.full((1, 8, 2), 0.3), hidden_size=2)
    graph = unroll.Graph([x], {"y": y})
    model = unroll.to_onnx(graph, form="unrolled")
    assert "LSTM" not in {node.op_type for node in model.graph.node}
    assert "LSTM" in {node.op_type for node in unroll.to_onnx(graph).graph.node}
    feeds = {"x": np.random.default_rng(0).normal(size=(3, 2, 2)).astype("float32")}
    np.testing.assert_allclose(unroll.Session(model).run(feeds)["y"], graph.run(feeds)["y"], atol=1e-6)
    refused(lambda: unroll.to_onnx(rolled(), form="unrolled"), NotImplementedError, "'unrolled'", "time", "dims=")
