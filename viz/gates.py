"""The gates of the cells of a graph, their colours, and which of them an operator computes.

They are found in the graph, not in the boxes of one picture: a gate has one colour at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from unroll.graph import Graph
from unroll.ops.gate_names import SAME_GATE
from unroll.parameter import BlockTable, Parameter
from unroll.tensor import Node
from unroll.viz import palette
from unroll.viz.gate_columns import GateColumns
from unroll.viz.native_nodes import Native

#: What is shown of a gate: its name and its fill, if it has one.
Mark = tuple[str, "str | None"]


class Gates:
    """The gates of every cell of a graph.

    Args:
        graph: the graph.
        natives: its nodes that are an LSTM, GRU or RNN each, of which a gate has one colour under all its names.

    Attributes:
        names: for each cell, its gates, in the order of its block tables.
    """

    def __init__(self, graph: Graph, natives: Iterable[Native] = ()) -> None:
        computed = _computed(graph)
        self._cells = _cells_of(graph)
        tables: dict[str, list[BlockTable]] = {cell: [] for cell in computed}
        for item, cells in self._cells.items():
            if item.blocks is not None:
                for cell in cells:
                    tables.setdefault(cell, []).append(item.blocks)
        self.names = {cell: gates_of(found, computed.get(cell, ())) for cell, found in tables.items()}
        self._colors = _colors([gates for gates in self.names.values() if len(gates) > 1], natives)
        self._graph = graph

    @cached_property
    def _columns(self) -> GateColumns:
        """What is known of tensors' columns, which boxes of whole cells do not ask for."""
        return GateColumns(self._graph)

    def color(self, cell: str | None, gate: str) -> str | None:
        """Return the fill of a gate of a cell; None where the cell has no gates to tell apart."""
        names = self.names.get(cell or "", ())
        return self._colors.get(gate) if len(names) > 1 and gate in names else None

    def native(self, gate: str) -> str | None:
        """Return the fill of a gate of an LSTM, GRU or RNN node."""
        return self._colors.get(gate)

    def cells(self, parameter: Parameter) -> list[str]:
        """Return the cells that read a weight, or else the scope that it lies in."""
        return self._cells[parameter]

    def paint(self, parameters: Iterable[Parameter]) -> Callable[[str], str | None]:
        """Return what gives each column of some weights its fill: that of the gate in a cell that reads them."""
        cells = dict.fromkeys(cell for item in parameters for cell in self._cells[item])
        return lambda gate: self._first_color(cells, gate)

    def marks(self, cells: Iterable[str]) -> list[Mark]:
        """Return the gates of cells that are shown as one box, each once; nothing where there are none to tell apart."""
        shown = {gate: self.color(cell, gate) for cell in cells for gate in self.names.get(cell, ())}
        return [(gate, color) for gate, color in shown.items() if color is not None]

    def fill(self, node: Node) -> str | None:
        """Return the fill of an operator that belongs to one gate."""
        held = self._columns.gates(node.outputs[0]) if len(node.outputs) == 1 else ()
        named = {origin.gate for origin in node.provenance if origin.gate is not None}
        if len(held) > 1 or (not held and len(named) != 1):
            return None
        gate = held[0] if held and len(named) != 1 else next(iter(named))
        return self._first_color(_around(node), gate)

    def held(self, node: Node) -> list[Mark]:
        """Return what an operator holds of several gates, in order: the gates of a function of a joined product, or, of
        a Split, those of each output. Nothing where that is not known of all.
        """
        if node.op.name == "Split":
            pieces = [self._columns.gates(tensor) for tensor in node.outputs]
        elif node.op.name in ("Add", "MatMul", "Gemm", "Conv", "Transpose", "Identity", "Cast"):
            return []
        else:
            pieces = [(gate,) for gate in self._columns.gates(node.outputs[0])] if len(node.outputs) == 1 else []
        if len(pieces) < 2 or not all(pieces):
            return []
        cells = _around(node)
        found: list[Mark] = [
            (", ".join(piece), self._first_color(cells, piece[0]) if len(piece) == 1 else None) for piece in pieces
        ]
        return found if any(color is not None for _, color in found) else []

    def _first_color(self, cells: Iterable[str], gate: str) -> str | None:
        return next(filter(None, (self.color(cell, gate) for cell in cells)), None)


def _colors(orders: Sequence[Sequence[str]], natives: Iterable[Native]) -> dict[str, str]:
    """Return a fill for each gate of the cells, and of recurrent operators: a gate of several names has one colour."""
    own = {gate for gates in orders for gate in gates}
    natives = [native for native in natives if len(native.gates) > 1]
    called = {}
    for native in natives:
        for gate in native.gates:
            names = (gate, *SAME_GATE[native.kind].get(gate, ()))
            called[gate] = next((name for name in names if name in own), gate)
    colors = palette.gate_colors([*orders, *([called[gate] for gate in native.colored] for native in natives)])
    for native in natives:
        for gate in native.gates:
            for name in (gate, *SAME_GATE[native.kind].get(gate, ())):
                colors.setdefault(name, colors[called[gate]])
    return colors


def gates_of(tables: Sequence[BlockTable], computed: Iterable[str]) -> tuple[str, ...]:
    """Return the gates of a cell, in the order of its block tables.

    A column of a table that reads the input is a gate where there are several, or where the cell computes a gate of its
    name: the one column of a projection, or of an attention's score, is none. Without any table there is only what the cell
    computes.
    """
    known = dict.fromkeys(computed)
    if not tables:
        return tuple(known)
    reading = [{source for source, _ in blocks.rows} for blocks in tables]
    wanted = {"x"} if any("x" in sources for sources in reading) else {"h"}
    found: dict[str, None] = {}
    for blocks, sources in zip(tables, reading, strict=True):
        names = [name for name, _ in blocks.columns]
        several = len(names) > 1 and (not sources or bool(sources & wanted))
        found |= dict.fromkeys(name for name in names if several or name in known)
    # A gate that another kernel reads has rows there, and may have its own kernel without a name, as in MinimalRNNCell.
    known_rows = dict.fromkeys(source for blocks in tables for source, _ in blocks.rows)
    return (*found, *(source for source in known_rows if source in known and source not in found))


def _computed(graph: Graph) -> Mapping[str, list[str]]:
    """Return for each cell the gates that its nodes say they compute."""
    found: dict[str, dict[str, None]] = {}
    for node in graph.nodes:
        one = (node.origin,) if len(node.provenance) == 1 else ()
        for origin in one or sorted(node.provenance, key=lambda one: (one.cell or "", one.gate or "")):
            if origin.cell is not None:
                gates = found.setdefault(origin.cell, {})
                if origin.gate is not None:
                    gates[origin.gate] = None
    return {cell: list(gates) for cell, gates in found.items()}


def _cells_of(graph: Graph) -> dict[Parameter, list[str]]:
    """Return for each Parameter the cells that read it, or else the scope that it lies in."""
    found: dict[Parameter, set[str]] = {item: set() for item in graph.parameters.values()}
    for node in graph.nodes:
        for tensor in node.inputs:
            if isinstance(tensor, Parameter):
                found[tensor].update(_around(node))
    return {item: sorted(cells) or [item.name.rpartition("/")[0]] for item, cells in found.items()}


def _around(node: Node) -> list[str]:
    """Return the cells that a node comes from."""
    return sorted({origin.cell for origin in node.provenance if origin.cell is not None})
