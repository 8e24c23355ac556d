"""What tests of sessions share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers import Array

import unroll
from unroll import BasicRNNCell, Graph, Session, static_rnn

KINDS = ("graph", "model", "path")


def two_steps() -> Graph:
    """3 inputs, 5 units, 2 steps, all weights 1 and the bias 0: ``y0 = tanh(sum x0)``, ``y1 = tanh(sum x1 + 5 y0)``."""
    inputs = [unroll.placeholder([None, 3], name) for name in ("X0", "X1")]
    cell = BasicRNNCell(5)
    (y0, y1), _ = static_rnn(cell, inputs)
    cell.kernel.assign(np.ones((8, 5)))
    return Graph(inputs, {"y0": y0, "y1": y1})


def session(graph: Graph, kind: str, folder: Path) -> Session:
    if kind == "graph":
        return Session(graph)
    model = unroll.to_onnx(graph)
    return Session(model if kind == "model" else unroll.save(model, folder / "model.onnx"))


FEEDS = {"X0": np.array([[0, 0.1, 0.2]]), "X1": np.array([[0, 0.1, 0.2]])}
Y0, Y1 = np.tanh(0.3), np.tanh(0.3 + 5 * np.tanh(0.3))


def is_right(results: dict[str, Array]) -> bool:
    assert [array.dtype for array in results.values()] == [np.float32] * 2
    return np.allclose(results["y0"], [[Y0] * 5], atol=1e-6) and np.allclose(results["y1"], [[Y1] * 5], atol=1e-6)
