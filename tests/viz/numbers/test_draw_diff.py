"""`draw_diff`: exactly what differs between two graphs is found, said and drawn."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from changed_graphs import KINDS, Change, changed
from picture_networks import NETWORKS
from random_graphs import random_graph
from svg_reading import overlapping, texts

import unroll
from unroll import ops
from unroll.viz.dot_text import MINUS, text_width
from unroll.viz.numbers.diff_layout import lay_out
from unroll.viz.numbers.differences import differences


def lstm(units: int = 13, forget_bias: float = 1.0, steps: int = 4, scope: str = "rnn") -> unroll.Graph:
    inputs = [unroll.placeholder([None, 28], f"x{t}") for t in range(steps)]
    cell = unroll.BasicLSTMCell(units, forget_bias=forget_bias)
    outputs, _ = unroll.static_rnn(cell, inputs, scope=scope)
    return unroll.Graph(inputs, {"y": outputs[-1]})


def expected(change: Change, before: unroll.Graph) -> tuple[list[str], list[str], list[str], list[str]]:
    """What must be found: the names that are added, removed and changed, and the weights."""
    name = "" if change.at is None else (before if change.kind == "removed" else change.graph).name(change.at)
    added, removed, weights = [name] * (change.kind == "added"), [name] * (change.kind == "removed"), [change.weight]
    other = change.kind in ("operator", "constant", "rewired")
    return added, removed, [name] * other, weights * (change.kind == "weight")


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_hundred_random_graphs_with_one_change_exactly_that_change_is_found(kind: str) -> None:
    tried = seed = 0
    while tried < 200:
        before, _ = random_graph(seed)
        change = changed(before, kind, np.random.default_rng(seed))
        if change is not None:
            found = unroll.draw_diff(before, change.graph)
            seen = (list(found.added), list(found.removed), list(found.changed), list(found.weights))
            assert seen == expected(change, before), (seed, str(found))
            assert found.ports == {}
            assert found
            tried += 1
        seed += 1
    assert tried <= seed <= 600


def test_a_graph_does_not_differ_from_itself_made_again() -> None:
    for name in ("GRU", "attention", "nn LSTM, two layers both ways", "read back Scan", "rerolled Scan"):
        found = unroll.draw_diff(NETWORKS[name](), NETWORKS[name]())
        assert not found, (name, str(found))
        assert str(found).startswith("0 added, 0 removed, 0 changed, ")


def test_what_changed_is_said_in_words() -> None:
    found = unroll.draw_diff(lstm(), lstm(forget_bias=0.0))
    assert str(found).splitlines() == [
        "0 added, 0 removed, 4 changed, 58 operators the same",
        "\u2260 4 \u00d7 Add, such as rnn/t0/basic_lstm_cell/f/Add: input 1: 1 \u2192 0",
    ]
    x = unroll.placeholder([2, 3], "x")
    one = unroll.Graph([x], {"y": ops.softmax(x, axis=0)})
    other = unroll.Graph([x], {"y": ops.softmax(x, axis=1)})
    assert unroll.draw_diff(one, other).changed == {"Softmax": ("axis 0 \u2192 1",)}


def test_weights_are_told_by_their_largest_difference_and_by_their_shapes() -> None:
    before, after = lstm(), lstm()
    kernel = after.parameters["rnn/basic_lstm_cell/kernel"].value.copy()
    kernel[3, 4] += 0.25
    kernel[5, 6] -= 0.125
    after.parameters["rnn/basic_lstm_cell/kernel"].assign(kernel)
    found = unroll.draw_diff(before, after)
    assert found.weights == {"rnn/basic_lstm_cell/kernel": "max |difference| 0.25, 2 of 2,132 numbers"}
    assert found.changed == {}
    kernel[0, 0] = np.nan
    after.parameters["rnn/basic_lstm_cell/kernel"].assign(kernel)
    assert "max |difference| inf, 3 of" in str(unroll.draw_diff(before, after))
    found = unroll.draw_diff(lstm(13), lstm(16))
    assert found.weights == {
        "rnn/basic_lstm_cell/kernel": "(41, 52) \u2192 (44, 64)",
        "rnn/basic_lstm_cell/bias": "(52,) \u2192 (64,)",
    }
    assert found.added == found.removed == ()


def test_weights_of_other_names_are_known_by_what_reads_them() -> None:
    found = unroll.draw_diff(lstm(), lstm(scope="model"))
    assert (found.added, found.removed, found.changed) == ((), (), {})
    assert found.weights["model/basic_lstm_cell/kernel"].startswith("was called rnn/basic_lstm_cell/kernel")


def test_inputs_and_outputs_are_compared() -> None:
    x, z = unroll.placeholder([2, 3], "x"), unroll.placeholder([2, 3], "z")
    y = x + 1.0
    before = unroll.Graph([x], {"y": y, "gone": ops.tanh(y)})
    after = unroll.Graph([x, z], {"y": y, "new": ops.tanh(y)})
    assert unroll.draw_diff(before, after).ports == {
        "input z": "added (2, 3)",
        "output new": "added (2, 3)",
        "output gone": "removed (2, 3)",
    }
    wide = unroll.placeholder([2, 4], "x")
    found = unroll.draw_diff(unroll.Graph([x], {"y": x + 1.0}), unroll.Graph([wide], {"y": wide + 1.0}))
    assert found.ports == {"input x": "(2, 3) \u2192 (2, 4)"}
    swapped = unroll.draw_diff(unroll.Graph([x], {"a": y, "b": x}), unroll.Graph([x], {"a": x, "b": y}))
    assert set(swapped.ports) == {"output a", "output b"}


def test_a_pass_is_drawn_as_what_it_did_to_all_steps_at_once() -> None:
    graph = NETWORKS["image rows"]()
    begin = time.perf_counter()
    found = unroll.draw_diff(graph, unroll.optimize(graph))
    assert time.perf_counter() - begin < 10
    said = texts(found.picture.svg)
    assert (
        said[0]
        == f"{len(found.added)} added, {len(found.removed)} removed, 0 changed, {found.unchanged} operators the same"
    )
    assert {"28 \u00d7 MatMul", "27 \u00d7 Gemm", "+", MINUS, "added", "removed", "the same"} <= set(said)
    assert found.picture.svg.count("<rect") < 60
    again = unroll.draw_diff(graph, unroll.optimize(graph))
    assert again.picture.svg == found.picture.svg


def test_lines_pass_between_boxes_of_a_row_and_never_through_one() -> None:
    graph = NETWORKS["GRU"]()
    layout = lay_out(differences(graph, unroll.optimize(graph)))
    bends = [box for box in layout.boxes if not box.lines]
    assert bends
    for bend in bends:
        for box in layout.boxes:
            if box.row == bend.row and box is not bend:
                assert bend.y <= box.y and box.y + box.height <= bend.y + bend.height
                assert bend.x + bend.width <= box.x or box.x + box.width <= bend.x


def test_long_graphs_take_time_in_proportion() -> None:
    before, after = lstm(4, steps=1000), lstm(4, 0.0, steps=1000)
    begin = time.perf_counter()
    found = unroll.draw_diff(before, after)
    assert time.perf_counter() - begin < 10
    assert len(found.changed) == 1000
    assert "1,000 \u00d7 Add" in texts(found.picture.svg)


def test_no_label_stands_on_another_and_hostile_names_stay_text(tmp_path: Path) -> None:
    names = list(NETWORKS)
    for one, other in (
        ("hostile names", "two steps"),
        ("GRU", "cell LSTM, clipped and projected"),
        (names[0], "attention"),
    ):
        found = unroll.draw_diff(NETWORKS[one](), NETWORKS[other]())
        svg = found.picture.svg
        assert overlapping(svg, lambda text, size, bold: text_width(text, size, bold, None)) == []
        for suffix in ("svg", "png", "pdf"):
            found.save(tmp_path / f"d.{suffix}")
            assert (tmp_path / f"d.{suffix}").stat().st_size > 0


def test_only_graphs_are_compared() -> None:
    with pytest.raises(unroll.UnrollError, match="draw_diff: a Graph is wanted, not 3"):
        unroll.draw_diff(lstm(), 3)  # type: ignore[arg-type]
