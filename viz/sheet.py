"""What a picture is drawn of, before it is written as DOT: one sheet can be laid into a box of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import graphviz
from graphviz.quoting import quote

from unroll.viz import routes
from unroll.viz.dot_text import escaped, html_label, in_pieces, text_width
from unroll.viz.labels import TEXT, Label
from unroll.viz.placement import Rectangle
from unroll.viz.routes import Point

_LABEL_HIGH = 12.0
# Boxes and lines share colours and sizes: so many words are not quoted again.
_KEPT = 4096


@dataclass(frozen=True)
class _Frame:
    box: Rectangle
    title: Rectangle
    label: str
    looks: Mapping[str, str]


@dataclass(frozen=True)
class _Node:
    id: str
    box: Rectangle
    label: str
    looks: Mapping[str, str]


@dataclass(frozen=True)
class _Edge:
    ends: tuple[str, str]
    points: Sequence[Point]
    label: Label | None
    looks: Mapping[str, str]


@dataclass
class Sheet:
    """Frames, boxes and lines with their places; y grows upwards."""

    _frames: list[_Frame] = field(default_factory=list)
    _nodes: list[_Node] = field(default_factory=list)
    _edges: list[_Edge] = field(default_factory=list)
    _inner: list[tuple[str, Sheet, Point]] = field(default_factory=list)

    def frame(self, box: Rectangle, title: Rectangle, label: str, **looks: str) -> None:
        """Draw a frame under everything else, with a title."""
        self._frames.append(_Frame(box, title, label, looks))

    def node(self, id: str, box: Rectangle, label: str, **looks: str) -> None:
        """Draw a box."""
        self._nodes.append(_Node(id, box, label, looks))

    def edge(self, source: str, target: str, points: Sequence[Point], label: Label | None, **looks: str) -> None:
        """Draw a curve from one box to another, with text where its label says."""
        self._edges.append(_Edge((source, target), points, label, looks))

    def lay_in(self, id: str, inner: Sheet, middle: Point) -> None:
        """Lay another sheet over this one, its middle at `middle`; `id` sets its boxes apart."""
        self._inner.append((id, inner, middle))

    def extent(self) -> Rectangle:
        """Return the room that everything takes."""
        boxes = list(self._boxes())
        left, right = min(box.left for box in boxes), max(box.right for box in boxes)
        bottom, top = min(box.bottom for box in boxes), max(box.top for box in boxes)
        return Rectangle((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)

    def _boxes(self) -> Iterator[Rectangle]:
        yield from (frame.box for frame in self._frames)
        yield from (node.box for node in self._nodes)
        for edge in self._edges:
            yield from (Rectangle(x, y, 0, 0) for x, y in edge.points)
            if edge.label is not None:
                yield Rectangle(edge.label.x, edge.label.y, text_width(edge.label.text, TEXT), _LABEL_HIGH)
        for _, inner, (x, y) in self._inner:
            room = inner.extent()
            yield Rectangle(x, y, room.width, room.height)

    def write(self, dot: graphviz.Digraph, prefix: str = "", by: Point = (0.0, 0.0)) -> None:
        """Write everything into a graph of DOT, moved by a distance."""
        right, up = by
        for place, frame in enumerate(self._frames):
            box, title = frame.box, frame.title
            with dot.subgraph(name=f"cluster_{prefix}{place}") as cluster:
                edges = (box.left + right, box.bottom + up, box.right + right, box.top + up)
                at = f"{title.x + right:.1f},{title.y + up:.1f}"
                cluster.attr(bb=",".join(f"{edge:.1f}" for edge in edges), label=frame.label, lp=at, **frame.looks)
        for node in self._nodes:
            size = {"width": f"{node.box.width / 72:.3f}", "height": f"{node.box.height / 72:.3f}"}
            looks = {**node.looks, **size, "pos": f"{node.box.x + right:.1f},{node.box.y + up:.1f}"}
            dot.body.append(_statement(_quoted(prefix + node.id), html_label(node.label), looks))
        for edge in self._edges:
            looks, label = dict(edge.looks), None
            if edge.label is not None:
                label = html_label(escaped(edge.label.text))
                looks["lp"] = f"{edge.label.x + right:.1f},{edge.label.y + up:.1f}"
            looks["pos"] = in_pieces(routes.spline([(x + right, y + up) for x, y in edge.points]))
            source, target = (_quoted(prefix + end) for end in edge.ends)
            dot.body.append(_statement(f"{source} -> {target}", label, looks))
        for id, inner, (x, y) in self._inner:
            middle = inner.extent()
            inner.write(dot, f"{prefix}{id}_", (x + right - middle.x, y + up - middle.y))


def _statement(what: str, label: str | None, looks: Mapping[str, str]) -> str:
    """Return a line of DOT, as the graphviz package writes it but without looking at each word anew."""
    words = [] if label is None else [f"label={label}"]
    words += [f"{name}={_quoted(looks[name])}" for name in sorted(looks)]
    return f"\t{what} [{' '.join(words)}]\n"


# The kinds of text are told apart: one may be marked as no markup.
_quoted = lru_cache(maxsize=_KEPT, typed=True)(quote)
