"""The weights of recognised cells in ONNX's layout, as expressions over the weights of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unroll.dtypes import FLOAT32
from unroll.ops.arithmetic import Add
from unroll.passes.rerolling.native import Cell, Gate, Sum
from unroll.passes.tools.making import Maker
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Constant, Tensor


@dataclass(frozen=True)
class Packer:
    """Packs the weights of a cell, or of two directions.

    Args:
        maker: makes the nodes.
        weights: makes parts of weights.
        cells: the cell of each direction.
        hidden: the width of the state.
        widths: the widths of the inputs.
    """

    maker: Maker
    weights: Weights
    cells: Sequence[Cell]
    hidden: int
    widths: Sequence[int]

    def w(self) -> Tensor:
        """Return the inputs' weights, ``(dirs, gates * hidden, input)``."""
        return self._packed(self._of_inputs)

    def r(self) -> Tensor:
        """Return the state's weights, ``(dirs, gates * hidden, hidden)``."""
        return self._packed(lambda gate: self._turned(self._total(gate.state, (self.hidden, self.hidden))))

    def b(self) -> Tensor | None:
        """Return the biases, ``(dirs, 2 * gates * hidden)``; None where there are none."""
        gates = [gate for cell in self.cells for gate in cell.gates]
        if not any(gate.bias or gate.number or gate.state_bias or gate.state_number for gate in gates):
            return None
        sides = []
        for cell in self.cells:
            of_x = [self._vector(gate.bias, gate.number) for gate in cell.gates]
            of_h = [self._vector(gate.state_bias, gate.state_number) for gate in cell.gates]
            sides.append(self.maker.unsqueeze(self.maker.joined([*of_x, *of_h], 0), 0))
        return self.maker.joined(sides, 0)

    def p(self) -> Tensor | None:
        """Return an LSTM's peepholes, ``(dirs, 3 * hidden)``; None where there are none."""
        if not any(gate.peephole for cell in self.cells for gate in cell.gates):
            return None
        sides = []
        for cell in self.cells:
            parts = [self._vector(gate.peephole, 0.0) for gate in cell.gates[:3]]  # of i, o and f
            sides.append(self.maker.unsqueeze(self.maker.joined(parts, 0), 0))
        return self.maker.joined(sides, 0)

    def _packed(self, block: Callable[[Gate], Tensor]) -> Tensor:
        sides = []
        for cell in self.cells:
            rows = self.maker.joined([block(gate) for gate in cell.gates], 0)
            sides.append(self.maker.unsqueeze(rows, 0))
        return self.maker.joined(sides, 0)

    def _of_inputs(self, gate: Gate) -> Tensor:
        parts = [
            self._turned(self._total(gate.inputs.get(number, []), (width, self.hidden)))
            for number, width in enumerate(self.widths)
        ]
        return self.maker.joined(parts, 1)

    def _total(self, terms: Sum, shape: tuple[int, ...]) -> Tensor:
        """Return the sum of weights; zeros where there are none."""
        parts = [self.maker.scaled(tensor, factor) for tensor, factor in terms]
        if not parts:
            return Constant(np.zeros(shape, FLOAT32))
        result = parts[0]
        for part in parts[1:]:
            result = self.maker.one(Add(), result, part)
        return result

    def _turned(self, matrix: Tensor) -> Tensor:
        return self.weights.turned(matrix, None)

    def _vector(self, terms: Sum, number: float) -> Tensor:
        rows = [(self._row(tensor), factor) for tensor, factor in terms]
        if not rows:
            return Constant(np.full(self.hidden, number, FLOAT32))
        result = self._total(rows, (self.hidden,))
        return self.maker.one(Add(), result, Constant(np.array(number, FLOAT32))) if number else result

    def _row(self, tensor: Tensor) -> Tensor:
        return tensor if tensor.rank == 1 else self.maker.reshape(tensor, (self.hidden,))
