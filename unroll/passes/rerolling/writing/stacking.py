"""Stacking a tensor of every step on a time axis, as early in the graph as can be.

Steps cut from one tensor are that tensor; states that a loop made are its stack; and what each step computes alike from such
tensors, such as the dense layer over every output, is computed once over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from unroll.ops.joining import Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import Operator
from unroll.ops.slicing import Gather
from unroll.passes.rerolling.finding import Column, View
from unroll.passes.rerolling.writing.over_time import (
    ALONG_AXES,
    LIKE_EACH_ELEMENT,
    along_axes,
    applied,
    may_be_shared,
    over_time,
)
from unroll.passes.tools.making import Maker
from unroll.passes.tools.rewriting import merged
from unroll.passes.tools.time_slices import TimeSlices
from unroll.tensor import Constant, Tensor

#: A stack, and whether it is in the reverse order of the column.
Stack = tuple[Tensor, bool]

#: The longest way up, in nodes, that is computed over all steps at once: each of them is a call within a call.
_DEEPEST = 100


class Stacker:
    """Makes stacks in the new graph, each of them once.

    Args:
        view: the old graph.
        new: gives what stands for a tensor of the old graph in the new one.
    """

    def __init__(self, view: View, new: Callable[[Tensor], Tensor]) -> None:
        self.view, self.new = view, new
        self._slices = TimeSlices(view.inputs.get)
        self._made: dict[Column, Tensor] = {}
        self._loops: dict[Tensor, tuple[Tensor, int]] = {}
        self._deep = 0

    def add_loop(self, tensors: Iterable[Tensor], stack: Tensor, places: Iterable[int]) -> None:
        """Say that a loop gives these tensors, at these places of a stack."""
        for place, tensor in zip(places, tensors, strict=True):
            self._loops[tensor] = (stack, place)

    def of_loop(self, tensor: Tensor) -> tuple[Tensor, int] | None:
        """Return the stack that a tensor is in, and its place there."""
        return self._loops.get(tensor)

    def stack(self, column: Column, maker: Maker) -> Stack:
        """Return the tensors of a column, all of one shape, stacked on axis 0."""
        if column in self._made:
            return self._made[column], False
        backward = column[::-1]
        if backward in self._made:
            return self._made[backward], True
        found = self.early(column, maker)
        if found is not None:
            return found
        if _descends(column):  # the numbers of steps walked backward are those of steps walked forward
            self._made[backward] = self._joined(backward, maker)
            return self._made[backward], True
        self._made[column] = self._joined(column, maker)
        return self._made[column], False

    def early(self, column: Column, maker: Maker) -> Stack | None:
        """Return the stack where no steps need to be joined for it; None where they do."""
        pieces = self._slices.pieces_of(column)
        if pieces is not None:
            forward = column[::-1] if pieces.backward else column
            if forward not in self._made:
                self._made[forward] = self._maker(column, maker).stacked(self.new(pieces.first.source), pieces)
            return self._made[forward], pieces.backward
        from_loop = self._from_loop(column, maker)
        if from_loop is not None or self._deep == _DEEPEST:
            return from_loop
        self._deep += 1
        try:
            return self._lifted(column, maker)
        finally:
            self._deep -= 1

    def _maker(self, column: Column, maker: Maker) -> Maker:
        nodes = [tensor.node for tensor in column if tensor.node is not None]
        return Maker(merged(nodes)) if nodes else maker

    def _from_loop(self, column: Column, maker: Maker) -> Stack | None:
        found = [self._loops.get(tensor) for tensor in column]
        places = [item[1] for item in found if item is not None and found[0] is not None and item[0] is found[0][0]]
        if found[0] is None or len(places) < len(column) or len(column) < 2:
            return None
        low, backward = min(places), places[0] > places[-1]
        if places[:: -1 if backward else 1] != list(range(low, low + len(column))):
            return None
        forward = column[::-1] if backward else column
        if forward not in self._made:
            self._made[forward] = maker.cut(found[0][0], low, low + len(column), 0)
        return self._made[forward], backward

    def _lifted(self, column: Column, maker: Maker) -> Stack | None:
        """Return what all steps compute in the same way, computed over all steps at once."""
        node = column[0].node
        if node is None or node not in self.view.inputs or len(column) < 2:
            return None
        if len(node.outputs) > 1 and not isinstance(node.op, Split):
            return None
        key, nodes = self.view.key(node), [tensor.node for tensor in column if tensor.node is not None]
        if (
            len(nodes) < len(column)
            or any(self.view.key(other) != key for other in nodes)
            or len({item.index for item in column}) > 1
        ):
            return None
        inputs = list(zip(*(self.view.inputs[other] for other in nodes), strict=True))
        if any(None in tensors for tensors in inputs):
            return None
        if isinstance(node.op, Gather) and node.op.axis % inputs[0][0].rank == 0 and _is_one(inputs[0]):
            return self._looked_up(node.op, inputs, column, maker)
        if isinstance(node.op, tuple(ALONG_AXES)):
            return self._along_axes(node.op, inputs, column, maker)
        op = over_time(node.op, column[0].rank)
        if op is None:
            return None
        if isinstance(op, Split):
            return self._split(op, inputs, column, maker)
        found: list[Tensor] = []
        directions: set[bool] = set()
        for place, tensors in enumerate(inputs):
            source = tensors[0]
            if all(tensor is source for tensor in tensors):
                if not may_be_shared(node.op, place, source, column[0].rank):
                    return None
                found.append(self.new(source))
                continue
            deeper = self._operand(node.op, place, tensors, column[0].rank, maker)
            if deeper is None:
                return None
            directions.add(deeper[1])
            found.append(deeper[0])
        if len(directions) != 1:
            return None
        (backward,) = directions
        return self._keep(column, applied(self._maker(column, maker), op, found), backward)

    def _operand(self, op: Operator, place: int, tensors: Column, rank: int, maker: Maker) -> Stack | None:
        """Return the stack of what `op` reads at one place, of `rank` axes a step; None where it takes none."""
        source = tensors[0]
        if any(tensor.shape != source.shape or tensor.dtype != source.dtype for tensor in tensors):
            return None
        if isinstance(op, (MatMul, Gemm)):  # one product over all steps is worth joining them for
            return self.stack(tensors, maker) if place == 0 and source.rank == 2 else None
        if source.rank == rank:
            return self.early(tensors, maker)
        if isinstance(op, LIKE_EACH_ELEMENT) and all(isinstance(tensor, Constant) for tensor in tensors):
            numbers, back = self.stack(tensors, maker)
            return maker.reshape(numbers, (len(tensors), *[1] * (rank - source.rank), *source.shape)), back
        return None

    def _split(self, op: Split, inputs: Sequence[Column], column: Column, maker: Maker) -> Stack | None:
        deeper = self.early(inputs[0], maker)
        shared = [tensors[0] for tensors in inputs[1:]]
        if deeper is None or not all(map(_is_one, inputs[1:])):
            return None
        forward = column[::-1] if deeper[1] else column
        pieces = self._maker(column, maker).node(op, deeper[0], *shared)
        nodes = [tensor.node for tensor in forward if tensor.node is not None]
        for index, piece in enumerate(pieces):
            self._made[tuple([node.outputs[index] for node in nodes])] = piece
        return self._made[forward], deeper[1]

    def _along_axes(self, op: Operator, inputs: Sequence[Column], column: Column, maker: Maker) -> Stack | None:
        """Return what is made along the axes of each step, such as a part of it, made of all steps."""
        deeper = self.early(inputs[0], maker)
        if deeper is None or not all(map(_is_one, inputs[1:])):
            return None
        shared = [self.new(tensors[0]) for tensors in inputs[1:]]
        made = along_axes(op, deeper[0], shared, column[0], self._maker(column, maker))
        return None if made is None else self._keep(column, made, deeper[1])

    def _looked_up(self, op: Gather, inputs: Sequence[Column], column: Column, maker: Maker) -> Stack | None:
        """Return the rows of a table that each step names, as those that the stack of all ids names."""
        ids = self.early(inputs[1], maker)
        if ids is None:
            return None
        return self._keep(column, self._maker(column, maker).one(op, self.new(inputs[0][0]), ids[0]), ids[1])

    def _keep(self, column: Column, stack: Tensor, backward: bool) -> Stack:
        self._made[column[::-1] if backward else column] = stack
        return stack, backward

    def _joined(self, column: Column, maker: Maker) -> Tensor:
        first = column[0]
        if all(isinstance(tensor, Constant) for tensor in column):
            return Constant(np.stack([tensor.value for tensor in column if isinstance(tensor, Constant)]))
        tensors = [self.new(tensor) for tensor in column]
        # A Reshape can compute one size, and takes a size of 0 for one to keep.
        if first.rank == 0 or 0 in first.shape or sum(not isinstance(dim, int) for dim in first.shape) > 1:
            return maker.joined([maker.unsqueeze(tensor, 0) for tensor in tensors], 0)
        return maker.reshape(maker.joined(tensors, 0), (len(column), *first.shape))


def _is_one(column: Column) -> bool:
    """Say whether all steps have the same tensor."""
    return all(tensor is column[0] for tensor in column)


def _descends(column: Column) -> bool:
    first, last = column[0], column[-1]
    return (
        isinstance(first, Constant)
        and isinstance(last, Constant)
        and first.rank == 0
        and bool(first.value > last.value)
    )
