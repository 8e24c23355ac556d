"""The gated recurrent unit."""

from __future__ import annotations

from typing import ClassVar

import numpy.typing as npt

from unroll import scopes
from unroll.activations import Activation
from unroll.cells.building_blocks import blend, check_initializer
from unroll.cells.gated import GatedCell, Kernel, Weight
from unroll.initializers import ONES, InitializerLike
from unroll.ops import concat, sigmoid, split
from unroll.tensor import Tensor, named


class GRUCell(GatedCell):
    """The gated recurrent unit: Cho et al. 2014 (arXiv:1406.1078), as TensorFlow 1's ``GRUCell``.

    ``r, u = split(sigmoid([x, h] @ gates/kernel + gates/bias))``;
    ``c = activation([x, r * h] @ candidate/kernel + candidate/bias)``; ``h' = u * h + (1 - u) * c``.
    gates/kernel ``(input + num_units, 2 * num_units)``, columns r, u, bias ones at first; candidate/kernel
    ``(input + num_units, num_units)``, bias zeros at first. The reset gate acts before the product.

    Args:
        num_units: the width of the state and the output.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        kernel_initializer: draws both kernels; glorot uniform by default.
        bias_initializer: draws both biases; by default ones for the gates, zeros for the candidate.
        name: the cell's scope; ``gru_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `num_units` is not an int of at least 1, or there is no such activation.

    Example:
        >>> cell = unroll.GRUCell(num_units=5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> {name: weight.shape for name, weight in cell.weights.items()}  # 3 rows of x over 5 of h
        {'gates/kernel': (8, 10), 'gates/bias': (10,), 'candidate/kernel': (8, 5), 'candidate/bias': (5,)}
    """

    kernels = (Kernel("gates", ("r", "u"), ONES), Kernel("candidate", ("c",)))
    gate_aliases: ClassVar = {"z": "u", "h": "c"}
    foreign_gates: ClassVar = {
        "n": "PyTorch's GRU applies its reset gate after the recurrent product, this cell before it; with the same weights "
        "they compute different things"
    }
    gates_kernel, gates_bias = Weight("gates/kernel"), Weight("gates/bias")
    candidate_kernel, candidate_bias = Weight("candidate/kernel"), Weight("candidate/bias")

    def __init__(
        self,
        num_units: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        kernel_initializer: InitializerLike | None = None,
        bias_initializer: InitializerLike | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype)
        self.kernel_initializer = check_initializer(kernel_initializer, "GRUCell: kernel_initializer")
        self.bias_initializer = check_initializer(bias_initializer, "GRUCell: bias_initializer")

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        gates, candidate = (self.weights_for(inputs, kernel) for kernel in self.kernels)
        with scopes.in_gate("gates"):
            r, u = split(sigmoid(concat([inputs, state], axis=-1) @ gates[0] + gates[1]), 2, axis=-1)
            named(r, "r"), named(u, "u")
        with scopes.in_gate("c"):
            c = named(self.activation(concat([inputs, r * state], axis=-1) @ candidate[0] + candidate[1]), "")
        h = named(blend(u, state, c), "h")
        return h, h
