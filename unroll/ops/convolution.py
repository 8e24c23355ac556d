"""Convolution over any number of spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from unroll.checks import check_choice, check_size
from unroll.dimensions import Shape
from unroll.dtypes import FLOATS, Array
from unroll.errors import ShapeError
from unroll.ops.operator import Requirements, Signature, apply_one, as_tensor
from unroll.ops.windows import Windowed, each, padding_of
from unroll.tensor import Tensor, TensorLike

Padding = Literal["same", "valid", "causal"]


@dataclass(frozen=True, repr=False)
class Conv(Windowed):
    """The cross-correlation of ``X (batch, channels, ...)`` with ``W (filters, channels / group, ...)``, plus a bias."""

    signature = Signature("X: T, W: T, B: T? -> Y: T", T=FLOATS)
    kernel_shape: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...] | None = None
    dilations: tuple[int, ...] = ()
    group: int = 1
    auto_pad: str | None = None

    def shapes(self, require: Requirements, x: Tensor, w: Tensor, b: Tensor | None = None) -> list[Shape]:
        axes = len(self.kernel_shape)
        if x.rank != axes + 2 or w.rank != axes + 2 or w.shape[2:] != self.kernel_shape:
            raise ShapeError("X must be (batch, channels, ...) and W (filters, channels, ...) of as many axes")
        filters, channels = w.shape[:2]
        require.equal(x.shape[1], channels * self.group, "the channels of X and those of W")
        if not isinstance(filters, int) or filters % self.group:
            raise ShapeError(f"{filters} filters cannot be divided into {self.group} groups")
        if b is not None and b.shape != (filters,):
            raise ShapeError(f"the bias must be ({filters},)")
        return [(x.shape[0], filters, *self.sizes(require, x))]

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        kernel = inputs[1]
        return prod(outputs[0]) * (2 * prod(kernel[1:] if kernel else ()) + (len(inputs) > 2))

    def evaluate(self, x: Array, w: Array, b: Array | None = None) -> Array:
        count = len(self.kernel_shape)
        windows = self.windows(x, 0)
        shape = (x.shape[0], self.group, x.shape[1] // self.group, *windows.shape[2:])
        kernels = w.reshape(self.group, -1, *w.shape[1:])
        places, inner = "hij"[:count], "klm"[:count]
        product = np.einsum(
            f"ngc{places}{inner},gfc{inner}->ngf{places}", windows.reshape(shape), kernels, optimize=True
        )
        product = product.reshape(x.shape[0], len(w), *product.shape[3:])
        return np.asarray(product if b is None else product + b.reshape(-1, *[1] * count)).astype(x.dtype)


def conv(
    x: TensorLike,
    kernel: TensorLike,
    bias: TensorLike | None = None,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilations: int | Sequence[int] = 1,
    group: int = 1,
) -> Tensor:
    """The cross-correlation of `x` with `kernel`, which deep learning calls convolution, over 1 to 3 axes.

    Args:
        x: ``(batch, channels, ...)``; a size that is not known stays a symbol.
        kernel: ``(filters, channels / group, ...)``.
        bias: ``(filters,)``.
        strides: of the window, one for all spatial axes or one each.
        padding: ``"valid"`` for none; ``"same"`` for ``ceil(size / stride)`` results, the larger half of the zeros after,
            as TensorFlow pads; ``"causal"`` for all zeros before, so that no result sees what comes later.
        dilations: the distance between the elements of the window, one or one each.
        group: into how many groups channels and filters are divided.

    Returns:
        ``(batch, filters, ...)``.

    Raises:
        ArgumentError: a stride, dilation or group below 1, or no such padding.
        ArgumentTypeError: one of them is not an int.
        DTypeError: not floats, or dtypes that differ.
        ShapeError: the shapes do not fit.

    Example:
        >>> x = unroll.placeholder([1, 1, 4], name="x")
        >>> y = ops.conv(x, unroll.constant([[[1.0, -1.0]]]))
        >>> unroll.Graph([x], y).run({x: [[[1, 4, 6, 7]]]}, y)  # 1 - 4, 4 - 6, 6 - 7
        array([[[-3., -2., -1.]]], dtype=float32)
    """
    kernel = as_tensor(kernel, "conv: kernel")
    window = tuple(int(size) for size in kernel.shape[2:] if isinstance(size, int))
    if not 1 <= len(window) <= 3 or len(window) != kernel.rank - 2:
        raise ShapeError(f"conv: the kernel {kernel.described()} must be (filters, channels, ...) of 1 to 3 known axes")
    steps, spread = each(strides, len(window), "conv: strides"), each(dilations, len(window), "conv: dilations")
    check_choice(padding, ("same", "valid", "causal"), "conv: padding")
    group = check_size(group, "conv: group")
    pads, auto = padding_of(x, padding, window, steps, spread)
    return apply_one(Conv(window, steps, pads, spread, group, auto), x, kernel, bias)
