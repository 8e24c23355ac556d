"""What a picture shows, and that it shows it well, of short and of long sequences."""

from __future__ import annotations

import re
import time

import numpy as np
import pygraphviz
import pytest
from drawn_programs import (
    PROGRAMS,
    by_hand,
    cells_of,
    dashed,
    image_rows,
    over_steps,
    parsed,
    said,
    texts,
    two_rnns_and_a_dense_layer,
    two_steps,
)

import unroll
from unroll import ops
from unroll.viz import drawing, render
from unroll.viz.dot_text import SIGMA

# -- what a picture shows ----------------------------------------------------------------------------------------------


def test_the_kernel_is_drawn_once_with_its_shape_and_its_blocks() -> None:
    shown = said(unroll.draw(two_steps()))
    assert shown.count("kernel(8,5)") == 1
    assert shown.count("bias(5,)") == 1
    assert shown.count("Wx") == shown.count("Wh") == 1
    assert "x3" in shown and "h5" in shown


def test_the_lstm_kernel_shows_its_four_gates_in_order_and_in_proportion() -> None:
    picture = unroll.draw(image_rows())
    shown = said(picture)
    assert shown.count("kernel(41,52)") == 1
    assert "i13j13f13o13" in shown
    assert "gateorderi,j,f,o" in shown
    assert all(f"W{source}{gate}" in shown for source in "xh" for gate in "ijfo")
    heights = [int(size) for size in re.findall(r'HEIGHT="(\d+)"[^>]*>[^W]*W<FONT', picture.dot)]
    assert heights[0] / heights[4] == pytest.approx(28 / 13, rel=0.1)


def test_both_kernels_of_a_gru_are_drawn_with_their_own_columns() -> None:
    shown = said(unroll.draw(over_steps(unroll.GRUCell(6))))
    assert "gates/kernel(10,12)" in shown and "candidate/kernel(10,6)" in shown
    assert "gateorderr,u|c" in shown


def test_dashed_lines_lead_from_the_weights_to_every_step() -> None:
    graph = parsed(unroll.draw(over_steps(unroll.GRUCell(6), 5)))
    cells = cells_of(graph)
    assert len(cells) == 5
    assert dashed(graph, "weights_0") == set(cells)


def test_each_layer_of_a_stack_has_its_own_weights() -> None:
    graph = parsed(unroll.draw(PROGRAMS["stacked"]()))
    first, second = dashed(graph, "weights_0"), dashed(graph, "weights_1")
    assert len(first) == len(second) == 4
    assert not first & second


def test_a_cell_listed_twice_shares_one_panel_of_weights() -> None:
    cell = unroll.BasicRNNCell(4)
    graph = parsed(unroll.draw(over_steps(unroll.cells.MultiRNNCell([cell, cell]), 3)))
    assert len(dashed(graph, "weights_0")) == 6
    assert "weights_1" not in graph.nodes()


def test_states_run_level_from_step_to_step_beginning_at_zero() -> None:
    graph = parsed(unroll.draw(over_steps(unroll.BasicLSTMCell(3), 3)))
    labels = [edge.attr["label"] for edge in graph.edges() if edge[0].startswith(("cell_", "zero_"))]
    assert labels.count("c (batch, 3)") == 4  # from zero, two between steps, and the last state
    assert labels.count("h (batch, 3)") == 4
    height = {node: float(node.attr["pos"].split(",")[1]) for node in graph.nodes()}
    assert len({height[node] for node in cells_of(graph)}) == 1


def test_steps_stand_from_left_to_right_with_inputs_below_and_outputs_above() -> None:
    graph = parsed(unroll.draw(two_steps()))
    place = {node: tuple(map(float, node.attr["pos"].split(","))) for node in graph.nodes()}
    first, second = sorted(cells_of(graph), key=place.__getitem__)
    assert place["input_0"][0] == place[first][0] == place["output_0"][0]
    assert place["input_1"][0] == place[second][0] == place["output_1"][0]
    assert place["input_0"][1] < place[first][1] < place["output_0"][1]


@pytest.mark.slow
@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_two_boxes_overlap(program: str, level: drawing.Level) -> None:
    graph = parsed(unroll.draw(PROGRAMS[program](), level=level))
    boxes = []
    for node in graph.nodes():
        x, y = map(float, node.attr["pos"].split(","))
        width, height = 72 * float(node.attr["width"]), 72 * float(node.attr["height"])
        boxes.append((x - width / 2, x + width / 2, y - height / 2, y + height / 2, node))
    for place, (left, right, bottom, top, name) in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = left >= other[1] or other[0] >= right or bottom >= other[3] or other[2] >= top
            assert apart, f"{name} and {other[4]}"


@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_label_fits_into_its_box(program: str, level: drawing.Level) -> None:
    """Graphviz widens a box that is too small for its text: none must have been."""
    picture = unroll.draw(PROGRAMS[program](), level=level)
    laid_out = pygraphviz.AGraph(string=render.render(picture.dot, "dot").decode())
    drawn = parsed(picture)
    for node in drawn.nodes():
        if node.attr["shape"] != "plain" and node.attr["fixedsize"] != "shape":
            after = laid_out.get_node(node)
            assert float(after.attr["width"]) <= float(node.attr["width"]) + 0.02, node.attr["label"]
            assert float(after.attr["height"]) <= float(node.attr["height"]) + 0.02, node.attr["label"]


def test_the_helpers_of_a_zero_state_are_no_boxes_of_their_own_at_cell_level() -> None:
    shown = texts(unroll.draw(two_steps()))
    assert "0" in shown
    assert not {"ConstantOfShape", "Slice", "Shape"} & set(shown)


