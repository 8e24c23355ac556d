"""Zeros beside what is infinite, NaN or -0.0: what is left out changes no output, and what would change one stays."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import Graph, ops
from unroll.passes import fold_zeros
from unroll.passes.pipeline import PASSES

#: Finite numbers that make infinities and NaN of exponentials, logarithms, roots and quotients.
FED = np.array([[1, 2, 3], [-800, 0, 800]], "float32")
SPECIAL: dict[str, Callable[[Any], Any]] = {
    "exp": ops.exp,
    "log": ops.log,
    "sqrt": ops.sqrt,
    "quotient": lambda x: 1 / x,
    "power": lambda x: ops.pow(x, 0.5),
    "softmax of infinities": lambda x: ops.softmax(ops.exp(x)),
}
#: Ways in which zeros meet a tensor.
MEETINGS: dict[str, Callable[[Any, Any], Any]] = {
    "0 * y": lambda z, y: 1 + z * y,
    "y * 0": lambda z, y: 1 + y * z,
    "0 @ y": lambda z, y: 1 + z @ ops.transpose(y),
    "y @ 0": lambda z, y: 1 + y @ ops.transpose(z),
    "columns of 0": lambda z, y: ops.concat([y, z], 1) @ ops.concat([ops.transpose(y)] * 2, 0),
    "gemm": lambda z, y: ops.gemm(z, y, np.ones((2, 2), "float32"), transB=True),
    "gemm and a sum": lambda z, y: 1 + ops.gemm(y, z, transB=True),
    "gemm of an infinite factor": lambda z, y: 1 + ops.gemm(z, ops.sigmoid(y), alpha=float("inf"), transB=True),
    "0 * y, then a product": lambda z, y: 1 + (z * y) @ np.ones((3, 2), "float32"),
    "0 * y, chosen": lambda z, y: ops.where(y > 0, 1 + z * y, 2.0),
    "0 - 0 * y": lambda z, y: 1 + (z - z * y),
    "conv": lambda z, y: ops.conv(ops.unsqueeze(z, 0), ops.unsqueeze(y, 0)[:, :, :1]),
}


def folded(meeting: str, special: str) -> tuple[Graph, Graph]:
    x = unroll.placeholder([2, 3], "x")
    graph = Graph([x], {"y": MEETINGS[meeting](ops.constant_of_shape([2, 3]), SPECIAL[special](x))})
    return graph, fold_zeros(graph)


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("meeting", MEETINGS)
def test_zeros_that_meet_what_may_be_infinite_stay(meeting: str, special: str) -> None:
    graph, found = folded(meeting, special)
    np.testing.assert_array_equal(found.run({"x": FED})["y"], graph.run({"x": FED})["y"])


@pytest.mark.parametrize("meeting", MEETINGS)
def test_a_constant_that_is_infinite_is_not_left_out(meeting: str) -> None:
    x = unroll.placeholder([2, 3], "x")
    infinite = unroll.constant(np.array([[np.inf, 1, 2], [3, np.nan, -np.inf]], "float32"))
    graph = Graph([x], {"y": MEETINGS[meeting](ops.constant_of_shape([2, 3]), infinite), "z": x + 1})
    feeds = {"x": FED}
    np.testing.assert_array_equal(fold_zeros(graph).run(feeds)["y"], graph.run(feeds)["y"])


@pytest.mark.parametrize("name", ["fold_zeros", "canonical", "optimize"])
def test_exponentials_times_zeros_are_nan_where_they_were(name: str) -> None:
    x = unroll.placeholder([3], "x")
    graph = Graph([x], {"y": ops.exp(x) * np.zeros(3, "float32") + 1})
    found = unroll.optimize(graph) if name == "optimize" else PASSES[name](graph)
    assert np.isnan(found.run({"x": [0, 1, 1000]})["y"]).tolist() == [False, False, True]


def test_what_is_nan_on_some_feed_is_not_equal_by_its_form() -> None:
    x = unroll.placeholder([3], "x")
    zeros = np.zeros(3, "float32")
    graphs = [Graph([x], {"y": y}) for y in (ops.exp(x) * zeros + x, x * 1.0)]
    found = unroll.equivalent(*graphs)
    assert found.means == "numbers"
    assert found.structural
    assert not unroll.equivalent(*graphs, feeds={"x": [0, 1, 1000]})


@pytest.mark.parametrize(
    "zeros",
    [
        lambda: unroll.constant(np.full((2, 3), -0.0, "float32")),
        lambda: ops.constant_of_shape([2, 3], -0.0),
        lambda: -ops.constant_of_shape([2, 3]),
        lambda: ops.elu(ops.constant_of_shape([2, 3]), alpha=-1.0),
        lambda: ops.constant_of_shape([2, 3]) * np.float32(-2),
    ],
)
def test_a_choice_of_zeros_keeps_their_sign(zeros: Callable[[], Any]) -> None:
    x = unroll.placeholder([2, 3], "x")
    graph = Graph([x], {"y": ops.where(x > 0, x, zeros())})
    for one in (graph, fold_zeros(graph)):
        wanted = graph.run({"x": FED})["y"]
        np.testing.assert_array_equal(np.signbit(one.run({"x": FED})["y"]), np.signbit(wanted))


DIVIDING: dict[str, Callable[[Any, Any], Any]] = {
    "a sum": lambda z, y: 1 / (y + z),
    "a difference": lambda z, y: 1 / (y - -z),
    "a sum, moved": lambda z, y: 1 / ops.transpose(ops.neg(z + y)),
    "a product": lambda z, y: 1 / (2 * (y + z)),
    "a gemm": lambda z, y: 1 / ops.gemm(z, np.ones((3, 3), "float32"), y),
    "a gemm that repeats": lambda z, y: 1 / ops.gemm(z, np.ones((3, 3), "float32"), y[1]),
    "a root": lambda z, y: ops.pow(ops.sqrt(ops.relu(y + z)), -1),
    "a constant": lambda z, y: y / (np.array([-0.0, 1, 2], "float32") + z),
    "beside what has no sign": lambda z, y: 1 / (ops.abs(z) + y),
    "in a loop": lambda z, y: inverse_in_a_loop(y + z),
}


def inverse_in_a_loop(x: Any) -> Any:
    h, row = unroll.placeholder([3], "h"), unroll.placeholder([3], "row")
    return ops.scan(Graph([h, row], [h + row, 1 / row]), [x[0]], [x])[1]


@pytest.mark.parametrize("run", [fold_zeros, PASSES["canonical"], lambda graph: unroll.optimize(graph, check=False)])
@pytest.mark.parametrize("name", DIVIDING)
def test_what_is_divided_by_keeps_the_sign_of_its_zeros(name: str, run: Callable[[Graph], Graph]) -> None:
    x = unroll.placeholder([2, 3], "x")
    graph = Graph([x], {"y": DIVIDING[name](ops.constant_of_shape([2, 3]), x)})
    feeds = {"x": [[-0.0, 0.0, 1.0], [-0.0, 2.0, -1.0]]}
    np.testing.assert_array_equal(run(graph).run(feeds)["y"], graph.run(feeds)["y"])


def test_zeros_are_still_left_out_beside_divisions_that_do_not_tell_their_sign() -> None:
    x = unroll.placeholder([2, 3], "x")
    zeros = ops.constant_of_shape([2, 3])
    outputs = {
        "norm": (x + zeros) / ops.sqrt(x * x + 1),
        "gate": 1 / (1 + ops.exp(-(x + zeros))),
        "share": 1 / (zeros + ops.exp(x)),
        "half": (x + zeros) / 2,
    }
    folded = fold_zeros(Graph([x], outputs))
    assert "ConstantOfShape" not in {node.op.name for node in folded.nodes}


def test_the_mean_of_no_elements_is_not_left_out() -> None:
    x = unroll.placeholder([None, 3], "x")
    zeros = ops.constant_of_shape(ops.shape(x))
    graph = Graph(
        [x], {"y": ops.reduce_sum(x, 0) + ops.reduce_mean(zeros, 0), "z": ops.reduce_mean(zeros, 1) + x[:, 0]}
    )
    assert [node.op.name for node in fold_zeros(graph).nodes].count("ReduceMean") == 1


def test_the_contract_says_what_is_taken_for_finite() -> None:
    text = " ".join((import_module("unroll.passes.fold_zeros").__doc__ or "").split())
    assert "for inputs and Parameters that are finite numbers" in text
    assert "but for the sign of a zero" in text
