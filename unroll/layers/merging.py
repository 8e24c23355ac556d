"""Layers that make one tensor of several: elementwise, side by side, or by their product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, ClassVar

from unroll import ops
from unroll.checks import check_int, shown
from unroll.dimensions import Dim, Dimension
from unroll.errors import ArgumentError, ShapeError, StructureError
from unroll.layers.arguments import ints_of
from unroll.layers.declared import Declared, declared
from unroll.layers.mask_tracking import mask_of
from unroll.ops.operator import axis_of
from unroll.tensor import Tensor, constant, named


class OfSeveral(Declared):
    """A layer that is called on a list of tensors, and has the mask of each.

    Attributes:
        least: how many tensors it takes at least.
        most: how many at most; None for any number.
    """

    supports_masking = True
    least: ClassVar[int] = 1
    most: ClassVar[int | None] = None

    def _carried_mask(self, inputs: Any) -> Any:
        return [mask_of(item) for item in inputs] if isinstance(inputs, (list, tuple)) else mask_of(inputs)

    def _check(self, inputs: Any) -> None:
        count = len(inputs) if isinstance(inputs, (list, tuple)) else 0
        if count < self.least or (self.most is not None and count > self.most):
            many = {(1, None): "a list of tensors", (2, 2): "a list of 2 tensors", (2, 3): "a list of 2 or 3 tensors"}
            raise StructureError(
                f"{self.described()}: {many[self.least, self.most]} is wanted, such as layer([a, b]); "
                f"{_sketch(inputs)} was given"
            )

    def _masks(self, inputs: Sequence[Tensor], mask: Any) -> list[Tensor | None]:
        """Return the mask of each tensor.

        Raises:
            StructureError: what was given is no list with one for each.
        """
        if not isinstance(mask, (list, tuple)) or len(mask) > len(inputs):
            raise StructureError(
                f"{self.described()}: mask={shown(mask)}: a list with the mask of each input is wanted"
            )
        masks = [item if item is None or isinstance(item, Tensor) else constant(item, name="mask") for item in mask]
        return masks + [None] * (len(inputs) - len(masks))


def _sketch(inputs: Any) -> str:
    if isinstance(inputs, Tensor):
        return f"one tensor, {inputs.described()},"
    return f"a {type(inputs).__name__} of {len(inputs)}"


class Merge(OfSeveral):
    """An elementwise merge: shapes broadcast, and a tensor of fewer axes gets new ones after the batch."""

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        rank = max(item.rank for item in inputs)
        for axis in range(1, rank):
            sizes: list[tuple[Dim, Tensor]] = [
                (item.shape[axis - rank], item) for item in inputs if axis - rank >= -item.rank + 1
            ]
            known = [(size, item) for size, item in sizes if isinstance(size, int) and size != 1]
            clash = next((pair for pair in known if pair[0] != known[0][0]), None)
            if clash is not None:
                raise ShapeError(
                    f"{self.described()}: {known[0][1].described()} and {clash[1].described()} have {known[0][0]} and "
                    f"{clash[0]} on axis {axis - rank}; sizes must be equal, or 1. Bring one to the other's size first, with "
                    "layers.Dense or layers.Reshape"
                )

    def call(self, inputs: Sequence[Tensor], mask: Any = None) -> Tensor:
        """Return one tensor of the shape that those of the inputs broadcast to.

        Args:
            inputs: the tensors.
            mask: a list with the mask of each, or None.

        Returns:
            A tensor of the dtype of the inputs.
        """
        rank = max(item.rank for item in inputs)
        masks = [None] * len(inputs) if mask is None else self._masks(inputs, mask)
        wide = [
            item if item.rank == rank else ops.unsqueeze(item, list(range(1, 1 + rank - item.rank))) for item in inputs
        ]
        counts = [
            None if mask is None or item.rank < rank else ops.unsqueeze(mask, list(range(mask.rank, item.rank)))
            for item, mask in zip(inputs, masks, strict=True)
        ]
        return self._merged(wide, counts)

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        """Return the merge of tensors of one rank, each with a bool tensor that says which of its elements count, or None."""
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        masks = [] if mask is None else self._masks(inputs, mask)
        if not masks or any(item is None for item in masks):
            return None
        return reduce(ops.logical_or, masks)  # type: ignore[arg-type]


def _of_those_that_count(
    function: Callable[[Tensor, Tensor], Tensor], inputs: Sequence[Tensor], counts: Sequence[Tensor | None]
) -> Tensor:
    """Return the merge by a function that has no neutral element: what does not count gives way to the other."""
    result, counting = inputs[0], counts[0]
    for x, count in zip(inputs[1:], counts[1:], strict=True):
        other = x if count is None else ops.where(count, x, result)
        result = function(result if counting is None else ops.where(counting, result, other), other)
        counting = None if counting is None or count is None else ops.logical_or(counting, count)
    return result


@declared
class Add(Merge):
    """The sum of several tensors: Keras 3's ``Add``. It is called on a list of them.

    The arguments are those of `Layer`.

    Raises:
        StructureError: the input is no list of tensors.
        ShapeError: their shapes do not broadcast.

    Example:
        >>> a, b = unroll.placeholder([2], name="a"), unroll.placeholder([2], name="b")
        >>> y = layers.Add()([a, b])
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 5]}, y)
        array([4., 7.], dtype=float32)
    """

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        return reduce(ops.add, inputs)


@declared
class Subtract(Merge):
    """The difference of two tensors: Keras 3's ``Subtract``. It is called on a list of them.

    The arguments are those of `Layer`.

    Raises:
        StructureError: the input is no list of 2 tensors.
        ShapeError: their shapes do not broadcast.

    Example:
        >>> a, b = unroll.placeholder([2], name="a"), unroll.placeholder([2], name="b")
        >>> y = layers.Subtract()([a, b])
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 5]}, y)
        array([-2., -3.], dtype=float32)
    """

    least = most = 2

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        return ops.sub(*inputs)


@declared
class Multiply(Merge):
    """The product of several tensors, element by element: Keras 3's ``Multiply``. It is called on a list of them.

    A masked step counts as 1, and as 0 where it is masked in all of them.

    The arguments are those of `Layer`.

    Raises:
        StructureError: the input is no list of tensors.
        ShapeError: their shapes do not broadcast.

    Example:
        >>> a, b = unroll.placeholder([2], name="a"), unroll.placeholder([2], name="b")
        >>> y = layers.Multiply()([a, b])
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 5]}, y)
        array([ 3., 10.], dtype=float32)
    """

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        ones = [x if count is None else ops.where(count, x, 1) for x, count in zip(inputs, counts, strict=True)]
        product = reduce(ops.mul, ones)
        if any(count is None for count in counts):
            return product
        return ops.where(reduce(ops.logical_or, counts), product, 0)  # type: ignore[arg-type]


@declared
class Average(Merge):
    """The mean of several tensors: Keras 3's ``Average``. It is called on a list of them.

    The arguments are those of `Layer`.

    Raises:
        StructureError: the input is no list of tensors.
        ShapeError: their shapes do not broadcast.

    Example:
        >>> a, b = unroll.placeholder([2], name="a"), unroll.placeholder([2], name="b")
        >>> y = layers.Average()([a, b])
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 6]}, y)
        array([2., 4.], dtype=float32)
    """

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        return reduce(ops.add, inputs) / len(inputs)


@declared
class Maximum(Merge):
    """The largest of several tensors, element by element: Keras 3's ``Maximum``. It is called on a list of them.

    A masked step gives way to that of the others.

    The arguments are those of `Layer`.

    Raises:
        StructureError: the input is no list of tensors.
        ShapeError: their shapes do not broadcast.

    Example:
        >>> a, b = unroll.placeholder([2], name="a"), unroll.placeholder([2], name="b")
        >>> y = layers.Maximum()([a, b])
        >>> unroll.Graph([a, b], y).run({a: [1, 7], b: [3, 5]}, y)
        array([3., 7.], dtype=float32)
    """

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        return _of_those_that_count(ops.maximum, inputs, counts)


@declared
class Minimum(Merge):
    """The smallest of several tensors, element by element: Keras 3's ``Minimum``. It is called on a list of them.

    A masked step gives way to that of the others.

    The arguments are those of `Layer`.

    Raises:
        StructureError: the input is no list of tensors.
        ShapeError: their shapes do not broadcast.

    Example:
        >>> a, b = unroll.placeholder([2], name="a"), unroll.placeholder([2], name="b")
        >>> y = layers.Minimum()([a, b])
        >>> unroll.Graph([a, b], y).run({a: [1, 7], b: [3, 5]}, y)
        array([1., 5.], dtype=float32)
    """

    def _merged(self, inputs: Sequence[Tensor], counts: Sequence[Tensor | None]) -> Tensor:
        return _of_those_that_count(ops.minimum, inputs, counts)


@declared
class Concatenate(OfSeveral):
    """Tensors one after another along an axis: Keras 3's ``Concatenate``. It is called on a list of them.

    Args:
        axis: the axis, not that of the batch.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentTypeError: `axis` is not an int.
        StructureError: the input is no list of tensors.
        ShapeError: their shapes differ on another axis.

    Example:
        >>> a, b = unroll.placeholder([None, 2], name="a"), unroll.placeholder([None, 3], name="b")
        >>> layers.Concatenate()([a, b]).shape
        (batch, 5)
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"axis": check_int}
    axis: int = -1

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        first = inputs[0]
        along = axis_of(self.axis, first.rank, f"{self.described()}: axis")
        for other in inputs[1:]:
            if other.rank != first.rank:
                raise ShapeError(
                    f"{self.described()}: {first.described()} and {other.described()} have {first.rank} and {other.rank} axes; "
                    "give all as many, with layers.Reshape"
                )
            for axis, (one, two) in enumerate(zip(first.shape, other.shape, strict=True)):
                if axis != along and one != two and not isinstance(one, Dimension) and not isinstance(two, Dimension):
                    raise ShapeError(
                        f"{self.described()}: {first.described()} and {other.described()} have {one} and {two} on axis {axis}; "
                        f"they are joined along axis {along}, and all other sizes must be equal"
                    )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the tensors one after another."""
        return ops.concat(inputs, self.axis)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        masks = [] if mask is None else self._masks(inputs, mask)
        if all(item is None for item in masks):
            return None
        along = axis_of(self.axis, inputs[0].rank)
        if along < inputs[0].rank - 1:
            return _joined_masks(inputs, masks, along)
        if any(item is None for item in masks):  # a step counts where it does in one of them
            return named(_all_count(ops.shape(inputs[0])[: inputs[0].rank - 1]), "mask")
        return reduce(ops.logical_or, masks)  # type: ignore[arg-type]


def _all_count(shape: Tensor) -> Tensor:
    return ops.constant_of_shape(shape, True, "bool")


def _joined_masks(inputs: Sequence[Tensor], masks: Sequence[Tensor | None], axis: int) -> Tensor:
    """Return the masks one after another, each wide as its input but for the features; without one, all counts."""
    wide = []
    for item, mask in zip(inputs, masks, strict=True):
        shape = ops.shape(item)[: item.rank - 1]
        if mask is None:
            wide.append(_all_count(shape))
            continue
        while mask.rank < item.rank - 1:
            mask = ops.unsqueeze(mask, [-1])
        wide.append(mask if mask.shape == item.shape[:-1] else ops.expand(mask, shape))
    return named(ops.concat(wide, axis), "mask")


@declared
class Dot(OfSeveral):
    """The product of two tensors over an axis of each, row by row of the batch: Keras 3's ``Dot``.

    It is called on a list of them. The result has the axes of the first but its own, then those of the second but its own and
    the batch.

    Args:
        axes: the axis of both, or the axis of each; not that of the batch.
        normalize: make what is multiplied of length 1 along its axis, so that the product is a cosine.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentTypeError, ArgumentError: `axes` is neither an int nor 2 of them.
        StructureError: the input is no list of 2 tensors.
        ShapeError: the axes have other sizes, or one is that of the batch.

    Example:
        >>> a, b = unroll.placeholder([None, 7, 3], name="a"), unroll.placeholder([None, 5, 3], name="b")
        >>> layers.Dot(axes=2)([a, b]).shape
        (batch, 7, 5)
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"axes": ints_of}
    least = most = 2
    axes: int | Sequence[int]
    normalize: bool = False

    def _settle(self) -> None:
        if not isinstance(self.axes, int) and len(self.axes) != 2:
            raise ArgumentError(f"Dot: axes are {shown(self.axes)}; an int, or one for each of the 2 inputs, is wanted")

    def _along(self, inputs: Sequence[Tensor]) -> list[int]:
        given = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        what = f"{self.described()}: axes"
        return [axis_of(axis, item.rank, what) for axis, item in zip(given, inputs, strict=True)]

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        one, two = self._along(inputs)
        first, second = inputs
        if one == 0 or two == 0:
            raise ShapeError(f"{self.described()}: axes {self.axes} name axis 0, which is the batch; give another")
        sizes = first.shape[one], second.shape[two]
        if all(isinstance(size, int) for size in sizes) and sizes[0] != sizes[1]:
            raise ShapeError(
                f"{self.described()}: axis {one} of {first.described()} has {sizes[0]}, and axis {two} of "
                f"{second.described()} has {sizes[1]}; they must be equal"
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the products."""
        (one, two), (x, y) = self._along(inputs), inputs
        if self.normalize:
            x, y = unit(x, [one], 1e-7), unit(y, [two], 1e-7)
        left = ops.transpose(x, [axis for axis in range(x.rank) if axis != one] + [one])
        right = ops.transpose(y, [0, two, *(axis for axis in range(1, y.rank) if axis != two)])
        left_rest, right_rest = left.shape[1:-1], right.shape[2:]
        product = ops.matmul(_of_rank_3(left, -2, x), _of_rank_3(right, -1, y))
        if len(left_rest) == 1 and len(right_rest) == 1:
            return product
        if len(left_rest) <= 1 and len(right_rest) <= 1:
            return ops.squeeze(product, [2 if left_rest else 1])
        return ops.reshape(product, ops.concat([ops.shape(left)[:-1], ops.shape(right)[2:]], axis=0))

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        return None


def _of_rank_3(x: Tensor, place: int, like: Tensor) -> Tensor:
    """Return a tensor whose axes of its own are one: before the last one, or after axis 1."""
    if x.rank == 3:
        return x
    if x.rank == 2:
        return ops.unsqueeze(x, [1 if place == -2 else 2])
    shape = ops.shape(x)
    parts: list[Any] = [shape[:1], [-1], shape[-1:]] if place == -2 else [shape[:2], [-1]]
    return ops.reshape(x, ops.concat(parts, axis=0))


def unit(x: Tensor, axes: Sequence[int], least: float) -> Tensor:
    """Return a tensor divided by its length along axes, or by `least` where that is shorter."""
    length = ops.sqrt(ops.reduce_sum(x * x, axes, keepdims=True))
    return x / ops.maximum(length, least)