def test_what_surrounds_the_cells_is_drawn_too() -> None:
    shown = texts(unroll.draw(image_rows()))
    assert shown.count("Reshape") == 2 and "Split" in shown and "images" in shown
    assert "perm 1, 0, 2" in shown and "(28*batch, 28)" in shown


def test_scopes_are_frames() -> None:
    graph = parsed(unroll.draw(two_rnns_and_a_dense_layer()))
    assert sorted(frame.graph_attr["label"] for frame in graph.subgraphs()) == [
        f'<FONT POINT-SIZE="10" COLOR="#555555">{scope}</FONT>' for scope in "ab"
    ]


def test_an_initial_state_that_is_given_stands_before_the_first_step() -> None:
    inputs = [unroll.placeholder([4], f"X{step}") for step in range(3)]
    given = unroll.placeholder([3], "h0")
    _, state = unroll.static_rnn(unroll.BasicRNNCell(3), inputs, initial_state=given)
    graph = parsed(unroll.draw(unroll.Graph([*inputs, given], [state])))
    x, y = map(float, graph.get_node("input_3").attr["pos"].split(","))
    cells = [tuple(map(float, graph.get_node(cell).attr["pos"].split(","))) for cell in cells_of(graph)]
    assert all(x < cell[0] and y == cell[1] for cell in cells)


def test_operator_level_opens_every_cell_up_in_the_same_columns() -> None:
    graph = over_steps(unroll.BasicLSTMCell(3), 3)
    picture = unroll.draw(graph, level="op")
    dot = parsed(picture)
    zeros = [node for node in graph.nodes if "zero_state" in graph.name(node)]
    assert len([node for node in dot.nodes() if node.startswith("op_")]) == len(graph.nodes) - len(zeros)
    shown = texts(picture)
    assert len([node for node in dot.nodes() if node.startswith("zero_")]) == 2, "one mark a state"
    assert {"t = 0", "t = 1", "t = 2"} <= set(shown)
    assert shown.count("Sigmoid") == 9 and shown.count(f"f = {SIGMA}(z_f + 1)") == 3
    assert shown.count("basic_lstm_cell") == 3, "a frame a step"


def test_operators_of_a_gate_have_the_colour_of_its_column_in_the_kernel() -> None:
    picture = unroll.draw(over_steps(unroll.BasicLSTMCell(3), 2), level="op")
    columns = dict(re.findall(r'BGCOLOR="(#\w+)"[^>]*><FONT[^>]*>W<FONT[^>]*><SUB>x(\w)</SUB>', picture.dot))
    graph = parsed(picture)
    for color, gate in columns.items():
        labels = [node.attr["label"] for node in graph.nodes() if node.attr["fillcolor"] == color]
        assert any(f">{gate} = " in label for label in labels), gate
    assert sorted(columns.values()) == ["f", "i", "j", "o"]


def test_a_network_without_cells_is_drawn_by_its_operators() -> None:
    picture = unroll.draw(by_hand())
    assert picture.dot == unroll.draw(by_hand(), level="op").dot
    shown = texts(picture)
    assert shown.count("MatMul") == 3 and shown.count("Tanh") == 2
    assert shown.count("Wx") == shown.count("Wh") == shown.count("b") == 1, "each weight once"
    assert "X0 @ Wx" in shown and "X1 @ Wx" in shown


def test_direct_calls_of_a_cell_are_told_apart() -> None:
    inputs = [unroll.placeholder([2, 4], f"X{step}") for step in range(3)]
    cell = unroll.BasicRNNCell(3)
    state = cell.zero_state(2)
    for x in inputs:
        output, state = cell(x, state)
    shown = texts(unroll.draw(unroll.Graph(inputs, [output])))
    assert [text for text in shown if text.startswith("t = ")] == ["t = 0", "t = 1", "t = 2"]
    assert shown.count("basic_rnn_cell") >= 3


# -- long sequences ----------------------------------------------------------------------------------------------------


def test_the_middle_of_a_long_sequence_is_left_out_and_said_so() -> None:
    picture = unroll.draw(image_rows())
    shown = texts(picture)
    assert "... 24 more steps ..." in shown
    assert [text for text in shown if text.startswith("t = ")] == ["t = 0", "t = 1", "t = 26", "t = 27"]
    assert "... 25 more steps ..." in texts(unroll.draw(image_rows(), level="op"))


@pytest.mark.slow
def test_a_short_sequence_and_a_full_picture_leave_nothing_out() -> None:
    for picture in (unroll.draw(over_steps(unroll.GRUCell(2), 6)), unroll.draw(image_rows(), full=True)):
        assert not any("more step" in text for text in texts(picture))
    assert len(cells_of(parsed(picture))) == 28


@pytest.mark.slow
@pytest.mark.parametrize("level", ("cell", "op"))
def test_a_thousand_steps_are_drawn_quickly_and_small(level: drawing.Level) -> None:
    short, long = image_rows(28), image_rows(1000)
    begin = time.perf_counter()
    picture = unroll.draw(long, level=level)
    assert time.perf_counter() - begin < 60, "it must not hang; how fast it is, benchmarks say"
    assert len(picture.dot) < 1.1 * len(unroll.draw(short, level=level).dot)
    assert f"... {996 if level == 'cell' else 997} more steps ..." in texts(picture)


@pytest.mark.slow
def test_very_many_operators_at_no_step_lose_their_middle() -> None:
    x = unroll.placeholder([None, 3], "x")
    weight = unroll.Parameter(np.eye(3, dtype=np.float32), "W")
    h = x
    for _ in range(2000):
        h = ops.tanh(h @ weight)
    picture = unroll.draw(unroll.Graph([x], [h]))
    assert "... 3,760 more operators ..." in texts(picture)
