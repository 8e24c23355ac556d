"""Titles, legends, themes, directions and dots an inch: what they do, and what is refused by name."""

from __future__ import annotations

import re
import struct
import warnings
from typing import Any

import numpy as np
import pytest
from drawn_programs import parsed
from picture_networks import NETWORKS

import unroll
from unroll import ops
from unroll.errors import ArgumentError, UnrollWarning
from unroll.viz import palette

#: Every network at one of the two levels.
EACH = [(name, ("cell", "op")[place % 2]) for place, name in enumerate(NETWORKS)]


def _gru() -> unroll.Graph:
    return NETWORKS["GRU"]()


def _flat() -> unroll.Graph:
    x = unroll.placeholder([2], "x")
    return unroll.Graph([x], ops.tanh(x))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"theme": "blue"}, "theme 'blue' is unknown; use light or dark"),
        ({"direction": "down"}, "direction 'down' is unknown; use up or right"),
        ({"direction": "up"}, "direction 'up' does not suit level='cell': its columns are timesteps"),
        ({"dpi": 300}, "dpi is for PNG, and the format is svg"),
        ({"dpi": 9, "format": "png"}, "dpi is 9; a number from 36 to 1,200"),
        ({"dpi": "fine", "format": "png"}, "dpi is 'fine' of type str; an int is wanted"),
        ({"level": "layer", "legend": True}, "level='layer' has nothing for a legend"),
        ({"level": "layer", "feeds": {}}, "feeds print values, which level='layer' does not show"),
        ({"level": "op", "format": "mmd"}, "Mermaid text holds cells or layers"),
        ({"theme": "dark", "format": "mmd"}, "Mermaid text has no theme"),
        ({"legend": True, "format": "mmd"}, "Mermaid text has no legend"),
        ({"feeds": {}, "format": "mmd"}, "Mermaid text has no feeds"),
        ({"title": 3}, "title is 3 of type int; a string is wanted"),
        ({"legend": "yes"}, "legend"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(unroll.UnrollError, match=re.escape(said)):
        unroll.draw(_gru(), **options)


def test_a_graph_without_steps_goes_up_and_says_who_goes_to_the_right() -> None:
    assert unroll.draw(_flat(), direction="up").dot == unroll.draw(_flat()).dot
    with pytest.raises(ArgumentError, match=r"data goes up in a graph without steps; level='layer' has both"):
        unroll.draw(_flat(), direction="right")
    assert unroll.draw(_gru(), direction="right").dot == unroll.draw(_gru()).dot


@pytest.mark.parametrize("level", ["cell", "op", "layer"])
def test_a_title_stands_over_the_picture(level: Any) -> None:
    title = 'GRU <b>"over"</b> & 4 steps \\N'
    svg = unroll.draw(_gru(), level=level, title=title).data.decode()
    shown = "GRU &lt;b&gt;&quot;over&quot;&lt;/b&gt; &amp; 4 steps \\N"
    heights = {text: float(y) for y, text in re.findall(r' y="(-?[\d.]+)"[^>]*>([^<]+)</text>', svg)}
    assert min(heights, key=heights.__getitem__) == shown


@pytest.mark.parametrize("level", ["cell", "op", "layer"])
def test_a_title_that_is_much_longer_than_its_picture_ends_on_the_page(level: Any) -> None:
    x = unroll.placeholder([2], "x")
    title = "What fits title of little, (still) " * 5
    picture = unroll.draw(unroll.Graph([x], {"y": ops.tanh(x)}), level=level, title=title)
    assert b"What fits title" in picture.data  # its boxes are checked as those of every picture


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "level"), EACH)
def test_a_legend_and_a_title_disturb_no_picture(name: str, level: Any) -> None:
    unroll.draw(NETWORKS[name](), level=level, legend=True, title="A title that is somewhat longer than its picture")


