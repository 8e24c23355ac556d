"""Where numbers lie: buffers, and views of them with offsets, strides and padded last axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal, NamedTuple

from unroll.dtypes import Array, DType

Sizes = tuple[int, ...]
#: Where lines of memory begin. What takes fewer bytes is not aligned: it would take more room than it is worth.
ALIGNED = 64
Kind = Literal["input", "output", "weight", "scratch"]


class LoopVar(NamedTuple):
    """The counter of a loop.

    Attributes:
        name: its name in C.
        steps: how often the loop runs.
        depth: how many loops it is in, itself among them.
    """

    name: str
    steps: int
    depth: int


@dataclass(eq=False)
class Buffer:
    """A row of numbers.

    Attributes:
        name: its name in C.
        dtype: of its numbers, as they are computed with.
        size: how many there are.
        kind: whose it is: the caller's, a weight, or scratch in the context.
        value: of a weight, its numbers.
        about: what a reader is told of it.
        room: of scratch, the buffer in whose place it is; None where it has a place of its own.
        guests: the buffers that are in its place at other times.
    """

    name: str
    dtype: DType
    size: int
    kind: Kind
    value: Array | None = None
    about: str = ""
    room: Buffer | None = None
    guests: list[Buffer] = field(default_factory=list)

    @property
    def held(self) -> DType:
        """The dtype in which its numbers lie in memory: of a weight it may be one of fewer bits."""
        return self.dtype if self.value is None else self.value.dtype

    @property
    def bytes(self) -> int:
        """How many bytes its own numbers take."""
        return self.size * self.held.itemsize

    @property
    def extent(self) -> int:
        """How many numbers its place holds."""
        return max(self.size, *(guest.size for guest in self.guests), 0)


class Block(NamedTuple):
    """A last axis cut into blocks, the last of which is filled up, so that loops over whole blocks may run over its end.

    Attributes:
        unit: how long a block is.
        stride: how far it is from one block to the next.
    """

    unit: int
    stride: int


@dataclass(frozen=True, eq=False)
class View:
    """Numbers of a buffer as a tensor.

    Attributes:
        buffer: the buffer.
        shape: the sizes.
        strides: how far it is to the next element on each axis.
        offset: where the first element is.
        moving: by how much the offset grows with each run of loops.
        block: how the last axis is cut into blocks; None where it has only its stride.
        depth: how many loops must be inside of which its numbers are there.
        born: the same of the buffer that it looks at.
    """

    buffer: Buffer
    shape: Sizes
    strides: Sizes
    offset: int = 0
    moving: tuple[tuple[LoopVar, int], ...] = ()
    block: Block | None = None
    depth: int = 0
    born: int = 0

    @property
    def dtype(self) -> DType:
        """The dtype of its numbers."""
        return self.buffer.dtype

    @property
    def size(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    def plain(self) -> View | None:
        """Return this view with nothing but strides; None where its blocks lie apart."""
        if self.block is None:
            return self
        together = self.block.unit == self.block.stride or self.shape[-1] <= self.block.unit
        return replace(self, block=None) if together else None

    def expanded(self, shape: Sizes) -> View:
        """Return this view broadcast to a shape."""
        if shape == self.shape:
            return self
        new = len(shape) - len(self.shape)
        pairs = zip(shape[new:], self.shape, self.strides, strict=True)
        strides = tuple(0 if old == 1 and size != 1 else stride for size, old, stride in pairs)
        kept = self.block if self.shape and self.shape[-1] == shape[-1] else None
        return replace(self, shape=shape, strides=(0,) * new + strides, block=kept)

    def permuted(self, order: Sequence[int]) -> View | None:
        """Return this view with its axes in another order; None where that needs a copy."""
        seen: View | None = self
        if self.block is not None and order and order[-1] != len(self.shape) - 1:
            seen = self.plain()
        if seen is None:
            return None
        return replace(
            seen, shape=tuple(seen.shape[axis] for axis in order), strides=tuple(seen.strides[axis] for axis in order)
        )

    def cut(self, axis: int, start: int, count: int, step: int = 1) -> View | None:
        """Return some elements along an axis; None where that needs a copy."""
        shape = tuple(count if at == axis else size for at, size in enumerate(self.shape))
        if self.block is None or axis != len(self.shape) - 1:
            strides = tuple(stride * step if at == axis else stride for at, stride in enumerate(self.strides))
            return replace(self, shape=shape, strides=strides, offset=self.offset + start * self.strides[axis])
        unit, stride = self.block
        whole = count % unit == 0 or start + count == self.shape[-1]
        if step == 1 and start % unit == 0 and (whole or count <= unit):
            block = self.block if whole else None
            return replace(self, shape=shape, offset=self.offset + start // unit * stride, block=block)
        bare = self.plain()
        return None if bare is None else bare.cut(axis, start, count, step)

    def reshaped(self, shape: Sizes) -> View | None:
        """Return this view in another shape; None where that needs a copy."""
        if shape == self.shape:
            return self
        if self.block is not None:
            return self._reshaped_before(shape)
        strides = _strides_of(self.shape, self.strides, shape)
        return None if strides is None else replace(self, shape=shape, strides=strides)

    def _reshaped_before(self, shape: Sizes) -> View | None:
        """Return a view whose last axis stays as it is in another shape."""
        if shape and shape[-1] == self.shape[-1]:
            front = _strides_of(self.shape[:-1], self.strides[:-1], shape[:-1])
            if front is not None:
                return replace(self, shape=shape, strides=(*front, self.strides[-1]))
        bare = self.plain()
        return None if bare is None else bare.reshaped(shape)

    def row(self, var: LoopVar, backward: bool) -> View | None:
        """Return the slice along axis 0 at which a loop is; None where that needs a copy."""
        if self.block is not None and len(self.shape) == 1:
            bare = self.plain()
            return None if bare is None else bare.row(var, backward)
        step = self.strides[0]
        start = (var.steps - 1) * step if backward else 0
        moving = (*self.moving, (var, -step if backward else step))
        return replace(
            self,
            shape=self.shape[1:],
            strides=self.strides[1:],
            offset=self.offset + start,
            moving=moving,
            depth=var.depth,
        )

    def overlaps(self, other: View) -> bool:
        """Say whether two views may share numbers, and are not the same."""
        return self.buffer is other.buffer and self.place != other.place

    @property
    def place(self) -> tuple[object, ...]:
        """Which numbers it has, in which order; equal for equal ones."""
        block = self.block if self.plain() is None else None
        strides = tuple(stride if size != 1 else 0 for size, stride in zip(self.shape, self.strides, strict=True))
        moving = tuple(pair for pair in self.moving if pair[1])
        return (id(self.buffer), self.shape, strides, self.offset, moving, block)


def _strides_of(shape: Sizes, strides: Sizes, wanted: Sizes) -> Sizes | None:
    """Return the strides of the same elements in another shape; None where there are none."""
    if prod(wanted) != prod(shape):
        return None
    if 0 in wanted:
        return (0,) * len(wanted)
    old: list[tuple[int, int]] = []
    for size, stride in zip(shape, strides, strict=True):
        if old and size != 1 and old[-1][1] == stride * size:
            old[-1] = (old[-1][0] * size, stride)
        elif size != 1:
            old.append((size, stride))
    found: list[int] = []
    for size in wanted[::-1]:
        if size == 1:
            found.append(0)
            continue
        if not old:
            return None
        have, step = old.pop()
        if have % size:
            return None
        if have != size:
            old.append((have // size, step * size))
        found.append(step)
    return tuple(found[::-1])


def contiguous(shape: Sizes) -> Sizes:
    """Return the strides of a tensor whose elements lie one after another."""
    strides: list[int] = []
    step = 1
    for size in shape[::-1]:
        strides.append(step)
        step *= size
    return tuple(strides[::-1])


def unit_of(size: int) -> int:
    """Return how long the blocks of an axis are: as long as vectors of processors, and no longer than is of use."""
    if size > 8:
        return 16 if -(-size // 8) % 2 == 0 else 8
    return 8 if size > 4 else 4 if size > 2 else size


def rounded(size: int, unit: int) -> int:
    """Return a size filled up to whole blocks."""
    return -(-size // unit) * unit
