"""Convolutions over the places of a sequence or an image: of all channels, of each by itself, and separable ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from unroll import ops
from unroll.activations import Activation as ActivationLike
from unroll.errors import ArgumentError
from unroll.initializers import Draw, InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, one_of
from unroll.layers.cell import Function
from unroll.layers.declared import declared
from unroll.layers.input_checks import check_floats, check_sizes
from unroll.layers.spatial import Spatial
from unroll.layers.sublayers import width
from unroll.layers.window import AnyPadding, DataFormat, Padding, Sizes, Window, window_of
from unroll.parameter import Parameter
from unroll.tensor import Tensor


def _lowered(*choices: str) -> Callable[[Any, str], Any]:
    check = one_of(*choices)
    return lambda value, what: check(value.lower() if isinstance(value, str) else value, what)


#: What pads before alone goes with one axis, that of time.
CAUSAL = {"padding": _lowered("valid", "same", "causal")}


class Convolving(Spatial):
    """What the convolutions have in common: their window, a bias for each channel of the result, and an activation."""

    kernel_size: Sizes
    strides: Sizes
    padding: AnyPadding
    data_format: DataFormat | None
    dilation_rate: Sizes
    _window: Window

    def _settle(self) -> None:
        layout = self.data_format or "channels_last"
        self._window = window_of(
            self.places, self.kernel_size, self.strides, self.padding, layout, self.dilation_rate, type(self).__name__
        )
        self.kernel_size, self.strides = self._window.kernel_size, self._window.strides
        self.dilation_rate, self.fixed_axes = self._window.dilation_rate, (self._window.axis,)

    def _channels(self, input_shape: Any) -> int:
        return width(input_shape, self._window.axis, self.described())

    def _add_bias(self, size: int) -> None:
        draw = cast("Draw", getattr(self, "bias_initializer"))  # noqa: B009  (a field of the subclass)
        used = getattr(self, "use_bias")  # noqa: B009
        self.bias: Parameter | None = self.add_weight(name="bias", shape=[size], initializer=draw) if used else None

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        check_floats(inputs, self.described())
        check_sizes(inputs, self.fixed_axes, self._built_for, self.described())
        self._window.check_fits(inputs, self.described())

    def _finished(self, convolved: Tensor) -> Tensor:
        """Return the activation of a convolution, the channels where the input has them."""
        activation = cast("Function", getattr(self, "activation"))  # noqa: B009
        return activation(self._window.back(convolved))

    def _of_each(self, x: Tensor, kernel: Tensor, bias: Tensor | None, multiplier: int) -> Tensor:
        """Return the convolution of each channel by kernels of its own, channels on axis 1."""
        channels, rank = int(kernel.shape[-2]), self.places
        turned = ops.transpose(kernel, (rank, rank + 1, *range(rank)))
        split = ops.reshape(turned, [channels * multiplier, 1, *self._window.kernel_size])
        return self._window.over(self._window.channels_first(x), split, bias, group=channels)


@declared
class Conv(Convolving):
    """A convolution whose kernel reads all channels of a group."""

    TRAINING_ONLY = (
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
        *Spatial.TRAINING_ONLY,
    )
    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: AnyPadding = "valid"
    data_format: DataFormat | None = None
    dilation_rate: Sizes = 1
    groups: int = 1
    activation: ActivationLike | None = None
    use_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    def _settle(self) -> None:
        super()._settle()
        if self.filters % self.groups:
            raise ArgumentError(
                f"{type(self).__name__}: {self.filters} filters cannot be divided into groups={self.groups}; give a "
                "multiple of it"
            )

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias.

        Raises:
            ArgumentError: the channels of the input cannot be divided into `groups`.
        """
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ArgumentError(
                f"{self.described()}: the {channels} channels of the input cannot be divided into groups={self.groups}; give a "
                "divisor of them"
            )
        shape = (*self._window.kernel_size, channels // self.groups, self.filters)
        draw = cast("Draw", self.kernel_initializer)
        self.kernel: Parameter = self.add_weight(name="kernel", shape=shape, initializer=draw)
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with as many channels as there are filters."""
        window = self._window
        kernel = window.filters_first(self.kernel)
        return self._finished(window.over(window.channels_first(inputs), kernel, self.bias, self.groups))


@declared
class Conv1D(Conv):
    """The convolution of ``(batch, time, channels)`` with filters over some steps: Keras 3's ``Conv1D``.

    Weights: kernel ``(kernel_size, channels / groups, filters)``, bias ``(filters,)``.

    Args:
        filters: the channels of the result.
        kernel_size: over how many steps.
        strides: the distance between results.
        padding: ``"valid"`` for none; ``"same"`` for ``ceil(time / strides)`` results; ``"causal"`` for zeros before the first
            step alone, so that no result sees what comes later.
        data_format: where the channels are: on the last axis, or on axis 1.
        dilation_rate: the distance between the steps that a filter reads.
        groups: into how many groups channels and filters are divided.
        activation: a name of `unroll.activations`, a function of a tensor, or None for none.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        bias_initializer: draws the bias.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        bias_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes, or the window does not fit into it.

    Example:
        >>> layers.Conv1D(8, 3, padding="same")(unroll.placeholder([None, None, 4], name="x")).shape
        (batch, x_1, 8)
    """

    CHECKS = CAUSAL
    places = 1


@declared
class Conv2D(Conv):
    """The convolution of ``(batch, height, width, channels)``: Keras 3's ``Conv2D``.

    Weights: kernel ``(*kernel_size, channels / groups, filters)``, bias ``(filters,)``. Sizes are one int for both axes, or one
    each; the arguments are those of `Conv1D`, but for ``padding="causal"``.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes, or the window does not fit into it.

    Example:
        >>> layers.Conv2D(8, (3, 2), strides=2)(unroll.placeholder([None, 9, 8, 4], name="x")).shape
        (batch, 4, 4, 8)
    """

    places = 2
    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)


@declared
class Conv3D(Conv):
    """The convolution of ``(batch, depth, height, width, channels)``: Keras 3's ``Conv3D``.

    Weights: kernel ``(*kernel_size, channels / groups, filters)``, bias ``(filters,)``. Sizes are one int for all axes, or one
    each; the arguments are those of `Conv1D`, but for ``padding="causal"``.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 5 axes, or the window does not fit into it.

    Example:
        >>> layers.Conv3D(8, 2)(unroll.placeholder([None, 4, 4, 4, 3], name="x")).shape
        (batch, 3, 3, 3, 8)
    """

    places = 3
    strides: Sizes = (1, 1, 1)
    dilation_rate: Sizes = (1, 1, 1)


@declared
class DepthwiseConv(Convolving):
    """A convolution of each channel by kernels of its own."""

    TRAINING_ONLY = (
        "depthwise_regularizer",
        "bias_regularizer",
        "depthwise_constraint",
        "bias_constraint",
        *Spatial.TRAINING_ONLY,
    )
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    depth_multiplier: int = 1
    data_format: DataFormat | None = None
    dilation_rate: Sizes = 1
    activation: ActivationLike | None = None
    use_bias: bool = True
    depthwise_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    depthwise_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None
    bias_constraint: Constraint = None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._channels(input_shape)
        shape = (*self._window.kernel_size, channels, self.depth_multiplier)
        draw = cast("Draw", self.depthwise_initializer)
        self.kernel: Parameter = self.add_weight(name="kernel", shape=shape, initializer=draw)
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with `depth_multiplier` channels for each of the input's."""
        return self._finished(self._of_each(inputs, self.kernel, self.bias, self.depth_multiplier))


@declared
class DepthwiseConv1D(DepthwiseConv):
    """Each channel of ``(batch, time, channels)`` by itself, with filters over some steps: Keras 3's ``DepthwiseConv1D``.

    Weights: kernel ``(kernel_size, channels, depth_multiplier)``, bias ``(channels * depth_multiplier,)``.

    Args:
        kernel_size: over how many steps.
        strides: the distance between results.
        padding: ``"valid"`` for none; ``"same"`` for ``ceil(time / strides)`` results.
        depth_multiplier: how many results each channel has.
        data_format: where the channels are: on the last axis, or on axis 1.
        dilation_rate: the distance between the steps that a filter reads.
        activation: a name of `unroll.activations`, a function of a tensor, or None for none.
        use_bias: add the bias.
        depthwise_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        bias_initializer: draws the bias.
        depthwise_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        bias_regularizer: see `depthwise_regularizer`.
        depthwise_constraint: see `depthwise_regularizer`.
        bias_constraint: see `depthwise_regularizer`.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes, or the window does not fit into it.

    Example:
        >>> layers.DepthwiseConv1D(3, depth_multiplier=2)(unroll.placeholder([None, 7, 4], name="x")).shape
        (batch, 5, 8)
    """

    places = 1


@declared
class DepthwiseConv2D(DepthwiseConv):
    """Each channel of ``(batch, height, width, channels)`` by itself: Keras 3's ``DepthwiseConv2D``.

    Weights: kernel ``(*kernel_size, channels, depth_multiplier)``, bias ``(channels * depth_multiplier,)``. Sizes are one int
    for both axes, or one each; the arguments are those of `DepthwiseConv1D`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes, or the window does not fit into it.

    Example:
        >>> layers.DepthwiseConv2D(3)(unroll.placeholder([None, 7, 7, 4], name="x")).shape
        (batch, 5, 5, 4)
    """

    places = 2
    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)


