"""The box of a node that runs over all steps: a recurrent operator, or a Scan with the room for its body."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from unroll.tensor import Node, Tensor
from unroll.viz.boxes import Boxes
from unroll.viz.contraction import Contraction
from unroll.viz.ports import Ported
from unroll.viz.recurrent_boxes import recurrent_box
from unroll.viz.scan_boxes import Inside, scan_box
from unroll.viz.values import Values


def loop_box(
    node: Node,
    contraction: Contraction,
    read: Collection[Tensor],
    boxes: Boxes,
    values: Values,
    insides: Mapping[Node, Inside],
) -> Ported:
    """Return the box of a loop.

    Args:
        node: the node.
        contraction: the picture that it is part of.
        read: the tensors that something in it reads.
        boxes: who knows the colours of gates.
        values: numbers to print.
        insides: what is inside each Scan.
    """
    if node in insides:
        return scan_box(node, contraction.graph, read, values, insides[node])
    native = contraction.natives[node]
    return recurrent_box(native, contraction.graph, read, boxes.gates.native, values)
