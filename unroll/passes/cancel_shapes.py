"""Leave out operators that undo one another: two Transposes, a Squeeze after an Unsqueeze, a Split after a Concat.

Preserves all names of what is kept, and the values of the outputs to the bit: elements are only moved. Never
adds a node. Stacked steps that the next layer unstacks become the steps themselves; so does one step cut from a stack
of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.joining import Concat, Split
from unroll.ops.operator import made
from unroll.ops.shaping import Reshape, Squeeze, Transpose, Unsqueeze
from unroll.ops.slicing import Gather, Slice
from unroll.passes.tools.rewriting import Rewriting, in_place, ints, is_known, nodes_called
from unroll.passes.tools.time_slices import TimeSlices, slice_of
from unroll.tensor import Node, Tensor

#: What replaces the outputs of a node: existing tensors, or those of a new node.
Found = Sequence[Tensor] | None


@in_place
def cancel_shapes(graph: Graph) -> Graph:
    """Return `graph` without operators that undo one another; see this module for what is preserved."""
    with collector_paused():
        cancelling = Rewriting(graph)

        def write(node: Node) -> None:
            inputs = cancelling.inputs(node)
            source = inputs[0] if inputs else None
            found = _RULES[node.op.name](node, source, inputs) if source is not None and is_known(node.op) else None
            if found is None or [new.shape for new in found] != [old.shape for old in node.outputs]:
                cancelling.keep(node, inputs)
                return
            for old, new in zip(node.outputs, found, strict=True):
                cancelling.stand_in(old, new)

        return cancelling.walk(nodes_called(graph, _RULES), write)


def _transpose(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    before = source.node
    if before is None or not isinstance(before.op, Transpose) or not isinstance(node.op, Transpose):
        return None
    perm = tuple(before.op.perm[axis] for axis in node.op.perm)
    inner = before.inputs[0]
    if inner is None:
        return None
    return [inner] if perm == tuple(range(len(perm))) else made(Transpose(perm), (inner,), node.provenance)


def _reshape(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    """Skip a change of the shape before another one."""
    before, wanted = source.node, inputs[1]
    if before is None or not isinstance(before.op, (Reshape, Squeeze, Unsqueeze)) or wanted is None:
        return None
    inner = before.inputs[0]
    if inner is None or not isinstance(wanted.known, tuple) or not is_known(before.op):
        return None
    if inner.shape == node.outputs[0].shape:
        return [inner]
    # A 0 keeps a size of the shape between.
    return None if 0 in wanted.known else made(Reshape(), (inner, wanted), node.provenance)


def _squeeze(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    return _undone(node, source, Unsqueeze, source.rank)


def _unsqueeze(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    return _undone(node, source, Squeeze, node.outputs[0].rank)


def _undone(node: Node, source: Tensor, inverse: type[Squeeze | Unsqueeze], rank: int) -> Found:
    """Return the input of an Unsqueeze for the Squeeze of the same axes, and the other way round."""
    before = source.node
    if before is None or not isinstance(before.op, inverse):
        return None
    mine, its = _axes(node, rank), _axes(before, rank)
    inner = before.inputs[0]
    return [inner] if inner is not None and mine is not None and mine == its else None


def _axes(node: Node, rank: int) -> set[int] | None:
    axes = node.inputs[1].known if len(node.inputs) > 1 and node.inputs[1] is not None else None
    return {int(axis) % rank for axis in axes} if isinstance(axes, tuple) else None


#: What a piece of a tensor is made by.
_CUTS = (Gather, Slice, Split, Squeeze, Unsqueeze)


def _concat(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    """Return a tensor for all pieces of it, joined again in order."""
    parts = [part for part in inputs if part is not None]
    before = source.node
    if before is None or not isinstance(node.op, Concat) or len(parts) < len(inputs):
        return None
    inner, axis = before.inputs[0], node.op.axis % node.outputs[0].rank
    if isinstance(before.op, Split) and before.outputs == tuple(parts) and before.op.axis == node.op.axis:
        return None if inner is None else [inner]
    if any(part.node is None or not isinstance(part.node.op, _CUTS) for part in parts):
        return None
    pieces = TimeSlices().pieces_of([_before_unsqueeze(part, axis) for part in parts])
    if pieces is None or pieces.backward or pieces.first.axis != axis or pieces.first.number:
        return None
    whole = pieces.first.source
    return [whole] if whole.shape[axis] == node.outputs[0].shape[axis] else None


def _before_unsqueeze(tensor: Tensor, axis: int) -> Tensor:
    """Return what a tensor was before it was given `axis`; itself where it was not."""
    node = tensor.node
    if node is None or not isinstance(node.op, Unsqueeze) or _axes(node, tensor.rank) != {axis}:
        return tensor
    inner = node.inputs[0]
    return tensor if inner is None else inner


def _split(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    """Return what a Concat joined, for the same pieces cut apart again."""
    before = source.node
    if before is None or not isinstance(before.op, Concat) or not isinstance(node.op, Split):
        return None
    parts = [part for part in before.inputs if part is not None]
    return parts if before.op.axis == node.op.axis and len(parts) == len(node.outputs) else None


def _slice(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    """Cut the one piece of a Concat that holds what is wanted."""
    cut = slice_of(_on(node, inputs))
    if cut is None or source.node is None or not isinstance(source.node.op, Concat) or source.node.op.axis != cut[3]:
        return None
    start, end, axis = cut[1:]
    at = 0
    for part in source.node.inputs:
        size = part.shape[axis] if part is not None else None
        if part is None or not isinstance(size, int) or start < at:
            return None
        if start < at + size and end <= at + size and start < end:
            if (start, end) == (at, at + size):
                return [part]
            return made(Slice(), (part, ints(start - at), ints(end - at), ints(axis)), node.provenance)
        at += size
    return None


def _on(node: Node, inputs: Sequence[Tensor | None]) -> Node:
    """Return a node like `node` on other inputs, for inspection only."""
    return node.copied(tuple(inputs), node.provenance)


def _gather(node: Node, source: Tensor, inputs: Sequence[Tensor | None]) -> Found:
    """Squeeze the one piece of a Concat of pieces of size 1 that an index picks."""
    before, index = source.node, inputs[1].known if inputs[1] is not None else None
    if (
        before is None
        or not isinstance(before.op, Concat)
        or not isinstance(node.op, Gather)
        or not isinstance(index, int)
    ):
        return None
    axis = node.op.axis
    if before.op.axis != axis or any(part is None or part.shape[axis] != 1 for part in before.inputs):
        return None
    part = before.inputs[index]
    if part is None:
        return None
    inner = _before_unsqueeze(part, axis)
    return made(Squeeze(), (part, ints(axis)), node.provenance) if inner is part else [inner]


_RULES: dict[str, Callable[[Node, Tensor, Sequence[Tensor | None]], Found]] = {
    "Concat": _concat,
    "Gather": _gather,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
