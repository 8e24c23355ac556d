"""`equivalent`: whether two graphs compute the same, by which means that was found, and where they first differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import refused
from random_graphs import random_graph
from random_networks import random_network

import unroll
from unroll import BasicLSTMCell, Graph, ops, static_rnn
from unroll.passes.pipeline import optimize
from unroll.passes.proving.equivalence import equivalent

STEPS, WIDTH, UNITS = 4, 3, 5


def placeholders(names: str = "X") -> list[Any]:
    return [unroll.placeholder([None, WIDTH], f"{names}{step}") for step in range(STEPS)]


def concatenated(cell: BasicLSTMCell, names: str = "X") -> Graph:
    inputs = placeholders(names)
    outputs, _ = static_rnn(cell, inputs)
    return Graph(inputs, {"h": outputs[-1]})


def hand_split(cell: BasicLSTMCell, change: Callable[[Any, Any, Any], tuple[Any, Any, Any]] = lambda *w: w) -> Graph:
    """The same network with Wx and Wh apart, whose values are the rows of the cell's kernel."""
    inputs = placeholders()
    kernel = cell.kernel.value
    values = change(kernel[:WIDTH].copy(), kernel[WIDTH:].copy(), cell.bias.value.copy())
    wx, wh, b = (unroll.Parameter(value, name) for value, name in zip(values, ("wx", "wh", "b"), strict=True))
    c = h = ops.constant_of_shape(ops.concat([ops.shape(inputs[0])[:1], [UNITS]], 0))
    for x in inputs:
        i, j, f, o = ops.split(x @ wx + h @ wh + b, 4, -1)
        c = c * ops.sigmoid(f + 1.0) + ops.sigmoid(i) * ops.tanh(j)
        h = ops.tanh(c) * ops.sigmoid(o)
    return Graph(inputs, {"h": h})


@pytest.fixture
def cell() -> BasicLSTMCell:
    made = BasicLSTMCell(UNITS)
    concatenated(made)
    made.bias.assign(np.linspace(-1, 1, 4 * UNITS))
    return made


def test_a_network_traced_twice_is_equal_by_structure(cell: BasicLSTMCell) -> None:
    other = BasicLSTMCell(UNITS)
    graph = concatenated(other)
    graph.assign({name: item.value for name, item in concatenated(cell).parameters.items()})
    found = equivalent(concatenated(cell), graph)
    assert found
    assert (found.means, found.difference, str(found)) == ("structure", "", "equal: the canonical forms are the same")


def test_one_weight_of_the_same_name_with_another_value_is_not_equal_and_said(cell: BasicLSTMCell) -> None:
    other = BasicLSTMCell(UNITS)
    graph = concatenated(other)
    graph.assign({name: item.value for name, item in concatenated(cell).parameters.items()})
    kernel = other.kernel.value.copy()
    before, kernel[4, 7] = kernel[4, 7], 0.5
    other.kernel.assign(kernel)
    found = equivalent(concatenated(cell), graph)
    assert not found
    assert found.structural == f"Parameter 'rnn/basic_lstm_cell/kernel': {before} and 0.5 at [4, 7]"
    assert found.structural in str(found)


def _said(one: Callable[[Any], Any], other: Callable[[Any], Any]) -> str:
    x = unroll.placeholder([3, 4], "x")
    found = equivalent(Graph([x], {"z": one(x)}), Graph([x], {"z": other(x)}))
    assert not found
    return found.structural


def test_what_differs_is_named_with_both_values() -> None:
    table = np.arange(12, dtype="float32").reshape(4, 3)
    other = table.copy()
    other[2, 1] = -1
    said = _said(lambda x: ops.tanh(x @ table), lambda x: ops.tanh(x @ other))
    assert said.endswith(": 7.0 and -1.0 at [2, 1], read by MatMul (MatMul)"), said
    said = _said(lambda x: ops.leaky_relu(x, 0.1) * 2.0, lambda x: ops.leaky_relu(x, 0.2) * 2.0)
    assert "LeakyRelu" in said
    assert "alpha 0.1" in said
    assert "and 0.2" in said
    said = _said(lambda x: ops.softmax(x, 0) + 1.0, lambda x: ops.softmax(x, 1) + 1.0)
    assert said.endswith(": axis 0 and 1"), said


