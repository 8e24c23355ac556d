"""Cells of TensorFlow's contract and of Keras's run in every driver; one that breaks its contract is told which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import BasicRNNCell, Graph, ops, placeholder, static_rnn


class Keras:
    """A Keras-contract cell that is no more than that: ``h' = (x + h) * w``."""

    state_size = 2

    def build(self, shape: Any) -> None:
        self.w = unroll.Parameter([2.0, 3.0], "w")

    def call(self, inputs: Any, states: Any) -> Any:
        h = (inputs + states[0]) * self.w
        return h, [h]


def test_a_plain_keras_contract_cell_runs_in_every_driver() -> None:
    x = placeholder([None, 2, 2], "x")
    cell = Keras()
    outputs, state = static_rnn(cell, ops.unstack(x, 1))  # type: ignore[arg-type]
    graph = Graph([x], [*outputs, state])
    assert list(graph.parameters) == ["rnn/keras/w"]
    found = graph.run({"x": np.ones((1, 2, 2))}, graph.outputs)
    assert [array.tolist() for array in found] == [[[2, 3]], [[6, 12]], [[6, 12]]]
    whole, _ = unroll.dynamic_rnn(Keras(), x, scope="whole")  # type: ignore[arg-type]
    both, _, _ = unroll.static_bidirectional_rnn(Keras(), Keras(), ops.unstack(x, 1))  # type: ignore[arg-type]
    stack = unroll.MultiRNNCell([Keras(), BasicRNNCell(2)])  # type: ignore[list-item]
    deep, _ = static_rnn(stack, ops.unstack(x, 1), scope="deep")
    assert unroll.verify(Graph([x], [whole, both, deep]))


@pytest.mark.parametrize(
    ("cell", "fragments"),
    [
        (type("NoSize", (), {"call": lambda self, x, s: (x, s)})(), ["state_size"]),
        (type("NoCall", (), {"state_size": 2, "output_size": 2})(), ["__call__", "call(inputs, states)"]),
        (type("Neither", (), {})(), ["state_size", "output_size", "__call__"]),
        (Keras, ["is a class", "Keras(...)"]),
        (type("Zero", (Keras,), {"state_size": 0})(), ["state_size", "is 0", "at least 1"]),
        (type("Half", (Keras,), {"state_size": [2.5]})(), ["state_size", "2.5", "an int"]),
    ],
    ids=["no size", "no call", "neither", "a class", "zero", "half"],
)
def test_a_cell_that_misses_part_of_its_contract_is_told_which(cell: Any, fragments: list[str]) -> None:
    x = placeholder([None, 2], "x")
    refused(lambda: static_rnn(cell, [x]), TypeError if "2.5" in fragments else ValueError, *fragments)


@pytest.mark.parametrize(
    ("result", "fragments"),
    [
        (lambda h: h, ["returned", "(output, [states])"]),
        (lambda h: (h, [h, h]), ["2 states", "state_size 2 has 1"]),
        (lambda h: (h, []), ["0 states"]),
    ],
    ids=["no pair", "two states", "no states"],
)
def test_a_keras_cell_that_returns_something_else_is_told_what_is_wanted(result: Any, fragments: list[str]) -> None:
    class Wrong(Keras):
        def call(self, inputs: Any, states: Any) -> Any:
            return result(super().call(inputs, states)[0])

    x = placeholder([None, 2], "x")
    refused(lambda: static_rnn(Wrong(), [x]), ValueError, *fragments)  # type: ignore[arg-type]


def test_a_state_may_be_an_image() -> None:
    class Blur(unroll.RNNCell):
        """``h' = h + x`` of images."""

        state_size = output_size = unroll.TensorShape([2, 3])

        def check(self, inputs: Any, state: Any) -> None:
            pass

        def call(self, inputs: Any, state: Any) -> Any:
            h = inputs + state
            return h, h

    frames = [placeholder([None, 2, 3], f"X{step}") for step in range(2)]
    lengths = placeholder([None], "lengths", "int32")
    outputs, state = static_rnn(Blur(), frames, sequence_length=lengths)
    graph = Graph([*frames, lengths], [*outputs, state])
    feeds = {"X0": np.ones((2, 2, 3)), "X1": np.ones((2, 2, 3)), "lengths": [1, 2]}
    assert graph.run(feeds, graph.outputs)[2][:, 0, 0].tolist() == [1, 2]
    assert unroll.verify(graph)
    wrong = placeholder([None, 3, 2], "state")
    refused(lambda: static_rnn(Blur(), frames, wrong), ValueError, "(batch, 3, 2)", "(batch, 2, 3)")
    assert repr(unroll.TensorShape([2, 3])) == "TensorShape([2, 3])"
    assert unroll.TensorShape([2, 3]) == unroll.TensorShape((2, 3)) != unroll.TensorShape([3, 2])
