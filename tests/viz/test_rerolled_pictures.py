"""Re-rolled networks of every family: each loop is one box, nothing stands on it, and no line passes through it."""

from __future__ import annotations

import numpy as np
import pygraphviz
import pytest
from picture_boxes import Drawn, boxes
from picture_networks import NETWORKS

import unroll
from unroll.viz import drawing

LOOPS = ("LSTM", "GRU", "RNN", "Scan")


def lines(picture: drawing.Picture) -> list[tuple[str, str, np.ndarray]]:
    """The ends of every line, and points along it, a row each."""
    graph = pygraphviz.AGraph(string=picture.dot, strict=False)
    found = []
    for edge in graph.edges():
        points = edge.attr["pos"].replace("\\\n", "").split()[1:]  # the first is the tip of the arrow
        controls = np.array([point.split(",") for point in points], float)
        found.append(
            (edge[0], edge[1], np.concatenate([curve(controls[at : at + 4]) for at in range(0, len(points) - 1, 3)]))
        )
    return found


def curve(controls: np.ndarray) -> np.ndarray:
    """Points along a cubic curve, a row each."""
    t = np.linspace(0, 1, 81)[:, None]
    one, two, three, four = controls
    return (1 - t) ** 3 * one + 3 * t * (1 - t) ** 2 * two + 3 * t**2 * (1 - t) * three + t**3 * four


def overlap(one: Drawn, other: Drawn) -> bool:
    apart = one.left >= other.right or other.left >= one.right or one.bottom >= other.top or other.bottom >= one.top
    return not apart


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_each_loop_of_a_rerolled_network_is_one_box_that_nothing_crosses(network: str) -> None:
    graph, _ = unroll.reroll(NETWORKS[network]())
    for level in ("cell", "op"):
        picture = unroll.draw(graph, format="dot", level=level)
        drawn = boxes(picture)
        held = {name: box for name, box in drawn.items() if name.startswith("loop_") and name.count("_") == 1}
        wanted = [node for node in graph.nodes if node.op.name.removeprefix("ai.onnx.") in LOOPS]
        assert len(held) == len(wanted)
        for name, box in held.items():
            outside = {other: place for other, place in drawn.items() if other != name and f"{name}_" not in other}
            assert not [other for other, place in outside.items() if overlap(box, place)]
            for source, target, points in lines(picture):
                if name not in (source, target) and not source.startswith(f"{name}_"):
                    low, high = np.array([(box.left, box.bottom), (box.right, box.top)])
                    within = ((points > low + 1) & (points < high - 1)).all(axis=1).sum()
                    assert within < 2, f"{source} -> {target} crosses {name}"


def test_what_is_left_of_a_cell_on_both_sides_of_its_loop_is_drawn_in_order() -> None:
    graph, _ = unroll.reroll(NETWORKS["one state tensor"]())
    drawn = boxes(unroll.draw(graph))
    (loop,) = (box for name, box in drawn.items() if name.startswith("loop_"))
    (before,) = (box for box in drawn.values() if "Split" in box.lines and "[2, 2], axis 1" in box.lines)
    (after,) = (box for box in drawn.values() if "Concat" in box.lines and "axis 1" in box.lines)
    assert before.top < loop.bottom and loop.top < after.bottom


@pytest.mark.parametrize("network", ["Bahdanau", "one state tensor"])
def test_a_gate_has_one_colour_whatever_it_is_called(network: str) -> None:
    """TensorFlow's r, u and c are ONNX's r, z and h."""
    dot = unroll.draw(unroll.reroll(NETWORKS[network]())[0], format="dot").dot
    colors = dict.fromkeys(part.split('"')[0] for part in dot.split('BGCOLOR="')[1:])
    gates = [color for color in colors if color not in ("#EFE6DA",)]  # that of weights that have no gates
    assert len(gates) == {"Bahdanau": 3, "one state tensor": 4}[network]
