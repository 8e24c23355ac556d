"""What the states of joint cells are called, and which values their boxes print: those of the program, at every step."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from drawn_programs import cells_of, keras, parsed, places
from joined_cells import directions, stack_of

import unroll
from unroll import Graph, layers
from unroll.trials.trial_feeds import trial_feeds

NAMED: dict[str, tuple[Callable[[], Graph], set[str]]] = {
    "Keras LSTM": (lambda: keras(layers.Bidirectional(layers.LSTM(3)), steps=8), {"c", "h"}),
    "Keras GRU": (lambda: keras(layers.Bidirectional(layers.GRU(3)), steps=8), {"h"}),
    "directions": (lambda: directions(unroll.BasicLSTMCell(4), unroll.BasicLSTMCell(4)), {"c", "h"}),
    "layers of LSTM": (lambda: stack_of([unroll.BasicLSTMCell(4) for _ in range(2)]), {"c", "h"}),
    "layers of GRU": (lambda: stack_of([unroll.GRUCell(4) for _ in range(3)]), {"h"}),
}


@pytest.mark.parametrize("name", NAMED)
def test_states_of_joint_cells_have_the_names_that_they_have_in_the_program(name: str) -> None:
    make, states = NAMED[name]
    dot = unroll.draw(unroll.optimize(make(), batch=1), format="dot").dot
    assert set(re.findall(r"\[label=<(\w[\w ]*) \(", dot)) == states


def test_every_step_of_joint_directions_prints_its_states() -> None:
    """The output is the two last states h side by side; at the first step each direction has states of its own."""
    x = np.random.default_rng(0).normal(size=(1, 8, 4)).astype(np.float32)
    plain = keras(layers.Bidirectional(layers.LSTM(3)), steps=8)
    graph = unroll.optimize(plain, batch=1)
    (wanted,) = plain.run({plain.inputs[0]: x}).values()
    drawn = parsed(unroll.draw(graph, feeds={graph.inputs[0]: x}, format="dot"))
    place = places(drawn)
    first, *_, last = (
        re.findall(r">([\w ]+) = ", drawn.get_node(node).attr["label"])
        for node in sorted(cells_of(drawn), key=place.__getitem__)
    )
    assert first == ["forward_lstm c", "backward_lstm c", "forward_lstm h", "backward_lstm h"] and last == ["c", "h"]
    label = drawn.get_node(max(cells_of(drawn), key=place.__getitem__)).attr["label"]
    numbers = re.findall(r"-?\d+\.\d+(?:e-?\d+)?", label.split("h = ")[1])
    np.testing.assert_allclose([float(number) for number in numbers], wanted.ravel(), rtol=1e-3)


def test_the_first_step_prints_the_states_of_both_directions() -> None:
    graph = unroll.optimize(keras(layers.Bidirectional(layers.LSTM(3)), steps=8), batch=1)
    feeds = trial_feeds(graph, dims={"batch": 1})[0]
    drawn = parsed(unroll.draw(graph, feeds=feeds, format="dot"))
    place = places(drawn)
    label = drawn.get_node(min(cells_of(drawn), key=place.__getitem__)).attr["label"]
    for part, step in (("forward", 0), ("backward", 7)):
        made = graph.names.by_name[f"sequential/bidirectional/{part}_lstm/t{step}/lstm_cell/new_c"]
        (state,) = graph.run(feeds, [made])
        assert f"{part}_lstm c = {', '.join(f'{item:.4g}' for item in state.ravel())}" in label
