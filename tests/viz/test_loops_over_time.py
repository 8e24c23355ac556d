"""Loops over a time that is left open: a name on a line is that of what flows there, and weights stand inside as weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pygraphviz
import pytest
from over_time_networks import OVER_TIME
from picture_boxes import boxes, inside, loops
from picture_networks import read_back

import unroll
from unroll.viz import drawing


def named_lines(picture: drawing.Picture) -> Iterator[tuple[str, str, str]]:
    """Yield the name on each line between an input or output of a loop's body and the rest of it: the first name of that box,
    the name on the line, and which of the two it is.
    """
    drawn, graph = boxes(picture), pygraphviz.AGraph(string=picture.dot, strict=False)
    for edge in graph.edges():
        said = re.match(r"([^\s(]+) \(", re.sub("<[^>]*>", "", edge.attr["label"] or ""))
        for end in edge if said else ():
            kind = str(end).split("_")[-2]
            if str(end).startswith("loop_") and kind in ("input", "output"):
                yield drawn[str(end)].lines[0].removesuffix("t-1"), said[1], kind  # type: ignore[index]


@pytest.mark.parametrize("name", OVER_TIME)
def test_a_line_into_or_out_of_a_loop_is_called_as_what_flows_there(name: str) -> None:
    picture = unroll.draw(OVER_TIME[name]())
    found = list(named_lines(picture))
    for box, line, _ in found:
        assert box.rpartition("/")[2] == line, f"the line of {box} says {line}"
    states = [line for frame in loops(picture) for line in frame.lines if line.startswith("hands")]
    handed = sum(text.count(",") + 1 for text in states)
    assert sum(kind == "input" for *_, kind in found) == handed  # the states, and nothing else: x rises

    ends = [box.lines[0] for id, box in boxes(picture).items() if re.match(r"loop_\d+_(in|out)put_\d+", id)]
    assert ends and not [text for text in ends if re.fullmatch(r"[A-Z]\w+|[\d/]+|.*_kept.*", text)]  # such as Unsqueeze


def test_a_loop_over_a_symbol_says_over_what_and_one_of_known_length_how_many_steps() -> None:
    assert any("Scan over time" in frame.lines for frame in loops(unroll.draw(OVER_TIME["LSTM"]())))
    said = [line for frame in loops(unroll.draw(OVER_TIME["encoder and decoder"]())) for line in frame.lines]
    assert {"Scan over n", "Scan over m"} <= set(said)
    native = unroll.draw(read_back(OVER_TIME["LSTM"](), "rerolled"))
    assert any(line.startswith("over time, 4 units") for frame in loops(native) for line in frame.lines)


def test_both_halves_of_a_bias_stand_in_the_loop_as_the_weight_that_they_are_cut_from() -> None:
    picture = unroll.draw(OVER_TIME["GRU"](), level="op")
    (frame,) = loops(picture)
    assert "Gather" not in " ".join(frame.lines)
    held = inside(picture, next(name for name in boxes(picture) if name.startswith("loop_")) + "_")
    cards = [box for name, box in held.items() if name.startswith("weights_")]
    assert [block for card in cards for block in card.blocks if block.startswith("b")] == [
        "bxz", "bxr", "bxh", "bhz", "bhr", "bhh",
    ]  # fmt: skip
    said = {line for box in held.values() for line in box.lines}
    assert {"z_h = x_h + r \u00d7 h_h", "z_r = x_r + h_r"} <= said
    assert not any(name.startswith("weights_") for name in boxes(picture))
