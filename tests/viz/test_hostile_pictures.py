"""A thousand names that are markup, escapes or nothing to read: pictures stay valid, and what they say is text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import cache
from typing import Any

import pygraphviz
import pytest
from hostile_names import MARK, NAMES, in_a_file, in_a_program, usable

import unroll
from unroll.errors import ArgumentError

USABLE = [name for name in NAMES if usable(name)]
#: What an SVG of ours is made of; nothing of it runs.
_DRAWN = {"svg", "g", "a", "title", "text", "path", "polygon", "polyline", "ellipse", "use"}


@cache
def of_a_file() -> unroll.Graph:
    return unroll.from_onnx(in_a_file(list(NAMES)))


@cache
def of_a_program() -> unroll.Graph:
    return in_a_program(USABLE[::15][:44])


GRAPHS = {"a file": of_a_file, "a program": of_a_program}


def test_the_names_are_a_thousand_and_each_is_read_or_refused() -> None:
    assert len(set(NAMES)) == 1000 and max(map(len, NAMES)) == 10_000
    with_nul = [name for name in NAMES if "\0" in name]
    graph = of_a_file()
    assert set(with_nul) == {
        text for node in graph.nodes for text in getattr(node.op, "attributes", {}).values() if "\0" in str(text)
    }
    for name in NAMES:
        if not usable(name):
            with pytest.raises(ArgumentError, match="is not a name"):
                unroll.placeholder([2], name)


@pytest.mark.parametrize("level", ["cell", "op", "layer"])
@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_dot_svg_and_mermaid_text_are_valid(graph: Callable[[], unroll.Graph], level: str) -> None:
    options: dict[str, Any] = {"level": level, "title": "".join(NAMES[8:20]), "full": level == "op"}
    dot = unroll.draw(graph(), format="dot", **options).dot
    parsed = pygraphviz.AGraph(string=dot)
    kinds = {str(node).partition("_")[0] for node in parsed.nodes()}
    assert kinds <= {"op", "input", "output", "weight", "weights", "gap", "zero", "step", "cell", "part", "title"}
    drawn = ElementTree.fromstring(unroll.draw(graph(), format="svg", **options).data)
    assert {item.tag.partition("}")[2] for item in drawn.iter()} <= _DRAWN
    attributes = [
        (name.partition("}")[2] or name, value) for item in drawn.iter() for name, value in item.attrib.items()
    ]
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    said = " ".join(drawn.itertext()) + " ".join(value for name, value in attributes if name == "title")
    assert f"window.{MARK}" in said
    text = (
        unroll.draw(graph(), format="mmd", level=level, title=options["title"]).data.decode() if level != "op" else ""
    )
    assert not re.search(r"<(?!br/>)|[`\0]|%%", text.partition("flowchart")[2])
