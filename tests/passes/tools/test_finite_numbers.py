"""Which tensors hold finite numbers whatever is fed: never one that some feed makes infinite or NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_graphs import random_graph

import unroll
from unroll import ops
from unroll.errors import UnrollError
from unroll.passes.tools.finite_numbers import FiniteNumbers, Least
from unroll.tensor import Tensor

#: What feeds are changed to: far out, all zeros, all below 0, few equal numbers.
CHANGES: tuple[Callable[[Any], Any], ...] = (
    lambda array: 1000 * array,
    lambda array: -1000 * np.abs(array),
    lambda array: 0 * array,
    lambda array: np.sign(array),
    lambda array: np.where(array > 0, 710.0, -0.0),
)


@pytest.mark.parametrize("seed", range(80))
def test_what_counts_as_finite_is_finite_on_every_feed(seed: int) -> None:
    graph, feeds = random_graph(seed, "float64")
    numbers = FiniteNumbers()
    tensors = [tensor for node in graph.nodes for tensor in node.outputs if tensor.dtype.kind == "f"]
    held = {tensor: numbers.held(tensor) for tensor in tensors}
    for change in CHANGES:
        fed = {name: change(array) if array.dtype.kind == "f" else array for name, array in feeds.items()}
        try:
            found = graph.run(fed, list(held))
        except UnrollError:
            continue
        for (tensor, item), array in zip(held.items(), found, strict=True):
            assert item.nan or not np.isnan(array).any(), tensor
            assert item.infinite or not np.isinf(array).any(), tensor
            assert item.least is Least.ANY or not (array < 0).any(), tensor
            assert item.least is not Least.POSITIVE or not (array == 0).any(), tensor


def weight() -> Tensor:
    return unroll.Parameter(np.ones((3, 3), "float32"), "w")


def norm(x: Any) -> Any:
    apart = x - ops.reduce_mean(x, 1, keepdims=True)
    return apart / ops.sqrt(ops.reduce_mean(apart * apart, 1, keepdims=True) + 1e-3)


def looped(function: Any, x: Any) -> Any:
    h, row = unroll.placeholder([3], "h"), unroll.placeholder([3], "row")
    return ops.scan(unroll.Graph([h, row], [function(h + row), h * row]), [x[0]], [x])[0]


FINITE: dict[str, Callable[[Any], Any]] = {
    "an input": lambda x: x,
    "a product": lambda x: x @ weight() + 1,
    "a gate": lambda x: ops.sigmoid(x @ weight()),
    "a gate of an exponential": lambda x: ops.tanh(ops.exp(x)),
    "a gate written out": lambda x: 1 / (1 + ops.exp(-x)),
    "a norm written out": norm,
    "an exponential of what is at most 0": lambda x: ops.exp(x - ops.maximum(x, 0)),
    "an exponential below its row": lambda x: ops.exp(x - ops.reduce_max(x, 1, keepdims=True)),
    "a quotient by a number": lambda x: x / 3,
    "a quotient by a Parameter": lambda x: x / weight(),
    "a square": lambda x: ops.pow(x, 2),
    "a limited exponential": lambda x: ops.clip(ops.exp(x), 0, 5),
    "a root of what is above 0": lambda x: ops.sqrt(ops.abs(x) + 1),
    "rows chosen": lambda x: ops.gather(ops.tanh(x), [0, 2]),
    "a loop of gates": lambda x: looped(ops.tanh, x),
}
NOT_FINITE: dict[str, Callable[[Any], Any]] = {
    "an exponential": ops.exp,
    "a logarithm": ops.log,
    "a root": ops.sqrt,
    "a quotient": lambda x: 1 / x,
    "a quotient by zeros": lambda x: x / np.zeros((3, 3)),
    "a quotient by an exponential": lambda x: 1 / ops.exp(x),
    "a negative power": lambda x: ops.pow(x, -1),
    "a power of fed numbers": lambda x: ops.pow(2.0, x),
    "a gate of a root": lambda x: ops.sigmoid(ops.sqrt(x)),
    "a product with an exponential": lambda x: x * ops.exp(x),
    "an exponential chosen": lambda x: ops.where(x > 0, ops.exp(x), x),
    "an exponential limited on one side": lambda x: ops.clip(ops.exp(x), 0),
    "an exponential below another row": lambda x: ops.exp(x - ops.reduce_max(x, 1)),
    "a constant with infinities": lambda x: x + np.full((3, 3), np.inf),
    "a constant with NaN": lambda x: ops.tanh(x + np.full((3, 3), np.nan)),
    "the mean of nothing": lambda x: ops.reduce_mean(x[:0], 0),
    "a loop of exponentials": lambda x: looped(ops.exp, x),
}


@pytest.mark.parametrize("name", FINITE)
def test_what_feeds_cannot_make_infinite_counts_as_finite(name: str) -> None:
    assert FINITE[name](unroll.placeholder([3, 3], "x")) in FiniteNumbers()


@pytest.mark.filterwarnings("ignore:Mean of empty")
@pytest.mark.parametrize("name", NOT_FINITE)
def test_what_some_feed_makes_infinite_or_nan_does_not(name: str) -> None:
    x = unroll.placeholder([3, 3], "x")
    y = NOT_FINITE[name](x)
    assert y not in FiniteNumbers()
    feeds = [number + np.roll(np.diag([0, -800, 800]), 1, axis=1) for number in (0.0, 1.0)]
    found = [unroll.Graph([x], {"y": y}).run({x: fed})["y"] for fed in feeds]
    assert not all(np.isfinite(array).all() for array in found)


def test_what_stands_around_a_tensor_counts_too() -> None:
    x = ops.exp(ops.clip(unroll.placeholder([2, 3], "x"), -1.0, 1.0))
    numbers = FiniteNumbers()
    assert numbers.held(ops.pad(x, [1, 0, 0, 0])).least is Least.ZERO
    assert numbers.held(ops.pad(x, [1, 0, 0, 0], 2.0)).least is numbers.held(x).least
    assert not numbers.held(ops.pad(x, [1, 0, 0, 0], -np.inf)).finite
