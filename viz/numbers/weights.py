"""The kernels of a graph with their blocks and biases, as matrices: sources down, gates across, however they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.parameter import BlockTable, Parameter, block_tables
from unroll.tensor import Constant, Tensor
from unroll.viz.dot_text import TIMES, visible
from unroll.viz.gates import Gates
from unroll.viz.native_nodes import Native, native_nodes, path_of, sources
from unroll.viz.weight_names import shown_path, weight_names

#: Blocks along an axis: a name and a size each.
Blocks = tuple[tuple[str, int], ...]


class Weight(NamedTuple):
    """A weight as a matrix.

    Attributes:
        title: its name, shape, and how it is stored.
        grid: its numbers, a row a source.
        rows: the blocks of rows; empty for a bias.
        columns: the blocks of columns.
        tiles: how many matrices stand under and beside one another: those of a convolution's window.
    """

    title: str
    grid: Array
    rows: Blocks
    columns: Blocks
    tiles: tuple[int, int] = (1, 1)


@dataclass
class CellWeights:
    """The weights of one cell.

    Attributes:
        title: what the cell is called.
        paint: returns the fill of a gate, or None.
        stacks: its weights; those that share columns stand under one another.
        notes: what else is said of them.
    """

    title: str
    paint: Callable[[str], str | None]
    stacks: list[list[Weight]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def weights_of(graph: Graph, windows: bool) -> list[CellWeights]:
    """Return the weights of the cells of a graph; of one without cells, all of its matrices.

    Args:
        graph: the graph.
        windows: of a convolution, take all matrices of its window, not the first alone.
    """
    natives = native_nodes(graph)
    gates = Gates(graph, natives.values())
    parameters = list(graph.parameters.values())
    known = [item for item in parameters if item.blocks is not None]
    found = _of_parameters(known, gates, windows)
    found += [cell for native in natives.values() for cell in _of_native(native, gates, set(known))]
    if not found:
        found = _of_parameters([item for item in parameters if item.rank > 1], gates, windows)
    return found


def _of_parameters(parameters: Iterable[Parameter], gates: Gates, windows: bool) -> list[CellWeights]:
    cells: dict[tuple[str, str], list[Parameter]] = {}
    for item in parameters:
        part = item.blocks.part if item.blocks is not None else ""
        cells.setdefault((gates.cells(item)[0], part), []).append(item)
    found = []
    for (path, part), items in cells.items():
        names, stacks = weight_names(items, path), block_tables(items)
        title = shown_path(path) if path.endswith(part) else f"{shown_path(path)} {part}"
        cell = CellWeights(title, gates.paint(items))
        cell.stacks = [
            [_weight(item, names[item], windows) for item in sorted(stack, key=_is_bias)] for stack in stacks
        ]
        # A bias whose kernel stands apart goes below it.
        cell.notes = list(
            dict.fromkeys(stack[0].blocks.note for stack in stacks if stack[0].blocks and stack[0].blocks.note)
        )
        found.append(cell)
    return found


def _is_bias(item: Parameter) -> int:
    return int(item.blocks is not None and not item.blocks.rows) + int("bias" in item.name.rpartition("/")[2])


def _weight(item: Parameter, name: str, windows: bool) -> Weight:
    value, blocks = item.value, item.blocks
    turned = blocks is not None and blocks.transposed and item.rank > 1
    if turned:
        value = np.swapaxes(value, -1, -2)
    said = " transposed" if turned else ""
    if blocks is None:
        wide = value.shape[-1] if value.ndim else 1
        grid = value.reshape(-1, wide)
        return Weight(f"{visible(name)} {shape_text(item.shape)}", grid, (("", grid.shape[0]),), (("", wide),))
    tiles = (1, 1)
    if value.ndim > 2 and blocks.rows:
        window = value.shape[:-2]
        said = f" window {f' {TIMES} '.join(map(str, window))}"
        tiles = (int(np.prod(window[:-1])), window[-1]) if windows else (1, 1)
        value = value if windows else value[(0,) * len(window)]
    return Weight(
        f"{visible(name)} {shape_text(item.shape)}{said}", _tiled(value, tiles), blocks.rows, blocks.columns, tiles
    )


def _tiled(value: Array, tiles: tuple[int, int]) -> Array:
    """Return the matrices of a window as one, as they lie in it."""
    if value.ndim < 2:
        return value.reshape(1, -1)
    rows, columns = value.shape[-2:]
    whole = value.reshape(*tiles, rows, columns)
    return whole.transpose(0, 2, 1, 3).reshape(tiles[0] * rows, tiles[1] * columns)


def _of_native(native: Native, gates: Gates, known: set[Parameter]) -> list[CellWeights]:
    """Return the weights of a recurrent node that no cell's Parameter is, a cell for each direction."""
    if not native.weights or any(known & set(sources(tensor)) for tensor in native.weights.values()):
        return []
    values = {name: _value(tensor) for name, tensor in native.weights.items()}
    found = []
    for side, direction in enumerate(native.sides):
        title = path_of(native.node) or native.kind
        cell = CellWeights(
            f"{title} {direction}" if len(native.sides) > 1 else title,
            gates.native if len(native.gates) > 1 else lambda _: None,
        )
        units = values["R"].shape[-1]
        columns = tuple((gate, units) for gate in native.gates)
        stack = [
            Weight(f"{name} {shape_text(values[name].shape)} transposed", values[name][side].T, rows, columns)
            for name, rows in (("W", (("x", values["W"].shape[-1]),)), ("R", (("h", units),)))
        ]
        if "B" in values:
            table = BlockTable((("x bias", 1), ("h bias", 1)), columns)
            stack.append(
                Weight(f"B {shape_text(values['B'].shape)}", values["B"][side].reshape(2, -1), table.rows, columns)
            )
        cell.stacks = [stack]
        found.append(cell)
    return found


def _value(tensor: Tensor) -> Array:
    if isinstance(tensor, (Parameter, Constant)):
        return tensor.value
    return Graph([], {"weight": tensor}).run({})["weight"]
