"""One step of the convolutional LSTM."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.activations import Activation
from unroll.cells.rnn_cell import TensorShape
from unroll.checks import check_size
from unroll.errors import ArgumentError
from unroll.initializers import InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.layer import Layer
from unroll.layers.lstm import LSTMCell
from unroll.layers.sublayers import keras_shape, width
from unroll.layers.window import DataFormat, Padding, Sizes, window_of
from unroll.tensor import Tensor


class ConvLSTMCell(LSTMCell):
    """One step of `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`; the states are ``[h, c]``. The other arguments are theirs.

    Args:
        rank: the number of spatial axes, 1 to 3.

    Raises:
        ArgumentTypeError, ArgumentError: `rank` is not 1, 2 or 3; and as `ConvLSTM1D`.

    Example:
        >>> layer = layers.RNN(layers.ConvLSTMCell(rank=2, filters=16, kernel_size=3, padding="same"))
        >>> layer(unroll.placeholder([None, 4, 8, 8, 3], name="x")).shape
        (batch, 8, 8, 16)
    """

    filters: int
    padding: Padding
    data_format: DataFormat
    _dims: tuple[int, ...]

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Padding = "valid",
        data_format: DataFormat | None = None,
        dilation_rate: Sizes = 1,
        activation: Activation | None = "tanh",
        recurrent_activation: Activation | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Regularizer = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        Layer.__init__(self, name=name, dtype=dtype)
        keep(self, locals())
        if check_size(rank, "ConvLSTMCell: rank") > 3:
            raise ArgumentError(f"ConvLSTMCell: rank is {rank}; 1 to 3 axes are wanted")
        self.window = window_of(rank, kernel_size, strides, self.padding, self.data_format, dilation_rate)
        self.fixed_axes, self.gate_axis = tuple(range(1, rank + 2)), self.window.axis

    def described(self) -> str:
        return f"ConvLSTM{len(self.window.kernel_size)}D cell {self._called!r}"

    def build(self, input_shape: Any) -> None:
        """Make kernel ``(*kernel_size, channels, 4 * filters)``, recurrent_kernel with filters for channels, and bias."""
        self._dims = self.window.result_dims(input_shape, self.filters, self.described())
        channels = width(input_shape, self.window.axis, self.described())
        self.build_kernels(channels, self.filters, self.window.kernel_size)

    def mixed(self, x: Tensor, h: Tensor) -> Tensor:
        of_x = self.window.over_input(x, self.kernel, self.bias)
        return self.window.back(of_x + self.window.over_state(h, self.recurrent_kernel))

    @property
    def state_size(self) -> list[TensorShape]:  # type: ignore[override]
        return [self.output_size, self.output_size]

    @property
    def output_size(self) -> TensorShape:
        """The axes of an output beyond the batch, known once the cell is built."""
        self._check_built("output_size")
        return TensorShape(self._dims)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self.window.result_dims(keras_shape(input_shape), self.filters, self.described()))
