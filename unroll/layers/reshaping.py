"""Layers that give the same elements another shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from unroll import ops
from unroll.checks import check_int, shown
from unroll.dimensions import Dimension, product
from unroll.errors import ArgumentError, ShapeError
from unroll.layers.declared import Declared, declared
from unroll.layers.sublayers import described_shape
from unroll.layers.window import DataFormat
from unroll.ops.operator import listed
from unroll.tensor import Tensor


def listed_ints(value: Any, what: str) -> tuple[int, ...]:
    """Return a list of ints as a tuple.

    Raises:
        ArgumentTypeError: anything else.
    """
    return tuple(check_int(item, what) for item in listed(value, what))


def reshaped(x: Tensor, shape: Sequence[Any], what: str) -> Tensor:
    """Return a tensor whose axes beyond the batch have another shape, of which one size may be -1.

    Raises:
        ShapeError: the sizes do not go together, or more of them are unknown than can follow from the others.
    """
    if -1 not in shape and isinstance(x.shape[0], Dimension):
        rest = product(x.shape[1:])
        if rest != product(shape) and isinstance(rest, int):
            raise ShapeError(
                f"{what}: the input {x.described()} has {rest} elements in each row, and the shape {described_shape(shape)} "
                f"has {product(shape)}; give a shape of as many, or -1 for a size that follows from the others"
            )
        open_ = [place for place, size in enumerate(shape) if isinstance(size, Dimension)]
        if len(open_) == 1:
            shape = [-1 if place in open_ else size for place, size in enumerate(shape)]
    return ops.reshape(x, [0, *shape])


@declared
class Flatten(Declared):
    """``(batch, ...)`` as ``(batch, all elements)``: Keras 3's ``Flatten``.

    Args:
        data_format: with ``"channels_first"``, axis 1 is moved to the end before.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError: there is no such format.

    Example:
        >>> layers.Flatten()(unroll.placeholder([None, 4, 3], name="x")).shape
        (batch, 12)
    """

    data_format: DataFormat | None = None

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(batch, elements)``."""
        if self.data_format == "channels_first" and inputs.rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, inputs.rank), 1))
        if inputs.rank < 2:
            return ops.unsqueeze(inputs, [1])
        return ops.reshape(inputs, [0, -1])


@declared
class Reshape(Declared):
    """``(batch, ...)`` as ``(batch, *target_shape)``: Keras 3's ``Reshape``.

    Args:
        target_shape: the axes beyond the batch; one of them may be -1, which follows from the others.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentTypeError, ArgumentError: `target_shape` is no list of ints, or has more than one -1.
        ShapeError: the elements of a row cannot take that shape.

    Example:
        >>> layers.Reshape((2, -1))(unroll.placeholder([None, 4, 3], name="x")).shape
        (batch, 2, 6)
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"target_shape": listed_ints}
    target_shape: Sequence[int]

    def _settle(self) -> None:
        if min(self.target_shape, default=0) < -1 or list(self.target_shape).count(-1) > 1:
            raise ArgumentError(
                f"Reshape: target_shape is {shown(self.target_shape)}; sizes of at least 0 are wanted, and -1 for at most one"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(batch, *target_shape)``."""
        return reshaped(inputs, self.target_shape, self.described())


@declared
class Permute(Declared):
    """The axes beyond the batch in another order: Keras 3's ``Permute``.

    Args:
        dims: the axes in the order of the result, counted from 1; the batch stays where it is.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentTypeError, ArgumentError: `dims` are not the numbers from 1 on, each once.
        ShapeError: the input has more axes, or fewer.

    Example:
        >>> layers.Permute((2, 1))(unroll.placeholder([None, 4, 3], name="x")).shape
        (batch, 3, 4)
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"dims": listed_ints}
    dims: Sequence[int]

    def _settle(self) -> None:
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(f"Permute: dims are {shown(self.dims)}; the numbers from 1 on are wanted, each once")

    def _check(self, inputs: Any) -> None:
        if inputs.rank != len(self.dims) + 1:
            raise ShapeError(
                f"{self.described()}: the input {inputs.described()} has {inputs.rank - 1} axes beyond the batch, and dims "
                f"{self.dims} name {len(self.dims)}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the axes in their new order."""
        return ops.transpose(inputs, (0, *self.dims))


@declared
class RepeatVector(Declared):
    """``(batch, features)`` repeated to ``(batch, n, features)``: Keras 3's ``RepeatVector``.

    Args:
        n: how many times.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentTypeError, ArgumentError: `n` is not an int of at least 1.
        ShapeError: the input is not ``(batch, features)``.

    Example:
        >>> layers.RepeatVector(5)(unroll.placeholder([None, 3], name="x")).shape
        (batch, 5, 3)
    """

    n: int

    def _check(self, inputs: Any) -> None:
        if inputs.rank != 2:
            raise ShapeError(f"{self.described()}: the input {inputs.described()} must be (batch, features)")

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(batch, n, features)``."""
        return ops.tile(ops.unsqueeze(inputs, [1]), [1, self.n, 1])
