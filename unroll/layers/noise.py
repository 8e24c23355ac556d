"""Layers that act in training only, and hand their input on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from unroll.checks import check_number
from unroll.errors import ArgumentError, ShapeError
from unroll.layers.activation import Elementwise
from unroll.layers.declared import declared
from unroll.tensor import Tensor


def _spread(value: Any, what: str) -> float:
    found = check_number(value, what)
    if not 0 <= found <= 1:
        raise ArgumentError(f"{what} is {value}; a number from 0 to 1 is wanted")
    return found


class HandsOn(Elementwise):
    """A layer that does nothing in inference.

    Attributes:
        axes: how many axes an input has that training could use; None for any.
    """

    axes: ClassVar[int | None] = None

    def _check(self, inputs: Any) -> None:
        if self.axes is not None and inputs.rank != self.axes:
            raise ShapeError(
                f"{self.described()}: the input {inputs.described()} has {inputs.rank} axes, {self.axes} are wanted; "
                "layers.Dropout takes any number"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs


@declared
class Dropout(HandsOn):
    """Hands its input on: dropout acts in training only (Srivastava et al. 2014). Keras 3's ``Dropout``.

    Args:
        rate: kept; the part of the inputs that training sets to zero, 0 to 1.
        noise_shape: kept; the shape of what training draws.
        seed: kept; of what training draws.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `rate` is not a number from 0 to 1.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = layers.Dropout(0.5)(x)
        >>> unroll.Graph([x], y).run({x: [3, 4]}, y)
        array([3., 4.], dtype=float32)
    """

    TRAINING_ONLY = ("rate", "noise_shape", "seed", *HandsOn.TRAINING_ONLY)
    rate: float
    noise_shape: Sequence[int | None] | None = None
    seed: int | None = None


@declared
class AlphaDropout(HandsOn):
    """Hands its input on: it acts in training only (Klambauer et al. 2017, arXiv:1706.02515). Keras 3's ``AlphaDropout``.

    Args:
        rate: kept; the part of the inputs that training replaces, 0 to 1.
        noise_shape: kept; the shape of what training draws.
        seed: kept; of what training draws.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `rate` is not a number from 0 to 1.

    Example:
        >>> layers.AlphaDropout(0.1)(unroll.placeholder([None, 2], name="x")).shape
        (batch, 2)
    """

    TRAINING_ONLY = ("rate", "noise_shape", "seed", *HandsOn.TRAINING_ONLY)
    rate: float
    noise_shape: Sequence[int | None] | None = None
    seed: int | None = None


@declared
class GaussianDropout(HandsOn):
    """Hands its input on: it acts in training only (Srivastava et al. 2014). Keras 3's ``GaussianDropout``.

    Args:
        rate: kept; how strong the noise is that training multiplies with, 0 to 1.
        seed: kept; of what training draws.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `rate` is not a number from 0 to 1.

    Example:
        >>> layers.GaussianDropout(0.1)(unroll.placeholder([None, 2], name="x")).shape
        (batch, 2)
    """

    TRAINING_ONLY = ("rate", "seed", *HandsOn.TRAINING_ONLY)
    rate: float
    seed: int | None = None


@declared
class GaussianNoise(HandsOn):
    """Hands its input on: the noise that it adds is for training only. Keras 3's ``GaussianNoise``.

    Args:
        stddev: kept; the standard deviation of the noise, 0 to 1.
        seed: kept; of what training draws.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, DTypeError: `stddev` is not a number from 0 to 1.

    Example:
        >>> layers.GaussianNoise(0.1)(unroll.placeholder([None, 2], name="x")).shape
        (batch, 2)
    """

    TRAINING_ONLY = ("stddev", "seed", *HandsOn.TRAINING_ONLY)
    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"stddev": _spread}
    stddev: float
    seed: int | None = None


@declared
class SpatialDropout1D(HandsOn):
    """Hands its input ``(batch, time, features)`` on: it acts in training only (Tompson et al. 2014, arXiv:1411.4280).

    Keras 3's ``SpatialDropout1D``.

    Args:
        rate: kept; the part of the features that training sets to zero at all steps, 0 to 1.
        seed: kept; of what training draws.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `rate` is not a number from 0 to 1.
        ShapeError: the input is not of 3 axes.

    Example:
        >>> layers.SpatialDropout1D(0.1)(unroll.placeholder([None, 7, 2], name="x")).shape
        (batch, 7, 2)
    """

    TRAINING_ONLY = ("rate", "seed", *HandsOn.TRAINING_ONLY)
    axes = 3
    rate: float
    seed: int | None = None


@declared
class SpatialDropout2D(HandsOn):
    """Hands its input ``(batch, height, width, channels)`` on: it acts in training only (arXiv:1411.4280).

    Keras 3's ``SpatialDropout2D``.

    Args:
        rate: kept; the part of the channels that training sets to zero at all places, 0 to 1.
        data_format: kept; where the channels are.
        seed: kept; of what training draws.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `rate` is not a number from 0 to 1.
        ShapeError: the input is not of 4 axes.

    Example:
        >>> layers.SpatialDropout2D(0.1)(unroll.placeholder([None, 7, 7, 2], name="x")).shape
        (batch, 7, 7, 2)
    """

    TRAINING_ONLY = ("rate", "data_format", "seed", *HandsOn.TRAINING_ONLY)
    axes = 4
    rate: float
    data_format: Literal["channels_last", "channels_first"] | None = None
    seed: int | None = None
