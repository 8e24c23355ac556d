"""Symbolic dimensions: polynomials, exact division, equalities solved, and feeds that agree on every symbol."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused
from hypothesis import given
from hypothesis import strategies as st

import unroll
from unroll import Graph, ops, placeholder
from unroll.dimensions import (
    Dim,
    Dimension,
    Requirement,
    bind,
    divide,
    floor_divide,
    is_never_zero,
    product,
    solve,
    substitute,
    symbol,
)

BATCH, N, K = symbol("batch"), symbol("n"), symbol("k")
VALUES = st.fixed_dictionaries({name: st.integers(1, 50) for name in ("batch", "n", "k")})


def polynomials() -> st.SearchStrategy[Dim]:
    leaves: st.SearchStrategy[Any] = st.one_of(st.integers(-6, 6), st.sampled_from([BATCH, N, K]))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        ),
        max_leaves=6,
    )


def value(dim: Dim, values: dict[str, int]) -> int:
    """A polynomial's value, from its text alone: Python computes it."""
    return int(eval(str(dim), {}, dict(values)))


@pytest.mark.slow
@given(polynomials(), polynomials(), VALUES)
def test_sums_differences_and_products_have_the_values_of_their_parts(a: Dim, b: Dim, values: dict[str, int]) -> None:
    x, y = value(a, values), value(b, values)
    assert value(a + b, values) == x + y
    assert value(a - b, values) == x - y
    assert value(a * b, values) == x * y
    assert value(-a, values) == -x
    assert value(product([a, b, 2]), values) == 2 * x * y


@pytest.mark.slow
@given(polynomials(), polynomials())
def test_equal_polynomials_are_equal_and_hash_alike_however_they_are_written(a: Dim, b: Dim) -> None:
    assert a + b == b + a and a * b == b * a
    assert (a + b) * (a - b) == a * a - b * b
    assert hash((a + b) * 2) == hash(2 * a + 2 * b)
    assert a - a == 0 and isinstance(a - a, int)


@pytest.mark.slow
@given(polynomials(), polynomials())
def test_a_product_is_divided_exactly_by_either_factor(a: Dim, b: Dim) -> None:
    if b == 0:
        assert divide(a, b) is None
    else:
        assert divide(a * b, b) == a


@pytest.mark.slow
@given(polynomials(), polynomials(), VALUES)
def test_a_quotient_that_is_found_is_right(a: Dim, b: Dim, values: dict[str, int]) -> None:
    quotient = divide(a, b)
    if quotient is not None:
        assert quotient * b == a
        assert value(quotient, values) * value(b, values) == value(a, values)


@pytest.mark.slow
@given(polynomials(), VALUES)
def test_substituting_numbers_gives_the_value(a: Dim, values: dict[str, int]) -> None:
    assert substitute(a, values) == value(a, values)


@pytest.mark.slow
@given(polynomials(), VALUES)
def test_what_is_never_zero_has_no_root_among_sizes(a: Dim, values: dict[str, int]) -> None:
    if is_never_zero(a):
        assert value(a, values) != 0


@pytest.mark.parametrize(
    ("dividend", "divisor", "quotient"),
    [
        (784 * BATCH, 784, BATCH),
        (784 * BATCH, 28 * 28, BATCH),
        (784 * BATCH, 28, 28 * BATCH),
        (784 * BATCH, BATCH, 784),
        ((N + 1) * K, N + 1, K),
        ((N + 1) * K, K, N + 1),
        ((N + 1) * (N - 1), N + 1, N - 1),
        (N * N * K, N * K, N),
        (6, 3, 2),
        (0, N, 0),
        (784 * BATCH, 3, None),
        (N + 1, N, None),
        (N, K, None),
        (7, 2, None),
        (N, 0, None),
        (7, 0, None),
    ],
)
def test_division_is_exact_or_not_at_all(dividend: Dim, divisor: Dim, quotient: Dim | None) -> None:
    assert divide(dividend, divisor) == quotient


def test_dimensions_read_as_people_write_them() -> None:
    assert str(28 * BATCH) == "28*batch"
    assert str(N * K + 2 * N - 3) == "k*n+2*n-3"
    assert str(-BATCH) == "-batch"
    assert str(placeholder([None, 3], "x").shape) == "(batch, 3)"


