"""Where every operator is drawn, an If is a frame around its condition and its two branches."""

from __future__ import annotations

import re

import pytest
from picture_boxes import boxes
from picture_networks import NETWORKS

import unroll
from unroll import ops


def test_an_if_shows_its_condition_and_what_each_of_its_branches_does() -> None:
    x, c = unroll.placeholder([2], "x"), unroll.placeholder([], "c")
    then, other = unroll.placeholder([2], "x"), unroll.placeholder([2], "x")
    yes, no = unroll.Graph([then], [ops.tanh(then)]), unroll.Graph([other], [other * 2.0])
    picture = unroll.draw(unroll.Graph([x, c], list(ops.if_(c > 1.0, yes, no, [x]))), level="op")
    found = boxes(picture)
    (frame,) = (box for box in found.values() if box.lines[:1] == ["If c > 1"])
    assert {"then", "else"} <= set(frame.lines)
    inside = {side: {name: box for name, box in found.items() if f"_{side}_" in name} for side in ("then", "else")}
    assert all(frame.holds(box) for held in inside.values() for box in held.values())
    said = {side: {line for box in held.values() for line in box.lines} for side, held in inside.items()}
    assert "tanh(x)" in said["then"] and "x \u00d7 2" in said["else"]
    assert max(box.right for box in inside["then"].values()) < min(box.left for box in inside["else"].values())


@pytest.mark.parametrize("name", ["tf2onnx lengths", "tf2onnx lengths of an RNN", "tf2onnx lengths of a GRU"])
def test_steps_that_an_if_computes_show_in_it_what_they_read_and_make(name: str) -> None:
    found = boxes(unroll.draw(NETWORKS[name](), level="op"))
    inner = {re.sub(r"_\d+$", "", id): box for id, box in found.items() if "_then_" in id or "_else_" in id}
    lines = [line for id, box in found.items() if "_else_" in id for line in box.lines]
    assert inner and any(re.search(r"\[X\d, h\[t-1\]\] @ (gates/)?kernel", line) for line in lines)
    assert not any("_branch" in line for box in found.values() for line in box.lines)
