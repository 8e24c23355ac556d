"""RNN, GRU and LSTM operators, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from unroll.ops.choices import Less
from unroll.ops.joining import Split
from unroll.ops.operator import Operator
from unroll.ops.recurrent_loop import Recurrent
from unroll.passes.tools.making import Maker, measured
from unroll.passes.unrolling.flattening import Flattening, Inputs
from unroll.passes.unrolling.formulas import Cell, calls_of, step_of
from unroll.passes.unrolling.gate_kernels import GateKernels
from unroll.passes.unrolling.row_ends import begun, call_outputs, kept, side_by_side
from unroll.passes.unrolling.step_places import CellPlace, base_of
from unroll.scopes import Origin, join
from unroll.tensor import Constant, Node, Tensor

#: About how many nodes a step of each operator is, for the limit of all nodes.
_NODES = {"RNN": 5, "GRU": 16, "LSTM": 16}


def write_native(
    flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
) -> tuple[Sequence[Tensor], int]:
    """Write an RNN, GRU or LSTM as the nodes of its steps.

    Args:
        flat: the graph in the making.
        node: the old node.
        op: its operator.
        inputs: what it reads in the new graph.
        provenance: where it comes from.

    Returns:
        Y, Y_h and, of an LSTM, Y_c, and the number of steps.

    Raises:
        LeftError: only a run knows how many steps there are, or there are none.
    """
    assert isinstance(op, Recurrent) and inputs[0] is not None
    steps = flat.steps(inputs[0].shape[int(bool(op.attributes.get("layout")))])
    flat.check_room(steps * op.directions, _NODES[op.name])
    flat.count(steps * op.directions * _NODES[op.name])
    writing = _Native(flat, op, inputs, steps, provenance)
    ways = range(op.directions)
    return writing.results([writing.direction(way, op.direction == "reverse" or way == 1) for way in ways]), steps


class _Native:
    """Writes the directions of one operator."""

    def __init__(
        self, flat: Flattening, op: Recurrent, inputs: Inputs, steps: int, provenance: frozenset[Origin]
    ) -> None:
        base, self._begin = _place_of(op, provenance, steps)
        given = [*inputs, *[None] * (8 - len(inputs))]
        self._flat, self._op, self._steps, self._base = flat, op, steps, base
        self._x, self._b, self._lengths, self._p = _given(given[0]), given[3], given[4], given[7]
        self._w, self._r = _given(given[1]), _given(given[2])
        self._first = given[5:7] if op.name == "LSTM" else given[5:6]
        #: Where the time is in X and Y: 0, or 1 where rows come first.
        self._time = int(bool(op.attributes.get("layout")))
        self._maker = Maker(frozenset({Origin(base, None, None, None)}))
        self._valid: dict[int, Tensor] = {}

    @cached_property
    def _rows(self) -> list[Tensor]:
        """What each step reads, ``(batch, input)`` each."""
        pieces = [self._x] if self._steps == 1 else self._maker.node(Split(self._time, self._steps), self._x)
        return [self._beside(at).squeeze(piece, self._time) for at, piece in enumerate(pieces)]

    @cached_property
    def _column(self) -> Tensor:
        """The length of each row, ``(batch, 1)``."""
        return self._maker.unsqueeze(_given(self._lengths), 1)

    def _beside(self, at: int) -> Maker:
        """Return what makes nodes at a step that both directions read."""
        scope = join(self._base.rpartition("/")[0], f"t{self._begin + at}")
        return Maker(frozenset({Origin(scope, self._begin + at, None, None)}))

    def _kernels(self, way: int, backward: bool) -> GateKernels:
        """Return the weights of a direction; an operator that a loop runs at every step has the same ones at each."""
        key = (self._op, self._w, self._r, self._b, self._p, way)
        if key not in self._flat.kernels:
            name = self._base if self._op.direction == "forward" else join(self._base, "bw" if backward else "fw")
            cell = self._flat.cell_name(name, (self._w, self._r))
            maker = CellPlace(cell).weights()
            w, r = maker.at(self._w, way), maker.at(self._r, way)
            b, p = (None if item is None else maker.at(item, way) for item in (self._b, self._p))
            self._flat.kernels[key] = GateKernels(self._op, cell, maker, w, r, b, p, self._flat.settled)
        return self._flat.kernels[key]

    def direction(self, way: int, backward: bool) -> tuple[Tensor, list[Tensor]]:
        """Return what one direction makes: h at each step as a stack, and the last states."""
        kernels = self._kernels(way, backward)
        place = CellPlace(kernels.cell, self._begin, kernels.called)
        step = step_of(Cell(self._op, place, kernels, calls_of(self._op)[way]))
        order = range(self._steps)[:: -1 if backward else 1]
        states = self._initial(place, way, order[0])
        outputs: dict[int, Tensor] = {}
        for at in order:
            new = step(at, self._rows[at], states)
            outputs[at] = new[0]
            if self._lengths is not None:
                outputs[at], new = self._kept(place.at(at), at, new, states)
            states = new
        return self._stack([outputs[at] for at in range(self._steps)]), self._begun(place, order[-1], states)

    def _initial(self, place: CellPlace, way: int, at: int) -> list[Tensor]:
        """Return the states before the first step."""
        zero, given = place.beside(at, "zero_state"), place.beside(at, "initial_state")
        shape = (self._x.shape[1 - self._time], self._op.hidden_size)
        there = measured([(self._x.shape, self._x)])
        return [
            zero.zeros(shape, self._x.dtype, there) if state is None else given.at(state, way, self._time)
            for state in self._first
        ]

    def _kept(self, maker: Maker, at: int, new: Sequence[Tensor], old: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return h, and the states, of the rows that reach so far: zeros, and the old states, in the others."""
        if at not in self._valid:
            number = Constant(np.array(at, self._column.dtype))
            self._valid[at] = self._beside(at).one(Less(), number, self._column)
            self._valid[at].hint = "valid"
        return kept(maker, self._valid[at], new, old)

    def _begun(self, place: CellPlace, at: int, states: list[Tensor]) -> list[Tensor]:
        """Return the last states: zeros in rows of no steps, as onnxruntime has them where ONNX says nothing."""
        if self._lengths is None or all(state is None for state in self._first):
            return states
        return begun(place.beside(at, "last_state"), self._column, states)

    def _stack(self, outputs: Sequence[Tensor]) -> Tensor:
        parts = [self._beside(at).unsqueeze(output, self._time) for at, output in enumerate(outputs)]
        return self._maker.joined(parts, self._time)

    def results(self, sides: Sequence[tuple[Tensor, list[Tensor]]]) -> list[Tensor]:
        """Return Y and the last states of all directions."""
        found = side_by_side(self._maker, sides, self._time)
        call_outputs(found)
        return found


def _given(tensor: Tensor | None) -> Tensor:
    """Return an input that an operator has, or that was asked for."""
    assert tensor is not None
    return tensor


def _place_of(op: Operator, provenance: frozenset[Origin], steps: int) -> tuple[str, int]:
    """Return the path of an operator's cell, and the number of its first step.

    One of a single step in the body of a loop, as a loop over a cell is exported, is the cell at that step of the loop.
    """
    numbers = {origin.step for origin in provenance}
    (step,) = numbers if len(numbers) == 1 else (None,)
    if steps > 1 or step is None:
        return base_of(op.name, provenance), 0
    plain = (
        origin._replace(scope="/".join(part for part in origin.scope.split("/") if part != f"t{step}"))
        for origin in provenance
    )
    return base_of(op.name, frozenset(plain)), step
