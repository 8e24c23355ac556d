"""Networks of every family, at both levels, and with values at one of the two by turns: no text cut, struck through or
overprinted, no box on another, no line through a box; and none too large for a slide.
"""

from __future__ import annotations

import pytest
from picture_boxes import boxes
from picture_faults import check_dot
from picture_networks import NETWORKS

import unroll
from unroll.sizes import symbols_of
from unroll.trials.trial_feeds import trial_feeds
from unroll.viz import drawing
from unroll.viz.details import excess

#: How many times larger than a page the largest picture may be: on a slide, its text is smaller by as much.
_LARGEST = 1.25


@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("network", NETWORKS)
def test_a_picture_has_no_faults(network: str, level: drawing.Level) -> None:
    picture = unroll.draw(NETWORKS[network](), level=level, format="dot")
    check_dot(picture.dot)
    drawn = boxes(picture).values()
    width = max(box.right for box in drawn) - min(box.left for box in drawn)
    height = max(box.top for box in drawn) - min(box.bottom for box in drawn)
    assert excess(width, height) <= _LARGEST, f"{width:.0f} x {height:.0f} points are too many for a slide"


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_a_picture_with_values_has_no_faults(network: str) -> None:
    level: drawing.Level = "op" if [*NETWORKS].index(network) % 2 else "cell"
    graph = NETWORKS[network]()
    # Of more rows, most values are too large to print; and a branch that is not taken still has to fit.
    one = dict.fromkeys(symbols_of(graph), 1) if network != "hostile names" else None
    check_dot(unroll.draw(graph, level=level, feeds=trial_feeds(graph, dims=one)[0], format="dot").dot)
