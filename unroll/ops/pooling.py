"""The largest, and the mean, of what lies under a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np

from unroll.checks import check_choice, plain
from unroll.dimensions import Shape
from unroll.dtypes import FLOATS, Array
from unroll.errors import ShapeError, UnsupportedError
from unroll.ops.operator import Requirements, Signature, apply_one, listed, rank_of
from unroll.ops.windows import Windowed, each, padding_of
from unroll.tensor import Tensor, TensorLike

Padding = Literal["same", "valid"]


@dataclass(frozen=True, repr=False)
class Pool(Windowed, abstract=True):
    """What combines the elements of ``X (batch, channels, ...)`` under each window; what is padded takes no part."""

    signature = Signature("X: T -> Y: T", T=FLOATS)
    kernel_shape: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...] | None = None
    auto_pad: str | None = None

    def shapes(self, require: Requirements, x: Tensor) -> list[Shape]:
        if x.rank != len(self.kernel_shape) + 2:
            raise ShapeError(f"a window of {len(self.kernel_shape)} axes walks over (batch, channels, ...) of as many")
        if any(pad >= size for pad, size in zip(self.pads or (), self.kernel_shape * 2, strict=False)):
            raise ShapeError(
                f"pads {self.pads} must be smaller than the window {self.kernel_shape}, which else may hold none of X"
            )
        return [(*x.shape[:2], *self.sizes(require, x))]

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        return prod(outputs[0]) * prod(self.kernel_shape)

    @property
    def _inner(self) -> tuple[int, ...]:
        """The axes of the window in `windows`."""
        return tuple(range(-len(self.kernel_shape), 0))


class MaxPool(Pool):
    """The largest element under each window."""

    def evaluate(self, x: Array) -> Array:
        return np.asarray(self.windows(x, -np.inf).max(axis=self._inner))


class AveragePool(Pool):
    """The mean of the elements under each window, of those that are not padded."""

    def evaluate(self, x: Array) -> Array:
        kind = np.float32 if x.dtype == np.float16 else x.dtype
        total = self.windows(x.astype(kind), 0).sum(axis=self._inner)
        count = self.windows(np.ones((1, 1, *x.shape[2:]), kind), 0).sum(axis=self._inner)
        return np.asarray(total / count).astype(x.dtype)


def max_pool(
    x: TensorLike,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "valid",
) -> Tensor:
    """The largest element under each window over the axes of `x` from the third on.

    Args:
        x: floats ``(batch, channels, ...)``; a size that is not known stays a symbol.
        window: its size, one for all axes or one each.
        strides: its steps, one or one each; by default windows stand side by side.
        padding: ``"valid"`` for whole windows alone; ``"same"`` for ``ceil(size / stride)`` results.

    Returns:
        ``(batch, channels, ...)``.

    Raises:
        ArgumentError, ArgumentTypeError: a size or stride that is no int of at least 1, or no such padding.
        DTypeError: not floats.
        ShapeError: no axes to walk over, or one that is smaller than the window.
        UnsupportedError: ``"same"`` with strides above the window, over a size that is not known.

    Example:
        >>> x = unroll.placeholder([1, 1, 4], name="x")
        >>> y = ops.max_pool(x, 2)
        >>> unroll.Graph([x], y).run({x: [[[1, 4, 6, 7]]]}, y)
        array([[[4., 7.]]], dtype=float32)
    """
    return _pooled(MaxPool, "max_pool", x, window, strides, padding)


def average_pool(
    x: TensorLike,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "valid",
) -> Tensor:
    """The mean of the elements under each window over the axes of `x` from the third on; what is padded does not count.

    Args:
        x: floats ``(batch, channels, ...)``; a size that is not known stays a symbol.
        window: its size, one for all axes or one each.
        strides: its steps, one or one each; by default windows stand side by side.
        padding: ``"valid"`` for whole windows alone; ``"same"`` for ``ceil(size / stride)`` results.

    Returns:
        ``(batch, channels, ...)``.

    Raises:
        ArgumentError, ArgumentTypeError: a size or stride that is no int of at least 1, or no such padding.
        DTypeError: not floats.
        ShapeError: no axes to walk over, or one that is smaller than the window.
        UnsupportedError: ``"same"`` with strides above the window, over a size that is not known.

    Example:
        >>> x = unroll.placeholder([1, 1, 4], name="x")
        >>> y = ops.average_pool(x, 2)
        >>> unroll.Graph([x], y).run({x: [[[1, 3, 6, 8]]]}, y)
        array([[[2., 7.]]], dtype=float32)
    """
    return _pooled(AveragePool, "average_pool", x, window, strides, padding)


def _pooled(kind: type[Pool], what: str, x: TensorLike, window: Any, strides: Any, padding: str) -> Tensor:
    rank = rank_of(x) - 2
    if rank < 1:
        raise ShapeError(
            f"{what}: the input has {rank + 2} axes; (batch, channels, ...) with axes to walk over is wanted"
        )
    given = plain(window)  # one of NumPy's ints too
    sizes = each(given if isinstance(given, int) else listed(given, f"{what}: window"), rank, f"{what}: window")
    steps = sizes if strides is None else each(strides, rank, f"{what}: strides")
    check_choice(padding, ("same", "valid"), f"{what}: padding")
    pads, auto = padding_of(x, padding, sizes, steps, (1,) * rank)
    if auto is not None and any(step > size for step, size in zip(steps, sizes, strict=True)):
        raise UnsupportedError(
            f"{what}: padding='same' with strides {steps} above the window {sizes}, over sizes of which one is not known, is "
            "not supported: onnxruntime stops where it finds less than no padding. Give the size, or a window as long as the "
            "strides"
        )
    return apply_one(kind(sizes, steps, pads, auto), x)
