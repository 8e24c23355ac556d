"""Traps of the design: tensors are no values, and one rule casts every array."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused, run_python

import unroll
from unroll import Graph, ops, placeholder

# -- a tensor is no value ---------------------------------------------------------------------------------------------


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
        (lambda x: np.concatenate([x, x]), "unroll.ops"),
        (lambda x: 1.0 in x, "unroll.ops.equal"),
    ],
)
def test_what_needs_a_value_is_refused_with_the_fix(use: Any, fix: str) -> None:
    refused(lambda: use(placeholder([2, 2], "x") * 2), TypeError, "(2, 2)", "no value before a run", fix)


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


def test_a_chain_100_000_long_is_shown_run_and_dropped_without_recursion() -> None:
    assert run_python(CHAIN).strip() == "done"


# -- dtypes: one rule for assign, feeds and constants -----------------------------------------------------------------


def by_assign(value: Any, dtype: str) -> Array:
    parameter = unroll.Parameter(np.zeros((2, 2), dtype), "w", dtype)
    parameter.assign(value)
    return parameter.value


def by_feed(value: Any, dtype: str) -> Array:
    x = placeholder([2, 2], "x", dtype)
    return Graph([x], ops.identity(x)).run({x: value}, "Identity")


def by_constant(value: Any, dtype: str) -> Array:
    return unroll.constant(value, dtype).value


every_way_in = pytest.mark.parametrize("give", [by_assign, by_feed, by_constant])


@every_way_in
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "value",
    [
        np.ones((2, 2)),
        np.ones((2, 2), "float16"),
        [[1.0, 1.0], [1.0, 1.0]],
        [[1, 1], [1, 1]],
        np.ones((2, 2), "int64"),
        np.ones((2, 2), "uint8"),
    ],
    ids=["float64", "float16", "floats", "ints", "int64", "uint8"],
)
def test_numbers_become_floats_of_any_width(give: Any, value: Any, dtype: str) -> None:
    found = give(value, dtype)
    assert found.dtype == dtype
    assert found.tolist() == [[1.0, 1.0], [1.0, 1.0]]


@every_way_in
@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.ones((2, 2)), "int64"),
        ([[1.0, 2.0], [3.0, 4.0]], "int32"),
        (np.ones((2, 2), complex), "float32"),
        (np.ones((2, 2), bool), "float32"),
        ([[True, False], [True, False]], "int64"),
        (np.ones((2, 2)), "bool"),
        ([[1, 0], [0, 1]], "bool"),
        ([["1", "2"], ["3", "4"]], "float32"),
        (np.full((2, 2), None), "float32"),
        (np.array([[1, 2], [3, 4]], object), "float32"),
        ([[1e39, 0.0], [0.0, 0.0]], "float32"),
        (np.full((2, 2), 70000.0), "float16"),
        (np.full((2, 2), 70000), "float16"),
        (np.full((2, 2), 2**40), "int32"),
        ([[2**70, 0], [0, 0]], "int64"),
    ],
)
def test_a_value_that_would_change_its_kind_or_overflow_is_refused(give: Any, value: Any, dtype: str) -> None:
    refused(lambda: give(value, dtype), TypeError, dtype)


@every_way_in
def test_infinities_and_nans_are_let_through(give: Any) -> None:
    found = give([[np.inf, -np.inf], [np.nan, 1e-300]], "float32")
    assert found[0].tolist() == [np.inf, -np.inf]
    assert np.isnan(found[1, 0]) and found[1, 1] == 0.0


@every_way_in
def test_ragged_lists_are_shape_errors(give: Any) -> None:
    refused(lambda: give([[1.0, 2.0], [3.0]], "float32"), ValueError, "same length")


def test_whole_numbers_within_range_fit_narrower_integers() -> None:
    assert by_assign([[1, 2], [3, 4]], "int32").dtype == "int32"
    assert by_feed(np.array([[1, 2], [3, -4]]), "int32").tolist() == [[1, 2], [3, -4]]


def test_python_numbers_become_float32_and_int64_constants_and_arrays_keep_their_dtype() -> None:
    assert [str(unroll.constant(v).dtype) for v in (1.0, [1, 2], True)] == ["float32", "int64", "bool"]
    assert [str(unroll.constant(np.ones(2, d)).dtype) for d in ("float64", "int32")] == ["float64", "int32"]
    refused(lambda: unroll.constant(np.ones(2, "uint8")), TypeError, "uint8", "int32")
