"""Say of nodes without a timestep at which step of which loop they are, and which gate of its cell they make.

Steps are found as `reroll` finds them, each compared with the others in full; a gate is named only where the cell is proven to
be an LSTM, GRU or RNN. Files of others, and loops without `unroll.step`, so get the provenance that pictures and summaries go
by. Preserves everything but provenance: names, inputs, outputs, operators, and the values to the bit. Never adds a node.
For a Parameter without a block table stands another of its name and value, with the table of the gates that read it: the
program's own Parameter, which another graph may read in another way, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.linear import Gemm, MatMul
from unroll.parameter import BlockTable, Parameter
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.merge_equal import merge_equal
from unroll.passes.placing.found_blocks import blocks_of, gate_names, parameters_of, table_of
from unroll.passes.placing.gate_nodes import Made, gate_nodes
from unroll.passes.placing.time_order import Times, timesteps
from unroll.passes.placing.whole_runs import whole_runs
from unroll.passes.rerolling.finding import Inner, Recurrence, SearchGivenUpError, View, find
from unroll.passes.rerolling.finding.pattern import Part
from unroll.passes.rerolling.native import UnmatchedError
from unroll.passes.rerolling.native.lengths import masked
from unroll.passes.rerolling.native.pattern_reading import PatternForms
from unroll.passes.rerolling.native.recognising import recognised
from unroll.passes.tools.drafting import lineage_of
from unroll.passes.tools.rewriting import Rewriting
from unroll.passes.tools.weight_expressions import Weights
from unroll.passes.unhoist_inputs import unhoist_inputs
from unroll.scopes import Origin, join
from unroll.tensor import Node, Tensor

#: What separates the parts of names: ours, TensorFlow's and PyTorch's.
_PARTS = re.compile(r"[/.]")
#: What may stand before a step and be of its cell: a product of its input with a weight, and its bias.
_WEIGHING = (Add, Gemm, MatMul)
#: How often nodes between those of one step are looked for.
_SWEEPS = 4
#: How many looks at nodes the search for steps may take, and how many for each node of a large graph. A loop takes about
#: 2 for each; what repeats here and there and is no loop would take as many as the square of its nodes.
_LOOKS, _LOOKS_A_NODE = 100_000, 8


class _Place(NamedTuple):
    """A node of a step: `part` is what it is called, alike at every step, and `names` what its outputs are called."""

    cell: str
    step: int
    gate: str | None
    part: str
    names: tuple[str | None, ...] = ()


class _Loop(NamedTuple):
    """What is found out about one recurrence: its cell's name, its gates, and what its states are called."""

    cell: str
    gates: Mapping[Inner, Made]
    states: Mapping[int, str]

    def gate(self, part: Part, place: int) -> str | None:
        """Return the gate that a node is; none where it makes several tensors."""
        found = self.gates.get(Inner(place, 0)) if len(part.example.outputs) == 1 else None
        return None if found is None else found.gate

    def names(self, part: Part, place: int) -> tuple[str | None, ...]:
        """Return what the outputs of a node are called that cuts gates out of a joined product; nothing for another."""
        found = [self.gates.get(Inner(place, index)) for index in range(len(part.example.outputs))]
        return tuple([None if made is None else made.name for made in found]) if len(found) > 1 else ()


def places(graph: Graph) -> Graph:
    """Return `graph` with steps, cells and gates where it had none; see this module for what is preserved.

    A graph whose nodes have steps, and whose weights have block tables or are read at none of them, is returned as it is; so
    is one in which the search for steps takes too long, or finds only short runs beside many more products with their weights.
    """
    stepped = any(origin.step is not None for node in graph.nodes for origin in node.provenance)
    if stepped and not _lacks_blocks(graph):
        return graph
    with collector_paused():
        plain = cancel_shapes(merge_equal(unhoist_inputs(graph)))
        view = View(plain, looks=max(_LOOKS, _LOOKS_A_NODE * len(plain.nodes)))
        try:
            recurrences = whole_runs(view, find(view))
        except SearchGivenUpError:
            return graph
        if not recurrences:
            return graph
        placing = _Placing(graph, view)
        recurrences.sort(key=lambda item: view.place[item.steps[-1].nodes[0]])
        for recurrence, times in zip(recurrences, timesteps(view, recurrences), strict=True):
            placing.add(recurrence, times)
        return placing.finish(stepped)


def _lacks_blocks(graph: Graph) -> bool:
    """Say whether matrices that are read at a step have no block tables, as those of a file have none."""
    parameters = [item for item in graph.parameters.values() if item.rank == 2]
    if not parameters or any(item.blocks is not None for item in graph.parameters.values()):
        return False
    cells = {node for node in graph.nodes if node.origin.cell is not None and node.origin.step is not None}
    return any(isinstance(tensor, Parameter) for node in cells for tensor in node.inputs)


