"""Pictures of a graph: DOT written with the graphviz package, rendered by pygraphviz in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unroll.arguments import checked
from unroll.display import placed
from unroll.errors import ArgumentError, ArgumentTypeError, MissingPackageError, UnrollError
from unroll.files import as_path, write_bytes
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.viz import render
from unroll.viz.layer_boxes import is_of_layers
from unroll.viz.units import is_loop

Level = Literal["cell", "op"]
LEVELS = ("cell", "op")
FORMATS = ("svg", "png", "pdf", "dot")
_SAME = {"gv": "dot"}


@dataclass(frozen=True)
class Picture:
    """A drawn graph; a notebook shows it.

    Attributes:
        dot: the DOT source.
        format: what `data` is: svg, png, pdf or dot.
        data: the picture, as it would stand in a file.
    """

    dot: str
    format: str
    data: bytes

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to `path`, in the format of its suffix.

        Raises:
            ArgumentError: a suffix that is not that of a format of pictures.
            FileError: the file cannot be written.
            MissingPackageError: pygraphviz is needed and missing.
        """
        target = as_path(path, "Picture.save")
        format = _format_of(target.suffix, None)
        write_bytes(target, self._as(format))

    def _as(self, format: str) -> bytes:
        return self.data if format == self.format else _rendered(self.dot, format)

    def _repr_svg_(self) -> str:
        return self._as("svg").decode("utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return _bundle(self, repr(self))

    def __repr__(self) -> str:
        return f"Picture({self.format}, {len(self.data)} bytes)"


@checked()
def draw(
    graph: Graph,
    path: str | os.PathLike[str] | None = None,
    level: Level = "cell",
    feeds: Mapping[Any, Any] | None = None,
    format: str | None = None,
    full: bool = False,
) -> Picture:
    """Draw a graph.

    Args:
        graph: the graph.
        path: the file to write, or None to write none.
        level: ``"cell"`` for one box a cell and timestep, ``"op"`` for every operator.
        feeds: an array for every input; the values of small tensors are then printed in place.
        format: svg, png, pdf or dot; by default that of the path's suffix, else svg.
        full: draw every timestep; by default the middle of a sequence of more than 6 steps is left out, of more than 4 at
            the level of operators or where one loop follows another, and of more than 3 where both.

    Returns:
        The picture; it holds the DOT source too.

    Raises:
        ArgumentError: an unknown level or format.
        ArgumentTypeError: `graph` is not a Graph, or `path` is not a path.
        MissingPackageError: the format needs pygraphviz, which cannot be imported.
        FileError: the file cannot be written, or the picture is too large: its text could not be read in a bitmap, or
            there is no memory for it.
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
        UnsupportedError: Graphviz could not draw the graph.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> outputs, state = unroll.static_rnn(unroll.GRUCell(5), [x])
        >>> picture = unroll.draw(unroll.Graph([x], outputs), "gru.dot")
        >>> picture.format, picture.dot.startswith("digraph")
        ('dot', True)
    """
    check_graph(graph, "draw")
    if not isinstance(level, str) or level not in LEVELS:
        raise ArgumentError(f"draw: level {level!r} is unknown; use {_listed(LEVELS)}")
    target = None if path is None else as_path(path, "draw")
    wanted = _format_of(target.suffix if target is not None else None, format)
    graph = placed(graph)
    stepless = all(len(node.provenance) > 1 or node.origin.step is None for node in graph.nodes)
    looped = any(map(is_loop, graph.nodes)) or is_of_layers(graph)
    dot = _source(graph, feeds, full, opened=level == "op" or (stepless and not looped))
    picture = Picture(dot, wanted, _rendered(dot, wanted, _advice(level, full, stepless)))
    if target is not None:
        write_bytes(target, picture.data)
    return picture


def mimebundle(graph: Graph) -> dict[str, Any]:
    """Return what a notebook shows for `graph`: its picture at cell level, and its text.

    Where no picture can be made there is only the text, with the reason.
    """
    try:
        picture = draw(graph)
    except (UnrollError, ImportError) as error:
        return {"text/plain": f"{graph!r}\n(no picture: {error})"}
    return _bundle(picture, repr(graph))


def _bundle(picture: Picture, text: str) -> dict[str, Any]:
    try:
        return {"image/svg+xml": picture._repr_svg_(), "text/plain": text}
    except MissingPackageError as error:
        return {"text/plain": f"{text}\n(no picture: {error})"}


def _source(graph: Graph, feeds: Mapping[Any, Any] | None, full: bool, opened: bool) -> str:
    """Return the DOT source; a graph without timesteps, and not of layers, is shown by its operators."""
    try:
        from unroll.viz import dot_writer  # needs the graphviz package, without which the rest works
    except ImportError as error:
        raise MissingPackageError(
            f"the graphviz package cannot be imported ({error}), and every picture needs it: pip install 'graphviz>=0.20'"
        ) from None
    with collector_paused():
        return dot_writer.write_dot(graph, feeds, full, opened)


def _rendered(dot: str, format: str, advice: str = render.ADVICE) -> bytes:
    return dot.encode("utf-8") if format == "dot" else render.render(dot, format, advice)


def _advice(level: str, full: bool, stepless: bool) -> str:
    """Return advice on how to get a smaller picture."""
    if stepless:
        return (
            "draw a part of it: Graph(inputs, outputs) of tensors in between. A .dot file shows what Graphviz was given"
        )
    smaller = ['level="cell" draws a box for each cell and step'] if level == "op" else []
    smaller += ["without full=True the middle steps are left out"] if full else []
    smaller += [] if smaller else ["a graph of fewer steps makes a smaller picture"]
    return f"{', and '.join(smaller)}. A .dot file shows what Graphviz was given"


def _format_of(suffix: str | None, given: str | None) -> str:
    asked = given if given is not None else suffix.removeprefix(".") if suffix is not None else "svg"
    if not isinstance(asked, str):
        raise ArgumentTypeError(f"draw: format {asked!r} is not a name; use {_listed(FORMATS)}")
    name = _SAME.get(asked.lower(), asked.lower())
    if name not in FORMATS:
        what = f"format {asked!r} is unknown" if asked else "the path has no suffix to tell the format by"
        raise ArgumentError(f"draw: {what}; use {_listed(FORMATS)}")
    return name


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
