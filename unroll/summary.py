"""A graph as a table to read: inputs, Parameters with their blocks, nodes, outputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from unroll.dimensions import shape_text, shapes_text
from unroll.parameter import BlockTable, Parameter, block_tables
from unroll.structure import Structure
from unroll.tables import folded, table
from unroll.tensor import Constant, Node, Tensor

#: How many inputs of one node are named where not everything is shown.
_MOST_INPUTS = 6
_BIASES = {1: " + bias", 2: " + 2 biases"}


def summarise(graph: Structure, full: bool, width: int | None = None) -> str:
    """Return the summary of `graph`; see `unroll.Graph.summary`."""
    items = graph.parameters.values()
    count = sum(math.prod(item.value.shape) for item in items)
    size = sum(item.value.nbytes for item in items)
    made = {} if full else _made_of(graph)
    hidden = sum(node.outputs[0] in made for node in graph.nodes)
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
            _inputs(graph, node, full, made),
            shapes_text(graph.shape(tensor) for tensor in node.outputs),
        )
        for node in graph.nodes
        if node.outputs[0] not in made
    ]
    outputs = [
        (name, shape_text(graph.shape(tensor)), str(tensor.dtype))
        for name, tensor in zip(graph.output_names, graph.outputs, strict=True)
    ]
    inputs = [(spec.name, shape_text(spec.shape), str(spec.dtype)) for spec in graph.input_specs]
    tables = [
        table(("input", "shape", "dtype"), inputs, full, width),
        table(("parameter", "shape", "dtype", "count"), parameters, full, width),
        table(("weights of", "sources by gates", "gate order", "arrays"), _weights(items), full, width),
        table(("node", "operator", "inputs", "output shapes"), nodes, full, width),
        table(("output", "shape", "dtype"), outputs, full, width),
    ]
    if hidden:
        head += f"; {hidden} node{'s' * (hidden > 1)} of weights alone {'are' if hidden > 1 else 'is'} not listed"
    heading = head if width is None else "\n".join(folded(head, width))
    return "\n\n".join([heading, *filter(None, tables)])


def _made_of(graph: Structure) -> dict[Tensor, tuple[str, ...]]:
    """Return the tensors that are computed from weights alone, but for outputs, each with the first two of these weights."""
    fixed: dict[Tensor, tuple[str, ...]] = {}
    for node in graph.nodes:
        sources = [
            fixed.get(tensor) if tensor.node else _own(graph, tensor) for tensor in node.inputs if tensor is not None
        ]
        if sources and None not in sources:
            names = tuple(dict.fromkeys(name for source in sources if source is not None for name in source))
            fixed.update(dict.fromkeys(node.outputs, names[:2]))
    outputs = set(graph.outputs)
    return {tensor: names for tensor, names in fixed.items() if names and tensor not in outputs}


def _own(graph: Structure, tensor: Tensor) -> tuple[str, ...] | None:
    """Return the name of a Parameter, none for a constant; None for what is fed."""
    if isinstance(tensor, Parameter):
        return (graph.name(tensor),)
    return () if isinstance(tensor, Constant) else None


def _inputs(graph: Structure, node: Node, full: bool, made: Mapping[Tensor, Sequence[str]]) -> str:
    """Return the names of what a node reads; of many, the first ones and the last, unless `full`.

    What is made of weights alone is called after these.
    """

    def called(tensor: Tensor) -> str:
        if tensor not in made:
            return graph.name(tensor)
        first, *others = made[tensor]
        return f"from {first}" + (" and others" if others else "")

    names = ["-" if tensor is None else called(tensor) for tensor in node.inputs]
    left = len(names) - _MOST_INPUTS
    if left > 0 and not full:
        names[_MOST_INPUTS - 1 : -1] = [f"... {left} more ..."]
    return ", ".join(names)


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
