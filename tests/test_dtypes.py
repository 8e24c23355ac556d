"""One rule casts every array: what is assigned, fed or a constant keeps its kind and does not overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Array, refused

import unroll
from unroll import Graph, ops, placeholder


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
