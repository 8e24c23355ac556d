"""A graph as a pipeline: inputs, loops over their steps, layers, operators and outputs, in the order in which data goes
through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from unroll.scopes import without_step
from unroll.tensor import Tensor
from unroll.viz.contraction import Contraction
from unroll.viz.dot_text import TIMES
from unroll.viz.shapes import shape_text
from unroll.viz.units import Unit, Wire
from unroll.viz.weight_names import without_port


class Part(NamedTuple):
    """One part: all steps of a loop, all inputs that differ by a number, or one operator or layer.

    Attributes:
        kind: what it is.
        label: its name; of a loop, the scope.
        note: how often it is there and of which shape; of a loop, its steps and cell.
        units: what it is made of, in order.
    """

    kind: Literal["input", "op", "loop", "output"]
    label: str
    note: str
    units: list[Unit]


class Pipeline:
    """The parts of a graph, in the order in which data goes through them, and what flows between them.

    Attributes:
        parts: the parts.
        wires: for each pair of parts, by their places, of which the second reads the first, the wires between them.
    """

    def __init__(self, contraction: Contraction) -> None:
        groups: dict[object, list[Unit]] = {}
        for unit in [*(u for u in contraction.units if u.kind == "input"), *contraction.in_order()]:
            if unit.kind != "zero":
                groups.setdefault(_key(unit), []).append(unit)
        for unit in contraction.units:
            if unit.kind == "output":
                groups.setdefault("output", []).append(unit)
        self.parts = [_part(units, contraction) for units in groups.values()]
        of = {unit: place for place, units in enumerate(groups.values()) for unit in units}
        self.wires: dict[tuple[int, int], list[Wire]] = {}
        for wire in contraction.wires:
            if wire.source in of and wire.target in of and of[wire.source] != of[wire.target]:
                self.wires.setdefault((of[wire.source], of[wire.target]), []).append(wire)


def cell_title(path: str) -> str:
    """Return what a cell is called beside its scope: the last part of its path, with that before where it is only a number."""
    parts = path.split("/")
    return "/".join(parts[-2:] if parts[-1].isdecimal() else parts[-1:])


def _without_operator(name: str, tensor: Tensor) -> str:
    """Return the name of what a layer makes, where only the layer's last operator has named it: ``dense/Add`` is ``dense``."""
    before, _, last = name.rpartition("/")
    made = tensor.node.op.name if tensor.node is not None else ""
    return before if before and made and last.rstrip("0123456789_") == made else name


def _key(unit: Unit) -> object:
    """Return a key that is equal for what is named once: all steps of a loop, of a layer, or of an operator of one scope, and
    all inputs of one shape.
    """
    if unit.kind == "cell" and unit.step is not None:
        return ("loop", unit.row, unit.phase)
    if unit.kind == "input" and unit.tensor is not None:
        return ("input", _stem(unit.tensor.label), unit.tensor.shape)
    if unit.kind == "op" and unit.step is not None and unit.nodes:
        node = unit.nodes[0]
        scope = without_step(node.origin.scope, node.origin.step, node.origin.cell)
        return ("op", unit.name or node.op.name, scope, unit.phase)
    return unit


def _part(units: list[Unit], contraction: Contraction) -> Part:
    unit = units[0]
    if unit.kind == "cell" and unit.step is not None:
        path, cell = unit.row or "", cell_title(unit.row or "")
        return Part("loop", path.removesuffix(cell).removesuffix("/"), f"{len(units)} {TIMES} {cell}", units)
    if unit.kind in ("input", "output"):
        tensors = [one.tensor for one in units if one.tensor is not None]
        names = [
            without_port(_without_operator(one.name or one.tensor.label, one.tensor))
            for one in units
            if one.tensor is not None
        ]
        kind: Literal["input", "output"] = "input" if unit.kind == "input" else "output"
        return Part(kind, _listed(names), _shapes(tensors, contraction), units)
    return Part("op", unit.name.rpartition("/")[2] or _title(unit, contraction), _often(units, contraction), units)


def _title(unit: Unit, contraction: Contraction) -> str:
    return unit.row.rpartition("/")[2] if unit.row is not None else contraction.title(unit.nodes[0])


def _often(units: Sequence[Unit], contraction: Contraction) -> str:
    node, count = units[0].nodes[-1], len(units)
    if count > 1:
        return f"{count} {TIMES}"
    if len(node.outputs) > 1 and node.op.name == "Split":
        return f"{len(node.outputs)} {TIMES} {shape_text(contraction.graph.shape(node.outputs[0]))}"
    return ""


def _shapes(tensors: Sequence[Tensor], contraction: Contraction) -> str:
    shapes = list(dict.fromkeys(shape_text(contraction.graph.shape(tensor)) for tensor in tensors))
    return shapes[0] if len(shapes) == 1 else ""


def _stem(name: str) -> str:
    return without_port(name).rstrip("0123456789")


def _listed(names: Sequence[str]) -> str:
    """Return names as one text: those that differ by a number as a range, those of one name at many steps once."""
    stems: dict[str, list[str]] = {}
    for name in names:
        last = name.rpartition("/")[2]
        stems.setdefault(_stem(name) if last.isdigit() or "/" not in name else last, []).append(name)
    texts = [_range(stem, found) for stem, found in stems.items()]
    return ", ".join(texts) if len(texts) <= 4 else f"{', '.join(texts[:3])} and {len(texts) - 3:,} more"


def _range(stem: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0] if _stem(names[0]) == stem else stem
    if all(_stem(name) == stem for name in names):
        return f"{names[0]} … {names[-1].removeprefix(stem)}"
    return f"{len(names):,} {TIMES} {stem}"
