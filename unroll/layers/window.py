"""The geometry of a convolution: where its window goes, and how large its results are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from unroll import ops
from unroll.errors import ArgumentError, ShapeError
from unroll.layers.arguments import tuple_of
from unroll.layers.sublayers import KerasShape, described_shape, width
from unroll.tensor import Tensor

#: An int, or one for each axis.
Sizes = int | Sequence[int]
Padding = Literal["valid", "same"]
AnyPadding = Literal["valid", "same", "causal"]
DataFormat = Literal["channels_last", "channels_first"]


class Window(NamedTuple):
    """How a convolution walks over inputs and states of some spatial axes.

    Attributes:
        kernel_size: the window, one size an axis.
        strides: its steps over the input; over a state it steps by 1.
        padding: of the input; a state is padded to keep its size.
        data_format: where the channels are: on the last axis, or on axis 1.
        dilation_rate: the distance between its elements over the input.
    """

    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: AnyPadding
    data_format: DataFormat
    dilation_rate: tuple[int, ...]

    @property
    def axis(self) -> int:
        """The axis of the channels."""
        return 1 if self.data_format == "channels_first" else -1

    def result_dims(self, input_shape: KerasShape, filters: int, what: str) -> tuple[int, ...]:
        """Return the axes of a result beyond the batch, for an input of this shape.

        Raises:
            ShapeError: a size is not known, or too small for the window.
        """
        spatial = []
        first = 2 if self.axis == 1 else 1
        for place, window in enumerate(self.kernel_size):
            size = width(input_shape, first + place, what)
            reach = self.dilation_rate[place] * (window - 1) if self.padding == "valid" else 0
            spatial.append((size - 1 - reach) // self.strides[place] + 1)
        if min(spatial) < 1:
            raise ShapeError(
                f"{what}: an input {described_shape(input_shape)} is smaller than the window {self.kernel_size} at "
                f"dilation_rate {self.dilation_rate}; use padding='same' or a smaller window"
            )
        return (filters, *spatial) if self.axis == 1 else (*spatial, filters)

    def check_fits(self, x: Tensor, what: str) -> None:
        """Check that the window fits into an input, where its sizes are known.

        Raises:
            ShapeError: it does not.
        """
        first = 2 if self.axis == 1 else 1
        for axis, window, by in zip(range(first, x.rank), self.kernel_size, self.dilation_rate, strict=False):
            size, reach = x.shape[axis], (window - 1) * by + 1
            if self.padding == "valid" and isinstance(size, int) and size < reach:
                spread = f" (dilation_rate {by})" if by > 1 else ""
                raise ShapeError(
                    f"{what}: a window of {window}{spread} does not fit into axis {axis} of the input {x.described()}, "
                    f"which has {size}; use padding='same', a smaller window, or "
                    f"layers.ZeroPadding{len(self.kernel_size)}D before it"
                )

    def over_input(self, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Return the convolution of an input, channels on axis 1."""
        return self.over(self.channels_first(x), self.filters_first(kernel), bias)

    def over(self, x: Tensor, kernel: Tensor, bias: Tensor | None, group: int = 1) -> Tensor:
        """Return the convolution of an input by a kernel as ONNX has both, channels on axis 1."""
        return ops.conv(
            x, kernel, bias, strides=self.strides, padding=self.padding, dilations=self.dilation_rate, group=group
        )

    def over_state(self, h: Tensor, kernel: Tensor) -> Tensor:
        """Return the convolution of a state, channels on axis 1."""
        return ops.conv(self.channels_first(h), self.filters_first(kernel), padding="same")

    def back(self, x: Tensor) -> Tensor:
        """Return a tensor with the channels moved from axis 1 to where `data_format` has them."""
        return x if self.axis == 1 else ops.transpose(x, (0, *range(2, x.rank), 1))

    def channels_first(self, x: Tensor) -> Tensor:
        """Return an input with the channels moved to axis 1."""
        return x if self.axis == 1 else ops.transpose(x, (0, x.rank - 1, *range(1, x.rank - 1)))

    def filters_first(self, kernel: Tensor) -> Tensor:
        """Turn Keras's ``(*window, channels, filters)`` into ONNX's ``(filters, channels, *window)``."""
        return ops.transpose(kernel, (kernel.rank - 1, kernel.rank - 2, *range(kernel.rank - 2)))


def window_of(
    rank: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: AnyPadding,
    data_format: DataFormat,
    dilation_rate: Sizes,
    layer: str | None = None,
    called: str = "kernel_size",
) -> Window:
    """Return the window of a layer over `rank` axes, its sizes checked; of a ConvLSTM where no other class is named.

    Raises:
        ArgumentError, ArgumentTypeError: a size that is not an int of at least 1, or one for each axis; or strides and
            dilation together.
    """
    what = layer or f"ConvLSTM{rank}D"
    steps = tuple_of(strides, rank, f"{what}: strides")
    spread = tuple_of(dilation_rate, rank, f"{what}: dilation_rate")
    if max(steps) > 1 and max(spread) > 1:
        raise ArgumentError(
            f"{what}: strides {steps} and dilation_rate {spread} do not go together; leave one of them at 1"
        )
    return Window(tuple_of(kernel_size, rank, f"{what}: {called}"), steps, padding, data_format, spread)
