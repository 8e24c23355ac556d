"""Networks that tests of re-rolling go over, and the check that they become native operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reroll_checks import FEATURES, UNITS, Graph, check_rerolled, operators

import unroll

TIMES = (2, 3, 7, 28)


def check_native(graph: Graph, *wanted: str) -> None:
    """Check that a graph becomes these operators, with no product left over."""
    found, report = check_rerolled(graph)
    assert report.operators == list(wanted), report
    left = operators(found)
    assert not left["MatMul"] + left["Gemm"] + left["Scan"], left


def dynamic(cell: Any, time: int, lengths: bool = False, initial: bool = False, **options: Any) -> Graph:
    """A cell over one tensor; all outputs and the last state."""
    x = unroll.placeholder([None, time, FEATURES], "x")
    fed: list[Any] = [x]
    if lengths:
        options["sequence_length"] = unroll.placeholder([None], "lengths", "int32")
        fed.append(options["sequence_length"])
    if initial:
        sizes = unroll.nest.flatten(cell.state_size)
        states = [unroll.placeholder([None, size], f"state{place}") for place, size in enumerate(sizes)]
        options["initial_state"] = unroll.nest.pack(cell.state_size, states)
        fed += states
    outputs, state = unroll.dynamic_rnn(cell, x, **options)
    last = {f"last{place}": tensor for place, tensor in enumerate(unroll.nest.flatten(state))}
    return Graph(fed, {"outputs": outputs} | last)


#: TensorFlow's cells that are native operators, and which.
TENSORFLOW: dict[str, tuple[str, Callable[[], Any]]] = {
    "BasicRNNCell": ("RNN", lambda: unroll.BasicRNNCell(UNITS)),
    "BasicRNNCell relu": ("RNN", lambda: unroll.BasicRNNCell(UNITS, activation="relu")),
    "BasicRNNCell linear": ("RNN", lambda: unroll.BasicRNNCell(UNITS, activation="linear")),
    "BasicRNNCell softsign": ("RNN", lambda: unroll.BasicRNNCell(UNITS, activation="softsign")),
    "BasicLSTMCell": ("LSTM", lambda: unroll.BasicLSTMCell(UNITS)),
    "BasicLSTMCell relu": ("LSTM", lambda: unroll.BasicLSTMCell(UNITS, activation="relu", forget_bias=0.5)),
    "BasicLSTMCell linear": ("LSTM", lambda: unroll.BasicLSTMCell(UNITS, activation="linear")),
    "LSTMCell": ("LSTM", lambda: unroll.LSTMCell(UNITS)),
    "LSTMCell peepholes": ("LSTM", lambda: unroll.LSTMCell(UNITS, use_peepholes=True)),
    "GRUCell": ("GRU", lambda: unroll.GRUCell(UNITS)),
    "GRUCell elu": ("GRU", lambda: unroll.GRUCell(UNITS, activation="elu")),
}
