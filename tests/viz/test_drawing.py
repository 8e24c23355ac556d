"""What a picture shows, and that it shows it well."""

from __future__ import annotations

import html
import itertools
import re
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pygraphviz
import pytest
from drawn_programs import (
    HOSTILE,
    PROGRAMS,
    bidirectional,
    by_hand,
    cells_of,
    dashed,
    fed_back,
    hostile,
    image_rows,
    over_steps,
    parsed,
    places,
    said,
    stateful,
    texts,
    torch_gru,
    two_rnns_and_a_dense_layer,
    two_steps,
)

import unroll
from unroll import ops
from unroll.errors import (
    FeedError,
)
from unroll.viz import drawing, render
from unroll.viz.dot_text import SIGMA, text_width
from unroll.viz.values import value_lines

SVG = "{http://www.w3.org/2000/svg}"


def curve(edge: pygraphviz.Edge) -> list[tuple[float, float]]:
    """The control points of a line, from its beginning to the tip of its arrow."""
    tip, *points = (tuple(map(float, point.removeprefix("e,").split(","))) for point in edge.attr["pos"].split())
    return [*points, tip]


# -- what a picture shows -------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("level", drawing.LEVELS)
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


@pytest.mark.parametrize("level", drawing.LEVELS)
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
        f'<FONT POINT-SIZE="10" COLOR="#6B6B6B">{scope}</FONT>' for scope in "ab"
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
    assert len([node for node in dot.nodes() if node.startswith("op_")]) == len(graph.nodes)
    shown = texts(picture)
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
    assert texts(unroll.draw(unroll.Graph(inputs, [output]))).count("MatMul") == 3


# -- long sequences -------------------------------------------------------------------------------------------------------


def test_the_middle_of_a_long_sequence_is_left_out_and_said_so() -> None:
    picture = unroll.draw(image_rows())
    shown = texts(picture)
    assert "... 24 more steps ..." in shown
    assert [text for text in shown if text.startswith("t = ")] == ["t = 0", "t = 1", "t = 26", "t = 27"]
    assert "... 25 more steps ..." in texts(unroll.draw(image_rows(), level="op"))


def test_a_short_sequence_and_a_full_picture_leave_nothing_out() -> None:
    for picture in (unroll.draw(over_steps(unroll.GRUCell(2), 6)), unroll.draw(image_rows(), full=True)):
        assert not any("more step" in text for text in texts(picture))
    assert len(cells_of(parsed(picture))) == 28


@pytest.mark.parametrize("level", drawing.LEVELS)
def test_a_thousand_steps_are_drawn_quickly_and_small(level: drawing.Level) -> None:
    short, long = image_rows(28), image_rows(1000)
    begin = time.perf_counter()
    picture = unroll.draw(long, level=level)
    assert time.perf_counter() - begin < 5
    assert len(picture.dot) < 1.1 * len(unroll.draw(short, level=level).dot)
    assert f"... {996 if level == 'cell' else 997} more steps ..." in texts(picture)


def test_very_many_operators_at_no_step_lose_their_middle() -> None:
    x = unroll.placeholder([None, 3], "x")
    weight = unroll.Parameter(np.eye(3, dtype=np.float32), "W")
    h = x
    for _ in range(2000):
        h = ops.tanh(h @ weight)
    picture = unroll.draw(unroll.Graph([x], [h]))
    assert "... 3,760 more operators ..." in texts(picture)


# -- values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", drawing.LEVELS)
def test_feeds_print_the_values_of_inputs_states_outputs_and_weights(level: drawing.Level) -> None:
    graph = two_steps()
    graph.assign({"rnn/basic_rnn_cell/kernel": np.ones((8, 5))})
    x = np.array([[0, 0.1, 0.2]], np.float32)
    shown = texts(unroll.draw(graph, level=level, feeds={"X0": x, "X1": x}))
    assert shown.count("0, 0.1, 0.2") == 2
    assert "all 0.2913" in shown and "all 0.9421" in shown
    assert "all 1" in shown and "all 0" in shown
    assert not any("0.2913" in text for text in texts(unroll.draw(graph, level=level)))


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
        (np.arange(9), []),
        (np.zeros((0, 3)), []),
        (np.full((20, 20), 1e-7), ["all 1e-07"]),
    ],
)
def test_small_values_are_written_with_four_digits_and_large_ones_not_at_all(value: object, lines: list[str]) -> None:
    assert value_lines(np.asarray(value)) == lines


