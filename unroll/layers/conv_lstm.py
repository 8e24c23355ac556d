"""The convolutional LSTM."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.activations import Activation
from unroll.initializers import InitializerLike
from unroll.layers.arguments import Constraint, Regularizer
from unroll.layers.cell import Cell
from unroll.layers.conv_lstm_cell import ConvLSTMCell
from unroll.layers.rnn import RNN, around
from unroll.layers.sublayers import KerasShape
from unroll.layers.window import DataFormat, Padding, Sizes


class _ConvLSTM(RNN):
    """What the convolutional LSTMs share."""

    TRAINING_ONLY = Cell.TRAINING_ONLY
    cell: ConvLSTMCell
    filters: int

    def _around(self, rank: int, given: dict[str, Any]) -> None:
        given = {name: value for name, value in given.items() if name not in ("self", "__class__")}
        RNN.__init__(self, **around(self, ConvLSTMCell, {**given, "rank": rank}))
        self.input_rank = rank + 3
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, getattr(self.cell.window, name))

    def output_dims(self, input_shape: KerasShape) -> tuple[int, ...]:
        return tuple(self.cell.compute_output_shape(self.step_shape(input_shape))[1:])


class ConvLSTM1D(_ConvLSTM):
    """The convolutional LSTM over one axis: Shi et al. 2015 (arXiv:1506.04214), without peepholes.

    Keras 3's layer: as `LSTM`, with convolutions for products. Inputs ``(batch, time, rows, channels)``; the
    output is that of the last step, or of every step, with filters for channels. Weights: kernel
    ``(*kernel_size, channels, 4 * filters)``, recurrent_kernel ``(*kernel_size, filters, 4 * filters)``, bias
    ``(4 * filters,)``, columns i, f, c, o.

    Args:
        filters: the channels of the two states and of the output.
        kernel_size: the window; an int.
        strides: of the window over the input; an int. The state is always walked at 1.
        padding: ``"valid"`` for none; ``"same"`` for as many results as elements, at strides of 1.
        data_format: ``"channels_last"``, which is the default, or ``"channels_first"``, channels right after the time.
        dilation_rate: the distance between the elements of the window over the input; an int.
        activation: of the candidate and the new cell state; a name of `unroll.activations`, a function of a tensor, or None
            for none.
        recurrent_activation: of the gates i, f and o.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        recurrent_initializer: draws the recurrent kernel.
        bias_initializer: draws the bias.
        unit_forget_bias: the bias of the forget gate is one at first.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        recurrent_regularizer: see `kernel_regularizer`.
        bias_regularizer: see `kernel_regularizer`.
        activity_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        recurrent_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.
        dropout: kept; dropout acts in training only.
        recurrent_dropout: see `dropout`.
        seed: of the dropout; see there.
        return_sequences: return the output of every step instead of the last.
        return_state: return the last states as well: ``output, h, c``.
        go_backwards: walk from the last step to the first; the outputs are in the order walked.
        stateful: the state is an input and an output of the graph, so that it goes on from one run to the next; see
            `RNN.states`. The batch size must be known.
        unroll: kept; steps of a known time are unrolled whatever its value, and True refuses `rolled` and a time that is not
            known.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``conv_lstm1d`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.

    Example:
        >>> layer = layers.ConvLSTM1D(filters=16, kernel_size=3)
        >>> layer(unroll.placeholder([None, 4, 8, 3], name="x")).shape  # 8 - 3 + 1 rows
        (batch, 6, 16)
    """

    def __init__(
        self,
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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        self._around(1, locals())


class ConvLSTM2D(_ConvLSTM):
    """The convolutional LSTM over two axes: Shi et al. 2015 (arXiv:1506.04214), without peepholes.

    Keras 3's layer: as `LSTM`, with convolutions for products. Inputs ``(batch, time, rows, columns, channels)``; the
    output is that of the last step, or of every step, with filters for channels. Weights: kernel
    ``(*kernel_size, channels, 4 * filters)``, recurrent_kernel ``(*kernel_size, filters, 4 * filters)``, bias
    ``(4 * filters,)``, columns i, f, c, o.

    Args:
        filters: the channels of the two states and of the output.
        kernel_size: the window; an int, or two.
        strides: of the window over the input; an int, or two. The state is always walked at 1.
        padding: ``"valid"`` for none; ``"same"`` for as many results as elements, at strides of 1.
        data_format: ``"channels_last"``, which is the default, or ``"channels_first"``, channels right after the time.
        dilation_rate: the distance between the elements of the window over the input; an int, or two.
        activation: of the candidate and the new cell state; a name of `unroll.activations`, a function of a tensor, or None
            for none.
        recurrent_activation: of the gates i, f and o.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        recurrent_initializer: draws the recurrent kernel.
        bias_initializer: draws the bias.
        unit_forget_bias: the bias of the forget gate is one at first.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        recurrent_regularizer: see `kernel_regularizer`.
        bias_regularizer: see `kernel_regularizer`.
        activity_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        recurrent_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.
        dropout: kept; dropout acts in training only.
        recurrent_dropout: see `dropout`.
        seed: of the dropout; see there.
        return_sequences: return the output of every step instead of the last.
        return_state: return the last states as well: ``output, h, c``.
        go_backwards: walk from the last step to the first; the outputs are in the order walked.
        stateful: the state is an input and an output of the graph, so that it goes on from one run to the next; see
            `RNN.states`. The batch size must be known.
        unroll: kept; steps of a known time are unrolled whatever its value, and True refuses `rolled` and a time that is not
            known.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``conv_lstm2d`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.

    Example:
        >>> layer = layers.ConvLSTM2D(filters=16, kernel_size=3, padding="same", return_sequences=True)
        >>> layer(unroll.placeholder([None, 4, 8, 8, 3], name="x")).shape
        (batch, 4, 8, 8, 16)
    """

    def __init__(
        self,
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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        self._around(2, locals())


class ConvLSTM3D(_ConvLSTM):
    """The convolutional LSTM over three axes: Shi et al. 2015 (arXiv:1506.04214), without peepholes.

    Keras 3's layer: as `LSTM`, with convolutions for products. Inputs ``(batch, time, rows, columns, planes, channels)``; the
    output is that of the last step, or of every step, with filters for channels. Weights: kernel
    ``(*kernel_size, channels, 4 * filters)``, recurrent_kernel ``(*kernel_size, filters, 4 * filters)``, bias
    ``(4 * filters,)``, columns i, f, c, o.

    Args:
        filters: the channels of the two states and of the output.
        kernel_size: the window; an int, or three.
        strides: of the window over the input; an int, or three. The state is always walked at 1.
        padding: ``"valid"`` for none; ``"same"`` for as many results as elements, at strides of 1.
        data_format: ``"channels_last"``, which is the default, or ``"channels_first"``, channels right after the time.
        dilation_rate: the distance between the elements of the window over the input; an int, or three.
        activation: of the candidate and the new cell state; a name of `unroll.activations`, a function of a tensor, or None
            for none.
        recurrent_activation: of the gates i, f and o.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        recurrent_initializer: draws the recurrent kernel.
        bias_initializer: draws the bias.
        unit_forget_bias: the bias of the forget gate is one at first.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        recurrent_regularizer: see `kernel_regularizer`.
        bias_regularizer: see `kernel_regularizer`.
        activity_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        recurrent_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.
        dropout: kept; dropout acts in training only.
        recurrent_dropout: see `dropout`.
        seed: of the dropout; see there.
        return_sequences: return the output of every step instead of the last.
        return_state: return the last states as well: ``output, h, c``.
        go_backwards: walk from the last step to the first; the outputs are in the order walked.
        stateful: the state is an input and an output of the graph, so that it goes on from one run to the next; see
            `RNN.states`. The batch size must be known.
        unroll: kept; steps of a known time are unrolled whatever its value, and True refuses `rolled` and a time that is not
            known.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``conv_lstm3d`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.

    Example:
        >>> layer = layers.ConvLSTM3D(filters=2, kernel_size=3)
        >>> layer(unroll.placeholder([None, 4, 5, 6, 7, 3], name="x")).shape  # each axis less 3, plus 1
        (batch, 3, 4, 5, 2)
    """

    def __init__(
        self,
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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        self._around(3, locals())
