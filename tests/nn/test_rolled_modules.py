"""What modules promise of loops: with ``rolled=True`` the numbers of the unrolled module, in every runner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Array, refused

import unroll
from unroll import Graph, nest, nn

STEPS, ROWS, FEATURES = 5, 2, 3
KINDS = {
    "rnn": (nn.RNN, {}),
    "lstm": (nn.LSTM, {}),
    "gru": (nn.GRU, {}),
    "projection": (nn.LSTM, {"proj_size": 2}),
    "layers": (nn.LSTM, {"num_layers": 2}),
    "both ways": (nn.GRU, {"bidirectional": True}),
    "layers both ways": (nn.LSTM, {"bidirectional": True, "num_layers": 2, "batch_first": True}),
}


def traced(kind: str, given: str, rolled: bool) -> Graph:
    """A module on a sequence; its weights depend on the names of the Parameters alone."""
    make, options = KINDS[kind]
    first = options.get("batch_first")
    shape = ["batch", STEPS, FEATURES] if first else [STEPS, "batch", FEATURES]
    x = unroll.placeholder(shape[:1] + shape[2:] if given == "no batch" and not first else shape, "x")
    more: list[Any] = []
    kwargs: dict[str, Any] = {}
    with unroll.scope("model", seed=5):
        module = make(FEATURES, 4, **options)
        if given == "lengths":
            more = [unroll.placeholder(["batch"], "lengths", "int64")]
            kwargs["lengths"] = more[0]
        if given == "states":
            sides = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
            sizes = [options.get("proj_size", 4), 4] if make is nn.LSTM else [4]
            more = [unroll.placeholder([sides, "batch", size], f"h{place}") for place, size in enumerate(sizes)]
            kwargs["hx"] = tuple(more) if len(more) > 1 else more[0]
        outputs = module(x, rolled=rolled, **kwargs)
    return Graph([x, *more], {"y": outputs})


def fed(graph: Graph) -> dict[str, Array]:
    rng = np.random.default_rng(2)
    feeds: dict[str, Array] = {}
    for spec in graph.input_specs:
        shape = [size if isinstance(size, int) else ROWS for size in spec.shape]
        feeds[spec.name] = np.array([STEPS, 2]) if spec.name == "lengths" else rng.standard_normal(shape)
    return feeds


@pytest.mark.parametrize("given", ["nothing", "lengths", "states", "no batch"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_module_that_is_rolled_computes_what_it_does_unrolled(kind: str, given: str) -> None:
    flat, rolled = (traced(kind, given, way) for way in (False, True))
    assert sorted(rolled.parameters) == sorted(flat.parameters)
    assert [rolled.shape(tensor) for tensor in rolled.outputs] == [flat.shape(tensor) for tensor in flat.outputs]
    assert {"Scan"} & {node.op.name for node in rolled.nodes} and "Scan" not in {node.op.name for node in flat.nodes}
    feeds = fed(flat)
    wanted = flat.run(feeds)
    for runner in (rolled, unroll.Session(rolled), unroll.Session(rolled, form="rerolled")):
        for name, array in runner.run(feeds).items():
            np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_a_module_without_a_batch_takes_any_time() -> None:
    x = unroll.placeholder([None, FEATURES], "x")
    with unroll.scope("model", seed=5):
        output, last = nn.LSTM(FEATURES, 4, bidirectional=True)(x)
    graph = Graph([x], {"y": output, "last": last})
    assert str(output.shape) == "(x_0, 8)"
    for time in (1, 4):
        known = unroll.placeholder([time, FEATURES], "x")
        with unroll.scope("model", seed=5):
            output, last = nn.LSTM(FEATURES, 4, bidirectional=True)(known)
        feeds = {"x": np.random.default_rng(time).standard_normal((time, FEATURES))}
        wanted = Graph([known], {"y": output, "last": last}).run(feeds)
        for runner in (graph, unroll.Session(graph), unroll.Session(graph, form="scan")):
            for name, array in runner.run(feeds).items():
                np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-5)


def test_lengths_that_are_fixed_are_within_the_time() -> None:
    x = unroll.placeholder([ROWS, "time", FEATURES], "x")
    graph = Graph([x], {"y": nest.flatten(nn.GRU(FEATURES, 4, batch_first=True)(x, lengths=[4, 1]))})
    refused(lambda: graph.run({"x": np.ones((ROWS, 3, FEATURES))}), ValueError, "time is 3", "at least 4", "lengths")
    assert graph.run({"x": np.ones((ROWS, 4, FEATURES))})
    refused(lambda: nn.GRU(FEATURES, 4)(x, rolled="yes"), TypeError, "rolled")
