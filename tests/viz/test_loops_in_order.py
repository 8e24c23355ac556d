"""Loops that run one after another stand one after another, and each leaves out its own steps and no others."""

from __future__ import annotations

import re

import numpy as np
import pygraphviz
import pytest
from drawn_programs import cells_of, headings, parsed, places, texts
from picture_networks import NETWORKS

import unroll
from unroll import layers, ops
from unroll.viz.dot_text import TIMES
from unroll.viz.drawing import Picture

#: Lengths that are drawn whole and that are cut, at both levels, and those at which one step would be left out.
LENGTHS = (1, 2, 4, 5, 6, 7, 9)


def encoder_and_decoder(read: int, written: int) -> unroll.Graph:
    source = unroll.placeholder([None, read, 3], "source")
    target = unroll.placeholder([None, written, 3], "target")
    _, h, c = layers.LSTM(4, return_state=True, name="enc")(source)
    return unroll.Graph([source, target], [layers.LSTM(4, name="dec")(target, initial_state=[h, c])])


def side_by_side(one: int, other: int) -> unroll.Graph:
    x, y = unroll.placeholder([None, one, 3], "x"), unroll.placeholder([None, other, 3], "y")
    return unroll.Graph([x, y], [layers.LSTM(4, name="a")(x), layers.GRU(4, name="b")(y)])


def counted(picture: Picture) -> list[int]:
    """How many steps each gap says that it stands for."""
    return sorted(
        int(text.split()[1]) for text in texts(picture) if re.fullmatch(r"\.\.\. \d+ more steps? \.\.\.", text)
    )


def columns(steps: int, whole: int, first: int, last: int) -> list[int]:
    """The steps of one loop that are drawn, by hand: all of few, else the first and the last; a gap of one is no gap."""
    if steps <= whole or steps - first - last == 1:
        return list(range(steps))
    return [*range(first), *range(steps - last, steps)]


SHOWN = {"cell": (6, 2, 2), "op": (4, 2, 1)}
#: Where one loop follows another.
FEW = {"cell": (4, 2, 1), "op": (2, 1, 1)}


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("level", SHOWN)
@pytest.mark.parametrize("read", LENGTHS)
def test_a_decoder_of_any_length_follows_an_encoder_of_any_other(read: int, level: str) -> None:
    for written in LENGTHS:
        picture = unroll.draw(encoder_and_decoder(read, written), level=level, format="dot")
        encoder, decoder = columns(read, *FEW[level]), columns(written, *FEW[level])
        if read == written == 1:  # nothing tells two single cells from a stack of two
            assert headings(picture) == [0]
            continue
        assert headings(picture) == [*encoder, *decoder], (read, written)
        hidden = [read - len(encoder), written - len(decoder)]
        assert counted(picture) == sorted(count for count in hidden if count), (read, written)


def test_operators_of_loops_that_follow_one_another_show_one_step_at_each_end_and_one_that_is_like_neither() -> None:
    alike = unroll.draw(encoder_and_decoder(7, 5), level="op", format="dot")
    assert headings(alike) == [0, 6, 0, 4] and counted(alike) == [3, 5]
    # From its second step on, but for the last, the decoder of words keeps the state of rows that have ended.
    words = unroll.draw(NETWORKS["example encoder_decoder"](), level="op", format="dot")
    assert headings(words) == [0, 4, 0, 1, 5]


@pytest.mark.usefixtures("every_operator")
@pytest.mark.slow
@pytest.mark.parametrize("level", SHOWN)
@pytest.mark.parametrize("one", (4, 9))
def test_loops_side_by_side_share_columns_and_count_what_each_of_them_leaves_out(one: int, level: str) -> None:
    for other in LENGTHS:
        picture = unroll.draw(side_by_side(one, other), level=level, format="dot")
        shown = headings(picture)
        assert set(columns(one, *SHOWN[level])) | set(columns(other, *SHOWN[level])) <= set(shown), (one, other)
        left_out = set(range(max(one, other))) - set(shown)
        assert sum(counted(picture)) == sum(len(left_out & set(range(steps))) for steps in (one, other)), (one, other)


