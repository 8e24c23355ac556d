"""The frame of a Scan: what it walks over, what it hands on, and room for its body."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from unroll.dimensions import Dim
from unroll.graph import Graph
from unroll.tensor import Node, Tensor
from unroll.viz import palette
from unroll.viz.boxes import Box, Line
from unroll.viz.dot_text import cell, escaped, font, table, text_width
from unroll.viz.native_nodes import path_of, sources, steps_text
from unroll.viz.ports import Port, Ported, port, with_ports
from unroll.viz.scan_bodies import ScanBody
from unroll.viz.shapes import shape_text
from unroll.viz.values import Values

_TITLE, _TEXT, _SMALL = 13, 10, 9
_LEADING, _PAD = 1.4, 14.0
_LONGEST = 100


class Inside(NamedTuple):
    """What is inside a Scan.

    Attributes:
        body: its body.
        size: the width and height of the body's picture; None where it is not drawn.
    """

    body: ScanBody
    size: tuple[float, float] | None


def scan_box(node: Node, graph: Graph, read: Collection[Tensor], values: Values, inside: Inside) -> Ported:
    """Return the frame of a Scan.

    Args:
        node: its node.
        graph: the graph that it is part of.
        read: the tensors that something in the picture reads.
        values: numbers to print.
        inside: its body.
    """
    body, op = inside.body, inside.body.op
    states, rows = op.num_states, op.num_states + op.num_scan_inputs
    into = []
    for place, tensor in enumerate(node.inputs):
        if tensor is not None and place not in body.weights:
            backward = states <= place < rows and _flag(op.scan_input_directions, place - states)
            told = "at first" if place < states else _scanned(backward) if place < rows else "at every step"
            into.append(port(place, body.names[place], [told, shape_text(graph.shape(tensor))]))
    out: list[Port] = []
    for place, tensor in enumerate(node.outputs):
        backward = place >= states and _flag(op.scan_output_directions, place - states)
        told = "at last" if place < states else _stacked(backward)
        words = [told, shape_text(graph.shape(tensor))]
        out.append(port(tensor, body.made[place], words, values.lines(tensor), tensor in read))
    scanned = node.inputs[states]
    time = graph.shape(scanned)[0] if scanned is not None else 0
    cells = dict.fromkeys(item.origin.cell for item in body.graph.nodes if item.origin.cell is not None)
    lines = _lines(", ".join(list(cells)[:2]) or path_of(node), time, body, values, inside.size is not None)
    found = with_ports(_middle(lines, inside.size), into, out)
    x, y = found.inside
    return replace(found, inside=(x, y - _high(lines) / 2))


def _flag(flags: tuple[int, ...] | None, place: int) -> bool:
    return bool(flags and flags[place])


def _scanned(backward: bool) -> str:
    return "a row a step, from the last" if backward else "a row a step"


def _stacked(backward: bool) -> str:
    return "of every step, last first" if backward else "of every step"


def _lines(path: str, time: Dim, body: ScanBody, values: Values, drawn: bool) -> list[Line]:
    """Return the title, what is handed on, and what takes the place of a body that is not drawn."""
    names = ", ".join(body.names[: body.op.num_states])
    title = f"Scan: {steps_text(time)}" if isinstance(time, int) else f"Scan {steps_text(time)}"
    lines = [Line(title, _TITLE, palette.INK, True)]
    lines += [Line(path, _SMALL, palette.MUTED)] if path else []
    lines.append(Line(f"hands {names} on from step to step" if names else "hands nothing on", _TEXT))
    if not drawn:
        held = dict.fromkeys(item for tensor in body.weights.values() for item in sources(tensor))
        weights = ", ".join(f"{item.name} {shape_text(item.shape)}" for item in held)
        lines += [Line(f"weights {weights}", _SMALL, palette.MUTED)] if weights else []
        lines.append(Line(f"the body, of {len(body.op.body.nodes):,} nodes, is not drawn here", _SMALL, palette.MUTED))
    elif values.given:
        lines.append(Line("what is inside differs from step to step: no values are shown there", _SMALL, palette.MUTED))
    return lines


def _high(lines: Sequence[Line]) -> float:
    return sum(line.size * _LEADING for line in lines) + 4


def _middle(lines: Sequence[Line], size: tuple[float, float] | None) -> Box:
    """Return lines of text over the room for a picture."""
    width = max(text_width(line.text, line.size, line.bold, _LONGEST) for line in lines)
    rows = [
        cell(font(escaped(line.text, _LONGEST), line.size, line.color, line.bold), height=f"{line.size * _LEADING:.0f}")
        for line in lines
    ]
    if size is not None:
        rows.append(cell("", width=f"{size[0]:.0f}", height=f"{size[1]:.0f}"))
    wide, high = size if size is not None else (0.0, 0.0)
    return Box(table(rows), max(width, wide) + _PAD, _high(lines) + high)
