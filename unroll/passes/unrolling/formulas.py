"""One step of ONNX's RNN, GRU and LSTM as nodes, with every attribute that they have.

Source: the operators' specifications at https://onnx.ai/onnx/operators/ ("Equations"). What they mean in NumPy is in
`unroll.ops.recurrent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from unroll.ops.arithmetic import Add, Mul, Sub
from unroll.ops.choices import Clip, Greater, Where
from unroll.ops.functions import Elu, HardSigmoid, LeakyRelu, Relu, Sigmoid, Softplus, Softsign, Tanh
from unroll.ops.gate_names import GATES
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import MatMul
from unroll.ops.operator import Operator
from unroll.ops.recurrent import GRU
from unroll.ops.recurrent_loop import ACTIVATIONS, Recurrent
from unroll.passes.tools.making import Maker
from unroll.passes.unrolling.gate_kernels import GateKernels
from unroll.passes.unrolling.step_places import CellPlace
from unroll.tensor import Constant, Tensor

#: ``(step, x, states) -> new states``, h first.
Step: TypeAlias = Callable[[int, Tensor, Sequence[Tensor]], list[Tensor]]
_PLAIN: dict[str, Operator] = {
    "Relu": Relu(),
    "Sigmoid": Sigmoid(),
    "Softplus": Softplus(),
    "Softsign": Softsign(),
    "Tanh": Tanh(),
}


class Call(NamedTuple):
    """An activation with its parameters."""

    name: str
    alpha: float
    beta: float


def calls_of(op: Recurrent) -> list[list[Call]]:
    """Return the activations of each direction, in the operator's order."""
    names = op.activations or op.default_activations * op.directions
    given = (iter(op.activation_alpha or ()), iter(op.activation_beta or ()))
    found = []
    for name in names:
        activation = ACTIVATIONS[name]
        values = [0.0, 0.0]
        for place in range(activation.parameters):
            values[place] = next(given[place], activation.defaults[place] if activation.defaults else 0.0)
        found.append(Call(name, *values))
    size = len(op.default_activations)
    return [found[start : start + size] for start in range(0, len(found), size)]


class Cell(NamedTuple):
    """One direction of an operator.

    Attributes:
        op: the operator.
        place: where its nodes come from.
        kernels: its weights.
        calls: its activations f, g and h, as far as it has them.
    """

    op: Recurrent
    place: CellPlace
    kernels: GateKernels
    calls: Sequence[Call]

    def names(self, gates: Iterable[str]) -> list[str]:
        """Return what gates are called in this cell."""
        return [self.kernels.called[gate] for gate in gates]


def step_of(cell: Cell) -> Step:
    """Return what makes the nodes of a step; what all steps share is made once, now."""
    return _FORMULAS[cell.op.name](cell)


