"""The basic recurrent cell."""

from __future__ import annotations

from unroll.cells.gated import GatedCell, Kernel, Weight
from unroll.ops import concat
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

    Example:
        >>> cell = unroll.BasicRNNCell(num_units=5)
        >>> output, state = cell(unroll.placeholder([2, 3], name="x"), cell.zero_state(2))
        >>> output.shape, cell.kernel.shape  # 3 rows of x over 5 of h
        ((2, 5), (8, 5))
    """

    kernels = (Kernel("", ("h",)),)
    kernel = Weight("kernel")
    bias = Weight("bias")

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        kernel, bias = self.weights_for(inputs, self.kernels[0])
        h = named(self.activation(concat([inputs, state], axis=-1) @ kernel + bias), "h")
        return h, h
