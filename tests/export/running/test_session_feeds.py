"""Bad feeds never reach onnxruntime: shapes, dtypes, limits and sizes that disagree are refused first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import refused
from session_programs import session, two_steps

import unroll
from unroll import BasicRNNCell, Graph, Session, ops


def image() -> Graph:
    """Two inputs that share ``batch``, one of them only as ``28*batch``."""
    x, rows = (
        unroll.placeholder([None, 784], "x"),
        unroll.placeholder([28 * unroll.placeholder([None], "b").shape[0]], "r"),
    )
    return Graph([x, rows], {"y": ops.reduce_sum(ops.reshape(x, [-1, 28]), 1) + rows})


ONES = np.ones((2, 3), "float32")
BAD: dict[str, tuple[Any, type[Exception], tuple[str, ...]]] = {
    "missing": ({"X0": ONES}, ValueError, ("lack", "'X1'")),
    "extra": ({"X0": ONES, "X1": ONES, "X2": ONES}, ValueError, ("'X2'", "no input", "X1")),
    "wrong width": ({"X0": ONES, "X1": np.ones((2, 4))}, ValueError, ("'X1'", "(2, 4)", "3 is wanted")),
    "wrong rank": ({"X0": ONES, "X1": np.ones(3)}, ValueError, ("'X1'", "(3,)", "(batch, 3)")),
    "ragged": ({"X0": ONES, "X1": [[1, 2, 3], [1]]}, ValueError, ("'X1'", "same length")),
    "complex": ({"X0": ONES, "X1": ONES * 1j}, TypeError, ("'X1'", "complex")),
    "bool": ({"X0": ONES, "X1": ONES > 0}, TypeError, ("'X1'", "bool", "astype")),
    "strings": ({"X0": ONES, "X1": [["a", "b", "c"]]}, TypeError, ("'X1'", "numbers")),
    "objects": ({"X0": ONES, "X1": np.array([[None, 1, 2]])}, TypeError, ("'X1'", "object")),
    "overflow": ({"X0": ONES, "X1": np.full((2, 3), 1e300)}, TypeError, ("'X1'", "overflows", "float32")),
    "two batches": ({"X0": ONES, "X1": ONES[:1]}, ValueError, ("'X1'", "batch = 2", "'X0'", "(1, 3)")),
    "no dict": ([ONES, ONES], TypeError, ("dict", "list")),
    "a number as name": ({"X0": ONES, "X1": ONES, 1: ONES}, ValueError, ("1", "no input")),
}


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("what", BAD)
def test_bad_feeds_are_refused_before_onnxruntime_sees_them(what: str, used: bool, kind: str, tmp_path: Path) -> None:
    feeds, builtin, fragments = BAD[what]
    made = session(two_steps(), kind, tmp_path)
    if used:  # what is right once is known again
        made.run({"X0": ONES, "X1": ONES})
    made._session = None  # type: ignore[assignment]
    refused(lambda: made.run(feeds), builtin, *fragments)


def test_feeds_that_change_from_run_to_run_give_what_they_give_alone() -> None:
    """By name, by TensorFlow's name and by placeholder; cast or not, in another order, of another batch."""
    graph = two_steps()
    made, (x0, x1) = Session(graph), graph.inputs
    one, two = np.full((1, 3), 0.1, "float32"), np.full((2, 3), 0.2, "float32")
    for keys in (("X0", "X1"), ("X0:0", "X1:0"), (x0, x1), ("X0", x1)):
        for first, second in ((one, one), (two, two), (one * 2, one), (one.astype("float64"), one), ([[0.3] * 3], one)):
            for order in (1, -1):
                feeds: dict[Any, Any] = dict([(keys[0], first), (keys[1], second)][::order])
                found, wanted = made.run(feeds), graph.run({"X0": first, "X1": second})
                for name, array in wanted.items():
                    np.testing.assert_allclose(found[name], array, atol=1e-6)


def test_values_are_checked_in_every_run_where_they_have_limits() -> None:
    x, n = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(BasicRNNCell(5), x, sequence_length=n)
    made = Session(Graph([x, n], {"y": outputs}))
    feeds = {"x": np.ones((1, 4, 3), "float32"), "n": np.array([4], "int32")}
    made.run(feeds)
    feeds["n"] = np.array([5], "int32")
    refused(lambda: made.run(feeds), ValueError, "'n'", "5", "0 to 4")