def _rnn(cell: Cell) -> Step:
    kernel, bias = cell.kernels.kernel(["h"]), cell.kernels.bias(["h"])

    def step(at: int, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        maker = cell.place.at(at)
        before = _clipped(maker, _affine(maker, _beside(maker, x, states[0]), kernel, bias), cell.op)
        return [_named(_activated(maker, cell.calls[0], before), "h")]

    return step


def _lstm(cell: Cell) -> Step:
    names = GATES["LSTM"]
    kernel, bias = cell.kernels.kernel(names), cell.kernels.bias(names)
    peepholes = {gate: cell.kernels.peephole(gate) for gate in names}
    coupled = bool(cell.op.attributes.get("input_forget"))
    f, g, h = cell.calls

    def gate(at: int, name: str, call: Call, before: Tensor, c: Tensor | None = None) -> Tensor:
        maker, seen = cell.place.at(at, name), peepholes[name]
        if seen is not None and c is not None:
            before = maker.one(Add(), before, maker.one(Mul(), seen, c))
        return _named(_activated(maker, call, _clipped(maker, before, cell.op)), "")

    def step(at: int, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        before, c = states
        maker = cell.place.at(at)
        parts = _parts(maker, _affine(maker, _beside(maker, x, before), kernel, bias), cell.names(names))
        i = gate(at, "i", f, parts[0], c)
        forget = _rest(cell.place.at(at, "f"), i) if coupled else gate(at, "f", f, parts[2], c)
        candidate = gate(at, "c", g, parts[3])
        new = maker.one(Add(), maker.one(Mul(), forget, c), maker.one(Mul(), i, candidate))
        o = gate(at, "o", f, parts[1], _named(new, "new_c"))
        return [_named(maker.one(Mul(), o, _activated(maker, h, new)), "h"), new]

    return step


def _gru(cell: Cell) -> Step:
    after = isinstance(cell.op, GRU) and bool(cell.op.linear_before_reset)
    parts = _gru_after(cell) if after else _gru_before(cell)
    f, g = cell.calls

    def gate(at: int, name: str, call: Call, before: Tensor) -> Tensor:
        maker = cell.place.at(at, name)
        return _named(_activated(maker, call, _clipped(maker, before, cell.op)), "")

    def step(at: int, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        (h,) = states
        maker = cell.place.at(at)
        z, r, candidate = parts(maker, x, h)
        z, r = gate(at, "z", f, z), gate(at, "r", f, r)
        n = gate(at, "h", g, candidate(cell.place.at(at, "h"), r))
        kept, new = maker.one(Mul(), z, h), maker.one(Mul(), _rest(maker, z), n)
        return [_named(maker.one(Add(), kept, new), "new_h")]

    return step


#: ``(maker, x, h)`` -> what z and r are of, and what gives that of the candidate from the reset gate's value.
_GRUParts: TypeAlias = Callable[[Maker, Tensor, Tensor], tuple[Tensor, Tensor, Callable[[Maker, Tensor], Tensor]]]


def _gru_before(cell: Cell) -> _GRUParts:
    """Return the parts of a GRU whose reset gate acts on the state before its product."""
    both, last = GATES["GRU"][:2], GATES["GRU"][2:]
    kernel, bias = cell.kernels.kernel(both, "gates"), cell.kernels.bias(both, "gates")
    of_last, bias_of_last = cell.kernels.kernel(last, "candidate"), cell.kernels.bias(last, "candidate")

    def parts(maker: Maker, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Callable[[Maker, Tensor], Tensor]]:
        z, r = _parts(maker, _affine(maker, _beside(maker, x, h), kernel, bias), cell.names(both))

        def candidate(inside: Maker, reset: Tensor) -> Tensor:
            return _affine(inside, _beside(inside, x, inside.one(Mul(), reset, h)), of_last, bias_of_last)

        return z, r, candidate

    return parts


def _gru_after(cell: Cell) -> _GRUParts:
    """Return the parts of a GRU whose reset gate acts on the product of the state."""
    names, kernels = GATES["GRU"], cell.kernels
    of_x, of_h = (
        (kernels.of_input(names), kernels.bias_of(0, names)),
        (kernels.of_state(names), kernels.bias_of(1, names)),
    )

    def parts(maker: Maker, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Callable[[Maker, Tensor], Tensor]]:
        xs = _parts(maker, _affine(maker, x, *of_x), cell.names(names), "x")
        hs = _parts(maker, _affine(maker, h, *of_h), cell.names(names), "h")
        z, r = (maker.one(Add(), *pair) for pair in zip(xs[:2], hs[:2], strict=True))
        return z, r, lambda inside, reset: inside.one(Add(), xs[2], inside.one(Mul(), reset, hs[2]))

    return parts


_FORMULAS: dict[str, Callable[[Cell], Step]] = {"RNN": _rnn, "LSTM": _lstm, "GRU": _gru}


def _beside(maker: Maker, x: Tensor, h: Tensor) -> Tensor:
    return maker.one(Concat(1), x, h)


def _affine(maker: Maker, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    product = maker.one(MatMul(), x, kernel)
    return product if bias is None else maker.one(Add(), product, bias)


def _parts(maker: Maker, whole: Tensor, gates: Sequence[str], source: str = "preactivation") -> Sequence[Tensor]:
    """Return the columns of each gate, by its name."""
    parts = maker.node(Split(1, len(gates)), whole)
    for part, gate in zip(parts, gates, strict=True):
        part.hint = f"{gate}/{source}"
    return parts


def _named(tensor: Tensor, hint: str) -> Tensor:
    tensor.hint = hint
    return tensor


def _clipped(maker: Maker, x: Tensor, op: Recurrent) -> Tensor:
    limit = op.attributes.get("clip")
    if not limit:
        return x
    return maker.one(Clip(), x, _number(-limit, x), _number(limit, x))


def _rest(maker: Maker, gate: Tensor) -> Tensor:
    """Return ``1 - gate``."""
    return maker.one(Sub(), _number(1.0, gate), gate)


def _number(value: float, like: Tensor) -> Constant:
    return Constant(np.array(value, like.dtype))


def _activated(maker: Maker, call: Call, x: Tensor) -> Tensor:
    """Return an activation of a tensor."""
    name, alpha, beta = call
    if name in _PLAIN:
        return maker.one(_PLAIN[name], x)
    if name == "Affine":
        return maker.one(Add(), maker.one(Mul(), x, _number(alpha, x)), _number(beta, x))
    if name == "ScaledTanh":
        inner = maker.one(Tanh(), maker.one(Mul(), x, _number(beta, x)))
        return maker.one(Mul(), inner, _number(alpha, x))
    if name == "ThresholdedRelu":
        return maker.one(Where(), maker.one(Greater(), x, _number(alpha, x)), x, _number(0.0, x))
    with_numbers: dict[str, Operator] = {
        "Elu": Elu(alpha),
        "HardSigmoid": HardSigmoid(alpha, beta),
        "LeakyRelu": LeakyRelu(alpha),
    }
    return maker.one(with_numbers[name], x)
