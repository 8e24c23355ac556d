"""The convolutional LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy.typing as npt

from unroll import ops
from unroll.activations import Activation
from unroll.cells.base import TensorShape
from unroll.cells.steps import lstm_step
from unroll.errors import ArgumentError, ShapeError
from unroll.initializers import InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep, tuple_of
from unroll.layers.cell import Cell, Function
from unroll.layers.lstm import forget_ones
from unroll.layers.parts import KerasShape, described_shape, keras_shape, width
from unroll.layers.rnn import RNN, around
from unroll.tensor import Tensor

Sizes = int | Sequence[int]
Padding = Literal["valid", "same"]
DataFormat = Literal["channels_last", "channels_first"]


class ConvLSTMCell(Cell):
    """One step of `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`; the states are ``[h, c]``. The other arguments are theirs.

    Args:
        rank: the number of spatial axes, 1 to 3.
    """

    gates = ("i", "f", "c", "o")
    state_names = ("h", "c")
    rank: int
    filters: int
    padding: Padding
    data_format: DataFormat
    recurrent_activation: Function
    unit_forget_bias: bool
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    _spatial: tuple[int, ...]

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
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())
        what = f"ConvLSTM{rank}D"
        self.kernel_size = tuple_of(kernel_size, rank, f"{what}: kernel_size")
        self.strides = tuple_of(strides, rank, f"{what}: strides")
        self.dilation_rate = tuple_of(dilation_rate, rank, f"{what}: dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{what}: strides {self.strides} and dilation_rate {self.dilation_rate} do not go together; leave one at 1"
            )
        self.fixed_axes = tuple(range(1, rank + 2))

    def described(self) -> str:
        return f"ConvLSTM{self.rank}D cell {self.name!r}"

    def build(self, input_shape: Any) -> None:
        """Make kernel ``(*kernel_size, channels, 4 * filters)``, recurrent_kernel with filters for channels, and bias."""
        self._spatial = self.output_sizes(input_shape)
        channels = width(input_shape, 1 if self.data_format == "channels_first" else -1, self.described())
        window, columns = self.kernel_size, 4 * self.filters
        self.kernel = self.add_weight((*window, channels, columns), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (*window, self.filters, columns), self.recurrent_initializer, name="recurrent_kernel"
        )
        draw = forget_ones(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer
        self.bias = self.add_weight((columns,), draw, name="bias") if self.use_bias else None

    def output_sizes(self, input_shape: KerasShape) -> tuple[int, ...]:
        """Return the spatial sizes of states and outputs, for inputs of this shape.

        Raises:
            ShapeError: a size is not known, or too small for the window.
        """
        first = 2 if self.data_format == "channels_first" else 1
        found = []
        for axis in range(self.rank):
            size = width(input_shape, first + axis, self.described())
            reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1)
            found.append((size - 1 - (reach if self.padding == "valid" else 0)) // self.strides[axis] + 1)
        if min(found) < 1:
            raise ShapeError(
                f"{self.described()}: an input {described_shape(input_shape)} is smaller than the window {self.kernel_size} at "
                f"dilation_rate {self.dilation_rate}; use padding='same' or a smaller window"
            )
        return tuple(found)

    def sized(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        """Return spatial sizes with the filters at their place."""
        return (self.filters, *spatial) if self.data_format == "channels_first" else (*spatial, self.filters)

    def mixed(self, x: Tensor, h: Tensor) -> Tensor:
        turn = (self.rank + 1, self.rank, *range(self.rank))
        kernels = [ops.transpose(kernel, turn) for kernel in (self.kernel, self.recurrent_kernel)]
        of_x = ops.conv(
            self._turned(x, 1),
            kernels[0],
            self.bias,
            strides=self.strides,
            padding=self.padding,
            dilations=self.dilation_rate,
        )
        return self._turned(of_x + ops.conv(self._turned(h, 1), kernels[1], padding="same"), -1)

    def step(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        h, c = states
        axis = 1 if self.data_format == "channels_first" else -1
        i, f, g, o = ops.split(self.mixed(x, h), 4, axis=axis)
        gates = {"activation": self.activation, "recurrent_activation": self.recurrent_activation}
        return lstm_step(i, f, g, o, c, candidate="c", **gates)

    def _turned(self, x: Tensor, to: int) -> Tensor:
        """Bring the channels from the last axis to axis 1 (`to` is 1), or back (-1); ONNX convolves channels first."""
        if self.data_format == "channels_first":
            return x
        spatial = range(1, self.rank + 1)
        return ops.transpose(x, (0, self.rank + 1, *spatial) if to == 1 else (0, *(axis + 1 for axis in spatial), 1))

    @property
    def state_size(self) -> list[TensorShape]:
        return [self.output_size, self.output_size]

    @property
    def output_size(self) -> TensorShape:
        """The sizes of an output beyond the batch, known once the cell is built."""
        self._check_built("state_size")
        return TensorShape(self.sized(self._spatial))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self.sized(self.output_sizes(keras_shape(input_shape))))


class _ConvLSTM(RNN):
    """What the convolutional LSTMs share."""

    TRAINING_ONLY = Cell.TRAINING_ONLY
    cell: ConvLSTMCell

    def _around(self, rank: int, given: dict[str, Any]) -> None:
        given = {name: value for name, value in given.items() if name not in ("self", "__class__")}
        RNN.__init__(self, **around(self, ConvLSTMCell, {**given, "rank": rank}))
        self.input_rank = rank + 3
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, getattr(self.cell, name))

    def output_dims(self, input_shape: KerasShape) -> tuple[int, ...]:
        return self.cell.sized(self.cell.output_sizes(self.step_shape(input_shape)))


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
        unroll: steps are always unrolled, whatever is said.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        name: the layer's scope; ``conv_lstm1d`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.
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
        unroll: steps are always unrolled, whatever is said.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        name: the layer's scope; ``conv_lstm2d`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.
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
        unroll: steps are always unrolled, whatever is said.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        name: the layer's scope; ``conv_lstm3d`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.
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
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        self._around(3, locals())
