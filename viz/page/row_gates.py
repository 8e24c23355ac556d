"""The gates of a loop: their names in order, their colours, and what frameworks call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll.ops.gate_names import SAME_GATE
from unroll.viz.gates import Gates
from unroll.viz.page.colours import colour_of
from unroll.viz.page.rows import Row


class RowGates:
    """The gates of the loops of a graph.

    Args:
        gates: the gates of the graph.
        written_out: its loops were inside operators, whose gates have ONNX's names; those of their weights may differ.
    """

    def __init__(self, gates: Gates, written_out: bool) -> None:
        self._gates, self._written_out = gates, written_out
        self._names: dict[Row, list[str]] = {}
        self._colors: dict[tuple[Row, str], int | None] = {}

    def names(self, row: Row) -> list[str]:
        """Return the gates of a row, in order."""
        if row not in self._names:
            found = dict.fromkeys(gate for cell in _cells_of(row) for gate in self._gates.names.get(cell, ()))
            self._names[row] = sorted(found, key=_rank_in_kernels(row)) if self._written_out else list(found)
        return self._names[row]

    def color(self, row: Row, gate: str) -> int | None:
        """Return the number of the colours of a gate."""
        if (row, gate) not in self._colors:
            fills = (self._gates.color(cell, gate) for cell in _cells_of(row))
            self._colors[row, gate] = next((at for fill in fills if (at := colour_of(fill)) is not None), None)
        return self._colors[row, gate]

    def also(self, row: Row, gate: str) -> list[str]:
        """Return what else the blocks of weights call a gate."""
        names = self.names(row) if self._written_out else []
        return [name for table in SAME_GATE.values() for name in table.get(gate, ()) if names and name not in names]

    def told(self, row: Row) -> list[dict[str, Any]]:
        """Return what the page is told of the gates of a row."""
        return [
            {"name": gate, "color": self.color(row, gate)} | ({"also": also} if (also := self.also(row, gate)) else {})
            for gate in self.names(row)
        ]


def _cells_of(row: Row) -> list[str]:
    """Return the cells of a row: its own, and those that it holds or is joined of."""
    nodes = (node for template in row.templates for node in template.nodes)
    inner = {origin.cell for node in nodes for origin in node.provenance if origin.cell is not None}
    return [row.path, *sorted(inner - {row.path})]


def _rank_in_kernels(row: Row) -> Callable[[str], int]:
    """Return what gives a gate its place among the columns of a row's kernels, by any of its names."""
    weights = (
        weight for template in row.templates for source in template.sources.values() for weight in source.weights
    )
    tables = (weight.blocks.columns for weight in weights if weight.blocks is not None)
    order = list(dict.fromkeys(name for columns in tables for name, _ in columns))

    def rank(gate: str) -> int:
        called = [gate, *(name for table in SAME_GATE.values() for name in table.get(gate, ()))]
        return next((order.index(name) for name in called if name in order), len(order))

    return rank
