"""Say of nodes without a timestep at which step of which loop they are, and which gate of its cell they make.

Steps are found as `reroll` finds them, each compared with the others in full; a gate is named only where the cell is proven to
be an LSTM, GRU or RNN. Files of others, and loops without `unroll.step`, so get the provenance that pictures and summaries go
by. Preserves everything but provenance: names, inputs, outputs, operators, and the values to the bit. Never adds a node.
For a Parameter without a block table stands another of its name and value, with the table of the gates that read it: the
program's own Parameter, which another graph may read in another way, stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.parameter import BlockTable, Parameter
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.merge_equal import merge_equal
from unroll.passes.placing.beside_steps import Beside, Where
from unroll.passes.placing.branches import closed, opened
from unroll.passes.placing.found_blocks import blocks_of, gate_names, parameters_of, table_of
from unroll.passes.placing.gate_nodes import Made, gate_nodes
from unroll.passes.placing.kept_back import heads_of
from unroll.passes.placing.time_order import Times, timesteps
from unroll.passes.placing.whole_runs import whole_runs
from unroll.passes.rerolling.finding import Inner, Recurrence, SearchGivenUpError, View, find
from unroll.passes.rerolling.finding.pattern import Part
from unroll.passes.rerolling.native import UnmatchedError
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

    @property
    def origin(self) -> Origin:
        return Origin(_within(self.cell, self.step) + self.part, self.step, self.cell, self.gate)


@lru_cache(maxsize=1 << 14)
def _within(cell: str, step: int) -> str:
    """Return what the scopes of the nodes of a cell begin with at a step: asked for again for each part of it."""
    above, _, last = cell.rpartition("/")
    return join(above, f"t{step}/{last}/")


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

    A graph whose products with weights have steps, and whose weights have block tables or are read at none of them, is
    returned as it is; so is one in which the search for steps takes too long, or finds only short runs beside many more
    products with their weights.
    """
    if any(map(_has_step, graph.nodes)) and not _lacks_blocks(graph) and not _lacks_steps(graph):
        return graph
    branches = opened(graph)
    if branches is not None:
        return closed(graph, branches, places(branches.graph))
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
        return placing.finish()


def _has_step(node: Node) -> bool:
    if len(node.provenance) == 1:
        return node.origin.step is not None
    return any(origin.step is not None for origin in node.provenance)


def _lacks_blocks(graph: Graph) -> bool:
    """Say whether matrices that are read at a step have no block tables, as those of a file have none."""
    parameters = [item for item in graph.parameters.values() if item.rank == 2]
    if not parameters or any(item.blocks is not None for item in graph.parameters.values()):
        return False
    cells = {node for node in graph.nodes if node.origin.cell is not None and node.origin.step is not None}
    return any(isinstance(tensor, Parameter) for node in cells for tensor in node.inputs)


def _lacks_steps(graph: Graph) -> bool:
    """Say whether products without a step read one weight again and again, as those of a file's functions do."""
    products = (node for node in graph.nodes if isinstance(node.op, (Conv, Gemm, MatMul)) and not _has_step(node))
    weights = [tensor for node in products for tensor in node.inputs if isinstance(tensor, Parameter)]
    return len(set(weights)) < len(weights)


