"""Names in the model that `to_onnx` writes: the same bytes in every process, and each node tells its step."""

from __future__ import annotations

import hashlib
import re

import pytest
from exported_programs import (
    CELLS,
    PROGRAMS,
    cell_graph,
    check_model,
    program,
    step_of,
)
from helpers import TESTS, run_python

import unroll

FRESH = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import exported_programs, unroll
for kind in exported_programs.PROGRAMS:
    for options in ({}, {"opset": 21}, {"fold_zero_state": False}):
        model = unroll.to_onnx(exported_programs.program(kind), runtime=None, **options)
        print(kind, options, hashlib.sha256(model.SerializeToString()).hexdigest())
"""


@pytest.mark.slow
def test_one_program_gives_the_same_bytes_in_every_process() -> None:
    first, second = (run_python(FRESH, str(TESTS), PYTHONHASHSEED=seed) for seed in ("1", "4242"))
    assert first == second
    lines = first.splitlines()
    assert len(set(lines)) == len(lines) == 3 * len(PROGRAMS)
    again = hashlib.sha256(unroll.to_onnx(cell_graph("rnn")).SerializeToString()).hexdigest()
    assert lines[0] == f"rnn {{}} {again}"


@pytest.mark.parametrize("kind", [*CELLS, "dynamic"])
def test_node_names_follow_the_grammar_and_tell_the_step(kind: str) -> None:
    graph = program(kind)
    steps = {graph.name(node): {origin.step for origin in node.provenance} for node in graph.nodes}
    model = unroll.to_onnx(graph, fold_zero_state=False)
    nodes, again = model.graph.node[: len(steps)], model.graph.node[len(steps) :]
    assert [node.name for node in nodes] == list(steps)
    assert {node.op_type for node in again} <= {"Identity"}, "of a state that is an output already"
    for node in nodes:
        scope, _, last = node.name.rpartition("/")
        assert re.fullmatch(rf"{node.op_type}(_[1-9]\d*)?", last), node.name
        assert scope.split("/")[0] == "rnn"
        assert steps[node.name] == {step_of(node.name)}


def test_names_are_those_of_the_users_program() -> None:
    model = unroll.to_onnx(cell_graph("lstm", steps=2), fold_zero_state=False)
    named = {name: node.op_type for node in model.graph.node for name in node.output}
    assert named["rnn/t1/basic_lstm_cell/f"] == "Sigmoid"
    assert named["rnn/t1/basic_lstm_cell/j"] == "Tanh"
    assert named["rnn/t0/basic_lstm_cell/h"] == named["rnn/t1/basic_lstm_cell/h"] == "Mul"
    assert [item.name for item in model.graph.input] == ["X0", "X1"]


def test_from_ir_version_10_on_every_node_carries_its_provenance_as_metadata() -> None:
    graph = cell_graph("lstm", steps=2)
    for options in ({"opset": 21}, {"ir_version": 10}):
        model = unroll.to_onnx(graph, **options)
        held = {node.name: {item.key: item.value for item in node.metadata_props} for node in model.graph.node}
        assert held["rnn/t1/basic_lstm_cell/f/Sigmoid"] == {
            "unroll.scope": "rnn/t1/basic_lstm_cell/f",
            "unroll.step": "1",
            "unroll.cell": "rnn/basic_lstm_cell",
            "unroll.gate": "f",
        }
        assert all(item.get("unroll.scope") for item in held.values())
        assert {name: item["unroll.step"] for name, item in held.items() if "unroll.step" in item} == {
            name: str(step_of(name)) for name in held if step_of(name) is not None
        }
        check_model(model)
    assert not any(node.metadata_props for node in unroll.to_onnx(graph, opset=20).graph.node)
