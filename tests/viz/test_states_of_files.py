"""States in pictures of files of others: called c and h as in our cells, begun at the right end, one mark of zeros for each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from drawn_programs import parsed, places, texts
from picture_networks import FOREIGN
from pygraphviz import AGraph

import unroll
from unroll import ops


def drawn(name: str, level: str = "cell") -> AGraph:
    return parsed(unroll.draw(unroll.from_onnx(FOREIGN / f"{name}.onnx"), format="dot", level=level))  # type: ignore[arg-type]


def states(picture: AGraph) -> list[str]:
    """The names on the lines of states, without shapes."""
    lines = [edge.attr["xlabel"] or edge.attr["label"] or "" for edge in picture.edges()]
    return [line.partition(" (")[0] for line in lines if " (" in line]


LSTM = ["c", "h"]


@pytest.mark.parametrize(
    ("name", "called", "steps"),
    [
        ("tf2onnx-basic_lstm-bn-t5-op13", LSTM, 5),
        ("torchscript-lstm-bn-t5-op17", LSTM, 5),
        ("keras-lstm-return_sequences-bn-t5-op13", LSTM, 5),
        ("tf2onnx-gru-bn-t5-op13", ["h"], 5),
        ("dynamo-rnn-bn-t4-op18", ["h"], 4),
    ],
)
def test_each_state_of_a_file_has_its_name_and_its_own_mark_of_zeros(name: str, called: list[str], steps: int) -> None:
    picture = drawn(name)
    found = states(picture)
    assert set(found) == set(called)
    assert all(found.count(state) >= steps for state in called)  # each step reads each of them
    marks = [node for node in picture.nodes() if node.startswith("zero_")]
    assert len(marks) == len(called)
    first = min(
        (node for node in picture.nodes() if node.startswith("cell_")), key=lambda cell: places(picture)[cell][0]
    )
    assert all([str(edge[1]) for edge in picture.out_edges([mark])] == [str(first)] for mark in marks)


BOTH_WAYS = {
    "dynamo-both_ways_gru-bn-t3-op18": 1,
    "keras-bidirectional_lstm-return_sequences-bn-t3-op13": 2,
    "torchscript-both_ways_lstm-b3-t3-op11": 2,
}


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_zeros_stand_at_the_side_where_each_direction_begins(name: str) -> None:
    picture = drawn(name)
    at = places(picture)
    marks = [str(node) for node in picture.nodes() if node.startswith("zero_")]
    assert len(marks) == 2 * BOTH_WAYS[name]
    sides = []
    for mark in marks:
        (cell,) = {str(edge[1]) for edge in picture.out_edges([mark])}
        row = [
            at[str(node)][0] for node in picture.nodes() if node.startswith("cell_") and at[str(node)][1] == at[cell][1]
        ]
        assert at[mark][0] < min(row) or at[mark][0] > max(row)
        assert at[cell][0] == (min(row) if at[mark][0] < min(row) else max(row))
        sides.append(at[mark][0] < min(row))
    assert sides.count(True) == sides.count(False)


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_no_two_heads_meet_on_one_line_between_cells(name: str) -> None:
    picture = drawn(name)
    pairs = {(str(edge[0]), str(edge[1])) for edge in picture.edges() if {edge[0][:5], edge[1][:5]} == {"cell_"}}
    assert pairs and not {(target, source) for source, target in pairs} & pairs


def test_a_first_state_that_is_fed_to_both_directions_enters_each_where_it_begins() -> None:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    start = state = unroll.placeholder([None, 3], "start")
    ahead, _ = unroll.static_rnn(unroll.BasicRNNCell(3), inputs, initial_state=start, scope="there")
    cell, back = unroll.BasicRNNCell(3), []
    with unroll.scope("back"):
        for step in reversed(range(3)):
            with unroll.step(step):
                output, state = cell(inputs[step], state)
                back.append(output)
    both = [ops.concat([one, other], 1) for one, other in zip(ahead, reversed(back), strict=True)]
    picture = parsed(unroll.draw(unroll.Graph([*inputs, start], both), format="dot"))
    at = places(picture)
    (given,) = (str(node) for node in picture.nodes() if node.startswith("input_") and "start" in node.attr["label"])
    tips = {
        str(edge[1]): float(edge.attr["pos"].removeprefix("e,").split(",")[0]) for edge in picture.out_edges([given])
    }
    assert sorted(tip > at[cell][0] for cell, tip in tips.items()) == [False, True]


def test_a_first_state_that_a_file_keeps_is_no_weight_of_the_cell() -> None:
    name = "tf2onnx-basic_lstm-b3-t3-op11"
    kept = [item for item in unroll.from_onnx(FOREIGN / f"{name}.onnx").parameters.values() if "zeros" in item.name]
    assert [item.shape for item in kept] == [(3, 4)]
    picture = drawn(name)
    (card,) = (node for node in picture.nodes() if node.startswith("weights_"))
    assert "zeros" not in card.attr["label"]
    (box,) = (node for node in picture.nodes() if "zeros" in (node.attr["label"] or ""))
    begun = picture.out_edges([box])
    assert [str(edge[1])[:5] for edge in begun] == ["cell_"] * len(begun)
    assert {name for name in states(picture) if name in LSTM} == set(LSTM)
    assert states(picture).count("c") == states(picture).count("h") == 4  # the first of three steps, two more, the last


@pytest.mark.parametrize(
    ("name", "called", "steps"),
    [
        ("tf2onnx-basic_lstm-lengths=fed-bn-t4-op15", LSTM, 4),
        ("tf2onnx-basic_rnn-lengths=fed-bn-t4-op13", ["h"], 4),
        ("tf2onnx-gru-lengths=fed-b3-t3-op9", ["h"], 3),
    ],
)
def test_steps_that_an_if_computes_hand_their_states_on_and_say_nothing_of_masks(
    name: str, called: list[str], steps: int
) -> None:
    picture = drawn(name)
    assert sorted(states(picture)) == sorted(called * (steps + 1))  # what they begin with, and the last one
    kinds = Counter(str(node).partition("_")[0] for node in picture.nodes())
    begun = kinds["zero"] or kinds["constant"]
    assert begun == len(called) and kinds["cell"] == steps and not kinds["op"]
    assert ("(?, 3)" in edge_texts(picture)) == ("-bn-" in name)


def edge_texts(picture: AGraph) -> list[str]:
    return [edge.attr["xlabel"] or edge.attr["label"] or "" for edge in picture.edges()]


@pytest.mark.parametrize(
    ("name", "called"),
    [("tf2onnx-lstm_peepholes-b3-t4-op11", LSTM), ("tf2onnx-lstm_proj_clip-b3-t3-op9", ["state 0", "state 1"])],
)
def test_a_first_step_that_was_written_otherwise_hands_on_the_states_of_the_others(
    name: str, called: list[str]
) -> None:
    picture = drawn(name)
    cells = [str(node) for node in picture.nodes() if node.startswith("cell_")]
    assert sorted(states(picture)) == sorted(called * (len(cells) + 1))
    assert not any("zeros" in node.attr["label"] for node in picture.nodes() if node.startswith("weights_"))


def test_a_state_that_begins_as_a_weight_is_drawn_as_a_state() -> None:
    inputs = [unroll.placeholder([3, 4], f"X{step}") for step in range(3)]
    learned = unroll.Parameter(np.zeros((3, 5), "float32"), "learned")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(5), inputs, initial_state=learned)
    picture = parsed(unroll.draw(unroll.Graph(inputs, outputs), format="dot"))
    (box,) = (node for node in picture.nodes() if "learned" in (node.attr["label"] or ""))
    assert box.startswith("constant_") and states(picture) == ["h"] * 3


def test_cells_of_a_file_print_the_values_of_their_states() -> None:
    graph = unroll.from_onnx(FOREIGN / "tf2onnx-basic_lstm-bn-t5-op13.onnx")
    feeds = {tensor: np.full((1, 3), 0.5, "float32") for tensor in graph.inputs}
    picture = parsed(unroll.draw(graph, format="dot", feeds=feeds))
    last = graph.run(feeds)["Y4:0"][0, 0]
    (cell,) = (node for node in picture.nodes() if node.startswith("cell_") and f"h = {last:.4g}" in node.attr["label"])
    assert "c = " in cell.attr["label"]


def formulas(name: str) -> set[str]:
    """The text of a picture of operators, in letters that every keyboard has."""
    shown = texts(unroll.draw(unroll.from_onnx(FOREIGN / f"{name}.onnx"), level="op"))
    return {text.replace("\u00d7", "*").replace("\u03c3", "sigmoid").replace("\u00b7", "...") for text in shown}


def test_formulas_of_a_file_call_gates_and_states_as_the_cell_does() -> None:
    shown = formulas("tf2onnx-basic_lstm-bn-t5-op13")
    assert {
        "h = tanh(c) * o",
        "c = 0 * f + i * j",
        "c = c[0] * f + i * j",
        "f = sigmoid(z_f + 1)",
    } <= shown
    assert {"h = o * tanh(c)", "c = f * c[0] + i * g"} <= formulas("torchscript-lstm-bn-t5-op17")


@pytest.mark.usefixtures("every_operator")
def test_a_candidate_that_is_called_as_the_state_leaves_both_their_names() -> None:
    shown = formulas("keras-gru-return_sequences-bn-t4-op17")
    assert {"h = tanh(z_h)", "(1 \u2212 z) * h", "z * new_h[0]"} <= shown
