"""A gate has one colour: in cells, in blocks of weights and in operators, at both levels."""

from __future__ import annotations

import re

import numpy as np
import pytest
from drawn_programs import PROGRAMS, over_steps, parsed
from picture_networks import CELLS, NETWORKS

import unroll
from unroll import cells
from unroll.viz import palette
from unroll.viz.gate_columns import GateColumns

CHIP = re.compile(r'BGCOLOR="(#\w+)" WIDTH="18"[^>]*><FONT POINT-SIZE="10">([^<]*)</FONT>')
WITH_GATES = {
    "GRU": "r u c",
    "peepholes": "i j f o",
    "norms": "i j f o",
    "four states": "z i f o",
    "attention": "i j f o",
    "one matrix after another": "u v",
    "Keras, masked": "z r h",
    "PyTorch, both ways": "r z n",
    "cell LSTM, clipped and projected": "i j f o",
    "cell CoupledInputForget": "j f o",
    "cell NAS": "g0 g1 g2 g3 g4 g5 g6 g7",
    "cell UGRNN": "g c",
    "cell Intersection": "gh h gy y",
    "cell SRU": "x_bar f r x_tx",
    "cell IndyLSTM": "i j f o",
    "cell IndyGRU": "r u c",
    "cell PhasedLSTM": "k i f j o",
    "layers GRU, reset before": "z r h",
    "layers ConvLSTM2D": "i f c o",
    "layers masked LSTM": "i f c o",
    "nn LSTM, two layers both ways": "i f g o",
}


def attributes(picture: unroll.Picture) -> dict[str, tuple[str, str]]:
    """The label and the fill of each box."""
    graph = parsed(picture)
    return {str(node): (node.attr["label"], node.attr["fillcolor"]) for node in graph.nodes()}


def chips(picture: unroll.Picture, kind: str) -> dict[str, set[str]]:
    """The fills of each gate that stands in a box of this kind as a small field."""
    found: dict[str, set[str]] = {}
    for node, (label, _) in attributes(picture).items():
        if node.startswith(kind):
            for color, gate in CHIP.findall(label):
                found.setdefault(gate, set()).add(color)
    return found


def filled(picture: unroll.Picture) -> dict[str, set[str]]:
    """The fills of operators whose formula says that they make a gate: ``i = ...``."""
    found: dict[str, set[str]] = {}
    for node, (label, fill) in attributes(picture).items():
        said = re.search(r'POINT-SIZE="9" COLOR="#222222">(\w+) = ', label)
        if node.startswith("op_") and said:
            found.setdefault(said[1], set()).add(fill)
    return found


@pytest.mark.parametrize("name", WITH_GATES)
def test_a_gate_has_one_colour_in_cells_and_in_operators(name: str) -> None:
    graph = NETWORKS[name]()
    in_cells = chips(unroll.draw(graph, format="dot"), "cell_")
    assert list(in_cells) == WITH_GATES[name].split()
    assert all(len(colors) == 1 for colors in in_cells.values())
    assert len({next(iter(colors)) for colors in in_cells.values()}) == len(in_cells)
    opened = unroll.draw(graph, level="op", format="dot")
    in_operators = filled(opened)
    held, fills = chips(opened, "op_"), {fill for _, fill in attributes(opened).values()}
    for gate, colors in in_cells.items():
        assert held.get(gate, colors) == in_operators.get(gate, colors) == colors
        assert colors <= fills or gate in held, gate


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) | set(CELLS)))
def test_blocks_are_coloured_as_the_gates_are(name: str) -> None:
    picture = unroll.draw(NETWORKS[name](), format="dot")
    in_cells = chips(picture, "cell_")
    for node, (label, _) in attributes(picture).items():
        if node.startswith("weights_"):
            blocks = re.findall(r'<TD BGCOLOR="(#\w+)"[^>]*><FONT[^>]*>W<FONT[^>]*><SUB>(\w+)</SUB>', label)
            for color, index in blocks:
                gates = [gate for gate in in_cells if index.endswith(gate)]
                assert color in {palette.PLAIN_BLOCK, *(fill for gate in gates for fill in in_cells[gate])}


def test_a_gru_at_operator_level_names_the_gates_that_one_product_holds() -> None:
    opened = attributes(unroll.draw(over_steps(unroll.GRUCell(6)), level="op", format="dot"))
    for operator in ("Split", "Sigmoid"):
        labels = [label for label, _ in opened.values() if f"<B>{operator}</B>" in label]
        assert len(labels) == 4
        assert all([gate for _, gate in CHIP.findall(label)] == ["r", "u"] for label in labels)


def test_a_kernel_whose_columns_were_reordered_is_followed() -> None:
    graph = unroll.optimize(over_steps(unroll.BasicLSTMCell(3)))
    opened = unroll.draw(graph, level="op", format="dot")
    splits = [label for label, _ in attributes(opened).values() if "<B>Split</B>" in label]
    seen = {tuple(gate for _, gate in CHIP.findall(label)) for label in splits}
    # Which gate an output is follows from the values alone: the output is what the gate's block of the kernel gives.
    columns, checked = GateColumns(graph), 0
    kernel = next(item for item in graph.parameters.values() if item.name.endswith("kernel"))
    feeds = {tensor: np.ones((1, 4), "float32") for tensor in graph.inputs}
    pieces = [tensor for node in graph.nodes if node.op.name == "Split" for tensor in node.outputs]
    for place, gate in enumerate("ijfo"):
        before = graph.run(feeds, pieces)
        kept = kernel.value
        changed = np.array(kept)
        changed[:4, 3 * place : 3 * place + 3] += 1
        kernel.assign(changed)
        first = [i for i, piece in enumerate(pieces) if min(o.step for o in piece.node.provenance) == 0]
        after = graph.run(feeds, pieces)
        kernel.assign(kept)
        for at in first:
            assert (gate in columns.gates(pieces[at])) == (not np.array_equal(before[at], after[at]))
            checked += 1
    assert checked >= 16
    assert ("i, f, o", "j") in seen or ("j", "i, f, o") in seen


def test_what_is_one_column_and_no_gate_has_no_colour() -> None:
    graph = over_steps(cells.AttentionCellWrapper(unroll.BasicLSTMCell(3), 2), 2)
    panel, _ = attributes(unroll.draw(graph, format="dot"))["weights_0"]

    blocks = re.findall(r'<TD BGCOLOR="(#\w+)"[^>]*><FONT[^>]*>[Wb]<FONT[^>]*><SUB>([^<]*)</SUB>', panel)
    assert {color for color, index in blocks if index in ("xx", "attns,x", "cy", "hy", "y", "output")} == {
        palette.PLAIN_BLOCK
    }


def test_a_gate_of_the_same_name_has_its_colour_in_every_cell_and_no_cell_has_a_colour_twice() -> None:
    gates = [["i", "j", "f", "o"], ["r", "u", "c"], ["z", "i", "f", "o", "r", "n"], ["h", "gh", "y", "gy", "r", "i"]]
    colors = palette.gate_colors(gates)
    for names in gates:
        assert len({colors[name] for name in names}) == len(names)
