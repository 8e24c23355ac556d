"""A large SVG shows what plain SVG of the same DOT shows, in less text."""

from __future__ import annotations

import itertools
import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

import unroll
from unroll import ops
from unroll.viz import process
from unroll.viz.repeats import Repeats
from unroll.viz.sheet import Sheet

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_DRAWN = {f"{_SVG}{name}" for name in ("text", "path", "polygon", "ellipse", "polyline")}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def _shown(svg: bytes) -> list[tuple[str, list[float]]]:
    """Return everything that is drawn, what is placed again by ``<use>`` too: its kind and looks, and its numbers."""
    root = ElementTree.fromstring(svg)
    defined = {item.get("id"): item for item in root.iter(f"{_SVG}g")}
    found = []

    def walk(item: ElementTree.Element, x: float, y: float) -> None:
        for child in item:
            if child.tag == f"{_SVG}use":
                by = float(child.get("x", "0")), float(child.get("y", "0"))
                walk(defined[child.get(f"{_LINK}href", "")[1:]], x + by[0], y + by[1])
            elif child.tag in _DRAWN:
                found.append(_one(child, x, y))
            else:
                walk(child, x, y)

    walk(root, 0.0, 0.0)
    return sorted(found, key=lambda one: (one[0], [round(number / 5) for number in one[1]]))


def _one(item: ElementTree.Element, x: float, y: float) -> tuple[str, list[float]]:
    if item.tag.endswith(("text", "ellipse")):
        across, down = ("x", "y") if item.tag.endswith("text") else ("cx", "cy")
        numbers = [float(item.get(across, "0")) + x, float(item.get(down, "0")) + y]
    else:
        given = map(float, _NUMBER.findall(item.get("d") or item.get("points") or ""))
        numbers = [number + (y if odd % 2 else x) for odd, number in enumerate(given)]
    looks = (item.get(name, "").removesuffix(".00") for name in ("fill", "stroke", "stroke-width", "font-size"))
    return f"{item.tag.removeprefix(_SVG)} {item.text or ''} {' '.join(looks)}", numbers


def _lstm(steps: int) -> unroll.Graph:
    xs = [unroll.placeholder([None, 28], f"X{step}") for step in range(steps)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(13), xs)
    return unroll.Graph(xs, outputs)


def _hostile() -> unroll.Graph:
    x = unroll.placeholder([None, 3], """a tooltip="b" pos="1,2" ]]> <use> \\ & 'c' width=3""")
    y = x
    for _ in range(4):
        y = ops.tanh(y)
    return unroll.Graph([x], {" tooltip=b width=1": y, " lp=1,2": x})


def _both(graph: unroll.Graph, level: str) -> tuple[str, Repeats]:
    """Return the DOT of a picture, and the same with what repeats drawn once."""
    picture = unroll.draw(graph, level=level, full=True, format="dot")  # type: ignore[arg-type]
    assert isinstance(picture.source.written, Sheet)
    return picture.dot, Repeats(picture.source.written)


def _of_long_names() -> unroll.Graph:
    with unroll.scope('a long "name" ' * 230):  # that of a box is one piece, those of a line's weights are several
        return _lstm(4)


@pytest.mark.parametrize("level", ["cell", "op"])
@pytest.mark.parametrize(
    "network", [lambda: _lstm(12), _hostile, _of_long_names], ids=["lstm", "hostile", "long names"]
)
def test_everything_is_drawn_where_plain_svg_has_it(network: Callable[[], unroll.Graph], level: str) -> None:
    dot, repeats = _both(network(), level)
    plain, few = process.ask(dot, "svg").data, repeats.whole(process.ask(repeats.dot, "svg").data)
    wanted, found = _shown(plain), _shown(few)
    assert [one[0] for one in found] == [one[0] for one in wanted]
    left = list(wanted)
    for looks, numbers in found:
        near = [one for one in left if one[0] == looks and _is_near(one[1], numbers)]
        assert near, (looks, numbers)
        left.remove(near[0])


def _is_near(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(abs(a - b) < 0.3 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("level", ["cell", "op"])
@pytest.mark.parametrize("network", [lambda: _lstm(12), _of_long_names], ids=["lstm", "long names"])
def test_the_page_is_as_large_and_everything_says_what_it_is(network: Callable[[], unroll.Graph], level: str) -> None:
    dot, repeats = _both(network(), level)
    plain = ElementTree.fromstring(process.ask(dot, "svg").data)
    few = ElementTree.fromstring(repeats.whole(process.ask(repeats.dot, "svg").data))
    assert few.get("viewBox") == plain.get("viewBox")
    wanted = {item.get(f"{_LINK}title") for item in plain.iter(f"{_SVG}a")}
    told = {item.text for item in few.iter(f"{_SVG}title")} | {
        item.get(f"{_LINK}title") for item in few.iter(f"{_SVG}a")
    }
    assert wanted <= told


def test_1000_steps_of_cells_take_less_than_2_megabytes() -> None:
    svg = unroll.draw(_lstm(1000), full=True).data
    assert len(svg) < 1_500_000
    assert sum(text.startswith("text basic_lstm_cell ") for text, _ in _shown(svg)) == 1000


@pytest.mark.slow
def test_every_step_takes_as_long_in_a_long_picture_as_in_a_short_one() -> None:
    """What is looked for among all boxes, for every line, takes four times as long at every step of four times as many."""

    def seconds(steps: int) -> float:
        graph = _lstm(steps)
        taken = []
        for _ in range(3):
            begun = time.process_time()
            unroll.draw(graph, full=True, format="svg")
            taken.append(time.process_time() - begun)
        return min(taken)

    seconds(20)
    assert seconds(2000) < 5.5 * seconds(500)


def test_names_that_differ_in_digits_stand_at_their_own_places_with_their_own_tooltips() -> None:
    svg = unroll.draw(_lstm(200), full=True).data
    shown = {text.split()[1]: numbers for text, numbers in _shown(svg) if text.startswith("text X")}
    assert list(map(len, shown.values())) == [2] * 200
    across = [shown[f"X{step}"][0] for step in range(200)]
    gaps = {round(right - left) for left, right in itertools.pairwise(across[10:100])}
    assert len(gaps) <= 2 and min(gaps) > 100, "the columns are as wide as one another"
    told = {item.text for item in ElementTree.fromstring(svg).iter(f"{_SVG}title")}
    assert {f"X{step}" for step in range(1, 199)} <= told | {
        item.get(f"{_LINK}title") for item in ElementTree.fromstring(svg).iter(f"{_SVG}a")
    }


def test_a_small_picture_is_plain_svg() -> None:
    assert b"<use" not in unroll.draw(_lstm(12), full=True).data
