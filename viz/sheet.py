"""What a picture is drawn of, before it is written as DOT: one sheet can be laid into a box of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from unroll.viz.dot_text import text_width
from unroll.viz.labels import TEXT, Label
from unroll.viz.placement import Rectangle
from unroll.viz.routes import Point

_LABEL_HIGH = 12.0
# About how many characters a statement has beside its label, and each point of a line.
_WORDS, _POINT = 150, 14


class Frame(NamedTuple):
    """A frame under everything else, with the place of its title, and what is told of it under a pointer."""

    box: Rectangle
    title: Rectangle
    label: str
    told: str
    looks: Mapping[str, str]


class Node(NamedTuple):
    """A box, its name in DOT, the markup in it, and what is told of it under a pointer."""

    id: str
    box: Rectangle
    label: str
    told: str
    looks: Mapping[str, str]


class Edge(NamedTuple):
    """A line of cubic curves between two boxes, with text where its label says, and what is told of it under a pointer."""

    ends: tuple[str, str]
    points: Sequence[Point]
    label: Label | None
    told: str
    looks: Mapping[str, str]


@dataclass
class Sheet:
    """Frames, boxes and lines with their places; y grows upwards."""

    frames: list[Frame] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    _inner: list[tuple[str, Sheet, Point]] = field(default_factory=list)

    def frame(self, box: Rectangle, title: Rectangle, label: str, told: str = "", **looks: str) -> None:
        """Draw a frame under everything else, with a title."""
        self.frames.append(Frame(box, title, label, told, looks))

    def node(self, id: str, box: Rectangle, label: str, told: str = "", **looks: str) -> None:
        """Draw a box."""
        self.nodes.append(Node(id, box, label, told, looks))

    def edge(
        self, source: str, target: str, points: Sequence[Point], label: Label | None, told: str = "", **looks: str
    ) -> None:
        """Draw a curve from one box to another, with text where its label says."""
        self.edges.append(Edge((source, target), points, label, told, looks))

    def lay_in(self, id: str, inner: Sheet, middle: Point) -> None:
        """Lay another sheet over this one, its middle at `middle`; `id` sets its boxes apart."""
        self._inner.append((id, inner, middle))

    def flat(self) -> Sheet:
        """Return a sheet on which everything of the inner ones stands by itself."""
        if not self._inner:
            return self
        whole = Sheet([*self.frames], [*self.nodes], [*self.edges])
        for id, inner, (x, y) in self._inner:
            laid, middle = inner.flat(), inner.extent()
            right, up = x - middle.x, y - middle.y
            whole.frames += [
                frame._replace(box=_moved(frame.box, right, up), title=_moved(frame.title, right, up))
                for frame in laid.frames
            ]
            whole.nodes += [node._replace(id=f"{id}_{node.id}", box=_moved(node.box, right, up)) for node in laid.nodes]
            whole.edges += [_edge_moved(edge, f"{id}_", right, up) for edge in laid.edges]
        return whole

    def extent(self) -> Rectangle:
        """Return the room that everything takes."""
        boxes = list(self._boxes())
        left, right = min(box.left for box in boxes), max(box.right for box in boxes)
        bottom, top = min(box.bottom for box in boxes), max(box.top for box in boxes)
        return Rectangle((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)

    def length(self) -> int:
        """Return about how many characters of DOT everything takes."""
        nodes = sum(len(node.label) + _WORDS for node in self.nodes)
        edges = sum(_POINT * len(edge.points) + _WORDS for edge in self.edges)
        return nodes + edges + sum(inner.length() for _, inner, _ in self._inner)

    def _boxes(self) -> Iterator[Rectangle]:
        yield from (frame.box for frame in self.frames)
        yield from (node.box for node in self.nodes)
        for edge in self.edges:
            yield from (Rectangle(x, y, 0, 0) for x, y in edge.points)
            if edge.label is not None:
                yield Rectangle(edge.label.x, edge.label.y, text_width(edge.label.text, TEXT), _LABEL_HIGH)
        for _, inner, (x, y) in self._inner:
            room = inner.extent()
            yield Rectangle(x, y, room.width, room.height)


def _moved(box: Rectangle, right: float, up: float) -> Rectangle:
    return box._replace(x=box.x + right, y=box.y + up)


def _edge_moved(edge: Edge, prefix: str, right: float, up: float) -> Edge:
    source, target = edge.ends
    label = edge.label
    if label is not None:
        label = label._replace(x=label.x + right, y=label.y + up)
    points = [(x + right, y + up) for x, y in edge.points]
    return edge._replace(ends=(prefix + source, prefix + target), points=points, label=label)
