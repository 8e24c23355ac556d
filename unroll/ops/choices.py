"""Comparisons, logic, and choices by them."""

from __future__ import annotations

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import ALL, NUMBERS, Array
from unroll.errors import ShapeError
from unroll.ops.elementwise import Binary, Unary, binary, unary
from unroll.ops.operator import (
    Operator,
    Requirements,
    Signature,
    apply_one,
)
from unroll.tensor import Tensor, TensorLike


class Equal(Binary):
    """``a == b`` as booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.equal(a, b)
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [1, 3]}, y)
        array([ True, False])
    """

    signature = Signature("A: T, B: T -> C: bool", T=ALL)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.equal(a, b)


class Less(Binary):
    """``a < b`` as booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.less(a, b)  # a < b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [1, 3]}, y)
        array([False,  True])
    """

    signature = Signature("A: T, B: T -> C: bool", T=NUMBERS)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.less(a, b)


class Greater(Binary):
    """``a > b`` as booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.greater(a, b)  # a > b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 4], b: [1, 3]}, y)
        array([False,  True])
    """

    signature = Signature("A: T, B: T -> C: bool", T=NUMBERS)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.greater(a, b)


class LessOrEqual(Binary):
    """``a <= b`` as booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.less_equal(a, b)  # a <= b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 4], b: [1, 3]}, y)
        array([ True, False])
    """

    signature = Signature("A: T, B: T -> C: bool", T=NUMBERS)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.less_equal(a, b)


class GreaterOrEqual(Binary):
    """``a >= b`` as booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.greater_equal(a, b)  # a >= b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [1, 3]}, y)
        array([ True, False])
    """

    signature = Signature("A: T, B: T -> C: bool", T=NUMBERS)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.greater_equal(a, b)


class Max(Binary):
    """The larger of `a` and `b`, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.maximum(a, b)
        >>> unroll.Graph([a, b], y).run({a: [1, 5], b: [2, 3]}, y)
        array([2., 5.], dtype=float32)
    """

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)


class Min(Binary):
    """The smaller of `a` and `b`, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.minimum(a, b)
        >>> unroll.Graph([a, b], y).run({a: [1, 5], b: [2, 3]}, y)
        array([1., 3.], dtype=float32)
    """

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)


class And(Binary):
    """Logical and, of booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name, dtype="bool") for name in ("a", "b"))
        >>> y = ops.logical_and(a, b)  # a & b is the same
        >>> unroll.Graph([a, b], y).run({a: [True, True], b: [True, False]}, y)
        array([ True, False])
    """

    signature = Signature("A: bool, B: bool -> C: bool")

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.logical_and(a, b)


class Or(Binary):
    """Logical or, of booleans, with broadcasting.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name, dtype="bool") for name in ("a", "b"))
        >>> y = ops.logical_or(a, b)  # a | b is the same
        >>> unroll.Graph([a, b], y).run({a: [False, True], b: [False, False]}, y)
        array([False,  True])
    """

    signature = Signature("A: bool, B: bool -> C: bool")

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.logical_or(a, b)


class Not(Unary):
    """Logical not, of booleans.

    Example:
        >>> x = unroll.placeholder([2], name="x", dtype="bool")
        >>> y = ops.logical_not(x)  # ~x is the same
        >>> unroll.Graph([x], y).run({x: [True, False]}, y)
        array([False,  True])
    """

    signature = Signature("X: bool -> Y: bool")

    def evaluate(self, x: Array) -> Array:
        return np.logical_not(x)


class Where(Operator):
    """`x` where `condition` is true, `y` elsewhere, with broadcasting."""

    signature = Signature("condition: bool, X: T, Y: T -> output: T", T=ALL)
    work = 0

    def shapes(self, require: Requirements, condition: Tensor, x: Tensor, y: Tensor) -> list[Shape]:
        return [require.broadcast(condition.shape, x.shape, y.shape)]

    def evaluate(self, condition: Array, x: Array, y: Array) -> Array:
        return np.where(condition, x, y)


class Clip(Operator):
    """`x` limited to ``min .. max`` (scalars); a bound left out does not limit."""

    signature = Signature("input: T, min: T?, max: T? -> output: T", T=NUMBERS)

    def shapes(
        self, require: Requirements, x: Tensor, low: Tensor | None = None, high: Tensor | None = None
    ) -> list[Shape]:

        for bound in (low, high):
            if bound is not None and bound.shape != ():
                raise ShapeError(f"a bound must be a scalar, not {bound.described()}")
        return [x.shape]

    def evaluate(self, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
        if low is not None:
            x = np.maximum(x, low)
        return x if high is None else np.minimum(x, high)


equal = binary(Equal, "equal")
less = binary(Less, "less")
greater = binary(Greater, "greater")
less_equal = binary(LessOrEqual, "less_equal")
greater_equal = binary(GreaterOrEqual, "greater_equal")
maximum = binary(Max, "maximum")
minimum = binary(Min, "minimum")
logical_and = binary(And, "logical_and")
logical_or = binary(Or, "logical_or")
logical_not = unary(Not, "logical_not")


def not_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """``a != b`` as booleans, with broadcasting.

    Args:
        a: a tensor of any dtype.
        b: another, of the same dtype.

    Returns:
        A tensor of booleans, of the shape that `a` and `b` broadcast to.

    Raises:
        DTypeError: the dtypes differ.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> x = unroll.placeholder([2], name="x", dtype="int64")
        >>> y = ops.not_equal(x, 3)
        >>> unroll.Graph([x], y).run({x: [3, 4]}, y)
        array([False,  True])
    """
    return logical_not(equal(a, b))


def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
    """`x` where `condition` is true, `y` elsewhere, with broadcasting.

    Args:
        condition: a tensor of booleans.
        x: a tensor of any dtype.
        y: another, of the same dtype.

    Returns:
        A tensor of the shape that the three broadcast to, of the dtype of `x`.

    Raises:
        DTypeError: the condition is not of booleans, or the dtypes of `x` and `y` differ.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.where(x > 0, x, -1)
        >>> unroll.Graph([x], y).run({x: [-5, 0, 5]}, y)
        array([-1., -1.,  5.], dtype=float32)
    """
    return apply_one(Where(), condition, x, y)


def clip(x: TensorLike, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """`x` limited to ``min .. max``; a bound that is None does not limit.

    Args:
        x: a tensor of numbers.
        min: the lower bound, a scalar.
        max: the upper bound, a scalar.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        DTypeError: booleans, or bounds of another dtype.
        ShapeError: a bound that is not a scalar.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.clip(x, min=-1, max=1)
        >>> unroll.Graph([x], y).run({x: [-5, 0, 5]}, y)
        array([-1.,  0.,  1.], dtype=float32)
    """
    return apply_one(Clip(), x, min, max)