def test_inputs_of_one_name_correspond_though_they_stand_in_another_place() -> None:
    """By their places alone both would be `first - second`."""
    a, b = (unroll.placeholder([2], name) for name in "ab")
    assert not equivalent(Graph([a, b], {"y": a - b}), Graph([b, a], {"y": b - a}))
    assert equivalent(Graph([a, b], {"y": a - b}), Graph([b, a], {"y": a - b})).means == "structure"


def _lasting(steps: int, wrong: int) -> Graph:
    x, n = unroll.placeholder([steps, "batch", WIDTH], "x"), unroll.placeholder(["batch"], "n", "int32")
    h = x[0]
    for step in range(steps):
        new = ops.sigmoid(x[step] + h) if step >= wrong else ops.tanh(x[step] + h)
        h = ops.where(ops.unsqueeze(ops.less(unroll.constant(step, dtype="int32"), n), [1]), new, h)
    return Graph([x, n], {"h": h})


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [4, 8])
def test_steps_that_only_long_rows_reach_count(wrong: int) -> None:
    assert not equivalent(_lasting(9, 9), _lasting(9, wrong))


def test_feeds_and_sizes_can_be_given() -> None:
    right, wrong = _lasting(9, 9), _lasting(9, 8)
    x = np.full((9, 2, WIDTH), 0.3, "float32")
    assert equivalent(right, wrong, feeds={"x": x, "n": [3, 8]}), "no row reaches what is wrong"
    found = equivalent(right, wrong, feeds=[{"x": x, "n": [3, 8]}, {"x": x, "n": [9, 8]}])
    assert not found
    assert "output h" in found.difference
    assert not equivalent(right, wrong, dims={"batch": 1})
    refused(lambda: equivalent(right, wrong, dims={"rows": 1}), ValueError, "equivalent", "'rows'", "'batch'")
    refused(lambda: equivalent(right, wrong, feeds={"x": x}), ValueError, "'n'")
    refused(lambda: equivalent(right, wrong, feeds={"x": x, "n": [3, 8]}, dims={"batch": 2}), ValueError, "leave one")


def test_the_concatenated_kernel_equals_the_hand_split_one_by_the_values_of_weights(cell: BasicLSTMCell) -> None:
    found = equivalent(concatenated(cell), hand_split(cell))
    assert found
    assert found.means == "weights"


def test_an_optimised_graph_is_equal_by_numbers(cell: BasicLSTMCell) -> None:
    graph = concatenated(cell)
    found = equivalent(graph, optimize(graph))
    assert found
    assert found.means == "numbers"
    assert found.structural, "where the forms differ is said all the same"


def test_one_weight_changed_is_seen(cell: BasicLSTMCell) -> None:
    def change(wx: Any, wh: Any, b: Any) -> Any:
        wh[2, 3] += 0.1
        return wx, wh, b

    found = equivalent(concatenated(cell), hand_split(cell, change))
    assert not found
    assert found.means == "numbers"
    assert "output h: " in found.difference
    assert found.structural.count("constant/float32[5,20]") == 2, "the recurrent rows of the kernel"


def test_inputs_correspond_by_order_where_they_are_called_otherwise(cell: BasicLSTMCell) -> None:
    assert equivalent(concatenated(cell), concatenated(cell, "step"))


def test_inputs_correspond_by_name_where_they_are_called_alike() -> None:
    def graph(reverse: bool) -> Graph:
        a, b = (unroll.placeholder([2], name) for name in "ab")
        return Graph([b, a] if reverse else [a, b], {"y": a - b * 2})

    assert equivalent(graph(False), graph(True))


def test_the_order_of_terms_does_not_matter_and_that_of_a_difference_does() -> None:
    x, y = (unroll.placeholder([2], name) for name in "xy")
    one = Graph([x, y], {"z": (x + y) + ops.exp(x) * y})
    other = Graph([x, y], {"z": y * ops.exp(x) + (y + x)})
    assert equivalent(one, other).means == "structure"
    assert not equivalent(Graph([x, y], {"z": x - y}), Graph([x, y], {"z": y - x}))


