"""A tensor is no value: it is equal to itself alone, has no truth, copy or pickle, and is no array."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import refused, run_python

import unroll
from unroll import Graph, ops, placeholder


def test_tensors_are_equal_only_to_themselves_and_can_be_keys() -> None:
    x, y = placeholder([2], "x"), placeholder([2], "y")
    assert x == x and x != y and x != "x" and x != None  # noqa: E711
    assert {x: 1, y: 2}[x] == 1
    assert x in [y, x] and [y, x].index(x) == 1
    assert ops.equal(x, y).dtype == bool


def test_an_array_beside_a_tensor_asks_the_tensor() -> None:
    x, array = placeholder([2], "x"), np.array([1.0, 2.0])
    for result in (array + x, array - x, array * x, array / x, array @ x, np.float64(2.0) * x, array < x, array > x):
        assert isinstance(result, unroll.Tensor)
    assert Graph([x], array - x).run({x: [3.0, 3.0]}, "Sub").tolist() == [-2.0, -1.0]


@pytest.mark.parametrize("value", [1.0, 0, True, np.float32(2), np.zeros(2)])
def test_a_comparison_of_values_that_python_would_answer_by_identity_is_refused(value: Any) -> None:
    x = placeholder([2], "x")
    for compare in (operator.eq, operator.ne):
        with pytest.raises(unroll.UnrollError, match=r"unroll\.ops\.equal"):
            compare(x, value)


def test_numpys_functions_that_are_operators_build_them() -> None:
    x = placeholder([2], "x")
    made: Any = np.tanh(np.exp(x) + np.maximum(x, 0.5))
    wanted = np.tanh(np.exp([0.0, 1.0]) + np.array([0.5, 1.0]))
    assert Graph([x], made).run({x: [0.0, 1.0]}, made) == pytest.approx(wanted)
    for function in (np.cos, np.add.reduce, lambda t: np.add(t, t, where=[True, False])):
        with pytest.raises(unroll.UnrollError, match=r"unroll\.ops"):
            function(x)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("use", "fix"),
    [
        (bool, "unroll.ops.where"),
        (lambda x: 1 if x > 0 else 2, "unroll.ops.where"),
        (lambda x: x and x, "unroll.ops.where"),
        (len, ".shape"),
        (iter, "unroll.ops.unstack"),
        (list, "unroll.ops.unstack"),
        (lambda x: [*x], "unroll.ops.unstack"),
        (float, "run the graph"),
        (int, "run the graph"),
        (complex, "run the graph"),
        (operator.index, "run the graph"),
        (math.sqrt, "run the graph"),
        (range, "run the graph"),
        (np.asarray, "unroll.ops"),
        (lambda x: np.array(x, "float32"), "unroll.ops"),
        (lambda x: np.linalg.inv(x), "unroll.ops"),
        (lambda x: 1.0 in x, "unroll.ops.equal"),
    ],
)
def test_what_needs_a_value_is_refused_with_the_fix(use: Any, fix: str) -> None:
    refused(lambda: use(placeholder([None, 2], "x") * 2), TypeError, "no value before a run", fix)


def test_a_tensor_whose_first_size_is_known_has_a_length_and_rows() -> None:
    x = placeholder([3, None], "x")
    assert len(x) == 3
    first, *rest = x
    graph = Graph([x], [first, *rest, *(row * 2 for row in x)])
    fed = np.arange(6, dtype="float32").reshape(3, 2)
    assert [array.tolist() for array in graph.run({x: fed}, [first, *rest])] == fed.tolist()
    assert len(graph.outputs) == 6
    refused(lambda: list(placeholder([], "scalar")), TypeError, "unroll.ops.unstack")


def test_a_placeholder_is_made_in_tensorflows_order_too() -> None:
    for made in (placeholder(np.float32, [None, 3], name="x"), placeholder("float32", [None, 3], "x")):  # type: ignore[call-overload, arg-type]
        assert (made.name, made.dtype, made.shape) == ("x", np.float32, placeholder([None, 3], "x").shape)
    assert placeholder(np.dtype("int64"), [2]).name == "Placeholder"  # type: ignore[arg-type]
    refused(lambda: placeholder(np.float32), TypeError, "shape")  # type: ignore[arg-type]
    first, second = placeholder([2]), placeholder([2])
    refused(lambda: Graph([first, second], first + second), ValueError, "Placeholder", "name=")


@pytest.mark.parametrize("use", [copy.deepcopy, copy.copy, pickle.dumps, lambda x: pickle.dumps(x, 0)])
def test_copies_and_pickles_of_tensors_nodes_and_parameters_are_refused(use: Any) -> None:
    x = placeholder([2], "x") + 1
    for thing in (x, x.node, unroll.Parameter([1.0], "w")):
        refused(lambda thing=thing: use(thing), NotImplementedError, "cannot be copied")


def test_deep_copies_of_what_holds_tensors_are_refused() -> None:
    x = placeholder([2], "x") + 1
    graph = Graph([], unroll.Parameter([1.0], "w") + 1.0)
    for thing in ([x], {"x": x}, unroll.LSTMStateTuple(x, x), graph):
        refused(lambda thing=thing: copy.deepcopy(thing), NotImplementedError, "cannot be copied")
        refused(lambda thing=thing: pickle.dumps(thing), NotImplementedError, "cannot be copied")


def test_tensors_take_no_further_attributes() -> None:
    with pytest.raises(AttributeError):
        placeholder([2], "x").note = "mine"  # type: ignore[attr-defined]


CHAIN = """
import copy, pickle
import numpy as np
import unroll
x = unroll.placeholder([2], "x")
y = x
for _ in range(100_000):
    y = y + 1.0
assert len(repr(y)) < 100 and len(repr(y.node)) < 100, repr(y)
assert hash(y) == hash(y) and y == y
for use in (copy.deepcopy, copy.copy, pickle.dumps):
    try:
        use(y)
    except unroll.UnrollError as error:
        assert len(str(error)) < 400
    else:
        raise SystemExit("a copy was made")
graph = unroll.Graph([x], y)
assert len(graph.nodes) == 100_000
assert len(repr(graph)) < 300
found = graph.run({x: np.array([0.0, 1.0])}, y)
assert found.tolist() == [100_000.0, 100_001.0], found
assert len(graph.summary()) < 20_000
del graph, y
print("done")
"""


@pytest.mark.slow
def test_a_chain_100_000_long_is_shown_run_and_dropped_without_recursion() -> None:
    assert run_python(CHAIN).strip() == "done"
