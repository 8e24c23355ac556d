"""Zeros around a sequence or an image, and less of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from unroll import ops
from unroll.checks import check_size, shown
from unroll.errors import ArgumentError, ShapeError
from unroll.layers.declared import declared
from unroll.layers.spatial import Spatial
from unroll.layers.window import DataFormat
from unroll.ops.slicing import END
from unroll.tensor import Tensor

Check = Callable[[Any, str], Any]
#: How many before and after an axis: one int for both, or two.
Ends = int | Sequence[int]
#: Ends of two axes: one int for all, an int for each axis, or two each.
EndsOfTwo = int | Sequence[Ends]


def _ends(value: Any, what: str) -> tuple[int, int]:
    """Return how many before and after an axis, from one int for both, or two.

    Raises:
        ArgumentError, ArgumentTypeError: anything else.
    """
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ArgumentError(f"{what} is {shown(value)}; an int or 2 of them are wanted")
        return check_size(value[0], what, 0), check_size(value[1], what, 0)
    return (check_size(value, what, 0),) * 2


def _ends_of_two(value: Any, what: str) -> tuple[tuple[int, int], tuple[int, int]]:
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ArgumentError(f"{what} is {shown(value)}; an int, 2 ints, or 2 pairs of ints are wanted")
        return _ends(value[0], what), _ends(value[1], what)
    return (_ends(value, what),) * 2


@declared
class ZeroPadding1D(Spatial):
    """Zeros before and after the steps of ``(batch, time, features)``: Keras 3's ``ZeroPadding1D``.

    Args:
        padding: how many steps: one int for both ends, or two.
        data_format: where the features are: on the last axis, or on axis 1.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 3 axes.

    Example:
        >>> layers.ZeroPadding1D((2, 0))(unroll.placeholder([None, None, 3], name="x")).shape
        (batch, x_1+2, 3)
    """

    CHECKS: ClassVar[dict[str, Check]] = {"padding": _ends}
    places = 1
    padding: Ends = 1
    data_format: DataFormat | None = None

    def call(self, inputs: Tensor) -> Tensor:
        """Return the longer sequence."""
        return _padded(inputs, self._first, [self.padding])


@declared
class ZeroPadding2D(Spatial):
    """Zeros around ``(batch, height, width, channels)``: Keras 3's ``ZeroPadding2D``.

    Args:
        padding: how many: one int for all ends, one for each axis, or two for each axis.
        data_format: where the channels are: on the last axis, or on axis 1.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes.

    Example:
        >>> layers.ZeroPadding2D(((1, 0), (2, 2)))(unroll.placeholder([None, 4, 5, 3], name="x")).shape
        (batch, 5, 9, 3)
    """

    CHECKS: ClassVar[dict[str, Check]] = {"padding": _ends_of_two}
    places = 2
    padding: EndsOfTwo = (1, 1)
    data_format: DataFormat | None = None

    def call(self, inputs: Tensor) -> Tensor:
        """Return the larger image."""
        return _padded(inputs, self._first, self.padding)


def _padded(x: Tensor, first: int, ends: Any) -> Tensor:
    around = [(0, 0)] * x.rank
    around[first : first + len(ends)] = ends
    return ops.pad(x, [before for before, _ in around] + [after for _, after in around])


@declared
class Cropping1D(Spatial):
    """``(batch, time, features)`` without its first and last steps: Keras 3's ``Cropping1D``.

    Args:
        cropping: how many steps: one int for both ends, or two.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `cropping` is neither.
        ShapeError: the input is not of 3 axes, or no step is left.

    Example:
        >>> layers.Cropping1D((2, 1))(unroll.placeholder([None, 7, 3], name="x")).shape
        (batch, 4, 3)
    """

    CHECKS: ClassVar[dict[str, Check]] = {"cropping": _ends}
    places = 1
    cropping: Ends = (1, 1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the shorter sequence."""
        return _cropped(inputs, self._first, [self.cropping], self.described())


@declared
class Cropping2D(Spatial):
    """``(batch, height, width, channels)`` without its borders: Keras 3's ``Cropping2D``.

    Args:
        cropping: how many: one int for all ends, one for each axis, or two for each axis.
        data_format: where the channels are: on the last axis, or on axis 1.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the input is not of 4 axes, or nothing is left.

    Example:
        >>> layers.Cropping2D(((1, 0), (2, 2)))(unroll.placeholder([None, 4, 5, 3], name="x")).shape
        (batch, 3, 1, 3)
    """

    CHECKS: ClassVar[dict[str, Check]] = {"cropping": _ends_of_two}
    places = 2
    cropping: EndsOfTwo = ((0, 0), (0, 0))
    data_format: DataFormat | None = None

    def call(self, inputs: Tensor) -> Tensor:
        """Return the smaller image."""
        return _cropped(inputs, self._first, self.cropping, self.described())


def _cropped(x: Tensor, first: int, ends: Any, what: str) -> Tensor:
    for axis, (before, after) in enumerate(ends, first):
        size = x.shape[axis]
        if isinstance(size, int) and before + after >= size:
            raise ShapeError(
                f"{what}: {before} and {after} are cut from the ends of axis {axis}, of which the input {x.described()} has "
                f"{size}; cut less, so that something is left"
            )
    axes = [axis for axis, pair in enumerate(ends, first) if any(pair)]
    if not axes:
        return ops.identity(x)
    starts = [ends[axis - first][0] for axis in axes]
    return ops.slice_(x, starts, [-ends[axis - first][1] or END for axis in axes], axes)
