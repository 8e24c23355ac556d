"""Names, splines and bitmaps of any length are drawn, or refused with advice that fits."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree

import graphviz
import numpy as np
import pygraphviz
import pytest
from drawn_programs import (
    image_rows,
    over_steps,
)

import unroll
from unroll.errors import (
    FileError,
)
from unroll.viz import drawing, render
from unroll.viz.dot_text import in_pieces


def many_inputs(count: int) -> unroll.Graph:
    """A line from the first input rises past all the others: its spline has thousands of points."""
    inputs = [unroll.placeholder([None, 2], f"x{place}") for place in range(count)]
    total = inputs[0]
    for item in inputs[1:]:
        total = total + item
    return unroll.Graph(inputs, {"y": total})


def long_names(name: str) -> unroll.Graph:
    """Everything that has a name has this long one."""
    inputs = [unroll.placeholder([None, 3], f"{name}{step}") for step in range(2)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(2), inputs, scope=f"{name}rnn")
    kernel = unroll.Parameter(np.ones((2, 2), np.float32), f"{name}w")
    return unroll.Graph(inputs, {f"{name}y": outputs[-1] @ kernel})


@pytest.mark.slow
def test_no_string_of_a_picture_is_longer_than_graphviz_scans_and_none_loses_a_character() -> None:
    """Graphviz takes fewer than 16,384 bytes of a quoted string at a time; its own parser joins what was cut."""
    name = "é\U0001f600x" * 7000
    for graph, long in ((many_inputs(450), None), (long_names(name), f"{name}0")):
        dot = unroll.draw(graph, format="dot", full=True).dot
        assert max(len(line.encode()) for line in dot.splitlines()) < 16_384 * 2
        assert re.search(r"\\\n", dot), "nothing here is long enough to be cut"
        read = pygraphviz.AGraph(string=dot)
        if long is None:
            assert max(len(edge.attr["pos"]) for edge in read.edges()) > 16_384
            for edge in read.edges():
                assert re.fullmatch(r"e,[\d.]+,[\d.]+( -?[\d.]+,-?[\d.]+)+", edge.attr["pos"])
        else:
            assert long in {node.attr["tooltip"] for node in read.nodes()}


@pytest.mark.parametrize("text", ["a" * 4000, "a" * 4001, "ab\\\\" * 3000, "\\\\" * 2500, '"' * 9000])
def test_text_in_pieces_is_read_as_the_text(text: str) -> None:
    dot = graphviz.Digraph()
    dot.node("a", comment=in_pieces(text))
    read = pygraphviz.AGraph(string=dot.source)
    seen = read.get_node("a").attr["comment"]
    assert seen.replace("\\\\", "\\") == text.replace("\\\\", "\\")


@pytest.mark.slow
@pytest.mark.parametrize(("level", "format"), [("cell", "png"), ("cell", "pdf"), ("op", "svg")])
def test_names_of_any_length_are_drawn(level: drawing.Level, format: str) -> None:
    picture = unroll.draw(long_names('<&"é/x' * 1500), level=level, format=format)
    assert len(picture.data) > 5000


@pytest.mark.slow
def test_a_spline_of_any_length_is_drawn() -> None:
    picture = unroll.draw(many_inputs(450), full=True)
    assert max(map(len, re.findall(r'pos="([^"]+)"', picture.dot))) > 16_384
    curves = [
        item.get("d", "") for item in ElementTree.fromstring(picture.data).iter("{http://www.w3.org/2000/svg}path")
    ]
    assert max(map(len, curves)) > 15_000


@pytest.mark.slow
def test_a_bitmap_that_nobody_could_read_is_refused() -> None:
    with pytest.raises(FileError, match=r"as PNG .* pixels a side .* SVG has no such limit"):
        unroll.draw(over_steps(unroll.BasicRNNCell(2), 500), format="png", full=True)


@pytest.mark.parametrize(
    ("arguments", "advice", "unsaid"),
    [
        ({"level": "op", "full": True}, ('level="cell" draws a box', "without full=True"), ()),
        ({"level": "cell", "full": True}, ("without full=True",), ('level="cell"',)),
    ],
)
def test_advice_on_a_picture_that_is_too_large_fits_what_was_asked(
    arguments: dict, advice: tuple[str, ...], unsaid: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "_MOST_PIXELS", 200)
    with pytest.raises(FileError) as refusal:
        unroll.draw(over_steps(unroll.BasicRNNCell(2), 8), format="png", **arguments)
    assert all(text in str(refusal.value) for text in advice)
    assert not any(text in str(refusal.value) for text in unsaid)
    with pytest.raises(FileError, match="draw a part of it"):
        unroll.draw(many_inputs(9), format="png", **arguments)


def test_a_bitmap_that_is_scaled_down_says_so_and_what_to_do(recwarn: pytest.WarningsRecorder) -> None:
    picture = unroll.draw(image_rows(300), format="png", full=True)
    assert struct.unpack(">I", picture.data[16:20]) == (32767,)
    (said,) = [str(item.message) for item in recwarn if issubclass(item.category, unroll.UnrollWarning)]
    assert "32,767" in said and "without full=True" in said and "SVG" in said
    assert re.search(r"scaled down to \d\d%", said)
