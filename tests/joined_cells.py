"""Networks whose cells may be computed as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from helpers import Array

import unroll
from unroll import Graph, MultiRNNCell, ops
from unroll.passes.join_cells import join_cells
from unroll.passes.pipeline import DEFAULT, optimize
from unroll.passes.tools.weight_expressions import weight_expressions

SEPARATE = [name for name in DEFAULT if name != "join_cells"]
STEPS, WIDTH, UNITS = 8, 3, 4


def counts(graph: Graph) -> Counter[str]:
    once = set(weight_expressions(graph))
    return Counter(node.op.name for node in graph.nodes if node not in once)


def feeds_of(graph: Graph, batch: int = 2, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        spec.name: rng.uniform(-1, 1, [dim if isinstance(dim, int) else batch for dim in spec.shape]).astype("float32")
        for spec in graph.input_specs
    }


def check_joined(graph: Graph, feeds: dict[str, Array] | None = None) -> tuple[Counter[str], Counter[str]]:
    """Check what an optimised graph computes against the graph; returns its nodes without joined cells, and with them."""
    feeds = feeds or feeds_of(graph)
    wanted, found = graph.run(feeds), optimize(graph, check=False)  # what it computes is held here
    model = unroll.to_onnx(found)
    for runs in (found.run(feeds), unroll.Session(model).run(feeds)):
        assert list(runs) == list(wanted)
        for name, array in wanted.items():
            np.testing.assert_allclose(runs[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
    assert all(node.provenance for node in found.nodes)
    return counts(optimize(graph, SEPARATE, check=False)), counts(found)


def unstacked(steps: int = STEPS, batch: int | None = None) -> tuple[Any, list[Any]]:
    x = unroll.placeholder([steps, "batch" if batch is None else batch, WIDTH], "x")
    return x, ops.unstack(x)


def directions(first: Any, second: Any, steps: int = STEPS) -> Graph:
    x, xs = unstacked(steps)
    outputs, _, _ = unroll.static_bidirectional_rnn(first, second, xs, dtype="float32")
    return Graph([x], {"y": ops.stack(outputs)})


def stack_of(cells: Sequence[Any], steps: int = STEPS) -> Graph:
    x, xs = unstacked(steps)
    outputs, _ = unroll.static_rnn(MultiRNNCell(list(cells)), xs, dtype="float32")
    return Graph([x], {"y": ops.stack(outputs)})


def is_joined(graph: Graph, batch: int = 1) -> bool:
    before = optimize(graph, SEPARATE, batch=batch, check=False)
    return join_cells(before, batch) is not before
