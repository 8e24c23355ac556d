"""Reading which part of a tensor another one is: what a Slice takes, and which step of a sequence a tensor was cut from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from unroll.dimensions import Dim
from unroll.ops.joining import Split
from unroll.ops.shaping import Squeeze
from unroll.ops.slicing import Gather, bounds_of
from unroll.tensor import Node, Tensor

#: What a node reads; None for a node that is not looked at.
Inputs: TypeAlias = "Callable[[Node], Sequence[Tensor | None] | None]"


def slice_of(node: Node | None) -> tuple[Tensor, int, int, int] | None:
    """Return (what is cut, start, end, axis) of a Slice along one axis by steps of one with plain bounds; None for others."""
    bounds = bounds_of(node)
    if node is None or bounds is None or len(bounds) != 1 or node.inputs[0] is None:
        return None
    ((axis, (first, last)),) = bounds.items()
    size = node.inputs[0].shape[axis]
    if not isinstance(size, int) or not isinstance(first, int) or not isinstance(last, int):
        return None
    start, end, _ = slice(first, last).indices(size)
    return node.inputs[0], start, max(start, end), axis


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


class TimeSlices:
    """Reads which steps were cut from one tensor along its time axis, by any of the operators that can.

    Args:
        inputs: what each node reads, where that is not `Node.inputs`.
    """

    def __init__(self, inputs: Inputs = attrgetter("inputs")) -> None:
        self._inputs = inputs
        self._even: dict[Node, bool] = {}

    def pieces_of(self, column: Sequence[Tensor]) -> Pieces | None:
        """Return what the tensors of a column are pieces of, in order; None where they are not."""
        first = self.cut_of(column[0])
        if first is None or len(column) < 2:
            return None
        indices = []
        for tensor in column:
            cut = self.cut_of(tensor)
            if cut is None or not cut.like(first):
                return None
            indices.append(cut.number)
        for backward in (False, True):
            low = indices[-1] if backward else indices[0]
            wanted = range(low, low + len(column))
            if indices == list(wanted[:: -1 if backward else 1]):
                return Pieces(first._replace(number=low), len(column), backward)
        return None

    def cut_of(self, tensor: Tensor) -> Cut | None:
        """Return what a tensor is a piece of; None where it is none."""
        node = tensor.node
        inputs = None if node is None else self._inputs(node)
        source = inputs[0] if inputs else None
        if node is None or inputs is None or source is None:
            return None
        if isinstance(node.op, Squeeze):
            return self._squeezed(tensor, source, inputs)
        if isinstance(node.op, Gather):
            index, axis = inputs[1], node.op.axis % source.rank
            size, number = source.shape[axis], None if index is None else index.known
            if not isinstance(number, int) or not isinstance(size, int) or not size:
                return None
            return Cut(source, axis, number % size, 1, True)
        if isinstance(node.op, Split):
            axis = node.op.axis % source.rank
            return Cut(source, axis, tensor.index, tensor.shape[axis], False) if self._is_even(node, axis) else None
        found = slice_of(node)
        if found is None:
            return None
        _, start, end, axis = found
        size = end - start
        return Cut(source, axis, start // size, size, False) if size and start % size == 0 else None

    def _squeezed(self, tensor: Tensor, source: Tensor, inputs: Sequence[Tensor | None]) -> Cut | None:
        cut = self.cut_of(source)
        axes = inputs[1].known if len(inputs) > 1 and inputs[1] is not None else None
        if cut is None or cut.squeezed or cut.size != 1 or source.rank - tensor.rank != 1:
            return None
        if not isinstance(axes, tuple) or int(axes[0]) % source.rank != cut.axis:
            return None
        return cut._replace(squeezed=True)

    def _is_even(self, split: Node, axis: int) -> bool:
        """Say whether a Split makes pieces of one size; found once for all of them."""
        if split not in self._even:
            self._even[split] = len({piece.shape[axis] for piece in split.outputs}) == 1
        return self._even[split]
