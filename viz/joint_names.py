"""What tensors of joint cells are called: a pass that makes one cell of several leaves what they make without names."""

from __future__ import annotations

from collections.abc import Mapping

from unroll.graph import Graph
from unroll.tensor import Node, Tensor
from unroll.viz.found_names import FUNCTIONS
from unroll.viz.gate_columns import GateColumns
from unroll.viz.joint_cells import JointCells

#: What takes a part of a tensor.
_CUTTING = ("Slice", "Split")


def joint_names(graph: Graph, joint: JointCells, states: Mapping[Tensor, str]) -> dict[Tensor, str]:
    """Return the names of gates, of what enters their functions, ``z_f``, and of states.

    Args:
        graph: the graph.
        joint: its joint cells.
        states: the names of their states; one that is called as a gate is too, as Keras calls both c, is ``new_c``.
    """
    inside = {node: cell for node in graph.nodes if (cell := joint.shared_by(node)) is not None}
    if not inside:
        return {}
    columns = GateColumns(graph)
    found: dict[Tensor, str] = {}
    gates: dict[str, set[str]] = {}
    applied: set[Tensor] = set()
    for node, cell in inside.items():
        if _is_applied(node, applied):
            applied.update(node.outputs)
        for tensor in node.outputs if node.op.name in (*FUNCTIONS, *_CUTTING) else ():
            of = columns.gates(tensor)
            if len(of) == 1 and tensor not in states:
                found[tensor] = of[0] if tensor in applied else f"z_{of[0]}"
                gates.setdefault(cell, set()).update(of)
    for tensor, name in states.items():
        if tensor.node in inside:
            taken = gates.get(inside[tensor.node], ())
            found[tensor] = f"new_{name}" if name in taken else name
    return found


def _is_applied(node: Node, applied: set[Tensor]) -> bool:
    """Say whether a node applies the functions of gates, or cuts what has been through them."""
    return node.op.name in FUNCTIONS or (node.op.name in _CUTTING and node.inputs[0] in applied)
