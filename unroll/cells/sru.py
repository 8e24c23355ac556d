"""The simple recurrent unit."""

from __future__ import annotations

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import UnitCell, blend, linear
from unroll.cells.gated import gate
from unroll.initializers import ZEROS
from unroll.ops import sigmoid, split
from unroll.tensor import Tensor, named


class SRUCell(UnitCell):
    """The simple recurrent unit: Lei et al. 2017 (arXiv:1709.02755), as TensorFlow 1's contrib ``SRUCell``.

    ``x_bar, f, r, x_tx = split(x @ kernel)``; ``f, r = sigmoid([f, r] + bias)``; ``c' = f * c + (1 - f) * x_bar``;
    the output is ``r * activation(c') + (1 - r) * x_tx``.
    kernel ``(input, 4 * num_units)``; bias ``(2 * num_units,)``, columns f, r, zeros at first. The state is c, and meets no
    matrix.

    Args:
        num_units: the width of the state and the output.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``sru_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `num_units` is not an int of at least 1, or there is no such activation.

    Example:
        >>> cell = unroll.cells.SRUCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 5], name="x")])
        >>> cell.weights["kernel"].shape  # no rows of h
        (5, 20)
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype)
        self.activation = get_activation(activation, "tanh", "SRUCell")

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        units = self.num_units
        x_bar, f, r, x_tx = linear(self, {"x": inputs}, ("x_bar", "f", "r", "x_tx"), units, bias=False)
        bias = self.add_weight("bias", None, ZEROS, columns={"f": units, "r": units}, dtype=inputs.dtype)
        bias_f, bias_r = split(bias, 2, axis=0)
        f = gate("f", sigmoid, f + bias_f)
        r = gate("r", sigmoid, r + bias_r)
        c = named(blend(f, state, named(x_bar, "x_bar")), "c")
        return named(blend(r, self.activation(c), named(x_tx, "x_tx")), "output"), c
