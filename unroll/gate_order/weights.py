"""The weights of cells whose columns are blocks of gates, and their values with these blocks in another order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dtypes import Array
from unroll.errors import ArgumentError, UnsupportedError
from unroll.gate_order.conventions import CONVENTIONS
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.recurrent import Recurrent
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.words import closest

#: Of more gates than this there are too many orders to try.
MOST_GATES = 6
#: The gate to which a forget bias is added.
FORGET = "f"


class Table(NamedTuple):
    """A weight whose axis is cut into equal blocks, one a gate.

    Attributes:
        parameter: the weight.
        gates: the gates in the order in which the cell reads the blocks.
        axis: the axis that is cut.
        size: the width of a block.
        is_bias: whether it is added to what the kernels give.
        halves: how many such rows of blocks lie behind one another; ONNX's B has two, of x and of h.
    """

    parameter: Parameter
    gates: tuple[str, ...]
    axis: int
    size: int
    is_bias: bool
    halves: int = 1

    def ordered(self, stored: Sequence[str]) -> Array:
        """Return the value as the cell reads it, should its blocks stand in the order `stored` of all the gates."""
        here = [gate for gate in stored if gate in self.gates]
        blocks = [here.index(gate) + half * len(here) for half in range(self.halves) for gate in self.gates]
        places = [np.arange(self.size) + block * self.size for block in blocks]
        return np.take(self.parameter.value, np.concatenate(places), self.axis)

    def shift(self, array: Array, gate: str, amount: float) -> None:
        """Add to the block of a gate of a bias; of two that are added up, to the first."""
        first = self.gates.index(gate) * self.size
        blocks = self.parameter.blocks
        rows = array if blocks is None or not blocks.rows else array[0]
        rows[..., first : first + self.size] += np.asarray(amount, array.dtype)


class Way(NamedTuple):
    """One way to read the weights: the gate that each block is, and what is added to the forget gate, if that is asked."""

    order: tuple[str, ...]
    forget_bias: float | None


class Gated(NamedTuple):
    """Cells of the same gates, whose weights are put in order together.

    Attributes:
        cells: their variable paths.
        gates: the gates, in the order in which the cells read them.
        tables: their weights.
        forget_bias: what the cells add to the forget gate; None where they add nothing that can be seen in the graph.
        constants: the constants that are the forget bias.
    """

    cells: tuple[str, ...]
    gates: tuple[str, ...]
    tables: tuple[Table, ...]
    forget_bias: float | None
    constants: tuple[Constant, ...]

    def given(self, stored: Sequence[str], forget_bias: float | None) -> dict[Any, Array]:
        """Return values for the weights: in order, should they be stored in the order `stored`, and with a forget bias."""
        found: dict[Any, Array] = {table.parameter: table.ordered(stored) for table in self.tables}
        if forget_bias is None:
            return found
        shift = forget_bias - (self.forget_bias or 0.0)
        if self.constants:
            return found | {item: np.full_like(item.value, forget_bias) for item in self.constants}
        for bias in self.biases() if shift else ():
            found[bias.parameter] = found[bias.parameter].copy()
            bias.shift(found[bias.parameter], FORGET, shift)
        return found

    def biases(self) -> list[Table]:
        """Return one bias of each cell that has a forget gate in it."""
        found: dict[object, Table] = {}
        for table in self.tables:
            if table.is_bias and FORGET in table.gates:
                scope, blocks = table.parameter.name.rpartition("/")[0], table.parameter.blocks
                found.setdefault((scope, blocks and blocks.part), table)
        return list(found.values())


def gated_cells(graph: Graph, cell: str | None) -> Gated:
    """Return the cells whose gates can be put in another order.

    Args:
        graph: the graph.
        cell: the variable path of one of its cells, or the end of one; by default all cells, which must have the same
            gates.

    Raises:
        ArgumentError: there is no such cell, none has gates that can change places, or cells have different gates.
        UnsupportedError: more gates than can be tried.
    """
    found = {path: tables for path, tables in _tables(graph).items() if any(len(t.gates) > 1 for t in tables)}
    if not found:
        raise ArgumentError(
            "check_gate_order: no cell has a weight of several gates of one size, so there is no order to try"
        )
    if cell is not None:
        named = [path for path in found if path == cell or path.endswith(f"/{cell}")]
        if len(named) != 1:
            raise ArgumentError(
                f"check_gate_order: cell {cell!r} is none of the cells with gates; {closest(cell, found)}"
            )
        found = {named[0]: found[named[0]]}
    orders = {path: max((table.gates for table in tables), key=len) for path, tables in found.items()}
    if len(set(orders.values())) > 1:
        listed = "; ".join(f"{path}: {', '.join(gates)}" for path, gates in orders.items())
        raise ArgumentError(
            f"check_gate_order: the cells have different gates ({listed}); name one, such as cell={next(iter(found))!r}"
        )
    gates = next(iter(orders.values()))
    if len(gates) > MOST_GATES:
        raise UnsupportedError(
            f"check_gate_order: {next(iter(found))} has {len(gates)} gates; the orders of up to {MOST_GATES} are tried"
        )
    tables = {
        t.parameter: t for listed in found.values() for t in listed if len(t.gates) > 1 and {*t.gates} <= {*gates}
    }
    constants = _forget_constants(graph, found) if FORGET in gates else ()
    own = float(constants[0].value.flat[0]) if constants else None
    return Gated(tuple(found), gates, tuple(tables.values()), own, constants)


def _tables(graph: Graph) -> dict[str, list[Table]]:
    """Return for each cell its weights that are cut into blocks of one size."""
    tables: dict[Table, dict[str, None]] = {}
    paths: dict[Table, str] = {}
    for node in graph.nodes:
        for place, tensor in enumerate(node.inputs):
            if isinstance(tensor, Parameter):
                table = _native(node, place, tensor) if tensor.blocks is None else _table(tensor)
                if table is not None:
                    tables.setdefault(table, {}).update(dict.fromkeys(_cells(node)))
                    paths[table] = graph.name(node) if tensor.blocks is None else _scope(tensor)
    found: dict[str, list[Table]] = {}
    for table, cells in tables.items():
        for path in cells or [paths[table]]:
            found.setdefault(path, []).append(table)
    return found


def _table(parameter: Parameter) -> Table | None:
    """Return the blocks of a weight that says them."""
    blocks = parameter.blocks
    if blocks is None or len({size for _, size in blocks.columns}) != 1:
        return None
    gates = tuple(gate for gate, _ in blocks.columns)
    axis = parameter.rank - (2 if blocks.transposed and blocks.rows else 1)
    is_bias = not blocks.note and all(source.endswith("bias") for source, _ in blocks.rows)
    return Table(parameter, gates, axis, blocks.columns[0][1], is_bias)


def _native(node: Node, place: int, weight: Parameter) -> Table | None:
    """Return the blocks of W, R or B of ONNX's LSTM or GRU."""
    gates = CONVENTIONS.get(node.op.name, {}).get("ONNX", ())
    name = {1: "W", 2: "R", 3: "B"}.get(place)
    if not isinstance(node.op, Recurrent) or not gates or name is None:
        return None
    halves = 2 if name == "B" else 1
    return Table(weight, gates, 1, int(weight.shape[1]) // (len(gates) * halves), name == "B", halves)


def _scope(parameter: Parameter) -> str:
    """Return where a weight lies, by its name, ours or PyTorch's."""
    parts = re.split(r"[/.]", parameter.name)
    return "/".join(parts[:-1]) or parameter.name


def _cells(node: Node) -> list[str]:
    return sorted({origin.cell for origin in node.provenance if origin.cell is not None})


def _forget_constants(graph: Graph, cells: Mapping[str, object]) -> tuple[Constant, ...]:
    """Return the constants that are added to the forget gates of cells, and to nothing else, where all are one number."""
    found: dict[Constant, None] = {}
    elsewhere: set[Tensor | None] = set(graph.outputs)
    for node in graph.nodes:
        if isinstance(node.op, Add) and _is_forget(node, cells):
            found |= {item: None for item in node.inputs if isinstance(item, Constant) and item.value.size == 1}
            elsewhere |= {item for item in node.inputs if not isinstance(item, Constant)}
        else:
            elsewhere.update(node.inputs)
    numbers = {float(item.value.flat[0]) for item in found}
    return tuple(found) if len(numbers) == 1 and elsewhere.isdisjoint(found) else ()


def _is_forget(node: Node, cells: Iterable[str]) -> bool:
    known = set(cells)
    return any(origin.gate == FORGET and origin.cell in known for origin in node.provenance)
