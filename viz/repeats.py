"""SVG of a large picture: what repeats from step to step is drawn by Graphviz once, and placed again by ``<use>``.

A network of 1,000 steps has the same cell, arrow and label 1,000 times. Boxes and lines have their places already when
Graphviz sees them, so those that differ only in that need not be drawn twice. Nor need text in no box, of which only the
digits differ, as in the names of the inputs: all digits are as wide as one another.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from unroll.viz import statements
from unroll.viz.dot_text import visible
from unroll.viz.placement import Rectangle
from unroll.viz.sheet import Edge, Node, Sheet

# Places are compared in tenths of a point; the same distance, computed at two places, differs by less than this.
_ALMOST = 0.003
_GROUP = r'<g id="{}_(\d+)" class="(node|edge)">\n<title>[^<]*</title>\n(.*?)</g>\n'

#: What is equal for boxes, or for lines, that differ in their place, ends and tooltip only.
_Alike: TypeAlias = tuple[object, ...]


# Text of HTML-like labels that is the same in SVG; and the texts of SVG, each with its place.
_TAG, _DIGIT, _PLAIN = re.compile(r"<[^>]*>"), re.compile(r"\d(?=[^<>]*(?:<|$))"), re.compile(r"[\w ./,:=+()\[\]-]*")
_TEXT = re.compile(r'( x=")(-?[\d.]+)(" y=")(-?[\d.]+)("[^>]*>)([^<]*)')


class _Place(NamedTuple):
    """One of the boxes or lines that look alike: where it is, the text under a pointer, and, where they differ, its texts."""

    x: float
    y: float
    told: str
    texts: tuple[str, ...] = ()


class Repeats:
    """A picture in which what repeats stands once.

    Args:
        sheet: the picture.

    Attributes:
        dot: what Graphviz is to draw.
    """

    def __init__(self, sheet: Sheet) -> None:
        flat = sheet.flat()
        alone = _outermost(
            [node.box for node in flat.nodes]
        )  # Graphviz finds the size of the picture from what it draws
        nodes: dict[_Alike, list[Node]] = {}
        for number, node in enumerate(flat.nodes):
            nodes.setdefault((_of_node(node), number if number in alone else None), []).append(node)
        alone = _outermost([_around(edge) for edge in flat.edges])
        edges: dict[_Alike, list[Edge]] = {}
        for number, edge in enumerate(flat.edges):
            edges.setdefault((_of_edge(edge), number if number in alone else None), []).append(edge)
        # What is drawn once is named by the picture, so that two of them on one page do not name the same.
        seen = repr((list(nodes), list(edges), len(flat.nodes), len(flat.edges)))
        self._mark = "u" + hashlib.sha256(seen.encode("utf-8", "backslashreplace")).hexdigest()[:6]
        self._groups: list[list[_Place]] = []
        stands_for = {node.id: found[0].id for found in nodes.values() for node in found}
        body = []
        for found in nodes.values():
            differ = any(node.label != found[0].label for node in found)
            places = [_Place(node.box.x, node.box.y, node.told, _texts(node.label) if differ else ()) for node in found]
            body.append(statements.node(found[0]._replace(told=self._told(places)), **self._kept(places)))
        for lines in edges.values():
            source, target = (stands_for.get(end, end) for end in lines[0].ends)
            places = [_Place(*edge.points[0], edge.told) for edge in lines]
            drawn = lines[0]._replace(ends=(source, target), told=self._told(places))
            body.append(statements.edge(drawn, **self._kept(places)))
        self.dot = statements.written(flat.frames, body)

    @staticmethod
    def _told(places: list[_Place]) -> str:
        """Return what Graphviz sets under a pointer; of what is placed again, each place has its own."""
        return places[0].told if len(places) == 1 else ""

    def _kept(self, places: list[_Place]) -> dict[str, str]:
        """Keep the places of what is drawn once, and return the attribute by which it is found again."""
        if len(places) < 2:
            return {}
        self._groups.append(places)
        return {"id": f"{self._mark}_{len(self._groups) - 1}"}

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
            if place.texts:
                groups.append(f'<g class="{kind}">{_title(place.told)}{_rewritten(shape, first, place)}</g>\n')
                continue
            at = "".join(
                f' {axis}="{by:.1f}"' for axis, by in (("x", place.x - first.x), ("y", first.y - place.y)) if by
            )
            groups.append(f'<use xlink:href="#{name}"{at}>{_title(place.told)}</use>\n')
        return "".join(groups)


def _of_node(node: Node) -> _Alike:
    """Return what is equal for boxes that look alike."""
    looks = node.label
    if node.looks.get("shape") == "plain" and node.looks.get("style") == "":  # nothing is drawn but the text
        without_digits = _DIGIT.sub("0", looks)
        if _is_plain(without_digits):
            return (without_digits, round(node.box.height, 1))
    return (looks, round(node.box.width, 1), round(node.box.height, 1), *node.looks.items())


@lru_cache(maxsize=1024)
def _is_plain(label: str) -> bool:
    """Say whether the text of a label stands in SVG as it stands there."""
    return all(map(_PLAIN.fullmatch, _TAG.split(label)))


def _texts(label: str) -> tuple[str, ...]:
    """Return the texts of a label, as they stand in it one after another."""
    return tuple(part for part in _TAG.split(label) if part)


def _rewritten(shape: str, first: _Place, place: _Place) -> str:
    """Return the SVG of texts with those of another place, there."""
    right, down, texts = place.x - first.x, first.y - place.y, iter(place.texts)
    return _TEXT.sub(
        lambda found: (
            f"{found[1]}{float(found[2]) + right:.1f}{found[3]}{float(found[4]) + down:.1f}{found[5]}{next(texts)}"
        ),
        shape,
    )


def _of_edge(edge: Edge) -> _Alike:
    """Return what is equal for lines that look alike."""
    right, up = _ALMOST - edge.points[0][0], _ALMOST - edge.points[0][1]
    shape = [round(number, 1) for x, y in edge.points for number in (x + right, y + up)]
    if edge.label is not None:
        shape += [round(edge.label.x + right, 1), round(edge.label.y + up, 1)]
    return (edge.label and edge.label.text, *shape, *edge.looks.items())


def _around(edge: Edge) -> Rectangle:
    """Return the room that a line takes."""
    xs, ys = zip(*edge.points, strict=True)
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    return Rectangle((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)


def _outermost(boxes: Sequence[Rectangle]) -> set[int]:
    """Return the numbers of the boxes that reach farthest to each side."""
    if not boxes:
        return set()
    reaches = [(-box.left, -box.bottom, box.right, box.top) for box in boxes]
    return {max(range(len(boxes)), key=lambda number: reaches[number][side]) for side in range(4)}


def _title(told: str) -> str:
    return f"<title>{html.escape(visible(told, None))}</title>" if told else ""


def _slim(svg: str) -> str:
    """Return SVG without what says the same again for each text: its font, and where it is anchored."""
    (family,) = re.findall(r' font-family="[^"]*"', svg)[:1] or [""]
    svg = re.sub(r"<!-- [^\n]* -->\n", "", svg)
    svg = svg.replace(' xml:space="preserve" text-anchor="start"', "")
    svg = svg.replace(family, "") if family else svg
    svg = re.sub(r'(font-size="\d+)\.00"', r'\1"', svg)
    return svg.replace('class="graph"', f'class="graph"{family} xml:space="preserve"', 1)
