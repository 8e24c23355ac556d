"""The LSTM with convolutions in place of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from unroll import nest, scopes
from unroll.cells.building_blocks import NOT_READ, refuse_unused
from unroll.cells.rnn_cell import LSTMStateTuple, RNNCell, TensorShape
from unroll.cells.step_formulas import lstm_step
from unroll.checks import check_number, check_size
from unroll.dimensions import shape_text
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from unroll.initializers import ZEROS
from unroll.ops import concat, conv, split, transpose
from unroll.tensor import Tensor, named


class ConvLSTMCell(RNNCell):
    """The convolutional LSTM: Shi et al. 2015 (arXiv:1506.04214), as TensorFlow 1's contrib ``ConvLSTMCell``.

    ``i, j, f, o = split(conv([x, h], kernel) + biases)`` on the channels, which come last, with zeros around so that the
    image keeps its size; then ``c' = sigmoid(f + forget_bias) * c + sigmoid(i) * tanh(j)``, ``h' = tanh(c') * sigmoid(o)``.
    kernel ``(*kernel_shape, channels + output_channels, 4 * output_channels)``; biases ``(4 * output_channels,)``, zeros at
    first. The state is ``LSTMStateTuple(c, h)``, images each.

    Args:
        conv_ndims: how many axes the image has beside its channels: 1, 2 or 3.
        input_shape: the shape of a step's input without the batch, the channels last: ``[8, 8, 3]``.
        output_channels: how many channels the state and the output have.
        kernel_shape: the size of the kernel on each axis of the image.
        use_bias: there are biases.
        skip_connection: the input is joined to the output, on the channels. TensorFlow puts it into h as well, and so
            refuses the second step; here h stays without it.
        forget_bias: added to the forget gate before its sigmoid; not part of the biases.
        initializers: only None is taken: TensorFlow does not read it.
        name: the cell's scope; ``conv_lstm_cell`` by default.

    Raises:
        ArgumentTypeError, ArgumentError: sizes that are not ints of at least 1, or do not fit each other.
        UnsupportedError: `initializers`.
        ShapeError: when called with an input of another shape, or without a batch.

    Example:
        >>> cell = unroll.cells.ConvLSTMCell(2, input_shape=[8, 8, 3], output_channels=16, kernel_shape=[5, 5])
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 8, 8, 3], name="x")])
        >>> outputs[0].shape, cell.weights["kernel"].shape  # 3 + 16 channels in, 16 of each of i, j, f and o out
        ((batch, 8, 8, 16), (5, 5, 19, 64))
    """

    REFUSED: ClassVar[Mapping[str, str]] = {"initializers": NOT_READ}

    def __init__(
        self,
        conv_ndims: int,
        input_shape: Sequence[int],
        output_channels: int,
        kernel_shape: Sequence[int],
        use_bias: bool = True,
        skip_connection: bool = False,
        forget_bias: float = 1.0,
        initializers: None = None,
        name: str = "conv_lstm_cell",
    ) -> None:
        super().__init__(name=name)
        what = type(self).__name__
        if conv_ndims not in (1, 2, 3):
            raise ArgumentError(f"{what}: conv_ndims is {conv_ndims!r}; 1, 2 or 3 is wanted")
        self.conv_ndims = conv_ndims
        self.input_shape = _sizes(input_shape, conv_ndims + 1, f"{what}: input_shape")
        self.kernel_shape = _sizes(kernel_shape, conv_ndims, f"{what}: kernel_shape")
        self.output_channels = check_size(output_channels, f"{what}: output_channels")
        self.use_bias, self.skip_connection = use_bias, skip_connection
        self.forget_bias = check_number(forget_bias, f"{what}: forget_bias")
        refuse_unused(initializers, f"{what}: initializers")

    @property
    def state_size(self) -> Any:
        size = TensorShape([*self.input_shape[:-1], self.output_channels])
        return LSTMStateTuple(size, size)

    @property
    def output_size(self) -> TensorShape:
        skipped = self.input_shape[-1] if self.skip_connection else 0
        return TensorShape([*self.input_shape[:-1], self.output_channels + skipped])

    def check_input(self, inputs: Any) -> Tensor:
        what = f"{type(self).__name__} {self.name!r}: "
        if not isinstance(inputs, Tensor):
            raise ArgumentTypeError(f"{what}the input {nest.sketch(inputs)} is no tensor")
        if inputs.shape[1:] != self.input_shape or inputs.rank != self.conv_ndims + 2:
            wanted = f"(batch, {shape_text(self.input_shape)[1:]}"
            raise ShapeError(f"{what}the input {inputs.described()} was given, shape {wanted} is wanted")
        if inputs.dtype.kind != "f":
            raise DTypeError(
                f"{what}the input {inputs.described()} must be float32 or float64; convert it with unroll.ops.cast"
            )
        return inputs

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        (c, h), channels, dtype = state, self.output_channels, inputs.dtype
        shape = (*self.kernel_shape, self.input_shape[-1] + channels, 4 * channels)
        columns = dict.fromkeys(("i", "j", "f", "o"), channels)
        rows = {"x": inputs.shape[-1], "h": channels}
        kernel, biases = self.add_weight("kernel", shape, rows=rows, columns=columns, dtype=dtype), None
        if self.use_bias:
            biases = self.add_weight("biases", None, ZEROS, columns=columns, dtype=dtype)
        i, j, f, o = split(_conv_channels_last(concat([inputs, h], axis=-1), kernel, biases), 4, axis=-1)
        with scopes.in_gate("f"):
            f = named(f + self.forget_bias, "preactivation")
        new_h, new_c = lstm_step(i, f, j, o, c, candidate="j")
        output = named(concat([new_h, inputs], axis=-1), "output") if self.skip_connection else new_h
        return output, LSTMStateTuple(new_c, new_h)


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` with ``conv_ndims=1``: over a row.

    Args:
        name: the cell's scope.
        options: the other arguments of `ConvLSTMCell`, by name.

    Example:
        >>> cell = unroll.cells.Conv1DLSTMCell(input_shape=[8, 3], output_channels=16, kernel_shape=[3])
        >>> cell.output_size
        TensorShape([8, 16])
    """

    def __init__(self, name: str = "conv_1d_lstm_cell", **options: Any) -> None:
        super().__init__(conv_ndims=1, name=name, **options)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` with ``conv_ndims=2``: over an image.

    Args:
        name: the cell's scope.
        options: the other arguments of `ConvLSTMCell`, by name.

    Example:
        >>> cell = unroll.cells.Conv2DLSTMCell(input_shape=[8, 8, 3], output_channels=16, kernel_shape=[3, 3])
        >>> cell.output_size
        TensorShape([8, 8, 16])
    """

    def __init__(self, name: str = "conv_2d_lstm_cell", **options: Any) -> None:
        super().__init__(conv_ndims=2, name=name, **options)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` with ``conv_ndims=3``: over a volume.

    Args:
        name: the cell's scope.
        options: the other arguments of `ConvLSTMCell`, by name.

    Example:
        >>> cell = unroll.cells.Conv3DLSTMCell(input_shape=[8, 8, 8, 3], output_channels=16, kernel_shape=[3, 3, 3])
        >>> cell.output_size
        TensorShape([8, 8, 8, 16])
    """

    def __init__(self, name: str = "conv_3d_lstm_cell", **options: Any) -> None:
        super().__init__(conv_ndims=3, name=name, **options)


def _conv_channels_last(image: Tensor, kernel: Tensor, biases: Tensor | None) -> Tensor:
    """Convolve an image ``(batch, *sizes, channels)``, keeping its size, by a kernel ``(*sizes, channels, filters)``.

    ONNX has the channels before the sizes, and the filters before both.
    """
    last = image.rank - 1
    filters = transpose(kernel, [last, last - 1, *range(last - 1)])
    convolved = conv(transpose(image, [0, last, *range(1, last)]), filters, biases, padding="same")
    return transpose(convolved, [0, *range(2, last + 1), 1])


def _sizes(sizes: Any, count: int, what: str) -> tuple[int, ...]:
    if not isinstance(sizes, (list, tuple)) or len(sizes) != count:
        raise ArgumentError(f"{what} is {sizes!r}; a list of {count} sizes is wanted")
    return tuple(check_size(size, what) for size in sizes)
