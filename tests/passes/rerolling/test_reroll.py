"""Re-rolling keeps names, states, provenance and weights, leaves alone what is no loop, and takes linear time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from helpers import refused
from reroll_checks import FEATURES, TOLERANCE, UNITS, Graph, assign, check_rerolled, feeds_of, operators
from rerolled_networks import dynamic

import unroll
from unroll import ops
from unroll.passes.rerolling.planner import reroll


def test_a_graph_without_a_recurrence_is_given_back_as_it_is() -> None:
    x = unroll.placeholder([None, FEATURES], "x")
    w = unroll.Parameter(np.ones((FEATURES, FEATURES), "float32"), "w")
    graph = Graph([x], ops.tanh(ops.tanh(x @ w) @ w[::-1]))
    found, report = reroll(graph)
    assert found is graph and not report
    assert str(report) == "no recurrence was found: " + report.note
    assert "no weight is used by two products" in report.note


def test_with_neither_native_operators_nor_scan_the_graph_is_left_and_the_report_says_so() -> None:
    graph = dynamic(unroll.LSTMCell(UNITS, cell_clip=1.0), 5)
    found, report = reroll(graph, scan=False)
    assert found is graph and not report
    (item,) = report.left
    assert item.steps == 5 and item.scope == "rnn/lstm_cell"
    assert "Clip" in item.reason and "Scan was not asked for" in item.reason


def test_a_step_with_another_weight_is_left_out_of_the_loop() -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(9)]
    one, two = unroll.BasicRNNCell(UNITS, name="one"), unroll.BasicRNNCell(UNITS, name="two")
    h: Any = unroll.placeholder([None, UNITS], "h0")
    fed = [*inputs, h]
    for step, x in enumerate(inputs):
        _, h = (two if step == 4 else one)(x, h)
    found, report = check_rerolled(Graph(fed, {"h": h}))
    assert sorted(item.steps for item in report) == [4, 4]
    assert report.operators == ["RNN", "RNN"] and operators(found)["MatMul"] == 1


def test_an_input_computed_from_the_output_before_it_otherwise_each_time_is_no_loop() -> None:
    """Each step reads what another network, of other weights each time, makes of the output before."""
    cell = unroll.BasicRNNCell(UNITS)
    x: Any = unroll.placeholder([None, FEATURES], "x")
    h: Any = unroll.placeholder([None, UNITS], "h0")
    fed = [x, h]
    for step in range(5):
        _, h = cell(x, h)
        x = ops.tanh(h @ unroll.Parameter(np.ones((UNITS, FEATURES), "float32"), f"w{step}"))
    graph = Graph(fed, {"h": h})
    found, report = check_rerolled(graph)
    assert found is graph and not report


def test_names_states_and_limits_stay() -> None:
    x, lengths = unroll.placeholder([None, 5, FEATURES], "x"), unroll.placeholder([None], "lengths", "int32")
    h0 = unroll.placeholder([None, UNITS], "h0")
    outputs, state = unroll.dynamic_rnn(unroll.GRUCell(UNITS), x, sequence_length=lengths, initial_state=h0)
    graph = Graph([x, lengths], {"y": outputs}, states={h0: state})
    found, report = check_rerolled(graph)
    assert report.operators == ["GRU"]
    assert found.states == graph.states
    assert found.input_specs == graph.input_specs
    refused(lambda: found.run(feeds_of(graph) | {"lengths": [6, 0, 0]}), ValueError, "lengths")


def test_the_operator_keeps_the_provenance_of_every_node_it_stands_for() -> None:
    graph = dynamic(unroll.BasicLSTMCell(UNITS), 5)
    found, _ = reroll(graph)
    (node,) = [node for node in found.nodes if node.op.name == "LSTM"]
    wanted = {origin for old in graph.nodes for origin in old.provenance if origin.cell == "rnn/basic_lstm_cell"}
    assert wanted <= node.provenance
    assert {origin.gate for origin in node.provenance} >= {"i", "j", "f", "o"}
    assert {origin.step for origin in node.provenance} >= set(range(5))


def test_a_parameter_assigned_afterwards_still_counts() -> None:
    graph = dynamic(unroll.BasicLSTMCell(UNITS), 5)
    found, _ = reroll(graph)
    assert set(found.parameters) == set(graph.parameters)
    assign(graph, seed=7)
    feeds = feeds_of(graph)
    np.testing.assert_allclose(found.run(feeds)["outputs"], graph.run(feeds)["outputs"], atol=TOLERANCE)


@pytest.mark.parametrize("wanted", [0, -1, 1.5, True, "2", None])
def test_a_number_of_steps_a_run_that_is_none_is_refused(wanted: Any) -> None:
    graph = dynamic(unroll.BasicRNNCell(UNITS), 2)
    error = ValueError if type(wanted) is int else TypeError
    refused(lambda: reroll(graph, steps_per_iteration=wanted), error, "steps_per_iteration", repr(wanted))


def _time_to_reroll(steps: int, **options: Any) -> float:
    graph = dynamic(unroll.BasicLSTMCell(13), steps)
    start = time.perf_counter()
    _, report = reroll(graph, **options)
    assert report.found[0].steps == steps
    return time.perf_counter() - start


@pytest.mark.slow
def test_thousands_of_steps_are_rerolled_in_linear_time() -> None:
    """The bound is wide, as the machine may be busy: a quadratic pass would take 25 times as long for 5 times the steps."""
    fewer = min(_time_to_reroll(600) for _ in range(2))
    more = _time_to_reroll(3000)
    assert more < 12 * max(fewer, 0.1)
