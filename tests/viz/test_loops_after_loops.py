"""A loop that reads another out of order follows it; one that reads it in order stays in its columns."""

from __future__ import annotations

import re

import numpy as np
import pytest
from drawn_programs import headings, keras, parsed, places, texts
from picture_networks import NETWORKS

import unroll
from unroll import layers, nn, ops
from unroll.display import placed
from unroll.viz.drawing import Picture
from unroll.viz.scene import Scene

LEVELS = ("cell", "op")


def encoded(steps: int = 4) -> tuple[list[unroll.Tensor], list[unroll.Tensor], unroll.Tensor]:
    inputs = [unroll.placeholder([None, 3], f"x{step}") for step in range(steps)]
    outputs, state = unroll.static_rnn(unroll.GRUCell(3), inputs, scope="enc")
    return inputs, list(outputs), state


def attending(decoder_steps: int, own_state: bool) -> unroll.Graph:
    """A decoder that weighs all outputs of its encoder at each of its steps."""
    inputs, outputs, state = encoded()
    keys = ops.stack(outputs, 1)
    query = unroll.Parameter(np.full((3, 3), 0.1, np.float32), "query")
    cell, found = unroll.GRUCell(3), []
    own = unroll.placeholder([None, 3], "s")
    state = own if own_state else state
    with unroll.scope("dec"):
        for step in range(decoder_steps):
            with unroll.step(step):
                weights = ops.softmax(ops.reduce_sum(keys * ops.unsqueeze(state @ query, [1]), -1), 1)
                output, state = cell(ops.reduce_sum(keys * ops.unsqueeze(weights, [2]), 1), state)
                found.append(output)
    return unroll.Graph([*inputs, own] if own_state else inputs, found)


def reversed_outputs() -> unroll.Graph:
    inputs, outputs, _ = encoded()
    found, _ = unroll.static_rnn(unroll.GRUCell(3), outputs[::-1], scope="dec")
    return unroll.Graph(inputs, list(found))


def named_headings(picture: Picture) -> list[str]:
    graph = parsed(picture)
    place = places(graph)
    found = sorted((node for node in graph.nodes() if node.startswith("step_")), key=lambda node: place[node][0])
    return [re.findall(r"[^<>]*t = \d+", node.attr["label"])[0] for node in found]


FOLLOWING = {
    "one step that attends": (lambda: attending(1, own_state=False), 1),
    "attends from a state of its own": (lambda: attending(3, own_state=True), 3),
    "attends from the encoder's state": (lambda: attending(3, own_state=False), 3),
    "reversed outputs": (reversed_outputs, 4),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", FOLLOWING)
def test_a_loop_that_reads_another_out_of_order_follows_it(name: str, level: str) -> None:
    make, steps = FOLLOWING[name]
    picture = unroll.draw(make(), level=level, format="dot", full=True)
    assert headings(picture) == [0, 1, 2, 3, *range(steps)]
    wanted = [f"enc t = {step}" for step in range(4)] + [f"dec t = {step}" for step in range(steps)]
    assert named_headings(picture) == wanted


def stack_of_tensors() -> unroll.Graph:
    x = unroll.placeholder([None, 4, 3], "x")
    y, _ = nn.GRU(3, 5, num_layers=2, bidirectional=True, batch_first=True)(x)
    return unroll.Graph([x], [layers.LSTM(3, name="top")(y)])


IN_ORDER = {
    "Keras's layers": lambda: keras(layers.LSTM(3, return_sequences=True), layers.GRU(3), steps=4),
    "a layer between": lambda: keras(
        layers.LSTM(3, return_sequences=True), layers.TimeDistributed(layers.Dense(2)), layers.GRU(3), steps=4
    ),
    "one layer for all steps between": lambda: keras(
        layers.LSTM(3, return_sequences=True), layers.Dense(2), layers.GRU(3), steps=4
    ),
    "both directions": lambda: keras(
        *(layers.Bidirectional(layers.LSTM(3, return_sequences=True)) for _ in range(3)), steps=4
    ),
    "backward over forward": lambda: keras(
        layers.LSTM(3, return_sequences=True), layers.Bidirectional(layers.GRU(3)), steps=4
    ),
    "modules under a layer": stack_of_tensors,
}


@pytest.mark.usefixtures("every_operator")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", IN_ORDER)
def test_a_loop_that_reads_another_in_order_stays_in_its_columns(name: str, level: str) -> None:
    picture = unroll.draw(IN_ORDER[name](), level=level, format="dot")
    assert named_headings(picture) == [f"t = {step}" for step in range(4)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("steps", (8, 9, 12))
@pytest.mark.usefixtures("every_operator")
def test_each_of_two_directions_says_how_many_steps_of_its_own_are_left_out(steps: int, level: str) -> None:
    both = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    shown = texts(unroll.draw(keras(both, steps=steps), level=level, format="dot"))
    left = steps - (4 if level == "cell" else 3)
    assert shown.count(f"... {left} more steps ...") == 2


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith("rerolled")])
def test_no_operator_of_another_part_stands_among_those_of_a_cell(name: str) -> None:
    scene = Scene(placed(NETWORKS[name]()), None, full=False, opened=True)
    inside: dict[tuple[object, str], list[int]] = {}
    for unit in scene.shown.units:
        if unit.cell is not None and unit in scene.slots:
            inside.setdefault((scene.slots[unit], unit.cell), []).append(scene.level(unit))
    for unit in scene.shown.units:
        if unit.kind == "op" and unit.cell is None and unit.step is not None and unit in scene.slots:
            for (slot, cell), levels in inside.items():
                among = slot == scene.slots[unit] and min(levels) <= scene.level(unit) <= max(levels)
                assert not among, (unit.nodes[0], cell)
