"""What stands on the sheet of a picture: a column a timestep, weights drawn once with dashed lines to where they are used.

At cell level a cell is one box; at operator level it is a frame around its operators, coloured by gate. A graph without
timesteps is one column of operators.

Boxes and lines have their places on it, so the picture is as regular as one drawn by hand, and large graphs cost no layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from unroll.graph import Graph
from unroll.tensor import Node
from unroll.viz import palette
from unroll.viz.boxes import Line, text_box
from unroll.viz.captions import Captions, Meaning, add_legend, add_title
from unroll.viz.closing import boxes_of_several
from unroll.viz.details import LADDER, WHOLE, Detail
from unroll.viz.dot_text import escaped, font, html_label
from unroll.viz.frames import outline
from unroll.viz.gates import Mark
from unroll.viz.labels import TEXT, Label
from unroll.viz.panels import Panel
from unroll.viz.placement import Rectangle
from unroll.viz.planning import Plan, excess_of, plan
from unroll.viz.scan_bodies import scan_bodies
from unroll.viz.scan_boxes import Inside
from unroll.viz.scene import Scene
from unroll.viz.sheet import Sheet
from unroll.viz.titles import TEXT as FRAME_TEXT
from unroll.viz.units import Unit
from unroll.viz.values import NOTE

# How far from everything else the note about large values stands.
_NOTE_APART = 10.0
_NO_CAPTIONS = Captions()
# What a legend says of boxes where every operator would be too large for a page.
_SHARED = "several operators: one formula says them all"
_CLOSED = "a cell as one box: another step is opened"
_ALL = "full=True draws every operator of every step"
# How deep bodies within bodies are drawn, how many of a graph, and how many nodes one of them may have.
_DEEPEST, _MOST_BODIES, _LARGEST_BODY = 3, 12, 200

LOOKS: dict[str, dict[str, str]] = {
    "cell": {"fillcolor": palette.CELL_FILL, "color": palette.CELL_LINE, "penwidth": "1.6"},
    "loop": {"fillcolor": palette.CELL_FILL, "color": palette.CELL_LINE, "penwidth": "1.6"},
    "op": {"fillcolor": palette.OP_FILL, "color": palette.OP_LINE},
    "input": {"shape": "plain", "style": ""},
    "output": {"shape": "plain", "style": ""},
    "constant": {"fillcolor": palette.INPUT_FILL, "color": palette.INPUT_LINE},
    "weight": {"fillcolor": palette.PLAIN_BLOCK, "color": palette.WEIGHT},
    "zero": {
        "shape": "circle",
        "fixedsize": "shape",
        "style": "filled",
        "fillcolor": palette.INPUT_FILL,
        "color": palette.INPUT_LINE,
    },
    "gap": {"shape": "plain", "style": ""},
}


def write_sheet(
    graph: Graph, feeds: Mapping[Any, Any] | None, full: bool, opened: bool, captions: Captions = _NO_CAPTIONS
) -> Sheet:
    """Return the picture of `graph`, its cells opened up or not; with less in it than every operator where all of them would
    not fit on a page, unless `full`.
    """
    picture = _picture(graph, feeds, full, opened)
    if opened and not full:
        picture = _fitting(picture, graph, feeds)
    sheet = picture.sheet()
    if captions.legend:
        add_legend(sheet, *picture.legend())
    if captions.title:
        add_title(sheet, captions.title)
    return sheet


def _fitting(whole: _Picture, graph: Graph, feeds: Mapping[Any, Any] | None) -> _Picture:
    """Return the picture with the most in it that fits on a page, or that which is nearest to fit."""
    best, least = whole, excess_of(whole.scene)
    for detail in LADDER[1:]:
        if least <= 1:
            break
        picture = _picture(graph, feeds, False, True, detail=detail, whole=whole.scene)
        excess = excess_of(picture.scene)
        if excess < least:
            best, least = picture, excess
    return best


def _picture(
    graph: Graph,
    feeds: Mapping[Any, Any] | None,
    full: bool,
    opened: bool,
    depth: int = 0,
    detail: Detail = WHOLE,
    whole: Scene | None = None,
) -> _Picture:
    """Return a picture, those of the bodies of its Scans laid into their frames, down to some depth."""
    bodies = scan_bodies(graph)
    drawn = [node for node, body in bodies.items() if len(body.graph.nodes) <= _LARGEST_BODY][:_MOST_BODIES]
    inner: dict[Node, Sheet] = {}
    for node in drawn if depth < _DEEPEST else ():
        body = bodies[node].graph
        celled = any(item.origin.cell is not None for item in body.nodes)
        inner[node] = _picture(body, None, full, opened or not celled, depth + 1, detail).sheet()
    sizes = {node: sheet.extent() for node, sheet in inner.items()}
    insides = {
        node: Inside(body, (sizes[node].width, sizes[node].height) if node in sizes else None)
        for node, body in bodies.items()
    }
    branch = None if depth >= _DEEPEST else lambda graph: _picture(graph, None, full, True, depth + 1, detail).sheet()
    scene = whole
    if scene is None:
        scene = Scene(graph, feeds, full, opened, insides, within=depth > 0, drawn=branch)
    if opened and detail is not WHOLE:
        scans = {node: inside.body for node, inside in insides.items()}
        groups = boxes_of_several(scene.contraction, scene.boxes.gates, detail, scans)
        scene = Scene(graph, feeds, full, opened, insides, depth > 0, branch, detail, groups)
    return _Picture(scene, inner)


class _Picture:
    """Draws a planned scene."""

    def __init__(self, scene: Scene, inner: Mapping[Node, Sheet]) -> None:
        self.scene = scene
        self._inner = inner
        self._sheet = Sheet()

    @cached_property
    def _plan(self) -> Plan:
        return plan(self.scene)

    def sheet(self) -> Sheet:
        """Return the picture."""
        self._write_frames()
        for place, heading in enumerate(self._plan.headings):
            self._sheet.node(f"step_{place}", heading.at, heading.label, style="", shape="plain")
        for unit in self._plan.units:
            self._write_unit(unit)
        for place, item in enumerate(self._plan.panels):
            self._write_panel(place, item)
        looks = {"style": "dashed", "color": palette.WEIGHT, "arrowsize": "0.5"}
        for place, reader, points in self._plan.dashed:
            told = _names(self._plan.panels[place])
            self._sheet.edge(f"weights_{place}", reader.id, points, None, told=told, **looks)
        self._write_wires()
        if self.scene.values.left_out:
            self._write_note()
        return self._sheet

    def _write_note(self) -> None:
        """Say once, at the lower left or else under everything, what the mark in the place of large values means."""
        note, room = text_box([Line(NOTE, TEXT, palette.STATE)], 4), self._sheet.extent()
        at = Rectangle(room.left + note.width / 2, room.bottom + note.height / 2, note.width, note.height)
        around = at._replace(width=at.width + 2 * _NOTE_APART, height=at.height + 2 * _NOTE_APART)
        if room.width < note.width or not self._plan.is_free(around):
            at = at._replace(y=at.y - at.height - _NOTE_APART)
        self._sheet.node("note", at, note.label, style="", shape="plain")

    def legend(self) -> tuple[list[Mark], list[Meaning], list[str]]:
        """Return what the colours of gates, the looks of arrows, and boxes of more than one operator in this picture mean."""
        cells = dict.fromkeys(unit.cell for unit in self._plan.units if unit.cell is not None)
        gates = self.scene.boxes.gates.marks(cells)
        looks = [line.attributes for line in self._plan.lines]
        states = {"color": palette.STATE, "penwidth": "1.4"}
        weights = {"color": palette.WEIGHT, "style": "dashed"}
        found = [
            (Meaning("data", {}), any("color" not in look and look.get("style") != "dotted" for look in looks)),
            (Meaning("state, to the next step", states), any(look.get("color") == palette.STATE for look in looks)),
            (Meaning("steps left out", {"style": "dotted"}), any(look.get("style") == "dotted" for look in looks)),
            (Meaning("weights", weights), bool(self._plan.dashed) or any("dashed" in look.values() for look in looks)),
        ]
        units = self._plan.units if self.scene.contraction.opened else []
        boxes = [_SHARED] if any(unit.kind == "op" and len(unit.nodes) > 1 and not unit.name for unit in units) else []
        boxes += [_CLOSED] if any(unit.is_closed for unit in units) else []
        boxes += [_ALL] if boxes else []
        return list(dict.fromkeys(gates)), [meaning for meaning, is_shown in found if is_shown], boxes

    def _write_wires(self) -> None:
        names = self.scene.graph.names.tensors
        for line, at in zip(self._plan.lines, self._plan.texts, strict=True):
            wire = line.wire
            label = Label(line.label.text, *at) if line.label is not None and at is not None else None
            told = f"{names[wire.flowing]} {self.scene.shape(wire)} {wire.flowing.dtype.name}"
            ends = wire.source.id, wire.target.id
            self._sheet.edge(*ends, line.points, label, told=told, **line.attributes)

    def _write_frames(self) -> None:
        """Draw a frame around the boxes of each scope, or of each cell."""
        for frame, title in zip(self._plan.frames, self._plan.titles, strict=True):
            text = '<BR ALIGN="LEFT"/>'.join(map(escaped, frame.lines))
            label = html_label(font(text, FRAME_TEXT, palette.MUTED))
            looks = {"style": "rounded,filled", "color": frame.line, "fillcolor": frame.fill}
            self._sheet.frame(outline(frame), title, label, told=frame.path, **looks)

    def _write_unit(self, unit: Unit) -> None:
        at = self._plan.layout.places[unit]
        looks = dict(LOOKS[unit.kind])
        if unit.kind == "zero" and self.scene.contraction.opened and not unit.is_mark:
            looks = dict(LOOKS["constant"])
        if unit.kind == "op" and unit.name:
            looks |= {"fillcolor": palette.CELL_FILL, "color": palette.CELL_LINE}
        color = self.scene.boxes.gates.fill(unit.nodes[0]) if unit.kind == "op" else None
        if color is not None:
            looks["fillcolor"] = color
        inner = self._inner.get(unit.nodes[0]) if unit.kind == "loop" else None
        if unit in self.scene.branches:
            fills = {"style": "rounded,filled", "color": looks["color"], "fillcolor": looks["fillcolor"]}
            self._sheet.frame(at, Rectangle(at.x, at.top, 0, 0), "", told=self._told(unit), **fills)
            self._lay_in_branches(unit, at)
            looks = {"shape": "plain", "style": ""}
        if inner is not None:
            # The frame lies under what is inside; the box over it has only text.
            fills = {"style": "rounded,filled", "color": looks["color"], "fillcolor": palette.SCAN_FILL}
            self._sheet.frame(at, Rectangle(at.x, at.top, 0, 0), "", told=self._told(unit), **fills)
            x, y = self.scene.ported[unit].inside
            self._sheet.lay_in(unit.id, inner, (at.x + x, at.y + y))
            looks = {"shape": "plain", "style": ""}
        self._sheet.node(unit.id, at, self.scene.sizes[unit].label, told=self._told(unit), **looks)

    def _lay_in_branches(self, unit: Unit, at: Rectangle) -> None:
        """Lay the pictures of both branches into the frame of an If, which lies under them."""
        for which, (sheet, (x, y)) in zip(("then", "else"), self.scene.branches[unit], strict=True):
            self._sheet.lay_in(f"{unit.id}_{which}", sheet, (at.x + x, at.y + y))

    def _told(self, unit: Unit) -> str:
        """Return what a unit is in full, for the text shown under a pointer."""
        if unit.kind == "gap":
            return unit.name
        if unit.kind == "cell":
            joint, at, path = self.scene.contraction.joint, unit.step, unit.row or unit.cell or ""
            return path if at is None else f"{path}, t = {joint.heading(at, unit.nodes)}"
        return self.scene.graph.name(unit.nodes[0] if unit.nodes else unit.tensor)  # type: ignore[arg-type]

    def _write_panel(self, place: int, item: Panel) -> None:
        colors = {"fillcolor": palette.PANEL_FILL, "color": palette.WEIGHT}
        self._sheet.node(f"weights_{place}", item.place, item.box.label, told=_names(item), **colors)


def _names(item: Panel) -> str:
    """Return the full names of a panel's weights, for the text shown under a pointer."""
    return ", ".join(parameter.name for parameter in item.parameters)
