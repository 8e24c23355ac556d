"""Boxes for what differs between two graphs and what stands beside it, in rows from inputs down to outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from unroll.tensor import Node
from unroll.viz.dot_text import LONGEST, TIMES, text_width, visible
from unroll.viz.numbers.differences import Found, Group, alike, groups

NAME, TEXT, LINE = 11.0, 9.0, 12.0
_ACROSS, _DOWN, _PAD = 16.0, 26.0, 8.0
# A line that passes a row takes so much of it.
_PASSING = 12.0
#: So many boxes of what differs are drawn, and so many of what stands beside it.
MOST, MOST_BESIDE = 60, 40
_MOST_SAID, _LONGEST = 3, 40


@dataclass(eq=False)
class Box:
    """A box, or a place where a line passes.

    Attributes:
        sign: how its operators differ; empty where they do not.
        lines: its text, the first line large; nothing for a place where a line passes.
        row: which row it stands in.
        x: its left edge.
        y: its upper edge.
        width: how wide it is.
        height: how high it is; as high as its row for a place where a line passes, which goes straight down between boxes.
    """

    sign: str
    lines: tuple[str, ...]
    first: float
    row: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = _PASSING
    height: float = 0.0


@dataclass
class Layout:
    """Boxes with their places, and lines between them.

    Attributes:
        boxes: the boxes.
        lines: boxes that follow each other along a line, with the sign of what the line belongs to.
        left_out: how many groups of what differs were not drawn.
        width: of all.
        height: of all.
    """

    boxes: list[Box] = field(default_factory=list)
    lines: list[tuple[list[Box], str]] = field(default_factory=list)
    left_out: int = 0
    width: float = 0.0
    height: float = 0.0


def lay_out(found: Found) -> Layout:
    """Return boxes for what differs, with what stands beside it."""
    differing = groups(found)
    shown = differing[:MOST]
    layout = Layout(left_out=len(differing) - len(shown))
    places, before = _union(found)
    of: dict[Node, Box] = {}
    for group in shown:
        box = _box(group, min(places[node] for node in group.nodes))
        layout.boxes.append(box)
        of |= dict.fromkeys(group.nodes, box)
    _add_beside(found, layout, of, places, before)
    edges = _edges(of, before)
    _set_rows(layout.boxes, edges)
    _route(layout, edges)
    _place(layout)
    return layout


def _union(found: Found) -> tuple[dict[Node, float], dict[Node, list[Node]]]:
    """Return an order of the nodes of both graphs, the matched ones once, and for each node those that it reads."""
    pairs, b = found.matching.nodes, found.matching.b.graph
    places = {node: float(place) for place, node in enumerate(b.nodes)}
    before = {
        node: [tensor.node for tensor in node.inputs if tensor is not None and tensor.node is not None]
        for node in b.nodes
    }
    removed = set(found.removed)
    for node in found.matching.a.graph.nodes:
        own = pairs.get(node, node)
        read = [tensor.node for tensor in node.inputs if tensor is not None and tensor.node is not None]
        sources = [pairs.get(source, source) for source in read]
        if node in removed:
            places[node] = max((places[source] for source in sources), default=-1.0) + 1e-6
            before[node] = sources
        else:
            before[own] = [*before[own], *(source for source in sources if source in removed)]
    return places, before


def _box(group: Group, first: float) -> Box:
    count = f"{len(group.nodes):,} {TIMES} " if len(group.nodes) > 1 else ""
    said = [visible(text, _LONGEST) for text in group.said]
    cut = said if len(said) <= _MOST_SAID else [*said[: _MOST_SAID - 1], f"{len(said) - _MOST_SAID + 1} more"]
    return _sized(Box(group.sign, (f"{count}{group.op}", _short(group.name), *cut), first))


def _sized(box: Box) -> Box:
    sizes = [text_width(text, TEXT if place else NAME, not place, None) for place, text in enumerate(box.lines)]
    box.width = max(sizes) + 2 * _PAD + (14 if box.sign else 0)
    box.height = len(box.lines) * LINE + _PAD
    return box


def _short(name: str) -> str:
    return visible("/".join(name.split("/")[-3:]), LONGEST)


def _add_beside(
    found: Found, layout: Layout, of: dict[Node, Box], places: Mapping[Node, float], before: Mapping[Node, list[Node]]
) -> None:
    """Add boxes for what is the same and reads what differs, or is read by it: one for all of a kind at all steps."""
    differing = set(of)
    beside: dict[Node, None] = {}
    for node, sources in before.items():
        if node in differing:
            beside |= dict.fromkeys(source for source in sources if source not in differing)
        elif any(source in differing for source in sources):
            beside[node] = None
    same = set(found.matching.nodes.values()) - set(found.changed)
    graph = found.matching.b.graph
    held: dict[object, list[Node]] = {}
    for node in sorted(beside, key=places.__getitem__):
        if node in same:
            held.setdefault(alike(node, graph.name(node)), []).append(node)
    for nodes in list(held.values())[:MOST_BESIDE]:
        box = _box(Group("", nodes[0].op.name, graph.name(nodes[0]), (), nodes), places[nodes[0]])
        layout.boxes.append(box)
        of |= dict.fromkeys(nodes, box)


def _edges(of: Mapping[Node, Box], before: Mapping[Node, list[Node]]) -> list[tuple[Box, Box]]:
    """Return which box reads which; what goes back to an earlier box, from step to step, is left out."""
    found: dict[tuple[Box, Box], None] = {}
    for node, sources in before.items():
        for source in sources:
            if node in of and source in of and of[source].first < of[node].first:
                found[of[source], of[node]] = None
    return list(found)


def _set_rows(boxes: list[Box], edges: Iterable[tuple[Box, Box]]) -> None:
    read: dict[Box, list[Box]] = {}
    readers: dict[Box, list[Box]] = {}
    for source, target in edges:
        read.setdefault(target, []).append(source)
        readers.setdefault(source, []).append(target)
    boxes.sort(key=lambda box: box.first)
    for box in boxes:
        box.row = max((source.row + 1 for source in read.get(box, ())), default=0)
    for box in reversed(boxes):  # what begins here stands beside what reads it
        if box not in read and box in readers:
            box.row = min(target.row for target in readers[box]) - 1


def _route(layout: Layout, edges: Iterable[tuple[Box, Box]]) -> None:
    """Give each line a place in the rows that it passes."""
    for source, target in edges:
        way = [source]
        for row in range(source.row + 1, target.row):
            way.append(Box("", (), source.first, row))
            layout.boxes.append(way[-1])
        layout.lines.append(([*way, target], target.sign or source.sign))


def _place(layout: Layout) -> None:
    """Give boxes their places: in each row in the order of what they read, and below it."""
    near: dict[Box, list[Box]] = {}
    for way, _ in layout.lines:
        for one, other in pairwise(way):
            near.setdefault(other, []).append(one)
    rows: dict[int, list[Box]] = {}
    for box in layout.boxes:
        rows.setdefault(box.row, []).append(box)
    y = 0.0
    for _, boxes in sorted(rows.items()):
        middles = {box: _middle(near.get(box, ())) for box in boxes}
        boxes.sort(key=lambda box: (middles[box], box.first))
        x, high = 0.0, max(box.height for box in boxes)
        for box in boxes:
            box.height = box.height if box.lines else high
            box.x, box.y = max(x, middles[box] - box.width / 2), y + (high - box.height) / 2
            x = box.x + box.width + _ACROSS
        layout.width = max(layout.width, x - _ACROSS)
        y += high + _DOWN
    layout.height = max(0.0, y - _DOWN)


def _middle(boxes: Iterable[Box]) -> float:
    middles = [box.x + box.width / 2 for box in boxes]
    return sum(middles) / len(middles) if middles else 0.0
