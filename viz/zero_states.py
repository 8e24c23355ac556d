"""States of zeros: the operators that make them, and those that only work out their shape."""

from __future__ import annotations

from unroll.graph import Graph
from unroll.ops.filling import ConstantOfShape
from unroll.ops.shaping import Expand
from unroll.tensor import Constant, Node, Tensor


def is_zero(node: Node) -> bool:
    """Say whether a node makes zeros alone, as programs and files write a first state."""
    if isinstance(node.op, Expand):
        first = node.inputs[0]
        return isinstance(first, Constant) and not first.value.any()
    return isinstance(node.op, ConstantOfShape) and node.op.value == 0


def zero_helpers(graph: Graph) -> set[Node]:
    """Return the nodes that only work out the shape of a state of zeros."""
    used: set[Tensor] = set(graph.outputs)
    helpers: set[Node] = set()
    for node in reversed(graph.nodes):
        if is_zero(node):
            continue
        if any(tensor in used for tensor in node.outputs):
            used.update(tensor for tensor in node.inputs if tensor is not None)
        else:
            helpers.add(node)
    return helpers
