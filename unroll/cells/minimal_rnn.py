"""The minimal recurrent cell."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import UnitCell, blend, check_initializer
from unroll.cells.gated import gate
from unroll.ops import concat, sigmoid, split
from unroll.tensor import Tensor, named


class MinimalRNNCell(UnitCell):
    """A cell of one gate over the projected input: Chen et al. 2018 (arXiv:1806.05394), TensorFlow 1's contrib cell.

    ``v = activation(x @ W)``; ``u = sigmoid([v, h] @ U + bias)``; ``h' = u * h + (1 - u) * v``.
    kernel ``(input + 2 * units, units)`` is W over U; bias ``(units,)``, ones at first.

    Args:
        units: the width of the state and the output.
        activation: a name or a function of a tensor; tanh by default.
        kernel_initializer: draws the kernel.
        bias_initializer: draws the bias.
        name: the cell's scope; ``minimal_rnn_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `units` is not an int of at least 1, or an unknown activation or initialiser.

    Example:
        >>> cell = unroll.cells.MinimalRNNCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> cell.weights["kernel"].shape  # 3 rows of W over 5 + 5 of U
        (13, 5)
    """

    def __init__(
        self,
        units: int,
        activation: Activation | None = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "ones",
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(units, None, name, dtype)
        self.units = self.num_units
        self.activation = get_activation(activation, "linear", "MinimalRNNCell")
        self.kernel_initializer = check_initializer(kernel_initializer, "MinimalRNNCell: kernel_initializer")
        self.bias_initializer = check_initializer(bias_initializer, "MinimalRNNCell: bias_initializer")

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        units, features = self.units, inputs.shape[-1]
        kernel = self.add_weight(
            "kernel",
            None,
            self.kernel_initializer,
            rows={"x (to v)": features, "v": units, "h": units},
            columns={"u": units},
            note="the rows of x make v, which the other rows then read with h",
            dtype=inputs.dtype,
        )
        bias = self.add_weight("bias", None, self.bias_initializer, columns={"u": units}, dtype=inputs.dtype)
        to_v, to_u = split(kernel, [int(features), 2 * units], axis=0)
        v = gate("v", self.activation, inputs @ to_v)
        u = gate("u", sigmoid, concat([v, state], axis=-1) @ to_u + bias)
        h = named(blend(u, state, v), "h")
        return h, h