def test_a_dimension_without_a_value_does_not_become_an_int() -> None:
    for use in (int, range, lambda dim: [0][dim]):
        refused(lambda use=use: use(28 * BATCH), ValueError, "28*batch", "fixed size")
    refused(lambda: BATCH // 2, ValueError, "batch", "2", "exact")


def test_none_is_the_shared_batch_on_axis_0_and_a_symbol_of_its_own_elsewhere() -> None:
    x, y = placeholder([None, None, "n", 3], "x"), placeholder([None, None], "y")
    assert [str(dim) for dim in x.shape] == ["batch", "x_1", "n", "3"]
    assert x.shape[0] == y.shape[0] and x.shape[1] != y.shape[1]
    assert placeholder(x.shape[1:3], "z").shape == x.shape[1:3]


# -- equalities -------------------------------------------------------------------------------------------------------


def test_equalities_are_solved_whatever_their_order() -> None:
    facts = [Requirement(N + 1, K, "a"), Requirement(K, 5, "b"), Requirement(BATCH, 2 * N, "c")]
    for order in (facts, facts[::-1]):
        assert solve(order).values == {"n": 4, "k": 5, "batch": 8}
        assert solve(order).residual == ()


def test_equalities_that_only_numbers_decide_are_kept_for_the_feeds() -> None:
    found = solve([Requirement(N * K, 12, "here")])
    assert found.values == {} and len(found.residual) == 1
    assert bind([(N, 3, "x"), (K, 4, "y")], found.residual) == {"n": 3, "k": 4}
    refused(lambda: bind([(N, 3, "x"), (K, 5, "y")], found.residual), ValueError, "here", "k*n", "12", "n = 3", "k = 5")


def test_a_clash_names_the_line_of_the_users_program() -> None:
    x, y, z = placeholder(["n", 3], "x"), placeholder([4, 3], "y"), placeholder([5, 3], "z")
    first = x + y
    second = x + z
    message = refused(lambda: Graph([x, y, z], [first, second]), ValueError, "n", "5", "n = 4")
    line = test_a_clash_names_the_line_of_the_users_program.__code__.co_firstlineno + 3
    assert f"test_dimensions.py:{line}" in message


def test_an_equality_found_by_one_operator_shapes_the_whole_graph() -> None:
    x, y = placeholder(["n", 3], "x"), placeholder([4, 3], "y")
    doubled = x * 2.0
    graph = Graph([x, y], [doubled, x + y])
    assert [graph.shape(tensor) for tensor in graph.outputs] == [(4, 3), (4, 3)]
    assert [spec.shape for spec in graph.input_specs] == [(4, 3), (4, 3)]
    refused(lambda: graph.run({x: np.ones((5, 3)), y: np.ones((4, 3))}), ValueError, "'x'", "5", "4")


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: x + y,
        lambda x, y: ops.concat([x, y], 1),
        lambda x, y: ops.where(x > 0, x, y),
        lambda x, y: ops.transpose(x) @ y,
    ],
)
def test_operators_record_the_equalities_they_need(make: Any) -> None:
    x, y = placeholder(["n", 3], "x"), placeholder(["k", 3], "y")
    graph = Graph([x, y], make(x, y))
    graph.run({x: np.ones((2, 3)), y: np.ones((2, 3))})
    refused(lambda: graph.run({x: np.ones((2, 3)), y: np.ones((1, 3))}), ValueError, "2", "1")


def test_a_reshape_that_a_number_must_decide_is_decided_by_the_feeds() -> None:
    x = placeholder(["n", 3], "x")
    graph = Graph([x], ops.reshape(x, [-1, 2]))
    assert graph.run({x: np.ones((4, 3))}, graph.outputs[0]).shape == (6, 2)
    with pytest.raises(unroll.UnrollError) as caught:
        graph.run({x: np.ones((3, 3))})
    assert isinstance(caught.value, ValueError)


def test_a_squeezed_axis_must_turn_out_to_be_1() -> None:
    x = placeholder(["n", 3], "x")
    graph = Graph([x], ops.squeeze(x, [0]))
    assert graph.run({x: np.ones((1, 3))}, graph.outputs[0]).shape == (3,)
    refused(lambda: graph.run({x: np.ones((2, 3))}), ValueError, "'x'", "2", "1")


