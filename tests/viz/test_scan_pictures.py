"""A Scan is drawn as a frame with its body inside; a node of another model's file with its settings in full words."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from drawn_programs import keras, over_steps, texts
from picture_boxes import boxes, inside, loops
from picture_networks import lstm_layer, read_back

import unroll
from unroll import cells, layers, ops
from unroll.viz import drawing


def running_sum() -> unroll.Structure:
    total, x = unroll.placeholder([2], "total"), unroll.placeholder([2], "x")
    new = total + x
    return unroll.Graph([total, x], [new, new * 2.0])


def summed(backward: bool = False) -> unroll.Graph:
    rows, start = unroll.placeholder([3, 2], "rows"), unroll.placeholder([2], "start")
    last, twice = ops.scan(running_sum(), [start], [rows], input_directions=[backward], output_directions=[backward])
    return unroll.Graph([rows, start], {"last": last, "twice": twice})


def nested(depth: int) -> unroll.Graph:
    """A Scan whose body is a Scan, and so on."""
    total, x = unroll.placeholder([2], "total"), unroll.placeholder([2], "x")
    body = unroll.Graph([total, x], [total + x])
    shape = [2]
    for level in range(depth):
        shape = [3, *shape]
        start, rows = unroll.placeholder([2], "start"), unroll.placeholder(shape, f"rows{level}")
        (last,) = ops.scan(body, [start], [rows])
        body = unroll.Graph([start, rows], [last])
    return body


def rerolled_ugrnn() -> unroll.Graph:
    return unroll.reroll(over_steps(cells.UGRNNCell(3)))[0]


@pytest.mark.parametrize("level", ("cell", "op"))
def test_a_scan_is_a_frame_around_one_step_of_its_body(level: drawing.Level) -> None:
    picture = unroll.draw(rerolled_ugrnn(), level=level)
    (frame,) = loops(picture)
    assert "Scan: 4 steps" in frame.lines and "hands h on from step to step" in frame.lines
    name = next(name for name in boxes(picture) if name.startswith("loop_"))
    held = inside(picture, f"{name}_")
    assert held and all(frame.holds(box) for box in held.values())
    said = [line for box in held.values() for line in box.lines]
    assert "ugrnn_cell" in said if level == "cell" else {"MatMul", "Sigmoid", "Tanh"} <= set(said)
    assert "t = 0" not in texts(picture)  # one step stands for all


def test_states_enter_left_of_the_cell_and_leave_right_of_it() -> None:
    picture = unroll.draw(unroll.reroll(over_steps(unroll.LSTMCell(5, num_proj=3, cell_clip=3.0)))[0])
    held = [box for name, box in boxes(picture).items() if name.startswith("loop_") and name.count("_") > 1]
    (cell,) = (box for box in held if "5 units" in box.lines)
    for state in ("c", "h"):
        (before,) = (box for box in held if box.lines == [f"{state}t-1"])
        (after,) = (box for box in held if box.lines == [state])
        assert before.right < cell.left and cell.right < after.left
        assert cell.bottom < (before.bottom + before.top) / 2 < cell.top


def test_weights_stand_inside_once_as_their_block_table() -> None:
    picture = unroll.draw(rerolled_ugrnn())
    (panel,) = (box for name, box in boxes(picture).items() if "weights" in name)
    assert panel.blocks == ["Wxg", "Wxc", "Whg", "Whc", "bg", "bc"]
    assert loops(picture)[0].holds(panel)
    assert not any("one step" in line for line in panel.lines)  # all steps share them


@pytest.mark.parametrize("backward", [False, True])
def test_ports_say_what_is_handed_on_scanned_and_stacked_and_which_way(backward: bool) -> None:
    (frame,) = loops(unroll.draw(summed(backward)))
    middle = frame.lines.index("Scan: 3 steps")
    way = ", from the last" if backward else ""
    assert frame.lines[:3] == ["total", "at last", "(2,)"]
    assert frame.lines[4:middle] == ["of every step, last first" if backward else "of every step", "(3, 2)"]
    assert frame.lines[-6:] == ["total", "at first", "(2,)", "x", f"a row a step{way}", "(3, 2)"]


@pytest.mark.parametrize("level", ("cell", "op"))
def test_values_are_printed_where_there_are_some_and_inside_it_is_said_that_there_are_none(
    level: drawing.Level,
) -> None:
    feeds = {"rows": np.array([[1, 2], [3, 4], [5, 6]]), "start": np.array([10, 20])}
    picture = unroll.draw(summed(), level=level, feeds=feeds)
    (frame,) = loops(picture)
    assert "19, 32" in frame.lines  # 10 + 1 + 3 + 5 and 20 + 2 + 4 + 6
    assert "22, 44" in frame.lines and "38, 64" in frame.lines  # twice the first and the last sum
    assert any("no values are shown there" in line for line in frame.lines)
    held = inside(picture, "loop_0_")
    assert held and not any(", " in line and "(" not in line for box in held.values() for line in box.lines)
    assert not any("no values" in line for line in loops(unroll.draw(summed()))[0].lines)


def test_a_scan_within_a_scan_is_drawn_within_and_a_deep_one_is_counted() -> None:
    outer, inner = loops(unroll.draw(nested(2)))
    assert outer.holds(inner)
    frames = loops(unroll.draw(nested(6)))
    assert len(frames) < 6
    assert "the body, of 1 nodes, is not drawn here" in frames[-1].lines


@pytest.mark.parametrize(
    "made",
    [
        lambda s, x: ([s, x], [s, x]),
        lambda s, x: ([s, x], [s + x]),
        lambda s, x: ([x], [x * 2.0]),
        lambda s, x: ([s, x], [x + 1.0, x]),
        lambda s, x: ([s, x], [unroll.constant(np.ones(2, np.float32)) + 0.0 * s, s]),
    ],
)
@pytest.mark.parametrize("level", ("cell", "op"))
def test_bodies_that_pass_on_leave_out_or_make_things_are_drawn(made, level: drawing.Level) -> None:
    inputs, outputs = made(unroll.placeholder([2], "s"), unroll.placeholder([2], "x"))
    rows, start = unroll.placeholder([3, 2], "rows"), unroll.placeholder([2], "start")
    states = [start] if len(inputs) == 2 else []
    results = ops.scan(unroll.Graph(inputs, outputs), states, [rows])
    picture = unroll.draw(unroll.Graph([rows, start] if states else [rows], list(results)), level=level)
    assert "Scan: 3 steps" in loops(picture)[0].lines


def test_the_scan_of_a_file_shows_the_cell_that_the_graph_had() -> None:
    graph = read_back(lstm_layer(), "scan")
    assert [node.op.name for node in graph.nodes if "Scan" in node.op.name] == ["Scan"]
    picture = unroll.draw(graph)
    (frame,) = loops(picture)
    assert "Scan: 4 steps" in frame.lines and "hands h, c on from step to step" in frame.lines
    assert "sequential/lstm/lstm_cell" in frame.lines
    (cell,) = (box for name, box in boxes(picture).items() if name.startswith("loop_") and "lstm_cell" in box.lines)
    assert "3 units" in cell.lines and cell.blocks == ["i", "f", "c", "o"]
    said = {box.lines[0]: box.lines for name, box in boxes(picture).items()}
    assert "MatMul" in said  # the product with all inputs, made before: a cell it is not
    assert sum("lstm_cell" in box.lines for box in boxes(picture).values()) == 1


def test_the_operators_in_the_scan_of_a_file_have_the_gates_and_names_of_the_cell() -> None:
    for graph, formulas in (
        (read_back(lstm_layer(), "scan"), {"c = tanh(z_c)", "h = o \u00d7 tanh(new_c)", "f \u00d7 c[t-1]"}),
        (read_back(keras(layers.GRU(3)), "scan"), {"z = \u03c3(z_z)", "h = tanh(z_h)", "(1 \u2212 z) \u00d7 h"}),
    ):
        said = {line for box in boxes(unroll.draw(graph, level="op")).values() for line in box.lines}
        assert formulas <= said


def test_a_body_that_is_no_known_cell_is_drawn_by_its_operators() -> None:
    state, row = unroll.placeholder([2], "s"), unroll.placeholder([2], "x")
    rows, start = unroll.placeholder([3, 2], "rows"), unroll.placeholder([2], "start")
    (last,) = ops.scan(unroll.Graph([state, row], [ops.sign(state) * row]), [start], [rows])
    picture = unroll.draw(read_back(unroll.Graph([rows, start], {"last": last})))
    assert "Sign" in {line for box in boxes(picture).values() for line in box.lines}


# -- operators of other files ------------------------------------------------------------------------------------------


def foreign(**attributes: object) -> unroll.Graph:
    info = onnx.helper.make_tensor_value_info
    made = onnx.helper.make_node("Unheard", ["x"], ["y"], "here", domain="mine", **attributes)
    graph = onnx.helper.make_graph(
        [made], "one", [info("x", onnx.TensorProto.FLOAT, [2])], [info("y", onnx.TensorProto.FLOAT, [2])]
    )
    imports = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("mine", 1)]
    return unroll.from_onnx(onnx.helper.make_model(graph, opset_imports=imports, ir_version=8))


def test_attributes_are_whole_words_and_those_without_room_are_counted() -> None:
    attributes = {f"number_of_things_{place}": place for place in range(9)} | {"aaa": "x" * 80}
    (box,) = (box for box in boxes(unroll.draw(foreign(**attributes))).values() if "mine.Unheard" in box.lines)
    told = box.lines[2:]  # after the operator and the name of what it makes
    assert told[0].startswith("aaa xxx") and told[0].endswith("xxx") and "…" in told[0]
    assert told[1:3] == ["number_of_things_0 0", "number_of_things_1 1"]
    assert told[3] == "and 7 more attributes"


def test_graphs_in_attributes_are_counted_by_their_nodes() -> None:
    info = onnx.helper.make_tensor_value_info
    out = [info("z", onnx.TensorProto.FLOAT, [2])]
    one = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["z"])], "one", [], out)
    two = onnx.helper.make_graph(
        [onnx.helper.make_node("Abs", ["x"], ["a"]), onnx.helper.make_node("Neg", ["a"], ["z"])], "two", [], out
    )
    graph = foreign(first=one, second=two)
    (box,) = (box for box in boxes(unroll.draw(graph)).values() if "mine.Unheard" in box.lines)
    assert {"first graph of 1 node", "second graph of 2 nodes"} <= set(box.lines)
