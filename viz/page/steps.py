"""The loops of a graph as rows of steps; equal steps share one template, so that a cell is laid out once for any T."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Placeholder, Tensor
from unroll.viz.contraction import Contraction
from unroll.viz.page.calls import calls_of, own_name
from unroll.viz.page.handed import note_handed
from unroll.viz.page.rows import MOST_BESIDE, Kind, Row, Run, Source, Template
from unroll.viz.phases import find_phases
from unroll.viz.unit_steps import infer_steps
from unroll.viz.units import Unit, Wire
from unroll.viz.weight_names import without_port

# Constants of more elements than this are told apart by which one they are, not by what is in them.
_MOST_COMPARED = 64
# How many operators of a graph without steps are shown.
_MOST = 240


class Loops:
    """The rows of a graph.

    Args:
        graph: the graph, with the steps, cells and gates that can be found.

    Attributes:
        graph: the graph.
        contraction: its units, as a picture of cells has them.
        rows: its loops, in the order in which they are met.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.contraction = Contraction(graph)
        find_phases(self.contraction)
        infer_steps(self.contraction)
        self._owner = {node: unit for unit in self.contraction.units for node in unit.nodes}
        self._wires: dict[tuple[Unit, Tensor], Wire] = {}
        for wire in self.contraction.wires:
            self._wires.setdefault((wire.target, wire.tensor), wire)
        self._stems = _stems(graph)
        units: dict[tuple[str, int], dict[int, Unit]] = {}
        for unit in self.contraction.units:
            if unit.kind == "cell" and unit.row is not None and unit.step is not None:
                units.setdefault((unit.row, unit.phase), {})[unit.step] = unit
        self._whole: dict[Unit, Unit] = {}
        self.rows: list[Row] = []
        for (path, phase), found in units.items():
            calls = calls_of(dict(sorted(found.items())))
            for number, call in enumerate(calls, 1):
                self._whole |= {part: found[step] for step, part in call.items()}
                self.rows.append(self._row(path, phase, call, number if len(calls) > 1 else 0))
        self.rows.sort(key=lambda row: row.phase)
        self._find_read()

    def _find_read(self) -> None:
        """Note which loops of its phase each loop reads, be that through operators that are at no step."""
        if len(self.rows) < 2:
            return
        behind: dict[Unit, list[Unit]] = {}
        for wire in self.contraction.wires:
            behind.setdefault(wire.target, []).append(wire.source)
        for row in self.rows:
            open_ = [self._owner[nodes[0]] for nodes in (row.steps[min(row.steps)], row.steps[max(row.steps)]) if nodes]
            seen = set(open_)
            while open_:
                for before in behind.get(open_.pop(), ()):
                    if before.kind == "cell" and before.row is not None:
                        row.reads |= {before.row} if before.row != row.path and before.phase == row.phase else set()
                    elif before not in seen:
                        seen.add(before)
                        open_.append(before)

    def whole(self) -> Row:
        """Return a graph without loops as one step of all its operators, but those that only make weights and zeros.

        Of very many there are the first and the last ones.
        """
        shown = {node for unit in self.contraction.units if unit.kind != "zero" for node in unit.nodes}
        shown |= {tensor.node for tensor in self.graph.outputs if tensor.node is not None}
        folding = self.contraction.folding
        if folding is not None:  # what only gives or takes axes of 1 is led through here
            read = {tensor for node in shown for tensor in node.inputs}
            for node in reversed(self.graph.nodes):
                moves = node in folding.nodes and folding.source(node.outputs[0]) is not node.outputs[0]
                if moves and not read.isdisjoint(node.outputs):
                    shown.add(node)
                    read.update(node.inputs)
        nodes = [node for node in self.graph.nodes if node in shown]
        kept = [*nodes[: _MOST // 2], *nodes[-_MOST // 2 :]] if len(nodes) > _MOST else nodes
        row = self._at_once(kept)
        row.left_out = len(nodes) - len(kept)
        place = {node: number for number, node in enumerate(kept)}
        for tensor, name in zip(self.graph.outputs, self.graph.output_names, strict=True):
            if tensor.node in place:
                row.templates[0].given[place[tensor.node], tensor.index] = None
                row.templates[0].labels[place[tensor.node], tensor.index] = name
        self._add_labels(row)
        return row

    def around(self, nodes: Sequence[Node]) -> Row:
        """Return some operators that stand around loops as a row of its own, on no axis."""
        row = self._at_once(list(nodes))
        row.around = True
        (template,) = row.templates
        read = {tensor for node in nodes for tensor in node.inputs[:MOST_BESIDE]}
        template.sources = {tensor: source for tensor, source in template.sources.items() if tensor in read}
        self._add_labels(row)
        return row

    def _at_once(self, nodes: list[Node]) -> Row:
        """Return operators as one step."""
        sources, _ = self._read(Unit("op", "all", nodes))
        return Row("", self.graph, templates=[Template(nodes, sources)], runs=[Run(0, 0, 0)], steps={0: nodes})

    def _row(self, path: str, phase: int, units: Mapping[int, Unit], call: int) -> Row:
        states = self.contraction.states
        names = [own_name(name) if call else name for name in states.names.get(path, ())]
        row = Row(path, self.graph, phase, path in states.backward, tuple(dict.fromkeys(names)), call=call)
        known: dict[object, int] = {}
        for step, unit in units.items():
            row.steps[step] = unit.nodes
            sources, signature = self._read(unit, bool(call))
            number = known.setdefault(signature, len(known))
            if number == len(row.templates):
                row.templates.append(Template(unit.nodes, sources))
            if row.runs and row.runs[-1].template == number and row.runs[-1].last == step - 1:
                row.runs[-1] = row.runs[-1]._replace(last=step)
            else:
                row.runs.append(Run(number, step, step))
        self._add_labels(row)
        note_handed(row, self.contraction)
        return row

    def _add_labels(self, row: Row) -> None:
        """Note what outputs are called, where that is the same at the first and the last step of each run."""
        for number, template in enumerate(row.templates):
            ends = [step for run in row.runs if run.template == number for step in {run.first, run.last}]
            for at, node in enumerate(template.nodes):
                for tensor in node.outputs:
                    called = {self._label(row.steps[step][at].outputs[tensor.index]) for step in ends}
                    if len(called) == 1 and "" not in called:
                        name = called.pop()
                        template.labels.setdefault((at, tensor.index), own_name(name) if row.call else name)

    def _label(self, tensor: Tensor) -> str:
        """Return what a tensor is called; an output of a step without its number, as inputs are: ``Y`` of ``Y0``, ``Y1``."""
        label = self.contraction.states.tensors.label(tensor)
        return self._stems.get(tensor, label) if label else ""

    def _read(self, unit: Unit, called: bool = False) -> tuple[dict[Tensor, Source], object]:
        """Return what a step reads, and a key that is equal for steps that compute the same of the same."""
        place = {node: number for number, node in enumerate(unit.nodes)}
        sources: dict[Tensor, Source] = {}
        names, signature = _Names(), list[object]()
        for node in unit.nodes:
            read: list[object] = []
            for tensor in node.inputs:
                if tensor is None or isinstance(tensor, Constant):
                    read.append(None if tensor is None else _compared(tensor))
                elif tensor.node in place:
                    read.append((place[tensor.node], tensor.index))
                else:
                    if tensor not in sources:
                        sources[tensor] = self._source(unit, tensor, names)
                        if called and sources[tensor].kind in ("state", "zero", "first"):
                            sources[tensor] = sources[tensor]._replace(name=own_name(sources[tensor].name))
                    found = sources[tensor]
                    read.append((found.kind, found.name, found.weights, tensor.shape))
            shapes = tuple([(tensor.shape, tensor.dtype) for tensor in node.outputs])
            signature.append((type(node.op), repr(node.op), node.origin.gate, shapes, tuple(read)))
        return sources, tuple(signature)

    def _source(self, unit: Unit, tensor: Tensor, names: _Names) -> Source:
        weights = self.contraction.made.bases(tensor)
        if weights or self._is_hidden(tensor):
            return _weight(tensor, tuple(weights) or self._behind(tensor))
        folding = self.contraction.folding
        first = tensor if folding is None else folding.source(tensor)
        wire = self._wires.get((self._whole.get(unit, unit), first))
        owner = self._owner.get(first.node) if first.node is not None else None
        if wire is not None and (self.contraction.is_state(wire) or (owner is not None and owner.row == unit.row)):
            kind: Kind = "state" if owner is not None and owner.row == unit.row else "first"
            zero = owner is not None and owner.kind == "zero"
            name = self.contraction.states.name(wire)
            return Source("zero" if zero else kind, name, tensor, made=self._maker(first))
        if owner is not None and owner.kind == "zero":
            return Source("zero", names.of("zero"), tensor)
        name = "mask" if tensor.dtype.kind == "b" else _reduced(tensor) or self._called(first, whole=unit.step is None)
        return Source("input", names.of(name), tensor, made=self._maker(first))

    def _is_hidden(self, tensor: Tensor) -> bool:
        """Say whether a tensor is a weight that is made for one operator, and no box of its own."""
        node, folding = tensor.node, self.contraction.folding
        folded = folding is not None and node in folding.nodes
        return node is not None and node not in self._owner and not folded and bool(self._behind(tensor))

    def _behind(self, tensor: Tensor) -> tuple[Parameter, ...]:
        """Return the Parameters that a tensor is made of by operators that have no box."""
        found: dict[Parameter, None] = {}
        open_, seen = [tensor], {tensor}
        while open_:
            node = open_.pop().node
            for before in node.inputs if node is not None and node not in self._owner else ():
                if isinstance(before, Parameter):
                    found[before] = None
                elif before is not None and before not in seen:
                    seen.add(before)
                    open_.append(before)
        return tuple(found)

    def _maker(self, tensor: Tensor) -> str:
        """Return what makes a tensor: a cell, an operator, or an input of the graph."""
        owner = self._owner.get(tensor.node) if tensor.node is not None else None
        if owner is not None and owner.row is not None:
            return owner.row.rpartition("/")[2]
        if owner is not None and owner.name:
            return owner.name.rpartition("/")[2]
        return self.contraction.title(tensor.node) if tensor.node is not None else "input"

    def _called(self, tensor: Tensor, whole: bool) -> str:
        """Return what an input is called at every step: a placeholder without its number, what a cell calls its output."""
        if isinstance(tensor, Placeholder):
            name = tensor.name.rpartition("/")[2].removesuffix(":0")
            return name if whole else name.rstrip("0123456789_") or "x"
        node = tensor.node
        made = self._owner.get(node) if node is not None else None
        return self.contraction.states.called(tensor) if made is not None and made.row is not None else "x"


class _Names:
    """Names within one step, each different."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def of(self, name: str) -> str:
        count = self._taken[name] = self._taken.get(name, 0) + 1
        return name if count == 1 else f"{name} {count}"


def _stems(graph: Graph) -> dict[Tensor, str]:
    """Return the names of outputs that differ in a number alone, without it and without their paths."""
    stems = [without_port(name).rstrip("0123456789").rstrip("_") for name in graph.output_names]
    count = Counter(stems)
    named = zip(graph.outputs, graph.output_names, stems, strict=True)
    return {
        tensor: stem.rpartition("/")[2]
        for tensor, name, stem in named
        if stem and stem != without_port(name) and count[stem] > 1
    }


def _reduced(tensor: Tensor) -> str:
    """Return what one number made of many is called, such as ``min``; nothing for another tensor."""
    name = tensor.node.op.name if tensor.node is not None and tensor.rank == 0 else ""
    return name.removeprefix("Reduce").lower() if name.startswith("Reduce") else ""


def _weight(tensor: Tensor, weights: Sequence[Parameter] = ()) -> Source:
    known = tuple(weights) or ((tensor,) if isinstance(tensor, Parameter) else ())
    return Source("weight", ", ".join(item.name.rpartition("/")[2] for item in known), tensor, known)


def _compared(constant: Constant) -> Any:
    value: Array = constant.value
    return (value.shape, value.tobytes()) if value.size <= _MOST_COMPARED else constant
