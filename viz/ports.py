"""Boxes with ports: their inputs named along the bottom and their outputs along the top, so that wires need no labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unroll.tensor import Tensor
from unroll.viz import palette
from unroll.viz.boxes import Box, Line
from unroll.viz.dot_text import cell, escaped, font, table, text_width

_TEXT, _SMALL = 9, 8
_AIR, _LINE, _EDGE = 14.0, 12.0, 4.0
# The room between ports and what is inside.
_GAP = 8.0


@dataclass(frozen=True)
class Port:
    """Where a tensor enters or leaves a box.

    Attributes:
        key: which input of the node it is, or the tensor that leaves.
        lines: its name, what it is, its shape, and its value where that is printed.
        used: whether anything reads it.
    """

    key: int | Tensor
    lines: tuple[Line, ...]
    used: bool = True


@dataclass(frozen=True)
class Ported:
    """A box with ports.

    Attributes:
        box: its content.
        into: how far right of the middle each input enters, by its place among the node's inputs.
        out: how far right of the middle each output leaves.
        inside: the middle of the room left within for a picture, from the middle of the box; y grows upwards.
    """

    box: Box
    into: Mapping[int, float] = field(default_factory=dict)
    out: Mapping[Tensor, float] = field(default_factory=dict)
    inside: tuple[float, float] = (0.0, 0.0)


def port(key: int | Tensor, name: str, told: Sequence[str], values: Sequence[str] = (), used: bool = True) -> Port:
    """Return a port with its name, what is told of it, and its value."""
    lines = [Line(name, _TEXT, palette.INK if used else palette.MUTED, used)]
    lines += [Line(text, _SMALL, palette.MUTED) for text in told]
    lines += [Line(text, _SMALL, palette.STATE) for text in values]
    return Port(key, tuple(lines), used)


def with_ports(body: Box, into: Sequence[Port], out: Sequence[Port]) -> Ported:
    """Return a box of outputs over `body` over inputs."""
    width = max(body.width, *(_least(ports) for ports in (into, out)), 64)
    gap = cell("", height=f"{_GAP:.0f}")
    middle = cell(body.label, height=f"{body.height:.0f}", width=f"{width:.0f}")
    rows = [_row(out, width), gap, middle, gap, _row(into, width)]
    height = body.height + _height(into) + _height(out) + 2 * (_GAP + _EDGE)
    text = table([row for row in rows if row])
    return Ported(
        Box(text, width + 2 * _EDGE, height),
        {item.key: x for item, x in zip(into, _middles(into, width), strict=True) if isinstance(item.key, int)},
        {item.key: x for item, x in zip(out, _middles(out, width), strict=True) if isinstance(item.key, Tensor)},
        (0.0, (_height(into) - _height(out)) / 2),
    )


def _wanted(item: Port) -> float:
    return max(text_width(line.text, line.size, line.bold) for line in item.lines) + _AIR


def _least(ports: Sequence[Port]) -> float:
    return sum(map(_wanted, ports))


def _widths(ports: Sequence[Port], width: float) -> list[float]:
    """Return how wide each port is: what is left over is shared alike."""
    more = (width - _least(ports)) / max(len(ports), 1)
    return [_wanted(item) + more for item in ports]


def _middles(ports: Sequence[Port], width: float) -> list[float]:
    """Return how far right of the middle of the box the middle of each port is."""
    found, left = [], -width / 2
    for own in _widths(ports, width):
        found.append(left + own / 2)
        left += own
    return found


def _height(ports: Sequence[Port]) -> float:
    return max((len(item.lines) for item in ports), default=0) * _LINE


def _row(ports: Sequence[Port], width: float) -> str:
    """Return the ports side by side, each in its own width, as one cell of a table."""
    if not ports:
        return ""
    count = max(len(item.lines) for item in ports)
    cells = [
        cell(
            table(_lines(item.lines, count)),
            width=f"{own:.0f}",
            height=f"{_height(ports):.0f}",
            fixedsize="TRUE",
        )
        for item, own in zip(ports, _widths(ports, width), strict=True)
    ]
    size = {"width": f"{width:.0f}", "height": f"{_height(ports):.0f}", "fixedsize": "TRUE"}
    return cell(table(["".join(cells)], **size), **size)


def _lines(lines: Sequence[Line], count: int) -> list[str]:
    """Return lines of text, and empty ones up to a count, all of one height: ports side by side keep in step."""
    texts = [font(escaped(line.text), line.size, line.color, line.bold) for line in lines]
    return [cell(text, height=f"{_LINE:.0f}") for text in (*texts, *[""] * (count - len(texts)))]
