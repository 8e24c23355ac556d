"""ONNX's operators over windows, and what is put around a tensor for them, as unroll's operators.

Each reader raises `InexpressibleError` where they cannot say what a node does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.export.reading.calls import Call, InexpressibleError, ints_of, only
from unroll.ops import OPERATORS
from unroll.ops.convolution import Conv
from unroll.ops.functions import Identity
from unroll.ops.joining import Concat
from unroll.ops.padding import Pad
from unroll.ops.pooling import Pool
from unroll.ops.slicing import END, Gather, Slice
from unroll.ops.windows import SAME_UPPER
from unroll.tensor import Constant, Tensor

#: How often the end of an axis of any size is repeated, each time as one more input of a Concat.
_MOST_REPEATED = 64


def read_conv(call: Call) -> Sequence[Tensor]:
    """Read a Conv whose window is known.

    Raises:
        InexpressibleError: our operators cannot say it.
    """
    only(call, "auto_pad", "kernel_shape", "strides", "pads", "dilations", "group")
    window = tuple(size for size in call.tensor(1).shape[2:] if isinstance(size, int))
    if len(window) != call.tensor(1).rank - 2 or call.attributes.get("kernel_shape", window) != window:
        raise InexpressibleError("the size of its window is not known")
    group = call.attributes.get("group", 1)
    if group < 1:
        raise InexpressibleError(f"{group} groups")
    strides, pads, dilations, auto = _window(call, window)
    return call.apply(Conv(window, strides, pads, dilations, group, auto), *call.inputs)


def read_pool(call: Call) -> Sequence[Tensor]:
    """Read a MaxPool or AveragePool without dilations.

    Raises:
        InexpressibleError: our operators cannot say it.
    """
    only(call, "auto_pad", "kernel_shape", "strides", "pads", "dilations")
    kind: Any = OPERATORS["", call.op_type]
    window = call.attributes.get("kernel_shape", ())
    strides, pads, dilations, auto = _window(call, window)
    if min(window, default=0) < 1 or any(by > 1 for by in dilations):
        raise InexpressibleError(f"a window of {window}, dilations of {dilations}")
    if call.outputs > 1:
        raise InexpressibleError("the places of the largest are wanted as well")
    op: Pool = kind(window, strides, pads, auto)
    return call.apply(op, call.tensor(0))


def _window(
    call: Call, window: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...] | None, tuple[int, ...], str | None]:
    """Return strides, pads, dilations and automatic padding of an operator over windows."""
    ones, given, count = (1,) * len(window), call.attributes, len(window)
    strides, dilations = given.get("strides", ones), given.get("dilations", ones)
    auto, pads = given.get("auto_pad", "NOTSET"), given.get("pads", (0,) * 2 * count)
    if auto not in ("NOTSET", "VALID", SAME_UPPER) or (auto != "NOTSET" and any(pads)):
        raise InexpressibleError(f"auto_pad of {auto}")
    if len(pads) != 2 * count or min(pads, default=0) < 0:
        raise InexpressibleError(f"pads of {pads}")
    if len(strides) != count or len(dilations) != count or min((*strides, *dilations), default=1) < 1:
        raise InexpressibleError(f"strides of {strides}, dilations of {dilations}")
    return strides, None if auto == SAME_UPPER else pads, dilations, SAME_UPPER if auto == SAME_UPPER else None


def read_pad(call: Call) -> Sequence[Tensor]:
    """Read a Pad of any opset. Numbers below 0 leave elements out: a Slice.

    What repeats elements is one Gather an axis, and of an axis of any size a Concat.

    Raises:
        InexpressibleError: our operators cannot say it.
    """
    only(call, "mode", *(("pads", "value") if call.opset < 11 else ()))
    mode, x = call.attributes.get("mode", "constant"), call.tensor(0)
    ends = _ends(call, x)
    if mode == "constant":
        return _surrounded(call, x, ends)
    if mode not in ("edge", "reflect", "wrap"):
        raise InexpressibleError(f"mode {mode}")
    for axis in range(x.rank):
        size, before, after = x.shape[axis], ends[axis], ends[x.rank + axis]
        if isinstance(size, int) and (before or after):
            (x,) = call.apply(Gather(axis), x, ints_of(_padded_places(size, before, after, mode)))
        elif before or after:
            x = _edge_repeated(call, x, axis, before, after, mode)
    return call.apply(Identity(), x) if x is call.tensor(0) else [x]


def _ends(call: Call, x: Tensor) -> list[int]:
    """Return how many elements are put before each axis, and then after each.

    Raises:
        InexpressibleError: that is not known.
    """
    given = call.attributes.get("pads") if call.opset < 11 else call.tensor(1).known
    axes = call.tensor(3).known if call.input(3) is not None else tuple(range(x.rank))
    if not isinstance(given, tuple) or not isinstance(axes, tuple) or len(given) != 2 * len(axes):
        raise InexpressibleError(f"pads of {given}, axes of {axes}")
    ends = [0] * 2 * x.rank
    for place, axis in enumerate(axes):
        for side in (0, 1):
            end = given[place + side * len(axes)]
            if not isinstance(end, int) or not isinstance(axis, int) or not -x.rank <= axis < x.rank:
                raise InexpressibleError(f"{end} elements around axis {axis}")
            ends[axis % x.rank + side * x.rank] = end
    return ends


def _surrounded(call: Call, x: Tensor, ends: list[int]) -> Sequence[Tensor]:
    """Return a tensor with a number around it, and without what numbers below 0 leave out of that: of any size, in this order.

    Raises:
        InexpressibleError: nothing is left of an axis, or the number is of another dtype.
    """
    value, pads = call.input(2), ints_of([max(end, 0) for end in ends])
    if "value" in call.attributes:
        if x.dtype.kind != "f":
            raise InexpressibleError(f"a value of {call.attributes['value']} around {x.dtype}")
        value = Constant(np.asarray(call.attributes["value"], x.dtype))
    sides = list(zip(ends[: x.rank], ends[x.rank :], strict=True))
    if any(isinstance(size, int) and size + sum(both) < 0 for size, both in zip(x.shape, sides, strict=True)):
        raise InexpressibleError(f"pads of {ends} around {x.described()}")
    cut = [axis for axis, both in enumerate(sides) if min(both) < 0]
    plain = call.opset >= 11 and call.input(3) is None and not cut
    around = call.apply(Pad(), x, call.tensor(1) if plain else pads, value)
    starts, lasts = [max(-sides[axis][0], 0) for axis in cut], [min(sides[axis][1], 0) or END for axis in cut]
    return call.apply(Slice(), *around, ints_of(starts), ints_of(lasts), ints_of(cut)) if cut else around


def _padded_places(size: int, before: int, after: int, mode: Any) -> list[int]:
    """Return which elements of an axis stand along it once it is padded."""
    cut = [min(end, 0) for end in (before, after)]  # a number below 0 leaves out as many
    rest, most = size + sum(cut), max(before, after)
    limit = {"edge": math.inf, "reflect": rest - 1, "wrap": 0 if any(cut) else rest}[mode]
    if rest < 1 or most > limit:
        raise InexpressibleError(f"{before} and {after} elements around {size}, mode {mode}")
    kept = np.arange(size)[-cut[0] : size + cut[1]]
    places: list[int] = np.pad(kept, (max(before, 0), max(after, 0)), mode=mode).tolist()
    return places


def _edge_repeated(call: Call, x: Tensor, axis: int, before: int, after: int, mode: Any) -> Tensor:
    """Return a tensor with the ends of an axis of any size repeated, or left out."""
    if max(before, after) > (_MOST_REPEATED if mode == "edge" else 0):
        raise InexpressibleError(f"mode {mode}, {before} and {after} elements around an axis of {x.shape[axis]}")
    start, end = max(-before, 0), min(after, 0)

    def part(first: int, last: int) -> Tensor:
        (found,) = call.apply(Slice(), x, ints_of([first]), ints_of([last or END]), ints_of([axis]))
        return found

    parts = [part(start, start + 1)] * max(before, 0) + [part(start, end)] + [part(end - 1, end)] * max(after, 0)
    return call.apply(Concat(axis), *parts)[0] if len(parts) > 1 else parts[0]
