"""Operators that treat every element alike: arithmetic, functions of one variable, comparisons and choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unroll.dimensions import Dim, Dimension, Shape, divide
from unroll.dtypes import ALL, BOOL, FLOATS, NUMBERS, Array, DType
from unroll.ops.base import (
    Operator,
    Requirements,
    Signature,
    apply_one,
    dtype_attribute,
    float_attribute,
)
from unroll.tensor import Known, Tensor, TensorLike


class Unary(Operator, abstract=True):
    """An operator of one input whose output has its shape."""

    signature = Signature("X: T -> Y: T", T=FLOATS)

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        return [inputs[0].shape]


class Binary(Operator, abstract=True):
    """An operator of two inputs that broadcast to the output's shape."""

    signature = Signature("A: T, B: T -> C: T", T=NUMBERS)

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        return [require.broadcast(inputs[0].shape, inputs[1].shape)]

    def known(self, *inputs: Tensor) -> Known:
        a, b = inputs[0].known, inputs[1].known
        if a is None or b is None:
            return None
        if not isinstance(a, tuple) and not isinstance(b, tuple):
            return self.combine(a, b)
        left, right = (value if isinstance(value, tuple) else (value,) for value in (a, b))
        wide = max(len(left), len(right))
        pairs = zip(*(row * wide if len(row) == 1 else row for row in (left, right)), strict=True)
        parts = [self.combine(x, y) for x, y in pairs]
        return tuple(part for part in parts if part is not None) if None not in parts else None

    def combine(self, a: Dim, b: Dim) -> Dim | None:
        """Return the dimension this operator makes of two, where it is one."""
        return None


def _unary(op: type[Operator], name: str) -> Callable[[TensorLike], Tensor]:
    operator = op()

    def function(x: TensorLike) -> Tensor:
        return apply_one(operator, x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = op.__doc__
    return function


def _binary(op: type[Operator], name: str) -> Callable[[TensorLike, TensorLike], Tensor]:
    operator = op()

    def function(a: TensorLike, b: TensorLike) -> Tensor:
        return apply_one(operator, a, b)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = op.__doc__
    return function


# -- arithmetic -------------------------------------------------------------------------------------------------------


class Add(Binary):
    """``a + b``, with broadcasting. Numbers of one dtype."""

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.add(a, b)

    def combine(self, a: Dim, b: Dim) -> Dim:
        return a + b


class Sub(Binary):
    """``a - b``, with broadcasting. Numbers of one dtype."""

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.subtract(a, b)

    def combine(self, a: Dim, b: Dim) -> Dim:
        return a - b


class Mul(Binary):
    """``a * b``, with broadcasting. Numbers of one dtype."""

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.multiply(a, b)

    def combine(self, a: Dim, b: Dim) -> Dim:
        return a * b


class Div(Binary):
    """``a / b``, with broadcasting; integers divide towards zero, as in C. Numbers of one dtype."""

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


add = _binary(Add, "add")
sub = _binary(Sub, "sub")
mul = _binary(Mul, "mul")
div = _binary(Div, "div")


def pow(x: TensorLike, y: TensorLike) -> Tensor:
    """``x ** y``, with broadcasting, in the dtype of `x`; a plain number as `y` takes that dtype too."""
    if isinstance(x, Tensor) and not isinstance(y, Tensor):
        from unroll.tensor import constant

        whole = x.dtype if x.dtype.kind == "f" else None
        y = constant(y, whole)
    if isinstance(y, Tensor) and not isinstance(x, Tensor):
        from unroll.tensor import constant

        x = constant(x, y.dtype)
    return apply_one(Pow(), x, y)


# -- functions of one variable ----------------------------------------------------------------------------------------


class Neg(Unary):
    """``-x``."""

    signature = Signature("X: T -> Y: T", T=NUMBERS)

    def evaluate(self, x: Array) -> Array:
        return np.negative(x)


class Abs(Unary):
    """``|x|``."""

    signature = Signature("X: T -> Y: T", T=NUMBERS)

    def evaluate(self, x: Array) -> Array:
        return np.absolute(x)


class Sqrt(Unary):
    """The square root; NaN below zero."""

    def evaluate(self, x: Array) -> Array:
        return np.sqrt(x)


class Exp(Unary):
    """e to the power of `x`."""

    def evaluate(self, x: Array) -> Array:
        return np.exp(x)


class Log(Unary):
    """The natural logarithm; NaN below zero."""

    def evaluate(self, x: Array) -> Array:
        return np.log(x)


class Tanh(Unary):
    """The hyperbolic tangent."""

    def evaluate(self, x: Array) -> Array:
        return np.tanh(x)


class Sigmoid(Unary):
    """``1 / (1 + exp(-x))``."""

    def evaluate(self, x: Array) -> Array:
        small = np.exp(-np.abs(x))  # never overflows
        return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


class Relu(Unary):
    """``max(x, 0)``."""

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.maximum(x, x.dtype.type(0)))


