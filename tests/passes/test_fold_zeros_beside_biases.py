"""Zeros beside a bias: what repeats a bias in every row, or is a tensor of zeros to choose from, is read as that alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pass_checks import check_pass

import unroll
from unroll import Graph, layers, nn, ops


def folded_operators(program: Callable[[Any, Any], Any]) -> Counter[str]:
    x = unroll.placeholder([2, 3], "x")
    graph = Graph([x], program(x, ops.constant_of_shape([2, 3])))
    folded = check_pass("fold_zeros", graph, {"x": np.array([[1, -2, 3], [0.5, 4, -6]], "float32")})
    return Counter(node.op.name for node in folded.nodes)


B, W = unroll.Parameter(np.array([1.0, 2.0, 3.0], "float32"), "b"), unroll.Parameter(np.eye(3, dtype="float32"), "w")
TRUE = unroll.constant(np.array([[True], [False]]))


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        (lambda x, z: {"y": x / (z + 1)}, {"Div": 1}),
        (lambda x, z: {"y": x + (z @ W + B)}, {"Add": 1}),
        (lambda x, z: {"y": ops.gemm(z, W, B) - x}, {"Sub": 1}),
        (lambda x, z: {"y": x * ops.gemm(z, W, B)}, {"Mul": 1}),
        (lambda x, z: {"y": x[:, :1] * ops.split(ops.gemm(z, W, B), 3, 1)[2]}, {"Split": 1, "Mul": 1, "Slice": 1}),
        (
            lambda x, z: {"y": x[:, :1] + ops.split(ops.gemm(z, W, B), [2, 1], -1)[1]},
            {"Split": 1, "Add": 1, "Slice": 1},
        ),
        (lambda x, z: {"y": ops.where(TRUE, x, z)}, {"Where": 1}),
        (lambda x, z: {"y": ops.where(TRUE, z, x)}, {"Where": 1}),
    ],
)
def test_what_repeats_a_bias_or_the_number_zero_reads_that_alone(program: Any, wanted: dict[str, int]) -> None:
    assert folded_operators(program) == wanted


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        # what is repeated decides the size of the result, or is read by what does not repeat it again
        (lambda x, z: {"y": ops.gemm(z, W, B) + B}, {"ConstantOfShape": 1, "Gemm": 1, "Add": 1}),
        (lambda x, z: {"y": ops.gemm(z, W, B) @ W}, {"ConstantOfShape": 1, "Gemm": 1, "MatMul": 1}),
        (lambda x, z: {"y": ops.gemm(z, W, B)}, {"ConstantOfShape": 1, "Gemm": 1}),
        (lambda x, z: {"y": ops.where(TRUE, B, z)}, {"ConstantOfShape": 1, "Where": 1}),
        (
            lambda x, z: {"y": x + ops.split(ops.gemm(z, W, B), 2, 0)[1]},
            {"ConstantOfShape": 1, "Gemm": 1, "Split": 1, "Add": 1},
        ),
    ],
)
def test_what_gives_a_result_its_size_stays(program: Any, wanted: dict[str, int]) -> None:
    assert folded_operators(program) == wanted


#: Recurrences whose first step multiplies a state of zeros and adds a bias.
RECURRENCES: dict[str, Callable[[Any], Any]] = {
    "nn.RNN": lambda x: nn.RNN(3, 4, 2, batch_first=True, bidirectional=True)(x),
    "nn.LSTM": lambda x: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)(x),
    "nn.GRU": lambda x: nn.GRU(3, 4, 2, batch_first=True, bidirectional=True)(x),
    "nn.RNN, relu": lambda x: nn.RNN(3, 4, nonlinearity="relu", batch_first=True)(x),
    "nn.GRU, lengths": lambda x: nn.GRU(3, 4, batch_first=True)(x, lengths=[2, 4, 0]),
    "GRU": lambda x: layers.Bidirectional(layers.GRU(4))(x),
    "GRU, reset before": lambda x: layers.GRU(4, reset_after=False)(x),
    "SimpleRNN": lambda x: layers.SimpleRNN(4)(x),
    "LSTM": lambda x: layers.LSTM(4, return_sequences=True)(x),
    "LSTM, masked": lambda x: layers.LSTM(4)(layers.Masking()(x)),
}


@pytest.mark.parametrize("kind", RECURRENCES)
def test_a_first_step_has_no_zeros_and_computes_the_same(kind: str) -> None:
    x = unroll.placeholder([3, 4, 3], "x")
    graph = Graph([x], unroll.nest.flatten(RECURRENCES[kind](x)))
    random = np.random.default_rng(0)
    for weight in graph.parameters.values():
        weight.assign(random.standard_normal(weight.shape).astype("float32"))
    folded = check_pass("fold_zeros", graph, {"x": random.standard_normal((3, 4, 3)).astype("float32")})
    kinds = Counter(node.op.name for node in folded.nodes)
    assert not {"ConstantOfShape", "Shape"} & kinds.keys()
    before = Counter(node.op.name for node in graph.nodes)
    assert kinds["MatMul"] + kinds["Gemm"] < before["MatMul"] + before["Gemm"]