class _Placing:
    """Gathers the places of nodes, loop by loop, and writes them."""

    def __init__(self, graph: Graph, view: View) -> None:
        self._graph, self._view = graph, view
        self._weights = Weights(view.graph)
        self._originals = lineage_of(view.graph).nodes
        self._ours = set(graph.nodes)
        self._places: dict[Node, _Place] = {}
        self._cells: dict[str, int] = {}
        self._read: dict[str, frozenset[Parameter]] = {}
        self._tables: dict[Parameter, BlockTable] = {}

    def add(self, recurrence: Recurrence, found: Times) -> None:
        """Place the nodes of one recurrence."""
        times = found.steps
        loop = self._loop(recurrence)
        states = {recurrence.pattern.states[number].place: name for number, name in loop.states.items()}
        parts = [states.get(place) or self._part(node) for place, node in enumerate(recurrence.steps[-1].nodes)]
        for place, pattern in enumerate(recurrence.pattern.parts):
            part = f"{parts[place]}_{place}" if parts.count(parts[place]) > 1 else parts[place]
            gate, names = loop.gate(pattern, place), loop.names(pattern, place)
            for at, step in enumerate(recurrence.steps):
                if step.nodes:
                    self._put(step.nodes[place], _Place(loop.cell, times[at], gate, part, names))
        ends = {tensor.node: loop.states.get(number) for number, tensor in enumerate(recurrence.steps[0].after)}
        placed = {node for step in recurrence.steps for node in step.nodes}
        simplified = {node: times[at] for node, at in recurrence.members.items() if node not in placed}
        for node, time in (simplified | found.earlier).items():
            self._put(node, _Place(loop.cell, time, None, ends.get(node) or self._part(node)))

    def _part(self, node: Node) -> str:
        return re.sub(r"[_0-9]+$", "", _PARTS.split(self._graph_name(node))[-1]) or node.op.name

    def _graph_name(self, node: Node) -> str:
        old = self._original(node)
        return node.op.name if old is None else self._graph.name(old)

    def _original(self, node: Node) -> Node | None:
        old = self._originals.get(node, node)
        return old if old in self._ours else None

    def _put(self, node: Node, place: _Place) -> None:
        old = self._original(node)
        if old is not None:
            self._places.setdefault(old, place)

    def _loop(self, recurrence: Recurrence) -> _Loop:
        """Return the cell that a recurrence is; without gates where it is proven to be none."""
        shared = recurrence.shared()
        try:
            forms = PatternForms(self._view, recurrence, self._weights, masked(self._view, recurrence).heads)
            cell = recognised(forms)
        except UnmatchedError:
            return _Loop(self._name(recurrence, shared, "loop"), {}, {})
        blocks = blocks_of(cell)
        names = gate_names(cell, blocks.values())
        for parameter, found in blocks.items():
            table = table_of(parameter, found, names) if parameter.blocks is None else None
            if table is not None:
                self._tables.setdefault(parameter, table)
        name = self._name(recurrence, shared, cell.op.lower())
        self._read[name] = frozenset(blocks)
        gates = gate_nodes(forms, cell, names) if cell.op != "RNN" else {}
        states = dict(zip(cell.states, ("h", "c"), strict=False))
        return _Loop(name, gates, states)

    def _name(self, recurrence: Recurrence, shared: Iterable[Tensor], kind: str) -> str:
        """Return a name for a cell: where its weights lie, else where its nodes lie, else what it is; each name once."""
        weights = [item.name for item in parameters_of(shared)]
        name = _common(weights) or recurrence.scope.strip("/") or kind
        count = self._cells[name] = self._cells.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count - 1}"

    def finish(self, stepped: bool) -> Graph:
        """Return the graph with everything in its place, nodes between those of one step among them; `stepped`: as it has
        places already, with block tables alone.
        """
        writing = Rewriting(self._graph)
        for parameter, table in self._tables.items():
            writing.redirect(parameter, parameter.with_blocks(table))
        if stepped:
            reading = [node for node in self._graph.nodes if not self._tables.keys().isdisjoint(node.inputs)]
            return writing.walk(set(reading), writing.carry)
        self._fill()

        def write(node: Node) -> None:
            place = self._places[node]
            above, _, last = place.cell.rpartition("/")
            scope = join(above, f"t{place.step}/{last}/{place.part}")
            origin = Origin(scope, place.step, place.cell, place.gate)
            copy = writing.copy(node, writing.inputs(node), frozenset({origin}))
            for old, new in zip(node.outputs, copy.outputs, strict=True):
                writing.redirect(old, new)
            for tensor, name in zip(copy.outputs, place.names, strict=False):
                tensor.hint = name

        return writing.walk(self._places.keys(), write)

    def _fill(self) -> None:
        """Place nodes that a step alone reads, and that read what it makes, or multiply its input with its cell's weights."""
        readers: dict[Node, list[Node]] = {}
        for node in self._graph.nodes:
            for tensor in node.inputs:
                if tensor is not None and tensor.node is not None:
                    readers.setdefault(tensor.node, []).append(node)
        outputs = {tensor.node for tensor in self._graph.outputs}
        for _ in range(_SWEEPS):
            added = False
            for node in reversed(self._graph.nodes):
                if node in self._places or node in outputs:
                    continue
                made = {self._places[t.node][:2] for t in node.inputs if t is not None and t.node in self._places}
                read = {self._places[other][:2] if other in self._places else None for other in readers.get(node, ())}
                place = next(iter(read), None)
                if place is None or len(read) > 1 or node in self._view.fixed:
                    continue
                weighs = isinstance(node.op, _WEIGHING) and any(t in self._read.get(place[0], ()) for t in node.inputs)
                if made == read or (weighs and not made):
                    beside = self._places[readers[node][0]].part  # so that no two nodes of a step have one name
                    self._places[node] = _Place(*place, None, f"{self._part(node)}_for_{beside}")
                    added = True
            if not added:
                return


def _common(names: Sequence[str]) -> str:
    """Return the scope that all names lie in, ours, TensorFlow's or PyTorch's."""
    found: list[str] = []
    for parts in zip(*(_PARTS.split(name)[:-1] for name in names), strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return "/".join(filter(None, found))
