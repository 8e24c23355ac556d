"""`draw_diff`: what was added, removed and changed between two graphs, as a picture and in words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from unroll.arguments import checked
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.viz.numbers.chart import Chart, chart_of, target_of
from unroll.viz.numbers.diff_layout import lay_out
from unroll.viz.numbers.diff_sheet import DiffSheet
from unroll.viz.numbers.differences import differences, lines


@dataclass(frozen=True)
class Difference:
    """What differs between two graphs; true where anything does. A notebook shows its picture, `print` its words.

    Attributes:
        added: the names of the operators of the second graph alone.
        removed: those of the first alone.
        changed: for each operator of both that is another one now, its name in the second graph, and what changed.
        weights: for each Parameter that was added, removed or changed, how.
        ports: the same of inputs and outputs.
        unchanged: how many operators are the same.
        picture: the picture.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: dict[str, tuple[str, ...]]
    weights: dict[str, str]
    ports: dict[str, str]
    unchanged: int
    picture: Chart
    _text: str

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.weights or self.ports)

    def __str__(self) -> str:
        return self._text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to `path`, as .svg, .png or .pdf; see `Chart.save`."""
        self.picture.save(path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"image/svg+xml": self.picture.svg, "text/plain": str(self)}


@checked()
def draw_diff(a: Graph, b: Graph, path: str | os.PathLike[str] | None = None) -> Difference:
    """Draw what differs between two graphs: what a pass did to one, or what a new version of a model changed.

    Operators correspond where they are computed alike, or where what becomes of them is alike; then by their neighbours, and at
    last by their names. What differs is drawn with what stands beside it, operators that differ alike at all steps as one box;
    weights are told by the largest difference. It is a comparison of what is written: graphs that compute the same in another
    way differ here, and `equivalent` says that they do compute the same.

    Args:
        a: the graph before.
        b: the graph after.
        path: the file to write, .svg, .png or .pdf; None to write none.

    Returns:
        What differs; printed, it is said in words.

    Raises:
        ArgumentTypeError: not two graphs, or `path` is no path.
        ArgumentError: an unknown suffix.
        FileError: the file cannot be written.
        MissingPackageError: a PNG or PDF needs pygraphviz, which cannot be imported.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> before = unroll.Graph([x], {"y": unroll.ops.tanh(x + 1.0)})
        >>> after = unroll.Graph([x], {"y": unroll.ops.sigmoid(x + 1.0)})
        >>> print(unroll.draw_diff(before, after, "diff.svg"))
        0 added, 0 removed, 1 changed, 1 operator the same
        ≠ Sigmoid Sigmoid: Tanh → Sigmoid
    """
    for graph in (a, b):
        check_graph(graph, "draw_diff")
    target = None if path is None else target_of(path, "draw_diff")
    with collector_paused():
        found = differences(a, b)
        said = list(lines(found))
        canvas = DiffSheet(lay_out(found), said).canvas
    return Difference(
        tuple(b.name(node) for node in found.added),
        tuple(a.name(node) for node in found.removed),
        {b.name(node): tuple(text) for node, text in found.changed.items()},
        found.weights,
        found.ports,
        len(b.nodes) - len(found.added) - len(found.changed),
        chart_of(canvas, target, tuple(said)),
        "\n".join(said),
    )
