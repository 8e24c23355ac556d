"""Arithmetic on two tensors."""

from __future__ import annotations

import numpy as np

from unroll.dimensions import Dim, Dimension, Shape, divide
from unroll.dtypes import NUMBERS, Array
from unroll.ops.elementwise import Binary, binary
from unroll.ops.operator import (
    Operator,
    Requirements,
    Signature,
    apply_one,
)
from unroll.tensor import Tensor, TensorLike, constant


class Add(Binary):
    """``a + b``, with broadcasting. Numbers of one dtype.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.add(a, b)  # a + b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 4]}, y)
        array([4., 6.], dtype=float32)
    """

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.add(a, b)

    def combine(self, a: Dim, b: Dim) -> Dim:
        return a + b


class Sub(Binary):
    """``a - b``, with broadcasting. Numbers of one dtype.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.sub(a, b)  # a - b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 5]}, y)
        array([-2., -3.], dtype=float32)
    """

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.subtract(a, b)

    def combine(self, a: Dim, b: Dim) -> Dim:
        return a - b


class Mul(Binary):
    """``a * b``, with broadcasting. Numbers of one dtype.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name) for name in ("a", "b"))
        >>> y = ops.mul(a, b)  # a * b is the same
        >>> unroll.Graph([a, b], y).run({a: [1, 2], b: [3, 4]}, y)
        array([3., 8.], dtype=float32)
    """

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.multiply(a, b)

    def combine(self, a: Dim, b: Dim) -> Dim:
        return a * b


class Div(Binary):
    """``a / b``, with broadcasting; integers divide towards zero, as in C. Numbers of one dtype.

    Example:
        >>> a, b = (unroll.placeholder([2], name=name, dtype="int64") for name in ("a", "b"))
        >>> y = ops.div(a, b)  # a / b is the same
        >>> unroll.Graph([a, b], y).run({a: [-7, 7], b: [2, 2]}, y)
        array([-3,  3])
    """

    def evaluate(self, a: Array, b: Array) -> Array:
        if a.dtype.kind == "f":
            return np.divide(a, b)
        if not np.all(b):
            raise ZeroDivisionError("an integer was divided by zero")
        quotient = np.floor_divide(a, b)
        inexact = np.multiply(quotient, b) != a
        return np.where(inexact & ((a < 0) != (b < 0)), quotient + 1, quotient).astype(a.dtype)

    def combine(self, a: Dim, b: Dim) -> Dim | None:
        if isinstance(a, Dimension) or isinstance(b, Dimension):
            return divide(a, b)
        return (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1) if b else None


class Pow(Operator):
    """``x ** y``, with broadcasting. The result has the dtype of `x`; `y` may have another."""

    signature = Signature("X: T, Y: T1 -> Z: T", T=NUMBERS, T1=NUMBERS)

    def shapes(self, require: Requirements, x: Tensor, y: Tensor) -> list[Shape]:
        return [require.broadcast(x.shape, y.shape)]

    def evaluate(self, x: Array, y: Array) -> Array:
        if x.dtype.kind == "i" and y.dtype.kind == "i" and not np.any(y < 0):
            return np.power(x, y).astype(x.dtype)
        wide = np.float64 if x.dtype.kind == "i" else np.result_type(x, y)
        return np.asarray(np.power(x.astype(wide), y.astype(wide))).astype(x.dtype)


add = binary(Add, "add")
sub = binary(Sub, "sub")
mul = binary(Mul, "mul")
div = binary(Div, "div")


def pow(x: TensorLike, y: TensorLike) -> Tensor:
    """``x ** y``, with broadcasting, in the dtype of `x`; a plain number as `y` takes that dtype too.

    Args:
        x: a tensor of numbers.
        y: the exponent, of any dtype of numbers.

    Returns:
        A tensor of the shape that `x` and `y` broadcast to, of the dtype of `x`.

    Raises:
        DTypeError: booleans.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.pow(x, 3)  # x ** 3 is the same
        >>> unroll.Graph([x], y).run({x: [2, -1]}, y)
        array([ 8., -1.], dtype=float32)
    """
    if isinstance(x, Tensor) and not isinstance(y, Tensor):
        whole = x.dtype if x.dtype.kind == "f" else None
        y = constant(y, whole)
    if isinstance(y, Tensor) and not isinstance(x, Tensor):
        x = constant(x, y.dtype)
    return apply_one(Pow(), x, y)
