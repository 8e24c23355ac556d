"""Proof by structure: what was re-rolled is unrolled again, and has the forms of the graph that it came from."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from changed_graphs import changed
from helpers import GOLDEN
from reroll_checks import feeds_of
from rerolled_networks import TENSORFLOW, dynamic

import unroll
from unroll import Graph, ops
from unroll.passes.proving.by_structure.comparing import same_forms
from unroll.passes.unrolling.planner import unrolled_again

FILES = sorted([*GOLDEN.glob("foreign/*.onnx"), *GOLDEN.glob("torch_rnn/*.onnx")])


def same(a: Graph, b: Graph) -> bool:
    return same_forms(a, b, unrolled_again)


# -- what is re-rolled ------------------------------------------------------------------------------------------------


def test_the_rerollings_of_other_exporters_files_are_proven_by_structure() -> None:
    found: Counter[str] = Counter()
    left = []
    for path in FILES:
        _, report = unroll.reroll(unroll.from_onnx(path))
        if report:
            assert report.proof is not None
            found[report.proof.means] += 1
            left += [path.stem] if report.proof.means != "structure" else []
    assert found["structure"] > 60
    assert left == []


@pytest.mark.parametrize(
    "options", [{}, {"lengths": True}, {"initial": True}, {"lengths": True, "initial": True}], ids=str
)
@pytest.mark.parametrize("cell", TENSORFLOW)
def test_the_cells_that_become_native_operators_are_proven_by_structure(cell: str, options: dict[str, Any]) -> None:
    _, make = TENSORFLOW[cell]
    _, report = unroll.reroll(dynamic(make(), 4, **options))
    assert report.proof is not None
    assert report.proof.means == "structure"
    assert "proven by structure: with its loops written out again" in str(report)


def test_both_ways_are_proven_by_structure() -> None:
    """Steps are joined of two directions in the one graph, and directions of steps in the other."""
    x = [unroll.placeholder([None, 3], f"X{step}") for step in range(4)]
    cells = unroll.BasicLSTMCell(5), unroll.BasicLSTMCell(5)
    outputs, _, _ = unroll.static_bidirectional_rnn(*cells, x, dtype="float32")
    _, report = unroll.reroll(Graph(x, {"y": ops.stack(outputs)}))
    assert report.operators == ["LSTM", "LSTM"] and report.proof is not None
    assert report.proof.means == "structure"


def test_a_long_network_is_proven_by_structure_on_its_beginning_and_its_end() -> None:
    x = [unroll.placeholder([None, 3], f"X{step}") for step in range(200)]
    _, report = unroll.reroll(Graph(x, unroll.static_rnn(unroll.BasicLSTMCell(5), x)[0]))
    assert report.proof is not None
    assert report.proof.means == "structure"
    assert "on a stretch of" in report.proof.said


def test_feeds_that_are_given_are_run() -> None:
    x = [unroll.placeholder([None, 3], f"X{step}") for step in range(3)]
    graph = Graph(x, unroll.static_rnn(unroll.BasicLSTMCell(5), x)[0])
    _, report = unroll.reroll(graph, feeds={f"X{step}": np.ones((2, 3)) for step in range(3)})
    assert report.proof is not None
    assert report.proof.means == "numbers"


# -- what differs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["BasicLSTMCell", "LSTMCell peepholes", "GRUCell", "BasicRNNCell relu"])
def test_a_graph_with_one_change_is_never_called_the_same(cell: str) -> None:
    graph = dynamic(TENSORFLOW[cell][1](), 3, lengths=True)
    rng, seen = np.random.default_rng(0), 0
    for parameter in graph.parameters.values():
        parameter.assign(rng.normal(size=parameter.shape))
    feeds = feeds_of(graph)
    wanted = graph.run(feeds)
    for kind in ["added", "removed", "operator", "constant", "rewired"] * 6:
        change = changed(graph, kind, rng)
        if change is None:
            continue
        other = change.graph.run(feeds)
        if any(not np.allclose(wanted[name], other[name], atol=1e-6) for name in wanted):
            assert not same(graph, change.graph), f"{change.kind} at {change.at}"
            seen += 1
    assert seen > 12


def test_another_parameter_of_the_same_name_is_not_the_same() -> None:
    def made() -> Graph:
        x = [unroll.placeholder([None, 3], f"X{step}") for step in range(2)]
        return Graph(x, {"y": unroll.static_rnn(unroll.BasicLSTMCell(4), x)[0][-1]})

    graph = made()
    assert same(graph, graph)
    assert not same(graph, made())


def _row(x: Any, place: int) -> Any:
    """A step of two directions: what a row is of, beside something else of it."""
    row = ops.tanh(x)[place : place + 1]
    return ops.concat([row, ops.sigmoid(x)[place : place + 1]], 1)


def _column(x: Any, place: int) -> Any:
    """A direction of two steps."""
    whole = (ops.tanh, ops.sigmoid)[place](x)
    return ops.concat([whole[:1], whole[1:]], 0)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (lambda x, w: x @ w + x @ w, lambda x, w: 2 * (x @ w), True),
        (lambda x, w: (x + x) @ w, lambda x, w: x @ (2 * w), True),
        (lambda x, w: ops.concat([x[:, :1], x[:, 1:]], 1) @ w, lambda x, w: x[:, :1] @ w[:1] + x[:, 1:] @ w[1:], True),
        (lambda x, w: ops.sigmoid(-x), lambda x, w: 1 - ops.sigmoid(x), True),
        (lambda x, w: ops.tanh(-(x @ w)), lambda x, w: -ops.tanh(x @ w), True),
        (lambda x, w: ops.split(ops.sigmoid(x @ w), 2, 1)[1], lambda x, w: ops.sigmoid(x @ w[:, 2:]), True),
        (lambda x, w: ops.transpose(ops.transpose(x)) * x, lambda x, w: x * x, True),
        (lambda x, w: x * (x - 1), lambda x, w: x * x - x, True),
        (
            lambda x, w: ops.concat([_row(x, 0), _row(x, 1)], 0),
            lambda x, w: ops.concat([_column(x, 0), _column(x, 1)], 1),
            True,
        ),
        (
            lambda x, w: ops.concat([_row(x, 0), _row(x, 1)], 0),
            lambda x, w: ops.concat([_column(x, 1), _column(x, 0)], 1),
            False,
        ),
        (lambda x, w: ops.sigmoid(-x), lambda x, w: ops.sigmoid(x) - 1, False),
        (lambda x, w: x @ w, lambda x, w: x @ (w + 1), False),
        (lambda x, w: x @ w, lambda x, w: x @ w[:, ::-1], False),
        (lambda x, w: ops.split(x @ w, 2, 1)[0], lambda x, w: ops.split(x @ w, 2, 1)[1], False),
        (lambda x, w: ops.relu(-x), lambda x, w: -ops.relu(x), False),
        (lambda x, w: x[:, :1], lambda x, w: x[:, 1:2], False),
        (lambda x, w: ops.reduce_sum(x, [1]), lambda x, w: ops.reduce_sum(x, [0]), False),
        (lambda x, w: x + x, lambda x, w: x * x, False),
        (lambda x, w: x + 1e-6, lambda x, w: x, False),
    ],
)
def test_what_is_written_in_two_ways_has_one_form_and_what_differs_has_two(one: Any, other: Any, equal: bool) -> None:
    x = unroll.placeholder([2, 2], "x")
    w = unroll.Parameter(np.arange(8).reshape(2, 4), "w", "float32")
    assert same(Graph([x], {"y": one(x, w)}), Graph([x], {"y": other(x, w)})) == equal


@pytest.mark.parametrize("kind", [unroll.BasicLSTMCell, unroll.GRUCell])
def test_lengths_of_either_dtype_are_the_same_lengths(kind: Any) -> None:
    x, lengths = unroll.placeholder([None, 5, 3], "x"), unroll.placeholder([None], "lengths", "int64")
    outputs, state = unroll.dynamic_rnn(kind(4), x, lengths, dtype="float32")
    _, report = unroll.reroll(Graph([x, lengths], {"outputs": outputs, "state": state}))
    assert report.proof is not None and report.proof.means == "structure"


def test_rows_of_a_table_are_those_of_each_step() -> None:
    ids = unroll.placeholder([None, 5, 1], "ids", "int64")
    cell = unroll.cells.EmbeddingWrapper(unroll.BasicLSTMCell(3), 5, 2)
    graph = Graph([ids], {"y": unroll.dynamic_rnn(cell, ids, dtype="float32")[0]})
    small, report = unroll.reroll(graph)
    assert report.proof is not None and report.proof.means == "structure"
    assert [node.op.name for node in small.nodes].count("Gather") == 1
    other = unroll.Graph(graph.inputs, {"y": unroll.ops.gather(np.eye(5, 3, dtype=np.float32), ids[:, ::-1, 0])})
    assert not same(graph, other)
