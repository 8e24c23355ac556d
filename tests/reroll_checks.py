"""What every test of re-rolling does: draw weights and inputs, re-roll, and compare in NumPy and in onnxruntime."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from helpers import Array

import unroll
from unroll.passes.rerolling.planner import reroll
from unroll.passes.rerolling.report import Rerolled

FEATURES, UNITS, BATCH = 3, 4, 3
TOLERANCE = 1e-5
Graph = unroll.Graph


def feeds_of(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Small numbers for every input, lengths within their limits (0 among them), masks of both kinds."""
    rng = np.random.default_rng(seed)
    feeds: dict[str, Array] = {}
    for spec in graph.input_specs:
        shape = [size if isinstance(size, int) else BATCH for size in spec.shape]
        most = max((limit.most for limit in spec.limits), default=3)
        drawn: Any = rng.normal(size=shape)
        if spec.dtype.kind == "i":
            drawn = np.linspace(0, most, BATCH).round() if shape == [BATCH] else rng.integers(0, most + 1, shape)
        feeds[spec.name] = np.asarray(drawn > 0 if spec.dtype.kind == "b" else drawn).astype(spec.dtype)
    return feeds


def assign(graph: Graph, seed: int = 1) -> Graph:
    rng = np.random.default_rng(seed)
    for item in graph.parameters.values():
        item.assign(rng.normal(size=item.shape, scale=0.5))
    return graph


def check_rerolled(graph: Graph, **options: Any) -> tuple[Graph, Rerolled]:
    """Re-roll a graph, and hold the new one against the old one in NumPy and in onnxruntime."""
    found, report = reroll(assign(graph), **options)
    feeds = feeds_of(graph)
    wanted = graph.run(feeds)
    runs = {"NumPy": found.run(feeds), "onnxruntime": unroll.Session(found).run(feeds)}
    shapes = {name: graph.shape(tensor) for name, tensor in zip(graph.output_names, graph.outputs, strict=True)}
    assert [spec.name for spec in found.input_specs] == [spec.name for spec in graph.input_specs]
    assert {n: found.shape(t) for n, t in zip(found.output_names, found.outputs, strict=True)} == shapes
    for runner, outputs in runs.items():
        for name, array in wanted.items():
            np.testing.assert_allclose(
                outputs[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{runner}: {name}; {report}"
            )
    assert all(node.provenance for node in found.nodes)
    return found, report


def operators(graph: Graph) -> Counter[str]:
    return Counter(node.op.name for node in graph.nodes)
