"""Normalisation over the last axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import FLOATS, Array
from unroll.errors import ShapeError
from unroll.ops.operator import Operator, Requirements, Signature, apply_one, axis_of, float_attribute, rank_of
from unroll.tensor import Tensor, TensorLike


@dataclass(frozen=True, repr=False)
class LayerNormalization(Operator):
    """``(x - mean) / sqrt(variance + epsilon) * Scale + B``, mean and variance over all axes from `axis` on.

    Ba, Kiros and Hinton, arXiv:1607.06450. float16 is computed in float32, as ONNX has it; float64 in float64, as its
    runners have it. Opsets before 17 have no such operator, and it is written as the operators that it is made of.
    """

    signature = Signature("X: T, Scale: T, B: T? -> Y: T", T=FLOATS)
    work = 8
    axis: int = -1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        float_attribute(self, "epsilon")

    def shapes(self, require: Requirements, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> list[Shape]:
        wanted = x.shape[axis_of(self.axis, len(x.shape)) :]
        for name, tensor in (("Scale", scale), ("B", bias)):
            if tensor is not None and require.broadcast(tensor.shape, wanted) != wanted:
                raise ShapeError(f"{name} does not broadcast to the axes from {self.axis} on")
        return [x.shape]

    def evaluate(self, x: Array, scale: Array, bias: Array | None = None) -> Array:
        kind = np.float32 if x.dtype == np.float16 else x.dtype
        wide = x.astype(kind)
        axes = tuple(range(self.axis % x.ndim, x.ndim))
        centred = wide - wide.mean(axis=axes, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + np.asarray(self.epsilon, kind))
        result = (centred / spread).astype(x.dtype) * scale
        return np.asarray(result if bias is None else result + bias)


def layer_normalization(
    x: TensorLike, scale: TensorLike, bias: TensorLike | None = None, *, axis: int = -1, epsilon: float = 1e-5
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + bias``, mean and variance over all axes of `x` from `axis` on.

    Args:
        x: floats.
        scale: broadcasts to the axes that are normalised over.
        bias: likewise; none where left out.
        axis: the first of these axes.
        epsilon: added to the variance.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentTypeError: `axis` is not an int, or `epsilon` is not a number.
        DTypeError: not floats, or dtypes that differ.
        ShapeError: scale or bias do not fit, or there is no such axis.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = ops.layer_normalization(x, [1, 1], epsilon=0.0)
        >>> unroll.Graph([x], y).run({x: [1, 5]}, y)  # the mean is 3, the standard deviation 2
        array([-1.,  1.], dtype=float32)
    """
    return apply_one(
        LayerNormalization(axis_of(axis, rank_of(x), "layer_normalization: axis"), epsilon), x, scale, bias
    )
