"""Recognising steps that were cut from one tensor along its time axis, by any of the operators that can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unroll.dimensions import Dim, divide
from unroll.ops.joining import Split
from unroll.ops.shaping import Squeeze
from unroll.ops.slicing import Gather
from unroll.passes.rerolling.finding import View
from unroll.passes.tools.making import Maker
from unroll.passes.tools.weight_expressions import slice_of
from unroll.tensor import Constant, Tensor


class Cut(NamedTuple):
    """Piece `number` of `source`, of `size` along `axis`; without the axis where `squeezed`."""

    source: Tensor
    axis: int
    number: int
    size: Dim
    squeezed: bool

    def like(self, other: Cut) -> bool:
        """Say whether two cuts differ in their number alone."""
        return self.source is other.source and self._replace(number=0) == other._replace(number=0)


class Pieces(NamedTuple):
    """Steps that are pieces of one tensor, one after another.

    Attributes:
        first: the first piece in the tensor's order.
        total: how many there are.
        backward: whether the steps run from the last piece to the first.
    """

    first: Cut
    total: int
    backward: bool


def pieces_of(view: View, column: Sequence[Tensor]) -> Pieces | None:
    """Return what the tensors of a column are pieces of, in order; None where they are not."""
    first = _cut_of(view, column[0])
    if first is None or len(column) < 2:
        return None
    indices = []
    for tensor in column:
        cut = _cut_of(view, tensor)
        if cut is None or not cut.like(first):
            return None
        indices.append(cut.number)
    for backward in (False, True):
        low = indices[-1] if backward else indices[0]
        wanted = range(low, low + len(column))
        if indices == list(wanted[:: -1 if backward else 1]):
            return Pieces(first._replace(number=low), len(column), backward)
    return None


def stacked(maker: Maker, source: Tensor, pieces: Pieces) -> Tensor:
    """Return the pieces stacked along a new axis 0, in the order of the tensor; `source` is it in the new graph."""
    axis, size, low, count = pieces.first.axis, pieces.first.size, pieces.first.number, pieces.total
    if pieces.first.squeezed:
        return maker.moved(maker.cut(source, low, low + count, axis), axis, 0)
    before, after = source.shape[:axis], source.shape[axis + 1 :]
    if isinstance(size, int):
        part = maker.cut(source, low * size, (low + count) * size, axis)
        return maker.moved(maker.reshape(part, (*before, count, size, *after)), axis, 0)
    # Of pieces whose size is a symbol, some have bounds that are no numbers: they are cut out once they have an axis.
    there = divide(source.shape[axis], size) or count
    return maker.moved(
        maker.cut(maker.reshape(source, (*before, there, size, *after)), low, low + count, axis), axis, 0
    )


def _cut_of(view: View, tensor: Tensor) -> Cut | None:
    node = tensor.node
    if node is None or node not in view.inputs:
        return None
    source = view.inputs[node][0] if view.inputs[node] else None
    if source is None:
        return None
    if isinstance(node.op, Squeeze):
        inner = _cut_of(view, source)
        dropped = source.rank - tensor.rank == 1 and inner is not None and inner.size == 1 and not inner.squeezed
        axes = view.inputs[node][1].known if len(view.inputs[node]) > 1 else None  # type: ignore[union-attr]
        if not dropped or inner is None or not isinstance(axes, tuple) or int(axes[0]) % source.rank != inner.axis:
            return None
        return inner._replace(squeezed=True)
    if isinstance(node.op, Gather):
        return _gathered(view, tensor, source, node.op.axis)
    if isinstance(node.op, Split):
        return _split(view, tensor, source, node.op.axis)
    found = slice_of(node)
    if found is None:
        return None
    _, start, end, axis = found
    size = end - start
    return Cut(source, axis, start // size, size, False) if size and start % size == 0 else None


def _gathered(view: View, tensor: Tensor, source: Tensor, axis: int) -> Cut | None:
    index = view.inputs[tensor.node][1] if tensor.node is not None else None
    size = source.shape[axis % source.rank]
    if not isinstance(index, Constant) or index.shape != () or not isinstance(size, int):
        return None
    return Cut(source, axis % source.rank, int(index.value) % size, 1, True)


def _split(view: View, tensor: Tensor, source: Tensor, axis: int) -> Cut | None:
    axis %= source.rank
    if tensor.node is None or not view.is_even(tensor.node, axis):
        return None
    return Cut(source, axis, tensor.index, tensor.shape[axis], False)
