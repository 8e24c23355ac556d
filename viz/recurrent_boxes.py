"""The box of an LSTM, GRU or RNN node: what it is, W and R as one block table a direction, and its ports."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from unroll.graph import Graph
from unroll.ops.gate_names import PEEPHOLES
from unroll.parameter import BlockTable, Parameter
from unroll.tensor import Tensor
from unroll.viz import palette
from unroll.viz.blocks import Paint, block_grid
from unroll.viz.boxes import Box, Line
from unroll.viz.dot_text import cell, escaped, font, table, text_width, visible
from unroll.viz.native_nodes import Native, facts, path_of, sources
from unroll.viz.ports import Port, Ported, port, with_ports
from unroll.viz.shapes import shape_text
from unroll.viz.tensor_names import short_names
from unroll.viz.values import Values

_TITLE, _TEXT, _SMALL = 13, 10, 9
_LEADING = 1.4
_LONGEST = 100
_APART = 18
#: How many Parameters a line names.
_NAMES = 3
_INPUT_WORDS = {
    "X": "input",
    "W": "weights of x",
    "R": "weights of h",
    "B": "biases",
    "sequence_lens": "length of each row",
    "initial_h": "first h",
    "initial_c": "first c",
    "P": "peepholes",
}
_OUTPUT_WORDS = {"Y": "h of every step", "Y_h": "last h", "Y_c": "last c"}


def recurrent_box(native: Native, graph: Graph, read: Collection[Tensor], paint: Paint, values: Values) -> Ported:
    """Return the box of a recurrent node.

    Args:
        native: the node.
        graph: the graph that it is part of.
        read: the tensors that something in the picture reads.
        paint: returns the fill of a gate, or None.
        values: numbers to print.
    """
    into = [
        port(native.place(name), name, [_INPUT_WORDS[name], shape_text(graph.shape(tensor))])
        for name, tensor in native.inputs.items()
        if name not in native.weights
    ]
    out = [_output(name, tensor, graph, tensor in read, values) for name, tensor in native.outputs.items()]
    lines = [Line(native.kind, _TITLE, palette.INK, True), *(Line(text, _TEXT) for text in facts(native))]
    path = path_of(native.node)
    lines[1:1] = [Line(path, _SMALL, palette.MUTED)] if path else []
    several = len(native.gates) > 1
    tables = _tables(native, lambda gate: paint(gate) if several else None) if native.weights else []
    notes = [Line(text, _SMALL, palette.MUTED) for text in _notes(native)]
    return with_ports(_stacked(lines, tables, notes), into, out)


def _output(name: str, tensor: Tensor, graph: Graph, used: bool, values: Values) -> Port:
    told = [_OUTPUT_WORDS[name], shape_text(graph.shape(tensor))]
    return port(tensor, name, told, values.lines(tensor), used)


def _stacked(lines: Sequence[Line], tables: Sequence[Box], notes: Sequence[Line]) -> Box:
    """Return lines of text over tables side by side over notes."""
    rows = [_line(line) for line in lines]
    width = max(text_width(line.text, line.size, line.bold, _LONGEST) for line in (*lines, *notes))
    height = sum(line.size * _LEADING for line in (*lines, *notes)) + 8
    if tables:
        wide = sum(item.width for item in tables) + _APART * (len(tables) - 1)
        side = cell("", width=_APART).join(cell(item.label, valign="TOP") for item in tables)
        rows += [cell("", height=6), cell(table([side])), cell("", height=4)]
        width, height = max(width, wide), height + max(item.height for item in tables) + 10
    rows += [_line(line) for line in notes]
    return Box(table(rows), width + 16, height)


def _line(line: Line) -> str:
    return cell(font(escaped(line.text, _LONGEST), line.size, line.color, line.bold))


# -- weights ------------------------------------------------------------------------------------------------------------


def _tables(native: Native, paint: Paint) -> list[Box]:
    """Return a table of the weights for each direction; none where their sizes are not known."""
    features, units = native.features, native.units
    if not isinstance(features, int) or not isinstance(units, int):
        return []
    columns = tuple((gate, units) for gate in native.gates)
    rows = [("x", features), ("h", units)]
    # What the reset gate multiplies is not added to what it does not: there are two rows of biases.
    apart = "B" in native.weights and bool(native.attributes.get("linear_before_reset", 0))
    rows += [("x bias", 1), ("h bias", 1)] if apart else []
    found = [(BlockTable(tuple(rows), columns), "W", "")]
    if "B" in native.weights and not apart:
        found.append((BlockTable((), columns), "b", "bias Wb + Rb"))
    if "P" in native.weights:
        found.append((BlockTable((), tuple((gate, units) for gate in PEEPHOLES)), "P", "peepholes P"))
    grids = [
        (text, block_grid(blocks, paint, place == 0, letter, "")) for place, (blocks, letter, text) in enumerate(found)
    ]
    heads = native.sides if len(native.sides) > 1 else ("",)
    return [_table(head, grids) for head in heads]


def _table(head: str, grids: Sequence[tuple[str, Box]]) -> Box:
    """Return the blocks of one direction under one another, each under what it is."""
    rows, height, width = [], 0.0, 0.0
    for text, grid in [(head, None), *grids]:
        if text:
            rows.append(cell(font(escaped(text), _SMALL, palette.INK, grid is None), align="LEFT", height=_TITLE))
            height += _TITLE + 2
            width = max(width, text_width(text, _SMALL, True))
        if grid is not None:
            rows.append(cell(grid.label, align="LEFT"))
            height += grid.height + 2
            width = max(width, grid.width)
    return Box(table(rows), width, height)


def _notes(native: Native) -> Iterator[str]:
    """Yield the shapes of the weights, their gates in order, and the Parameters they come from."""
    weights = native.weights
    if not weights:
        return
    shapes = [f"{name} {shape_text(tensor.shape)}" for name, tensor in weights.items()]
    yield ", ".join(shapes)
    features, units = native.features, native.units
    if isinstance(features, int) and isinstance(units, int):
        each = " in each direction" if len(native.sides) > 1 else ""
        yield f"W and R as one kernel {shape_text((features + units, len(native.gates) * units))}{each}"
    if "B" in weights and native.attributes.get("linear_before_reset", 0):
        yield "x bias is Wb and h bias is Rb"
    if len(native.gates) > 1:
        yield f"gate order {', '.join(native.gates)}"
    short = short_names(dict.fromkeys(item.name for tensor in weights.values() for item in sources(tensor)))
    alike: dict[tuple[Parameter, ...], list[str]] = {}
    for name, tensor in weights.items():
        alike.setdefault(tuple(sources(tensor)), []).append(name)
    for parameters, names in alike.items():
        if parameters and [short[item.name] for item in parameters] != names:
            yield f"{', '.join(names)} from {_named(parameters, short)}"


def _named(parameters: Sequence[Parameter], short: Mapping[str, str]) -> str:
    """Return the names of Parameters, of the first few where there are many; and the gates of one, as it has them."""
    names = ", ".join(visible(short[item.name], 40) for item in parameters[:_NAMES])
    if len(parameters) > _NAMES:
        return f"{names} and {len(parameters) - _NAMES} more"
    blocks = parameters[0].blocks
    own = [gate for gate, _ in blocks.columns] if blocks is not None and len(parameters) == 1 else []
    return f"{names} (gate order {', '.join(own)})" if len(own) > 1 else names
