"""Boxes and arrows without places, for those who place them themselves: Graphviz's `dot`, and Mermaid.

At the level of layers a box is a layer, a loop over all its steps, or an operator beside them; at that of cells it is what the
picture of cells shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unroll.errors import UnsupportedError
from unroll.graph import Graph
from unroll.tensor import Node
from unroll.viz import palette
from unroll.viz.boxes import Box, Boxes, Line, text_box
from unroll.viz.contraction import Contraction
from unroll.viz.native_nodes import facts, layer_of
from unroll.viz.phases import find_phases
from unroll.viz.pipeline import Part, Pipeline, cell_title
from unroll.viz.scan_bodies import scan_bodies
from unroll.viz.scan_boxes import Inside
from unroll.viz.scene import Scene
from unroll.viz.settings import rest, wrapped
from unroll.viz.shapes import shape_text
from unroll.viz.unit_steps import infer_steps
from unroll.viz.units import Kind, Wire
from unroll.viz.values import Values
from unroll.viz.weight_names import weight_names

#: Boxes that somebody else places; more would take minutes, and be a thread on the page.
MOST_BOXES = 1000
_TITLE, _SMALL = 12, 9
_MOST_SHAPES = 2


class Item(NamedTuple):
    """A box.

    Attributes:
        id: its name.
        kind: what it is, as of a unit.
        box: its content and size.
        told: what it is in full.
    """

    id: str
    kind: Kind
    box: Box
    told: str


class Arrow(NamedTuple):
    """An arrow between two boxes, by their names.

    Attributes:
        source, target: the boxes.
        text: what stands beside it.
        kind: data, a state that one cell hands to another, or weights.
    """

    source: str
    target: str
    text: str
    kind: str = "data"


class Chart(NamedTuple):
    """Boxes and arrows."""

    items: list[Item]
    arrows: list[Arrow]


def chart_of_layers(graph: Graph) -> Chart:
    """Return one box a layer, loop or operator.

    Raises:
        UnsupportedError: there are too many.
    """
    bodies = {node: Inside(body, None) for node, body in scan_bodies(graph).items()}
    contraction = Contraction(graph, False, {node: inside.body for node, inside in bodies.items()})
    find_phases(contraction)
    infer_steps(contraction)
    pipeline = Pipeline(contraction)
    _check_few(len(pipeline.parts), "layers and operators")
    boxes = Boxes(contraction, Values(graph, None, ()))
    items = [
        Item(f"part_{place}", _kind(part), _box(part, contraction, boxes, bodies), _told(part, graph))
        for place, part in enumerate(pipeline.parts)
    ]
    arrows = [
        Arrow(items[source].id, items[target].id, _shapes(wires, graph), _kind_of(wires, contraction))
        for (source, target), wires in pipeline.wires.items()
    ]
    return Chart(items, arrows)


def chart_of_cells(graph: Graph, full: bool) -> Chart:
    """Return the boxes and arrows of a picture of cells, weights apart.

    Raises:
        UnsupportedError: there are too many.
    """
    insides = {node: Inside(body, None) for node, body in scan_bodies(graph).items()}
    scene = Scene(graph, None, full, False, insides)
    _check_few(len(scene.shown.units), "boxes")
    items = [
        Item(unit.id, unit.kind, scene.sizes[unit], unit.row or unit.name)
        for unit in scene.shown.units
        if unit.kind != "weight"
    ]
    shown = {item.id for item in items}
    arrows = dict.fromkeys(
        Arrow(
            wire.source.id,
            wire.target.id,
            scene.state_label(wire) if scene.is_flat(wire) else scene.shape(wire),
            "state" if scene.contraction.is_state(wire) else "data",
        )
        for wire in scene.shown.wires
        if wire.source.id in shown and wire.target.id in shown
    )
    readers: dict[tuple[str, ...], list[str]] = {}
    cells: dict[tuple[str, ...], str] = {}
    for parameter, units in scene.contraction.readers.items():
        reading = tuple(dict.fromkeys(unit.id for unit in units if unit.id in shown))
        if reading:
            cell = cells.setdefault(reading, units[0].cell or "")
            name = weight_names([parameter], cell).get(parameter) or parameter.name
            readers.setdefault(reading, []).append(f"{name} {shape_text(parameter.shape)}")
    for place, (reading, names) in enumerate(readers.items()):
        box = text_box([Line(name, _SMALL) for name in names])
        items.append(Item(f"weights_{place}", "weight", box, cells[reading]))
        arrows |= dict.fromkeys(Arrow(f"weights_{place}", unit, "", "weight") for unit in reading)
    return Chart(items, list(arrows))


def _check_few(count: int, what: str) -> None:
    if count > MOST_BOXES:
        raise UnsupportedError(
            f"draw: the picture would have {count:,} {what}, and at most {MOST_BOXES:,} are placed; unroll.view shows all, "
            "and a picture of cells, as SVG, has no such limit"
        )


def _kind(part: Part) -> Kind:
    """Return as what a part is drawn: layers are coloured as cells are."""
    return "cell" if part.kind == "loop" or (part.units[0].name and part.kind == "op") else part.units[0].kind


def _box(part: Part, contraction: Contraction, boxes: Boxes, bodies: Mapping[Node, Inside]) -> Box:
    unit = part.units[0]
    if part.kind == "loop":
        return boxes.loop(unit, len(part.units))
    if unit.kind == "loop":
        node = unit.nodes[0]
        if node in bodies:
            return _scan(part.label, node, bodies[node])
        native = contraction.natives.get(node)
        said = facts(native) if native is not None else ["one step after another"]
        layer = layer_of(node)
        return _lines(layer, [part.label, *said]) if layer else _lines(part.label, said)
    if len(part.units) == 1:
        return boxes.box(unit)
    if part.kind in ("input", "output"):
        return _lines(part.label, [])
    return _lines(f"{part.note} {part.label}" if part.note else part.label, [])


def _scan(label: str, node: Node, inside: Inside) -> Box:
    """Return a Scan as the layer or driver that it is of, with the cells that it runs; in files, it has no name but its own."""
    found = dict.fromkeys(item.origin.cell for item in inside.body.graph.nodes if item.origin.cell is not None)
    cells, shown = wrapped([cell_title(cell) for cell in found], 2)
    name = node.origin.scope.rpartition("/")[2]
    how = "one step after another"
    return _lines(name or label, [*cells, *rest(len(found) - shown, "cell"), f"{label}, {how}" if name else how])


def _lines(title: str, notes: Sequence[str]) -> Box:
    lines = [Line(title, _TITLE, palette.INK, True), *(Line(note, _SMALL, palette.MUTED) for note in notes)]
    return text_box(lines, 7)


def _told(part: Part, graph: Graph) -> str:
    unit = part.units[0]
    if part.kind in ("input", "output"):
        return part.label
    return unit.row or unit.name or graph.name(unit.nodes[0])


def _shapes(wires: Sequence[Wire], graph: Graph) -> str:
    """Return the shapes of what flows, each once."""
    shapes = list(dict.fromkeys(shape_text(graph.shape(wire.flowing)) for wire in wires))
    return ", ".join(shapes[:_MOST_SHAPES]) + (", …" if len(shapes) > _MOST_SHAPES else "")


def _kind_of(wires: Sequence[Wire], contraction: Contraction) -> str:
    states = all(contraction.is_state(wire) and wire.source.kind == "cell" for wire in wires)
    return "state" if states else "data"
