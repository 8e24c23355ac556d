"""`draw_kernel`: the weights of cells as rectangles to scale, with their blocks, blank or as heat maps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from unroll.arguments import checked
from unroll.checks import check_flag
from unroll.display import placed
from unroll.errors import ArgumentError
from unroll.subjects import graph_of
from unroll.viz.numbers.chart import Chart, chart_of, target_of
from unroll.viz.numbers.kernel_sheet import KernelSheet
from unroll.viz.numbers.weights import CellWeights, weights_of


@checked()
def draw_kernel(
    cell_or_graph: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    values: bool = False,
    cell: str | None = None,
) -> Chart:
    """Draw the weights of cells as rectangles to scale: sources down, gates across, each bias under its kernel.

    All rectangles of a picture have one scale. Weights that are stored with gates down, as PyTorch's, are drawn transposed; the
    window of a convolution is drawn as one sheet, or with `values` as all its matrices. Large kernels are drawn by the means of
    blocks, and in each matrix the number that is farthest from zero is marked.

    Args:
        cell_or_graph: a Graph; or a cell, layer or module that has its weights.
        path: the file to write, .svg, .png or .pdf; None to write none.
        values: show the numbers as colours, with their scale.
        cell: the one cell to draw, by its path or the end of it; by default all.

    Returns:
        The picture; a notebook shows it.

    Raises:
        ArgumentTypeError: `cell_or_graph` is none of these, or `path` is no path.
        ArgumentError: there are no weights, no cell of that name, or an unknown suffix.
        FileError: the file cannot be written.
        MissingPackageError: a PNG or PDF needs pygraphviz, which cannot be imported.

    Example:
        >>> x = unroll.placeholder([None, 28], name="x")
        >>> cell = unroll.BasicLSTMCell(13)
        >>> outputs, state = unroll.static_rnn(cell, [x])
        >>> picture = unroll.draw_kernel(cell, "kernel.svg", values=True)
        >>> "(41, 52)" in picture.svg
        True
    """
    target = None if path is None else target_of(path, "draw_kernel")
    values = check_flag(values, "draw_kernel: values")
    cells = weights_of(placed(graph_of(cell_or_graph, "draw_kernel")), windows=values)
    cells = cells if cell is None else _named(cells, cell)
    if not cells:
        raise ArgumentError("draw_kernel: there are no weights to draw; a graph or cell with a kernel is wanted")
    sheet = KernelSheet(cells, values)
    return chart_of(sheet.canvas, target, tuple(sheet.notes))


def _named(cells: Sequence[CellWeights], name: str) -> list[CellWeights]:
    found = [item for item in cells if f"/{item.title}".endswith(f"/{name}")]
    if not found:
        known = ", ".join(item.title for item in cells[:6])
        raise ArgumentError(f"draw_kernel: no cell is called {name!r}; there are {known or 'none'}")
    return found
