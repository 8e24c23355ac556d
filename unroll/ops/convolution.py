"""Convolution over any number of spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from unroll.checks import check_choice, check_size
from unroll.dimensions import Dim, Shape
from unroll.dtypes import FLOATS, Array
from unroll.errors import ArgumentError, ShapeError
from unroll.ops.operator import Operator, Requirements, Signature, apply_one, as_tensor
from unroll.tensor import Tensor, TensorLike

Padding = Literal["same", "valid"]


@dataclass(frozen=True, repr=False)
class Conv(Operator):
    """The cross-correlation of ``X (batch, channels, ...)`` with ``W (filters, channels / group, ...)``, plus a bias."""

    signature = Signature("X: T, W: T, B: T? -> Y: T", T=FLOATS)
    kernel_shape: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    group: int = 1

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
        sizes = zip(x.shape[2:], self.kernel_shape, self.strides, self.dilations, strict=True)
        return [(x.shape[0], filters, *(self._size(axis, *size) for axis, size in enumerate(sizes)))]

    def _size(self, axis: int, size: Dim, kernel: int, stride: int, dilation: int) -> int:
        if not isinstance(size, int):
            raise ShapeError(f"the size of axis {axis + 2} must be known, not {size}")
        left = size + self.pads[axis] + self.pads[axis + len(self.kernel_shape)] - dilation * (kernel - 1) - 1
        if left < 0:
            raise ShapeError(f"a kernel of {kernel} (dilation {dilation}) does not fit into {size} on axis {axis + 2}")
        return left // stride + 1

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        kernel = inputs[1]
        return prod(outputs[0]) * (2 * prod(kernel[1:] if kernel else ()) + (len(inputs) > 2))

    def evaluate(self, x: Array, w: Array, b: Array | None = None) -> Array:
        count = len(self.kernel_shape)
        axes = tuple(range(2, 2 + count))
        x = np.pad(x, [(0, 0), (0, 0), *zip(self.pads[:count], self.pads[count:], strict=True)])
        reach = [
            dilation * (kernel - 1) + 1 for kernel, dilation in zip(self.kernel_shape, self.dilations, strict=True)
        ]
        windows = np.lib.stride_tricks.sliding_window_view(x, reach, axes)
        steps = [slice(None, None, stride) for stride in self.strides]
        cut = (slice(None), slice(None), *steps, *(slice(None, None, by) for by in self.dilations))
        windows = windows[cut]
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
        x: ``(batch, channels, ...)`` with spatial sizes that are known.
        kernel: ``(filters, channels / group, ...)``.
        bias: ``(filters,)``.
        strides: of the window, one for all spatial axes or one each.
        padding: ``"valid"`` for none; ``"same"`` for ``ceil(size / stride)`` results, the larger half of the zeros after,
            as TensorFlow pads.
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
    steps, spread = _each(strides, len(window), "strides"), _each(dilations, len(window), "dilations")
    check_choice(padding, ("same", "valid"), "conv: padding")
    group = check_size(group, "conv: group")
    pads = (0,) * (2 * len(window))
    if padding == "same" and isinstance(x, Tensor) and x.rank == kernel.rank:
        pairs = [_same(*sizes) for sizes in zip(x.shape[2:], window, steps, spread, strict=True)]
        pads = (*(before for before, _ in pairs), *(after for _, after in pairs))
    return apply_one(Conv(window, steps, pads, spread, group), x, kernel, bias)


def _each(value: int | Sequence[int], count: int, what: str) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(values) != count:
        raise ArgumentError(f"conv: {what} {value!r}: an int of at least 1 is wanted, or {count} of them")
    return tuple(check_size(item, f"conv: {what}") for item in values)


def _same(size: Dim, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the zeros before and after an axis for ``ceil(size / stride)`` results."""
    if not isinstance(size, int):
        return 0, 0  # the shape rule says what is wrong
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2
