"""What cells hand on from step to step: which way each cell walks, which of its inputs are states, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from unroll.graph import Graph
from unroll.scopes import without_step
from unroll.tensor import Node, Tensor
from unroll.viz.joint_cells import JointCells
from unroll.viz.joint_names import joint_names
from unroll.viz.joint_states import joined_names, names_at_every_step
from unroll.viz.tensor_names import TensorNames
from unroll.viz.units import Unit, Wire

#: A node's name without its step, and which of its inputs or outputs is meant.
Role: TypeAlias = tuple[str, int]

#: What the name of a state ends with that is of the step before: ``h[t-1]``, as equations write it.
EARLIER = "[t-1]"


class States:
    """The states of the cells of a picture.

    Args:
        graph: the graph.
        wires: everything that flows between its units.
        joint: the cells that are computed as one.
        unboxed: nodes that have no box; what they make has no name to read.

    Attributes:
        backward: the cells that walk from the last step to the first.
        names: for each cell row, what its states are called, in order.
        tensors: what the graph's tensors are called.
        handed: the tensors that a cell hands on to its own next step.
    """

    def __init__(
        self, graph: Graph, wires: Collection[Wire], joint: JointCells, unboxed: Collection[Node] = ()
    ) -> None:
        self._graph = graph
        self._joint = joint
        self.tensors = TensorNames(graph, unboxed)
        # Asked for again and again: what a tensor's own name says, and as what it is made.
        self._own: dict[Tensor, str] = {}
        self._roles_of: dict[Tensor, Role] = {}
        self._unnamed: dict[str, dict[Role, None]] = {}
        self._pairs = _backward_pairs(wires)
        self.backward = frozenset(source for source, target in self._pairs if source == target)
        self._roles: dict[str, dict[Role, set[str]]] = {}
        self._made: dict[str, set[Role]] = {}
        handed = [
            wire
            for wire in wires
            if wire.target.cell is not None
            and wire.source.cell == wire.target.cell
            and abs(_steps(wire)) == 1
            and self.is_along(wire)
        ]
        self._joined: Mapping[Tensor, str] = {}
        self._joined = self._joined_names(handed)
        handed = [wire for wire in handed if wire.target.row is not None and wire.source.row == wire.target.row]
        self.handed = {wire.tensor for wire in handed}
        self.tensors.add_joint(joint, joint_names(graph, joint, self._joined))
        for wire in handed:
            if not self._named(wire.tensor):
                self._unnamed.setdefault(wire.target.row or "", {})[self._made_as(wire.tensor)] = None
        for wire in handed:
            row = wire.target.row
            if row is not None:
                self._roles.setdefault(row, {}).setdefault(wire.role, set()).add(self.called(wire.tensor))
                self._made.setdefault(row, set()).add(self._made_as(wire.tensor))
        # One step alone hands nothing on, but says what lives between runs.
        for wire in wires if not self._roles else ():
            row = wire.target.row
            if row is not None and wire.source.kind == "input" and graph.name(wire.tensor) in graph.states:
                self._roles.setdefault(row, {}).setdefault(wire.role, set()).add(self.called(wire.tensor))
        #: The inputs of cells that bring, at another step, what the cell itself made at a step before.
        self._brought = {
            (wire.target.cell, wire.role)
            for wire in wires
            if wire.target.cell is not None and wire.source.cell == wire.target.cell and self.is_along(wire)
        }
        self._given: dict[tuple[Unit, str, Tensor, Role | None], str] = {}
        for wire in wires:
            row = wire.target.row
            if row is not None and wire.source.row != row and (wire.source.kind == "zero" or self.reads(wire)):
                called = self._roles.setdefault(row, {}).setdefault(wire.role, set())
                # A role that means different states at different steps, as numbers in names may, gives no name.
                if len(called) == 1:
                    for role in (wire.role, None):
                        self._given.setdefault((wire.source, row, wire.tensor, role), next(iter(called)))
                elif not called:
                    called.add(self.called(wire.tensor))
        self.names = {row: sorted(set().union(*roles.values())) for row, roles in self._roles.items()}

    def _joined_names(self, handed: Iterable[Wire]) -> dict[Tensor, str]:
        """Return what the states of joint cells are called that have no name of their own."""
        begun = joined_names(
            self._graph, self._joint, self._named, lambda node: node_role(self._graph, node, self._joint)
        )
        known = {wire.tensor: begun[wire.role] for wire in handed if wire.role in begun}
        return names_at_every_step(self._graph, self._joint, known)

    def is_joined(self, tensor: Tensor) -> bool:
        """Say whether a tensor is a state of a joint cell that has its name of the cells that it is joined of."""
        return tensor in self._joined

    def reads(self, wire: Wire) -> bool:
        """Say whether a wire brings a cell its state, from its earlier step or from outside."""
        return wire.role in self._roles.get(wire.target.row or "", {})

    def brings(self, wire: Wire) -> bool:
        """Say whether a wire goes to an input that brings a cell its own state at other steps, or a node of it one."""
        return (wire.target.cell, wire.role) in self._brought

    def name(self, wire: Wire) -> str:
        """Return what the cell that a wire goes to calls the state on it."""
        to = (wire.source, wire.target.row or "", wire.tensor)
        known = self._given.get((*to, wire.role)) or self._given.get((*to, None))
        return known or self.called(wire.tensor)

    def called(self, tensor: Tensor) -> str:
        """Return what a picture calls a tensor that is, or may be, a state: as its cell does, else by its number."""
        name = self._named(tensor)
        if name:
            return name
        made = self.tensors.made_by(tensor)
        cell = (made.cell if made is not None else None) or ""
        unnamed = list(self._unnamed.get(self._joint.names.get(cell, cell), {}))
        as_made = self._made_as(tensor)
        return f"state {unnamed.index(as_made)}" if as_made in unnamed and len(unnamed) > 1 else "state"

    def _named(self, tensor: Tensor) -> str:
        """Return the name of a state; nothing where it has none but that of an output, which differs from step to step."""
        if tensor not in self._own:
            known = self.tensors.is_placed(tensor) or self.tensors.is_found(tensor)
            # Where another name of an output has taken the place of its own, the hint still says that.
            own = self.tensors.own(tensor) if known else (tensor.hint or "").rpartition("/")[2]
            self._own[tensor] = state_name(own)
        return self._own[tensor] or self._joined.get(tensor, "")

    def hands_on(self, cell: str, tensor: Tensor) -> bool:
        """Say whether a cell's output is what the cell reads as its state at the next step, and not only called so."""
        return self._made_as(tensor) in self._made.get(cell, ())

    def makes(self, cell: str, tensor: Tensor) -> bool:
        """Say whether a cell's output is what it reads as its state at the next step."""
        return self.hands_on(cell, tensor) or self.called(tensor) in self.names.get(cell, ())

    def alike(self, wire: Wire) -> object:
        """Return a key that is equal for the tensors that a cell makes in the same way at several steps."""
        return wire.source.cell, self._made_as(wire.tensor)

    def is_along(self, wire: Wire) -> bool:
        """Say whether a wire goes the way its cell walks: to a later step, or to an earlier one where it walks backward."""
        steps = _steps(wire)
        return steps > 0 or (steps < 0 and (wire.source.cell, wire.target.cell) in self._pairs)

    def last_steps(self, units: Iterable[Unit]) -> dict[str, int]:
        """Return the step at which each cell ends."""
        ends: dict[str, int] = {}
        for unit in units:
            if unit.cell is not None and unit.step is not None:
                later = min if unit.cell in self.backward else max
                ends[unit.cell] = later(ends.get(unit.cell, unit.step), unit.step)
        return ends

    def _made_as(self, tensor: Tensor) -> Role:
        """Return the name of the node that makes a tensor, without its step, and which of its outputs the tensor is."""
        if tensor not in self._roles_of:
            node = tensor.node
            made = self._graph.name(tensor) if node is None else node_role(self._graph, node, self._joint)
            self._roles_of[tensor] = (made, tensor.index)
        return self._roles_of[tensor]


