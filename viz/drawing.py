"""Pictures of a graph: DOT written with the graphviz package, rendered by pygraphviz in a process of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unroll.arguments import checked
from unroll.display import placed
from unroll.errors import ArgumentError, MissingPackageError, UnrollError, warn
from unroll.files import as_path, write_bytes
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.viz import formats
from unroll.viz.formats import DPI, Direction, Level, Theme
from unroll.viz.layer_boxes import is_of_layers
from unroll.viz.units import is_loop

if TYPE_CHECKING:
    from unroll.viz.source import Source  # which needs the graphviz package

# A picture of more steps with every operator is larger than viewers open.
# How wide a notebook is in points, how far a picture is shrunk for it, and where its size stands.
_NOTEBOOK, _READABLE, _SIZE = 530, 0.5, re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"')
_MOST_OPENED = 100


@dataclass(frozen=True)
class Picture:
    """A drawn graph; a notebook shows it.

    Attributes:
        source: what it is drawn from.
        format: what `data` is: svg, png, pdf, dot or mmd.
        data: the picture, as it would stand in a file.
        dpi: how many dots an inch a PNG of it has.
    """

    source: Source
    format: str
    data: bytes
    dpi: int = DPI

    @property
    def dot(self) -> str:
        """The DOT source."""
        return self.source.dot

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to `path`, in the format of its suffix.

        Raises:
            ArgumentError: a suffix that is not that of a format of pictures, or of Mermaid, and the picture was drawn as
                another format.
            FileError: the file cannot be written.
            MissingPackageError: pygraphviz is needed and missing.
        """
        target = as_path(path, "Picture.save")
        format = formats.format_of(target.suffix, None)
        if format == "mmd" != self.format:
            raise ArgumentError(
                f"Picture.save: this picture is {self.format}; draw(graph, 'net.mmd') writes Mermaid text"
            )
        write_bytes(target, self._as(format))

    def _as(self, format: str) -> bytes:
        return self.data if format == self.format else self.source.drawn(format, dpi=self.dpi)

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
    title: str | None = None,
    direction: Direction | None = None,
    theme: Theme = "light",
    dpi: int | None = None,
    legend: bool = False,
) -> Picture:
    """Draw a graph.

    Args:
        graph: the graph.
        path: the file to write, or None to write none.
        level: ``"cell"`` for one box a cell and timestep, ``"op"`` for every operator, ``"layer"`` for one box a layer, and one
            for all steps of a loop. Where every operator would be too large for a page, operators that one formula says share
            a box, cells are opened at one step, and of cells of the same operators one is; `full` draws all.
        feeds: an array for every input; the values of small tensors are then printed in place.
        format: svg, png, pdf, dot or mmd, which is Mermaid text for Markdown; by default that of the path's suffix, else svg.
        full: draw every timestep, and every operator; by default the middle of a sequence of more than 6 steps is left out, of
            more than 4 at the level of operators or where one loop follows another, and of more than 3 where both.
        title: a text over the picture.
        direction: ``"right"`` or ``"up"``: where data goes at the level of layers and in Mermaid, ``"right"`` by default. Other
            pictures have one direction each: steps go to the right, and a graph without any goes up.
        theme: ``"light"`` or ``"dark"``.
        dpi: dots an inch of a PNG, 36 to 1200; 144 by default.
        legend: say under the picture what its colours and arrows mean.

    Returns:
        The picture; it holds the DOT source too.

    Raises:
        ArgumentError: an unknown level, format, direction or theme, or arguments that do not go together.
        ArgumentTypeError: `graph` is not a Graph, or `path` is not a path.
        MissingPackageError: the format needs pygraphviz, which cannot be imported.
        FileError: the file cannot be written, or the picture is too large: its text could not be read in a bitmap, or
            there is no memory for it.
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
        UnsupportedError: Graphviz could not draw the graph, or a picture of layers would have more than 1,000 boxes.

    A picture of every operator of more than 100 steps comes with a warning: few viewers open it, and `unroll.view` shows it.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> outputs, state = unroll.static_rnn(unroll.GRUCell(5), [x])
        >>> picture = unroll.draw(unroll.Graph([x], outputs), "gru.dot")
        >>> picture.format, picture.dot.startswith("digraph")
        ('dot', True)
    """
    check_graph(graph, "draw")
    formats.check_level(level)
    formats.check_theme(theme)
    formats.check_direction(direction)
    target = None if path is None else as_path(path, "draw")
    wanted = formats.format_of(target.suffix if target is not None else None, format)
    dots = formats.check_dpi(dpi, wanted)
    formats.check_together(level, wanted, theme, feeds is not None, legend)
    graph = placed(graph)
    stepless = all(len(node.provenance) > 1 or node.origin.step is None for node in graph.nodes)
    by_operators = stepless and not (any(map(is_loop, graph.nodes)) or is_of_layers(graph))
    if level != "layer" and wanted != "mmd":
        formats.check_way(direction, level, stepless)
    if level == "op" and full:
        _warn_of_size(graph)
    opened = level == "op" or by_operators
    source = _source(graph, feeds, full, opened, level, direction or "right", theme, title, legend)
    if wanted == "mmd":
        data = _mermaid(graph, level, full, direction or "right", title)
    else:
        data = source.drawn(wanted, _advice(level, full, stepless), dots)
    picture = Picture(source, wanted, data, dots)
    if target is not None:
        write_bytes(target, picture.data)
    return picture


