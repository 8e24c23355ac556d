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
from unroll.passes.equivalence import equivalent
from unroll.passes.pipeline import optimize

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
    found = equivalent(concatenated(cell), concatenated(BasicLSTMCell(UNITS)))
    assert found
    assert (found.means, found.difference, str(found)) == ("structure", "", "equal: the canonical forms are the same")


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
        ({"feeds": 0}, ValueError, ["feeds 0", "at least 1"]),
        ({"feeds": -2}, ValueError, ["feeds -2"]),
        ({"feeds": "3"}, TypeError, ["feeds '3'", "int"]),
        ({"feeds": True}, TypeError, ["feeds True"]),
        ({"seed": -1}, ValueError, ["seed -1", "at least 0"]),
        ({"seed": 0.5}, TypeError, ["seed 0.5", "int"]),
    ],
)
def test_numbers_of_feeds_and_seeds_that_are_none_are_refused(
    cell: BasicLSTMCell, options: dict[str, Any], builtin: type[Exception], fragments: list[str]
) -> None:
    graph = concatenated(cell)
    for other in (graph, optimize(graph)):
        refused(lambda: equivalent(graph, other, **options), builtin, "equivalent", *fragments)  # noqa: B023