def test_a_legend_names_gates_and_arrows_that_are_there() -> None:
    graph = parsed(unroll.draw(_gru(), legend=True, format="dot"))
    labels = {str(node): re.sub(r"<[^>]*>", " ", node.attr["label"]).split() for node in graph.nodes()}
    assert labels["legend_gates"] == ["r", "u", "c"]
    said = [" ".join(labels[f"legend_{place}"]) for place in range(3)]
    assert said == ["data", "state, to the next step", "weights"]
    assert graph.get_edge("legend_1", "legend_1").attr["color"] == palette.STATE
    assert graph.get_edge("legend_2", "legend_2").attr["style"] == "dashed"
    assert "legend_3" not in labels
    assert "legend_gates" not in {str(node) for node in parsed(unroll.draw(_flat(), legend=True)).nodes()}


def test_dots_an_inch_are_those_of_the_png() -> None:
    def size(**options: Any) -> tuple[int, int]:
        return struct.unpack(">II", unroll.draw(_flat(), format="png", **options).data[16:24])  # type: ignore[return-value]

    once, twice = size(dpi=72), size()
    assert all(abs(2 * a - b) <= 2 for a, b in zip(once, twice, strict=True))
    assert all(abs(4 * a - b) <= 4 for a, b in zip(once, size(dpi=288), strict=True))


# -- dark -------------------------------------------------------------------------------------------------------------

LIGHT = re.compile(r'color="(#[0-9A-F]{6})"', re.IGNORECASE)


def _luminance(color: str) -> float:
    rgb = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


GROUNDS = [
    palette.DARK_PAGE, *(palette.DARK[fill] for fill in (
        palette.CELL_FILL, palette.OP_FILL, palette.INPUT_FILL, palette.SCAN_FILL, palette.SCOPE_FILL, palette.PLAIN_BLOCK,
        palette.PANEL_FILL,
    )),
]  # fmt: skip
GATES = [palette.DARK[fill] for fill in palette.gate_colors([list("abcdefgh")]).values()]


def test_dark_text_has_contrast_on_all_that_it_stands_on() -> None:
    for ink in (palette.INK, palette.MUTED, palette.STATE):
        for ground in (*GROUNDS, *GATES):
            assert _contrast(palette.DARK[ink], ground) >= 4.5, (ink, ground)
    for ground in GROUNDS:
        assert _contrast(palette.DARK[palette.WEIGHT], ground) >= 4.5


def test_dark_lines_have_contrast_on_the_page() -> None:
    for line in (palette.LINE, palette.STATE, palette.WEIGHT, palette.CELL_LINE, palette.OP_LINE, palette.INPUT_LINE):
        assert _contrast(palette.DARK[line], palette.DARK_PAGE) >= 3


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "level"), [*EACH, *((name, "layer") for name in list(NETWORKS)[::3])])
def test_every_colour_of_a_picture_has_a_dark_one(name: str, level: Any) -> None:
    light = unroll.draw(NETWORKS[name](), level=level, format="dot").dot
    dark = unroll.draw(NETWORKS[name](), level=level, format="dot", theme="dark").dot
    found = {color.upper() for color in LIGHT.findall(light)}
    assert found <= set(palette.DARK)
    kept = {color.upper() for color in LIGHT.findall(dark)} - {palette.DARK_PAGE}
    assert kept == {palette.DARK[color] for color in found}
    assert f'bgcolor="{palette.DARK_PAGE}"' in dark


def test_names_that_look_like_colours_stay_as_they_are() -> None:
    x = unroll.placeholder([2], '#222222 color="#222222" bgcolor=white')
    svg = unroll.draw(unroll.Graph([x], ops.tanh(x)), theme="dark").data.decode()
    assert "#222222 color=&quot;#222222&quot; bgcolor=white" in svg


# -- every operator of many steps -------------------------------------------------------------------------------------


def _steps(count: int) -> unroll.Graph:
    xs = [unroll.placeholder([None, 2], f"X{step}") for step in range(count)]
    return unroll.Graph(xs, unroll.static_rnn(unroll.BasicRNNCell(1), xs)[0])


def test_every_operator_of_many_steps_comes_with_another_way_to_see_them() -> None:
    with pytest.warns(UnrollWarning, match=r"every operator of 101 steps.*unroll\.view\(graph\) shows all"):
        unroll.draw(_steps(101), level="op", full=True, format="dot")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unroll.draw(_steps(100), level="op", full=True, format="dot")
        unroll.draw(_steps(101), level="op", format="dot")
        unroll.draw(_steps(101), full=True, format="dot")
