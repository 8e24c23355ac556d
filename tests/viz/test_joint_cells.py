"""Cells that `optimize` computes as one: a column for each of their steps, headed by the step of each cell that it is of."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any, cast

import pygraphviz
import pytest
from drawn_programs import texts
from joined_cells import directions, is_joined, stack_of
from picture_networks import NETWORKS
from picture_reading import Box, read

import unroll
from unroll import Graph
from unroll.scopes import Origin
from unroll.viz.joint_cells import JointCells


def units(cell: Any = unroll.BasicLSTMCell, size: int = 4) -> Any:
    return cell(size)


#: Each of 8 steps, with the headings of its columns where every operator is drawn, and where cells are boxes; then the steps
#: left out of both. A layer of a stack is a step behind the one below it: layers take one more step each than there are.
NETWORK: dict[str, tuple[Callable[[], Graph], list[str], list[str], tuple[int, int]]] = {
    "Keras, both ways": (
        NETWORKS["joined both ways"],
        ["0 | 7", "1 | 6", "7 | 0"],
        ["0 | 7", "1 | 6", "6 | 1", "7 | 0"],
        (5, 4),
    ),
    "both ways": (
        lambda: unroll.optimize(directions(units(), units())),
        ["0 | 7", "1 | 6", "7 | 0"],
        ["0 | 7", "1 | 6", "6 | 1", "7 | 0"],
        (5, 4),
    ),
    "two layers": (
        lambda: unroll.optimize(stack_of([units() for _ in range(2)])),
        ["0", "1 | 0", "7"],
        ["0", "1 | 0", "7 | 6", "7"],
        (6, 5),
    ),
    "three layers": (
        lambda: unroll.optimize(stack_of([units(unroll.GRUCell) for _ in range(3)])),
        ["0", "1 | 0", "7"],
        ["0", "1 | 0", "7 | 6", "7"],
        (7, 6),
    ),
}
BOTH = pytest.mark.parametrize("level", ["op", "cell"])
ALL = pytest.mark.parametrize("name", NETWORK)


def headings(boxes: Collection[Box]) -> list[str]:
    return [box.lines[0].removeprefix("t = ") for box in boxes if box.id.startswith("step_")]


def x_of(dot: pygraphviz.AGraph, name: str) -> float:
    return float(str(dot.get_node(name).attr["pos"]).partition(",")[0])


@ALL
@BOTH
def test_each_step_of_cells_that_are_one_has_a_column_that_says_the_steps_of_each(name: str, level: str) -> None:
    make, opened, closed, left_out = NETWORK[name]
    boxes = read(make(), level=level).boxes
    assert headings(boxes) == (opened if level == "op" else closed)
    gaps = [box.lines[0] for box in boxes if box.id.startswith("gap_") and "step" in box.lines[0]]
    assert gaps == [f"... {left_out[level == 'cell']} more steps ..."]


@ALL
@BOTH
def test_what_stands_in_a_column_is_of_no_other_step_than_its_heading_says(name: str, level: str) -> None:
    graph = NETWORK[name][0]()
    reading = read(graph, level=level, full=True)
    columns = {x_of(reading.dot, box.id): box.lines[0] for box in reading.boxes if box.id.startswith("step_")}
    checked = 0
    for box in reading.boxes:
        said = columns[min(columns, key=lambda x: abs(x - x_of(reading.dot, box.id)))].removeprefix("t = ")
        if box.id.startswith("cell_"):
            assert box.tip.endswith(f", t = {said}")
            checked += 1
        elif box.node is not None:
            pairs = {(item.cell, item.step) for item in box.node.provenance}
            if len(pairs) == len({cell for cell, _ in pairs}) > 1:
                assert {str(step) for _, step in pairs} == set(said.split(" | ")), box.tip
                checked += 1
    assert checked > 7


@ALL
@BOTH
def test_a_picture_of_cells_that_are_one_is_no_tower(name: str, level: str) -> None:
    picture = unroll.draw(NETWORK[name][0](), level=level, format="svg").data.decode()
    found = re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', picture)
    assert found is not None
    assert int(found[1]) < 2000
    assert int(found[2]) < 2300


@pytest.mark.usefixtures("every_operator")
@ALL
def test_a_frame_names_the_cells_alone_that_are_computed_in_it(name: str) -> None:
    dot = read(NETWORK[name][0](), level="op").dot
    frames = [re.sub("<[^>]*>", "", str(item.graph_attr["label"])) for item in dot.subgraphs()]
    ends = {
        "Keras, both ways": ["forward_lstm + backward_lstm"] * 3,
        "both ways": ["fw + bw"] * 3,
        "two layers": ["cell_0", "cell_0 + cell_1", "cell_1"],
        "three layers": ["cell_0", "cell_0 + cell_1", "cell_2"],
    }
    assert sorted(frames) == sorted(ends[name])


def test_every_network_here_has_cells_that_are_one() -> None:
    assert is_joined(directions(units(), units()))
    assert is_joined(stack_of([units() for _ in range(2)]))
    assert is_joined(stack_of([units(unroll.GRUCell) for _ in range(3)]))


def test_the_gates_of_a_cell_that_are_one_node_stand_in_its_box() -> None:
    boxes = read(NETWORKS["optimized BasicLSTM"]()).boxes
    assert [box.tip for box in boxes if box.id.startswith("cell_")] == [
        f"rnn/basic_lstm_cell, t = {step}" for step in range(4)
    ]
    assert not any(box.id.startswith("op_") for box in boxes)


def test_a_stack_both_ways_has_columns_of_all_four_cells() -> None:
    first, second = (unroll.MultiRNNCell([units(), units()]) for _ in range(2))
    boxes = read(unroll.optimize(directions(first, second)), level="op").boxes
    assert headings(boxes) == ["0", "1 | 7 | 0", "0"]


def joint(*pairs: tuple[str, str], steps: int = 4, shift: int = 0) -> JointCells:
    """Return the joint cells of nodes that are of both cells of a pair, the other one walking backward."""
    places = [((one, step), (other, steps - 1 - step)) for one, other in pairs for step in range(steps - shift)]
    nodes = [
        SimpleNamespace(provenance=[Origin(f"{cell}/t{step}", step, cell, None) for cell, step in both])
        for both in places
    ]
    return JointCells(cast("Graph", SimpleNamespace(nodes=nodes)))


def test_two_pairs_have_two_names() -> None:
    names = joint(("fw/a/cell", "bw/a/cell"), ("fw/b/cell", "bw/b/cell")).names
    assert names["fw/a/cell"] == names["bw/a/cell"] == "fw + bw"
    assert names["fw/b/cell"] == names["bw/b/cell"] == "fw.b.cell + bw.b.cell"


def test_cells_that_are_computed_together_once_only_stay_two() -> None:
    assert joint(("fw/cell", "bw/cell"), shift=3).names == {}


def test_operators_of_a_joint_cell_call_gates_and_states_as_its_cells_do() -> None:
    said = set(texts(unroll.draw(NETWORKS["joined both ways"](), level="op", full=True)))
    assert {"i, f, o", "c = tanh(z_c)", "h = o \u00d7 tanh(new_c)"} <= said
    assert {f"new_c = f \u00d7 new_c[{step}] + i \u00d7 c" for step in range(1, 7)} <= said
    # Of the two cells that are joined, c of the backward one is at step 7, as is the last c of both.
    assert "new_c = f \u00d7 [new_c[0], \u00b7] + i \u00d7 c" in said