@pytest.mark.parametrize("level", SHOWN)
@pytest.mark.usefixtures("every_operator")
def test_each_direction_has_a_gap_of_its_own(level: str) -> None:
    x = unroll.placeholder([None, 9, 3], "x")
    graph = unroll.Graph([x], [layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)])
    picture = unroll.draw(graph, level=level, format="dot")
    left = 9 - len(columns(9, *SHOWN[level]))
    assert counted(picture) == [left, left]


def test_layers_on_one_another_are_of_one_phase_whichever_way_they_walk() -> None:
    x = unroll.placeholder([None, 3, 3], "x")
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True, name="l1"))(x)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True, name="l2"))(y)
    picture = unroll.draw(unroll.Graph([x], [layers.LSTM(4, name="top")(y)]), format="dot")
    assert headings(picture) == [0, 1, 2]


def test_what_reads_only_the_last_output_of_a_loop_follows_it() -> None:
    x = unroll.placeholder([None, 3, 4], "x")
    last = layers.LSTM(4, name="enc")(x)
    outputs, _ = unroll.static_rnn(unroll.GRUCell(4), [last] * 2, scope="dec")
    picture = unroll.draw(unroll.Graph([x], outputs), format="dot")
    assert headings(picture) == [0, 1, 2, 0, 1]


def test_both_states_of_an_encoder_have_lines_of_their_own() -> None:
    graph = parsed(unroll.draw(encoder_and_decoder(3, 3), format="dot"))
    place = places(graph)
    row = sorted(cells_of(graph), key=place.__getitem__)
    ends = [edge.attr["pos"].split()[-1] for edge in graph.edges() if (edge[0], edge[1]) == (row[2], row[3])]
    assert len(ends) == len(set(ends)) == 2


def placeholders(*names: str) -> list[unroll.Tensor]:
    return [unroll.placeholder([2, 3], name) for name in names]


def test_what_reads_two_loops_step_by_step_stands_with_the_later_one() -> None:
    x, y = placeholders(*(f"x{t}" for t in range(3))), placeholders(*(f"y{t}" for t in range(3)))
    encoded, state = unroll.static_rnn(unroll.GRUCell(3), x, scope="enc")
    decoded, _ = unroll.static_rnn(unroll.GRUCell(3), y, initial_state=state, scope="dec")
    joined = [ops.concat([a, b], 1) for a, b in zip(encoded, decoded, strict=True)]
    outputs, _ = unroll.static_rnn(unroll.GRUCell(3), joined, scope="top")
    graph = parsed(unroll.draw(unroll.Graph([*x, *y], outputs), format="dot"))
    check_nothing_runs_back(graph)


def test_a_state_that_a_later_loop_reads_too_stands_before_that_loop() -> None:
    v, *rest = placeholders("v", *(f"x{t}" for t in range(3)), *(f"y{t}" for t in range(2)))
    _, state = unroll.static_rnn(unroll.GRUCell(3), rest[:3], initial_state=v, scope="enc")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(3), [v, *rest[3:]], initial_state=state, scope="dec")
    graph = parsed(unroll.draw(unroll.Graph([v, *rest], outputs), format="dot"))
    place = places(graph)
    (first,) = (node for node in graph.nodes() if "<B>v</B>" in (node.attr["label"] or ""))
    row = sorted(place[cell][0] for cell in cells_of(graph))
    assert place[first][0] < row[3], "the decoder's first step is no place for what the encoder begins with"


def test_what_is_distributed_over_the_steps_of_a_decoder_stands_over_it() -> None:
    for full, decoder in ((False, [0, 1, 4]), (True, [0, 1, 2, 3, 4])):
        picture = unroll.draw(distributed_over_a_decoder(), format="dot", full=full)
        assert headings(picture) == [0, 1, 2, *decoder]
        check_nothing_runs_back(parsed(picture))


def distributed_over_a_decoder() -> unroll.Graph:
    source, target = unroll.placeholder([None, 3, 4], "source"), unroll.placeholder([None, 5, 4], "target")
    _, h, c = layers.LSTM(3, return_state=True, name="enc")(source)
    y = layers.LSTM(3, return_sequences=True, name="dec")(target, initial_state=[h, c])
    return unroll.Graph([source, target], [layers.TimeDistributed(layers.Dense(2))(y)])