def _warn_of_size(graph: Graph) -> None:
    """Say how to see every operator of many steps."""
    steps = {origin.step for node in graph.nodes for origin in node.provenance if origin.step is not None}
    if len(steps) > _MOST_OPENED:
        warn(
            f"draw: every operator of {len(steps):,} steps is more than most viewers open; unroll.view(graph) shows all "
            "of them in a browser, and without full=True the middle steps are left out"
        )


def mimebundle(graph: Graph) -> dict[str, Any]:
    """Return what a notebook shows for `graph`: its picture at cell level, and its text.

    Where no picture can be made there is only the text, with the reason.
    """
    try:
        picture = draw(graph)
    except (UnrollError, ImportError) as error:
        return {"text/plain": f"{graph!r}\n(no picture: {error})"}
    return _bundle(picture, repr(graph))


def _fitting(svg: str) -> str:
    """Return a picture no wider than a notebook, and yet no smaller than people can read.

    JupyterLab shows it as an image, in which a largest width would not count.
    """
    found = _SIZE.search(svg)
    if found is None:
        return svg
    share = min(1.0, max(_NOTEBOOK / float(found[1]), _READABLE))
    size = " ".join(
        f'{name}="{float(points) * share:.0f}pt"'
        for name, points in zip(("width", "height"), found.groups(), strict=True)
    )
    return svg.replace(found[0], f"<svg {size}", 1)


def _bundle(picture: Picture, text: str) -> dict[str, Any]:
    try:
        return {"image/svg+xml": _fitting(picture._repr_svg_()), "text/plain": text}
    except MissingPackageError as error:
        return {"text/plain": f"{text}\n(no picture: {error})"}


def _source(
    graph: Graph,
    feeds: Mapping[Any, Any] | None,
    full: bool,
    opened: bool,
    level: Level,
    direction: Direction,
    theme: Theme,
    title: str | None,
    legend: bool,
) -> Source:
    """Return what is drawn; a graph without timesteps, and not of layers, is shown by its operators."""
    try:
        from unroll.viz import (
            captions,
            chart_dot,
            charts,
            sheet_writer,
            source,
        )  # the graphviz package, which the rest can do without
    except ImportError as error:
        raise MissingPackageError(
            f"the graphviz package cannot be imported ({error}), and every picture needs it: pip install 'graphviz>=0.20'"
        ) from None
    around = captions.Captions(title, legend)
    with collector_paused():
        if level == "layer":
            return source.Source(chart_dot.write_chart(charts.chart_of_layers(graph), direction, around), theme)
        return source.Source(sheet_writer.write_sheet(graph, feeds, full, opened, around), theme)


def _mermaid(graph: Graph, level: Level, full: bool, direction: Direction, title: str | None) -> bytes:
    from unroll.viz import charts, mermaid  # which measure text with what needs the graphviz package

    chart = charts.chart_of_layers(graph) if level == "layer" else charts.chart_of_cells(graph, full)
    return mermaid.write_mermaid(chart, direction, title).encode("utf-8")


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
