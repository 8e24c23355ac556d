"""`draw_values`: what gates, states and outputs hold at every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import Array
from picture_networks import NETWORKS
from svg_reading import bitmaps, hexadecimal, overlapping, texts

import unroll
from unroll.viz.dot_text import text_width

ORANGE, WHITE, PAPER = "#D55E00", "#FFFFFF", "#F7F6F3"


def rnn(steps: int, cell: Any = None, features: int = 3) -> tuple[unroll.Graph, list[Any]]:
    inputs = [unroll.placeholder([None, features], f"x{t}") for t in range(steps)]
    outputs, _ = unroll.static_rnn(cell or unroll.BasicLSTMCell(4), inputs)
    return unroll.Graph(inputs, {"y": outputs[-1]}), inputs


def feeds_of(graph: unroll.Graph, batch: int = 2) -> dict[str, Array]:
    rng, found = np.random.default_rng(0), {}
    for item in graph.inputs:
        shape = [size if isinstance(size, int) else 3 if place else batch for place, size in enumerate(item.shape)]
        drawn = rng.normal(size=shape) if item.dtype.kind == "f" else rng.integers(1, 4, shape)
        found[item.name] = drawn.astype(item.dtype)
    return found


def strips(svg: str) -> list[Array]:
    """The strips of a picture, without the scales at their right."""
    return [item.dots for item in bitmaps(svg)[::2]]


def test_every_number_of_a_run_has_its_place_and_its_colour() -> None:
    graph, inputs = rnn(3)
    feeds = {item: np.zeros((2, 3), "float32") for item in inputs}
    feeds[inputs[1]][1] = [-1.0, 0.0, 1.0]
    shown = strips(unroll.draw_values(graph, feeds, row=1).svg)
    assert [dots.shape[:2] for dots in shown] == [(3, 3), *[(4, 3)] * 6]  # x, then i, j, f, o, c, h
    assert [hexadecimal(dot) for dot in shown[0][:, 1]] == ["#8A4E12", PAPER, "#12507F"]
    assert hexadecimal(shown[0][0, 0]) == PAPER
    run = graph.run(feeds, "rnn/t2/basic_lstm_cell/f")[1]
    order = np.argsort(run)
    darkness = -shown[3][:, 2].astype(int).sum(axis=1)
    assert (np.diff(darkness[order]) >= 0).all()
    assert len(set(darkness)) > 1


def test_strips_are_named_sized_and_have_their_scale_and_their_steps() -> None:
    graph, _ = rnn(4)
    said = texts(unroll.draw_values(graph, feeds_of(graph)).svg)
    assert {
        "x 3",
        "i 4",
        "j 4",
        "f 4",
        "o 4",
        "c 4",
        "h 4",
        "4 steps, 4 units",
        "input gate, \u03c3",
        "row 0 of the batch",
    } <= set(said)
    assert [text for text in said if text.isdecimal() and text in "0123"].count("3") == 1
    assert {"0", "1", "\u22121"} <= set(said)


def test_saturated_gates_and_dead_units_are_marked() -> None:
    cell = unroll.BasicLSTMCell(4)
    graph, _ = rnn(10, cell)
    bias = np.zeros(16, "float32")
    bias[2], bias[4 + 1] = 30.0, 30.0  # i of unit 2, and j of unit 1
    kernel = cell.kernel.value.copy()
    kernel[:, [3, 4 + 3, 12 + 3]] = 0.0  # nothing reaches i, j and o of unit 3, so that its c and h stay zero
    cell.kernel.assign(kernel)
    cell.bias.assign(bias)
    picture = unroll.draw_values(graph, feeds_of(graph))
    said = texts(picture.svg)
    assert said.count("1 saturated, 1 dead of 4") == 2  # i and j
    assert said.count("1 dead of 4") == 3  # o, c and h
    assert any(note.startswith("\u25a0 saturated") for note in picture.notes)
    assert any(note.startswith("\u25a1 dead") for note in picture.notes)


def test_one_step_is_no_sign_of_death() -> None:
    graph, _ = rnn(1)
    picture = unroll.draw_values(graph, feeds_of(graph))
    assert picture.notes == ("row 0 of the batch",)
    assert "1 step, 4 units" in texts(picture.svg)


def test_steps_behind_the_end_of_a_sequence_are_hatched() -> None:
    graph = NETWORKS["both ways with lengths"]()
    feeds = feeds_of(graph)
    lengths = next(name for name, array in feeds.items() if array.dtype.kind == "i")
    hatched = {}
    for length in (1, 3):
        feeds[lengths][:] = length
        picture = unroll.draw_values(graph, feeds)
        hatched[length] = picture.svg.count('stroke-width="0.6"')
        assert ("hatched: behind the end of the sequence" in picture.notes) == (length < 3)
    assert hatched[1] > hatched[3]


def test_directions_and_stacks_have_strips_of_their_own_on_one_axis() -> None:
    graph = NETWORKS["nn LSTM, two layers both ways"]()
    picture = unroll.draw_values(graph, feeds_of(graph))
    names = [text for text in texts(picture.svg) if text.startswith("lstm/")]
    assert sorted(names) == ["lstm/l0", "lstm/l0_reverse", "lstm/l1", "lstm/l1_reverse"]
    assert sum("from the last step to the first" in text for text in texts(picture.svg)) == 2
    places = {(item.x, item.width) for item in bitmaps(picture.svg)[::2]}
    assert len(places) == 1


def test_what_is_no_number_is_marked_and_counted() -> None:
    graph, inputs = rnn(3)
    feeds = {item: np.zeros((1, 3), "float32") for item in inputs}
    feeds[inputs[2]][0, 1] = np.nan
    picture = unroll.draw_values(graph, feeds)
    x = strips(picture.svg)[0]
    assert [[hexadecimal(dot) == ORANGE for dot in row] for row in x] == [
        [False] * 3,
        [False, False, True],
        [False] * 3,
    ]
    count = 1 + 6 * 4  # and every gate and state of the last step
    assert f"{count} numbers are NaN or infinite, in orange" in picture.notes


def test_many_steps_and_units_are_drawn_with_fewer_dots_than_numbers() -> None:
    graph, _ = rnn(2000, unroll.BasicRNNCell(400), 5)
    picture = unroll.draw_values(graph, feeds_of(graph, 1))
    rows, columns = strips(picture.svg)[-1].shape[:2]
    assert rows < 400
    assert columns < 2000
    assert {"each dot is the mean of up to 2 steps", "each dot is the mean of up to 3 units"} <= set(picture.notes)
    graph, _ = rnn(1000, unroll.BasicLSTMCell(13), 28)
    picture = unroll.draw_values(graph, feeds_of(graph))
    assert strips(picture.svg)[-1].shape[:2] == (13, 1000)
    assert len(picture.svg) < 1_000_000


def test_steps_inside_an_operator_have_the_values_of_the_graph_that_it_was_made_of() -> None:
    graph, _ = rnn(6)
    rolled, report = unroll.reroll(graph)
    assert report and [node.op.name for node in rolled.nodes].count("LSTM") == 1
    own = strips(unroll.draw_values(graph, feeds_of(graph)).svg)
    inner = strips(unroll.draw_values(rolled, feeds_of(graph)).svg)
    assert [strip.shape for strip in inner] == [strip.shape for strip in own]
    for place in (0, 1, 3, 4, 5, 6):  # x, i, f, o, c, h; the candidate is j in one of them and c in the other
        assert np.abs(inner[place].astype(int) - own[place]).max() <= 2


def test_a_loop_of_any_length_has_the_steps_that_are_fed() -> None:
    x = unroll.placeholder([None, "time", 3], "x")
    graph = unroll.Graph([x], {"y": unroll.dynamic_rnn(unroll.GRUCell(4), x)[0]})
    picture = unroll.draw_values(graph, {x: np.ones((2, 7, 3))})
    assert any("7 steps, 4 units" in text for text in texts(picture.svg)), (
        "the key of a feed is a placeholder of that graph"
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_no_label_of_any_network_stands_on_another(name: str) -> None:
    graph = NETWORKS[name]()
    try:
        picture = unroll.draw_values(graph, feeds_of(graph))
    except unroll.UnrollError as error:
        assert "there is no cell over steps" in str(error)
        return
    assert overlapping(picture.svg, lambda text, size, bold: text_width(text, size, bold, None)) == []


def test_it_is_written_as_svg_png_and_pdf(tmp_path: Path) -> None:
    graph, _ = rnn(3)
    for suffix, head in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        unroll.draw_values(graph, feeds_of(graph), tmp_path / f"v.{suffix}")
        assert (tmp_path / f"v.{suffix}").read_bytes().startswith(head)


def test_a_row_that_is_not_there_and_a_graph_without_steps_are_refused() -> None:
    graph, _ = rnn(2)
    with pytest.raises(unroll.UnrollError, match="draw_values: row is 2, and the batch has 2 rows; give one of 0 to 1"):
        unroll.draw_values(graph, feeds_of(graph), row=2)
    x = unroll.placeholder([2], "x")
    with pytest.raises(unroll.UnrollError, match="draw_values: there is no cell over steps in this graph"):
        unroll.draw_values(unroll.Graph([x], {"y": x + x}), {"x": [1, 2]})