@declared
class SeparableConv(Convolving):
    """A convolution of each channel by itself, then a mixture of the channels at each place."""

    TRAINING_ONLY = (
        "depthwise_regularizer",
        "pointwise_regularizer",
        "bias_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
        "bias_constraint",
        *Spatial.TRAINING_ONLY,
    )
    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Padding = "valid"
    data_format: DataFormat | None = None
    dilation_rate: Sizes = 1
    depth_multiplier: int = 1
    activation: ActivationLike | None = None
    use_bias: bool = True
    depthwise_initializer: InitializerLike = "glorot_uniform"
    pointwise_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    depthwise_regularizer: Regularizer = None
    pointwise_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None
    pointwise_constraint: Constraint = None
    bias_constraint: Constraint = None

    def build(self, input_shape: Any) -> None:
        """Make the two kernels and the bias."""
        channels, many = self._channels(input_shape), self.depth_multiplier
        self.depthwise_kernel: Parameter = self.add_weight(
            name="depthwise_kernel",
            shape=(*self._window.kernel_size, channels, many),
            initializer=cast("Draw", self.depthwise_initializer),
        )
        self.pointwise_kernel: Parameter = self.add_weight(
            name="pointwise_kernel",
            shape=(*[1] * self.places, channels * many, self.filters),
            initializer=cast("Draw", self.pointwise_initializer),
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with as many channels as there are filters."""
        each = self._of_each(inputs, self.depthwise_kernel, None, self.depth_multiplier)
        mixing = self._window.filters_first(self.pointwise_kernel)
        return self._finished(ops.conv(each, mixing, self.bias))


@declared
class SeparableConv1D(SeparableConv):
    """Each channel of ``(batch, time, channels)`` by itself over some steps, then a mixture of them at each step.

    Keras 3's ``SeparableConv1D`` (Chollet 2016, arXiv:1610.02357). Weights: depthwise_kernel ``(kernel_size, channels,
    depth_multiplier)``, pointwise_kernel ``(1, channels * depth_multiplier, filters)``, bias ``(filters,)``.

    Args:
        filters: the channels of the result.
        kernel_size: over how many steps.
        strides: the distance between results.
        padding: ``"valid"`` for none; ``"same"`` for ``ceil(time / strides)`` results.
        data_format: where the channels are: on the last axis, or on axis 1.
        dilation_rate: the distance between the steps that a filter reads.
        depth_multiplier: how many results each channel has before they are mixed.
        activation: a name of `unroll.activations`, a function of a tensor, or None for none.
        use_bias: add the bias.
        depthwise_initializer: draws the first kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        pointwise_initializer: draws the second.
        bias_initializer: draws the bias.
        depthwise_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        pointwise_regularizer: see `depthwise_regularizer`.
        bias_regularizer: see `depthwise_regularizer`.
        depthwise_constraint: see `depthwise_regularizer`.
        pointwise_constraint: see `depthwise_regularizer`.
        bias_constraint: see `depthwise_regularizer`.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes, or the window does not fit into it.

    Example:
        >>> layers.SeparableConv1D(8, 3)(unroll.placeholder([None, 7, 4], name="x")).shape
        (batch, 5, 8)
    """

    places = 1


@declared
class SeparableConv2D(SeparableConv):
    """Each channel of ``(batch, height, width, channels)`` by itself, then a mixture of them at each place.

    Keras 3's ``SeparableConv2D``. Weights: depthwise_kernel ``(*kernel_size, channels, depth_multiplier)``, pointwise_kernel
    ``(1, 1, channels * depth_multiplier, filters)``, bias ``(filters,)``. Sizes are one int for both axes, or one each; the
    arguments are those of `SeparableConv1D`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes, or the window does not fit into it.

    Example:
        >>> layers.SeparableConv2D(8, 3)(unroll.placeholder([None, 7, 7, 4], name="x")).shape
        (batch, 5, 5, 8)
    """

    places = 2
    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)
