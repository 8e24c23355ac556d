"""What walks over an input with a window: where the window goes, how many results there are, and what lies under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.checks import check_size
from unroll.dimensions import Dim, Dimension, Shape, floor_divide
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ShapeError
from unroll.ops.operator import Operator, Requirements
from unroll.tensor import Tensor

#: Pads that a run finds, for ``ceil(size / stride)`` results: the larger half after, as TensorFlow pads.
SAME_UPPER = "SAME_UPPER"


class Windowed(Operator, abstract=True):
    """An operator over windows of the axes of ``X`` from the third on; its subclass has these fields.

    Attributes:
        kernel_shape: the window, one size an axis.
        strides: its steps.
        pads: what is added before each axis, then after each; None where `auto_pad` says it.
        dilations: the distance between its elements; a subclass without it has them side by side.
        auto_pad: ``"SAME_UPPER"`` for pads that a run finds, else None.
    """

    kernel_shape: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...] | None
    auto_pad: str | None

    @property
    def _spread(self) -> tuple[int, ...]:
        return getattr(self, "dilations", None) or (1,) * len(self.kernel_shape)

    def sizes(self, require: Requirements, x: Tensor) -> Shape:
        """Return how many results there are along each axis.

        Raises:
            ShapeError: a window does not fit into its axis.
        """
        return tuple(self._size(require, place, size) for place, size in enumerate(x.shape[2:]))

    def _size(self, require: Requirements, place: int, size: Dim) -> Dim:
        stride, count = self.strides[place], len(self.kernel_shape)
        if self.pads is None:
            return floor_divide(size + stride - 1, stride)
        reach = self._spread[place] * (self.kernel_shape[place] - 1) + 1
        pads = self.pads[place] + self.pads[place + count]
        if isinstance(size, int) and size + pads < reach:
            spread = f" (dilation {self._spread[place]})" if self._spread[place] > 1 else ""
            raise ShapeError(
                f"a window of {self.kernel_shape[place]}{spread} does not fit into {size} on axis {place + 2}"
            )
        if reach - pads > 1:
            require.at_least(size, reach - pads, f"the window of {reach} on axis {place + 2}")
        return floor_divide(size + pads - reach + stride, stride)

    def pads_of(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return what is added before each axis, then after each, where the axes have these sizes."""
        if self.pads is not None:
            return self.pads
        ends = [same_pads(*each) for each in zip(sizes, self.kernel_shape, self.strides, self._spread, strict=True)]
        return (*(before for before, _ in ends), *(after for _, after in ends))

    def windows(self, x: Array, filling: float) -> Array:
        """Return what lies under the window at each place: ``(batch, channels, *places, *window)``, a view where nothing is
        padded.
        """
        count = len(self.kernel_shape)
        pads = self.pads_of(x.shape[2:])
        if any(pads):
            around = [(0, 0), (0, 0), *zip(pads[:count], pads[count:], strict=True)]
            x = np.pad(x, around, constant_values=filling)
        reach = [by * (size - 1) + 1 for size, by in zip(self.kernel_shape, self._spread, strict=True)]
        found = np.lib.stride_tricks.sliding_window_view(x, reach, tuple(range(2, 2 + count)))
        steps = (slice(None, None, by) for by in (*self.strides, *self._spread))
        return np.asarray(found[(slice(None), slice(None), *steps)])


def same_pads(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return what is added before and after an axis for ``ceil(size / stride)`` results, the larger half after."""
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def padding_of(
    x: Any, padding: str, window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[tuple[int, ...] | None, str | None]:
    """Return the pads and the automatic padding of an operator, for a padding by its name.

    Args:
        x: the input; anything else than a tensor of enough axes gives none, and the shape rule says what is wrong.
        padding: ``"same"``, ``"valid"``, or ``"causal"``: all of it before, so that no result sees what comes later.
        window: its sizes.
        strides: its steps.
        dilations: the distances between its elements.
    """
    none = (0,) * len(window)
    sizes = x.shape[2:] if isinstance(x, Tensor) and x.rank == len(window) + 2 else ()
    if padding == "causal":
        return (*(by * (size - 1) for size, by in zip(window, dilations, strict=True)), *none), None
    if padding == "valid" or not sizes:
        return (*none, *none), None
    ends: list[tuple[int, int]] = []
    for size, kernel, stride, dilation in zip(sizes, window, strides, dilations, strict=True):
        if isinstance(size, Dimension) and stride > 1:
            return None, SAME_UPPER
        ends.append(same_pads(size if isinstance(size, int) else 0, kernel, stride, dilation))
    return (*(before for before, _ in ends), *(after for _, after in ends)), None


def each(value: int | Sequence[int], count: int, what: str) -> tuple[int, ...]:
    """Return an int of at least 1 for each axis, of one for all or one each.

    Raises:
        ArgumentError, ArgumentTypeError: anything else.
    """
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(values) != count:
        raise ArgumentError(f"{what} {value!r}: an int of at least 1 is wanted, or {count} of them")
    return tuple(check_size(item, what) for item in values)
