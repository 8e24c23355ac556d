"""Each place of a sequence or an image several times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from unroll import ops
from unroll.errors import UnsupportedError
from unroll.layers.arguments import one_of, tuple_of
from unroll.layers.declared import declared
from unroll.layers.spatial import Spatial
from unroll.layers.window import DataFormat
from unroll.tensor import Tensor


@declared
class UpSampling1D(Spatial):
    """Each step of ``(batch, time, features)`` so many times: Keras 3's ``UpSampling1D``.

    Args:
        size: how many times.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `size` is not an int of at least 1.
        ShapeError: the input is not of 3 axes.

    Example:
        >>> layers.UpSampling1D(3)(unroll.placeholder([None, 7, 2], name="x")).shape
        (batch, 21, 2)
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"size": lambda value, what: tuple_of(value, 1, what)[0]}
    places = 1
    size: int = 2

    def call(self, inputs: Tensor) -> Tensor:
        """Return the longer sequence."""
        return _repeated(inputs, self._first, self.size)


@declared
class UpSampling2D(Spatial):
    """Each place of ``(batch, height, width, channels)`` so many times: Keras 3's ``UpSampling2D``.

    Args:
        size: how many times, one int for both axes or one each.
        data_format: where the channels are: on the last axis, or on axis 1.
        interpolation: ``"nearest"``; the others are refused.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes.
        UnsupportedError: another interpolation.

    Example:
        >>> layers.UpSampling2D((2, 3))(unroll.placeholder([None, 4, 5, 3], name="x")).shape
        (batch, 8, 15, 3)
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {
        "size": lambda value, what: tuple_of(value, 2, what),
        "interpolation": one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
    }
    places = 2
    size: int | Sequence[int] = (2, 2)
    data_format: DataFormat | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = "nearest"

    def _settle(self) -> None:
        if self.interpolation != "nearest":
            raise UnsupportedError(
                f"UpSampling2D: interpolation={self.interpolation!r} is not supported: each place is repeated here; use "
                "'nearest', and a convolution after it for what lies between"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the larger image."""
        for axis, times in enumerate(tuple_of(self.size, 2, "size"), self._first):
            inputs = _repeated(inputs, axis, times)
        return inputs


def _repeated(x: Tensor, axis: int, times: int) -> Tensor:
    """Return a tensor with each element of an axis so many times, one after another."""
    if times == 1:
        return x
    beside = ops.tile(ops.unsqueeze(x, [axis + 1]), [times if place == axis + 1 else 1 for place in range(x.rank + 1)])
    open_ = [place for place, size in enumerate(x.shape) if not isinstance(size, int)]
    if len(open_) - (open_[:1] == [0]) <= 1:  # the batch is kept, and one size follows from the others
        wanted = [size if isinstance(size, int) else -1 if place else 0 for place, size in enumerate(x.shape)]
        return ops.reshape(
            beside, [size * times if place == axis and size != -1 else size for place, size in enumerate(wanted)]
        )
    parts = [ops.shape(x)[place : place + 1] * (times if place == axis else 1) for place in range(x.rank)]
    return ops.reshape(beside, ops.concat(parts, axis=0))