def test_where_graphs_first_differ_is_the_deepest_node_that_does() -> None:
    x = unroll.placeholder([2], "x")
    one = Graph([x], {"z": ops.exp(ops.tanh(x) * 2.0)})
    other = Graph([x], {"z": ops.exp(ops.sigmoid(x) * 2.0)})
    found = equivalent(one, other)
    assert not found
    assert found.structural == "Tanh (Tanh) and Sigmoid (Sigmoid)"
    assert str(found).startswith("not equal: output z: ")


@pytest.mark.parametrize(
    ("other", "fragments"),
    [
        (lambda x, y: Graph([x], {"z": x + 1.0}), ["2 inputs (x, y)", "1 (x)"]),
        (lambda x, y: Graph([x, y], {"z": x + y, "more": x}), ["1 outputs", "2 (z, more)"]),
        (lambda x, y: Graph([x, y], {"z": ops.cast(x + y, "float64")}), ["output z", "float32", "float64"]),
        (lambda x, y: Graph([x, y], {"z": ops.unsqueeze(x + y, [0])}), ["output z", "(1, 2)"]),
    ],
)
def test_other_inputs_or_outputs_are_not_equal(other: Any, fragments: list[str]) -> None:
    x, y = (unroll.placeholder([2], name) for name in "xy")
    found = equivalent(Graph([x, y], {"z": x + y}), other(x, y))
    assert not found
    assert found.means == "interface"
    assert all(fragment in found.difference for fragment in fragments)


def test_a_graph_that_fails_where_the_other_runs_is_not_equal() -> None:
    x = unroll.placeholder([2], "x", "int32")
    found = equivalent(Graph([x], {"y": x * 0}), Graph([x], {"y": x / 0}))
    assert not found
    assert "does not" in found.difference


@pytest.mark.slow
def test_random_graphs_equal_themselves_by_structure_and_their_optimised_form() -> None:
    for seed in range(40):
        graph, _ = random_graph(seed)
        assert equivalent(graph, graph).means == "structure"
    for seed in range(20):
        graph, _ = random_network(seed)
        assert equivalent(graph, graph).means == "structure"
        assert equivalent(graph, optimize(graph))


def test_only_graphs_are_compared(cell: BasicLSTMCell) -> None:
    refused(lambda: equivalent(concatenated(cell), cell), TypeError, "equivalent", "Graph")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "builtin", "fragments"),
    [
        ({"feeds": 0}, ValueError, ["feeds is 0", "at least 1"]),
        ({"feeds": -2}, ValueError, ["feeds is -2"]),
        ({"feeds": "3"}, TypeError, ["feeds '3'", "int"]),
        ({"feeds": True}, TypeError, ["feeds True"]),
        ({"seed": -1}, ValueError, ["seed is -1", "at least 0"]),
        ({"seed": 0.5}, TypeError, ["seed is 0.5", "int"]),
    ],
)
def test_numbers_of_feeds_and_seeds_that_are_none_are_refused(
    cell: BasicLSTMCell, options: dict[str, Any], builtin: type[Exception], fragments: list[str]
) -> None:
    graph = concatenated(cell)
    for other in (graph, optimize(graph)):
        refused(lambda: equivalent(graph, other, **options), builtin, "equivalent", *fragments)  # noqa: B023


def test_nothing_is_called_equal_where_no_numbers_were_compared() -> None:
    x = unroll.placeholder([None, 3], "x")
    graphs = [Graph([x], {"y": function(ops.sqrt(x - 100))}) for function in (ops.tanh, ops.sigmoid)]
    found = unroll.equivalent(*graphs)
    assert not found
    assert "numbers cannot tell: 0% of output y were finite" in str(found)
    graphs = [Graph([x], {"y": function(x)}) for function in (ops.tanh, ops.sigmoid)]
    assert not unroll.equivalent(*graphs, dims={"batch": 0})


def test_a_changed_row_of_a_large_table_is_a_change_though_no_feed_meets_it() -> None:
    ids = unroll.placeholder([None], "ids", "int32")
    tables = [np.linspace(0, 1, 15_000, dtype="float32").reshape(5000, 3) for _ in range(2)]
    tables[1][3337] += 1
    a, b = (Graph([ids], {"y": ops.gather(unroll.Parameter(table, "table"), ids)}) for table in tables)
    found = unroll.equivalent(a, b)
    assert not found
    assert "[3337, 0]" in str(found)
