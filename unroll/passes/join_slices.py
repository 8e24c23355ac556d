"""Put both directions side by side at once: a recurrent operator stacks them, and a Transpose replaces slicing them
apart and joining them.
"""

from __future__ import annotations

from unroll.graph import Graph
from unroll.ops.operator import made
from unroll.ops.shaping import Reshape, Transpose
from unroll.ops.slicing import Gather
from unroll.passes.tools.rewriting import Readers, Rewriting, ints, nodes_called
from unroll.passes.tools.time_slices import TimeSlices
from unroll.tensor import Node, Tensor


def with_slices_joined(graph: Graph) -> Graph:
    """Return `graph` with a Transpose and a Reshape in place of each Concat of all slices of one tensor, in order, and
    of those slices.

    Preserves the names of what is kept, and the values of the outputs to the bit. Never adds a node: only where nothing else
    reads the slices.
    """
    readers, joining = Readers(graph), Rewriting(graph)
    found = {node: whole for node in nodes_called(graph, {"Concat"}) if (whole := _whole(node, readers)) is not None}

    def write(node: Node) -> None:
        (tensor, at), to = found[node], node.op.attributes["axis"] % node.outputs[0].rank
        order = [axis for axis in range(tensor.rank) if axis != at]
        order.insert(to, at)
        (turned,) = made(Transpose(tuple(order)), (joining[tensor],), node.provenance)
        sizes = [0] * to + [int(turned.shape[to]) * int(turned.shape[to + 1])]
        sizes += [size if isinstance(size, int) else -1 for size in turned.shape[to + 2 :]]
        (result,) = made(Reshape(), (turned, ints(*sizes)), node.provenance, node.outputs[0].hint)
        joining.stand_in(node.outputs[0], result)

    return joining.walk(found, write)


def _whole(node: Node, readers: Readers) -> tuple[Tensor, int] | None:
    """Return the tensor whose slices a Concat joins, and their axis; None where it joins other things."""
    slices = [tensor for tensor in node.inputs if tensor is not None and readers.only(tensor) is node]
    gathers = [tensor for tensor in slices if tensor.node is not None and isinstance(tensor.node.op, Gather)]
    pieces = TimeSlices().pieces_of(gathers) if len(gathers) == len(node.inputs) else None
    if pieces is None or pieces.backward:
        return None
    tensor, at, to = pieces.first.source, pieces.first.axis, node.op.attributes["axis"] % node.outputs[0].rank
    sizes = [size for axis, size in enumerate(tensor.shape) if axis != at]
    unknown = [size for size in sizes[to + 1 :] if not isinstance(size, int)]
    fits = tensor.shape[at] == pieces.total and isinstance(sizes[to], int) and len(unknown) < 2
    return (tensor, at) if fits else None