class _Placing:
    """Gathers the places of nodes, loop by loop, and writes them."""

    def __init__(self, graph: Graph, view: View) -> None:
        self._graph, self._view = graph, view
        self._weights = Weights(view.graph)
        self._originals = lineage_of(view.graph).nodes
        self._ours = set(graph.nodes)
        self._places: dict[Node, _Place] = {}
        self._cells: dict[str, int] = {}
        self._read: dict[str, list[Parameter]] = {}
        self._tables: dict[Parameter, BlockTable] = {}

    def add(self, recurrence: Recurrence, times: Times) -> None:
        """Place the nodes of one recurrence."""
        loop = self._loop(recurrence)
        self._read[loop.cell] = times.weights
        states = {recurrence.pattern.states[number].place: name for number, name in loop.states.items()}
        parts = [states.get(place) or self._part(node) for place, node in enumerate(recurrence.steps[-1].nodes)]
        for place, pattern in enumerate(recurrence.pattern.parts):
            part = f"{parts[place]}_{place}" if parts.count(parts[place]) > 1 else parts[place]
            gate, names = loop.gate(pattern, place), loop.names(pattern, place)
            for step, time in zip(recurrence.steps, times.steps, strict=True):
                if step.nodes:
                    self._put(step.nodes[place], _Place(loop.cell, time, gate, part, names))
        first = recurrence.steps[0]
        made = (
            first.before if times.earlier else first.after
        )  # what the first step ends with that was written otherwise
        ends = {tensor.node: loop.states.get(number) for number, tensor in enumerate(made)}
        placed = {node for step in recurrence.steps for node in step.nodes}
        simplified = {node: times.steps[at] for node, at in recurrence.members.items() if node not in placed}
        for node, time in (
            simplified | times.earlier
        ).items():  # what it reads need not be what the others of its name do
            self._put(node, _Place(loop.cell, time, None, ends.get(node) or f"first_{self._part(node)}"))

    def _part(self, node: Node) -> str:
        old = self._original(node)
        name = node.op.name if old is None else self._graph.name(old)
        return re.sub(r"[_0-9]+$", "", _PARTS.split(name)[-1]) or node.op.name

    def _original(self, node: Node) -> Node | None:
        old = self._originals.get(node, node)
        return old if old in self._ours else None

    def _put(self, node: Node, place: _Place) -> None:
        old = self._original(node)
        if old is not None and not _has_step(old):
            self._places.setdefault(old, place)

    def _loop(self, recurrence: Recurrence) -> _Loop:
        """Return the cell that a recurrence is; without gates where it is proven to be none."""
        shared = recurrence.shared()
        try:
            forms = PatternForms(self._view, recurrence, self._weights, heads_of(recurrence))
            cell = recognised(forms)
        except UnmatchedError:
            states = {number: f"state_{number}" for number in range(len(recurrence.pattern.states))}
            return _Loop(self._name(recurrence, shared, "loop"), {}, states)
        blocks = blocks_of(cell)
        names = gate_names(cell, blocks.values())
        for parameter, found in blocks.items():
            table = table_of(parameter, found, names) if parameter.blocks is None else None
            if table is not None:
                self._tables.setdefault(parameter, table)
        name = self._name(recurrence, shared, cell.op.lower())
        gates = gate_nodes(forms, cell, names) if cell.op != "RNN" else {}
        states = dict(zip(cell.states, ("h", "c"), strict=False))
        return _Loop(name, gates, states)

    def _name(self, recurrence: Recurrence, shared: Iterable[Tensor], kind: str) -> str:
        """Return a name for a cell: where its weights lie, else where its nodes lie, else what it is; each name once."""
        weights = [item.name for item in parameters_of(shared)]
        name = _common(weights) or recurrence.scope.strip("/") or kind
        count = self._cells[name] = self._cells.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count - 1}"

    def finish(self) -> Graph:
        """Return the graph with everything in its place, what lies beside the steps among it."""
        writing = Rewriting(self._graph)
        for parameter, table in self._tables.items():
            writing.redirect(parameter, parameter.with_blocks(table))
        origins = {node: place.origin for node, place in self._places.items()}
        origins |= self._beside() if origins else {}
        names = {node: place.names for node, place in self._places.items() if place.names}

        def write(node: Node) -> None:
            where = frozenset({origins[node]}) if node in origins else node.provenance
            copy = writing.copy(node, writing.inputs(node), where)
            for old, new in zip(node.outputs, copy.outputs, strict=True):
                writing.redirect(old, new)
            for tensor, name in zip(copy.outputs, names.get(node, ()), strict=False):
                tensor.hint = name

        reading = [node for node in self._graph.nodes if not self._tables.keys().isdisjoint(node.inputs)]
        return writing.walk({*origins, *reading}, write)

    def _beside(self) -> dict[Node, Origin]:
        """Return where nodes beside the steps come from; no two have one scope."""
        where, loops, parts = {}, {}, {}
        for node, known in self._places.items():
            where[node], parts[node] = Where(known.cell, known.step), known.part
            loops[node] = known.cell.rpartition("/")[0]
        for node in self._graph.nodes:
            origin = node.origin
            if origin.step is not None and len(node.provenance) == 1:
                loop, _, part = f"{origin.scope}/{node.op.name}".rpartition(f"t{origin.step}/")
                where[node], loops[node], parts[node] = Where(origin.cell, origin.step), loop.rstrip("/"), part
        found: dict[Node, Origin] = {}
        counts: Counter[str] = Counter()
        for node, (place, loop) in Beside(self._graph, where, loops, parts, self._read).found().items():
            if _has_step(node):  # of several, which is more than is found here
                continue
            within = join(f"t{place.step}", "" if place.cell is None else place.cell.rpartition("/")[2])
            path = join(loop, join(within, f"beside_{self._part(node)}"))
            counts[path] += 1
            found[node] = Origin(f"{path}_{counts[path]}", place.step, place.cell, None)
        return found


def _common(names: Sequence[str]) -> str:
    """Return the scope that all names lie in, ours, TensorFlow's or PyTorch's."""
    found: list[str] = []
    for parts in zip(*(_PARTS.split(name)[:-1] for name in names), strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return "/".join(filter(None, found))
