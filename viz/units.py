"""What a picture is made of: at cell level the graph with every (step, cell) contracted to one box, else every operator."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import networkx

from unroll.graph import Graph
from unroll.ops.filling import ConstantOfShape
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor

Kind = Literal["cell", "op", "input", "output", "zero", "constant", "weight", "gap"]

#: The step of what makes the states of zeros, where every operator is shown.
BEFORE_STEPS = -1


@dataclass(eq=False)
class Unit:
    """One box of the picture.

    Attributes:
        kind: what it is.
        id: its name in DOT.
        nodes: the graph's nodes inside it.
        step: the timestep whose column it stands in, or None.
        row: for cells, the cell's variable path, the same at every step.
        cell: the variable path of the cell that the unit is, or that its operator belongs to.
        tensor: the tensor that an input, output, zero, constant or weight is.
        name: what an output is called.
    """

    kind: Kind
    id: str
    nodes: list[Node] = field(default_factory=list)
    step: int | None = None
    row: str | None = None
    cell: str | None = None
    tensor: Tensor | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Wire:
    """A tensor on its way from one unit to another.

    Attributes:
        role: which input of which of the target's nodes reads it, told alike at every step.
    """

    source: Unit
    target: Unit
    tensor: Tensor
    role: tuple[str, int] = ("", 0)


class Contraction:
    """A graph as units and wires.

    Args:
        graph: the graph.
        opened: make every operator a unit of its own, instead of one unit a cell and step.

    Attributes:
        units: every unit, sources before those that read them.
        wires: what flows between units; Parameters are apart.
        readers: for each Parameter, the units that read it.
        state_roles: for each cell row, the roles in which it reads its own earlier step or zeros: its states.
    """

    def __init__(self, graph: Graph, opened: bool = False) -> None:
        self.graph = graph
        self.opened = opened
        self.units: list[Unit] = []
        self.wires: list[Wire] = []
        self.readers: dict[Parameter, list[Unit]] = {item: [] for item in graph.parameters.values()}
        self._owner: dict[Node, Unit] = {}
        self._sources: dict[Tensor, Unit] = {}
        helpers = _zero_helpers(graph)
        if opened:
            self._add_operators(helpers)
        else:
            self._add_nodes(helpers)
            self._dissolve_cycles()
        for place, tensor in enumerate(graph.inputs):
            self._source(tensor, Unit("input", f"input_{place}", tensor=tensor))
        self._add_wires()
        self._add_outputs()
        self.state_roles = self._state_roles()
        self._leading = _leading_row(self)
        self._infer_steps()

    @property
    def rows(self) -> list[str]:
        """The variable paths of the cells, in the order they are met."""
        return list(dict.fromkeys(unit.row for unit in self.units if unit.row is not None))

    def is_state(self, wire: Wire) -> bool:
        """Say whether a wire brings a cell its state, from its earlier step or from outside."""
        row = wire.target.row
        return row is not None and wire.role in self.state_roles.get(row, frozenset())

    def _add_operators(self, helpers: set[Node]) -> None:
        """Make every node a unit; those that make states of zeros stand in a column of their own, before step 0."""
        for place, node in enumerate(self.graph.nodes):
            step = node.origin.step if len(node.provenance) == 1 else None
            first = node in helpers or (_is_zero(node) and node.origin.cell is None)
            at = BEFORE_STEPS if first and step is not None else step
            unit = self._owner[node] = Unit("op", f"op_{place}", [node], at, cell=node.origin.cell)
            self.units.append(unit)

    def _add_nodes(self, hidden: set[Node]) -> None:
        cells: dict[tuple[str, int | None], Unit] = {}
        stepped = {node.origin.cell for node in self.graph.nodes if node.origin.step is not None}
        for node in self.graph.nodes:
            if node in hidden:
                continue
            origin = node.origin
            if _is_zero(node):
                unit = Unit("zero", f"zero_{len(self.units)}", step=origin.step, tensor=node.outputs[0])
            elif _in_cell(node) and not (origin.step is None and origin.cell in stepped):
                key = (origin.cell or "", origin.step)
                if key in cells:
                    cells[key].nodes.append(node)
                    self._owner[node] = cells[key]
                    continue
                unit = cells[key] = Unit("cell", f"cell_{len(self.units)}", [], origin.step, origin.cell, origin.cell)
            else:
                unit = Unit("op", f"op_{len(self.units)}", step=origin.step if len(node.provenance) == 1 else None)
            unit.nodes.append(node)
            self._owner[node] = unit
            self.units.append(unit)

    def _dissolve_cycles(self) -> None:
        """Open up boxes that cannot be drawn as one: those that feed themselves through others, and repeated calls."""
        owner = self._owner
        made = ((tensor.node, node) for node in owner for tensor in node.inputs if tensor is not None and tensor.node)
        edges = {(owner[before], owner[node]) for before, node in made if before in owner}
        reads: networkx.DiGraph[Unit] = networkx.DiGraph(edges)
        parts = (part for part in networkx.strongly_connected_components(reads) if len(part) > 1)
        cyclic = {unit for part in parts for unit in part if unit.row is not None}
        opened: list[Unit] = []
        for unit in self.units:
            if unit in cyclic or (unit.row is not None and unit.step is None and _reads_weights_twice(unit)):
                for node in unit.nodes:
                    piece = self._owner[node] = Unit("op", f"{unit.id}_{len(opened)}", [node], unit.step)
                    opened.append(piece)
            else:
                opened.append(unit)
        self.units = opened

    def _source(self, tensor: Tensor, unit: Unit) -> Unit:
        self._sources[tensor] = unit
        self.units.append(unit)
        return unit

    def _add_wires(self) -> None:
        for node in self.graph.nodes:
            target = self._owner.get(node)
            if target is None:
                continue
            for place, tensor in enumerate(node.inputs):
                if isinstance(tensor, Parameter):
                    if target not in self.readers[tensor][-1:]:
                        self.readers[tensor].append(target)
                elif tensor is not None:
                    source = self._source_of(tensor)
                    if source is not None and source is not target and target.kind != "zero":
                        self.wires.append(Wire(source, target, tensor, (self._role(node, target), place)))

    def _role(self, node: Node, target: Unit) -> str:
        name = self.graph.name(node)
        return name if target.step is None else f"/{name}".replace(f"/t{target.step}/", "/", 1)

    def _source_of(self, tensor: Tensor) -> Unit | None:
        if tensor.node is not None:
            return self._owner.get(tensor.node)
        if tensor not in self._sources and isinstance(tensor, Constant) and _is_data(tensor):
            self._source(tensor, Unit("constant", f"constant_{len(self.units)}", tensor=tensor))
        return self._sources.get(tensor)

    def _add_outputs(self) -> None:
        for place, (tensor, name) in enumerate(zip(self.graph.outputs, self.graph.output_names, strict=True)):
            unit = Unit("output", f"output_{place}", tensor=tensor, name=name)
            source = self._source_of(tensor)
            if isinstance(tensor, Parameter):
                self.readers[tensor].append(unit)
            elif source is None:
                source = self._source(tensor, Unit("constant", f"constant_{len(self.units)}", tensor=tensor))
            self.units.append(unit)
            if source is not None:
                self.wires.append(Wire(source, unit, tensor))

    def _state_roles(self) -> dict[str, frozenset[tuple[str, int]]]:
        roles: dict[str, set[tuple[str, int]]] = {}
        for wire in self.wires:
            row, step = wire.target.row, wire.target.step
            source = wire.source
            own = step is not None and source.row == row and source.step == step - 1
            if row is not None and (own or source.kind == "zero"):
                roles.setdefault(row, set()).add(wire.role)
        return {row: frozenset(found) for row, found in roles.items()}

    def _infer_steps(self) -> None:
        """Let a unit at no step stand with the one step that it reads from, or else that reads it."""
        reads: dict[Unit, list[Unit]] = {unit: [] for unit in self.units}
        read_by: dict[Unit, list[Wire]] = {unit: [] for unit in self.units}
        for wire in self.wires:
            reads[wire.target].append(wire.source)
            read_by[wire.source].append(wire)
        ordered = [*self._ordered(), *(unit for unit in self.units if unit.kind == "output")]
        for unit in ordered:
            if unit.step is None and unit.kind in ("op", "output"):
                unit.step = self._common_step(
                    source for source in reads[unit] if source.kind not in ("input", "constant")
                )
        for unit in (*reversed(self._ordered()), *self._sources.values()):
            if unit.step is None and unit.kind in ("op", "input", "constant"):
                unit.step = self._common_step(wire.target for wire in read_by[unit] if not self.is_state(wire))

    def _common_step(self, units: Iterable[Unit]) -> int | None:
        """Return the one step that units stand at, or that of the leading cell among them."""
        listed = list(units)
        found = _only_step(unit.step for unit in listed)
        if found is None:
            found = _only_step(unit.step for unit in listed if unit.row is not None and unit.row == self._leading)
        return found

    def _ordered(self) -> list[Unit]:
        return list(dict.fromkeys(self._owner[node] for node in self.graph.nodes if node in self._owner))


def _only_step(steps: Iterable[int | None]) -> int | None:
    found = set(steps) - {BEFORE_STEPS}
    return found.pop() if len(found) == 1 else None


def _leading_row(contraction: Contraction) -> str | None:
    """Return the first cell that reads its inputs in their order: the one whose time the columns follow."""
    places = {unit: place for place, unit in enumerate(unit for unit in contraction.units if unit.kind == "input")}
    order: dict[str, list[tuple[int, int]]] = {}
    for wire in contraction.wires:
        row, step = wire.target.row, wire.target.step
        if row is not None and step is not None and not contraction.is_state(wire):
            place = places.get(wire.source, wire.tensor.index)
            order.setdefault(row, []).append((step, place))
    return next((row for row, found in order.items() if _rises(sorted(set(found)))), None)


def _rises(pairs: Sequence[tuple[int, int]]) -> bool:
    return all(one[1] < other[1] for one, other in itertools.pairwise(pairs))


def _in_cell(node: Node) -> bool:
    return node.origin.cell is not None and len(node.provenance) == 1


def _is_zero(node: Node) -> bool:
    return isinstance(node.op, ConstantOfShape) and node.op.value == 0


def _is_data(constant: Constant) -> bool:
    """Say whether a constant is data to show, not a setting such as axes or a bias of 1."""
    return constant.dtype.kind == "f" and constant.value.size > 1


def _reads_weights_twice(unit: Unit) -> bool:
    read = [tensor for node in unit.nodes for tensor in node.inputs if isinstance(tensor, Parameter)]
    return len(read) > len(set(read))


def _zero_helpers(graph: Graph) -> set[Node]:
    """Return the nodes that only work out the shape of a state of zeros."""
    used: set[Tensor] = set(graph.outputs)
    helpers: set[Node] = set()
    for node in reversed(graph.nodes):
        if _is_zero(node):
            continue
        if any(tensor in used for tensor in node.outputs):
            used.update(tensor for tensor in node.inputs if tensor is not None)
        else:
            helpers.add(node)
    return helpers
