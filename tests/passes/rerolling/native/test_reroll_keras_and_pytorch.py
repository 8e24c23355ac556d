"""Keras's layers and PyTorch's modules come back as LSTM, GRU or RNN operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from reroll_checks import FEATURES, UNITS, Graph
from rerolled_networks import TIMES, check_native

import unroll
from unroll import layers, nn

#: Keras's layers, likewise.
KERAS: dict[str, tuple[str, Callable[..., Any]]] = {
    "SimpleRNN": ("RNN", lambda **k: layers.SimpleRNN(UNITS, **k)),
    "SimpleRNN leaky": ("RNN", lambda **k: layers.SimpleRNN(UNITS, activation="leaky_relu", **k)),
    "LSTM": ("LSTM", lambda **k: layers.LSTM(UNITS, **k)),
    "LSTM hard": ("LSTM", lambda **k: layers.LSTM(UNITS, recurrent_activation="hard_sigmoid", **k)),
    "LSTM no bias": ("LSTM", lambda **k: layers.LSTM(UNITS, use_bias=False, **k)),
    "GRU": ("GRU", lambda **k: layers.GRU(UNITS, **k)),
    "GRU before": ("GRU", lambda **k: layers.GRU(UNITS, reset_after=False, **k)),
}
#: PyTorch's modules, likewise.
TORCH: dict[str, tuple[str, Callable[..., Any]]] = {
    "RNN": ("RNN", lambda **k: nn.RNN(FEATURES, UNITS, **k)),
    "RNN relu": ("RNN", lambda **k: nn.RNN(FEATURES, UNITS, nonlinearity="relu", **k)),
    "LSTM": ("LSTM", lambda **k: nn.LSTM(FEATURES, UNITS, **k)),
    "LSTM no bias": ("LSTM", lambda **k: nn.LSTM(FEATURES, UNITS, bias=False, **k)),
    "GRU": ("GRU", lambda **k: nn.GRU(FEATURES, UNITS, **k)),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", KERAS)
def test_keras_layers_come_back_as_native_operators(name: str, backward: bool, sequences: bool, time: int) -> None:
    op, layer = KERAS[name]
    x = unroll.placeholder([None, time, FEATURES], "x")
    made = layer(go_backwards=backward, return_sequences=sequences, return_state=True)(x)
    check_native(Graph([x], {f"y{place}": tensor for place, tensor in enumerate(made)}), op)


@pytest.mark.slow
@pytest.mark.parametrize("merge", ["concat", "sum", None])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "GRU before"])
def test_a_keras_bidirectional_is_one_operator(name: str, merge: str | None) -> None:
    op, layer = KERAS[name]
    x = unroll.placeholder([None, 5, FEATURES], "x")
    made = layers.Bidirectional(layer(return_sequences=True), merge_mode=merge)(x)
    check_native(Graph([x], list(made) if merge is None else [made]), op, op)


@pytest.mark.sampled(3)
@pytest.mark.slow
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(
    "deep", [{}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 2, "bidirectional": True}]
)
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("name", TORCH)
def test_pytorchs_modules_come_back_as_native_operators(
    name: str, lengths: bool, deep: dict[str, Any], time: int
) -> None:
    op, module = TORCH[name]
    x = unroll.placeholder([time, "batch", FEATURES], "x")
    fed = [x, unroll.placeholder(["batch"], "lengths", "int64")] if lengths else [x]
    outputs, states = module(**deep)(x, lengths=fed[1] if lengths else None)
    graph = Graph(fed, {"y": outputs} | {f"s{k}": part for k, part in enumerate(unroll.nest.flatten(states))})
    check_native(graph, *[op] * deep.get("num_layers", 1) * (2 if "bidirectional" in deep else 1))
