"""One step of PyTorch's RNN, LSTM and GRU as cells under TensorFlow's contract: what every driver takes.

A module makes the Parameters, under PyTorch's flat names, and hands each layer and direction its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from unroll import scopes
from unroll.bearers import Bearer
from unroll.cells.rnn_cell import LSTMStateTuple, RNNCell
from unroll.cells.step_formulas import gru_step, lstm_step
from unroll.nn.linear_module import linear
from unroll.nn.module import check_width
from unroll.ops import relu, split, tanh
from unroll.parameter import Parameter
from unroll.tensor import Tensor, named

#: What PyTorch calls ``nonlinearity``.
NONLINEARITIES: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": tanh, "relu": relu}
#: The note beside the recurrent weights of a GRU.
RESET_AFTER = "the reset gate acts after the product"


class StepCell(RNNCell):
    """A cell that computes with Parameters made elsewhere.

    Args:
        name: the cell's scope, such as ``l0_reverse``.
        weights: ``weight_ih (gates * hidden, input)``, ``weight_hh (gates * hidden, output)``, and where there are such
            ``bias_ih (gates * hidden,)``, ``bias_hh (gates * hidden,)`` and ``weight_hr (output, hidden)``.
        nonlinearity: a name in `NONLINEARITIES`, of the candidate and of an LSTM's new cell state.

    Attributes:
        gates: the row blocks of its weights, top to bottom.
        recurrent_note: why its recurrent weights stand apart.
    """

    gates: ClassVar[tuple[str, ...]]
    recurrent_note: ClassVar[str] = ""
    _bearer: Bearer | None = None  # the module that is this one cell and gives it its name

    def __init__(self, name: str, weights: Mapping[str, Parameter], nonlinearity: str = "tanh") -> None:
        super().__init__(name=name, dtype=weights["weight_ih"].dtype)
        self.weights.update(weights)
        self.activation = NONLINEARITIES[nonlinearity]

    @property
    def name(self) -> str:
        return super().name if self._bearer is None else self._bearer.shown()

    @property
    def _called(self) -> str:
        return super().name if self._bearer is None else self._bearer.name

    def _entered(self, scope: str | None = None) -> AbstractContextManager[None]:
        return scopes.bearing(self._bearer, cell=True) if self._bearer and not scope else super()._entered(scope)

    @property
    def output_size(self) -> int:
        return int(self.weights["weight_hh"].shape[1])

    @property
    def state_size(self) -> Any:
        return self.output_size

    def check_input(self, inputs: Any) -> Tensor | None:
        main = super().check_input(inputs)
        check_width(inputs, int(self.weights["weight_ih"].shape[1]), f"{type(self).__name__} {self._called!r}")
        return main

    def products(self, inputs: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the input's and the state's part of all gates' preactivations, each with its own bias."""
        w = self.weights
        return (
            linear(inputs, w["weight_ih"], w.get("bias_ih")),
            linear(h, w["weight_hh"], w.get("bias_hh")),
        )


class RNNStep(StepCell):
    """``h' = nonlinearity(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)``: Elman 1990, as ``torch.nn.RNN``."""

    gates = ("h",)

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        x, recurrent = self.products(inputs, state)
        h = named(self.activation(x + recurrent), "h")
        return h, h


class LSTMStep(StepCell):
    """``i, f, g, o``: Hochreiter and Schmidhuber 1997, as ``torch.nn.LSTM``; with ``weight_hr``, arXiv:1402.1128."""

    gates = ("i", "f", "g", "o")

    @property
    def state_size(self) -> LSTMStateTuple:
        return LSTMStateTuple(int(self.weights["weight_hh"].shape[0]) // 4, self.output_size)

    def call(self, inputs: Tensor, state: LSTMStateTuple) -> tuple[Tensor, LSTMStateTuple]:
        x, recurrent = self.products(inputs, state.h)
        i, f, g, o = split(x + recurrent, 4, axis=-1)
        h, c = lstm_step(i, f, g, o, state.c, activation=self.activation)
        if "weight_hr" in self.weights:
            named(h, "unprojected")
            h = named(linear(h, self.weights["weight_hr"]), "h")
        return h, LSTMStateTuple(c, h)


class GRUStep(StepCell):
    """``r, z, n``: Cho et al. 2014 (arXiv:1406.1078), as ``torch.nn.GRU``, whose reset gate acts after the product."""

    gates = ("r", "z", "n")
    recurrent_note = RESET_AFTER

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        x, recurrent = self.products(inputs, state)
        x_r, x_z, x_n = (named(part, f"{gate}/x") for gate, part in zip(self.gates, split(x, 3, axis=-1), strict=True))
        h_r, h_z, h_n = (
            named(part, f"{gate}/h") for gate, part in zip(self.gates, split(recurrent, 3, axis=-1), strict=True)
        )
        h = gru_step(x_z + h_z, x_r + h_r, x_n, lambda r: r * h_n, state, activation=self.activation)
        return h, h
