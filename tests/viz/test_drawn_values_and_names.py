"""Values of feeds, and names of any kind, are shown to the letter."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from drawn_programs import (
    HOSTILE,
    PROGRAMS,
    cells_of,
    hostile,
    parsed,
    texts,
    two_steps,
)
from picture_networks import NETWORKS

import unroll
from unroll import ops
from unroll.errors import (
    FeedError,
)
from unroll.trials.trial_feeds import trial_feeds
from unroll.viz import drawing
from unroll.viz.values import value_lines

# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ("cell", "op"))
def test_feeds_print_the_values_of_inputs_states_outputs_and_weights(level: drawing.Level) -> None:
    graph = two_steps()
    graph.assign({"rnn/basic_rnn_cell/kernel": np.ones((8, 5))})
    x = np.array([[0, 0.1, 0.2]], np.float32)
    shown = texts(unroll.draw(graph, level=level, feeds={"X0": x, "X1": x}))
    assert shown.count("0, 0.1, 0.2") == 2
    assert "all 0.2913" in shown and "all 0.9421" in shown
    assert "all 1" in shown and "all 0" in shown
    assert not any("0.2913" in text for text in texts(unroll.draw(graph, level=level)))


@pytest.mark.parametrize("network", ["optimized GRU", "optimized BasicLSTM", "GRU", "four states"])
def test_each_step_of_a_cell_prints_the_states_that_it_makes_in_their_order(network: str) -> None:
    graph = NETWORKS[network]()
    feeds = trial_feeds(graph, dims={"batch": 1})[0]
    picture = parsed(unroll.draw(graph, feeds=feeds, format="dot"))
    cells = [
        re.findall(r">(\w+) = ([-\d.e]+)", node.attr["label"]) for node in map(picture.get_node, cells_of(picture))
    ]
    assert {tuple(name for name, _ in found) for found in cells} == {
        {"optimized BasicLSTM": ("c", "h"), "four states": ("c", "h", "m", "n")}.get(network, ("h",))
    }
    outputs = graph.run(feeds)
    firsts = {f"{array[0, 0]:.4g}" for name, array in outputs.items() if name.endswith("/h")}
    assert {value for found in cells for name, value in found if name == "h"} == firsts


def test_a_state_without_a_name_is_printed_too() -> None:
    graph = NETWORKS["NumPy style"]()
    x = np.full((1, 5, 3), 0.5, np.float32)
    h, expected = np.zeros(4), []
    for _ in range(5):
        h = np.tanh(x[:, 0] @ np.ones((3, 4)) + h @ np.ones((4, 4)))
        expected.append(f"h = all {h[0, 0]:.4g}")
    shown = texts(unroll.draw(graph, feeds={"x": x}))
    assert sorted(text for text in shown if text.startswith("h =")) == sorted(expected)


def test_no_number_is_cut_where_a_name_stands_before_it() -> None:
    array = np.array([[-0.003672, -0.004831, 0.1009, 0.07481, 0.04463]])
    assert value_lines(array, len("state 1 = ")) == ["-0.003672, -0.004831, 0.1009", "0.07481, 0.04463"]
    assert value_lines(array) == ["-0.003672, -0.004831, 0.1009, 0.07481, 0.04463"]


@pytest.mark.parametrize(
    "network", ["Keras, masked", "peepholes", "joined both ways", "cell LSTM, clipped and projected"]
)
def test_values_are_printed_whole(network: str) -> None:
    graph = NETWORKS[network]()
    shown = texts(unroll.draw(graph, feeds=trial_feeds(graph, dims={"batch": 1})[0]))
    assert any(" = " in text for text in shown)
    assert not [text for text in shown if "\u2026" in text[1:]]  # alone it is a mark, which a note explains


def test_wrong_feeds_are_refused() -> None:
    with pytest.raises(FeedError, match="X1"):
        unroll.draw(two_steps(), feeds={"X0": np.zeros((1, 3))})


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (3.0, ["3"]),
        ([1.23456, -2], ["1.235, -2"]),
        ([np.nan, np.inf, -np.inf], ["nan, inf, -inf"]),
        ([np.nan] * 5, ["all nan"]),
        ([-0.0], ["0"]),
        ([True, False], ["true, false"]),
        (np.arange(8).reshape(2, 4), ["0, 1, 2, 3", "4, 5, 6, 7"]),
        (np.arange(5), ["0, 1, 2, 3, 4"]),
        (np.arange(7), ["0, 1, 2, 3", "4, 5, 6"]),
        (np.arange(10).reshape(2, 5), ["0, 1, 2, 3, 4", "5, 6, 7, 8, 9"]),
        (np.arange(12).reshape(2, 2, 3), ["0, 1, 2", "3, 4, 5", "6, 7, 8", "9, 10, 11"]),
        (np.arange(9).reshape(9, 1), []),
        (np.arange(13), []),
        (np.zeros((0, 3)), []),
        (np.full((20, 20), 1e-7), ["all 1e-07"]),
    ],
)
def test_small_values_are_written_with_four_digits_and_large_ones_not_at_all(value: object, lines: list[str]) -> None:
    assert value_lines(np.asarray(value)) == lines


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ("cell", "op"))
def test_hostile_names_are_shown_to_the_letter(level: drawing.Level) -> None:
    picture = unroll.draw(hostile(), level=level)
    shown = texts(picture)
    assert f"{HOSTILE}0" in shown and f"{HOSTILE}1" in shown
    assert "cell <&>\\N{|}" in shown
    assert '<sc"ope>&lt;/cell <&>\\N{|}' in shown
    assert any('di"m<&\\n' in text for text in shown), "a line break in a name is spelt out"


def test_hostile_names_reach_tooltips_to_the_letter() -> None:
    root = ElementTree.fromstring(unroll.draw(hostile())._repr_svg_())
    titles = {element.get("{http://www.w3.org/1999/xlink}title") for element in root.iter()}
    scope = '<sc"ope>&lt;'
    cell = f"{scope}/cell <&>\\N{{|}}"
    assert {f"{HOSTILE}0", scope, f"{cell}, t = 0", f"{cell}/kernel, {cell}/bias"} <= titles


def test_a_node_of_several_outputs_shows_all_their_shapes_and_no_value_of_one() -> None:
    x = unroll.placeholder([1, 6], "x")
    a, b = ops.split(x, 2, 1)
    picture = unroll.draw(unroll.Graph([x], {"a": ops.tanh(a), "b": ops.tanh(b)}), feeds={"x": [[1, 2, 3, 4, 5, 6]]})
    lines = texts(picture)
    assert "2 x (1, 3)" in lines
    assert not any(line.startswith("1, 2, 3") and len(line) < len("1, 2, 3, 4") for line in lines)


def test_states_are_named_by_their_place_in_the_state() -> None:
    shown = " ".join(texts(unroll.draw(PROGRAMS["two states side by side"]())))
    assert "a (batch, 2)" in shown
    assert "b (batch, 3)" in shown
    assert "Sigmoid" not in shown


@pytest.mark.parametrize("level", ("cell", "op"))
def test_a_place_in_a_nest_of_states_is_no_name(level: drawing.Level) -> None:
    """The third state of TensorFlow's attention wrapper is the window that it attends over."""
    picture = parsed(unroll.draw(NETWORKS["attention"](), level=level, format="dot"))
    named = [
        re.findall(r"<B>(.*?)</B>", node.attr["label"])[0] for node in picture.nodes() if node.startswith("output")
    ]
    assert sorted(named) == ["attns", "c", "h", "output", "output", "output", "state"]


def test_an_output_of_a_long_name_is_called_by_the_end_that_no_other_has() -> None:
    shown = texts(unroll.draw(NETWORKS["joined both ways"]()))
    assert "output" in shown and not any("sequential/" in text and "output" in text for text in shown)