# -- names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", drawing.LEVELS)
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


# -- cells that walk backward, states that are given and kept -------------------------------------------------------------


def test_the_state_of_a_backward_cell_runs_from_the_last_step_to_the_first() -> None:
    graph = parsed(unroll.draw(bidirectional()))
    place = places(graph)
    states = [
        edge for edge in graph.edges() if edge[0].startswith(("cell_", "zero_")) and edge.attr["penwidth"] == "1.4"
    ]
    left = [place[edge[0]][0] > place[edge[1]][0] for edge in states]
    assert sum(left) == 4, "from zero, twice between steps, and out at the left"
    assert len(left) == 4 + 8, "c and h of the forward cell run the other way"
    zeros = [place[node][0] for node in graph.nodes() if node.startswith("zero_")]
    cells = [place[node][0] for node in cells_of(graph)]
    assert sorted(zero > max(cells) for zero in zeros) == [False, False, True]
    assert all(zero < min(cells) or zero > max(cells) for zero in zeros)


@pytest.mark.parametrize("level", drawing.LEVELS)
def test_no_arrow_between_boxes_of_one_row_is_turned_back(level: drawing.Level) -> None:
    """A state that leaves beside a box must not go back through it."""
    graph = parsed(unroll.draw(bidirectional(), level=level))
    for edge in graph.edges():
        points = curve(edge)
        if len({y for _, y in points}) == 1:
            xs = [x for x, _ in points]
            assert xs in (sorted(xs), sorted(xs, reverse=True)), edge


def test_cells_opened_up_one_above_the_other_have_frames_that_do_not_meet() -> None:
    graph = parsed(unroll.draw(bidirectional(), level="op"))
    frames = [tuple(map(float, frame.graph_attr["bb"].split(","))) for frame in graph.subgraphs()]
    assert len(frames) == 8, "two cells at three steps, and a state of zeros at either side"
    for one, other in itertools.combinations(frames, 2):
        assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def test_state_that_lives_between_runs_comes_in_at_the_left_and_leaves_at_the_right() -> None:
    graph = parsed(unroll.draw(stateful()))
    place = places(graph)
    cells = sorted(place[cell] for cell in cells_of(graph))
    assert "Identity" not in texts(unroll.draw(stateful())), "a copy made for its name is no box"
    for name in ("c", "h"):
        ends = [node for node in graph.nodes() if node.startswith(("input_", "output_"))]
        (first,) = (node for node in ends if f"<B>{name}</B>" in node.attr["label"])
        (last,) = (node for node in ends if f"<B>{name}/next</B>" in node.attr["label"])
        assert place[first][0] < cells[0][0] < cells[-1][0] < place[last][0]
        assert place[first][1] == place[last][1]


def test_an_encoder_leaves_its_state_beside_its_last_cell_and_the_decoder_takes_it_up_before_its_first() -> None:
    graph = parsed(unroll.draw(fed_back()))
    place = places(graph)
    heights = sorted({place[cell][1] for cell in cells_of(graph)})
    rows = [sorted(cell for cell in cells_of(graph) if place[cell][1] == y) for y in heights]
    encoder, decoder = (sorted(row, key=place.__getitem__) for row in rows)
    handed = [edge for edge in graph.edges() if edge[0] in encoder and edge[1] in decoder]
    assert len(handed) == 2
    for edge in handed:
        assert (edge[0], edge[1]) == (encoder[-1], decoder[0])
        points = curve(edge)
        assert points[0][0] > place[encoder[-1]][0] and points[-1][0] < place[decoder[0]][0]


