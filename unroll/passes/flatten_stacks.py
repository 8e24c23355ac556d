"""Cut and stack steps without a Squeeze or an Unsqueeze for each of them.

Preserves all names of what is kept, and the values of the outputs to the bit. Never adds a node: T steps that are
each squeezed from a Split are cut from one Reshape, and T steps that are each unsqueezed for a Concat are joined as
they are and reshaped once.
"""

from __future__ import annotations

from collections.abc import Sequence

from unroll.dimensions import Dim
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.joining import Concat, Split
from unroll.ops.operator import made
from unroll.ops.shaping import Reshape, Squeeze, Unsqueeze
from unroll.passes.tools.rewriting import Rewriting, in_place, ints, is_known, merged, nodes_called, readers_of
from unroll.tensor import Node, Tensor


@in_place
def flatten_stacks(graph: Graph) -> Graph:
    """Return `graph` with stacks cut and joined at once; see this module for what is preserved."""
    with collector_paused():
        flattening = _Flattening(graph)
        return flattening.walk(nodes_called(graph, ("Concat", "Split", "Squeeze")), flattening.write)


class _Flattening(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._readers = readers_of(graph)
        self._gone: set[Node] = set()

    def write(self, node: Node) -> None:
        """Carry one node over, or write a whole stack anew where it begins or ends."""
        if node in self._gone:
            return
        if isinstance(node.op, Split) and self._cut(node, node.op.axis):
            return
        if isinstance(node.op, Concat) and self._join(node, node.op.axis):
            return
        self.carry(node)

    def _cut(self, node: Node, axis: int) -> bool:
        source = self.inputs(node)[0]
        squeezes = [self._squeeze_of(piece, axis) for piece in node.outputs if not self._readers.unread(piece)]
        found = [squeeze for squeeze in squeezes if squeeze is not None]
        if source is None or not found or len(found) < len(squeezes) or axis + 1 >= source.rank:
            return False
        if any(piece.shape[axis] != 1 for piece in node.outputs):
            return False
        size, count = source.shape[axis + 1], len(node.outputs)
        shape = _wanted(axis, [size * count], source.shape[axis + 2 :])
        if shape is None:
            return False
        (flat,) = made(Reshape(), (source, ints(*shape)), node.provenance)
        pieces = made(Split(axis, count), (flat,), merged([node, *found]))
        if pieces[0].shape != found[0].outputs[0].shape:
            return False
        for old, new in zip(node.outputs, pieces, strict=True):
            squeeze = self._squeeze_of(old, axis)
            if squeeze is not None:
                self.stand_in(squeeze.outputs[0], new)
        self._gone.update(found)
        return True

    def _squeeze_of(self, piece: Tensor, axis: int) -> Node | None:
        reader = self._readers.only(piece)
        if reader is None or not isinstance(reader.op, Squeeze) or len(reader.inputs) < 2 or reader.inputs[1] is None:
            return None
        return reader if reader.inputs[1].known in ((axis,), (axis - piece.rank,)) else None

    def _join(self, node: Node, axis: int) -> bool:
        steps = [self._unsqueezed(tensor, axis) for tensor in node.inputs]
        found = [step for step in steps if step is not None]
        if len(found) < max(len(steps), 2) or axis >= found[0].rank or not self._saves(node):
            return False
        if any(step.shape != found[0].shape for step in found):
            return False
        shape = _wanted(axis, [len(found), found[0].shape[axis]], found[0].shape[axis + 1 :])
        if shape is None:
            return False
        (flat,) = made(Concat(axis), found, node.provenance)
        (stacked,) = made(Reshape(), (flat, ints(*shape)), node.provenance, node.outputs[0].hint)
        if stacked.shape != node.outputs[0].shape:
            return False
        self.stand_in(node.outputs[0], stacked)
        return True

    def _unsqueezed(self, tensor: Tensor | None, axis: int) -> Tensor | None:
        node = tensor.node if tensor is not None else None
        if tensor is None or node is None or not isinstance(node.op, Unsqueeze) or not is_known(node.op):
            return None
        axes, source = node.inputs[1], node.inputs[0]
        same = axes is not None and axes.known in ((axis,), (axis - tensor.rank,))
        return self[source] if same and source is not None else None

    def _saves(self, node: Node) -> bool:
        """Say whether an Unsqueeze is replaced by the Reshape of its stack."""
        return any(tensor is not None and self._readers.only(tensor) is node for tensor in node.inputs)


def _wanted(axis: int, middle: Sequence[Dim], after: Sequence[Dim]) -> list[int] | None:
    """Return the shape for a Reshape: sizes before `axis` as they are, then the others, of which one may be symbolic."""
    sizes = [*[0] * axis, *[size if isinstance(size, int) else -1 for size in (*middle, *after)]]
    return sizes if sizes.count(-1) <= 1 and 0 not in sizes[axis:] else None
