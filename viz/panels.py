"""Weights: those that several boxes share, drawn once, and those that stand beside the one box that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from unroll.parameter import Parameter
from unroll.viz.blocks import Card, beside, panel
from unroll.viz.boxes import Box
from unroll.viz.joint_cells import JointCells
from unroll.viz.panel_places import LANES, NEXT_LANE, best_arrangement
from unroll.viz.placement import NOWHERE, Layout, Rectangle, nearest_free
from unroll.viz.routes import Point
from unroll.viz.scene import Scene
from unroll.viz.units import Unit, Wire
from unroll.viz.weight_names import scope_parts
from unroll.viz.weight_uses import WeightUses, sources_of_biases

#: The distance from a row's lower edge to the first dashed line under it, and from one such line to the next.
BUS, NEXT_BUS = 10.0, 5.0
_TITLE_MIDDLE = 15.0
# How much higher than the box that it stands beside a weight may be.
_MORE = 24.0

#: The place of a panel, a box that reads its weights, and the corners of the line between them.
DashedLine: TypeAlias = tuple[int, Unit, list[Point]]


@dataclass(eq=False)
class Panel:
    """Weights that the same boxes share, drawn once.

    Attributes:
        parameters: the weights.
        readers: the boxes shown that read them.
        cards: what the panel may look like: the kernels side by side, or all weights under one another.
        lines: the weights that share a dashed line, with the boxes that they go to: all of them where those are cells or
            layers, each weight for itself where they are operators.
        closed: all of them are cells and layers that stay closed where others are opened.
        card: which of the two it looks like.
        place: where it stands.
        beside: it stands to the left of the cells, not below them.
    """

    parameters: list[Parameter]
    readers: list[Unit]
    cards: tuple[Card, Card]
    lines: list[tuple[list[Parameter], list[Unit]]] = field(default_factory=list)
    closed: bool = False
    card: int = 0
    place: Rectangle = NOWHERE
    beside: bool = False

    @property
    def box(self) -> Box:
        """The content of the panel."""
        return self.cards[self.card].box


class Weights(NamedTuple):
    """The weights of a picture: shared ones, and (weights, reader) for those that only one operator or layer reads."""

    panels: list[Panel]
    single: list[tuple[list[Parameter], Unit]]


def collect(scene: Scene) -> Weights:
    """Sort the Parameters of a graph by who reads them."""
    alone: dict[Unit, list[Parameter]] = {}
    groups: dict[object, list[Parameter]] = {}
    made_with, keys = scene.contraction.made.together(), dict[int, object]()
    for parameter, readers in scene.contraction.readers.items():
        if len(readers) == 1 and readers[0].cell is None and parameter not in made_with:
            alone.setdefault(readers[0], []).append(parameter)
        elif readers:
            key = _shared_by(parameter, readers, scene.contraction.joint)
            if parameter in made_with:
                key = keys.setdefault(made_with[parameter], key)
            groups.setdefault(key, []).append(parameter)
    weights = Weights([], [])
    # Weights outside of cells look alike: a small box each where all of them can be that, else cards.
    small = all(
        unit.cell is not None for key in groups for item in groups[key] for unit in scene.contraction.readers[item]
    )
    small = small and all(_is_small(scene, parameters, reader) for reader, parameters in alone.items())
    for reader, parameters in alone.items():
        if small:
            weights.single.append((parameters, reader))
        else:
            groups.setdefault(_shared_by(parameters[0], [reader], scene.contraction.joint), []).extend(parameters)
    uses = WeightUses(scene.contraction)
    weights.panels.extend(_panel(scene, parameters, uses) for parameters in groups.values())
    weights.panels.sort(
        key=lambda item: min(((scene.level(unit), unit.phase) for unit in item.readers), default=(0, 0))
    )
    return weights


def _is_small(scene: Scene, parameters: Sequence[Parameter], reader: Unit) -> bool:
    """Say whether the one reader of some weights is not shown, or is about as high as they are in few lines."""
    if reader in scene.shown.stand_in:
        return True
    return beside(parameters, reader.name, scene.values).height <= scene.sizes[reader].height + _MORE


def _shared_by(parameter: Parameter, readers: Sequence[Unit], joint: JointCells) -> object:
    """Return a key that is equal for weights of one panel: those of the same cells, or else of the same scope or joint cell."""
    rows = tuple(dict.fromkeys(unit.cell for unit in readers))
    scope = common_scope([parameter])
    return (joint.names.get(scope, scope) or parameter,) if None in rows else rows


def _panel(scene: Scene, parameters: list[Parameter], uses: WeightUses) -> Panel:
    read_by = scene.contraction.readers
    readers = list(dict.fromkeys(unit for item in parameters for unit in read_by[item]))
    rows = list(dict.fromkeys(unit.cell for unit in readers))
    steps = 0 if scene.within else uses.steps_of(readers)  # a body is run at no step of its own
    if steps == 1 and rows == [None]:  # a layer after the last step has weights for no step
        steps = 0
    name = rows[0] if len(rows) == 1 and rows[0] is not None else common_scope(parameters)
    paint, remarks = scene.boxes.gates.paint(parameters), scene.contraction.made.remarks(parameters)
    shown = {item: [unit for unit in read_by[item] if unit not in scene.shown.stand_in] for item in parameters}
    closed = bool(readers) and scene.contraction.opened and all(unit.is_closed or unit.name for unit in readers)
    if not closed:  # how a cell uses them is seen where it is opened
        shown = {item: [unit for unit in units if not unit.is_closed] for item, units in shown.items()}
    apart = scene.contraction.opened and not closed
    apart = apart or all(unit.kind == "op" and not unit.name for unit in readers)
    # Lines of their own begin beside their weights: those must not stand before one another.
    sources = sources_of_biases(scene.graph, parameters)
    cards = [
        panel(name, parameters, steps, paint, scene.values, remarks, upright, sources) for upright in (apart, True)
    ]
    found = Panel(
        parameters,
        list(dict.fromkeys(unit for units in shown.values() for unit in units)),
        (cards[0], cards[1]),
        closed=closed,
    )
    found.lines = [([item], shown[item]) for item in parameters] if apart else [(parameters, found.readers)]
    return found


def depths(scene: Scene, panels: Sequence[Panel]) -> dict[int, float]:
    """Return how far the dashed lines reach below each level that they run under."""
    counts = {level: len(found) for level, found in _under(scene, panels).items()}
    return {level: BUS + NEXT_BUS * count + 4 for level, count in counts.items()}


def _under(scene: Scene, panels: Sequence[Panel]) -> dict[int, list[Parameter]]:
    """Return the first weight of each dashed line that runs under a level, the nearest first."""
    found: dict[int, list[Parameter]] = {}
    for item in panels:
        for parameters, readers in item.lines:
            for level in dict.fromkeys(scene.level(unit) for unit in readers):
                found.setdefault(level, []).append(parameters[0])
    return found


def stand_beside(scene: Scene, layout: Layout, single: Sequence[tuple[Sequence[Parameter], Unit]]) -> None:
    """Stand the weights of a single operator beside it, where its level has room: to its left, unless others are between."""
    taken = layout.at_level(scene.shown.level)
    for place, (parameters, reader) in enumerate(single):
        if reader in scene.shown.stand_in:
            continue
        unit = Unit("weight", f"weight_{place}", tensor=parameters[0])
        box = scene.sizes[unit] = beside(parameters, reader.name, scene.values)
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
        scene.shown.wires.append(Wire(unit, reader, parameters[0]))


def _between(boxes: Sequence[Rectangle], left: float, right: float) -> int:
    return sum(left < box.x < right for box in boxes)


def place_panels(scene: Scene, layout: Layout, panels: Sequence[Panel], frames: Sequence[Rectangle]) -> None:
    """Put the panels beside the cells that read them or below, in the shapes that let the page be shown largest."""
    buses = [
        [_bus(scene, layout, level, 0) for level in dict.fromkeys(scene.level(unit) for unit in item.readers)]
        for item in panels
    ]
    lowest = min((scene.level(unit) for item in panels for unit in item.readers), default=0)
    lines = sum(len(item.lines) for item in panels)
    if panels:
        ceiling = layout.bands[lowest].bottom - 60 - NEXT_BUS * lines
        leaning = [(layout.places[wire.source], layout.places[wire.target]) for wire in scene.shown.wires]
        sizes = [tuple((card.box.width, card.box.height) for card in item.cards) for item in panels]
        opened, boxes = scene.contraction.opened, [*layout.places.values(), *frames]
        # Those of closed cells lie below; how opened ones use theirs is best seen beside them.
        groups = [[n for n, item in enumerate(panels) if item.closed is closed] for closed in (False, True)]
        for group in (found for found in groups if found):
            closed = panels[group[0]].closed
            found = best_arrangement(
                [sizes[n] for n in group],
                boxes,
                [buses[n] for n in group],
                ceiling,
                lines,
                leaning,
                opened and not closed,
            )
            for n, place in zip(group, found.places, strict=True):
                item = panels[n]
                item.card, item.place, item.beside = int(found.upright), place, found.beside
                boxes.append(place)


def _bus(scene: Scene, layout: Layout, level: int, under: int) -> float:
    return layout.bands[level].bottom - BUS - NEXT_BUS * under


def dashed_lines(scene: Scene, layout: Layout, panels: Sequence[Panel]) -> Iterator[DashedLine]:
    """Yield the lines from panels to boxes; those of one weight share their first part."""
    under = _under(scene, panels)
    starts = _starts(scene, layout, panels, under)
    edge = min((box.left for box in (*layout.columns.values(), *layout.places.values())), default=0.0)
    number = 0
    for place, item in enumerate(panels):
        for within, (parameters, readers) in enumerate(item.lines):
            for reader in readers:
                at, level = layout.places[reader], scene.level(reader)
                below = under[level].index(parameters[0])
                bus = _bus(scene, layout, level, below)
                x = at.left + min(12 + 7 * below, 0.3 * at.width)
                if item.beside:
                    begin, lane = starts[parameters[0]]
                    corners = [(item.place.right, begin), (lane, begin), (lane, bus)]
                else:
                    start, channel = item.place.left + 16 + 7 * within, item.place.top + 8 + 6 * number
                    lane = edge - LANES - NEXT_LANE * number
                    corners = [(start, item.place.top), (start, channel), (lane, channel), (lane, bus)]
                yield place, reader, [*corners, (x, bus), (x, at.bottom)]
            number += 1


def shared_once(dashed: Sequence[DashedLine]) -> list[DashedLine]:
    """Return lines of which the longest of those that run together has the part that they share: the others rise from it."""
    longest: dict[tuple[int, Point], int] = {}
    for number, (place, _, corners) in enumerate(dashed):
        together = (place, corners[-3])  # where the line turns to run under its level
        if together not in longest or corners[-1][0] > dashed[longest[together]][2][-1][0]:
            longest[together] = number
    whole = set(longest.values())
    return [
        (place, reader, corners if number in whole else corners[-2:])
        for number, (place, reader, corners) in enumerate(dashed)
    ]


def _starts(
    scene: Scene, layout: Layout, panels: Sequence[Panel], under: Mapping[int, Sequence[Parameter]]
) -> dict[Parameter, tuple[float, float]]:
    """Return for each line of a panel beside the cells its height there, and where it runs up or down: lines that rise are
    nearest to the panel where they begin highest, and lines that fall where they begin lowest, so that none cross.
    """
    rising: list[tuple[float, float, Parameter]] = []
    falling: list[tuple[float, float, Parameter]] = []
    for item in panels:
        for parameters, readers in item.lines:
            if item.beside and readers:
                first, level = parameters[0], max(scene.level(unit) for unit in readers)
                down = item.cards[item.card].headings[first] if len(parameters) == 1 else _TITLE_MIDDLE
                begin, bus = item.place.top - down, _bus(scene, layout, level, under[level].index(first))
                (rising if bus > begin else falling).append((begin, item.place.right, first))
    rising.sort(key=lambda line: -line[0])
    falling.sort(key=lambda line: line[0])
    ordered = [*rising, *falling]
    return {first: (begin, right + 10 + NEXT_LANE * lane) for lane, (begin, right, first) in enumerate(ordered)}


def common_scope(parameters: Sequence[Parameter]) -> str:
    """Return the longest scope that all weights lie in."""
    common: list[str] = []
    for pieces in zip(*map(scope_parts, parameters), strict=False):
        if len(set(pieces)) > 1:
            break
        common.append(pieces[0])
    return "/".join(common)
