"""Networks of every family, at both levels, and with values at one of the two by turns: no text cut, struck through or
overprinted, no box on another, no line through a box.
"""

from __future__ import annotations

import pytest
from picture_faults import check_dot
from picture_networks import NETWORKS

import unroll
from unroll.sizes import symbols_of
from unroll.trials.trial_feeds import trial_feeds
from unroll.viz import drawing


@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("network", NETWORKS)
def test_a_picture_has_no_faults(network: str, level: drawing.Level) -> None:
    check_dot(unroll.draw(NETWORKS[network](), level=level, format="dot").dot)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_a_picture_with_values_has_no_faults(network: str) -> None:
    level: drawing.Level = "op" if [*NETWORKS].index(network) % 2 else "cell"
    graph = NETWORKS[network]()
    # Of more rows, most values are too large to print; and a branch that is not taken still has to fit.
    one = dict.fromkeys(symbols_of(graph), 1) if network != "hostile names" else None
    check_dot(unroll.draw(graph, level=level, feeds=trial_feeds(graph, dims=one)[0], format="dot").dot)
