"""A sheet as DOT text: a statement a line, each with its place, so that Graphviz lays nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import graphviz
from graphviz.quoting import quote

from unroll.viz import palette, routes
from unroll.viz.dot_text import FONT, escaped, html_label, in_pieces, tooltip
from unroll.viz.labels import TEXT
from unroll.viz.sheet import Edge, Frame, Node, Sheet

_ENGINE = "nop2"
# Boxes and lines share colours and sizes: so many words are not quoted again.
_KEPT = 4096


def start(**attributes: str) -> graphviz.Digraph:
    """Return a graph of DOT with the looks that boxes and lines have where nothing else is said.

    Args:
        attributes: those of the picture as a whole.
    """
    dot = graphviz.Digraph("unroll")
    dot.attr("graph", bgcolor=palette.PAGE, fontname=FONT, **attributes)
    dot.attr(
        "node",
        fontname=FONT,
        fontcolor=palette.INK,
        shape="box",
        style="rounded,filled",
        margin="0",
        penwidth="1.1",
    )
    dot.attr("edge", fontname=FONT, fontsize=f"{TEXT:g}", fontcolor=palette.MUTED, color=palette.LINE, arrowsize="0.6")
    return dot


def write(sheet: Sheet) -> str:
    """Return the DOT text of everything on a sheet."""
    flat = sheet.flat()
    return written(flat.frames, [*map(node, flat.nodes), *map(edge, flat.edges)])


def written(frames: Iterable[Frame], statements: Iterable[str]) -> str:
    """Return the DOT text of frames and of statements."""
    dot = start(layout=_ENGINE, pad="0.15", outputorder="edgesfirst")
    for place, item in enumerate(frames):
        box, title = item.box, item.title
        with dot.subgraph(name=f"cluster_{place}") as cluster:
            edges = (box.left, box.bottom, box.right, box.top)
            at = f"{title.x:.1f},{title.y:.1f}"
            told = {"tooltip": tooltip(item.told)} if item.told else {}
            cluster.attr(bb=",".join(f"{edge:.1f}" for edge in edges), label=item.label, lp=at, **told, **item.looks)
    dot.body += statements
    return str(dot.source)


def node(item: Node, **more: str) -> str:
    """Return the statement of a box."""
    box = item.box
    size = {"width": f"{box.width / 72:.3f}", "height": f"{box.height / 72:.3f}", "pos": f"{box.x:.1f},{box.y:.1f}"}
    return _statement(_quoted(item.id), html_label(item.label), {**item.looks, **size, **more}, item.told)


def edge(item: Edge, **more: str) -> str:
    """Return the statement of a line."""
    looks, label = {**item.looks, **more}, None
    if item.label is not None:
        label = html_label(escaped(item.label.text))
        looks["lp"] = f"{item.label.x:.1f},{item.label.y:.1f}"
    looks["pos"] = in_pieces(routes.spline(item.points))
    source, target = map(_quoted, item.ends)
    return _statement(f"{source} -> {target}", label, looks, item.told)


def _statement(what: str, label: str | None, looks: Mapping[str, str], told: str) -> str:
    """Return a line of DOT, as the graphviz package writes it but without looking at each word anew."""
    words = [] if label is None else [f"label={label}"]
    words += [f"{name}={_quoted(looks[name])}" for name in sorted(looks)]
    words += [f"tooltip={quote(tooltip(told))}"] if told else []
    return f"\t{what} [{' '.join(words)}]\n"


_quoted = lru_cache(maxsize=_KEPT)(quote)
