"""Cells whose units see only their own state: the recurrent weight is a vector, not a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import UnitCell, blend, check_initializer, linear
from unroll.cells.gated import gate
from unroll.cells.rnn_cell import LSTMStateTuple
from unroll.cells.step_formulas import lstm_step
from unroll.checks import check_number
from unroll.initializers import ONES, ZEROS, Draw, RandomUniform
from unroll.ops import sigmoid, split, squeeze
from unroll.scopes import in_gate, join
from unroll.tensor import Tensor, named

_NOTE = "each unit sees its own state alone: kernel_u * h, no product with h"


class _IndependentCell(UnitCell):
    """What the three cells share: their arguments, and preactivations ``x @ kernel_w + kernel_u * h + bias``."""

    def __init__(
        self,
        num_units: int,
        activation: Activation | None,
        reuse: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        name: str | None,
        dtype: npt.DTypeLike | None,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype)
        what = type(self).__name__
        self.activation = get_activation(activation, "tanh", what)
        self.kernel_initializer = check_initializer(kernel_initializer, f"{what}: kernel_initializer")
        self.bias_initializer = check_initializer(bias_initializer, f"{what}: bias_initializer")

    def _preactivations(
        self, x: Tensor, h: Tensor, gates: Sequence[str], scope: str = "", kernel: str = "kernel_w", bias: Draw = ZEROS
    ) -> tuple[Tensor, ...]:
        """Return one tensor ``(batch, num_units)`` a gate; the weights are made under `scope`."""
        units, columns = self.num_units, dict.fromkeys(gates, self.num_units)
        draw, first = self.kernel_initializer, self.bias_initializer or bias
        products = linear(self, {"x": x}, gates, units, scope, kernel=kernel, bias=False, kernel_initializer=draw)
        own = self.add_weight(
            join(scope, "kernel_u"),
            None,
            RandomUniform(-1, 1),
            rows={"h": 1},
            columns=columns,
            note=_NOTE,
            dtype=x.dtype,
        )
        shift = self.add_weight(join(scope, "bias"), None, first, columns=columns, dtype=x.dtype)
        factors, shifts = split(squeeze(own, [0]), len(gates)), split(shift, len(gates))
        return tuple(p + u * h + b for p, u, b in zip(products, factors, shifts, strict=True))


class IndRNNCell(_IndependentCell):
    """The independent recurrent cell: Li et al. 2018 (arXiv:1803.04831), as TensorFlow 1's contrib ``IndRNNCell``.

    ``h' = activation(x @ kernel_w + kernel_u * h + bias)``.
    kernel_w ``(input, num_units)``; kernel_u ``(1, num_units)``, uniform in -1 .. 1 at first; bias ``(num_units,)``, zeros.

    Args:
        num_units: the width of the state and the output.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``ind_rnn_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `num_units` is not an int of at least 1, or there is no such activation.

    Example:
        >>> cell = unroll.cells.IndRNNCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> {name: weight.shape for name, weight in cell.weights.items()}
        {'kernel_w': (3, 5), 'kernel_u': (1, 5), 'bias': (5,)}
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, None, None, name, dtype)

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        (z,) = self._preactivations(inputs, state, ("h",))
        h = gate("h", self.activation, z)
        return h, h


class IndyGRUCell(_IndependentCell):
    """The GRU with independent units (arXiv:1803.04831, arXiv:1406.1078), as TensorFlow 1's contrib ``IndyGRUCell``.

    ``r, u = split(sigmoid(x @ gates/kernel_w + gates/kernel_u * [h, h] + gates/bias))``;
    ``c = activation(x @ candidate/kernel + candidate/kernel_u * (r * h) + candidate/bias)``; ``h' = u * h + (1 - u) * c``.
    The shapes are `IndRNNCell`'s, twice as wide for the gates, whose bias is ones at first.

    Args:
        num_units: the width of the state and the output.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        kernel_initializer: draws the two kernels; glorot uniform by default.
        bias_initializer: draws both biases; by default ones for the gates, zeros for the candidate.
        name: the cell's scope; ``indy_gru_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `num_units` is not an int of at least 1, or an unknown activation or
            initialiser.

    Example:
        >>> cell = unroll.cells.IndyGRUCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> cell.weights["gates/kernel_w"].shape, cell.weights["gates/kernel_u"].shape
        ((3, 10), (1, 10))
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, kernel_initializer, bias_initializer, name, dtype)

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        r, u = self._preactivations(inputs, state, ("r", "u"), "gates", bias=ONES)
        r = gate("r", sigmoid, r)
        u = gate("u", sigmoid, u)
        (c,) = self._preactivations(inputs, r * state, ("c",), "candidate", "kernel")
        h = named(blend(u, state, gate("c", self.activation, c)), "h")
        return h, h


class IndyLSTMCell(_IndependentCell):
    """The LSTM with independent units: Gonnet and Deselaers 2019 (arXiv:1903.08023), TensorFlow 1's contrib cell.

    ``i, j, f, o = split(x @ kernel_w + kernel_u * [h, h, h, h] + bias)``, and the step of `BasicLSTMCell`.
    The shapes are `IndRNNCell`'s, four times as wide. The state is ``LSTMStateTuple(c, h)``.

    Args:
        num_units: the width of the state's two parts and of the output.
        forget_bias: added to the forget gate before its sigmoid; not part of the bias.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        kernel_initializer: draws kernel_w; glorot uniform by default.
        bias_initializer: draws the bias; zeros by default.
        name: the cell's scope; ``indy_lstm_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: an invalid size or number, or an unknown activation or initialiser.

    Example:
        >>> cell = unroll.cells.IndyLSTMCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> cell.weights["kernel_w"].shape, cell.weights["kernel_u"].shape
        ((3, 20), (1, 20))
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        activation: Activation | None = None,
        reuse: bool | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, kernel_initializer, bias_initializer, name, dtype)
        self.forget_bias = check_number(forget_bias, "IndyLSTMCell: forget_bias")

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self.num_units, self.num_units)

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        c, h = state
        i, j, f, o = self._preactivations(inputs, h, ("i", "j", "f", "o"))
        with in_gate("f"):
            f = named(f + self.forget_bias, "preactivation")
        new_h, new_c = lstm_step(i, f, j, o, c, candidate="j", activation=self.activation)
        return new_h, LSTMStateTuple(new_c, new_h)
