"""The basic recurrent cell."""

from __future__ import annotations

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.base import refuse_reuse
from unroll.cells.gated import GatedCell, Kernel
from unroll.ops import concat
from unroll.parameter import Parameter
from unroll.tensor import Tensor, named


class BasicRNNCell(GatedCell):
    """``h' = activation([x, h] @ kernel + bias)``: Elman 1990, as TensorFlow 1's ``BasicRNNCell``.

    kernel ``(input + num_units, num_units)``, rows x over h; bias ``(num_units,)``, zeros at first.

    Args:
        num_units: the width of the state and the output.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``basic_rnn_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: `num_units` is not an int of at least 1, or there is no such activation.
    """

    kernels = (Kernel("", ("h",)),)

    def __init__(
        self,
        num_units: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, name=name, dtype=dtype)
        refuse_reuse(reuse, "BasicRNNCell")
        self.activation = get_activation(activation, "tanh", "BasicRNNCell")

    @property
    def kernel(self) -> Parameter:
        """The kernel ``(input + num_units, num_units)``; made on the first call."""
        return self.weight("kernel")

    @property
    def bias(self) -> Parameter:
        """The bias ``(num_units,)``; made on the first call."""
        return self.weight("bias")

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        kernel, bias = self.weights_for(inputs, self.kernels[0])
        h = named(self.activation(concat([inputs, state], axis=-1) @ kernel + bias), "h")
        return h, h
