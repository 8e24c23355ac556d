"""The weights of a direction of RNN, GRU or LSTM as kernels: ``(input + hidden, gates * hidden)``, a block of columns a gate.

Where an operator reads its weights from Parameters, a kernel is a new Parameter that holds their values of now, with a block
table, as the kernels of cells have one. Where it reads what is computed, a kernel is an expression over that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from unroll import scopes
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.gate_names import GATES, PEEPHOLES, called
from unroll.ops.recurrent_loop import Recurrent
from unroll.parameter import BlockTable, Parameter
from unroll.passes.tools.making import Maker
from unroll.structure import leaves_of, nodes_before
from unroll.tensor import Constant, Placeholder, Tensor

#: Why weights stand apart from the others of their cell.
_RESET_AFTER, _ELEMENTWISE = "the reset gate acts after the product", "multiplies c element by element"


@dataclass(frozen=True)
class GateKernels:
    """Cuts kernels out of the weights of one direction.

    Args:
        op: the operator.
        cell: the path of the variables.
        maker: makes nodes that belong to no step.
        w: W ``(gates * hidden, input)``.
        r: R ``(gates * hidden, hidden)``.
        b: B ``(2 * gates * hidden,)``; None where there is none.
        p: P ``(3 * hidden,)``; None where there is none.
        settled: whether kernels may be new Parameters.
    """

    op: Recurrent
    cell: str
    maker: Maker
    w: Tensor
    r: Tensor
    b: Tensor | None
    p: Tensor | None
    settled: bool
    _made: dict[str, Tensor] = field(default_factory=dict)

    @cached_property
    def called(self) -> Mapping[str, str]:
        """What each gate of ONNX's is called in the block tables of the weights; ONNX's own name where there are none."""
        weights = leaves_of(nodes_before([self.w, self.r])) or (self.w, self.r)
        tables = [item.blocks for item in weights if isinstance(item, Parameter) and item.blocks is not None]
        return called(self.op.name, [name for blocks in tables for name, _ in blocks.columns])

    def kernel(self, gates: Sequence[str], scope: str = "") -> Tensor:
        """Return ``(input + hidden, gates * hidden)``: the rows of x over those of h."""
        parts = [self._columns(self.w, gates), self._columns(self.r, gates)]
        rows = (("x", int(self.w.shape[1])), ("h", self.op.hidden_size))
        return self._settled(self.maker.joined(parts, 0), scopes.join(scope, "kernel"), rows, gates)

    def of_input(self, gates: Sequence[str]) -> Tensor:
        """Return ``(input, gates * hidden)``, the weights of x alone."""
        rows = (("x", int(self.w.shape[1])),)
        return self._settled(self._columns(self.w, gates), "kernel", rows, gates, _RESET_AFTER)

    def of_state(self, gates: Sequence[str]) -> Tensor:
        """Return ``(hidden, gates * hidden)``, the weights of h alone."""
        rows = (("h", self.op.hidden_size),)
        return self._settled(self._columns(self.r, gates), "recurrent_kernel", rows, gates, _RESET_AFTER)

    def bias(self, gates: Sequence[str], scope: str = "") -> Tensor | None:
        """Return ``(gates * hidden,)``, both biases added up; None where there is none."""
        if self.b is None:
            return None
        total = self.maker.one(Add(), self._biases(self.b, gates, 0), self._biases(self.b, gates, 1))
        return self._settled(total, scopes.join(scope, "bias"), (), gates)

    def bias_of(self, side: int, gates: Sequence[str]) -> Tensor | None:
        """Return ``(gates * hidden,)``, the bias of the product with x (0) or with h (1); None where there is none."""
        if self.b is None:
            return None
        name = ("bias", "recurrent_bias")[side]
        return self._settled(self._biases(self.b, gates, side), name, (), gates, _RESET_AFTER)

    def peephole(self, gate: str) -> Tensor | None:
        """Return what multiplies c in a gate, ``(hidden,)``; None where there is nothing."""
        if self.p is None or gate not in PEEPHOLES:
            return None
        start = PEEPHOLES.index(gate) * self.op.hidden_size
        part = self.maker.cut(self.p, start, start + self.op.hidden_size, 0)
        return self._settled(part, f"peephole_{gate}", (), [gate], _ELEMENTWISE)

    def _rows(self, gates: Sequence[str]) -> tuple[int, int]:
        """Return where the rows of gates, which follow one another, begin and end in W and R."""
        first, hidden = GATES[self.op.name].index(gates[0]), self.op.hidden_size
        return first * hidden, (first + len(gates)) * hidden

    def _columns(self, weight: Tensor, gates: Sequence[str]) -> Tensor:
        return self.maker.transpose(self.maker.cut(weight, *self._rows(gates), 0), (1, 0))

    def _biases(self, both: Tensor, gates: Sequence[str], side: int) -> Tensor:
        start, end = self._rows(gates)
        before = side * self.op.gates * self.op.hidden_size
        return self.maker.cut(both, before + start, before + end, 0)

    def _settled(
        self, tensor: Tensor, name: str, rows: tuple[tuple[str, int], ...], gates: Sequence[str], note: str = ""
    ) -> Tensor:
        """Return a new Parameter with the value of an expression, where the weights that it is made of have no table."""
        if name in self._made:
            return self._made[name]
        if not self.settled or not _nameless(leaves_of(nodes_before([tensor])) or {tensor: None}):
            return tensor
        value = Graph([], [tensor]).run({}, tensor)
        columns = tuple((gate, self.op.hidden_size) for gate in gates)
        made = Parameter(value, "weight", blocks=BlockTable(rows, columns, note=note))
        made.rename(f"{self.cell}/{name}")  # the path of a file's node need not be a name of ours
        self._made[name] = made
        return made


def _nameless(leaves: Iterable[Tensor]) -> bool:
    """Say whether tensors are weights of which no block table tells the gates."""
    weights = [tensor for tensor in leaves if not isinstance(tensor, Constant)]
    parameters = [tensor for tensor in weights if isinstance(tensor, Parameter)]
    return not any(isinstance(item, Placeholder) for item in weights) and all(
        item.blocks is None for item in parameters
    )
