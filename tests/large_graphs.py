"""Graphs of which there is more than a page has room for."""

from __future__ import annotations

from typing import Any

import unroll
from unroll import ops


class Remembering(unroll.RNNCell):
    """A cell that looks back over all its states, so that no two of its steps are alike."""

    state_size = 2
    output_size = 2

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def call(self, inputs: Any, state: Any) -> Any:
        self.seen.append(state)
        h = ops.tanh(inputs @ self.add_weight("w", (3, 2)) + ops.reduce_mean(ops.stack(self.seen, 0), 0))
        return h, h


def many_different_steps() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 3], f"x{step}") for step in range(60)]
    return unroll.Graph(inputs, unroll.static_rnn(Remembering(), inputs)[0])


def many_operators() -> unroll.Graph:
    x = unroll.placeholder([None, 3], "x")
    y = x
    for _ in range(2000):
        y = ops.tanh(y) + x
    return unroll.Graph([x], {"y": y})
