"""What tests of `compile` share."""

from __future__ import annotations

import numpy as np
from helpers import Array

import unroll
from unroll import Graph


def lstm_graph(steps: int = 5) -> Graph:
    x = unroll.placeholder([None, steps, 3], "x")
    outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(4), x)
    return Graph([x], {"y": outputs, "c": state.c})


def feeds(batch: int = 2, steps: int = 5) -> dict[str, Array]:
    return {"x": np.random.default_rng(11).standard_normal((batch, steps, 3)).astype("float32")}


def check_agrees(session: unroll.Session, graph: Graph, tolerance: float = 1e-5) -> None:
    for batch in (1, 4):
        found, wanted = session.run(feeds(batch)), graph.run(feeds(batch))
        for name, array in wanted.items():
            np.testing.assert_allclose(found[name], array, rtol=0, atol=tolerance, err_msg=name)
