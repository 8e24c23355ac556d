"""Which cells and layers stay closed in a picture of operators that would be too large: what they do is seen at another step,
or in a cell of the same operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unroll.graph import Graph
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.contraction import Contraction
from unroll.viz.details import Detail
from unroll.viz.gates import Gates
from unroll.viz.levels import Slot
from unroll.viz.scan_bodies import ScanBody
from unroll.viz.sharing import shared_boxes
from unroll.viz.shown_steps import shown_steps
from unroll.viz.tensor_names import short_names
from unroll.viz.units import BEFORE_STEPS, Group, Unit

# Of how many numbers a constant is compared by its value.
_MOST = 8


def boxes_of_several(opened: Contraction, gates: Gates, detail: Detail, scans: Mapping[Node, ScanBody]) -> list[Group]:
    """Return what is one box each in a picture that says less than one of every operator.

    Args:
        opened: the graph with every operator, each loop in its phase.
        gates: the gates of its cells.
        detail: how much is said.
        scans: the bodies of its Scans.
    """
    columns = [Slot(phase, at) for phase, at in shown_steps(opened, False, detail.few)]
    hidden = {(slot.phase, step) for slot in columns if isinstance(slot.at, range) for step in slot.at}
    closed: list[Group] = []
    if not detail.steps:
        cells = Contraction(opened.graph, False, scans)
        closed = closed_cells(opened, cells, columns, detail.alike)
        closed += [] if detail.layers else closed_layers(cells)
    inside = {node for group in closed for node in group.nodes}
    units = [unit for unit in opened.units if (unit.phase, unit.step) not in hidden and inside.isdisjoint(unit.nodes)]
    return [*closed, *shared_boxes(opened.graph, units, opened.states.tensors, gates)]


def closed_cells(opened: Contraction, cells: Contraction, columns: Sequence[Slot], alike: bool) -> list[Group]:
    """Return the cells that are boxes.

    Args:
        opened: the graph with every operator, each loop in its phase.
        cells: the graph with every cell as a box.
        columns: the columns of timesteps that are shown.
        alike: open each of the cells that are of the same operators; else the first of them only.
    """
    walked = [unit for unit in cells.units if _is_step(unit) and unit not in cells.unrolled]
    kept = _opened_steps(walked, columns, _phases(opened))
    same = {} if alike else _same_as(cells.graph, kept)
    names = short_names(dict.fromkeys(unit.row or "" for unit in walked))
    groups: list[Group] = []
    for unit in walked:
        row = unit.row or ""
        if kept.get(row) is unit and row not in same:
            continue
        said = f"same operators as {names[same[row]]}" if row in same else ""
        groups.append(Group("cell", unit.nodes, unit.step, row, said))
    return groups


def closed_layers(cells: Contraction) -> list[Group]:
    """Return the layers that are boxes in the picture of cells, too."""
    layers = [unit for unit in cells.units if unit.kind == "op" and unit.name and len(unit.nodes) > 1]
    return [Group("op", unit.nodes, unit.step, None, unit.name) for unit in layers]


def _is_step(unit: Unit) -> bool:
    return unit.kind == "cell" and unit.row is not None and unit.step is not None and unit.step != BEFORE_STEPS


def _phases(opened: Contraction) -> dict[str, int]:
    """Return the phase of each cell, and of each scope around cells."""
    found: dict[str, int] = {}
    for unit in opened.units:
        parts = (unit.cell or "").split("/")
        for count in range(len(parts), 0, -1):
            found.setdefault("/".join(parts[:count]), unit.phase)
    return found


def _opened_steps(cells: Sequence[Unit], columns: Sequence[Slot], phases: Mapping[str, int]) -> dict[str, Unit]:
    """Return the one step of each cell that is opened: the second that is shown, which is no special case as the first may be;
    in one column for as many cells as there are.
    """
    shown: dict[int, list[int]] = {}
    for slot in columns:
        if isinstance(slot.at, int):
            shown.setdefault(slot.phase, []).append(slot.at)
    steps: dict[str, dict[int, Unit]] = {}
    for unit in cells:
        if unit.row is not None and unit.step is not None:
            steps.setdefault(unit.row, {})[unit.step] = unit
    found: dict[str, Unit] = {}
    for row, units in sorted(steps.items(), key=lambda item: phases.get(item[0], 0)):  # what runs first is opened first
        at = [step for step in shown.get(phases.get(row, 0), ()) if step in units]
        if at:
            found[row] = units[at[min(1, len(at) - 1)]]
    return found


def _same_as(graph: Graph, cells: Mapping[str, Unit]) -> dict[str, str]:
    """Return for each cell that does the same as another one before it which one that is."""
    first: dict[object, str] = {}
    found: dict[str, str] = {}
    for row, unit in cells.items():
        other = first.setdefault(_structure(unit.nodes), row)
        if other != row:
            found[row] = other
    return found


def _structure(nodes: Sequence[Node]) -> object:
    """Return what is equal for two lists of nodes that do the same to what they are given: operators with their settings, and
    who reads whom. Sizes do not count; numbers that they compute with, such as a forget bias, do.
    """
    places = {node: place for place, node in enumerate(nodes)}

    def read(tensor: Tensor | None) -> object:
        if tensor is not None and tensor.node in places:
            return places[tensor.node], tensor.index
        if isinstance(tensor, Constant) and tensor.dtype.kind == "f" and tensor.value.size <= _MOST:
            return tuple(tensor.value.ravel().tolist())
        return tensor is None

    return tuple((node.op.domain, node.op.name, str(node.op.attributes), *map(read, node.inputs)) for node in nodes)
