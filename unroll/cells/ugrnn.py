"""The update gate recurrent cell."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.activations import Activation
from unroll.cells.building_blocks import blend, check_initializer
from unroll.cells.gated import GatedCell, Kernel, Weight, gate
from unroll.checks import check_number
from unroll.ops import concat, sigmoid, split
from unroll.tensor import Tensor, named


class UGRNNCell(GatedCell):
    """A recurrent cell with one gate: Collins et al. 2016 (arXiv:1611.09913), as TensorFlow 1's contrib ``UGRNNCell``.

    ``g, c = split([x, h] @ kernel + bias)``; ``g = sigmoid(g + forget_bias)``;
    ``h' = g * h + (1 - g) * activation(c)``.
    kernel ``(input + num_units, 2 * num_units)``, rows x over h, columns g, c; bias ``(2 * num_units,)``, zeros at first.

    Args:
        num_units: the width of the state and the output.
        initializer: draws the kernel; glorot uniform by default.
        forget_bias: added to the gate before its sigmoid; not part of the bias.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``ugrnn_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: an invalid size or number, or an unknown activation or initialiser.

    Example:
        >>> cell = unroll.cells.UGRNNCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> cell.weights["kernel"].shape  # 3 rows of x over 5 of h, by 5 columns of each of g and c
        (8, 10)
    """

    kernels = (Kernel("", ("g", "c")),)
    kernel = Weight("kernel")
    bias = Weight("bias")

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        forget_bias: float = 1.0,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype)
        self.kernel_initializer = check_initializer(initializer, "UGRNNCell: initializer")
        self.forget_bias = check_number(forget_bias, "UGRNNCell: forget_bias")

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        kernel, bias = self.weights_for(inputs, self.kernels[0])
        g, c = split(concat([inputs, state], axis=-1) @ kernel + bias, 2, axis=-1)
        g = gate("g", lambda x: sigmoid(x + self.forget_bias), g)
        c = gate("c", self.activation, c)
        h = named(blend(g, state, c), "h")
        return h, h