def test_what_is_fed_back_enters_the_next_step_from_below() -> None:
    graph = parsed(unroll.draw(fed_back()))
    place = places(graph)
    back = [edge for edge in graph.edges() if edge[0].startswith("op_") and edge[1] in cells_of(graph)]
    assert len(back) == 3
    for edge in back:
        assert place[edge[0]][0] < place[edge[1]][0] and place[edge[0]][1] > place[edge[1]][1]
        assert curve(edge)[-1][1] < place[edge[1]][1]


def test_a_cell_around_another_that_it_reads_and_feeds_is_one_box() -> None:
    graph = parsed(unroll.draw(PROGRAMS["attention"]()))
    assert len(cells_of(graph)) == 3
    assert not [node for node in graph.nodes() if node.startswith("op_")]
    assert dashed(graph, "weights_0") == set(cells_of(graph))


# -- text beside lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", drawing.LEVELS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_label_of_a_line_stands_on_a_box_or_on_another_label(program: str, level: drawing.Level) -> None:
    graph = parsed(unroll.draw(PROGRAMS[program](), level=level))
    labels = [(edge.attr["label"], edge.attr["lp"]) for edge in graph.edges() if edge.attr["lp"]]
    written = []
    for label, at in labels:
        x, y = map(float, at.split(","))
        half = text_width(html.unescape(label.strip("<>")), 9) / 2
        written.append((x - half, x + half, y - 4, y + 4, label))
    boxes = []
    for node in graph.nodes():
        (x, y), half, tall = places(graph)[node], 36 * float(node.attr["width"]), 36 * float(node.attr["height"])
        boxes.append((x - half, x + half, y - tall, y + tall, node))
    for place, one in enumerate(written):
        for other in [*written[place + 1 :], *boxes]:
            apart = one[0] >= other[1] or other[0] >= one[1] or one[2] >= other[3] or other[2] >= one[3]
            assert apart, f"{one[4]} and {other[4]}"


# -- block tables ---------------------------------------------------------------------------------------------------------


def test_biases_are_called_b_with_what_their_product_reads() -> None:
    keras_gru, torch_gru = (said(unroll.draw(PROGRAMS[name]())) for name in ("Keras, backward", "PyTorch, both ways"))
    for shown in (keras_gru, torch_gru):
        assert all(f"b{source}" in shown for source in "xh")
    assert all(f"b{source}{gate}" in keras_gru for source in "xh" for gate in "zrh")
    assert all(f"b{source}{gate}" in torch_gru for source in "xh" for gate in "rzn")


def test_weights_are_titled_by_the_path_of_their_cell() -> None:
    shown = texts(unroll.draw(torch_gru()))
    for layer in ("l0", "l0_reverse", "l1", "l1_reverse"):
        assert f"gru/{layer}" in shown
        assert f"weight_ih_{layer}" in shown


@pytest.mark.parametrize("program", ["peepholes", "norms", "Keras, backward", "one matrix after another"])
def test_tables_side_by_side_begin_at_one_height(program: str) -> None:
    root = ElementTree.fromstring(unroll.draw(PROGRAMS[program]())._repr_svg_())
    (panel,) = (
        node for node in root.iter(f"{SVG}g") if any(title.text == "weights_0" for title in node.findall(f"{SVG}title"))
    )
    headings = [
        text
        for text in panel.iter(f"{SVG}text")
        if text.get("font-weight") == "bold" and text.get("font-size") == "11.00"
    ]
    grids = [
        min(float(point.split(",")[1]) for point in box.get("points", "").split())
        for box in panel.iter(f"{SVG}polygon")
    ]
    top = min(float(text.get("y", "")) for text in headings)
    firsts = [text for text in headings if float(text.get("y", "")) - top < 3]
    assert len(firsts) > 1, "tables stand side by side"
    assert sum(grid - min(grids) < 3 for grid in grids) >= len(firsts)


def test_a_cell_says_how_wide_its_gates_are_and_is_high_enough_for_its_states() -> None:
    assert "5 units" in texts(unroll.draw(PROGRAMS["peepholes"]())), "not the 2 of its projection"
    graph = parsed(unroll.draw(PROGRAMS["four states"]()))
    zeros = sorted(places(graph)[node][1] for node in graph.nodes() if node.startswith("zero_"))
    assert all(after - before >= 24 for before, after in itertools.pairwise(zeros))
