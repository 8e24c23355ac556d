"""The basic LSTM cell."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from unroll.activations import Activation
from unroll.cells.building_blocks import LSTMState
from unroll.cells.gated import GatedCell, Kernel, Weight, gate
from unroll.checks import check_number
from unroll.ops import concat, sigmoid, split
from unroll.tensor import Tensor, named


class BasicLSTMCell(LSTMState, GatedCell):
    """The LSTM without peepholes: Zaremba et al. 2014 (arXiv:1409.2329), as TensorFlow 1's ``BasicLSTMCell``.

    ``i, j, f, o = split([x, h] @ kernel + bias)``;
    ``c' = c * sigmoid(f + forget_bias) + sigmoid(i) * activation(j)``; ``h' = activation(c') * sigmoid(o)``.
    kernel ``(input + num_units, 4 * num_units)``, rows x over h, columns i, j, f, o; bias ``(4 * num_units,)``, zeros
    at first.

    Args:
        num_units: the width of the state's two parts and of the output.
        forget_bias: added to the forget gate before its sigmoid; not part of the bias.
        state_is_tuple: the state is ``LSTMStateTuple(c, h)``; if False, one tensor with c before h on the last axis.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``basic_lstm_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `num_units` is not an int of at least 1, or there is no such activation.

    Example:
        >>> X = [unroll.placeholder([None, 28], name=f"X{t}") for t in range(2)]
        >>> cell = unroll.BasicLSTMCell(num_units=13)
        >>> outputs, state = unroll.static_rnn(cell, X)
        >>> cell.kernel.shape  # 28 rows of x over 13 of h, by 13 columns of each of i, j, f and o
        (41, 52)
    """

    kernels = (Kernel("", ("i", "j", "f", "o")),)
    gate_aliases: ClassVar = {"g": "j", "c": "j"}
    kernel = Weight("kernel")
    bias = Weight("bias")

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype)
        self.forget_bias = check_number(forget_bias, "BasicLSTMCell: forget_bias")
        self.state_is_tuple = state_is_tuple

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        c, h = self.parted(state)
        kernel, bias = self.weights_for(inputs, self.kernels[0])
        i, j, f, o = split(concat([inputs, h], axis=-1) @ kernel + bias, 4, axis=-1)
        i = gate("i", sigmoid, i)
        j = gate("j", self.activation, j)
        f = gate("f", lambda x: sigmoid(x + self.forget_bias), f)
        o = gate("o", sigmoid, o)
        new_c = named(c * f + i * j, "c")
        new_h = named(self.activation(new_c) * o, "h")
        return new_h, self.whole(new_c, new_h)
