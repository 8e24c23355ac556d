"""Shapes as TensorFlow 1 prints them, ``(?, 13)``: a TensorShape is a row of Dimensions, which may not be known."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from unroll import dimensions
from unroll.errors import ArgumentTypeError, ShapeError
from unroll.words import spelled


def _computed(function: Callable[[Any, Any], Any], swapped: bool = False) -> Callable[[Dimension, Any], Dimension]:
    def compute(self: Dimension, other: Any) -> Dimension:
        first, second = (self.core, Dimension(other).core)[:: -1 if swapped else 1]
        return Dimension(None if first is None or second is None else function(first, second))

    return compute


def _divided(first: Any, second: Any) -> Any:
    return (dimensions.floor_divide if isinstance(second, int) else dimensions.divide)(first, second)


@functools.total_ordering
class Dimension:
    """The size of one axis: an int, or None or a symbol of the core's where it is not known.

    Raises:
        ArgumentTypeError: it is none of these.
    """

    @spelled()
    def __init__(self, value: Any) -> None:
        #: The core's size: an int, a symbol, or None for one that the core does not know either.
        self.core: Any = value.core if isinstance(value, Dimension) else value
        if not isinstance(self.core, (dimensions.Dimension, type(None))):
            try:
                self.core = operator.index(self.core)
            except TypeError:
                raise ArgumentTypeError(f"Dimension: {value!r} is no size; an int or None is wanted") from None

    @property
    def value(self) -> int | None:
        """The size, None where it is not known."""
        return self.core if isinstance(self.core, int) else None

    __add__, __radd__ = _computed(operator.add), _computed(operator.add)
    __sub__, __rsub__ = _computed(operator.sub), _computed(operator.sub, swapped=True)
    __mul__, __rmul__ = _computed(operator.mul), _computed(operator.mul)
    __floordiv__ = __truediv__ = _computed(_divided)

    def __index__(self) -> int:
        if self.value is None:
            raise ArgumentTypeError("Dimension(None) is not known before a run; tf.shape(x)[0] is a tensor of it")
        return self.value

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Dimension, int, type(None))) and self.value == Dimension(other).value

    def __lt__(self, other: Any) -> bool:
        return int(self) < int(other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return "?" if self.value is None else str(self.value)

    def __repr__(self) -> str:
        return f"Dimension({self.value})"


class TensorShape:
    """The shape of a tensor: its sizes, a number for one axis; None where not even the number of axes is known.

    Raises:
        ArgumentTypeError: it is none of these.
    """

    @spelled()
    def __init__(self, dims: Any) -> None:
        listed = [dims] if isinstance(dims, (int, Dimension)) else dims
        if listed is not None and not isinstance(listed, (list, tuple, TensorShape)):
            raise ArgumentTypeError(
                f"TensorShape: {dims!r} is no shape; a list of sizes is wanted, None where not known"
            )
        #: The sizes, or None.
        self.dims = None if listed is None else [Dimension(dim) for dim in listed]
        #: The number of axes, or None.
        self.ndims = self.rank = None if self.dims is None else len(self.dims)

    def _known(self) -> list[Dimension]:
        if self.dims is None:
            raise ShapeError("the shape is not known: give the placeholder one, tf.placeholder(tf.float32, [None, 28])")
        return self.dims

    def as_list(self) -> list[int | None]:
        """Return the sizes as a list, with None for one that is not known."""
        return [dim.value for dim in self._known()]

    def is_fully_defined(self) -> bool:
        """Return whether every size is known."""
        return self.dims is not None and None not in self.as_list()

    def num_elements(self) -> int | None:
        """Return how many elements there are, None where that is not known."""
        return prod(map(int, self._known())) if self.is_fully_defined() else None

    def concatenate(self, other: Any) -> TensorShape:
        """Return the axes of this shape and then those of another."""
        return TensorShape([*self._known(), *TensorShape(other)._known()])

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether one tensor can have both shapes."""
        mine, theirs = self.dims, TensorShape(other).dims
        if mine is None or theirs is None or len(mine) != len(theirs):
            return mine is None or theirs is None
        return all(None in (one.value, two.value) or one == two for one, two in zip(mine, theirs, strict=True))

    def __getitem__(self, place: Any) -> Any:
        found = self._known()[place]
        return TensorShape(found) if isinstance(found, list) else found

    def __len__(self) -> int:
        return len(self._known())

    def __iter__(self) -> Iterator[Dimension]:
        return iter(self._known())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (TensorShape, list, tuple, type(None))) and self.dims == TensorShape(other).dims

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        if self.dims is None:
            return "<unknown>"
        return f"({', '.join(map(str, self.dims))}{',' if len(self.dims) == 1 else ''})"

    def __repr__(self) -> str:
        return f"TensorShape({self.dims})"
