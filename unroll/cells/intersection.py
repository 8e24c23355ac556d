"""The intersection cell, gated through time and through depth."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import UnitCell, blend, check_initializer, linear
from unroll.cells.gated import gate
from unroll.checks import check_number, check_size
from unroll.errors import ArgumentError, ShapeError
from unroll.ops import sigmoid, tanh
from unroll.tensor import Tensor, named


class IntersectionRNNCell(UnitCell):
    """The +RNN: Collins et al. 2016 (arXiv:1611.09913), as TensorFlow 1's contrib ``IntersectionRNNCell``.

    ``gh, h, gy, y = split([x, h] @ kernel + bias)``; the gates are ``sigmoid(g + forget_bias)``;
    ``h' = gh * h + (1 - gh) * tanh(h)`` goes through time; ``gy * x + (1 - gy) * y_activation(y)`` is the output, and
    goes through depth. Where the input is not `num_units` wide, x is ``x @ in_projection/kernel + in_projection/bias``.
    kernel ``(2 * num_units, 4 * num_units)``, rows x over h; bias ``(4 * num_units,)``, zeros at first.

    Args:
        num_units: the width of the state and the output.
        num_in_proj: `num_units`, where inputs of another width shall be projected; with None they are refused.
        initializer: draws the kernels; glorot uniform by default.
        forget_bias: added to both gates before their sigmoid; not part of the bias.
        y_activation: of the output; a name or a function of a tensor, relu by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``intersection_rnn_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: an invalid size or number, or an unknown activation or initialiser.
        ShapeError: when called with an input of another width than `num_units` and no `num_in_proj`.

    Example:
        >>> cell = unroll.cells.IntersectionRNNCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 5], name="x")])
        >>> cell.weights["kernel"].shape  # 5 rows of x over 5 of h, by 5 columns of each of gh, h, gy and y
        (10, 20)
    """

    def __init__(
        self,
        num_units: int,
        num_in_proj: int | None = None,
        initializer: Any = None,
        forget_bias: float = 1.0,
        y_activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype)
        if num_in_proj is not None and check_size(num_in_proj, "IntersectionRNNCell: num_in_proj") != num_units:
            raise ArgumentError(
                f"IntersectionRNNCell: num_in_proj is {num_in_proj}; inputs are projected to num_units, {num_units}"
            )
        self.num_in_proj = num_in_proj
        self.initializer = check_initializer(initializer, "IntersectionRNNCell: initializer")
        self.forget_bias = check_number(forget_bias, "IntersectionRNNCell: forget_bias")
        self.y_activation = get_activation(y_activation, "relu", "IntersectionRNNCell")

    def check_input(self, inputs: Any) -> Tensor | None:
        main = super().check_input(inputs)
        if inputs.shape[-1] != self.num_units and self.num_in_proj is None:
            raise ShapeError(
                f"{self.name}: the input {inputs.described()} has {inputs.shape[-1]} features, num_units is {self.num_units}, "
                f"and the two are mixed; num_in_proj={self.num_units} projects the input"
            )
        return main

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        units, draw = self.num_units, self.initializer
        if inputs.shape[-1] != units:
            (inputs,) = linear(self, {"x": inputs}, ("p",), units, "in_projection", kernel_initializer=draw)
        sources = {"x": inputs, "h": state}
        gh, h, gy, y = linear(self, sources, ("gh", "h", "gy", "y"), units, kernel_initializer=draw)
        gh = gate("gh", lambda x: sigmoid(x + self.forget_bias), gh)
        h = gate("h", tanh, h)
        gy = gate("gy", lambda x: sigmoid(x + self.forget_bias), gy)
        y = gate("y", self.y_activation, y)
        return named(blend(gy, inputs, y), "output"), named(blend(gh, state, h), "new_h")
