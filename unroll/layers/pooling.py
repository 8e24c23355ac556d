"""The largest, or the mean, of what lies under a window that walks over a sequence or an image, or of all its places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import ops
from unroll.layers.declared import declared
from unroll.layers.input_checks import check_floats
from unroll.layers.spatial import Spatial
from unroll.layers.window import DataFormat, Padding, Sizes, Window, window_of
from unroll.tensor import Tensor


@declared
class Pooling(Spatial):
    """What combines the elements of each channel under a window."""

    pool_size: Sizes
    strides: Sizes | None = None
    padding: Padding = "valid"
    data_format: DataFormat | None = None

    def _settle(self) -> None:
        layout = self.data_format or "channels_last"
        steps = self.pool_size if self.strides is None else self.strides
        self._window: Window = window_of(
            self.places, self.pool_size, steps, self.padding, layout, 1, type(self).__name__, "pool_size"
        )
        self.pool_size, self.strides = self._window.kernel_size, self._window.strides

    def _check(self, inputs: Any) -> None:
        check_floats(inputs, self.described())
        super()._check(inputs)
        self._window.check_fits(inputs, self.described())

    def _pooled(self, function: Callable[..., Tensor], x: Tensor) -> Tensor:
        window = self._window
        found = function(window.channels_first(x), window.kernel_size, strides=window.strides, padding=window.padding)
        return window.back(found)


class MaxPooling(Pooling):
    """The largest element under the window."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest element of each channel under each window."""
        return self._pooled(ops.max_pool, inputs)


class AveragePooling(Pooling):
    """The mean under the window."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the mean of each channel under each window."""
        return self._pooled(ops.average_pool, inputs)


@declared
class MaxPooling1D(MaxPooling):
    """The largest element of each channel of ``(batch, time, channels)`` under a window: Keras 3's ``MaxPooling1D``.

    Args:
        pool_size: the steps under the window.
        strides: the distance between windows; by default they stand side by side.
        padding: ``"valid"`` for whole windows alone; ``"same"`` for ``ceil(time / strides)`` results; what is padded takes no
            part.
        data_format: where the channels are: on the last axis, or on axis 1.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes, or the window does not fit into it.

    Example:
        >>> layers.MaxPooling1D(2)(unroll.placeholder([None, None, 4], name="x")).shape
        (batch, floor(x_1/2), 4)
    """

    places = 1
    pool_size: Sizes = 2


@declared
class MaxPooling2D(MaxPooling):
    """The largest element of each channel of ``(batch, height, width, channels)`` under a window: Keras 3's ``MaxPooling2D``.

    Sizes are one int for both axes, or one each; the arguments are those of `MaxPooling1D`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes, or the window does not fit into it.

    Example:
        >>> layers.MaxPooling2D()(unroll.placeholder([None, 8, 7, 4], name="x")).shape
        (batch, 4, 3, 4)
    """

    places = 2
    pool_size: Sizes = (2, 2)


@declared
class AveragePooling1D(AveragePooling):
    """The mean of each channel of ``(batch, time, channels)`` under a window: Keras 3's ``AveragePooling1D``.

    The arguments are those of `MaxPooling1D`; `pool_size` has no default.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes, or the window does not fit into it.

    Example:
        >>> layers.AveragePooling1D(3, strides=1, padding="same")(unroll.placeholder([None, 7, 4], name="x")).shape
        (batch, 7, 4)
    """

    places = 1


@declared
class AveragePooling2D(AveragePooling):
    """The mean of each channel of ``(batch, height, width, channels)`` under a window: Keras 3's ``AveragePooling2D``.

    Sizes are one int for both axes, or one each; the arguments are those of `MaxPooling1D`, and `pool_size` has no default.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes, or the window does not fit into it.

    Example:
        >>> layers.AveragePooling2D((2, 3))(unroll.placeholder([None, 8, 7, 4], name="x")).shape
        (batch, 4, 2, 4)
    """

    places = 2


@declared
class GlobalPooling(Spatial):
    """What combines all places of each channel."""

    data_format: DataFormat | None = None
    keepdims: bool = False

    @property
    def _places(self) -> list[int]:
        return list(range(self._first, self._first + self.places))

    def _check(self, inputs: Any) -> None:
        check_floats(inputs, self.described())
        super()._check(inputs)


class GlobalMaxPooling(GlobalPooling):
    """The largest of all places."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest element of each channel."""
        return ops.reduce_max(inputs, self._places, self.keepdims)


@declared
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest element of each channel of ``(batch, time, channels)``: Keras 3's ``GlobalMaxPooling1D``.

    Args:
        data_format: where the channels are: on the last axis, or on axis 1.
        keepdims: keep the axes of the places, with size 1.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes.

    Example:
        >>> layers.GlobalMaxPooling1D()(unroll.placeholder([None, None, 4], name="x")).shape
        (batch, 4)
    """

    places = 1


@declared
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest element of each channel of ``(batch, height, width, channels)``: Keras 3's ``GlobalMaxPooling2D``.

    The arguments are those of `GlobalMaxPooling1D`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes.

    Example:
        >>> layers.GlobalMaxPooling2D(keepdims=True)(unroll.placeholder([None, 8, 7, 4], name="x")).shape
        (batch, 1, 1, 4)
    """

    places = 2


@declared
class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel of ``(batch, time, channels)``, over the steps that count: Keras 3's ``GlobalAveragePooling1D``.

    The arguments are those of `GlobalMaxPooling1D`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes.

    Example:
        >>> layers.GlobalAveragePooling1D()(unroll.placeholder([None, None, 4], name="x")).shape
        (batch, 4)
    """

    places = 1

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean of each channel.

        Args:
            inputs: ``(batch, time, channels)``.
            mask: bool ``(batch, time)``, true where a step counts.

        Returns:
            ``(batch, channels)``, or ``(batch, 1, channels)`` with `keepdims`.
        """
        if mask is None:
            return ops.reduce_mean(inputs, self._places, self.keepdims)
        counts = ops.unsqueeze(ops.cast(mask, "bool"), [2 if self._first == 1 else 1])
        kept = ops.where(counts, inputs, 0)
        many = ops.reduce_sum(ops.cast(counts, inputs.dtype), self._places, self.keepdims)
        return ops.reduce_sum(kept, self._places, self.keepdims) / many

    def compute_mask(self, inputs: Tensor, mask: Any) -> Any:
        return None


@declared
class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel of ``(batch, height, width, channels)``: Keras 3's ``GlobalAveragePooling2D``.

    The arguments are those of `GlobalMaxPooling1D`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes.

    Example:
        >>> layers.GlobalAveragePooling2D()(unroll.placeholder([None, 8, 7, 4], name="x")).shape
        (batch, 4)
    """

    places = 2

    def call(self, inputs: Tensor) -> Tensor:
        """Return the mean of each channel."""
        return ops.reduce_mean(inputs, self._places, self.keepdims)
