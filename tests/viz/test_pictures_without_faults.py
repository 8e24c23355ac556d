"""Networks of every family, at both levels, with values and without: no text cut, struck through or overprinted, no box on
another, no line through a box.
"""

from __future__ import annotations

import pytest
from picture_faults import check_dot
from picture_networks import NETWORKS

import unroll
from unroll.trials.trial_feeds import trial_feeds
from unroll.viz import drawing

# NumPy runs its branches, of which one has no use for the other's sizes.
WITHOUT_VALUES = {"tf2onnx lengths"}


@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("network", NETWORKS)
def test_a_picture_has_no_faults(network: str, level: drawing.Level) -> None:
    check_dot(unroll.draw(NETWORKS[network](), level=level, format="dot").dot)


@pytest.mark.slow
@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("network", [name for name in NETWORKS if name not in WITHOUT_VALUES])
def test_a_picture_with_values_has_no_faults(network: str, level: drawing.Level) -> None:
    graph = NETWORKS[network]()
    check_dot(unroll.draw(graph, level=level, feeds=trial_feeds(graph)[0], format="dot").dot)
