"""What stands around an LSTM, GRU, RNN or Scan node in a picture of cells: nothing but what says something of the network."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_programs import over_steps, parsed, places, texts
from picture_boxes import boxes
from picture_networks import NETWORKS, file, lstm_layer, read_back, torch_lstm

import unroll
from unroll import cells, layers, ops

LOOPS = {
    "LSTM of inputs": lambda: unroll.reroll(over_steps(unroll.BasicLSTMCell(3)))[0],
    "GRU of inputs": lambda: unroll.reroll(over_steps(unroll.GRUCell(3)))[0],
    "Scan of inputs": lambda: unroll.reroll(over_steps(cells.UGRNNCell(3)))[0],
    "PyTorch's LSTM": file("dynamo-nn_lstm-bn-t4-op18"),
    "PyTorch's older exporter": file("torchscript-nn_lstm-bn-t4-op13"),
    "two layers both ways": lambda: unroll.reroll(torch_lstm())[0],
}


@pytest.mark.parametrize("name", LOOPS)
def test_axes_of_one_and_sums_over_shapes_are_no_boxes(name: str) -> None:
    graph = LOOPS[name]()
    assert any(node.op.name in ("Squeeze", "Unsqueeze", "Shape") for node in graph.nodes)
    shown = texts(unroll.draw(graph))
    assert not {"Squeeze", "Unsqueeze", "Shape", "Slice", "Mul", "ai.onnx.Reshape"} & set(shown)


@pytest.mark.parametrize("name", ["LSTM of inputs", "GRU of inputs", "Scan of inputs"])
def test_inputs_are_stacked_and_outputs_unstacked_in_one_box_each(name: str) -> None:
    shown = texts(unroll.draw(LOOPS[name]()))
    assert shown.count("Stack") == shown.count("Unstack") == 1
    assert not {"Concat", "Reshape", "Split"} & set(shown)


def test_joined_tensors_that_are_not_set_apart_again_are_no_stack() -> None:
    inputs = [unroll.placeholder([2, 3], f"x{place}") for place in range(2)]
    joined = ops.reshape(ops.concat(inputs, 0), [2, 6])
    assert "Concat" in texts(unroll.draw(read_back(lstm_and(inputs, joined))))


def lstm_and(inputs: list[unroll.Placeholder], extra: unroll.Tensor) -> unroll.Graph:
    """A graph with an LSTM beside what is looked at, so that it is drawn by cells."""
    rows = unroll.placeholder([None, 3, 4], "rows")
    return unroll.Graph([*inputs, rows], {"extra": extra, "y": layers.LSTM(3)(rows)})


def test_what_takes_a_direction_is_called_as_that() -> None:
    shown = texts(unroll.draw(LOOPS["two layers both ways"]()))
    assert "Gather" not in shown
    # h and c of both layers; and over the two blocks of weights of each.
    assert shown.count("forward") == shown.count("reverse") == 4 + 2
    assert shown.count("forward, reverse") == 2  # of every step, side by side: what each layer hands to the next
    assert "perm 0, 2, 1, 3" not in shown


def test_the_shape_beside_each_output_is_on_one_side_of_its_arrow() -> None:
    picture = parsed(unroll.draw(LOOPS["two layers both ways"](), format="dot"))
    at = places(picture)
    ends = [edge for edge in picture.edges() if edge[1].startswith("output_")]
    beside = [float(edge.attr["lp"].split(",")[0]) - at[str(edge[1])][0] for edge in ends]
    assert len(beside) == 3 and (all(x > 0 for x in beside) or all(x < 0 for x in beside))


def test_transposes_that_undo_one_another_are_left_out_and_others_are_not() -> None:
    x, z = unroll.placeholder([4, 2, 5], "x"), unroll.placeholder([4, 2, 5], "z")
    same = ops.transpose(ops.transpose(x, [1, 2, 0]), [2, 0, 1])
    other = ops.transpose(ops.transpose(z, [1, 2, 0]), [1, 2, 0])
    graph = lstm_and([x, z], ops.reduce_sum(ops.tanh(same)) + ops.reduce_sum(ops.tanh(other)))
    told = [line for line in texts(unroll.draw(graph)) if line.startswith("perm ")]
    assert told.count("perm 1, 2, 0") == 2 and "perm 2, 0, 1" not in told


def test_a_slice_that_turns_rows_round_stays() -> None:
    x = unroll.placeholder([4, 3], "x")
    turned = ops.slice_(x, [3], [-5], [0], [-1])
    assert unroll.Graph([x], {"y": turned}).run({x: np.eye(4, 3)}, "y")[0].tolist() == [0, 0, 0]
    assert "Slice" in texts(unroll.draw(lstm_and([x], ops.tanh(turned))))


def test_a_shape_that_is_computed_with_stays() -> None:
    x = unroll.placeholder([None, 3], "x")
    count = ops.cast(ops.shape(x), "float32")
    assert {"Shape", "Cast"} <= set(texts(unroll.draw(lstm_and([x], ops.tanh(count)))))


def test_a_transpose_that_moves_an_axis_of_one_alone_is_left_out() -> None:
    x = unroll.placeholder([4, 1, 5], "x")
    moved, turned = ops.transpose(x, [1, 0, 2]), ops.transpose(x, [2, 1, 0])
    graph = lstm_and([x], ops.tanh(ops.reshape(moved, [4, 5])) @ ops.reshape(turned, [5, 4]))
    shown = [box.lines for box in boxes(unroll.draw(graph)).values() if "Transpose" in box.lines]
    assert [lines[1] for lines in shown if lines[1] != "perm 1, 0, 2"] == ["perm 2, 1, 0"]


def test_what_a_loop_stands_for_is_no_layer_beside_it() -> None:
    for graph, cell in ((read_back(lstm_layer(), "scan"), "lstm_cell"), (NETWORKS["rerolled Scan"](), "ugrnn_cell")):
        named = [name for name, box in boxes(unroll.draw(graph)).items() if cell in box.lines]
        assert [name.startswith("loop_") for name in named] == [True]
