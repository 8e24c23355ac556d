"""Leave out what does nothing.

Preserves all names of what is kept, and the values of the outputs to the bit. Never adds a node. What no output depends
on is never part of a Graph; beyond that, an Identity, a Cast to the same dtype, a Transpose, Reshape, Expand, Tile or Slice
that changes nothing, and a Concat or Split of one piece are left out, and a Split of which only one piece is read
becomes a Slice. `leave_out_idle` does the first of the two, for a model that is written flat.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.joining import Split
from unroll.ops.operator import made
from unroll.ops.slicing import Slice, bounds_of
from unroll.passes.tools.rewriting import Rewriting, in_place, ints, is_known, nodes_called, tensors_read
from unroll.tensor import Node, Tensor


@in_place
def remove_dead(graph: Graph) -> Graph:
    """Return `graph` without what does nothing; see this module for what is preserved."""
    with collector_paused():
        read, removing = tensors_read(graph), Rewriting(graph)

        def write(node: Node) -> None:
            inputs = removing.inputs(node)
            source = inputs[0] if inputs else None
            if source is None or not is_known(node.op):
                removing.keep(node, inputs)
            elif _does_nothing(node, source):
                removing.redirect(node.outputs[0], source)
            elif isinstance(node.op, Split) and (slot := _only_piece(node, source, read)) is not None:
                _cut_one(removing, node, source, slot)
            else:
                removing.keep(node, inputs)

        return removing.walk(nodes_called(graph, _RULES), write)


def leave_out_idle(graph: Graph) -> Graph:
    """Return `graph` without nodes that change nothing; each Split is left as it is."""
    leaving = Rewriting(graph)

    def write(node: Node) -> None:
        source = leaving.inputs(node)[0]
        if source is not None and is_known(node.op) and _does_nothing(node, source):
            leaving.redirect(node.outputs[0], source)
        else:
            leaving.carry(node)

    return leaving.walk(nodes_called(graph, _RULES), write)


def _does_nothing(node: Node, source: Tensor) -> bool:
    rule = _RULES.get(node.op.name)
    return rule is not None and len(node.outputs) == 1 and rule(node, source)


def _same_shape(node: Node, source: Tensor) -> bool:
    return node.outputs[0].shape == source.shape


def _cuts_nothing(node: Node, source: Tensor) -> bool:
    return bounds_of(node) is not None and _same_shape(node, source)


_RULES: dict[str, Callable[[Node, Tensor], bool]] = {
    "Cast": lambda node, source: node.outputs[0].dtype == source.dtype,
    "Concat": lambda node, source: len(node.inputs) == 1,
    "Expand": _same_shape,
    "Identity": lambda node, source: True,
    "Reshape": _same_shape,
    "Slice": _cuts_nothing,
    "Split": lambda node, source: True,
    "Squeeze": _same_shape,
    "Tile": _same_shape,
    "Transpose": lambda node, source: node.op.attributes["perm"] == tuple(range(source.rank)),
    "Unsqueeze": _same_shape,
}


def _only_piece(node: Node, source: Tensor, read: Container[Tensor | None]) -> int | None:
    """Return which piece of a Split is read, where only one is and the sizes of the others are known."""
    found = [place for place, piece in enumerate(node.outputs) if piece in read]
    axis = node.op.attributes["axis"]
    return found[0] if len(found) == 1 and isinstance(source.shape[axis], int) else None


def _cut_one(removing: Rewriting, node: Node, source: Tensor, slot: int) -> None:
    axis = node.op.attributes["axis"]
    sizes = [int(piece.shape[axis]) for piece in node.outputs]
    start = sum(sizes[:slot])
    inputs = (source, ints(start), ints(start + sizes[slot]), ints(axis))
    (piece,) = made(Slice(), inputs, node.provenance, node.outputs[slot].hint)
    removing.stand_in(node.outputs[slot], piece)
