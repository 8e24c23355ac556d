"""A file is drawn as the program that it came from: the same columns, cells, gates and blocks."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from drawn_programs import PROGRAMS, cells_of, headings, keras, parsed, texts
from picture_networks import FOREIGN, LAYERS, numpy_style, read_back

import unroll
from unroll import layers
from unroll.viz.drawing import Picture

NETWORKS = {
    "image rows": PROGRAMS["image rows"],
    "LSTM": LAYERS["layers LSTM, 28 steps"],
    "stacked": PROGRAMS["stacked"],
    "GRU": PROGRAMS["GRU"],
    "GRU of two biases": lambda: keras(layers.GRU(3)),
    "Bidirectional": lambda: keras(layers.Bidirectional(layers.LSTM(5)), steps=9),
    "two loops": LAYERS["two loops"],
}


def gate_fills(picture: Picture) -> Counter[str]:
    """How many boxes of operators have each fill."""
    graph = parsed(picture)
    return Counter(graph.get_node(node).attr["fillcolor"] for node in graph.nodes() if node.startswith("op_"))


def blocks(picture: Picture) -> list[str]:
    """What stands in the blocks of weights."""
    found = re.findall(r"<SUB>([^<]*)</SUB>", picture.dot)
    return sorted(set(found))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_of_ours_has_the_columns_cells_and_blocks_of_its_program(name: str) -> None:
    graph = NETWORKS[name]()
    ours, read = (unroll.draw(item, format="dot") for item in (graph, read_back(graph)))
    assert headings(read) == headings(ours)
    assert len(cells_of(parsed(read))) == len(cells_of(parsed(ours)))
    assert blocks(read) == blocks(ours)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_of_ours_has_the_gate_colors_of_its_program(name: str) -> None:
    graph = NETWORKS[name]()
    ours, read = (unroll.draw(item, format="dot", level="op") for item in (graph, read_back(graph)))
    assert headings(read) == headings(ours)
    counted = gate_fills(ours)
    colored = {fill for fill, count in gate_fills(read).items() if count}
    assert colored <= counted.keys() | {""}
    assert len(colored) >= len(counted) - 1


@pytest.mark.parametrize(
    ("name", "steps", "gates"),
    [
        ("tf2onnx-basic_lstm-bn-t5-op13", 5, "ijfo"),
        ("tf2onnx-two_basic_lstm-bn-t4-op13", 4, "ijfo"),
        ("torchscript-lstm-bn-t5-op17", 5, "ifgo"),
        ("dynamo-gru-bn-t4-op18", 4, "rzn"),
        ("keras-lstm-return_sequences-bn-t5-op13", 5, "ifco"),
    ],
)
def test_a_flat_file_of_others_is_drawn_by_cells_with_their_gates(name: str, steps: int, gates: str) -> None:
    picture = unroll.draw(unroll.from_onnx(FOREIGN / f"{name}.onnx"), format="dot")
    assert headings(picture) == list(range(steps))
    assert len(cells_of(parsed(picture))) == steps * (2 if "two" in name else 1)
    shown = texts(picture)
    assert all(shown.count(gate) >= steps for gate in gates)


def test_a_long_file_leaves_out_its_middle() -> None:
    x = [unroll.placeholder([None, 3], f"x{step}") for step in range(40)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(4), x)
    read = read_back(unroll.Graph(x, {"y": outputs[-1]}))
    assert headings(unroll.draw(read, format="dot")) == [0, 1, 38, 39]
    assert headings(unroll.draw(read, format="dot", level="op")) == [0, 1, 39]


def test_a_loop_as_people_write_it_is_a_row_of_cells() -> None:
    picture = unroll.draw(numpy_style(steps=9), format="dot")
    assert headings(picture) == [0, 1, 7, 8]
    assert len(cells_of(parsed(picture))) == 4 and "... 5 more steps ..." in texts(picture)
