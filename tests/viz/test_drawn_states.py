"""States run from cell to cell, backward, from outside, to the next run and into the decoder."""

from __future__ import annotations

import itertools

import pygraphviz
import pytest
from drawn_programs import (
    PROGRAMS,
    bidirectional,
    cells_of,
    dashed,
    fed_back,
    parsed,
    places,
    stateful,
    texts,
)
from picture_networks import NETWORKS

import unroll
from unroll.viz import drawing


def curve(edge: pygraphviz.Edge) -> list[tuple[float, float]]:
    """The control points of a line, from its beginning to the tip of its arrow."""
    tip, *points = (tuple(map(float, point.removeprefix("e,").split(","))) for point in edge.attr["pos"].split())
    return [*points, tip]


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


@pytest.mark.slow
@pytest.mark.parametrize("level", ("cell", "op"))
def test_no_arrow_between_boxes_of_one_row_is_turned_back(level: drawing.Level) -> None:
    """A state that leaves beside a box must not go back through it."""
    graph = parsed(unroll.draw(bidirectional(), level=level))
    for edge in graph.edges():
        points = curve(edge)
        if len({y for _, y in points}) == 1:
            xs = [x for x, _ in points]
            assert xs in (sorted(xs), sorted(xs, reverse=True)), edge


def test_cells_opened_up_one_above_the_other_have_frames_that_do_not_meet() -> None:
    graph = parsed(unroll.draw(bidirectional(), level="op", full=True))
    frames = [tuple(map(float, frame.graph_attr["bb"].split(","))) for frame in graph.subgraphs()]
    assert len(frames) == 6, "two cells at three steps"
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
    row = sorted(cells_of(graph), key=place.__getitem__)
    encoder = [cell for cell in row if "encoder" in graph.get_node(cell).attr["label"]]
    decoder = [cell for cell in row if "decoder" in graph.get_node(cell).attr["label"]]
    assert row == [*encoder, *decoder], "time runs to the right"
    assert len({place[cell][1] for cell in row}) == 1
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


@pytest.mark.parametrize("name", NETWORKS)
def test_a_cell_begins_with_one_mark_for_each_of_its_states(name: str) -> None:
    dot = parsed(unroll.draw(NETWORKS[name]()))
    begun: dict[str, list[str]] = {}
    for edge in dot.edges():
        if edge[0].startswith("zero_") and edge[1].startswith("cell_"):
            begun.setdefault(edge[1], []).append(edge.attr["label"] or "")
    for cell, labels in begun.items():
        names = [label.strip("<>").partition(" ")[0] for label in labels]
        assert len(set(names)) == len(names), f"{cell} begins with {names}"
