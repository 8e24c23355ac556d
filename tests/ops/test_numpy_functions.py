"""NumPy's functions called on tensors build the operator of that name, or say that there is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll

A, B = np.array([0.5, 2.0, 4.0], "float32"), np.array([2.0, 0.5, 1.0], "float32")
ONE = (
    np.absolute, np.exp, np.fabs, np.floor, np.log, np.negative, np.positive, np.reciprocal, np.sign, np.sqrt, np.square,
    np.tanh,
)  # fmt: skip
TWO = (
    np.add, np.divide, np.equal, np.greater, np.greater_equal, np.less, np.less_equal, np.matmul, np.maximum, np.minimum,
    np.multiply, np.not_equal, np.power, np.subtract,
)  # fmt: skip
LOGICAL = (np.logical_and, np.logical_or, np.logical_xor)


def name(function: Any) -> str:
    return str(function.__name__)


@pytest.mark.parametrize("function", ONE, ids=name)
def test_a_function_of_one_array_is_that_of_one_tensor(function: Any) -> None:
    x = unroll.placeholder([3], "x")
    np.testing.assert_allclose(unroll.Graph([x], {"y": function(x)}).run({x: A})["y"], function(A), rtol=1e-6)


@pytest.mark.parametrize("function", TWO, ids=name)
def test_a_function_of_two_arrays_is_that_of_two_tensors_or_of_either_and_an_array(function: Any) -> None:
    x, y = unroll.placeholder([3], "x"), unroll.placeholder([3], "y")
    graph = unroll.Graph([x, y], {"both": function(x, y), "left": function(x, B), "right": function(A, y)})
    for found in graph.run({x: A, y: B}).values():
        np.testing.assert_allclose(found, function(A, B), rtol=1e-6)


@pytest.mark.parametrize("function", LOGICAL, ids=name)
def test_logical_functions_are_those_of_booleans(function: Any) -> None:
    x = unroll.placeholder([2], "x", "bool")
    graph = unroll.Graph([x], {"y": function(x, [True, False]), "not": np.logical_not(x)})
    found = graph.run({x: [True, True]})
    assert found["y"].tolist() == function([True, True], [True, False]).tolist()
    assert found["not"].tolist() == [False, False]


@pytest.mark.parametrize("function", [np.arctan2, np.isnan, np.bitwise_and], ids=name)
def test_a_function_that_is_no_operator_is_refused(function: Any) -> None:
    x = unroll.placeholder([3], "x")
    refused(lambda: function(*[x] * function.nin), TypeError, f"numpy.{name(function)}", "unroll.ops")


def test_another_librarys_function_of_an_operators_name_is_refused_as_it_may_mean_something_else() -> None:
    x, theirs = unroll.placeholder([3], "x"), SimpleNamespace(__name__="sigmoid")
    refused(lambda: x.__array_ufunc__(theirs, "__call__", x), TypeError, "sigmoid", "before a run")


def test_what_numpy_does_besides_calling_is_refused() -> None:
    x = unroll.placeholder([3], "x")
    refused(lambda: np.add.reduce(x), TypeError, "numpy.add")
    refused(lambda: np.add(x, 1, where=[True, False, True]), TypeError, "numpy.add")


def test_an_array_that_a_tensor_is_added_to_in_place_is_told_to_be_a_new_tensor() -> None:
    total = A.copy()

    def add() -> None:
        nonlocal total
        total += unroll.placeholder([3], "x")  # type: ignore[arg-type, misc]

    refused(add, TypeError, "numpy.add", "array + tensor")
    assert total.tolist() == A.tolist()
