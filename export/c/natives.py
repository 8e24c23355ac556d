"""RNN, GRU and LSTM operators as Scans, whose body is one step of their cell: no recurrent kernel is written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.dtypes import Array
from unroll.errors import UnsupportedError
from unroll.ops.choices import Less
from unroll.ops.operator import Operator
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.scan import Scan
from unroll.passes.tools.making import Maker
from unroll.passes.unrolling.flattening import Flattening, Inputs
from unroll.passes.unrolling.formulas import Cell, calls_of, step_of
from unroll.passes.unrolling.gate_kernels import GateKernels
from unroll.passes.unrolling.row_ends import begun, call_outputs, kept, side_by_side
from unroll.passes.unrolling.step_places import CellPlace, base_of
from unroll.scopes import Origin, join
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Placeholder, Tensor


def write_native(
    flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
) -> tuple[Sequence[Tensor], int]:
    """Write a recurrent operator as a Scan for each of its directions.

    Args:
        flat: the graph in the making.
        node: the old node.
        op: its operator.
        inputs: what it reads in the new graph.
        provenance: where it comes from.

    Returns:
        Y, Y_h and, of an LSTM, Y_c, and the number of steps.

    Raises:
        UnsupportedError: it takes no steps.
    """
    assert isinstance(op, Recurrent) and inputs[0] is not None
    layout = int(bool(op.attributes.get("layout")))
    steps = inputs[0].shape[layout]
    if not isinstance(steps, int) or steps == 0:
        raise UnsupportedError(f"C: {node!r} takes {steps} steps; at least one is wanted")
    maker = Maker(provenance)
    given = [*inputs, *[None] * (8 - len(inputs))]
    if layout:
        for place in (0, 5, 6):
            tensor = given[place]
            given[place] = None if tensor is None else maker.transpose(tensor, (1, 0, 2))
    base = base_of(op.name, provenance)
    sides: list[tuple[Tensor, list[Tensor]]] = []
    for way in range(op.directions):
        name = base if op.directions == 1 else join(base, "bw" if way else "fw")
        sides.append(
            _Direction(op, given, way, flat.cell_name(name, (given[1], given[2])), steps, provenance).written()
        )
    found = side_by_side(maker, sides, 0)
    if layout:
        ys, *last = found
        found = [maker.transpose(ys, (2, 0, 1, 3)), *(maker.transpose(state, (1, 0, 2)) for state in last)]
    call_outputs(found)
    return found, steps


class _Direction:
    """Writes one direction of an operator."""

    def __init__(
        self, op: Recurrent, given: Sequence[Tensor | None], way: int, cell: str, steps: int, at: frozenset[Origin]
    ) -> None:
        self._op, self._given, self._way, self._cell, self._steps = op, given, way, cell, steps
        self._maker = Maker(at)
        self._outer: list[Tensor] = []
        self._inner: list[Placeholder] = []

    def _shared(self, tensor: Tensor) -> Tensor:
        """Return what stands in the body for a tensor that every step reads."""
        if isinstance(tensor, Constant):
            return tensor
        inner = Placeholder(tensor.shape, tensor.dtype, f"shared{len(self._outer)}")
        self._outer.append(tensor)
        self._inner.append(inner)
        return inner

    def _of(self, place: int) -> Tensor | None:
        """Return an input's slice of this direction, as the body reads it."""
        tensor = self._given[place]
        return None if tensor is None else self._shared(self._maker.at(tensor, self._way))

    def _initial(self, batch: int, dtype: np.dtype[np.generic]) -> list[Tensor]:
        places = (5, 6) if self._op.name == "LSTM" else (5,)
        zero: Array = np.zeros((batch, self._op.hidden_size), dtype)
        given = [self._given[place] for place in places]
        return [Constant(zero) if state is None else self._maker.at(state, self._way) for state in given]

    def written(self) -> tuple[Tensor, list[Tensor]]:
        """Return h at each step ``(time, batch, hidden)``, and the last states."""
        x, lengths = self._given[0], self._given[4]
        assert x is not None
        op, backward = self._op, self._op.direction == "reverse" or self._way == 1
        place = CellPlace(self._cell)
        first = self._initial(int(x.shape[1]), x.dtype)
        states = [Placeholder(state.shape, state.dtype, name) for state, name in zip(first, ("h", "c"), strict=False)]
        row = Placeholder(x.shape[1:], x.dtype, "x")
        number = Placeholder((), np.dtype("int32"), "number")
        w, r, b, p = (self._of(at) for at in (1, 2, 3, 7))
        assert w is not None and r is not None
        kernels = GateKernels(op, self._cell, place.weights(), w, r, b, p, settled=False)
        new = step_of(Cell(op, place, kernels, calls_of(op)[self._way]))(0, row, states)
        stacked, column = new[0], None
        if lengths is not None:
            column = self._maker.unsqueeze(lengths, 1)
            inside = place.at(0)
            valid = inside.one(Less(), number, self._shared(column))
            valid.hint = "valid"
            stacked, new = kept(inside, valid, new, states)
        rows = [row, number] if lengths is not None else [row]
        scanned: list[Tensor] = [x]
        if lengths is not None:
            scanned.append(Constant(np.arange(self._steps, dtype=np.int32)))
        body = Structure([*states, *rows, *self._inner], [*new, stacked])
        directions = (1,) * len(rows) if backward else None
        scan = Scan(body, len(rows), len(self._inner), directions, (1,) if backward else None)
        *last, stack = self._maker.node(scan, *first, *scanned, *self._outer)
        if column is not None:
            last = begun(self._maker, column, last)
        for tensor, hint in zip((stack, *last), ("y", "last_h", "last_c"), strict=False):
            tensor.hint = hint
        return stack, last
