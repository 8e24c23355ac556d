"""Where everything of a picture stands: boxes, frames, lines and text; laid out again with more room where text has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from unroll.tensor import Tensor
from unroll.viz import labels, panels, placement
from unroll.viz.bands import Room
from unroll.viz.blocks import beside
from unroll.viz.details import excess
from unroll.viz.detours import around_boxes, is_through_a_box
from unroll.viz.dot_text import text_width
from unroll.viz.frames import Frame, frames, outline, title_places
from unroll.viz.ground import Ground
from unroll.viz.headings import Heading, headings
from unroll.viz.levels import Slot
from unroll.viz.panel_places import outermost
from unroll.viz.panels import Panel, Weights
from unroll.viz.placement import Layout, Rectangle
from unroll.viz.routes import Point, rounded
from unroll.viz.scene import Scene
from unroll.viz.units import Unit
from unroll.viz.wiring import Line, Wiring

_NARROWEST_PITCH = 50.0
_OPENED_PITCH = 74.0
# How often a picture is laid out, if some of its text has no room; one of very many lines only once.
_TRIES, _MANY = 4, 1000
_MORE_HEIGHT, _MORE_WIDTH = 14.0, 18.0
# Text that no more lines than these strike through is cleared of them.
_MOST_MOVED = 3


class Dashed(NamedTuple):
    """A line from weights to a box that reads them: the place of the panel, the box, and the curve."""

    panel: int
    reader: Unit
    points: list[Point]


@dataclass
class Plan:
    """A picture with the place of everything in it.

    Attributes:
        layout: the places of units and columns.
        units: the units; each weight that stands beside its one reader is one.
        panels: the weights that are drawn once.
        frames: the frames, and titles, where the name of each stands.
        headings: the timesteps over the columns.
        dashed: lines from weights to their readers.
        lines: all other lines, and texts, where the label of each stands.
        crowded: the lines whose label has no room.
        ground: all of it, to be asked what is where.
    """

    layout: Layout
    units: list[Unit]
    panels: list[Panel]
    frames: list[Frame]
    headings: list[Heading]
    dashed: list[Dashed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    titles: list[Rectangle] = field(default_factory=list)
    texts: list[Point | None] = field(default_factory=list)
    crowded: list[int] = field(default_factory=list)
    ground: Ground = field(default_factory=Ground)

    def is_free(self, at: Rectangle) -> bool:
        """Say whether nothing is drawn at a place, and it lies in no frame."""
        within = any(_meet(outline(frame), at) for frame in self.frames)
        return not (within or len(self.lines) > _MANY or self.ground.boxes_at(at) or self.ground.lines_at(at))


def _meet(one: Rectangle, other: Rectangle) -> bool:
    across = one.left < other.right and one.right > other.left
    return across and one.bottom < other.top and one.top > other.bottom


def plan(scene: Scene) -> Plan:
    """Return the plan of a scene in which the least text is without room."""
    weights = panels.collect(scene)
    room = Room({}, {}, {}, _heights(scene, weights))
    given = len(scene.shown.units), len(scene.shown.wires)
    best: Plan | None = None
    for _ in range(_TRIES):
        del scene.shown.units[given[0] :], scene.shown.wires[given[1] :]  # weights that stood beside their readers
        found = _laid_out(scene, weights, room)
        if best is None or len(found.crowded) < len(best.crowded):
            best = found
        if not found.crowded or len(found.lines) > _MANY:
            break
        _make_room(scene, found, room)
    assert best is not None
    _without_the_crowded(best.ground, best)
    return best


def excess_of(scene: Scene) -> float:
    """Return how many times larger than a page the picture of a scene is, before its lines are led."""
    weights = panels.collect(scene)
    given = len(scene.shown.units), len(scene.shown.wires)
    found = _placed(scene, weights, Room({}, {}, {}, _heights(scene, weights)))
    del scene.shown.units[given[0] :], scene.shown.wires[given[1] :]
    cards = [item.place for item in found.panels]
    boxes = [*found.layout.places.values(), *cards, *map(outline, found.frames), *(item.at for item in found.headings)]
    around = outermost(boxes) if boxes else placement.NOWHERE
    return excess(around.width, around.height)


def _heights(scene: Scene, weights: Weights) -> dict[int, float]:
    """Return how high levels are for the weights that stand beside their one reader."""
    heights: dict[int, float] = {}
    for parameters, reader in weights.single:
        if reader not in scene.shown.stand_in:
            level, box = scene.level(reader), beside(parameters, reader.name, scene.values)
            heights[level] = max(heights.get(level, 0.0), box.height)
    return heights


def _placed(scene: Scene, weights: Weights, room: Room) -> Plan:
    """Return a plan without lines."""
    opened = scene.contraction.opened
    depths = panels.depths(scene, weights.panels)
    layout = placement.place(
        scene.shown,
        scene.sizes,
        scene.slots,
        scene.lanes(),
        _pitch(scene),
        depths,
        scene.channels(),
        room,
        scene.ported,
        scene.boxes.title if opened else None,
    )
    panels.stand_beside(scene, layout, weights.single)
    cards = [replace(item) for item in weights.panels]
    ground = Ground()
    for box in layout.places.values():
        ground.add_box(box)
    around = _whole(frames(scene, layout, depths), layout, ground)
    panels.place_panels(scene, layout, cards, [outline(frame) for frame in around])
    found = Plan(layout, list(scene.shown.units), cards, around, headings(scene, layout, around))
    found.ground = ground
    return found


def _laid_out(scene: Scene, weights: Weights, room: Room) -> Plan:
    found = _placed(scene, weights, room)
    found.lines = list(Wiring(scene, found.layout, panels.depths(scene, weights.panels), room.beside).lines())
    dashed = list(panels.dashed_lines(scene, found.layout, found.panels))
    if len(found.lines) > _MANY:
        dashed = panels.shared_once(dashed)
    found.dashed = [Dashed(place, reader, rounded(corners)) for place, reader, corners in dashed]
    found.ground = _ground(found, found.ground)
    _write_on(found.ground, found)
    return found


def _whole(around: Sequence[Frame], layout: Layout, ground: Ground) -> list[Frame]:
    """Return the frames that hold boxes and other frames whole or not at all, those of cells no operators of another cell:
    else they would say something false.
    """
    kept: list[Frame] = []
    units = {place: unit for unit, place in layout.places.items()}
    cells = {unit.cell for unit in layout.places}
    outlines: list[Rectangle] = []
    for frame in around:
        edge = outline(frame)
        inside = ground.boxes_at(edge)
        held = (units[box] for box in inside if frame.path in cells and units[box].kind == "op")
        strange = any(not f"{unit.cell}/".startswith(f"{frame.path}/") for unit in held)
        if not strange and not any(_is_cut(edge, box) for box in (*inside, *outlines)):
            kept.append(frame)
            outlines.append(edge)
    return kept


def _is_cut(edge: Rectangle, box: Rectangle) -> bool:
    """Say whether one of two rectangles lies partly within the other."""
    apart = edge.left >= box.right or box.left >= edge.right or edge.bottom >= box.top or box.bottom >= edge.top
    return not (apart or _holds(edge, box) or _holds(box, edge))


def _holds(one: Rectangle, other: Rectangle) -> bool:
    beside = one.left <= other.left and other.right <= one.right
    return beside and one.bottom <= other.bottom and other.top <= one.top


def _pitch(scene: Scene) -> float:
    """Return the room between two columns."""
    if scene.contraction.opened:
        return _OPENED_PITCH
    texts = (scene.state_label(wire) for wire in scene.shown.wires if scene.is_flat(wire))
    return max([_NARROWEST_PITCH, *(text_width(text, labels.TEXT) + 22 for text in texts)]) + scene.gutters


def _ground(found: Plan, ground: Ground) -> Ground:
    """Return what is drawn, for text to keep clear of, from the boxes of the units on; lines that would run through a box are
    led around it first.

    In a picture of very many lines, text keeps clear of boxes and other text alone: all lines would take too long.
    """
    for box in (*(item.place for item in found.panels), *(item.at for item in found.headings)):
        ground.add_box(box)
    places = found.layout.places
    lines = [(line.points, (places[line.wire.source], places[line.wire.target])) for line in found.lines]
    lines += [(line.points, (found.panels[line.panel].place, places[line.reader])) for line in found.dashed]
    led: list[int] = []
    for number, (points, ends) in enumerate(lines if len(lines) <= _MANY else ()):
        if is_through_a_box(ground, points, ends):
            led.append(number)
        else:
            ground.add_line(points, number)
    for number in led:
        if not _lead_around(ground, found, number):
            ground.add_line(lines[number][0], number)
    for number, frame in enumerate(found.frames, len(lines)):
        ground.add_outline(outline(frame), number)
    return ground


def _lead_around(ground: Ground, found: Plan, number: int) -> bool:
    """Lead a line around all boxes and text, if there is a way."""
    here = number - len(found.lines)
    way = around_boxes(ground, found.lines[number].points if here < 0 else found.dashed[here].points)
    if way is None:
        return False
    if here < 0:
        found.lines[number] = found.lines[number]._replace(points=way)
    else:
        found.dashed[here] = found.dashed[here]._replace(points=way)
    ground.move_line(way, number)
    return True


def _write_on(ground: Ground, found: Plan) -> None:
    """Find the place of each name of a frame and of each label, and those for which there is no room."""
    found.titles = [labels.settle_title(ground, *title_places(frame)) for frame in found.frames]
    for title in found.titles:
        _clear(ground, found, title)
    lines = [(line.points, line.label) for line in found.lines]
    found.texts, found.crowded = labels.settle(ground, lines, led=len(lines) <= _MANY)
    _say_once(found)


def _say_once(found: Plan) -> None:
    """Leave what a closed cell makes with one name, on whichever of its lines has room for it."""
    crowded, said = set(found.crowded), set[tuple[Unit, Tensor]]()
    made = [place for place, line in enumerate(found.lines) if line.label is not None and line.wire.source.is_closed]
    for place in sorted(made, key=crowded.__contains__):
        key = (found.lines[place].wire.source, found.lines[place].wire.tensor)
        if key in said:
            found.texts[place] = None
            crowded.discard(place)
        said.add(key)
    found.crowded = [place for place in found.crowded if place in crowded]


def _clear(ground: Ground, found: Plan, text: Rectangle) -> bool:
    """Lead the few lines that strike through text around it, and say whether none does now."""
    struck = sorted(ground.lines_at(text))
    if len(struck) > _MOST_MOVED or any(number >= len(found.lines) + len(found.dashed) for number in struck):
        return not struck
    return all(_lead_around(ground, found, number) for number in struck)


def _without_the_crowded(ground: Ground, found: Plan) -> None:
    """Clear the labels that still have no room of lines, or leave them out: a picture may say less, but all of it is read."""
    for place in found.crowded:
        label, at = found.lines[place].label, found.texts[place]
        if label is not None and at is not None:
            text = labels.room_of(label.text, at)
            if ground.boxes_at(text) != {text} or not _clear(ground, found, text):
                found.texts[place] = None


def _make_room(scene: Scene, found: Plan, room: Room) -> None:
    """Widen what labels without room stand between: the levels at the ends of their lines, or the columns; and lead lines
    that pass by the boxes there farther away.
    """
    columns = {slot: place for place, slot in enumerate(found.layout.columns)}
    above: dict[int, float] = {}
    before: dict[Slot, float] = {}
    for place in found.crowded:
        wire, label = found.lines[place].wire, found.lines[place].label
        low, high = scene.level(wire.source), scene.level(wire.target)
        slots = [scene.slots[unit] for unit in (wire.source, wire.target) if unit in scene.slots]
        if low < high:
            above |= dict.fromkeys((low, high - 1), _MORE_HEIGHT)
            width = text_width(label.text, labels.TEXT) if label is not None else 0.0
            room.beside.update(dict.fromkeys((wire.source, wire.target), width))
        elif slots:
            before[max(slots, key=columns.__getitem__)] = _MORE_WIDTH
    for level, more in above.items():
        room.above[level] = room.above.get(level, 0.0) + more
    for slot, more in before.items():
        room.before[slot] = room.before.get(slot, 0.0) + more
