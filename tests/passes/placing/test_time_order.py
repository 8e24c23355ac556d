"""Steps are in the order in which states are handed on, whatever the order in which nodes and inputs are listed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import onnx
import pytest
from foreign_files import anonymous, shuffled
from picture_networks import FOREIGN, NETWORKS

import unroll
from unroll import ops
from unroll.passes.places import places

FILES = sorted(path.stem for path in FOREIGN.glob("*.onnx"))


def said(model: onnx.ModelProto) -> dict[str, list[tuple[int | None, str | None, str | None]]]:
    graph = places(unroll.from_onnx(model))
    return {graph.name(node): sorted(map(str, (origin[1:4] for origin in node.provenance))) for node in graph.nodes}


def check_any_order(model: onnx.ModelProto) -> None:
    assert said(shuffled(model, seed=len(model.graph.node))) == said(model)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("names", ["ours", "another's"])
def test_a_network_has_the_same_steps_in_every_order_of_nodes_and_inputs(name: str, names: str) -> None:
    model = unroll.to_onnx(NETWORKS[name]())
    check_any_order(model if names == "ours" else anonymous(model))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_same_steps_in_every_order_of_nodes_and_inputs(name: str) -> None:
    check_any_order(onnx.load(FOREIGN / f"{name}.onnx"))


def weight(name: str, *shape: int) -> unroll.Parameter:
    return unroll.Parameter(np.full(shape, 0.1, np.float32), name)


def rows(names: Sequence[str]) -> list[unroll.Placeholder]:
    return [unroll.placeholder([None, 3], name) for name in names]


def steps_of(graph: unroll.Graph, operator: str = "Tanh") -> list[int | None]:
    """The steps of the states, in the order in which each is made of the one before."""
    return [node.origin.step for node in places(graph).nodes if node.op.name == operator]


def by_hand(
    inputs: Sequence[unroll.Tensor], first: unroll.Tensor | None = None, scope: str = "rnn"
) -> list[unroll.Tensor]:
    """The states of a loop without ``step``; the first step is written otherwise where it starts from nothing."""
    with unroll.scope(scope):
        wx, wh, b = weight("wx", inputs[0].shape[-1], 4), weight("wh", 4, 4), weight("b", 4)
    states = [] if first is None else [first]
    for x in inputs:
        states.append(ops.tanh(x @ wx + states[-1] @ wh + b) if states else ops.tanh(x @ wx + b))
    return states if first is None else states[1:]


@pytest.mark.parametrize("start", ["a state", "nothing"])
@pytest.mark.parametrize("names", [("x0", "x1", "x2", "x3"), ("x3", "x2", "x1", "x0"), ("a", "d", "c", "b")])
def test_a_loop_that_reads_inputs_counts_in_its_own_order(names: tuple[str, ...], start: str) -> None:
    x, h = rows(names), unroll.placeholder([None, 4], "h")
    states = by_hand(x, h if start == "a state" else None)
    for listed in permutations(x):
        graph = unroll.Graph([*listed, h] if start == "a state" else list(listed), {"y": states[-1]})
        assert steps_of(graph) == [0, 1, 2, 3]


@pytest.mark.parametrize("start", ["a state", "a vector", "the context"])
def test_what_every_step_reads_is_no_step(start: str) -> None:
    x, context, h = rows("abcd"), unroll.placeholder([None, 3], "context"), unroll.placeholder([None, 4], "h")
    first = {"a state": h, "a vector": ops.relu(context @ weight("w0", 3, 4)), "the context": context}[start]
    size = first.shape[-1]
    wx, wc, wh = weight("wx", 3, size), weight("wc", 3, size), weight("wh", size, size)
    state = first
    for row in x:
        state = ops.tanh(row @ wx + context @ wc + state @ wh)
    listed = [context, *x, *([h] if start == "a state" else [])]
    placed = places(unroll.Graph(listed, {"y": state}))
    assert [node.origin.step for node in placed.nodes if node.op.name == "Tanh"] == [0, 1, 2, 3]
    assert [node.origin.step for node in placed.nodes if node.op.name == "Relu"] == [None] * (start == "a vector")
    made = [node.origin for node in placed.nodes if node.op.name in ("MatMul", "Add") and node.origin.cell is not None]
    assert len(made) == 4 * 5  # each step has its three products and their two sums


def two_ways(x: Sequence[unroll.Tensor], listed: Sequence[unroll.Tensor]) -> tuple[list[int | None], list[int | None]]:
    """The steps of a loop over `x`, and of one over `x` in the opposite order."""
    starts = [unroll.placeholder([None, 4], name) for name in ("there", "back")]
    there, back = by_hand(x, starts[0], "one"), by_hand(x[::-1], starts[1], "other")
    placed = places(unroll.Graph([*listed, *starts], {"y": there[-1], "z": back[-1]}))
    found = [
        [node.origin for node in placed.nodes if node.op.name == "Tanh" and node.origin.cell == cell]
        for cell in ("one", "other")
    ]
    return [origin.step for origin in found[0]], [origin.step for origin in found[1]]


@pytest.mark.parametrize("names", [("x0", "x1", "x2", "x3"), ("in/8:0", "in/9:0", "in/10:0", "in/11:0")])
def test_of_two_directions_the_numbers_of_the_inputs_tell_which_is_backward(names: tuple[str, ...]) -> None:
    x = rows(names)
    for listed in permutations(x):
        assert two_ways(x, listed) == ([0, 1, 2, 3], [3, 2, 1, 0])
        assert two_ways(x[::-1], listed) == ([3, 2, 1, 0], [0, 1, 2, 3])


def test_of_two_directions_the_order_of_inputs_without_numbers_tells_which_is_backward() -> None:
    x = rows("dbca")
    assert two_ways(x, x) == ([0, 1, 2, 3], [3, 2, 1, 0])
    assert two_ways(x[::-1], x) == ([3, 2, 1, 0], [0, 1, 2, 3])


def test_rows_of_one_sequence_are_timesteps() -> None:
    x, h = unroll.placeholder([None, 6, 3], "x"), unroll.placeholder([None, 4], "h")
    for listed in ([0, 1, 2, 3], [5, 4, 3, 2], [2, 3, 4]):
        graph = unroll.Graph([x, h], {"y": by_hand([x[:, row, :] for row in listed], h)[-1]})
        assert steps_of(graph) == listed


def test_a_loop_over_another_is_at_its_steps() -> None:
    x, h = rows("abcd"), [unroll.placeholder([None, 4], f"h{layer}") for layer in range(3)]
    below = by_hand(x, h[0], "below")
    above, back = by_hand(below, h[1], "above"), by_hand(below[::-1], h[2], "back")
    placed = places(unroll.Graph([*x, *h], {"y": above[-1], "z": back[-1]}))
    steps: dict[str | None, list[int | None]] = {}
    for node in placed.nodes:
        if node.op.name == "Tanh":
            steps.setdefault(node.origin.cell, []).append(node.origin.step)
    assert steps == {"below": [0, 1, 2, 3], "above": [0, 1, 2, 3], "back": [3, 2, 1, 0]}
