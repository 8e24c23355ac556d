"""Cells that are no native operator become a Scan, and the report says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from reroll_checks import FEATURES, UNITS, Graph, check_rerolled
from rerolled_networks import TENSORFLOW, dynamic

import unroll
from unroll import cells

#: Cells that are no native operator.
OTHERS: dict[str, Callable[[], Any]] = {
    "cell_clip": lambda: unroll.LSTMCell(UNITS, cell_clip=0.3),
    "num_proj": lambda: unroll.LSTMCell(UNITS, num_proj=2),
    "proj_clip": lambda: unroll.LSTMCell(UNITS, num_proj=2, proj_clip=0.1, use_peepholes=True),
    "gelu": lambda: unroll.BasicRNNCell(UNITS, activation="gelu"),
    "UGRNNCell": lambda: cells.UGRNNCell(UNITS),
    "NASCell": lambda: cells.NASCell(UNITS),
    "IntersectionRNNCell": lambda: cells.IntersectionRNNCell(FEATURES),
    "MinimalRNNCell": lambda: cells.MinimalRNNCell(UNITS),
    "CoupledInputForgetGateLSTMCell": lambda: cells.CoupledInputForgetGateLSTMCell(UNITS),
    "LayerNormBasicLSTMCell": lambda: cells.LayerNormBasicLSTMCell(UNITS),
    "SRUCell": lambda: cells.SRUCell(UNITS),
    "IndRNNCell": lambda: cells.IndRNNCell(UNITS),
    "SLSTMCell": lambda: cells.SLSTMCell(UNITS),
    "SLSTMCell of two heads": lambda: cells.SLSTMCell(UNITS, num_heads=2, forget_activation="exp"),
    "IndyLSTMCell": lambda: cells.IndyLSTMCell(UNITS),
    "IndyGRUCell": lambda: cells.IndyGRUCell(UNITS),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("time", [7, 28])
@pytest.mark.parametrize("name", OTHERS)
def test_any_other_cell_becomes_a_scan_and_the_report_says_why(name: str, time: int, lengths: bool) -> None:
    graph = dynamic(OTHERS[name](), time, lengths)
    found, report = check_rerolled(graph)
    assert set(report.operators) == {"Scan"}, report
    assert len(found.nodes) < len(graph.nodes) / 2
    (item, *_) = report
    node = item.reason.split(": ")[0]
    assert item.reason and any(node in name for name in graph.names.nodes.values()), item.reason


@pytest.mark.parametrize("time", [4, 7, 8])
@pytest.mark.parametrize("per_run", [1, 2, 3])
@pytest.mark.parametrize("name", ["BasicRNNCell", "BasicLSTMCell", "GRUCell"])
def test_a_scan_may_compute_several_steps_in_one_run(name: str, per_run: int, time: int) -> None:
    found, report = check_rerolled(dynamic(TENSORFLOW[name][1](), time), native=False, steps_per_iteration=per_run)
    assert report.operators == ["Scan"]
    assert report.found[0].steps == time - time % per_run
    (node,) = [node for node in found.nodes if node.op.name == "Scan"]
    products = [inner for inner in node.op.body.nodes if inner.op.name == "MatMul"]  # type: ignore[attr-defined]
    assert len(products) % per_run == 0


def test_float64_becomes_a_scan_as_onnxruntime_has_no_native_operator_for_it() -> None:
    x = unroll.placeholder([None, 5, FEATURES], "x", "float64")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(UNITS), x)
    _, report = check_rerolled(Graph([x], {"y": outputs}))
    assert report.operators == ["Scan"] and "float32" in report.found[0].reason


def test_a_gate_read_outside_makes_a_scan_that_gives_it() -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(6)]
    cell = unroll.BasicLSTMCell(UNITS)
    outputs, _ = unroll.static_rnn(cell, inputs)
    gate = next(node for node in Graph(inputs, outputs).nodes if node.op.name == "Sigmoid").outputs[0]
    _, report = check_rerolled(Graph(inputs, {"y": outputs[-1], "gate": gate}))
    assert report.operators == ["Scan"] and "outside" in report.found[0].reason