class Softplus(Unary):
    """``log(1 + exp(x))``."""

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.logaddexp(x, x.dtype.type(0)))


class Softsign(Unary):
    """``x / (1 + |x|)``."""

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.divide(x, 1 + np.absolute(x)))


class Not(Unary):
    """Logical not, of booleans."""

    signature = Signature("X: bool -> Y: bool")

    def evaluate(self, x: Array) -> Array:
        return np.logical_not(x)


class Identity(Unary):
    """`x` itself, under another name."""

    signature = Signature("X: T -> Y: T", T=ALL)

    def evaluate(self, x: Array) -> Array:
        return x

    def known(self, *inputs: Tensor) -> Known:
        return inputs[0].known


neg = _unary(Neg, "neg")
abs_ = _unary(Abs, "abs")
sqrt = _unary(Sqrt, "sqrt")
exp = _unary(Exp, "exp")
log = _unary(Log, "log")
tanh = _unary(Tanh, "tanh")
sigmoid = _unary(Sigmoid, "sigmoid")
relu = _unary(Relu, "relu")
softplus = _unary(Softplus, "softplus")
softsign = _unary(Softsign, "softsign")
logical_not = _unary(Not, "logical_not")
identity = _unary(Identity, "identity")


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
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below."""
    return apply_one(Elu(alpha), x)


def leaky_relu(x: TensorLike, alpha: float = 0.01) -> Tensor:
    """``x`` above zero, ``alpha * x`` below."""
    return apply_one(LeakyRelu(alpha), x)


def hard_sigmoid(x: TensorLike, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """``max(0, min(1, alpha * x + beta))``, with ONNX's defaults."""
    return apply_one(HardSigmoid(alpha, beta), x)


# -- comparisons and choices ------------------------------------------------------------------------------------------


class Equal(Binary):
    """``a == b`` as booleans, with broadcasting."""

    signature = Signature("A: T, B: T -> C: bool", T=ALL)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.equal(a, b)


class Less(Binary):
    """``a < b`` as booleans, with broadcasting."""

    signature = Signature("A: T, B: T -> C: bool", T=NUMBERS)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.less(a, b)


class Greater(Binary):
    """``a > b`` as booleans, with broadcasting."""

    signature = Signature("A: T, B: T -> C: bool", T=NUMBERS)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.greater(a, b)


class And(Binary):
    """Logical and, of booleans, with broadcasting."""

    signature = Signature("A: bool, B: bool -> C: bool")

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.logical_and(a, b)


class Where(Operator):
    """`x` where `condition` is true, `y` elsewhere, with broadcasting."""

    signature = Signature("condition: bool, X: T, Y: T -> output: T", T=ALL)

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
        from unroll.errors import ShapeError

        for bound in (low, high):
            if bound is not None and bound.shape != ():
                raise ShapeError(f"a bound must be a scalar, not {bound.described()}")
        return [x.shape]

    def evaluate(self, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
        if low is not None:
            x = np.maximum(x, low)
        return x if high is None else np.minimum(x, high)


equal = _binary(Equal, "equal")
less = _binary(Less, "less")
greater = _binary(Greater, "greater")
logical_and = _binary(And, "logical_and")


def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
    """`x` where `condition` is true, `y` elsewhere, with broadcasting."""
    return apply_one(Where(), condition, x, y)


def clip(x: TensorLike, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """`x` limited to ``min .. max``; a bound that is None does not limit."""
    return apply_one(Clip(), x, min, max)


@dataclass(frozen=True, repr=False)
class Cast(Operator):
    """`x` converted to another dtype; floats become integers by dropping the fraction, booleans by ``!= 0``."""

    signature = Signature("input: T1 -> output: T1", T1=ALL)
    to: DType

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", dtype_attribute(self.to, "Cast"))

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        return [x.shape]

    def dtypes(self, types: Any) -> list[DType]:
        return [self.to]

    def evaluate(self, x: Array) -> Array:
        return x != 0 if self.to == BOOL else x.astype(self.to)

    def known(self, *inputs: Tensor) -> Known:
        return inputs[0].known


def cast(x: TensorLike, dtype: npt.DTypeLike) -> Tensor:
    """`x` converted to `dtype`; floats become integers by dropping the fraction, booleans by ``!= 0``."""
    return apply_one(Cast(dtype_attribute(dtype, "cast")), x)
