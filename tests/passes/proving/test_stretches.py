"""Long networks are proven on stretches: their beginning, their end, and what stands between and is like nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from changed_networks import FEATURES, UNITS, changed, network, planner_rerolled, with_last

import unroll
from unroll import ops
from unroll.graph import Graph
from unroll.passes.proving.proof import prove
from unroll.passes.rerolling import planner
from unroll.passes.rerolling.report import Rerolled
from unroll.tensor import Node, Tensor


@pytest.mark.slow
@pytest.mark.parametrize("steps", [4, 400])
@pytest.mark.parametrize("operator", ["Mul", "Sub", "Tanh"])
def test_a_change_at_the_last_step_is_seen_in_a_short_network_and_in_a_long_one(steps: int, operator: str) -> None:
    graph = network(steps)
    rewrite = with_last(operator, lambda inputs: ops.mul(inputs[0], np.float32(0.99)))  # type: ignore[arg-type]
    proof = prove(graph, rewrite(graph), rewrite)
    assert proof.holds is False


@pytest.mark.slow
def test_a_long_network_is_proven_on_its_beginning_and_its_end_and_the_report_says_so() -> None:
    _, report = unroll.reroll(network(400))
    assert report.operators == ["GRU"]
    assert report.proof is not None
    assert report.proof.holds
    assert report.proof.said.count("on a stretch of") == 2
    assert "proven by structure" in str(report)


@pytest.mark.slow
def test_an_encoder_and_a_decoder_of_other_cells_are_both_shown_by_stretches() -> None:
    x = unroll.placeholder([None, 300, FEATURES], "x")
    y = unroll.placeholder([None, 300, FEATURES], "y")
    _, state = unroll.static_rnn(unroll.BasicRNNCell(5), ops.unstack(x, axis=1), dtype=np.float32, scope="encoder")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(5), ops.unstack(y, axis=1), initial_state=state, scope="decoder")
    _, report = unroll.reroll(Graph([x, y], {"out": outputs[-1]}))
    assert sorted(report.operators) == ["GRU", "RNN"]
    assert report.proof is not None
    assert "on a stretch of" in report.proof.said


@pytest.mark.slow
def test_a_loop_of_very_many_steps_goes_over_some_of_them_in_a_proof() -> None:
    x = unroll.placeholder([None, 30_000, FEATURES], "x")
    outputs, state = unroll.dynamic_rnn(unroll.GRUCell(UNITS), x, rolled=True, dtype=np.float32)
    model = unroll.to_onnx(Graph([x], {"y": outputs, "state": state}), form="rerolled")
    assert "GRU" in {node.op_type for node in model.graph.node}


@pytest.mark.slow
def test_wide_steps_are_shown_by_a_stretch_that_has_some_of_them() -> None:
    _, report = unroll.reroll(network(60, unroll.BasicLSTMCell(300)))
    assert report.operators == ["LSTM"]
    assert "on a stretch of" in str(report.proof)


def between() -> Graph:
    """Two long networks, and a difference between them that neither the beginning nor the end of the whole shows."""
    x = unroll.placeholder([None, 60, FEATURES], "x")
    outputs, _ = unroll.static_rnn(
        unroll.BasicLSTMCell(UNITS), ops.unstack(x, axis=1), dtype=np.float32, scope="before"
    )
    steps = [ops.sub(output, np.float32(0.25)) for output in outputs[::-1]]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(UNITS), steps, dtype=np.float32, scope="after")
    return Graph([x], {"y": outputs[-1]})


def test_what_stands_in_the_middle_of_a_long_network_is_shown_as_well() -> None:
    def swapped(graph: Graph) -> Graph:
        return changed(
            graph,
            lambda node, inputs: (
                ops.sub(inputs[1], inputs[0])  # type: ignore[arg-type]
                if node.op.name == "Sub"
                else None
            ),
        )

    graph = between()
    assert prove(graph, swapped(graph), swapped).holds is False


@pytest.mark.slow
def test_lengths_that_only_a_network_in_the_middle_has_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unroll.placeholder([None, 40, FEATURES], "x")
    lengths = unroll.placeholder([None], "lengths", "int32")
    steps, each = ops.unstack(x, axis=1), []
    for scope, given in (("one", None), ("two", lengths), ("three", None)):
        cell = unroll.BasicLSTMCell(FEATURES)
        steps, state = unroll.static_rnn(cell, steps[::-1], sequence_length=given, dtype=np.float32, scope=scope)
        each.append(state.h)
    graph = Graph([x, lengths], {"each": ops.concat(each, -1)})

    def without_lengths(part: Graph, **options: object) -> tuple[Graph, Rerolled]:
        new, report = planner_rerolled(part, **options)  # type: ignore[arg-type]

        def change(node: Node, inputs: list[Tensor | None]) -> Tensor | None:
            if node.op.name != "LSTM" or len(inputs) < 5 or inputs[4] is None:
                return None
            copy = node.copied((*inputs[:4], None, *inputs[5:]), node.provenance)
            return copy.outputs[node.outputs[0].index]

        return changed(new, change), report

    right = unroll.reroll(graph)[1]
    assert right.operators == ["LSTM"] * 3
    assert right.proof
    monkeypatch.setattr(planner, "_rerolled", without_lengths)
    assert unroll.reroll(graph)[1].proof is not None
    assert not unroll.reroll(graph)[1].proof
