"""What is explained together: the operators of one cell at one step, or of one layer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from unroll.graph import Graph
from unroll.ops.opaque import Opaque
from unroll.ops.recurrent import Recurrent
from unroll.ops.scan import Scan
from unroll.scopes import without_step
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.joint_cells import JointCells
from unroll.viz.made_weights import fixed_tensors
from unroll.viz.zero_states import is_zero, zero_helpers

#: What moves elements and computes nothing.
MOVING = frozenset([
    "Cast", "Concat", "Expand", "Gather", "Identity", "Reshape", "Shape", "Slice", "Split", "Squeeze", "Transpose",
    "Unsqueeze",
])  # fmt: skip


@dataclass(eq=False)
class Unit:
    """Operators that are explained together.

    Attributes:
        path: the cell that they are of, else the scope that they lie in.
        step: the timestep; None for what has none, such as what is computed for all steps at once.
        is_cell: whether `path` is that of a cell.
        nodes: the operators, in order.
    """

    path: str
    step: int | None
    is_cell: bool
    nodes: list[Node] = field(default_factory=list)


class Units:
    """The units of a graph.

    Args:
        graph: the graph.
        body_of: the loop whose body it is, all of which is one unit then; empty for a graph.

    Attributes:
        all: the units, in the order of their first operators.
        of: the unit of each operator that is in one.
        fixed: the tensors that are weights, constants or made from them alone.
        joint: the cells that are computed as one.
    """

    def __init__(self, graph: Graph, body_of: str = "") -> None:
        self.joint = JointCells(graph)
        self.fixed = fixed_tensors(graph)
        self.of: dict[Node, Unit] = {}
        hidden = _hidden(graph, self.fixed)
        loops = {node for node in graph.nodes if is_loop(node)}
        units: dict[tuple[str, int | None, bool], Unit] = {}
        for node in graph.nodes:
            if node in hidden or node in loops:
                continue
            key = (body_of, 0, True) if body_of else self._place(graph, node)
            unit = units.setdefault(key, Unit(*key))
            unit.nodes.append(node)
            self.of[node] = unit
        self.all = [unit for unit in units.values() if any(computes(node) for node in unit.nodes)]
        shown = set(map(id, self.all))
        self.of = {node: unit for node, unit in self.of.items() if id(unit) in shown}

    def _place(self, graph: Graph, node: Node) -> tuple[str, int | None, bool]:
        """Return the path of a node's unit, its step, and whether it is a cell."""
        cell, step = self.joint.place(node)
        if cell is not None:
            return cell, step, True
        path = without_step(node.origin.scope, node.origin.step)
        if step is not None:
            path = path.replace(f"t{step}/", "").removesuffix(f"t{step}").strip("/")
        if path == graph.name(node):  # as in files, where a node's scope is its own name
            path = path.rpartition("/")[0]
        return path, step, False


def computes(node: Node) -> bool:
    """Say whether an operator computes something, and does not only move it."""
    return node.op.name not in MOVING or isinstance(node.op, Opaque)


def is_loop(node: Node) -> bool:
    """Say whether an operator is a whole loop, which has equations of its own."""
    return isinstance(node.op, (Recurrent, Scan)) or (
        isinstance(node.op, Opaque) and node.op.op_type in ("LSTM", "GRU", "RNN", "Scan")
    )


def _hidden(graph: Graph, fixed: Collection[Tensor]) -> set[Node]:
    """Return the operators that stand in no unit: states of zeros, and weights that are made from others."""
    hidden = zero_helpers(graph)
    outputs = set(graph.outputs)
    for node in graph.nodes:
        made = node.inputs and all(tensor in fixed and tensor not in outputs for tensor in node.outputs)
        if is_zero(node) or made or _only_sizes(node):
            hidden.add(node)
    return hidden


def _only_sizes(node: Node) -> bool:
    return node.op.name == "Shape"


def dynamic(tensors: Iterable[Tensor | None]) -> list[Tensor]:
    """Return the tensors that are there and no constants."""
    return [tensor for tensor in tensors if tensor is not None and not isinstance(tensor, Constant)]
