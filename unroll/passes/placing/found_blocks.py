"""The block tables of the Parameters that a proven cell reads: which rows are whose, and which columns which gate's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from unroll.ops.joining import Split
from unroll.ops.operator import axis_of
from unroll.ops.shaping import Transpose
from unroll.ops.slicing import Gather
from unroll.parameter import BlockTable, Parameter
from unroll.passes.rerolling.native import Cell, Gate
from unroll.passes.tools.time_slices import slice_of
from unroll.tensor import Constant, Tensor

#: The gates by the order in which a kernel holds them, as each framework calls them; the places are ONNX's, ``i o f c``.
_LSTM_ORDERS = {(0, 3, 2, 1): "ijfo", (0, 2, 3, 1): "ifco", (0, 1, 2, 3): "iofc"}
#: The places are ONNX's, ``z r h``.
_GRU_ORDERS = {(1, 0): "ru", (0, 1, 2): "zrh", (1, 0, 2): "rzn"}
#: The rows of biases that are one array, as Keras's GRU has them.
_X_BIAS, _H_BIAS = "x bias", "h bias"
_ONNX = {"LSTM": ("i", "o", "f", "c"), "GRU": ("z", "r", "h"), "RNN": ("h",)}


class Block(NamedTuple):
    """Rows and columns of a Parameter that one gate reads from one source.

    Attributes:
        rows: the first row and the one after the last, as the gate reads them; None for a bias.
        columns: the same of the columns.
        transposed: the Parameter itself has gates in its rows.
        source: what the rows multiply, ``x`` or ``h``; of a bias, whether it is added to the product with x or with h.
        gate: the place of the gate in ONNX's order.
    """

    rows: tuple[int, int] | None
    columns: tuple[int, int]
    transposed: bool
    source: str
    gate: int


def blocks_of(cell: Cell) -> dict[Parameter, list[Block]]:
    """Return the blocks of each Parameter that the gates of a cell read whole, each once and unchanged but for its sign.

    A Parameter that is read in another way as well, such as in a sum of weights, is left out.
    """
    found: dict[Parameter, list[Block]] = {}
    left_out: set[Parameter] = set()
    for place, gate in enumerate(cell.gates):
        for source, weight in _weights(cell, gate):
            block = _block(weight, source, place)
            if block is None:
                left_out.update(parameters_of([weight]))
            else:
                found.setdefault(block[0], []).append(block[1])
    return {parameter: _whole_rows(blocks) for parameter, blocks in found.items() if parameter not in left_out}


def _whole_rows(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks with one source a row: of most gates it makes no difference which of two biases is that of h."""
    of_h = {block.rows for block in blocks if block.source == _H_BIAS}
    return [block._replace(source=_H_BIAS) if block.rows in of_h else block for block in blocks]


def gate_names(cell: Cell, blocks: Iterable[Sequence[Block]]) -> tuple[str, ...]:
    """Return what the gates are called, in ONNX's order: by the framework that has them in the order of the widest kernel."""
    orders = [_order(one) for one in blocks if one[0].rows is not None]
    order = max(orders, key=len, default=())
    turned = any(block.transposed for one in blocks for block in one)
    names = list(_ONNX[cell.op])
    if cell.op == "LSTM" and order in _LSTM_ORDERS:
        letters = _LSTM_ORDERS[order]
        names = [
            ("g" if turned and letters == "ifco" and gate == 3 else letters[order.index(gate)]) for gate in range(4)
        ]
    elif cell.op == "GRU" and order in _GRU_ORDERS:
        letters = _GRU_ORDERS[order]
        for letter, gate in zip(letters, order, strict=True):
            names[gate] = letter
        if len(order) == 2:
            names[2] = "c"
    return tuple(names)


def table_of(parameter: Parameter, blocks: Sequence[Block], names: Sequence[str]) -> BlockTable | None:
    """Return the block table that blocks make up; None where they do not fill the Parameter like a chessboard, each once."""
    rows = _cuts([(block.rows, block.source) for block in blocks if block.rows is not None])
    columns = _cuts([(block.columns, names[block.gate]) for block in blocks])
    turned = {block.transposed for block in blocks}
    if rows is None or columns is None or len(turned) > 1:
        return None
    cells = {(block.rows, block.columns) for block in blocks}
    if len(cells) != len(blocks) or len(blocks) != max(len(rows), 1) * len(columns):
        return None
    table = BlockTable(tuple(rows), tuple(columns), transposed=turned.pop() and bool(rows))
    return table if table.shape == parameter.shape else None


def _cuts(parts: Sequence[tuple[tuple[int, int], str]]) -> list[tuple[str, int]] | None:
    """Return named stretches in order with their sizes; None where they overlap, leave a gap, or one has two names."""
    named: dict[tuple[int, int], str] = {}
    if any(named.setdefault(stretch, name) != name for stretch, name in parts):
        return None
    at = 0
    for start, end in sorted(named):
        if start != at:
            return None
        at = end
    if len(set(named.values())) < len(named):
        return None
    return [(named[start, end], end - start) for start, end in sorted(named)]


def _order(blocks: Sequence[Block]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(block.gate for block in sorted(blocks, key=lambda block: block.columns)))


def _weights(cell: Cell, gate: Gate) -> Iterator[tuple[str, Tensor]]:
    for number, weights in sorted(gate.inputs.items()):
        for weight, _ in weights:
            yield ("x" if len(cell.inputs) == 1 else f"x{number}"), weight
    for weight, _ in gate.state:
        yield "h", weight
    for weight, _ in gate.bias:
        yield _X_BIAS, weight
    for weight, _ in gate.state_bias:
        yield _H_BIAS, weight


def _block(weight: Tensor, source: str, gate: int) -> tuple[Parameter, Block] | None:
    """Return the Parameter that a weight is a block of, followed up through cuts and transpositions; None for any other."""
    starts, ends, turned = [0] * weight.rank, [int(str(size)) for size in weight.shape], False
    while not isinstance(weight, Parameter):
        node = weight.node
        inner = node.inputs[0] if node is not None and node.inputs else None
        cut = slice_of(node)
        if node is None or inner is None:
            return None
        if isinstance(node.op, Gather):
            index = node.inputs[1]
            if not isinstance(index, Constant) or index.value.shape:
                return None
            axis, place = axis_of(node.op.axis, inner.rank), int(index.value)
            starts.insert(axis, place)
            ends.insert(axis, place + 1)
            weight = inner
            continue
        if cut is not None:
            axis, first = cut[3], cut[1]
        elif isinstance(node.op, Split):
            axis = axis_of(node.op.axis, inner.rank)
            first = sum(int(str(piece.shape[axis])) for piece in node.outputs[: weight.index])
        elif isinstance(node.op, Transpose) and node.op.perm == (1, 0):
            starts, ends, turned, weight = starts[::-1], ends[::-1], not turned, inner
            continue
        else:
            return None
        starts[axis] += first
        ends[axis] += first
        weight = inner
    if weight.rank not in (1, 2):
        return None
    spans = list(zip(starts, ends, strict=True))[:: -1 if turned else 1]
    return weight, Block(spans[0] if weight.rank == 2 else None, spans[-1], turned, source, gate)


def parameters_of(tensors: Iterable[Tensor]) -> list[Parameter]:
    """Return the Parameters that tensors are made of."""
    waiting, found, seen = list(tensors), dict[Parameter, None](), set[Tensor]()
    while waiting:
        tensor = waiting.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        if isinstance(tensor, Parameter):
            found[tensor] = None
        elif tensor.node is not None:
            waiting += [source for source in tensor.node.inputs if source is not None]
    return list(found)
