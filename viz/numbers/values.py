"""`draw_values`: what gates, states and outputs hold at every step, as strips of colour on one time axis."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from unroll.arguments import checked
from unroll.checks import check_int
from unroll.errors import ArgumentError
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.viz.numbers.chart import Chart, chart_of, target_of
from unroll.viz.numbers.strip_sheet import StripSheet
from unroll.viz.page.data import PageData


@checked()
def draw_values(
    graph: Graph,
    feeds: Mapping[Any, Any],
    path: str | os.PathLike[str] | None = None,
    row: int = 0,
) -> Chart:
    """Draw what the gates, states and outputs of a graph's cells hold at every step: units down, steps across.

    Each is a strip of colours with its scale at its right; all stand on one time axis, and stacked cells and both directions
    have strips of their own. The steps inside an LSTM, GRU, RNN or Scan, as of re-rolled graphs, are written out. Gates that
    are saturated (within 0.05 of an end of their range) at nine of ten steps are marked, and so are units that do not change
    over the steps. Steps after a sequence's end are hatched.

    Args:
        graph: the graph.
        feeds: an array for every input.
        path: the file to write, .svg, .png or .pdf; None to write none.
        row: which row of the batch.

    Returns:
        The picture; a notebook shows it.

    Raises:
        ArgumentTypeError: `graph` is not a Graph, `row` no int, or `path` no path.
        ArgumentError: there is no loop of steps, no such row, or an unknown suffix.
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
        EvaluationError, UnsupportedError: an operator cannot be computed.
        FileError: the file cannot be written.
        MissingPackageError: a PNG or PDF needs pygraphviz, which cannot be imported.

    Example:
        >>> xs = [unroll.placeholder([None, 3], name=f"x{t}") for t in range(4)]
        >>> outputs, state = unroll.static_rnn(unroll.GRUCell(5), xs)
        >>> graph = unroll.Graph(xs, {"y": outputs[-1]})
        >>> picture = unroll.draw_values(graph, {x: [[1, 2, 3]] for x in xs}, "values.svg")
        >>> "4 steps, 5 units" in picture.svg
        True
    """
    check_graph(graph, "draw_values")
    place = check_int(row, "draw_values: row")
    target = None if path is None else target_of(path, "draw_values")
    with collector_paused():
        rows = [found for found in PageData(graph, feeds, "").rows() if found[0].path]
    if not rows:
        raise ArgumentError(
            "draw_values: there is no cell over steps in this graph, nor one that could be written out of an LSTM, GRU, RNN "
            "or Scan; unroll.unroll says why a loop stays as it is, and unroll.view shows the operators"
        )
    batch = max((len(shown.array) for _, tracks, _ in rows for shown in tracks if shown.array is not None), default=1)
    if not 0 <= place < batch:
        raise ArgumentError(
            f"draw_values: row is {place}, and the batch has {batch} rows; give one of 0 to {batch - 1}"
        )
    sheet = StripSheet(rows, place)
    return chart_of(sheet.canvas, target, tuple(sheet.notes))
