"""Colours: text and marks stand out from what they stand on, by light and dark, and gates differ for everyone."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_contrast import faint_lines, faint_text
from page_reading import random_feeds
from picture_networks import NETWORKS
from seen_colours import SEEN_BY, apart, contrast, difference, lab

import unroll
from unroll.viz import palette
from unroll.viz.numbers.bitmaps import ODD, PAPER
from unroll.viz.page.colours import GATES

#: By Mokrzycki and Tatol 2011 people see two colours, and not shades of one, from a difference of 5 on; 1 can just be seen.
#: Fields of gates are small (18 points) and do not always touch, so there is more.
LEAST = 7.0
#: Frames around scopes say what the names in them say: they may be faint.
DECORATIONS = {palette.SCOPE_LINE.lower(), palette.DARK[palette.SCOPE_LINE].lower()}
SHOWN = (
    "GRU",
    "attention",
    "peepholes",
    "cell NAS",
    "Keras, masked",
    "nn LSTM, two layers both ways",
    "layers ConvLSTM2D",
)
KINDS = ("fill", "mark", "dark_fill", "dark_mark")

# Some of the pairs of Sharma, Wu and Dalal 2005, with their differences.
PAIRS = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425), ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492), ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082), ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
]  # fmt: skip
# What colorspacious 1.1.2 makes of two colours, as somebody sees them, in CIELAB.
SEEN = {
    ("#3E93C6", "protanopes"): (60.98, 5.07, -30.30), ("#B07A12", "protanopes"): (52.15, -4.53, 57.47),
    ("#3E93C6", "deuteranopes"): (56.01, 7.04, -36.30), ("#B07A12", "deuteranopes"): (57.14, -5.35, 56.93),
    ("#3E93C6", "tritanopes"): (59.72, -32.49, -12.32), ("#B07A12", "tritanopes"): (54.90, 33.35, 16.82),
}  # fmt: skip


def test_differences_and_what_is_seen_are_those_of_others() -> None:
    for one, other, wanted in PAIRS:
        assert difference(np.array(one), np.array(other)) == pytest.approx(wanted, abs=1e-4)
    for (color, who), wanted in SEEN.items():
        np.testing.assert_allclose(lab(color, who), wanted, atol=0.02)
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21) and contrast("#777777", "#FFFFFF") == pytest.approx(
        4.48, abs=0.01
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_the_gates_of_a_cell_are_told_apart_by_everyone(seen_by: str, kind: str) -> None:
    colors = [getattr(gate, kind) for gate in GATES]
    assert [gate.fill for gate in GATES] == list(palette.gate_colors([[f"g{place}" for place in range(8)]]).values())
    for one, other in itertools.combinations(colors, 2):
        assert apart(one, other, seen_by) >= LEAST, (one, other)


@pytest.mark.parametrize("gate", GATES)
def test_a_mark_stands_out_from_the_page_and_its_field_and_text_from_the_field(gate: Any) -> None:
    assert min(contrast(gate.mark, gate.fill), contrast(gate.mark, "#FFFFFF")) >= 3
    assert min(contrast(gate.dark_mark, gate.dark_fill), contrast(gate.dark_mark, palette.DARK_PAGE)) >= 3
    assert contrast(palette.INK, gate.fill) >= 4.5
    assert contrast(palette.DARK[palette.INK], gate.dark_fill) >= 4.5


@pytest.mark.parametrize("seen_by", SEEN_BY)
@pytest.mark.parametrize("dark", [False, True])
def test_states_weights_and_data_are_told_apart_and_so_are_signs(seen_by: str, dark: bool) -> None:
    """Lines of weights are dashed, too; lines of states are thicker."""
    lines = [palette.DARK[one] if dark else one for one in (palette.STATE, palette.WEIGHT, palette.LINE)]
    for one, other in itertools.combinations(lines, 2):
        assert apart(one, other, seen_by) >= LEAST
    below, above = ("#C07F3E", "#5B9AD0") if dark else ("#8A4E12", "#12507F")
    script = (Path(unroll.viz.page.__path__[0]) / "colours.js").read_text(encoding="utf-8")
    assert below in script and above in script
    assert apart(below, above, seen_by) >= 3 * LEAST
    for ground in ("#22272C",) if dark else (PAPER,):
        assert apart(ODD, ground, seen_by) >= 3 * LEAST


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("level", ["cell", "op", "layer"])
@pytest.mark.parametrize("name", SHOWN)
def test_text_and_lines_of_pictures_stand_out(name: str, level: Any, theme: Any) -> None:
    graph = NETWORKS[name]()
    feeds = random_feeds(graph) if level == "op" else None
    svg = unroll.draw(graph, level=level, theme=theme, title="A title", legend=level != "layer", feeds=feeds).data
    assert not faint_text(svg)
    assert not faint_lines(svg, palette.DARK_PAGE if theme == "dark" else "#FFFFFF", DECORATIONS)


def test_text_and_lines_of_pictures_of_numbers_stand_out() -> None:
    graph = NETWORKS["GRU"]()
    for svg in (
        unroll.draw_kernel(graph).svg,
        unroll.draw_kernel(graph, values=True).svg,
        unroll.draw_values(graph, random_feeds(graph)).svg,
        unroll.draw_diff(graph, NETWORKS["peepholes"]())._repr_mimebundle_()["image/svg+xml"],
    ):
        assert not faint_text(svg)
        assert not faint_lines(svg, "#FFFFFF", DECORATIONS)
