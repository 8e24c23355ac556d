"""Reading the boxes of a picture from its DOT text: lines of text, blocks of weights, and where boxes stand."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import NamedTuple

import pygraphviz

from unroll.viz import drawing


class Drawn(NamedTuple):
    """A box: its place in points, its lines of text, and the texts of its coloured or framed cells."""

    left: float
    right: float
    bottom: float
    top: float
    lines: list[str]
    blocks: list[str]

    def holds(self, other: Drawn) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )


def boxes(picture: drawing.Picture) -> dict[str, Drawn]:
    """Return every box by its name in DOT."""
    found = {}
    graph = pygraphviz.AGraph(string=picture.dot, strict=False)
    for node in graph.nodes():
        x, y = map(float, node.attr["pos"].split(","))
        half, tall = 36 * float(node.attr["width"]), 36 * float(node.attr["height"])
        label = ElementTree.fromstring(f"<label>{node.attr['label']}</label>")
        found[str(node)] = Drawn(x - half, x + half, y - tall, y + tall, _lines(label), _blocks(label))
    return found


def loops(picture: drawing.Picture) -> list[Drawn]:
    """Return the boxes of recurrent operators and Scans, those inside others after them."""
    return [box for name, box in boxes(picture).items() if name.rpartition("_")[0].endswith("loop")]


def inside(picture: drawing.Picture, prefix: str) -> dict[str, Drawn]:
    """Return the boxes of the picture laid into a loop, by their names within."""
    return {name.removeprefix(prefix): box for name, box in boxes(picture).items() if name.startswith(prefix)}


def _lines(label: ElementTree.Element) -> list[str]:
    """Return the text of each innermost cell."""
    cells = [cell for cell in label.iter("TD") if cell.find(".//TABLE") is None]
    return [text for text in ("".join(cell.itertext()) for cell in cells) if text]


def _blocks(label: ElementTree.Element) -> list[str]:
    return ["".join(cell.itertext()) for cell in label.iter("TD") if cell.get("BGCOLOR")]