def test_loops_after_one_another_are_narrow_enough_for_a_page() -> None:
    """Of six steps all are shown where the loop is alone, three and a gap where another stands beside it."""
    alone = layers.Sequential([layers.Input((6, 4)), layers.LSTM(3)]).trace()
    assert headings(unroll.draw(alone)) == [0, 1, 2, 3, 4, 5]
    assert headings(unroll.draw(NETWORKS["example encoder_decoder"]())) == [0, 1, 4, 0, 1, 5]


def test_what_is_computed_around_a_cell_at_the_steps_left_out_shares_the_gap_of_the_cell() -> None:
    picture = unroll.draw(NETWORKS["example encoder_decoder"](), format="dot")
    graph = parsed(picture)
    gaps = [re.sub("<[^>]*>", "", node.attr["label"]) for node in graph.nodes() if node.startswith("gap")]
    assert gaps == ["... 2 more steps ...", "... 3 more steps ..."]
    states = [edge for edge in graph.edges() if edge[0].startswith("gap") and edge[1].startswith("cell")]
    labels = sorted((edge.attr["label"] or "").strip("<>") for edge in states)
    assert not [label for label in labels if "state" in label], "a word that is fed back is no state"


def check_nothing_runs_back(graph: pygraphviz.AGraph) -> None:
    """Check that nothing between boxes arrives left of the column that it comes from, but for what spreads from one box."""
    place = places(graph)
    out: dict[str, int] = {}
    for edge in graph.edges():
        out[edge[0]] = out.get(edge[0], 0) + 1
    back = [
        (edge[0], edge[1])
        for edge in graph.edges()
        if not edge[0].startswith(("weights", "input")) and out[edge[0]] < 3
        if place[edge[0]][0] > place[edge[1]][0] + 60 and not edge[1].startswith("output")
    ]
    joins = {node for node in graph.nodes() if re.search("<B>(Concat|Stack)</B>", node.attr["label"] or "")}
    assert not [pair for pair in back if pair[1] not in joins]


def test_a_step_of_another_loop_is_told_from_one_of_the_own() -> None:
    picture = unroll.draw(encoder_and_decoder(3, 5), level="op", format="dot", full=True)
    shown = texts(picture)
    assert shown.count(f"f {TIMES} enc new_c[2]") == 1, "the encoder's last state, at the decoder's step 0"
    assert shown.count(f"f {TIMES} new_c[2]") == 1, "the decoder's own, at its step 3"


def test_a_cell_called_outside_of_steps_hands_its_state_to_a_loop() -> None:
    x, h, *y = placeholders("x", "h0", *(f"y{t}" for t in range(3)))
    _, state = unroll.GRUCell(3)(x, h)
    outputs, _ = unroll.static_rnn(unroll.GRUCell(3), y, initial_state=state, scope="dec")
    for level in SHOWN:
        assert headings(unroll.draw(unroll.Graph([x, h, *y], outputs), level=level, format="dot")) == [0, 1, 2]


def test_weights_that_are_read_outside_of_steps_too_are_not_said_to_be_for_so_many_steps() -> None:
    table, ids = unroll.Parameter(np.ones((5, 3), "float32"), "table"), unroll.placeholder([2, 4], "ids", "int64")
    first = ops.gather(table, unroll.constant(np.zeros(2, "int64")))
    steps = [ops.gather(table, row) for row in ops.unstack(ids, axis=1)]
    outputs, _ = unroll.static_rnn(unroll.GRUCell(3), steps, initial_state=first)
    picture = unroll.draw(unroll.Graph([ids], {"last": outputs[-1]}), format="dot")
    assert [text for text in texts(picture) if "one set of weights" in text] == ["one set of weights for all 4 steps"]


@pytest.mark.parametrize("level", SHOWN)
def test_an_input_that_two_loops_read_stands_under_the_first_of_them(level: str) -> None:
    graph = parsed(unroll.draw(NETWORKS["encoder and decoder"](), level=level, format="dot"))
    place = places(graph)
    inputs = {re.findall(r"X\d", node.attr["label"])[0]: node for node in graph.nodes() if node.startswith("input_")}
    across = [place[inputs[name]][0] for name in ("X0", "X1", "X2")]
    assert across == sorted(across)
