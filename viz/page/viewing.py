"""`view`: a graph as a page, to open in a browser or to look at in a notebook."""

from __future__ import annotations

import base64
import hashlib
import html
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unroll.arguments import checked
from unroll.files import as_path, write_bytes
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.viz.drawing import mimebundle
from unroll.viz.page.data import PageData
from unroll.viz.page.writing import written

_HIGH = 640
# What is read where frames are not shown, as in a notebook that is not trusted, over a still picture. A style sheet hides
# both where it may; where frames are taken away, it is, too.
_UNTRUSTED = (
    "A page to step through: trust this notebook, or write it with View.save('page.html') and open that in a browser."
)


@dataclass(frozen=True)
class View:
    """A graph as a page; a notebook shows it in a frame, or the picture of the graph where it shows no frames.

    Attributes:
        html: the page, one file that needs no other.
    """

    html: str
    _graph: Graph

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to `path`.

        Raises:
            FileError: the file cannot be written.
        """
        write_bytes(as_path(path, "View.save"), self.html.encode("utf-8"))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        still = mimebundle(self._graph)
        name = f"unroll-{hashlib.sha256(self.html.encode('utf-8')).hexdigest()[:12]}"
        frame = (
            f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{_HIGH}px;border:1px solid #C9C9C2;border-radius:6px" title="unroll"></iframe>'
            f'<div class="{name}"><p>{_UNTRUSTED}</p>{_image(still)}</div><style>.{name}{{display:none}}</style>'
        )
        return still | {"text/html": frame, "text/plain": f"{self!r}\n{_UNTRUSTED}"}

    def __repr__(self) -> str:
        return f"View({len(self.html.encode('utf-8')):,} bytes)"


def _image(still: Mapping[str, str]) -> str:
    """Return a still picture as an image, in which no script of anybody would run; nothing where there is none."""
    if "image/svg+xml" not in still:
        return ""
    packed = base64.b64encode(still["image/svg+xml"].encode("utf-8")).decode("ascii")
    return f'<img src="data:image/svg+xml;base64,{packed}" alt="the network" style="max-width:100%">'


@checked()
def view(
    graph: Graph,
    path: str | os.PathLike[str] | None = None,
    feeds: Mapping[Any, Any] | None = None,
    expected: Mapping[str, Any] | None = None,
) -> View:
    """Make a page of a graph: its cells on a time axis, its kernels to scale, its formulas and its values at every step.

    Args:
        graph: the graph.
        path: the file to write, or None to write none.
        feeds: an array for every input; without them the page shows structure and weights.
        expected: arrays by the names of outputs, as `Graph.run` returns them; the page then says how far the outputs are from
            them, with a track of it over the steps, and in which order of the gates they would fit; see
            `unroll.check_gate_order`.

    Returns:
        The page; a notebook shows it, and `View.save` writes it.

    Raises:
        ArgumentTypeError: `graph` is not a Graph, or `path` is not a path.
        FileError: the file cannot be written.
        ArgumentError: there are expected outputs and no feeds.
        NameNotFoundError: no output has the name of an expected one.
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs, or what is expected the outputs.
        EvaluationError, UnsupportedError: an operator cannot be computed.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> outputs, state = unroll.static_rnn(unroll.GRUCell(5), [x])
        >>> page = unroll.view(unroll.Graph([x], outputs), feeds={"x": [[1, 2, 3]]})
        >>> page.html.startswith("<!doctype html>")
        True
    """
    check_graph(graph, "view")
    target = None if path is None else as_path(path, "view")
    title = target.stem if target is not None else "network"
    with collector_paused():
        data = PageData(graph, feeds, title, expected)
        told = data.json()
    found = View(written(told, data.planes.text(), title), graph)
    if target is not None:
        found.save(target)
    return found