def node_role(graph: Graph, node: Node, joint: JointCells) -> str:
    """Return the name of a node without its step, of a joint cell in that; where a file's name has no step in it, the node's
    place in its step. The body of a loop is one step, and each node of it has a name of its own.
    """
    step, name, scope = node.origin.step, graph.names.nodes[node], node.origin.scope
    if step is not None and f"/t{step}/" not in f"/{name}" and f"/t{step}/" in f"/{scope}/":
        name = f"{scope}/{node.op.name}"
    return joint.renamed(without_step(name, step, node.origin.cell), node.origin.cell)


def last_part(tensor: Tensor) -> str:
    """Return the last part of what a tensor is called."""
    return tensor.label.rpartition("/")[2]


def state_name(name: str) -> str:
    """Return the name of a state, of what a cell calls its new value and a driver the one that it keeps where rows have ended;
    nothing where that is no name but a number.
    """
    state = re.sub(r"_kept(_\d+)?$", "", name.removesuffix(EARLIER)).removeprefix("new_")
    return "" if state.isdigit() else state


def _steps(wire: Wire) -> int:
    """Return how many steps later a wire ends than it begins."""
    begin, end = wire.source.step, wire.target.step
    return 0 if begin is None or end is None else end - begin


def _backward_pairs(wires: Iterable[Wire]) -> frozenset[tuple[str, str]]:
    """Return the pairs of a cell and itself, or one around it, between which everything goes to earlier steps."""
    ahead: dict[tuple[str, str], bool] = {}
    for wire in wires:
        source, target = wire.source.cell, wire.target.cell
        if source is not None and target is not None and _steps(wire):
            nested = source == target or source.startswith(f"{target}/") or target.startswith(f"{source}/")
            if nested:
                ahead[source, target] = ahead.get((source, target), False) or _steps(wire) > 0
    return frozenset(pair for pair, forward in ahead.items() if not forward)
