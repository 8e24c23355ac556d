"""Every pass computes the same in no more nodes than it says, keeps names and provenance, and follows assignments."""

from __future__ import annotations

from importlib import import_module
from time import process_time

import numpy as np
import onnx
import pytest
from helpers import Array
from pass_checks import check_pass
from random_graphs import random_graph
from random_networks import random_network

import unroll
from unroll import BasicLSTMCell, Graph, ops, static_rnn
from unroll.passes.pipeline import DEFAULT, PASSES, optimize

# -- random graphs: 1,000 for every pass, of which 120 are recurrent networks ------------------------------------------


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("block", range(8))
def test_a_pass_keeps_what_any_graph_computes(block: int) -> None:
    for seed in range(110 * block, 110 * block + 110):
        graph, feeds = random_graph(seed)  # drawing one takes longer than a pass over it
        wanted = graph.run(feeds)
        for name in PASSES:
            check_pass(name, graph, feeds, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(6))
def test_passes_keep_what_recurrent_networks_compute_one_after_another(block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        graph, feeds = random_network(seed)
        check_pass("canonical", graph, feeds)
        for name in DEFAULT:
            graph = check_pass(name, graph, feeds)


@pytest.mark.slow
def test_an_optimised_network_runs_in_onnxruntime_and_follows_assignments() -> None:
    changed = 0
    for seed in range(200, 230):
        graph, feeds = random_network(seed)
        found = optimize(graph)
        first = check_runs(graph, found, feeds)
        rng = np.random.default_rng(seed)
        graph.assign({name: rng.uniform(-0.5, 0.5, item.shape) for name, item in graph.parameters.items()})
        second = check_runs(graph, found, feeds)
        changed += any(not np.array_equal(first[name], array) for name, array in second.items())
    assert changed >= 28, "a network of relu may stay at zero"


def check_runs(graph: Graph, found: Graph, feeds: dict[str, Array]) -> dict[str, Array]:
    """Check an optimised graph and its model against the graph; returns what that computes."""
    model = unroll.to_onnx(found)
    onnx.checker.check_model(model, full_check=True)
    wanted = graph.run(feeds)
    for runs in (found.run(feeds), unroll.Session(model).run(feeds)):
        for name, array in wanted.items():
            np.testing.assert_allclose(runs[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
    return wanted


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_run_twice_changes_no_more(name: str) -> None:
    for seed in range(5):
        graph, _ = random_network(seed)
        once = PASSES[name](graph)
        assert len(PASSES[name](once).nodes) == len(once.nodes)


# -- size --------------------------------------------------------------------------------------------------------------


def test_every_pass_says_what_it_preserves_and_adds() -> None:
    for name, function in PASSES.items():
        text = import_module(f"unroll.passes.{name}").__doc__ or ""
        assert "reserves" in text and ("add" in text or "Add" in text), name
        assert function.__doc__, name


@pytest.mark.slow
def test_ten_times_the_steps_take_about_ten_times_as_long_without_recursion() -> None:
    def seconds(steps: int) -> float:
        x = unroll.placeholder([None, steps, 3], "x")
        outputs, _ = static_rnn(BasicLSTMCell(2), ops.unstack(x, 1))
        graph = Graph([x], outputs[-1])
        start = process_time()
        optimize(graph)
        return process_time() - start

    short = min(seconds(150) for _ in range(3))
    assert min(seconds(1500) for _ in range(2)) < 20 * short
