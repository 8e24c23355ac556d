"""A picture of operators that would be too large for a slide says less, in steps: never something else than it is."""

from __future__ import annotations

import re

import pytest
from drawn_programs import texts
from over_time_networks import OVER_TIME
from picture_boxes import boxes
from picture_networks import NETWORKS, torch_lstm

import unroll
from unroll import layers
from unroll.viz import sheet_writer
from unroll.viz.details import HIGHEST, WHOLE, WIDEST, excess


def titles(network: str, **options: object) -> list[str]:
    """The first line of each box of operators."""
    picture = unroll.draw(NETWORKS[network](), level="op", format="dot", **options)  # type: ignore[arg-type]
    return [box.lines[0] for name, box in boxes(picture).items() if name.startswith("op_") and box.lines]


def test_what_fills_a_page_fits_and_what_is_larger_is_said_to_be_so_many_times_larger() -> None:
    assert excess(WIDEST, HIGHEST) == 1.0
    assert excess(0.5 * WIDEST, 1.1 * HIGHEST) < 1 < excess(WIDEST, 1.1 * HIGHEST)
    assert excess(2 * WIDEST, 2 * HIGHEST) == 2.0


@pytest.mark.parametrize("network", ["two steps", "own cell", "cell BasicRNN", "NumPy style", "by hand", "GRU"])
def test_a_small_network_keeps_a_box_for_every_operator(network: str) -> None:
    found = titles(network)
    assert found and not [title for title in found if "," in title]
    if network == "two steps":
        assert len(found) == sum(node.origin.cell is not None for node in NETWORKS[network]().nodes)


@pytest.mark.parametrize("network", ["layers LSTM", "nn LSTM, two layers both ways", "Bahdanau"])
def test_full_draws_every_operator_of_every_step(network: str) -> None:
    graph = NETWORKS[network]()
    found = titles(network, full=True)
    assert not [title for title in found if "," in title]
    assert found.count("Tanh") == sum(node.op.name == "Tanh" for node in graph.nodes)


def test_operators_that_one_formula_says_share_a_box_that_names_them() -> None:
    picture = unroll.draw(NETWORKS["layers LSTM, 28 steps"](), level="op", format="dot")
    shared = [box.lines[:2] for box in boxes(picture).values() if box.lines and "," in box.lines[0]]
    assert ["Mul, Add", "new_c = f \u00d7 new_c[0] + i \u00d7 c"] in shared
    assert ["Tanh, Mul", "h = o \u00d7 tanh(new_c)"] in shared


def test_of_cells_with_the_same_operators_one_is_opened_at_one_step_and_the_others_say_so() -> None:
    graph = torch_lstm()
    drawn = boxes(unroll.draw(graph, level="op", format="dot"))
    closed = {name: box for name, box in drawn.items() if re.fullmatch(r"cell_\d+", name)}
    said = {box.lines[0]: [line for line in box.lines if line.startswith("same")] for box in closed.values()}
    assert said.pop("l0") == []
    assert said == {cell: ["same operators as l0"] for cell in ("l0_reverse", "l1", "l1_reverse")}
    assert len(closed) == 4 * 3 - 1
    done = {
        cell: [node.op.name for node in graph.nodes if node.origin.cell == f"lstm/{cell}" and node.origin.step == 1]
        for cell in ("l0", *said)
    }
    assert len({tuple(names) for names in done.values()}) == 1


@pytest.mark.parametrize("bias", (1.0, 0.5))
def test_cells_whose_numbers_differ_are_not_said_to_do_the_same(bias: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_writer, "LADDER", (WHOLE, WHOLE._replace(every=False, steps=False, alike=False)))
    monkeypatch.setattr(sheet_writer, "excess_of", lambda scene: 2.0 if scene.detail is WHOLE else 1.0)
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    forward, backward = unroll.BasicLSTMCell(3), unroll.BasicLSTMCell(3, forget_bias=bias)
    outputs, *_ = unroll.static_bidirectional_rnn(forward, backward, inputs)
    shown = texts(unroll.draw(unroll.Graph(inputs, outputs), level="op"))
    assert ("same operators as fw/basic_lstm_cell" in shown) == (bias == 1.0)


def test_zeros_that_a_closed_cell_begins_with_are_one_mark_beside_it() -> None:
    drawn = boxes(unroll.draw(NETWORKS["layers stacked"](), level="op", format="dot"))
    marks = [box for name, box in drawn.items() if name.startswith("zero_")]
    assert [mark.lines for mark in marks] == [["0"], ["0"]]
    closed = [box for name, box in drawn.items() if re.fullmatch(r"cell_\d+", name)]
    for mark in marks:
        assert any(mark.right < box.left and box.bottom < (mark.bottom + mark.top) / 2 < box.top for box in closed)


@pytest.mark.parametrize("level", ["cell", "op"])
def test_a_stack_that_is_taken_to_pieces_again_has_no_box(level: str) -> None:
    shown = texts(unroll.draw(NETWORKS["layers stacked"](), level=level))  # type: ignore[arg-type]
    assert "Stack" not in shown and shown.count("Unstack") == 1


def test_a_stack_that_is_returned_too_keeps_its_box() -> None:
    x = layers.Input((3, 4))
    first = layers.LSTM(3, return_sequences=True)(x)
    graph = layers.Model(x, [first, layers.GRU(2)(first)]).trace()
    shown = texts(unroll.draw(graph))
    assert shown.count("Stack") == 1 and shown.count("Unstack") == 1


def test_states_of_a_nest_without_names_are_told_apart() -> None:
    drawn = boxes(unroll.draw(OVER_TIME["attention"](), format="dot"))
    names = [box.lines[0] for name, box in drawn.items() if re.fullmatch(r"output_\d+", name)]
    assert len(set(names)) == len(names) and {"state/1", "state/2"} <= set(names)


def test_a_weight_that_each_step_multiplies_by_its_state_is_made_once() -> None:
    assert "Split" not in texts(unroll.draw(OVER_TIME["IndRNNCell"]()))


def test_a_recurrent_operator_is_called_as_its_layer_in_a_picture_of_layers() -> None:
    model = layers.Sequential([layers.Input((5, 4)), layers.LSTM(3, name="reads"), layers.Dense(2, name="says")])
    shown = texts(unroll.draw(unroll.reroll(model.trace())[0], level="layer"))
    assert {"reads", "LSTM", "says"} <= set(shown)


def test_a_legend_says_what_boxes_of_several_operators_and_closed_cells_are() -> None:
    shown = texts(unroll.draw(NETWORKS["layers stacked"](), level="op", legend=True))
    said = {
        "several operators: one formula says them all",
        "a cell as one box: another step is opened",
        "full=True draws every operator of every step",
    }
    assert said <= set(shown)
    assert said.isdisjoint(texts(unroll.draw(NETWORKS["two steps"](), level="op", legend=True)))
