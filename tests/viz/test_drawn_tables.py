"""Text beside lines and tables of blocks: nothing stands on anything else, and tables begin at one height."""

from __future__ import annotations

import html
import itertools
import xml.etree.ElementTree as ElementTree

import pytest
from drawn_programs import (
    PROGRAMS,
    parsed,
    places,
    said,
    texts,
    torch_gru,
)

import unroll
from unroll.viz import drawing
from unroll.viz.dot_text import text_width

SVG = "{http://www.w3.org/2000/svg}"


# -- text beside lines -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("level", ("cell", "op"))
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


# -- block tables ------------------------------------------------------------------------------------------------------


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
