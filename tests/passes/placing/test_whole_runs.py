"""What repeats here and there in a net that is no loop gets no step, and is not looked for beyond all measure."""

from __future__ import annotations

import random
from time import process_time

import numpy as np
import pytest

import unroll
from unroll import Graph, ops
from unroll.passes.places import places


def tangled(count: int) -> Graph:
    """A net of one weight in which each layer adds a random earlier one: 3 nodes a layer."""
    pick = random.Random(count)
    weight = unroll.Parameter(np.full((4, 4), 0.1, np.float32), "w")
    made = [unroll.placeholder([2, 4], "x")]
    for _ in range(count):
        total = made[-1] @ weight + pick.choice(made)
        made.append(pick.choice([ops.tanh, ops.sigmoid])(total))
    return Graph([made[0]], {"y": made[-1]})


@pytest.mark.parametrize("count", [20, 50, 100, 200])
def test_short_runs_in_a_net_that_is_no_loop_get_no_steps(count: int) -> None:
    graph = tangled(count)
    assert places(graph) is graph
    assert "timestep" not in graph.summary()


def test_the_search_in_a_large_net_ends() -> None:
    graph = tangled(4000)  # 11.4 seconds while it had no bound
    start = process_time()
    assert places(graph) is graph
    assert process_time() - start < 6  # 2 seconds, on a machine that does nothing else


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_layers_that_share_a_weight_keep_their_steps(layers: int) -> None:
    weight = unroll.Parameter(np.full((4, 4), 0.1, np.float32), "w")
    inputs = row = [unroll.placeholder([2, 4], f"x{step}") for step in range(6)]
    states = [unroll.placeholder([2, 4], f"h{layer}") for layer in range(layers)]
    for h in states:
        kernel, made = unroll.Parameter(np.full((4, 4), 0.2, np.float32), f"kernel{h.name}"), []
        for x in row:
            h = ops.tanh(x @ kernel + h @ weight)
            made.append(h)
        row = made
    placed = places(Graph([*inputs, *states], {"y": row[-1]}))
    assert {node.origin.step for node in placed.nodes if node.op.name == "Tanh"} >= set(range(1, 6))


def test_a_long_loop_is_found_within_the_bound() -> None:
    weight = unroll.Parameter(np.full((4, 4), 0.1, np.float32), "w")
    inputs = [unroll.placeholder([2, 4], f"x{step}") for step in range(6000)]
    h = first = unroll.placeholder([2, 4], "h")
    for x in inputs:
        h = ops.tanh(x + h @ weight)
    placed = places(Graph([*inputs, first], {"y": h}))
    assert len({node.origin.step for node in placed.nodes}) == 6000


@pytest.mark.parametrize("length", [4000, 8000])
def test_what_lies_beside_steps_is_placed_in_time_that_grows_with_it_alone(length: int) -> None:
    weight = unroll.Parameter(np.full((4, 4), 0.1, np.float32), "w")
    inputs = [unroll.placeholder([2, 4], f"x{step}") for step in range(4)]
    h = first = unroll.placeholder([2, 4], "h")
    made = []
    for x in inputs:
        h = y = ops.tanh(x + h @ weight)
        for _ in range(length):
            y = ops.relu(y)
        made.append(y)
    start = process_time()
    placed = places(Graph([*inputs, first], dict(zip("abcd", made, strict=True))))
    assert {node.origin.step for node in placed.nodes} == {0, 1, 2, 3}
    assert process_time() - start < length / 1000  # 0.8 and 1.6 seconds, on a machine that does nothing else
