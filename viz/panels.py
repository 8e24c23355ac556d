"""Weights: those that several boxes share, drawn once, and those that stand beside the one box that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from unroll.parameter import Parameter
from unroll.viz.blocks import panel
from unroll.viz.boxes import Box
from unroll.viz.placement import NOWHERE, Layout, Rectangle, nearest_free
from unroll.viz.routes import Point
from unroll.viz.scene import Scene
from unroll.viz.units import Unit, Wire
from unroll.viz.weight_uses import steps_of

#: The distance from a row's lower edge to the first dashed line under it, and from one such line to the next.
BUS, NEXT_BUS = 10.0, 5.0
_LANES, _NEXT_LANE = 34.0, 8.0
_APART = 24.0
_WIDEST_BESIDE = 620.0
_NARROWEST = 420.0


@dataclass(eq=False)
class Panel:
    """Weights that the same boxes share, drawn once.

    Attributes:
        parameters: the weights.
        readers: the boxes shown that read them.
        box: the content of the panel.
        place: where it stands.
        beside: it stands to the left of the cells, not below them.
    """

    parameters: list[Parameter]
    readers: list[Unit]
    box: Box
    place: Rectangle = NOWHERE
    beside: bool = False


class Weights(NamedTuple):
    """The weights of a picture: shared ones, and (weight, reader) for those that only one operator reads."""

    panels: list[Panel]
    single: list[tuple[Parameter, Unit]]


def collect(scene: Scene) -> Weights:
    """Sort the Parameters of a graph by who reads them."""
    groups: dict[tuple[object, ...], list[Parameter]] = {}
    weights = Weights([], [])
    for parameter, readers in scene.contraction.readers.items():
        if len(readers) == 1 and readers[0].kind != "cell":
            weights.single.append((parameter, readers[0]))
        elif readers:
            rows = tuple(dict.fromkeys(unit.cell for unit in readers))
            groups.setdefault((common_scope([parameter.name]) or parameter,) if None in rows else rows, []).append(
                parameter
            )
    for parameters in groups.values():
        weights.panels.append(_panel(scene, parameters))
    weights.panels.sort(
        key=lambda item: min(((scene.level(unit), unit.phase) for unit in item.readers), default=(0, 0))
    )
    return weights


def _panel(scene: Scene, parameters: list[Parameter]) -> Panel:
    readers = list(dict.fromkeys(unit for item in parameters for unit in scene.contraction.readers[item]))
    rows = list(dict.fromkeys(unit.cell for unit in readers))
    steps = 0 if scene.within else steps_of(scene.contraction, readers)  # a body is run at no step of its own
    name = rows[0] if len(rows) == 1 and rows[0] is not None else common_scope([item.name for item in parameters])
    box = panel(name, parameters, steps, scene.boxes.gates.paint(parameters), scene.values)
    return Panel(parameters, [unit for unit in readers if unit not in scene.shown.stand_in], box)


def depths(scene: Scene, panels: Sequence[Panel]) -> dict[int, float]:
    """Return how far the dashed lines reach below each level that they run under."""
    counts = {level: len(found) for level, found in _under(scene, panels).items()}
    return {level: BUS + NEXT_BUS * count + 4 for level, count in counts.items()}


def _under(scene: Scene, panels: Sequence[Panel]) -> dict[int, list[Panel]]:
    """Return the panels whose lines run under each level, the nearest first."""
    found: dict[int, list[Panel]] = {}
    for item in panels:
        for level in dict.fromkeys(scene.level(unit) for unit in item.readers):
            found.setdefault(level, []).append(item)
    return found


def stand_beside(scene: Scene, layout: Layout, single: Sequence[tuple[Parameter, Unit]]) -> None:
    """Stand each weight of a single operator beside it, where its level has room: to its left, unless others are between."""
    taken = layout.at_level(scene.shown.level)
    for place, (parameter, reader) in enumerate(single):
        if reader in scene.shown.stand_in:
            continue
        unit = Unit("weight", f"weight_{place}", tensor=parameter)
        box = scene.sizes[unit] = scene.boxes.box(unit)
        at, level = layout.places[reader], scene.level(reader)
        x, right = (
            nearest_free(at.x + side * (at.width / 2 + 26 + box.width / 2), box.width, taken[level]) for side in (-1, 1)
        )
        if _between(taken[level], x, at.x) > _between(taken[level], at.x, right):
            x = right
        layout.places[unit] = Rectangle(x, at.y, box.width, box.height)
        taken[level] = sorted([*taken[level], layout.places[unit]])
        scene.shown.level[unit] = level
        scene.shown.units.append(unit)
        scene.shown.wires.append(Wire(unit, reader, parameter))


def _between(boxes: Sequence[Rectangle], left: float, right: float) -> int:
    return sum(left < box.x < right for box in boxes)


def place_panels(scene: Scene, layout: Layout, panels: Sequence[Panel]) -> None:
    """Put the panels below the cells that read them, on the left, as high as the boxes there leave room.

    One panel of a narrow picture goes to the left of it instead.
    """
    if not panels:
        return
    places = list(layout.places.values())
    left, right = min(place.left for place in places), max(place.right for place in places)
    lowest = min((scene.level(unit) for item in panels for unit in item.readers), default=0)
    ceiling = layout.bands[lowest].bottom - 60 - NEXT_BUS * len(panels)
    if len(panels) == 1 and right - left + panels[0].box.width < _WIDEST_BESIDE and panels[0].readers:
        box = panels[0].box
        buses = [layout.bands[scene.level(unit)].bottom - BUS for unit in panels[0].readers]
        band = layout.bands[lowest]
        y = min((band.top + band.bottom) / 2, min(buses) + box.height / 2 - 14)
        if max(buses) < y + box.height / 2 - 14:
            panels[0].place = Rectangle(left - 46 - box.width / 2, y, box.width, box.height)
            panels[0].beside = True
            return
    lines: list[list[Panel]] = [[]]
    width = 0.0
    for item in panels:
        if lines[-1] and width + item.box.width > max(right - left, _NARROWEST):
            lines.append([])
            width = 0.0
        lines[-1].append(item)
        width += item.box.width + _APART
    for line in lines:
        width = sum(item.box.width + _APART for item in line) - _APART
        for wire in scene.shown.wires:
            # A line that leans over the panels from the right must not cross them.
            ends = layout.places[wire.source], layout.places[wire.target]
            if ends[0].x > left + width > ends[1].x and ends[0].top < ceiling:
                ceiling = ends[0].top - 6
        ceiling = _place_line(line, left, ceiling, places) - 12 - 6 * len(panels)


def _place_line(line: Sequence[Panel], left: float, ceiling: float, places: Sequence[Rectangle]) -> float:
    """Place panels side by side as high under `ceiling` as boxes leave room, and return where the lowest one ends."""
    width = sum(item.box.width + _APART for item in line) - _APART
    height = max(item.box.height for item in line)
    top = ceiling
    for place in sorted(places, key=lambda one: -one.top):
        inside = place.left < left + width + 18 and place.right > left - 18
        if inside and place.bottom < top + 24 and place.top > top - height:
            top = place.bottom - 20 - 6 * len(line)
    x = left
    for item in line:
        item.place = Rectangle(x + item.box.width / 2, top - item.box.height / 2, item.box.width, item.box.height)
        x += item.box.width + _APART
    return top - height


def dashed_lines(scene: Scene, layout: Layout, panels: Sequence[Panel]) -> Iterator[tuple[int, Unit, list[Point]]]:
    """Yield (place of the panel, box, corners of the line between them); lines of one panel share their first part."""
    buses = _under(scene, panels)
    for place, item in enumerate(panels):
        for reader in item.readers:
            yield place, reader, _dashed_line(scene, layout, item, place, reader, buses)


def _dashed_line(
    scene: Scene, layout: Layout, item: Panel, place: int, reader: Unit, buses: Mapping[int, list[Panel]]
) -> list[Point]:
    at = layout.places[reader]
    level = scene.level(reader)
    under = buses[level].index(item)
    x = at.left + min(12 + 7 * under, 0.3 * at.width)
    bus = layout.bands[level].bottom - BUS - NEXT_BUS * under
    end = [(x, bus), (x, at.bottom)]
    if item.beside:
        return [(item.place.right, bus), *end]
    edge = min(column.left for column in (*layout.columns.values(), *layout.places.values()))
    lane = edge - _LANES - _NEXT_LANE * place
    start, channel = item.place.left + 16, item.place.top + 8 + 6 * place
    return [(start, item.place.top), (start, channel), (lane, channel), (lane, bus), *end]


def common_scope(names: Sequence[str]) -> str:
    """Return the longest scope that all names lie in."""
    common: list[str] = []
    for pieces in zip(*(name.split("/")[:-1] for name in names), strict=False):
        if len(set(pieces)) > 1:
            break
        common.append(pieces[0])
    return "/".join(common)
