"""Loop and If operators written out: counts and conditions that fold, and those that only a run knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import ops


def body_of(step: Callable[[Any, Any], Any], goes_on: Callable[[Any, Any, Any], Any]) -> unroll.Graph:
    """A body of one state, which is stacked as it was before the run; `goes_on` is given number, condition and new state."""
    number, go = unroll.placeholder([], "number", "int64"), unroll.placeholder([], "go", "bool")
    x = unroll.placeholder([], "x")
    new = step(x, number)
    return unroll.Graph([number, go, x], [goes_on(number, go, new), new, ops.identity(x)])


def doubling(goes_on: Callable[[Any, Any, Any], Any]) -> unroll.Graph:
    return body_of(lambda x, number: 2 * x, goes_on)


def kinds(graph: unroll.Graph) -> set[str]:
    return {node.op.name for node in graph.nodes}


def test_a_loop_without_a_count_ends_when_its_condition_folds() -> None:
    start = unroll.placeholder([], "start")
    last, powers = ops.loop(doubling(lambda number, go, new: new < 100), [unroll.constant(1.0)])
    graph = unroll.Graph([start], {"last": last + start, "powers": powers})
    flat, report = unroll.unroll(graph)
    assert report.found[0].steps == 7
    assert report.proof
    assert "Loop" not in kinds(flat)
    found = flat.run({"start": 1})
    assert found["last"] == 129
    assert found["powers"].tolist() == [1, 2, 4, 8, 16, 32, 64]


def test_conditions_through_casts_and_ands_of_counters_fold() -> None:
    def counted(number: Any, go: Any, new: Any) -> Any:
        below = ops.less(ops.cast(number, "int32"), ops.cast(unroll.constant(3), "int32"))
        return ops.logical_and(below, ops.cast(ops.cast(below, "int64"), "bool"))

    start = unroll.placeholder([], "start")
    last, _ = ops.loop(doubling(counted), [start])
    flat, report = unroll.unroll(unroll.Graph([start], {"last": last}))
    assert report.found[0].steps == 4  # after the runs 0, 1, 2 and 3, of which the last ends it
    assert flat.run({"start": 1})["last"] == 16
    assert kinds(flat) == {"Mul"}


def test_the_number_of_a_run_is_a_number_and_each_node_knows_its_run() -> None:
    start = unroll.placeholder([], "start")
    body = body_of(lambda x, number: x + ops.cast(number, "float32"), lambda number, go, new: ops.identity(go))
    last, _ = ops.loop(body, [start], count=4)
    flat, _ = unroll.unroll(unroll.Graph([start], {"last": last}))
    assert [node.op.name for node in flat.nodes] == ["Add"] * 4
    assert [node.origin.step for node in flat.nodes] == [0, 1, 2, 3]
    assert flat.run({"start": 1})["last"] == 7


def test_a_count_that_is_a_size_is_settled_by_its_name() -> None:
    x, start = unroll.placeholder([None, "time", 2], "x"), unroll.placeholder([], "start")
    last, _ = ops.loop(doubling(lambda number, go, new: ops.identity(go)), [start], count=ops.shape(x)[1])
    graph = unroll.Graph([x, start], {"last": last, "sum": ops.reduce_sum(x, [1])})
    _, left = unroll.unroll(graph)
    assert 'only a run knows its count; give dims={"time": 28}' in str(left)
    flat, report = unroll.unroll(graph, dims={"time": 5})
    assert report.found[0].steps == 5
    assert flat.run({"x": np.ones((1, 5, 2)), "start": 1})["last"] == 32
    _, far = unroll.unroll(graph, dims={"time": 10**9})
    assert "1000000000 steps" in str(far)
    assert "most_nodes=" in str(far)


def test_a_loop_that_never_ends_is_left_at_the_limit_and_the_knob_is_named() -> None:
    start = unroll.placeholder([], "start")
    last, _ = ops.loop(doubling(lambda number, go, new: ops.identity(go)), [start])
    graph = unroll.Graph([start], {"last": last})
    flat, report = unroll.unroll(graph, most_nodes=200)
    assert flat is graph
    assert "more than 200 nodes; most_nodes=400 allows twice as many" in str(report)


@pytest.mark.parametrize("depth", [2, 4])
def test_loops_in_loops_are_written_out_as_one_and_their_growth_is_bounded(depth: int) -> None:
    body = body_of(lambda x, number: x + 1, lambda number, go, new: ops.identity(go))
    for _ in range(depth - 1):
        inner = body
        body = body_of(
            lambda x, number, inner=inner: ops.loop(inner, [x], count=3)[0], lambda number, go, new: ops.identity(go)
        )
    start = unroll.placeholder([], "start")
    graph = unroll.Graph([start], {"last": ops.loop(body, [start], count=3)[0]})
    flat, report = unroll.unroll(graph)
    assert [item.steps for item in report] == [3]
    assert flat.run({"start": 0})["last"] == 3**depth
    _, small = unroll.unroll(graph, most_nodes=5)
    assert not small
    assert len(small.left) == 1


def test_an_if_becomes_the_branch_that_its_condition_chooses() -> None:
    x, inner = unroll.placeholder([2], "x"), unroll.placeholder([2], "inner")
    branches = unroll.Graph([inner], 2 * inner), unroll.Graph([inner], ops.identity(inner))
    (y,) = ops.if_(unroll.constant(True), *branches, [x])
    flat, report = unroll.unroll(unroll.Graph([x], {"y": y}))
    assert [node.op.name for node in flat.nodes] == ["Mul"]
    assert str(report.found[0]) == "if: If: the branch that its condition chooses written out"
    training = unroll.placeholder([], "training", "bool")
    (z,) = ops.if_(training, *branches, [x])
    same, left = unroll.unroll(unroll.Graph([x, training], {"z": z}))
    assert "If" in kinds(same)
    assert "only a run knows its condition; it follows from 'training'" in str(left)
    assert 'values={"training": ...}' in str(left)


def test_a_loop_inside_one_that_is_written_out_stays_where_only_a_run_knows_its_count() -> None:
    inner = doubling(lambda number, go, new: new < 100)
    outer = body_of(lambda x, number: ops.loop(inner, [x], count=10)[0], lambda number, go, new: ops.identity(go))
    start = unroll.placeholder([], "start")
    graph = unroll.Graph([start], {"last": ops.loop(outer, [start], count=2)[0]})
    flat, report = unroll.unroll(graph)
    assert report and len(report.left) == 2
    assert kinds(flat) == {"Loop"}
    assert flat.run({"start": 1})["last"] == graph.run({"start": 1})["last"]
