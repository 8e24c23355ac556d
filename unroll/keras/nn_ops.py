"""The functions of ``keras.ops`` that networks are made of and scored by: convolutions, pooling, cross-entropies."""

from __future__ import annotations

from typing import Any

from unroll import ops as ours
from unroll.checks import check_choice, check_flag
from unroll.errors import ShapeError
from unroll.keras.symbolic_ops import symbolic
from unroll.layers.window import DataFormat, Padding, Sizes, Window, window_of
from unroll.ops import losses
from unroll.ops.operator import as_tensor
from unroll.tensor import Tensor, TensorLike

#: How close a probability comes to 0 and 1 before its logarithm is taken.
_NEAR = 1e-7


def _window(
    x: Tensor, size: Sizes, strides: Any, padding: Any, data_format: Any, dilation: Sizes, what: str, called: str
) -> Window:
    """Return how a window walks over the axes of x between batch and channels."""
    if x.rank < 3:
        raise ShapeError(f"{what}: {x.described()} has no axes between batch and channels")
    lowered = padding.lower() if isinstance(padding, str) else padding
    kind: Any = check_choice(lowered, ("valid", "same"), f"{what}: padding")
    layout: Any = "channels_last" if data_format is None else data_format
    layout = check_choice(layout, ("channels_last", "channels_first"), f"{what}: data_format")
    return window_of(x.rank - 2, size, strides, kind, layout, dilation, what, called)


@symbolic
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Return the convolution of ``(batch, ..., channels)`` by a kernel ``(*window, channels, filters)``.

    Raises:
        ShapeError: the kernel has another rank than the inputs, or a size that is not known.
    """
    x, w = as_tensor(inputs, "conv: inputs"), as_tensor(kernel, "conv: kernel")
    if w.rank != x.rank or not all(isinstance(size, int) for size in w.shape):
        raise ShapeError(f"conv: a kernel (*window, channels, filters) of known size is wanted, not {w.described()}")
    size: Any = w.shape[:-2]
    window = _window(x, size, strides, padding, data_format, dilation_rate, "conv", "kernel")
    return window.back(window.over_input(x, w, None))


def _pooled(function: Any, what: str, inputs: Any, size: Any, strides: Any, padding: Any, data_format: Any) -> Tensor:
    x = as_tensor(inputs, f"{what}: inputs")
    steps = size if strides is None else strides
    window = _window(x, size, steps, padding, data_format, 1, what, "pool_size")
    found = function(window.channels_first(x), window.kernel_size, strides=window.strides, padding=window.padding)
    return window.back(found)


@symbolic
def max_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
) -> Tensor:
    """Return the largest element of each channel of ``(batch, ..., channels)`` under each window."""
    return _pooled(ours.max_pool, "max_pool", inputs, pool_size, strides, padding, data_format)


@symbolic
def average_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
) -> Tensor:
    """Return the mean of each channel of ``(batch, ..., channels)`` under each window."""
    return _pooled(ours.average_pool, "average_pool", inputs, pool_size, strides, padding, data_format)


@symbolic
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the cross-entropy of a distribution over an axis, and the one that a model gives, or its logits."""
    made = as_tensor(output, "categorical_crossentropy: output")
    if check_flag(from_logits, "categorical_crossentropy: from_logits"):
        return losses.softmax_cross_entropy(target, made, axis)
    chance = ours.clip(made / ours.reduce_sum(made, [axis], True), _NEAR, 1 - _NEAR)
    return -ours.reduce_sum(target * ours.log(chance), [axis])


@symbolic
def sparse_categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """Return the cross-entropy of one class each, by its number, and what a model gives along the last axis."""
    made = as_tensor(output, "sparse_categorical_crossentropy: output")
    if check_flag(from_logits, "sparse_categorical_crossentropy: from_logits"):
        return losses.sparse_cross_entropy(target, made)
    return losses.sparse_cross_entropy(target, ours.log(ours.clip(made, _NEAR, 1 - _NEAR)))


@symbolic
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """Return the cross-entropy of each label by itself, and the probability that a model gives, or its logit."""
    made = as_tensor(output, "binary_crossentropy: output")
    if check_flag(from_logits, "binary_crossentropy: from_logits"):
        return losses.sigmoid_cross_entropy(target, made)
    return losses.log_loss(target, ours.clip(made, _NEAR, 1 - _NEAR), 0.0)


__all__ = [
    "average_pool",
    "binary_crossentropy",
    "categorical_crossentropy",
    "conv",
    "max_pool",
    "sparse_categorical_crossentropy",
]
