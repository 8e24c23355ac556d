"""Activations with the arguments that Keras gives them, which names alone do not reach; values are worked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Array, check_three_runners, refused

import unroll
from unroll import activations
from unroll.activations import ACTIVATIONS, REFUSED, get_activation

X = [-10.0, -5.0, -1.0, 0.0, 0.25, 5.0, 10.0]

CASES: list[tuple[str, Callable[[Any], Any], list[float]]] = [
    ("relu-slope", lambda x: activations.relu(x, negative_slope=0.5), [-5, -2.5, -0.5, 0, 0.25, 5, 10]),
    ("relu-max", lambda x: activations.relu(x, max_value=5.0), [0, 0, 0, 0, 0.25, 5, 5]),
    ("relu-threshold", lambda x: activations.relu(x, threshold=5.0), [0, 0, 0, 0, 0, 0, 10]),
    (
        "relu-all",  # below the threshold 1, 0.5 * (x - 1); above it x, at most 6
        lambda x: activations.relu(x, negative_slope=0.5, max_value=6.0, threshold=1.0),
        [-5.5, -3, -1, -0.5, -0.375, 5, 6],
    ),
    ("leaky_relu", lambda x: activations.leaky_relu(x, negative_slope=0.5), [-5, -2.5, -0.5, 0, 0.25, 5, 10]),
    ("elu-alpha", lambda x: activations.elu(x, alpha=2.0), [*(2 * math.expm1(v) for v in X[:3]), 0, 0.25, 5, 10]),
    ("celu-alpha", lambda x: activations.celu(x, alpha=2.0), [*(2 * math.expm1(v / 2) for v in X[:3]), 0, 0.25, 5, 10]),
    ("hard_shrink", lambda x: activations.hard_shrink(x, threshold=5.0), [-10, 0, 0, 0, 0, 0, 10]),
    ("soft_shrink", lambda x: activations.soft_shrink(x, threshold=2.0), [-8, -3, 0, 0, 0, 3, 8]),
    ("threshold", lambda x: activations.threshold(x, 0.0, -7.0), [-7, -7, -7, -7, 0.25, 5, 10]),
    ("squareplus", lambda x: activations.squareplus(x, b=0.0), [0, 0, 0, 0, 0.25, 5, 10]),
    (
        "gelu-approximate",
        lambda x: activations.gelu(x, approximate=True),
        [0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))) for v in X],
    ),
]


def check(function: Callable[[Any], Any], x: Array, expected: Any) -> None:
    dtype = str(x.dtype)
    tensor = unroll.placeholder(x.shape, "x", dtype)
    check_three_runners(unroll.Graph(tensor, {"y": function(tensor)}), {"x": x}, [np.array(expected, dtype)], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("function", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_activation_takes_keras_arguments(function: Callable[[Any], Any], expected: list[float], dtype: str) -> None:
    check(function, np.array(X, dtype), expected)


def test_softmax_and_glu_act_along_an_axis() -> None:
    x = np.log(np.array([[1.0, 3.0], [3.0, 1.0]]))
    check(lambda t: activations.softmax(t, axis=0), x, [[0.25, 0.75], [0.75, 0.25]])
    check(lambda t: activations.log_softmax(t, axis=0), x, np.log([[0.25, 0.75], [0.75, 0.25]]))
    # a * sigmoid(b): sigmoid(log 3) is 3/4, sigmoid(log 1) is 1/2
    check(lambda t: activations.glu(t, axis=0), x, [[0.0, math.log(3) * 0.5]])
    check(activations.glu, x, [[0.0], [math.log(3) * 0.5]])


def test_glu_needs_an_even_width() -> None:
    refused(lambda: activations.glu(unroll.placeholder([None, 3], "x")), ValueError, "glu", "x (batch, 3)", "odd")


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation_gives_one_value_of_the_dtype_an_element(name: str, dtype: str) -> None:
    x = unroll.placeholder([None, 4], "x", dtype)
    y = ACTIVATIONS[name](x)
    assert y.dtype == dtype
    assert y.shape[-1] == (2 if name == "glu" else 4)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_name_that_needs_more_than_a_name_says_what(name: str) -> None:
    refused(lambda: get_activation(name, "tanh", "cell"), NotImplementedError, "cell", name, REFUSED[name])
    assert name not in ACTIVATIONS
