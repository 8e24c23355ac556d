"""A graph as a table to read: inputs, Parameters with their blocks, nodes, outputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from unroll.dimensions import shape_text, shapes_text
from unroll.parameter import BlockTable, Parameter, block_tables
from unroll.structure import Structure

_MOST_ROWS = 40
_BIASES = {1: " + bias", 2: " + 2 biases"}


def summarise(graph: Structure, full: bool) -> str:
    """Return the summary of `graph`; see `unroll.Graph.summary`."""
    items = graph.parameters.values()
    count = sum(math.prod(item.value.shape) for item in items)
    size = sum(item.value.nbytes for item in items)
    steps = {origin.step for node in graph.nodes for origin in node.provenance if origin.step is not None}
    head = (
        f"Graph of {len(graph.nodes)} nodes"
        + (f" over {len(steps)} timestep{'s' if len(steps) > 1 else ''}" if steps else "")
        + f"; {count:,} parameters in {len(items)} arrays ({size:,} bytes)"
    )
    parameters = [
        (
            item.name,
            shape_text(item.shape) + (f" = {item.blocks}" if item.blocks else ""),
            str(item.dtype),
            f"{item.value.size:,}",
        )
        for item in items
    ]
    nodes = [
        (
            graph.name(node),
            node.op.name,
            ", ".join("-" if tensor is None else graph.name(tensor) for tensor in node.inputs),
            shapes_text(graph.shape(tensor) for tensor in node.outputs),
        )
        for node in graph.nodes
    ]
    outputs = [
        (name, shape_text(graph.shape(tensor)), str(tensor.dtype))
        for name, tensor in zip(graph.output_names, graph.outputs, strict=True)
    ]
    inputs = [(spec.name, shape_text(spec.shape), str(spec.dtype)) for spec in graph.input_specs]
    tables = [
        table(("input", "shape", "dtype"), inputs, full),
        table(("parameter", "shape", "dtype", "count"), parameters, full),
        table(("weights of", "sources by gates", "gate order", "arrays"), _weights(items), full),
        table(("node", "operator", "inputs", "output shapes"), nodes, full),
        table(("output", "shape", "dtype"), outputs, full),
    ]
    return "\n\n".join([head, *filter(None, tables)])


def _weights(items: Iterable[Parameter]) -> list[tuple[str, str, str, str]]:
    """Return one row for each block table: what it belongs to, its sources and gates, and the arrays that hold it."""
    rows = []
    for group in block_tables(items):
        first = group[0].blocks
        if first is None:
            continue
        scope = group[0].name.rpartition("/")[0]
        sources = [pair for item in group if item.blocks is not None for pair in item.blocks.rows]
        whole = BlockTable(tuple(sources), first.columns)
        biases = sum(item.blocks is not None and not item.blocks.rows for item in group) * bool(sources)
        text = f"{whole}{_BIASES.get(biases, '')}{f' ({first.note})' if first.note else ''}"
        order = ", ".join(gate for gate, _ in first.columns)
        rows.append(
            (
                f"{scope} {first.part}".rstrip(),
                text,
                order,
                ", ".join(item.name.removeprefix(f"{scope}/") for item in group),
            )
        )
    return rows


def table(header: Sequence[str], rows: Sequence[Sequence[str]], full: bool) -> str:
    """Return rows in aligned columns; a long table is cut in the middle unless `full`."""
    if not rows:
        return ""
    half = _MOST_ROWS // 2
    cut = [] if full or len(rows) <= _MOST_ROWS else [f"... {len(rows) - 2 * half} more ..."]
    shown = [*rows[:half], *rows[-half:]] if cut else rows
    widths = [max(map(len, column)) for column in zip(header, *shown, strict=True)]

    def lines(rows: Iterable[Sequence[str]]) -> list[str]:
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    body = lines(shown)
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([*lines([header]), rule, *(body[:half] + cut + body[half:] if cut else body)])
