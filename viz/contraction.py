"""What a picture is made of: at cell level the graph with every (step, cell) contracted to one box, else every operator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from unroll.graph import Graph
from unroll.ops.functions import Identity
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.circles import circles, is_whole, looped_paths, outer_cells, reads_weights_twice, rows_around_loops
from unroll.viz.folding import Folding
from unroll.viz.joint_cells import JointCells
from unroll.viz.layer_boxes import LayerBox, layer_boxes, shown_boxes
from unroll.viz.made_weights import MadeWeights
from unroll.viz.native_nodes import folded_weights, native_nodes
from unroll.viz.scan_bodies import ScanBody
from unroll.viz.states import States, node_role
from unroll.viz.units import BEFORE_STEPS, Group, Kind, Unit, Wire
from unroll.viz.weight_names import weight_names, without_port
from unroll.viz.zero_states import begins_with, is_zero, marks_apart, one_mark_a_box, zero_helpers


class Contraction:
    """A graph as units and wires. A unit is at a step where its nodes say so; see `unroll.viz.unit_steps` for the others.

    Args:
        graph: the graph.
        opened: make every operator a unit of its own, instead of one unit a cell and step.
        scans: the bodies of its Scans.
        groups: where every operator is a unit, those that are one together.
        folded: where every operator is a unit, leave out those that say nothing of the network: axes of 1 that come and go.

    Attributes:
        units: every unit, sources before those that read them.
        wires: what flows between units; Parameters are apart.
        readers: for each Parameter, the units that read it.
        sources: the units of inputs and constants.
        copies: the outputs that are copies of another one, and no units, with what they are copies of.
        made: the weights that are made from others once.
        folding: what a picture of cells leaves out, or one of operators that is `folded`; None where every operator is drawn.
        states: what the cells hand on from step to step.
        unrolled: steps of cells that stand by themselves, before and after the loop of the other steps.
        natives: the nodes that are an LSTM, GRU or RNN; what makes their weights is no unit.
        joint: the cells that are computed as one.
        handed: the wires that bring a cell the state that another has ended with, once `unroll.viz.phases` has found them.
    """

    def __init__(
        self,
        graph: Graph,
        opened: bool = False,
        scans: Mapping[Node, ScanBody] | None = None,
        groups: Sequence[Group] = (),
        folded: bool = False,
    ) -> None:
        self.graph = graph
        self.opened = opened
        self.joint = JointCells(graph)
        self.units: list[Unit] = []
        self.wires: list[Wire] = []
        self.readers: dict[Parameter, list[Unit]] = {item: [] for item in graph.parameters.values()}
        self._owner: dict[Node, Unit] = {}
        self._roles: dict[Node, str] = {}
        self._read_at: dict[Parameter, list[Wire]] = {}
        self.sources: dict[Tensor, Unit] = {}
        self._scans = scans or {}
        self.natives = native_nodes(graph)
        self.made = MadeWeights(graph)
        self.folding: Folding | None = None
        self.unrolled: set[Unit] = set()
        self.copies = _copies(graph)
        self._looped = looped_paths([node for node in graph.nodes if self._is_loop(node)])
        hidden = zero_helpers(graph) | folded_weights(graph, self.natives) | self.made.nodes
        hidden |= {copy.node for copy in self.copies if copy.node is not None}
        if opened:
            if folded:
                self.folding = Folding(graph, self.natives, self._looped, {}, keeps_masks=True)
                hidden |= self.folding.nodes
            self._add_operators(hidden, groups)
        else:
            layers = [layer for layer in layer_boxes(graph) if layer.path not in self._looped]
            boxed = {node: box.path for box in shown_boxes(layers, hidden) for node in box.nodes}
            self.folding = Folding(graph, self.natives, self._looped, boxed)
            hidden |= self.folding.nodes
            layers = shown_boxes(layers, hidden)
            self._add_nodes(hidden, {}, layers)
            cycles = circles(self._edges())
            outer = outer_cells(cycles)
            if outer:
                self._add_nodes(hidden, outer, layers)
                cycles = circles(self._edges())
            self._dissolve(cycles)
        self._leave_out_steps()
        # What is made within a box that several operators share has no name to read.
        unboxed = self.made.nodes.union(*(group.nodes[1:] for group in groups if group.kind == "op"))
        for place, tensor in enumerate(graph.inputs):
            self._source(tensor, Unit("input", f"input_{place}", tensor=tensor))
        self._add_wires()
        self._add_outputs()
        self.states = States(graph, self.wires, self.joint, unboxed)
        if self._add_kept_states():
            self.states = States(graph, self.wires, self.joint, unboxed)
        apart = marks_apart(self.units, self.wires, self.states)
        if apart is not None:
            self.units, self.wires = apart
            self.states = States(graph, self.wires, self.joint, unboxed)
        if any(unit.is_closed for unit in self.units):
            self.units, self.wires = one_mark_a_box(self.units, self.wires)
            kept = set(self.units)
            self.sources = {tensor: unit for tensor, unit in self.sources.items() if unit in kept}
            self._owner = {node: unit for node, unit in self._owner.items() if unit in kept}
        self.handed: frozenset[Wire] = frozenset()

    @property
    def rows(self) -> list[str]:
        """The variable paths of the cells, in the order they are met."""
        return list(dict.fromkeys(unit.row for unit in self.units if unit.row is not None))

    def is_state(self, wire: Wire) -> bool:
        """Say whether a wire brings a cell its state, from its earlier step or from outside."""
        return self.states.reads(wire)

    def _add_operators(self, hidden: set[Node], groups: Sequence[Group]) -> None:
        """Make every node a unit; states of zeros, and what makes other first states, stand before step 0."""
        places = {node: self.joint.place(node) for node in self.graph.nodes}
        stepped = self._looped | {found.cell for found in places.values() if found.step is not None}
        boxes = [group._replace(nodes=[node for node in group.nodes if node not in hidden]) for group in groups]
        within = {node: group for group in boxes for node in group.nodes}
        for place, node in enumerate(self.graph.nodes):
            if node in hidden:
                continue
            if node in within:
                group = within[node]
                if node is group.nodes[0]:
                    # Of operators that share a box the step is their own, not that which their box has come to stand at.
                    step = group.step if group.kind == "cell" or group.name else places[node].step
                    unit = Unit(
                        group.kind, f"{group.kind}_{place}", group.nodes, step, cell=group.cell, name=group.name
                    )
                    self._owner |= dict.fromkeys(group.nodes, unit)
                    self.units.append(unit)
                continue
            if self._is_loop(node):
                self._add(node, Unit("loop", f"loop_{place}", [node]))
                continue
            cell, step = places[node]
            zero = is_zero(node) and node.origin.cell is None
            at = BEFORE_STEPS if zero and step is not None else step
            if zero:
                self._add(node, Unit("zero", f"zero_{place}", [node], at, tensor=node.outputs[0]))
                continue
            # The cell is inside the loop, or at other steps; what is of all its steps, or of none, belongs to none of them.
            around = step is None and cell in stepped
            self._add(node, Unit("op", f"op_{place}", [node], at, cell=None if around else cell))

    def _add(self, node: Node, unit: Unit) -> None:
        self._owner[node] = unit
        self.units.append(unit)

    def _is_loop(self, node: Node) -> bool:
        return node in self.natives or node in self._scans

    def _leave_out_steps(self) -> None:
        """Forget the steps of what stands around loops: where no cell is at a step, there are no columns to stand in."""
        loops = any(unit.kind == "loop" for unit in self.units)
        if loops and all(unit.step is None or unit.nodes[0].origin.cell is None for unit in self.units):
            for unit in self.units:
                unit.step = None

    def _add_nodes(self, hidden: set[Node], outer: Mapping[str, str], layers: Sequence[LayerBox]) -> None:
        """Make a unit of each cell and step, of each layer, and of each node outside of both; `outer` is the cell that
        holds a cell.
        """
        self.units.clear()
        self._owner.clear()
        called = {node: layer for layer in layers for node in layer.nodes}
        cells: dict[tuple[str, int | None], Unit] = {}
        places = {node: self.joint.place(node) for node in self.graph.nodes}
        stepped = {place.cell for place in places.values() if place.step is not None}
        for node in self.graph.nodes:
            if node in hidden:
                continue
            cell, step = places[node]
            if self._is_loop(node):
                unit = Unit("loop", f"loop_{len(self.units)}")
            elif is_zero(node):
                unit = Unit("zero", f"zero_{len(self.units)}", step=step, tensor=node.outputs[0])
            elif cell is not None and not (
                step is None and (cell in stepped | self._looped or len(node.provenance) > 1)
            ):
                row = outer.get(cell, cell)
                key = (row, step)
                if key in cells:
                    cells[key].nodes.append(node)
                    self._owner[node] = cells[key]
                    continue
                unit = cells[key] = Unit("cell", f"cell_{len(self.units)}", [], step, row, row)
            elif node in called:
                if node is not called[node].nodes[0]:
                    self._owner[called[node].nodes[0]].nodes.append(node)
                    self._owner[node] = self._owner[called[node].nodes[0]]
                    continue
                unit = Unit("op", f"layer_{len(self.units)}", step=step, name=called[node].path)
            else:
                unit = Unit("op", f"op_{len(self.units)}", step=step)
            unit.nodes.append(node)
            self._owner[node] = unit
            self.units.append(unit)

    def _edges(self) -> list[tuple[Unit, Unit]]:
        """Return which units read which: each pair with the one that makes something before the one that reads it."""
        owner, found = self._owner, dict[tuple[Unit, Unit], None]()
        for node, unit in owner.items():
            for tensor in node.inputs:
                made = self._before_folds(tensor).node if tensor is not None else None
                before = owner.get(made) if made is not None else None
                if before is not None and before is not unit:
                    found[before, unit] = None
        return list(found)

    def _dissolve(self, cycles: Iterable[set[Unit]]) -> None:
        """Open up boxes that cannot be drawn as one: those that feed themselves through others, and repeated calls."""
        cyclic = {unit for part in cycles for unit in part if unit.row is not None or unit.name}
        loops = any(unit.kind == "loop" for unit in self.units)
        broken = rows_around_loops(self.units, self._edges() if loops else ())
        opened: list[Unit] = []
        for unit in self.units:
            whole = (unit.row is not None and unit.step is None) or unit.name
            alone = unit.row in broken and unit.step is not None and unit not in cyclic and is_whole(unit, self.graph)
            if unit.row in broken:
                unit.step = None
            if alone:
                self.unrolled.add(unit)
                opened.append(unit)
            elif unit in cyclic or unit.row in broken or (whole and reads_weights_twice(unit)):
                for node in unit.nodes:
                    piece = self._owner[node] = Unit("op", f"{unit.id}_{len(opened)}", [node], unit.step)
                    opened.append(piece)
            else:
                opened.append(unit)
        self.units = opened

    def _source(self, tensor: Tensor, unit: Unit) -> Unit:
        self.sources[tensor] = unit
        self.units.append(unit)
        return unit

    def _add_wires(self) -> None:
        for node in self.graph.nodes:
            target = self._owner.get(node)
            if target is None:
                continue
            held = self._held(node)
            for place, tensor in enumerate(node.inputs):
                if place in held or tensor is None:
                    continue
                if isinstance(tensor, Parameter) and target.cell is not None:
                    role = (self._role(node, target), place)
                    self._read_at.setdefault(tensor, []).append(Wire(target, target, tensor, role))
                for item in self.made.bases(tensor):
                    if target not in self.readers[item][-1:]:
                        self.readers[item].append(target)
                first = self._before_folds(tensor)
                source = self._source_of(first)
                if source is not None and source is not target and target.kind != "zero":
                    parted = first.node is not None and self.title(first.node) == "Unstack"
                    parted = parted or (self.opened and first is not tensor)
                    role = (self._role(node, target), place)
                    self.wires.append(Wire(source, target, first, role, tensor if parted else None))

    def _before_folds(self, tensor: Tensor) -> Tensor:
        tensor = self.copies.get(tensor, tensor)
        return tensor if self.folding is None else self.folding.source(tensor)

    def title(self, node: Node) -> str:
        """Return what an operator is called."""
        name = node.op.name.removeprefix("ai.onnx.")
        return name if self.folding is None else self.folding.titles.get(node, name)

    def _held(self, node: Node) -> Collection[int]:
        """Return which inputs of a node are weights that its own box shows."""
        native = self.natives.get(node)
        if native is not None:
            return {native.place(name) for name in native.weights}
        return self._scans[node].weights if node in self._scans else ()

    def _role(self, node: Node, target: Unit) -> str:
        if target.step is None:
            return self.graph.name(node)
        if node not in self._roles:
            self._roles[node] = node_role(self.graph, node, self.joint)
        return self._roles[node]

    def _source_of(self, tensor: Tensor) -> Unit | None:
        if tensor.node is not None:
            return self._owner.get(tensor.node)
        if tensor not in self.sources and isinstance(tensor, Constant) and _is_data(tensor):
            kind: Kind = "constant" if tensor.value.any() else "zero"
            self._source(tensor, Unit(kind, f"{kind}_{len(self.units)}", tensor=tensor))
        return self.sources.get(tensor)

    def _add_outputs(self) -> None:
        for place, (tensor, name) in enumerate(zip(self.graph.outputs, self.graph.output_names, strict=True)):
            unit = Unit("output", f"output_{place}", tensor=tensor, name=name)
            first = self._before_folds(tensor)
            source = self._source_of(first)
            if isinstance(first, Parameter):
                self.readers[first].append(unit)
            elif source is None:
                source = self._source(first, Unit("constant", f"constant_{len(self.units)}", tensor=first))
            self.units.append(unit)
            if source is not None:
                self.wires.append(Wire(source, unit, first, read=None if first is tensor else tensor))

    def _add_kept_states(self) -> bool:
        """Let a weight that cells only begin with, as files keep first states, be a first state and no weight of theirs."""
        added = False
        for parameter, reads in self._read_at.items():
            targets = {wire.target for wire in reads}
            if begins_with(reads, self.wires, self.states) and all(unit in targets for unit in self.readers[parameter]):
                name = weight_names([parameter], reads[0].target.cell or "")[parameter].rpartition("/")[2]
                unit = Unit("constant", f"constant_{len(self.units)}", tensor=parameter, name=without_port(name))
                self._source(parameter, unit)
                self.wires += [replace(wire, source=unit) for wire in reads]
                self.readers[parameter].clear()
                added = True
        return added

    def in_order(self) -> list[Unit]:
        """Return the units that hold nodes, in the order of the first node of each."""
        owner = self._owner
        return [owner[node] for node in self.graph.nodes if node in owner and owner[node].nodes[0] is node]


def _is_data(constant: Constant) -> bool:
    """Say whether a constant is data to show, not a setting such as axes or a bias of 1."""
    return constant.dtype.kind == "f" and constant.value.size > 1


def _copies(graph: Graph) -> dict[Tensor, Tensor]:
    """Return the outputs that are copies, made so that one tensor can have two names, with the tensors copied."""
    read = {tensor for node in graph.nodes for tensor in node.inputs}
    return {
        tensor: tensor.node.inputs[0]
        for tensor in graph.outputs
        if tensor not in read and tensor.node is not None and isinstance(tensor.node.op, Identity)
        if tensor.node.inputs[0] is not None and tensor.node.inputs[0].node is not None
    }
