"""The checker of pictures finds each kind of fault, and none where there is none: SVGs made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from font_metrics import font
from picture_faults import faults
from svg_pictures import read_svg

import unroll
from unroll.viz.dot_text import text_width

NODE = '<g class="node"><title>{name}</title><polygon fill="white" stroke="black" points="{points}"/>{text}</g>'
EDGE = '<g class="edge"><title>{name}</title><path fill="none" stroke="black" d="{curve}"/>{text}</g>'
FRAME = '<g class="cluster"><title>{name}</title><polygon fill="white" stroke="black" points="{points}"/>{text}</g>'


def svg(*parts: str) -> str:
    """A page of 200 by 100, its origin at the top left."""
    inside = "".join(parts)
    graph = f'<g class="graph" transform="scale(1 1) rotate(0) translate(0 0)">{inside}</g>'
    return f'<svg viewBox="0 0 200 100" xmlns="http://www.w3.org/2000/svg">{graph}</svg>'


def corners(left: float, top: float, right: float, bottom: float) -> str:
    return f"{left},{bottom} {left},{top} {right},{top} {right},{bottom} {left},{bottom}"


def box(name: str, left: float, top: float, right: float, bottom: float, text: str = "") -> str:
    return NODE.format(name=name, points=corners(left, top, right, bottom), text=text)


def words(x: float, y: float, said: str, size: float = 10) -> str:
    return f'<text text-anchor="start" x="{x}" y="{y}" font-size="{size}">{said}</text>'


def line(name: str, x0: float, y0: float, x1: float, y1: float, text: str = "") -> str:
    third = ((x1 - x0) / 3, (y1 - y0) / 3)
    curve = f"M{x0},{y0}C{x0 + third[0]},{y0 + third[1]} {x1 - third[0]},{y1 - third[1]} {x1},{y1}"
    return EDGE.format(name=name, curve=curve, text=text)


def frame(left: float, top: float, right: float, bottom: float, text: str = "") -> str:
    return FRAME.format(name="frame", points=corners(left, top, right, bottom), text=text)


GOOD = svg(
    frame(5, 5, 95, 95, words(8, 16, "scope")),
    box("a", 10, 20, 60, 50, words(14, 38, "Tanh")),
    box("b", 120, 20, 180, 50, words(124, 38, "Add")),
    line("a-&gt;b", 60, 35, 120, 35, words(97, 30, "(2,)", 8)),
)

FAULTS = {
    "over the edge of its box": [box("a", 10, 20, 40, 50, words(14, 38, "Transpose"))],
    "outside the page": [box("a", 150, 20, 210, 50)],
    "text on text": [line("a-&gt;b", 0, 55, 200, 55, words(50, 40, "first") + words(60, 43, "second"))],
    "text on a box": [box("a", 10, 20, 60, 50), line("a-&gt;b", 60, 57, 120, 57, words(50, 40, "(2,)"))],
    "text on the edge of a frame": [frame(10, 10, 60, 60), line("a-&gt;b", 60, 57, 120, 57, words(50, 40, "(2, 3)"))],
    "struck through": [line("a-&gt;b", 0, 35, 200, 55, words(80, 48, "(2, 3)"))],
    "far from its line": [line("a-&gt;b", 0, 90, 200, 90, words(80, 40, "(2, 3)"))],
    "box on box": [box("a", 10, 20, 60, 50), box("b", 55, 40, 90, 70)],
    "on the edge of a frame": [frame(10, 10, 60, 60), box("a", 50, 20, 90, 40)],
    "line through a box": [box("a", 80, 20, 120, 50), line("b-&gt;c", 10, 40, 190, 30)],
    "over the edge of its block": [
        NODE.format(
            name="weights_0",
            points=corners(10, 10, 150, 90),
            text=f'<polygon fill="white" stroke="black" points="{corners(30, 30, 50, 60)}"/>{words(35, 48, "W_output")}',
        )
    ],
}


def test_a_picture_that_is_right_has_no_faults() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize("kind", FAULTS)
def test_each_kind_of_fault_is_found(kind: str) -> None:
    found = faults(svg(*FAULTS[kind]))
    assert [text.partition(":")[0] for text in found] == [kind]


def test_a_name_that_a_line_runs_through_is_found_on_the_frame() -> None:
    parts = frame(10, 10, 160, 90, words(14, 22, "rnn/basic_lstm_cell")), line("a-&gt;b", 60, 80, 60, 5)
    assert faults(svg(*parts)) == ["struck through: 'rnn/basic_lstm_cell' of frame by a->b"]


def test_a_line_may_end_in_its_boxes_but_not_pass_through_others() -> None:
    boxes = box("a", 10, 20, 60, 50), box("b", 80, 20, 120, 50), box("c", 140, 20, 180, 50)
    assert faults(svg(*boxes, line("a-&gt;c", 58, 35, 142, 35))) == ["line through a box: a->c through b"]
    assert faults(svg(*boxes, line("a-&gt;b", 58, 35, 82, 35))) == []


def test_a_curve_is_followed_where_its_ends_are_far_from_the_text() -> None:
    curve = "M20,90C20,0 180,0 180,90"  # its top is at a height of 22.5
    arch = EDGE.format(name="a-&gt;b", curve=curve, text=words(90, 26, "top"))
    assert faults(svg(arch)) == ["struck through: 'top' of a->b by a->b"]
    assert faults(svg(EDGE.format(name="a-&gt;b", curve=curve, text=words(90, 44, "top")))) == []


def test_the_head_of_an_arrow_is_a_part_of_its_line() -> None:
    head = f'<polygon fill="black" stroke="black" points="50,40 56,38 56,42 50,40"/>{words(40, 42, "label")}'
    assert len(faults(svg(line("a-&gt;b", 120, 40, 100, 40, head)))) == 1


def test_the_metrics_are_those_of_the_shipped_font() -> None:
    """From the tables of Open Sans Regular: 2048 units to an em."""
    ink = font().ink("AV", 2048)
    assert ink.advance == pytest.approx(1296 + 1219, abs=30)
    assert ink.top == pytest.approx(1462, abs=10) and ink.bottom == 0
    assert font(bold=True).ink("gate", 10).advance > font().ink("gate", 10).advance


@pytest.mark.parametrize("bold", [False, True])
def test_text_is_as_wide_as_boxes_are_made_for(bold: bool) -> None:
    """Each letter by itself: a name may be all i, or all brackets."""
    letters = [*map(chr, range(32, 127)), *(() if not bold else "\u2026\u2014")]
    wide = [font(bold).ink(letter, 100).advance for letter in letters]
    np.testing.assert_allclose([text_width(letter, 100, bold) for letter in letters], wide, atol=0.6)


def test_every_part_of_a_picture_is_read() -> None:
    x = [unroll.placeholder([None, 3], f"X{step}") for step in range(2)]
    outputs, _ = unroll.static_rnn(unroll.GRUCell(5), x)
    drawn = read_svg(unroll.draw(unroll.Graph(x, outputs)).data)
    names = {item.name for item in drawn.boxes}
    assert {"input_0", "input_1", "output_0", "output_1", "weights_0", "step_0", "step_1"} <= names
    assert len(drawn.frames) == 1 and len(drawn.edges) == 8
    assert {text.text for text in drawn.frames[0].texts} == {"rnn"}
    assert all(len(edge.pieces) for edge in drawn.edges)
    assert {"one set of weights for all 2 steps", "gates/kernel"} <= {
        text.text for item in drawn.boxes for text in item.texts
    }
