"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import NUMBERS, Array
from unroll.errors import ShapeError, UnsupportedError
from unroll.ops.operator import Operator, Requirements, Signature, apply_one, flag_attribute, float_attribute
from unroll.tensor import Tensor, TensorLike


class MatMul(Operator):
    """The matrix product of ``A (..., n, k)`` and ``B (..., k, m)``, as `numpy.matmul` has it; vectors are allowed."""

    signature = Signature("A: T, B: T -> Y: T", T=NUMBERS)

    def shapes(self, require: Requirements, a: Tensor, b: Tensor) -> list[Shape]:
        if not a.shape or not b.shape:
            raise ShapeError("a scalar has no matrix product; multiply with *")
        left = a.shape if len(a.shape) > 1 else (1, *a.shape)
        right = b.shape if len(b.shape) > 1 else (*b.shape, 1)
        require.equal(left[-1], right[-2], "the columns of A and the rows of B")
        stack = require.broadcast(left[:-2], right[:-2]) if len(left) + len(right) > 4 else ()
        rows = left[-2:-1] if len(a.shape) > 1 else ()
        columns = right[-1:] if len(b.shape) > 1 else ()
        return [(*stack, *rows, *columns)]

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        left = inputs[0]
        return 2 * prod(outputs[0]) * (left[-1] if left else 1)

    def evaluate(self, a: Array, b: Array) -> Array:
        return np.asarray(np.matmul(a, b))


_MATMUL = MatMul()


def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """The matrix product of ``a (..., n, k)`` and ``b (..., k, m)``: ``(..., n, m)``.

    Args:
        a: numbers ``(..., n, k)``, or a vector ``(k,)``.
        b: numbers ``(..., k, m)`` of the same dtype, or a vector ``(k,)``.

    Returns:
        ``(..., n, m)``, where the axes in front broadcast; a vector has no axis in the result.

    Raises:
        DTypeError: booleans, or dtypes that differ.
        ShapeError: a scalar, or shapes that do not fit.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> y = ops.matmul(x, [[1, 2, 3], [10, 20, 30]])  # x @ [...] is the same
        >>> unroll.Graph([x], y).run({x: [[1, 1]]}, y)
        array([[11., 22., 33.]], dtype=float32)
    """
    return apply_one(_MATMUL, a, b)


@dataclass(frozen=True, repr=False)
class Gemm(Operator):
    """``alpha * A' @ B' + beta * C`` of matrices, where A' and B' may be transposed and C broadcasts to the product."""

    signature = Signature("A: T, B: T, C: T? -> Y: T", T=NUMBERS)
    alpha: float = 1.0
    beta: float = 1.0
    transA: int | bool = 0  # noqa: N815 (ONNX's name)
    transB: int | bool = 0  # noqa: N815 (ONNX's name)

    def __post_init__(self) -> None:
        float_attribute(self, "alpha", "beta")
        flag_attribute(self, "transA", "transB")

    def shapes(self, require: Requirements, a: Tensor, b: Tensor, c: Tensor | None = None) -> list[Shape]:
        if len(a.shape) != 2 or len(b.shape) != 2:
            raise ShapeError("A and B must be matrices")
        if a.dtype.kind == "i" and not (self.alpha.is_integer() and self.beta.is_integer()):
            raise UnsupportedError(
                f"Gemm of integers ({a.described()}) takes whole alpha and beta; cast to a float first"
            )
        rows, inner = a.shape[::-1] if self.transA else a.shape
        inner_b, columns = b.shape[::-1] if self.transB else b.shape
        require.equal(inner, inner_b, "the columns of A and the rows of B")
        result: Shape = (rows, columns)
        if c is not None and require.broadcast(c.shape, result) != result:
            raise ShapeError("C does not broadcast to the product")
        return [result]

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        left = inputs[0]
        inner = left[0 if self.transA else 1] if left else 1
        return prod(outputs[0]) * (2 * inner + (len(inputs) > 2))

    def evaluate(self, a: Array, b: Array, c: Array | None = None) -> Array:
        kind = a.dtype.type
        product = np.matmul(a.T if self.transA else a, b.T if self.transB else b)
        if self.alpha != 1.0:
            product = (product * kind(self.alpha)).astype(a.dtype)
        if c is None:
            return np.asarray(product)
        return np.asarray(product + (c if self.beta == 1.0 else (c * kind(self.beta)).astype(a.dtype)))


def gemm(
    a: TensorLike,
    b: TensorLike,
    c: TensorLike | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: bool = False,  # noqa: N803 (ONNX's name)
    transB: bool = False,  # noqa: N803 (ONNX's name)
) -> Tensor:
    """``alpha * a' @ b' + beta * c``: a' is ``(n, k)``, b' ``(k, m)``, c broadcasts to ``(n, m)``.

    Args:
        a: numbers ``(n, k)``, or ``(k, n)`` with `transA`.
        b: numbers ``(k, m)``, or ``(m, k)`` with `transB`.
        c: what is added; broadcasts to ``(n, m)``.
        alpha: multiplies the product; a whole number where the tensors are of integers.
        beta: multiplies `c`; likewise.
        transA: whether `a` is transposed.
        transB: whether `b` is transposed.

    Returns:
        ``(n, m)``, of the dtype of `a`.

    Raises:
        ArgumentTypeError: `alpha` or `beta` is not a number.
        ArgumentError: `transA` or `transB` is neither True nor False.
        DTypeError: booleans, or dtypes that differ.
        ShapeError: the shapes do not fit.
        UnsupportedError: integers with an `alpha` or `beta` that is not whole.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> y = ops.gemm(x, [[1, 10], [2, 20], [3, 30]], [100], transB=True)
        >>> unroll.Graph([x], y).run({x: [[1, 1]]}, y)
        array([[111., 122., 133.]], dtype=float32)
    """
    return apply_one(Gemm(alpha, beta, transA, transB), a, b, c)