# -- feeds ------------------------------------------------------------------------------------------------------------


def test_feeds_that_disagree_on_batch_are_refused_though_numpy_would_broadcast_them() -> None:
    x, y = placeholder([None, 3], "x"), placeholder([None, 3], "y")
    graph = Graph([x, y], x + y)
    assert (np.ones((2, 3)) + np.ones((1, 3))).shape == (2, 3)
    refused(lambda: graph.run({x: np.ones((2, 3)), y: np.ones((1, 3))}), ValueError, "'y'", "batch", "2", "'x'", "1")


def test_feeds_of_shapes_that_are_polynomials_are_solved_for_their_symbols() -> None:
    assert bind([(28 * BATCH, 84, "a"), (N + 1, 5, "b"), (N * K, 8, "c")]) == {"batch": 3, "n": 4, "k": 2}
    assert bind([(N * K, 8, "c"), (K, 2, "d")]) == {"n": 4, "k": 2}
    refused(lambda: bind([(28 * BATCH, 83, "feed 'a'")]), ValueError, "feed 'a'", "83", "28*batch")
    refused(lambda: bind([(N * K, 8, "c"), (K, 3, "d")]), ValueError, "8", "k*n")
    refused(lambda: bind([(N + 5, 3, "c")]), ValueError, "3", "n+5")
    refused(lambda: bind([(3, 4, "feed 'x', axis 0")]), ValueError, "feed 'x', axis 0", "4", "3")


def test_an_empty_batch_may_be_fed() -> None:
    x = placeholder([None, 3], "x")
    assert Graph([x], x + 1.0).run({x: np.ones((0, 3))}, "Add").shape == (0, 3)


@pytest.mark.slow
@given(st.integers(1, 6), st.integers(1, 4))
def test_shapes_of_the_image_example_hold_for_every_batch(batch: int, side: int) -> None:
    x = placeholder([None, side * side], "x")
    rows = ops.reshape(ops.transpose(ops.reshape(x, [-1, side, side]), [1, 0, 2]), [-1, side])
    pieces = ops.split(rows, side)
    assert rows.shape == (side * symbol("batch"), side)
    assert all(piece.shape == (symbol("batch"), side) for piece in pieces)
    array = np.arange(batch * side * side, dtype="float32").reshape(batch, -1)
    for row, piece in enumerate(Graph([x], list(pieces)).run({x: array}, pieces)):
        assert np.array_equal(piece, array.reshape(batch, side, side)[:, row])


def test_shapes_kept_in_tensors_stay_known() -> None:
    x = placeholder([None, 3], "x")
    size = ops.shape(x)
    made = ops.constant_of_shape(ops.concat([size[:1], [5]], 0))
    assert made.shape == (symbol("batch"), 5)
    assert ops.reshape(x, ops.stack([size[0] * 3])).shape == (3 * symbol("batch"),)
    assert ops.expand(x, [2, 1, 1]).shape == (2, symbol("batch"), 3)
    assert isinstance(made.shape[0], Dimension)


@pytest.mark.parametrize(
    ("dim", "divisor", "text"),
    [
        (7, 2, "3"), (-1, 2, "-1"), (2 * symbol("t"), 2, "t"), (2 * symbol("t") + 5, 2, "t+2"), (symbol("t"), 2, "floor(t/2)"),
        (symbol("t") - 1, 2, "floor((t+1)/2)-1"), (3 * symbol("t") + 1, 2, "floor((t+1)/2)+t"), (symbol("t") + 4, 1, "t+4"),
    ],
)  # fmt: skip
def test_a_size_is_divided_and_rounded_down(dim: Dim, divisor: int, text: str) -> None:
    found = floor_divide(dim, divisor)
    assert str(found) == text
    for size in range(1, 9):
        whole = int(substitute(dim, {"t": size})) // divisor
        inner = {name: (size + ("+1" in name)) // divisor for name in getattr(found, "symbols", ()) if name != "t"}
        assert substitute(found, {"t": size, **inner}) == whole