@pytest.mark.parametrize("given", [0.5, 1.0])
def test_floats_are_never_taken_for_integers(given: float, kind: str, tmp_path: Path) -> None:
    where = unroll.placeholder([None], "where", "int64")
    made = session(Graph([where], {"y": where + 1}), kind, tmp_path)
    refused(lambda: made.run({"where": [given]}), TypeError, "'where'", "float64", "int64")
    assert made.run({"where": np.array([2, 3], "int32")})["y"].tolist() == [3, 4]


def test_inputs_that_share_a_product_of_a_dimension_must_agree(kind: str, tmp_path: Path) -> None:
    made = session(image(), kind, tmp_path)
    x = np.arange(2 * 784, dtype="float32").reshape(2, 784) / 1000
    np.testing.assert_allclose(made.run({"x": x, "r": np.ones(56)})["y"], x.reshape(56, 28).sum(1) + 1, rtol=1e-5)
    for rows, reason in ((28, "28*batch"), (84, "batch = 2"), (57, "28*batch"), (1, "28*batch")):
        refused(lambda rows=rows: made.run({"x": x, "r": np.ones(rows)}), ValueError, "'r'", str(rows), reason)


def test_a_product_alone_must_be_divisible(kind: str, tmp_path: Path) -> None:
    rows = unroll.placeholder([28 * unroll.placeholder([None], "b").shape[0], 2], "rows")
    made = session(Graph([rows], {"y": ops.reshape(rows, [-1, 28, 2])}), kind, tmp_path)
    assert made.run({"rows": np.ones((56, 2))})["y"].shape == (2, 28, 2)
    refused(lambda: made.run({"rows": np.ones((57, 2))}), ValueError, "'rows'", "57", "28*batch")


def test_equalities_that_operators_require_are_checked(kind: str, tmp_path: Path) -> None:
    a, b = unroll.placeholder(["n", "k"], "a"), unroll.placeholder(["m", "n"], "b")
    made = session(Graph([a, b], {"y": a @ b}), kind, tmp_path)
    assert made.run({"a": np.ones((2, 3)), "b": np.ones((3, 2))})["y"].tolist() == [[3, 3], [3, 3]]
    refused(lambda: made.run({"a": np.ones((2, 3)), "b": np.ones((4, 2))}), ValueError, "'b'", "3")


def test_equalities_that_only_numbers_decide_are_checked() -> None:
    """Of ``n*m = p*q`` no symbol is known by the others; onnxruntime would broadcast 1 element against 15."""
    a, b = unroll.placeholder(["n", "m"], "a"), unroll.placeholder(["p", "q"], "b")
    made = Session(Graph([a, b], {"y": ops.reshape(a, [-1]) + ops.reshape(b, [-1])}))
    assert made.run({"a": np.ones((2, 6)), "b": np.ones((3, 4))})["y"].tolist() == [2] * 12
    refused(lambda: made.run({"a": np.ones((1, 1)), "b": np.ones((3, 5))}), ValueError, "m*n", "p*q", "p = 3", "q = 5")


def test_equalities_that_folding_leaves_no_trace_of_are_checked(kind: str, tmp_path: Path) -> None:
    x, y = unroll.placeholder([None, 3], "x"), unroll.placeholder(["n", 3], "y")
    zeros = ops.constant_of_shape(ops.concat([ops.shape(y)[:1], [4]], 0))
    weight = unroll.constant(np.ones((7, 1), "float32"))
    made = session(Graph([x, y], {"a": ops.concat([x, zeros], 1) @ weight, "b": y * 2}), kind, tmp_path)
    refused(lambda: made.run({"x": np.ones((2, 3)), "y": np.ones((3, 3))}), ValueError, "batch = 2")


def test_a_failure_while_running_is_an_error_of_ours() -> None:
    x, at = unroll.placeholder([3], "x"), unroll.placeholder([], "at", "int64")
    made = Session(Graph([x, at], {"y": ops.gather(x, at)}))
    assert made.run({"x": [1, 2, 3], "at": 2})["y"] == 3
    refused(lambda: made.run({"x": [1, 2, 3], "at": 5}), ValueError, "onnxruntime failed while running")
