"""Making the nodes of the new graph that no node of the old one stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from unroll.dimensions import Dim, Shape, divide
from unroll.ops.arithmetic import Mul
from unroll.ops.filling import ConstantOfShape, Shape_
from unroll.ops.functions import Cast
from unroll.ops.joining import Concat, Split
from unroll.ops.operator import Operator, made
from unroll.ops.shaping import Expand, Reshape, Squeeze, Transpose, Unsqueeze
from unroll.ops.slicing import Gather, Slice
from unroll.passes.tools.rewriting import ints
from unroll.passes.tools.time_slices import Pieces
from unroll.scopes import Origin
from unroll.tensor import Constant, Tensor

#: For sizes that are not known: a tensor that has one, and on which axis.
Measured: TypeAlias = Mapping[Dim, tuple[Tensor, int]]


def measured(tensors: Iterable[tuple[Shape, Tensor]], first: int = 0) -> Measured:
    """Return where the sizes of shapes that are not known can be read off.

    Args:
        tensors: shapes, and the tensors that have them from axis `first` on. A shape may name a size as the old graph does,
            where the tensor of the new one has another name for it.
        first: the axis at which the shapes begin.
    """
    found: dict[Dim, tuple[Tensor, int]] = {}
    for shape, tensor in tensors:
        for axis, dim in enumerate(shape, first):
            if not isinstance(dim, int) and dim not in found:
                found[dim] = (tensor, axis)
    return found


@dataclass(frozen=True)
class Maker:
    """Makes nodes of one provenance; an operation that changes nothing makes none."""

    provenance: frozenset[Origin]

    def node(self, op: Operator, *inputs: Tensor | None, hint: str | None = None) -> tuple[Tensor, ...]:
        """Return the outputs of a new node."""
        return made(op, inputs, self.provenance, hint)

    def one(self, op: Operator, *inputs: Tensor | None) -> Tensor:
        """Return the output of a new node of one output."""
        return self.node(op, *inputs)[0]

    def reshape(self, x: Tensor, shape: Sequence[Dim]) -> Tensor:
        """Return `x` in a shape of which `x` has all sizes that are not known but one; it is as given, not computed anew."""
        if x.shape == tuple(shape):
            return x
        unknown = [dim for dim in shape if not isinstance(dim, int)]
        wanted: Tensor = ints(*(dim if isinstance(dim, int) else -1 for dim in shape))
        if len(unknown) > 1:
            there = measured([(x.shape, x)])
            inferred = next((dim for dim in unknown if dim not in there), None)
            wanted = self.sizes([-1 if dim == inferred else dim for dim in shape], there)
        result = self.one(Reshape(), x, wanted)
        result.take_shape(tuple(shape))
        return result

    def transpose(self, x: Tensor, perm: Sequence[int]) -> Tensor:
        """Return `x` with its axes in another order."""
        return x if list(perm) == sorted(perm) else self.one(Transpose(tuple(perm)), x)

    def moved(self, x: Tensor, start: int, end: int) -> Tensor:
        """Return `x` with axis `start` moved to place `end`."""
        order = [axis for axis in range(x.rank) if axis != start]
        order.insert(end, start)
        return self.transpose(x, order)

    def cut(self, x: Tensor, start: int, end: int, axis: int) -> Tensor:
        """Return ``x[start:end]`` along an axis."""
        if (start, end) == (0, x.shape[axis]):
            return x
        return self.one(Slice(), x, ints(start), ints(end), ints(axis))

    def at(self, x: Tensor, index: int, axis: int = 0) -> Tensor:
        """Return the slice ``x[index]`` along an axis, which is dropped."""
        if x.shape[axis] == 1:
            return self.squeeze(x, axis)
        return self.one(Gather(axis), x, Constant(np.array(index, np.int64)))

    def pieces(self, x: Tensor, count: int, axis: int = 0) -> list[Tensor]:
        """Return the slices along an axis of `count`, which is dropped."""
        if count == 1:
            return [self.squeeze(x, axis)]
        return [self.squeeze(piece, axis) for piece in self.node(Split(axis, count), x)]

    def joined(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        """Return tensors joined along an axis."""
        return parts[0] if len(parts) == 1 else self.one(Concat(axis), *parts)

    def squeeze(self, x: Tensor, *axes: int) -> Tensor:
        """Return `x` without axes of size one."""
        return self.one(Squeeze(), x, ints(*axes))

    def unsqueeze(self, x: Tensor, *axes: int) -> Tensor:
        """Return `x` with new axes of size one."""
        return self.one(Unsqueeze(), x, ints(*axes))

    def cast(self, x: Tensor, dtype: np.dtype[np.generic]) -> Tensor:
        """Return `x` in a dtype."""
        return x if x.dtype == dtype else self.one(Cast(dtype), x)

    def stacked(self, source: Tensor, pieces: Pieces) -> Tensor:
        """Return pieces of a tensor stacked along a new axis 0, in the tensor's order; `source` is it in the new graph."""
        (_, axis, low, size, squeezed), count = pieces.first, pieces.total
        if squeezed:
            return self.moved(self.cut(source, low, low + count, axis), axis, 0)
        before, after = source.shape[:axis], source.shape[axis + 1 :]
        if isinstance(size, int):
            part = self.cut(source, low * size, (low + count) * size, axis)
            if size == 1:
                return self.moved(self.unsqueeze(part, axis + 1), axis, 0)
            return self.moved(self.reshape(part, (*before, count, size, *after)), axis, 0)
        # Of pieces whose size is a symbol, some have bounds that are no numbers: they are cut out once they have an axis.
        there = divide(source.shape[axis], size) or count
        whole = self.reshape(source, (*before, there, size, *after))
        return self.moved(self.cut(whole, low, low + count, axis), axis, 0)

    def scaled(self, x: Tensor, factor: float) -> Tensor:
        """Return `x` times a number."""
        return x if factor == 1 else self.one(Mul(), x, Constant(np.array(factor, x.dtype)))

    def sizes(self, shape: Sequence[Dim], there: Measured) -> Tensor:
        """Return a shape as a vector; sizes that are not known are read where `there` says."""
        parts: list[Tensor] = []
        for dim in shape:
            if isinstance(dim, int):
                parts.append(ints(dim))
                continue
            source, axis = there[dim]
            size = self.one(Slice(), self.one(Shape_(), source), ints(axis), ints(axis + 1), ints(0))
            size.known = (dim,)  # as the shape calls it; see `measured`
            parts.append(size)
        return self.joined(parts, 0)

    def zeros(self, shape: Shape, dtype: np.dtype[np.generic], there: Measured) -> Tensor:
        """Return zeros; sizes that are not known are read where `there` says."""
        if all(isinstance(dim, int) for dim in shape):
            return Constant(np.zeros([int(dim) for dim in shape], dtype))
        return self.one(ConstantOfShape(0, dtype), self.sizes(shape, there))

    def expanded(self, x: Tensor, shape: Shape, there: Measured) -> Tensor:
        """Return `x` repeated along axes of size one; sizes that are not known are read where `there` says."""
        return x if x.shape == shape else self.one(Expand(), x, self.sizes(shape, there))
