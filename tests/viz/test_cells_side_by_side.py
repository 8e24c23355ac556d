"""Cells that do not wait for one another stand side by side where every operator is drawn, and a cell that waits above."""

from __future__ import annotations

import itertools

import pygraphviz
import pytest
from drawn_programs import over_steps
from picture_boxes import Drawn, boxes
from picture_networks import NETWORKS

import unroll
from unroll import cells, layers
from unroll.viz import drawing

BOTH_WAYS = [
    "both ways", "both ways with lengths", "Keras, both ways", "PyTorch, both ways", "layers two Bidirectional",
    "nn LSTM, two layers both ways", "stack_bidirectional_rnn", "tf2onnx both ways", "Keras file both ways",
    "torch file GRU both ways",
]  # fmt: skip


def frames(picture: drawing.Picture) -> list[tuple[str, Drawn]]:
    """Every frame: the path that it tells of, and where it is."""
    found, graph = [], pygraphviz.AGraph(string=picture.dot, strict=False)
    for frame in graph.subgraphs():
        left, bottom, right, top = map(float, frame.graph_attr["bb"].split(","))
        found.append((str(frame.graph_attr["tooltip"]), Drawn(left, right, bottom, top, [], [])))
    return found


def are_beside(one: Drawn, other: Drawn) -> bool:
    apart = one.right < other.left or other.right < one.left
    return apart and min(one.top, other.top) - max(one.bottom, other.bottom) > 0.5 * min(
        one.top - one.bottom, other.top - other.bottom
    )


@pytest.mark.parametrize("network", BOTH_WAYS)
def test_both_directions_of_every_step_stand_side_by_side(network: str) -> None:
    picture = unroll.draw(NETWORKS[network](), level="op", full=True, format="dot")
    found = frames(picture)
    paths = list(dict.fromkeys(path for path, _ in found))
    assert len(paths) in (2, 4)
    for path in paths:
        own = [at for name, at in found if name == path]
        beside = {
            other
            for other in paths
            if other != path and any(are_beside(own[0], at) for name, at in found if name == other)
        }
        assert len(beside) == 1, (path, beside)


@pytest.mark.parametrize("network", BOTH_WAYS)
def test_no_frame_meets_another_one(network: str) -> None:
    found = [at for _, at in frames(unroll.draw(NETWORKS[network](), level="op", full=True, format="dot"))]
    for one, other in itertools.combinations(found, 2):
        apart = one.right <= other.left or other.right <= one.left or one.top <= other.bottom or other.top <= one.bottom
        assert apart or one.holds(other) or other.holds(one)


def test_the_cells_of_one_step_stand_under_one_heading_and_time_goes_to_the_right() -> None:
    picture = unroll.draw(NETWORKS["both ways"](), level="op", full=True, format="dot")
    found = sorted(frames(picture), key=lambda frame: frame[1].left)
    assert [path.split("/")[1] for path, _ in found] == ["fw", "bw"] * 3
    headings = [box for name, box in boxes(picture).items() if name.startswith("step_")]
    assert [heading.lines for heading in headings] == [[f"t = {step}"] for step in range(3)]
    for heading, (_, left), (_, right) in zip(headings, found[::2], found[1::2], strict=True):
        assert left.left < heading.left and heading.right < right.right


def test_a_layer_over_another_stands_above_it() -> None:
    found = frames(unroll.draw(NETWORKS["layers stacked"](), level="op", full=True, format="dot"))
    lower, upper = dict.fromkeys(path for path, _ in sorted(found, key=lambda frame: frame[1].bottom))
    assert "lstm" in lower and "gru" in upper
    assert max(at.top for path, at in found if path == lower) < min(at.bottom for path, at in found if path == upper)


def test_three_cells_that_wait_for_nothing_stand_in_two_rows() -> None:
    """More of them side by side would make a picture too wide for a page."""
    x = unroll.placeholder([None, 3, 2], "x")
    outputs = [layers.LSTM(2, name=name)(x) for name in ("one", "two", "three")]
    found = frames(unroll.draw(unroll.Graph([x], outputs), level="op", full=True, format="dot"))
    rows: dict[float, set[str]] = {}
    for path, at in found:
        rows.setdefault(round(at.bottom), set()).add(path.split("/")[0])
    assert sorted(map(sorted, rows.values())) == [["one", "two"], ["three"]]


def test_a_long_name_of_a_frame_stands_in_two_lines() -> None:
    twice = [layers.Bidirectional(layers.LSTM(2, return_sequences=True)) for _ in range(2)]
    dot = unroll.draw(
        layers.Sequential([layers.Input((3, 2)), *twice]).trace(), level="op", full=True, format="dot"
    ).dot
    assert 'bidirectional_1/<BR ALIGN="LEFT"/>backward_lstm/lstm_cell' in dot


# -- what is left of a cell before and after a loop ------------------------------------------------------------------------


def rerolled_attention(steps: int) -> drawing.Picture:
    graph, _ = unroll.reroll(over_steps(cells.AttentionCellWrapper(unroll.BasicLSTMCell(3), 2), steps))
    return unroll.draw(graph, format="dot")


@pytest.mark.parametrize("steps", [3, 6])
def test_whole_steps_beside_a_loop_are_boxes_that_say_their_step(steps: int) -> None:
    drawn = boxes(rerolled_attention(steps))
    (loop,) = (box for name, box in drawn.items() if name.startswith("loop_") and name.count("_") == 1)
    left = [box for name, box in drawn.items() if name.startswith("cell_") and name.count("_") == 1]
    assert left and all("attention_cell_wrapper" in box.lines for box in left)
    told = [next(line for line in box.lines if line.startswith("t = ")) for box in left]
    assert "t = 0, 3 units" in told and len(set(told)) == len(told)
    first = left[told.index("t = 0, 3 units")]
    assert first.top < loop.bottom
    assert max(box.top for box in drawn.values()) < 3000  # of 5,161 and 11,445 points, where they were opened


def test_a_part_of_a_step_beside_a_loop_claims_nothing_of_the_whole() -> None:
    graph, _ = unroll.reroll(NETWORKS["one state tensor"]())
    assert not [
        name for name in boxes(unroll.draw(graph, format="dot")) if name.startswith("cell_") and name.count("_") == 1
    ]


@pytest.mark.parametrize("steps", [3, 6])
def test_inputs_of_one_list_stand_in_their_order_on_one_level(steps: int) -> None:
    named = {box.lines[0]: box for box in boxes(rerolled_attention(steps)).values() if len(box.lines) == 1}
    inputs = [named[f"X{step}"] for step in range(steps)]
    assert [box.left for box in inputs] == sorted(box.left for box in inputs)
    assert len({round(box.bottom) for box in inputs}) == 1


def test_inputs_of_steps_written_by_hand_stand_on_one_level() -> None:
    named = {box.lines[0]: box for box in boxes(unroll.draw(NETWORKS["by hand"](), format="dot")).values()}
    assert named["X0"].bottom == named["X1"].bottom and named["X0"].right < named["X1"].left
