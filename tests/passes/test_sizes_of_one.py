"""Sizes of one, which broadcast where others do not: one unit, one feature, a projection to one, one row, one step.

Each pass is held against onnxruntime on the model as it was traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Array

import unroll
from unroll import cells, layers, nn, ops
from unroll.passes.pipeline import PASSES, optimize

#: Units, features, rows (None for any), steps.
SIZES = [(1, 2, None, 3), (3, 1, None, 3), (2, 2, 1, 3), (3, 2, None, 1), (1, 1, 1, 2)]


def _torch(module: Any, **options: Any) -> Callable[[int, int, Any, int], unroll.Graph]:
    def build(units: int, width: int, rows: Any, steps: int) -> unroll.Graph:
        x = unroll.placeholder([steps, "batch" if rows is None else rows, width], "x")
        return unroll.Graph([x], list(module(width, units, **options)(x)))

    return build


def _projected(units: int, width: int, rows: Any, steps: int) -> unroll.Graph:
    """PyTorch's kernels lie on their side: that of a projection to one number is of one column."""
    return _torch(nn.LSTM, proj_size=1)(max(2, units), width, rows, steps)


def _cell(make: Callable[[int], Any]) -> Callable[[int, int, Any, int], unroll.Graph]:
    def build(units: int, width: int, rows: Any, steps: int) -> unroll.Graph:
        inputs = [unroll.placeholder([rows, width], f"x{step}") for step in range(steps)]
        outputs, state = unroll.static_rnn(make(units), inputs)
        return unroll.Graph(inputs, [ops.stack(outputs, 1), state])

    return build


def _turned(units: int, width: int, rows: Any, steps: int) -> unroll.Graph:
    """Gates of one turned product, the functions of all but the second the same, and one bias for all."""
    inputs = [unroll.placeholder([rows, width], f"x{step}") for step in range(steps)]
    wx, wh, b = (
        unroll.Parameter(np.zeros(shape, "float32"), name)
        for name, shape in (("wx", (4 * units, width)), ("wh", (4 * units, units)), ("b", (1, 1)))
    )
    h = ops.constant_of_shape(ops.concat([ops.shape(inputs[0])[:1], [units]], 0), 0.0)
    for x in inputs:
        z = ops.gemm(x, wx, transB=True) + ops.gemm(h, wh, b, transB=True)
        first, second, third, fourth = ops.split(z, 4, 1)
        h = ops.sigmoid(first) * h + ops.sigmoid(third) * ops.tanh(second) + ops.sigmoid(fourth)
    return unroll.Graph(inputs, [h])


NETWORKS: dict[str, Callable[[int, int, Any, int], unroll.Graph]] = {
    "torch lstm": _torch(nn.LSTM),
    "torch lstm, projected": _projected,
    "torch gru": _torch(nn.GRU),
    "lstm": _cell(lambda units: unroll.LSTMCell(units, use_peepholes=True)),
    "projected lstm": _cell(lambda units: unroll.LSTMCell(units, num_proj=1)),
    "gru": _cell(unroll.GRUCell),
    "keras gru": _cell(lambda units: layers.GRUCell(units)),
    "two layers": _cell(lambda units: unroll.MultiRNNCell([unroll.BasicLSTMCell(units), unroll.BasicLSTMCell(1)])),
    "indy lstm": _cell(cells.IndyLSTMCell),
    "turned": _turned,
}


def _feeds(graph: unroll.Graph, rng: np.random.Generator) -> dict[str, Array]:
    return {
        spec.name: rng.uniform(-1, 1, [3 if not isinstance(size, int) else size for size in spec.shape]).astype(
            "float32"
        )
        for spec in graph.input_specs
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_passes_tell_a_size_of_one_from_what_broadcasts(name: str) -> None:
    rng = np.random.default_rng(1)
    for sizes in SIZES:
        graph = NETWORKS[name](*sizes)
        graph.assign({key: rng.uniform(-1, 1, item.shape) for key, item in graph.parameters.items()})
        feeds = _feeds(graph, rng)
        wanted = unroll.Session(graph).run(feeds)
        for what, rewrite in {**PASSES, "optimize": optimize, "reroll": lambda graph: unroll.reroll(graph)[0]}.items():
            found = rewrite(graph).run(feeds)
            for output, array in wanted.items():
                np.testing.assert_allclose(found[output], array, rtol=1e-5, atol=1e-5, err_msg=f"{what} of {sizes}")
