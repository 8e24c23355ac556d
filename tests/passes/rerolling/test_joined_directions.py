"""What is promised of two directions over one sequence of any length: one operator, with the numbers of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import Graph, layers, nn, ops
from unroll.passes.rerolling.joined_directions import join_directions
from unroll.passes.rerolling.native_scans import native_scans

KINDS = ("RNN", "GRU", "LSTM", "Scan")
MODELS: dict[str, Callable[[Any], Any]] = {
    "sequences": lambda x: layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x),
    "last": lambda x: layers.Bidirectional(layers.GRU(5))(x),
    "sum": lambda x: layers.Bidirectional(layers.GRU(5, return_sequences=True), merge_mode="sum")(x),
    "states": lambda x: layers.Bidirectional(layers.LSTM(5, return_state=True, return_sequences=True))(x),
    "other activations": lambda x: layers.Bidirectional(layers.SimpleRNN(4, activation="relu"))(x),
    "layers": lambda x: nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True)(x),
}


def traced(program: Callable[..., Any], time: int | str, *more: Any) -> Graph:
    x = unroll.placeholder([None, time, 3], "x")
    with unroll.scope("model", seed=5):
        return Graph([x, *more], {"y": program(x, *more)})


def recurrent(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes if node.op.name in KINDS]


@pytest.mark.parametrize("kind", MODELS)
def test_both_directions_over_any_length_are_one_operator(kind: str) -> None:
    graph = traced(MODELS[kind], "time")
    model = unroll.to_onnx(graph, form="rerolled")
    flat = unroll.to_onnx(traced(MODELS[kind], 6), form="rerolled")
    assert [node.op_type for node in model.graph.node] == [node.op_type for node in flat.graph.node]
    assert all(
        [item.s for item in node.attribute if item.name == "direction"] == [b"bidirectional"]
        for node in model.graph.node
        if node.op_type in KINDS
    )
    session = unroll.Session(model)
    for time in (1, 2, 6):
        feeds = {"x": np.random.default_rng(time).standard_normal((2, time, 3)).astype("float32")}
        wanted = traced(MODELS[kind], time).run(feeds)
        for name, array in session.run(feeds).items():
            np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-6)


def test_lengths_are_shared_and_first_states_are_joined() -> None:
    def program(x: Any, lengths: Any, first: Any) -> Any:
        cells = unroll.GRUCell(4), unroll.GRUCell(4)
        return unroll.bidirectional_dynamic_rnn(*cells, x, lengths, first, ops.tanh(first))

    more = unroll.placeholder([None], "lengths", "int32"), unroll.placeholder([None, 4], "first")
    graph = traced(program, "time", *more)
    assert recurrent(native_scans(graph)) == ["GRU"]
    feeds = {"x": np.ones((3, 5, 3)), "lengths": [5, 0, 2], "first": np.full((3, 4), 0.5)}
    wanted = graph.run(feeds)
    for name, array in unroll.Session(graph, form="rerolled").run(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "program",
    [
        lambda x: _both(x, unroll.GRUCell(4), unroll.GRUCell(5)),
        lambda x: _both(x, unroll.GRUCell(4), unroll.BasicLSTMCell(4)),
        lambda x: [
            layers.GRU(4, return_sequences=True)(x),
            layers.GRU(4, go_backwards=True, return_sequences=True)(ops.tanh(x)),
        ],
        lambda x: layers.GRU(3, go_backwards=True)(x + layers.GRU(3, return_sequences=True)(x)),
        lambda x: _after_one_another(x),
    ],
    ids=["sizes", "kinds", "inputs", "in turn", "state"],
)
def test_what_is_not_two_directions_of_one_operator_stays_apart(program: Callable[[Any], Any]) -> None:
    graph = traced(program, "time")
    assert len(recurrent(native_scans(graph))) == 2
    feeds = {"x": np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")}
    wanted = graph.run(feeds)
    for name, array in unroll.Session(graph, form="rerolled").run(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-6)


def test_a_graph_without_such_pairs_is_handed_back() -> None:
    graph = native_scans(traced(lambda x: layers.GRU(4)(x), "time"))
    assert join_directions(graph) is graph


def _both(x: Any, forward: Any, backward: Any) -> Any:
    return unroll.bidirectional_dynamic_rnn(forward, backward, x)


def _after_one_another(x: Any) -> Any:
    """The second direction starts from the first one's last state, so that it cannot be in one operator with it."""
    y, state = unroll.dynamic_rnn(unroll.GRUCell(4), x)
    backward = layers.RNN(unroll.GRUCell(4), go_backwards=True)(x, initial_state=[state])
    return y, backward
