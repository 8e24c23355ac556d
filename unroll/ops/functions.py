"""Functions of one variable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll.dimensions import Shape
from unroll.dtypes import ALL, BOOL, NUMBERS, Array, DType, as_dtype
from unroll.ops.elementwise import Unary, unary
from unroll.ops.operator import (
    Operator,
    Requirements,
    Signature,
    apply_one,
    float_attribute,
)
from unroll.tensor import Known, Tensor, TensorLike

_erf = np.vectorize(math.erf, otypes=[np.float64])


class Neg(Unary):
    """``-x``.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.neg(x)
        >>> unroll.Graph([x], y).run({x: [-1, 2]}, y)
        array([ 1., -2.], dtype=float32)
    """

    signature = Signature("X: T -> Y: T", T=NUMBERS)

    def evaluate(self, x: Array) -> Array:
        return np.negative(x)


class Abs(Unary):
    """``|x|``.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.abs(x)
        >>> unroll.Graph([x], y).run({x: [-1, 2]}, y)
        array([1., 2.], dtype=float32)
    """

    signature = Signature("X: T -> Y: T", T=NUMBERS)

    def evaluate(self, x: Array) -> Array:
        return np.absolute(x)


class Sqrt(Unary):
    """The square root; NaN below zero.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.sqrt(x)
        >>> unroll.Graph([x], y).run({x: [4, 9]}, y)
        array([2., 3.], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.sqrt(x)


class Exp(Unary):
    """e to the power of `x`.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.exp(x)
        >>> unroll.Graph([x], y).run({x: [-np.inf, 0]}, y)
        array([0., 1.], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.exp(x)


class Log(Unary):
    """The natural logarithm; NaN below zero.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.log(x)
        >>> unroll.Graph([x], y).run({x: [1, np.inf]}, y)
        array([ 0., inf], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.log(x)


class Erf(Unary):
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to `x`.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.erf(x)
        >>> unroll.Graph([x], y).run({x: [-np.inf, 0, np.inf]}, y)
        array([-1.,  0.,  1.], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.asarray(_erf(x.astype(np.float64))).astype(x.dtype)


class Floor(Unary):
    """The largest whole number not above `x`.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.floor(x)
        >>> unroll.Graph([x], y).run({x: [-1.5, 1.5]}, y)
        array([-2.,  1.], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.floor(x)


class Sign(Unary):
    """-1, 0 or 1 as `x` is below, at or above zero.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.sign(x)
        >>> unroll.Graph([x], y).run({x: [-3, 0, 3]}, y)
        array([-1.,  0.,  1.], dtype=float32)
    """

    signature = Signature("X: T -> Y: T", T=NUMBERS)

    def evaluate(self, x: Array) -> Array:
        return np.sign(x)


class Tanh(Unary):
    """The hyperbolic tangent.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.tanh(x)
        >>> unroll.Graph([x], y).run({x: [-np.inf, 0, np.inf]}, y)
        array([-1.,  0.,  1.], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.tanh(x)


class Sigmoid(Unary):
    """``1 / (1 + exp(-x))``.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.sigmoid(x)
        >>> unroll.Graph([x], y).run({x: [-np.inf, 0, np.inf]}, y)
        array([0. , 0.5, 1. ], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        small = np.exp(-np.abs(x))  # never overflows
        return np.asarray(np.where(x >= 0, x.dtype.type(1), small) / (1 + small))


class Relu(Unary):
    """``max(x, 0)``.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.relu(x)
        >>> unroll.Graph([x], y).run({x: [-1, 0, 2]}, y)
        array([0., 0., 2.], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.maximum(x, x.dtype.type(0)))


class Softplus(Unary):
    """``log(1 + exp(x))``.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.softplus(x)
        >>> unroll.Graph([x], y).run({x: [-np.inf, 0]}, y)  # log(1 + 1) is log 2
        array([0.       , 0.6931472], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.logaddexp(x, x.dtype.type(0)))


class Softsign(Unary):
    """``x / (1 + |x|)``.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.softsign(x)
        >>> unroll.Graph([x], y).run({x: [-1, 3]}, y)  # -1 / 2 and 3 / 4
        array([-0.5 ,  0.75], dtype=float32)
    """

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.divide(x, 1 + np.absolute(x)))


class Identity(Unary):
    """`x` itself, under another name.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> unroll.Graph([x], {"copy": ops.identity(x)})
        Graph(x (batch, 3) -> copy (batch, 3); 1 nodes)
    """

    signature = Signature("X: T -> Y: T", T=ALL)
    work = 0

    def evaluate(self, x: Array) -> Array:
        return x

    def known(self, *inputs: Tensor) -> Known:
        return inputs[0].known


neg = unary(Neg, "neg")
abs_ = unary(Abs, "abs")
sqrt = unary(Sqrt, "sqrt")
exp = unary(Exp, "exp")
log = unary(Log, "log")
erf = unary(Erf, "erf")
floor = unary(Floor, "floor")
sign = unary(Sign, "sign")
tanh = unary(Tanh, "tanh")
sigmoid = unary(Sigmoid, "sigmoid")
relu = unary(Relu, "relu")
softplus = unary(Softplus, "softplus")
softsign = unary(Softsign, "softsign")
identity = unary(Identity, "identity")


@dataclass(frozen=True, repr=False)
class Elu(Unary):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        float_attribute(self, "alpha")

    def evaluate(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0))).astype(x.dtype)


@dataclass(frozen=True, repr=False)
class LeakyRelu(Unary):
    """``x`` above zero, ``alpha * x`` below."""

    alpha: float = 0.01

    def __post_init__(self) -> None:
        float_attribute(self, "alpha")

    def evaluate(self, x: Array) -> Array:
        return np.where(x >= 0, x, self.alpha * x).astype(x.dtype)


@dataclass(frozen=True, repr=False)
class HardSigmoid(Unary):
    """``max(0, min(1, alpha * x + beta))``; Keras 3's is alpha = 1/6, beta = 0.5."""

    alpha: float = 0.2
    beta: float = 0.5

    def __post_init__(self) -> None:
        float_attribute(self, "alpha", "beta")

    def evaluate(self, x: Array) -> Array:
        return np.clip(self.alpha * x + self.beta, 0, 1).astype(x.dtype)


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below.

    Args:
        x: float16, float32 or float64.
        alpha: how far below zero it goes.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentTypeError: `alpha` is not a number.
        DTypeError: `x` is not of floats.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.elu(x)
        >>> unroll.Graph([x], y).run({x: [-np.inf, 2]}, y)
        array([-1.,  2.], dtype=float32)
    """
    return apply_one(Elu(alpha), x)


def leaky_relu(x: TensorLike, alpha: float = 0.01) -> Tensor:
    """``x`` above zero, ``alpha * x`` below.

    Args:
        x: float16, float32 or float64.
        alpha: the slope below zero.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentTypeError: `alpha` is not a number.
        DTypeError: `x` is not of floats.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.leaky_relu(x, alpha=0.25)
        >>> unroll.Graph([x], y).run({x: [-2, 2]}, y)
        array([-0.5,  2. ], dtype=float32)
    """
    return apply_one(LeakyRelu(alpha), x)


def hard_sigmoid(x: TensorLike, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """``max(0, min(1, alpha * x + beta))``, with ONNX's defaults.

    Args:
        x: float16, float32 or float64.
        alpha: the slope.
        beta: the value at zero.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentTypeError: `alpha` or `beta` is not a number.
        DTypeError: `x` is not of floats.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.hard_sigmoid(x)
        >>> unroll.Graph([x], y).run({x: [-3, 0, 3]}, y)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return apply_one(HardSigmoid(alpha, beta), x)


@dataclass(frozen=True, repr=False)
class Cast(Operator):
    """`x` converted to another dtype; floats become integers by dropping the fraction, booleans by ``!= 0``."""

    signature = Signature("input: T1 -> output: T1", T1=ALL)
    work = 0
    to: DType

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", as_dtype(self.to, "Cast"))

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        return [x.shape]

    def dtypes(self, types: Any) -> list[DType]:
        return [self.to]

    def evaluate(self, x: Array) -> Array:
        return x != 0 if self.to == BOOL else x.astype(self.to)

    def evaluate_wide(self, *arrays: Array, most_steps: int | None = None) -> Array:
        (x,) = arrays
        if self.to.kind == "f":
            return x.astype(np.float64)  # no rounding on the way
        return self.evaluate(x)

    def known(self, *inputs: Tensor) -> Known:
        return inputs[0].known


def cast(x: TensorLike, dtype: npt.DTypeLike) -> Tensor:
    """`x` converted to `dtype`; floats become integers by dropping the fraction, booleans by ``!= 0``.

    Args:
        x: a tensor of any dtype.
        dtype: float16, float32, float64, int32, int64 or bool.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        DTypeError: not a dtype of tensors.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = ops.cast(x, "int64")
        >>> unroll.Graph([x], y).run({x: [-1.5, 0, 1.5]}, y)
        array([-1,  0,  1])
    """
    return apply_one(Cast(as_dtype(dtype, "cast")), x)
