"""SVG of a large picture: what repeats from step to step is drawn by Graphviz once, and placed again by ``<use>``.

A network of 1,000 steps has the same cell, arrow and label 1,000 times. Boxes and lines have their places already when
Graphviz sees them, so those that differ only in that need not be drawn twice.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

#: DOT of more characters than this is drawn so. A smaller picture is plain SVG, which every program reads.
LARGE = 500_000
# Text of users stands in labels, where quotes are entities, and in tooltips, where they are escaped, so that neither can be
# taken for an attribute. A tooltip comes last but for a width.
_TOOLTIP = re.compile(r' tooltip=("(?:[^"\\]|\\")*"|[^\s"<>]+)')
_WIDTH = re.compile(r" width=([\d.]+)")
_HEIGHT = re.compile(r" height=([\d.]+)")
_BACKSLASH = "&#92;" * 4
_GROUP = r'<g id="{}_(\d+)" class="(node|edge)">\n<title>[^<]*</title>\n(.*?)</g>\n'


class _Place(NamedTuple):
    """One of the boxes or lines that look alike: where it is, and the text under a pointer."""

    x: float
    y: float
    told: str


class _Item(NamedTuple):
    """A statement on a line of its own, as `unroll.viz.sheet` writes it.

    Attributes:
        ends: the box, or the boxes at both ends of the line.
        alike: equal for statements that differ in their place, ends and tooltip only.
        place: where it is, and what is told of it.
        reach: how far it reaches: left, bottom, right, top.
        looks: its attributes but for the tooltip.
    """

    ends: tuple[str, ...]
    alike: tuple[object, ...]
    place: _Place
    reach: tuple[float, float, float, float]
    looks: str


class Repeats:
    """A picture in which what repeats stands once.

    Attributes:
        dot: what Graphviz is to draw.
    """

    def __init__(self, dot: str) -> None:
        self._mark = "u" + hashlib.sha256(dot.encode("utf-8")).hexdigest()[:6]
        lines = dot.split("\n")
        items = {number: item for number, line in enumerate(lines) if (item := _item(line)) is not None}
        count = Counter(item.alike for item in items.values())
        alone = _outermost(items)  # Graphviz finds the size of the picture from what it draws
        self._places: dict[tuple[object, ...], list[_Place]] = {}
        boxes: dict[tuple[object, ...], str] = {}
        stands_for: dict[str, str] = {}
        for number, item in items.items():
            if len(item.ends) == 1 and number not in alone:
                stands_for[item.ends[0]] = boxes.setdefault(item.alike, item.ends[0])
        kept = []
        for number, line in enumerate(lines):
            item = items.get(number)
            if item is not None and count[item.alike] > 1 and number not in alone:
                places = self._places.setdefault(item.alike, [])
                places.append(item.place)
                if len(places) > 1:
                    continue
                line = f'\t{_joined(item, stands_for)} [{item.looks} id="{self._mark}_{len(self._places) - 1}"]'
            elif item is not None and len(item.ends) > 1:
                line = f"\t{_joined(item, stands_for)} [{line.partition(' [')[2]}"
            kept.append(line)
        self.dot = "\n".join(kept)
        self._groups = list(self._places.values())

    def whole(self, drawn: bytes) -> bytes:
        """Return the SVG of the whole picture.

        Args:
            drawn: the SVG of `dot`.
        """
        text = drawn.decode("utf-8")
        text = re.sub(_GROUP.format(self._mark), self._repeated, text, flags=re.DOTALL)
        return _slim(text).encode("utf-8")

    def _repeated(self, match: re.Match[str]) -> str:
        number, kind, shape = int(match[1]), match[2], match[3]
        first, *others = self._groups[number]
        name = f"{self._mark}_{number}"
        groups = [f'<g class="{kind}">{_title(first.told)}<g id="{name}">\n{shape}</g></g>\n']
        for place in others:
            at = "".join(
                f' {axis}="{by:.1f}"' for axis, by in (("x", place.x - first.x), ("y", first.y - place.y)) if by
            )
            groups.append(f'<use xlink:href="#{name}"{at}>{_title(place.told)}</use>\n')
        return "".join(groups)


def _item(line: str) -> _Item | None:
    """Return a statement of a box or line with a place; None for another one."""
    name, apart, looks = line[1:-1].partition(" [")
    if not apart or not line.startswith("\t") or not line.endswith("]") or '"' in name or "\t" in name:
        return None
    ends, looks, told = tuple(name.split(" -> ")), f" {looks}", None
    at = looks.rfind(' tooltip="')
    if at < 0:
        at = looks.rfind(" tooltip=")
    tooltip = _TOOLTIP.match(looks, at) if at >= 0 else None
    if tooltip is not None:
        told, looks = tooltip[1], looks[:at] + looks[tooltip.end() :]
    alike, pos = _without(looks, "pos")
    if not pos or len(ends) > 2 or " " in name.replace(" -> ", ""):
        return None
    numbers = _numbers(pos.removeprefix("e,"))
    xs, ys = numbers[::2], numbers[1::2]
    x, y = xs[0], ys[0]
    right, up = 0.0, 0.0
    if len(ends) == 1:
        width, height = _WIDTH.search(looks), _HEIGHT.search(looks)
        right, up = (36 * float(size[1]) if size is not None else 0.0 for size in (width, height))
    else:
        alike, label_pos = _without(alike, "lp")
        numbers += _numbers(label_pos)
    shape = [round(number - x, 1) for number in numbers[::2]] + [round(number - y, 1) for number in numbers[1::2]]
    reach = (min(xs) - right, min(ys) - up, max(xs) + right, max(ys) + up)
    return _Item(ends, (len(ends), alike, *shape), _Place(x, y, _told(told)), reach, looks[1:])


def _without(looks: str, name: str) -> tuple[str, str]:
    """Return attributes without one that is a place, and that."""
    before, found, rest = looks.partition(f' {name}="')
    value, _, after = rest.partition('"')
    return (before + after, value) if found else (looks, "")


def _numbers(pos: str) -> list[float]:
    return [float(number) for number in pos.replace(",", " ").split()]


def _joined(item: _Item, stands_for: Mapping[str, str]) -> str:
    """Return what a statement is of; a line ends at those boxes that are drawn."""
    return " -> ".join(stands_for.get(end, end) for end in item.ends) if len(item.ends) > 1 else item.ends[0]


def _outermost(items: Mapping[int, _Item]) -> set[int]:
    """Return the statements of what reaches farthest to each side: of the boxes, and of the lines."""
    found = set()
    for ends in (1, 2):
        reaches = {number: item.reach for number, item in items.items() if len(item.ends) == ends}
        for side, most in enumerate((min, min, max, max)) if reaches else ():
            found.add(most(reaches, key=lambda number: reaches[number][side]))
    return found


def _told(tooltip: str | None) -> str:
    """Return a tooltip of DOT as text of XML: its ampersands and backslashes are entities already."""
    if tooltip is None:
        return ""
    text = tooltip[1:-1].replace('\\"', '"') if tooltip.startswith('"') else tooltip
    return text.replace(_BACKSLASH, "&#92;").replace("<", "&lt;").replace(">", "&gt;")


def _title(told: str) -> str:
    return f"<title>{told}</title>" if told else ""


def _slim(svg: str) -> str:
    """Return SVG without what says the same again for each text: its font, and where it is anchored."""
    (family,) = re.findall(r' font-family="[^"]*"', svg)[:1] or [""]
    svg = re.sub(r"<!-- [^\n]* -->\n", "", svg)
    svg = svg.replace(' xml:space="preserve" text-anchor="start"', "")
    svg = svg.replace(family, "") if family else svg
    svg = re.sub(r'(font-size="\d+)\.00"', r'\1"', svg)
    return svg.replace('class="graph"', f'class="graph"{family} xml:space="preserve"', 1)
