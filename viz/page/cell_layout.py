"""Where the boxes of an opened cell stand: in layers from left to right, wires led between them."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Key = Hashable
_GAP_X, _GAP_Y = 22.0, 14.0
_SWEEPS, _FEW_SWEEPS = 12, 4
# Of more boxes and bends than these the order is improved less often; no more than so many wires are led around boxes.
_MANY, _MOST_BENDS = 600, 6000
# The room that a wire takes which passes by a layer.
_PASSING = 10.0


class Size(NamedTuple):
    """The width and height of a box."""

    width: float
    height: float


class Place(NamedTuple):
    """The left upper corner of a box, and its size."""

    x: float
    y: float
    width: float
    height: float


class Joint(NamedTuple):
    """A wire that is to be led.

    Attributes:
        source: the box that it leaves.
        target: the box that it enters.
        port: which of the source's places it leaves at, from the top, and how many there are.
    """

    source: Key
    target: Key
    port: tuple[int, int] = (0, 1)


class Layered(NamedTuple):
    """Boxes with their places, and for each wire its corners.

    Attributes:
        places: the boxes.
        wires: for each joint, the points that it goes through.
        width: of all of it.
        height: of all of it.
    """

    places: dict[Key, Place]
    wires: list[list[tuple[float, float]]]
    width: float
    height: float


@dataclass(frozen=True)
class _Bend:
    """A place between two layers that a long wire goes through."""

    wire: int
    layer: int


def lay_out(sizes: Mapping[Key, Size], joints: Sequence[Joint], first: Sequence[Key], last: Sequence[Key]) -> Layered:
    """Place boxes in layers.

    Args:
        sizes: the boxes, sources before readers.
        joints: the wires between them.
        first: boxes that stand at the left edge, from top to bottom.
        last: those at the right edge.
    """
    layer = _layers(sizes, joints, first, last)
    chains = _chains(joints, layer)
    boxes: dict[Key, Size] = dict(sizes)
    level: dict[Key, int] = dict(layer)
    near: dict[Key, list[Key]] = {key: [] for key in sizes}
    for chain in chains:
        for one in chain[1:-1]:
            boxes[one], near[one] = Size(0.0, _PASSING), []
            level[one] = one.layer  # type: ignore[attr-defined]
    for chain in chains:
        for one, other in itertools.pairwise(chain):
            near[one].append(other)
            near[other].append(one)
    columns = _ordered(boxes, level, near, [*first, *last])
    y = _heights(columns, boxes, level, near)
    x, width = _abscissas(columns, sizes)
    top = min((y[key] - boxes[key].height / 2 for key in boxes), default=0.0)
    places = {
        key: Place(x[level[key]] + (width[level[key]] - size.width) / 2, y[key] - size.height / 2 - top, *size)
        for key, size in sizes.items()
    }
    for key in first:
        places[key] = places[key]._replace(x=x[level[key]])
    for key in last:
        places[key] = places[key]._replace(x=x[level[key]] + width[level[key]] - sizes[key].width)
    entering = _entering(joints, chains, y)
    wires = []
    for number, (joint, chain) in enumerate(zip(joints, chains, strict=True)):
        start, end = places[joint.source], places[joint.target]
        points = [(start.x + start.width, start.y + start.height * _share(joint.port))]
        for bend in chain[1:-1]:
            at = bend.layer  # type: ignore[attr-defined]
            points += [(x[at], y[bend] - top), (x[at] + width[at], y[bend] - top)]
        wires.append([*points, (end.x, end.y + end.height * _share(entering[number]))])
    right = max((place.x + place.width for place in places.values()), default=0.0)
    bottom = max((y[key] + boxes[key].height / 2 - top for key in boxes), default=0.0)
    return Layered(places, wires, right, bottom)


def _share(port: tuple[int, int]) -> float:
    number, count = port
    return (number + 1) / (count + 1) if count > 1 else 0.5


def _layers(
    sizes: Mapping[Key, Size], joints: Sequence[Joint], first: Sequence[Key], last: Sequence[Key]
) -> dict[Key, int]:
    """Return the layer of each box: as far left as what it reads allows, then as far right as its readers do."""
    before: dict[Key, list[Key]] = {key: [] for key in sizes}
    after: dict[Key, list[Key]] = {key: [] for key in sizes}
    for joint in joints:
        before[joint.target].append(joint.source)
        after[joint.source].append(joint.target)
    found: dict[Key, int] = {}
    begins, ends = set(first), set(last)
    for key in sizes:
        found[key] = max((found[one] + 1 for one in before[key] if one in found), default=0 if key in begins else 1)
    most = max((found[key] for key in sizes if key not in ends), default=0)
    for key in reversed(list(sizes)):
        if key in ends:
            found[key] = most + 1
        elif key not in begins and after[key]:
            found[key] = max(found[key], min(found[one] for one in after[key]) - 1) if not before[key] else found[key]
    return found


def _chains(joints: Sequence[Joint], layer: Mapping[Key, int]) -> list[list[Key]]:
    """Return each wire as the boxes and bends that it goes through; the longest go straight, where there are too many bends."""
    spans = sorted(layer[joint.target] - layer[joint.source] for joint in joints)
    longest, total = len(layer), 0
    for span in spans:
        total += span
        if total > _MOST_BENDS:
            longest = span - 1
            break
    found: list[list[Key]] = []
    for number, joint in enumerate(joints):
        first, last = layer[joint.source] + 1, layer[joint.target]
        bends = [_Bend(number, at) for at in range(first, last)] if last - first < longest else []
        found.append([joint.source, *bends, joint.target])
    return found


def _ordered(
    boxes: Mapping[Key, Size], level: Mapping[Key, int], near: Mapping[Key, Sequence[Key]], fixed: Sequence[Key]
) -> list[list[Key]]:
    """Return the boxes of each layer from top to bottom, so that few wires cross."""
    columns: list[list[Key]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for key in boxes:
        columns[level[key]].append(key)
    held = set(fixed)
    place: dict[Key, float] = {}
    for column in columns:
        place |= {key: float(number) for number, key in enumerate(column)}
    for sweep in range(_SWEEPS if len(boxes) <= _MANY else _FEW_SWEEPS):
        forward = sweep % 2 == 0
        for at in range(len(columns)) if forward else range(len(columns) - 1, -1, -1):
            column = columns[at]
            if column and all(key in held for key in column):
                continue
            wanted: dict[Key, float] = {}
            for key in column:
                seen = [_relative(one, place, columns[level[one]]) for one in near[key] if (level[one] < at) == forward]
                wanted[key] = sum(seen) / len(seen) if seen else _relative(key, place, column)
            column.sort(key=lambda key: wanted[key])
            place |= {key: float(number) for number, key in enumerate(column)}
    return columns


def _relative(key: Key, place: Mapping[Key, float], column: Sequence[Key]) -> float:
    """Return how far down a layer a box stands, from 0 to 1."""
    return (place[key] + 0.5) / len(column)


def _heights(
    columns: Sequence[Sequence[Key]],
    boxes: Mapping[Key, Size],
    level: Mapping[Key, int],
    near: Mapping[Key, Sequence[Key]],
) -> dict[Key, float]:
    """Return the middle of each box: near what it is joined with, as far as those above and below leave room."""
    y: dict[Key, float] = {}
    for column in columns:
        _set_out(y, [(float(number) * 40, key) for number, key in enumerate(column)], boxes)
    for sweep in range(_SWEEPS if len(boxes) <= _MANY else _FEW_SWEEPS):
        forward = sweep % 2 == 0
        for at in range(len(columns)) if forward else range(len(columns) - 1, -1, -1):
            wanted = []
            for key in columns[at]:
                seen = [y[one] for one in near[key] if (level[one] < at) == forward] or [y[one] for one in near[key]]
                wanted.append((sum(seen) / len(seen) if seen else y[key], key))
            _set_out(y, wanted, boxes)
    return y


def _set_out(y: dict[Key, float], column: Sequence[tuple[float, Key]], boxes: Mapping[Key, Size]) -> None:
    """Place boxes in their order, together as near to where they are wanted as their heights allow.

    Boxes that press on each other move as one block, so that none is pushed farther than it must be.
    """
    blocks: list[tuple[float, float, list[tuple[float, Key]]]] = []  # sum of wanted tops, count, (offset, key)
    ends: list[float] = []
    for want, key in column:
        half = boxes[key].height / 2
        total, count, items = want - half, 1.0, [(0.0, key)]
        length = boxes[key].height + _GAP_Y
        while blocks and blocks[-1][0] / blocks[-1][1] + ends[-1] > total / count:
            above, number, upper = blocks.pop()
            end = ends.pop()
            total = above + total - end * count
            items = [*upper, *((offset + end, item) for offset, item in items)]
            count += number
            length += end
        blocks.append((total, count, items))
        ends.append(length)
    for total, count, items in blocks:
        for offset, key in items:
            y[key] = total / count + offset + boxes[key].height / 2


def _abscissas(columns: Sequence[Sequence[Key]], sizes: Mapping[Key, Size]) -> tuple[list[float], list[float]]:
    """Return where each layer begins, and how wide it is."""
    width = [max((sizes[key].width for key in column if key in sizes), default=0.0) for column in columns]
    x, at = [], 0.0
    for one in width:
        x.append(at)
        at += one + _GAP_X
    return x, width


def _entering(
    joints: Sequence[Joint], chains: Sequence[Sequence[Key]], y: Mapping[Key, float]
) -> dict[int, tuple[int, int]]:
    """Return at which place of its target each wire enters: from the top in the order in which they come."""
    by: dict[Key, list[int]] = {}
    for number, joint in enumerate(joints):
        by.setdefault(joint.target, []).append(number)
    found: dict[int, tuple[int, int]] = {}
    for numbers in by.values():
        ordered = sorted(numbers, key=lambda number: y[chains[number][-2]])
        found |= {number: (place, len(ordered)) for place, number in enumerate(ordered)}
    return found
