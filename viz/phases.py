"""Which loops run after one another: a decoder begins where its encoder has ended, and stands to the right of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import networkx

from unroll.ops.joining import Concat, Split
from unroll.ops.shaping import Reshape
from unroll.ops.slicing import Gather, Slice
from unroll.tensor import Node
from unroll.viz.contraction import Contraction
from unroll.viz.units import BEFORE_STEPS, Unit, Wire


class _Span(NamedTuple):
    """The first and the last step of a cell that something depends on."""

    first: int
    last: int


def find_phases(contraction: Contraction) -> None:
    """Tell each cell that walks over steps its phase: how many loops must have ended before it begins.

    A cell follows another where the state that it begins with, or everything that it reads of the other, was made at the
    other's last step; and where it reads a later step of the other than its own, as one that attends to all outputs does, or
    one that reads them in the opposite order: in the same columns time would run backward. Layers that read one another step
    by step are of one phase, and so are two directions.
    """
    steps: dict[str, set[int]] = {}
    for unit in contraction.units:
        if unit.cell is not None and unit.step is not None:
            steps.setdefault(unit.cell, set()).add(unit.step)
    if len(steps) < 2:
        return
    ends = contraction.states.last_steps(contraction.units)
    seen = _Seen(contraction)
    read: dict[tuple[str, str], _Span] = {}
    begun: dict[tuple[str, str], list[Wire]] = {}
    ahead: set[tuple[str, str]] = set()  # read a step that comes later than their own
    for wire in contraction.wires:
        reader = wire.target.cell
        for cell, span in seen.through(wire).items() if reader in steps else ():
            if reader is None or cell == reader:
                continue
            read[reader, cell] = _joined(read.get((reader, cell)), span)
            if wire.target.step is not None and span.last > wire.target.step:
                ahead.add((reader, cell))
            if span == (ends[cell], ends[cell]) and contraction.states.brings(wire):
                begun.setdefault((reader, cell), []).append(wire)
    follows = (
        begun.keys()
        | ahead
        | {pair for pair, span in read.items() if span == (ends[pair[1]], ends[pair[1]]) and len(steps[pair[1]]) > 1}
    )
    phases = _longest(list(steps), read, follows)
    for unit in contraction.units:
        unit.phase = phases.get(unit.cell or "", 0)
    handed = (wire for (reader, cell), wires in begun.items() if phases[reader] > phases[cell] for wire in wires)
    contraction.handed = frozenset(wire for wire in handed if wire.source.cell is not None)


class _Seen:
    """Which steps of which cells reach each unit without going through a cell.

    What stacks steps keeps them apart, so that a layer that takes the stack to pieces again reads one step at each.
    """

    def __init__(self, contraction: Contraction) -> None:
        self._sources: dict[Unit, list[Wire]] = {}
        for wire in contraction.wires:
            self._sources.setdefault(wire.target, []).append(wire)
        self._whole: dict[Unit, dict[str, _Span]] = {}
        self._pieces: dict[Unit, list[dict[str, _Span]]] = {}
        for unit in contraction.in_order():
            if unit.cell is not None:
                at = unit.step
                self._whole[unit] = {} if at is None else {unit.cell: _Span(at, at)}
            elif unit.step != BEFORE_STEPS:  # zeros are made for the size of something, not for its value
                self._add(unit)

    def through(self, wire: Wire) -> Mapping[str, _Span]:
        """Return what reaches the reader of a wire by it."""
        pieces = self._pieces.get(wire.source, ())
        taken = wire.source.nodes and isinstance(wire.source.nodes[0].op, Split) and wire.tensor.index < len(pieces)
        return pieces[wire.tensor.index] if taken else self._whole.get(wire.source, {})

    def _add(self, unit: Unit) -> None:
        wires = self._sources.get(unit, ())
        whole = self._whole[unit] = _union(self.through(wire) for wire in wires)
        node = unit.nodes[0]
        stacked = [pieces for wire in wires if (pieces := self._pieces.get(wire.source)) is not None]
        if isinstance(node.op, Concat) and len(node.inputs) > 1:
            self._pieces[unit] = [_union(self.through(w) for w in wires if w.tensor is read) for read in node.inputs]
        elif len(stacked) == 1:
            at = _piece_taken(node)
            if at is not None and at < len(stacked[0]):
                self._whole[unit] = stacked[0][at]
            elif whole and (isinstance(node.op, Reshape) or _has(node, len(stacked[0]))):
                self._pieces[unit] = stacked[0]


def _piece_taken(node: Node) -> int | None:
    """Return the number of the one slice that a node takes along an axis; None where it takes another part."""
    index = node.inputs[1].known if isinstance(node.op, (Gather, Slice)) and node.inputs[1] is not None else None
    if isinstance(node.op, Gather):
        return index if isinstance(index, int) and index >= 0 else None
    last = node.inputs[2].known if index is not None and node.inputs[2] is not None else None
    if isinstance(index, tuple) and isinstance(last, tuple) and len(index) == len(last) == 1:
        first, end = index[0], last[0]
        return first if isinstance(first, int) and isinstance(end, int) and end - first == 1 and first >= 0 else None
    return None


def _has(node: Node, count: int) -> bool:
    """Say whether a node leaves an axis of so many, or takes it to pieces."""
    return len(node.outputs) == count or any(count in tensor.shape for tensor in node.outputs)


def _union(found: Iterable[Mapping[str, _Span]]) -> dict[str, _Span]:
    joined: dict[str, _Span] = {}
    for spans in found:
        for cell, span in spans.items():
            joined[cell] = _joined(joined.get(cell), span)
    return joined


def _joined(one: _Span | None, other: _Span) -> _Span:
    return other if one is None else _Span(min(one.first, other.first), max(one.last, other.last))


def _longest(cells: list[str], read: Mapping[tuple[str, str], _Span], follows: set[tuple[str, str]]) -> dict[str, int]:
    """Return how many loops come before each cell; cells that read one another in a circle are of one phase."""
    order: networkx.DiGraph[str] = networkx.DiGraph()
    order.add_nodes_from(cells)
    order.add_edges_from((cell, reader) for reader, cell in read)
    parts: networkx.DiGraph[int] = networkx.condensation(order)
    part_of: Mapping[str, int] = parts.graph["mapping"]
    after = {(part_of[cell], part_of[reader]) for reader, cell in follows}
    phases: dict[int, int] = {}
    for part in networkx.topological_sort(parts):
        phases[part] = max((phases[one] + ((one, part) in after) for one in parts.predecessors(part)), default=0)
    return {cell: phases[part_of[cell]] for cell in cells}


def loop_names(units: Iterable[Unit]) -> dict[int, str]:
    """Return what the loops of each phase are called: the part of their scopes by which they differ from those of other phases.

    A phase without a name of its own is left out, and so is the only phase of a picture.
    """
    cells: dict[int, dict[str, None]] = {}
    for unit in units:
        if unit.cell is not None and unit.step is not None:
            cells.setdefault(unit.phase, {})[unit.cell] = None
    shared = {phase: _shared([cell.split("/") for cell in found]) for phase, found in cells.items()}
    same = len(_shared(list(shared.values())))
    names = {phase: path[same] for phase, path in shared.items() if len(path) > same}
    return names if len(shared) > 1 and len(set(names.values())) == len(names) else {}


def _shared(paths: list[list[str]]) -> list[str]:
    """Return the parts that all paths begin with."""
    found: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return found
