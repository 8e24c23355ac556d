"""Loops that run one after another stand one after another, and each leaves out its own steps and no others."""

from __future__ import annotations

import re

import pytest
from drawn_programs import cells_of, parsed, places, texts

import unroll
from unroll import layers
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


def headings(picture: Picture) -> list[int]:
    """The timesteps over the columns, from left to right."""
    graph = parsed(picture)
    place = places(graph)
    found = [node for node in graph.nodes() if node.startswith("step_")]
    return [
        int(re.findall(r"t = (\d+)", node.attr["label"])[0]) for node in sorted(found, key=lambda node: place[node][0])
    ]


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


@pytest.mark.slow
@pytest.mark.parametrize("level", SHOWN)
@pytest.mark.parametrize("read", LENGTHS)
def test_a_decoder_of_any_length_follows_an_encoder_of_any_other(read: int, level: str) -> None:
    for written in LENGTHS:
        picture = unroll.draw(encoder_and_decoder(read, written), level=level, format="dot")
        encoder, decoder = columns(read, *SHOWN[level]), columns(written, *SHOWN[level])
        if read == written == 1:  # nothing tells two single cells from a stack of two
            assert headings(picture) == [0]
            continue
        assert headings(picture) == [*encoder, *decoder], (read, written)
        hidden = [read - len(encoder), written - len(decoder)]
        assert counted(picture) == sorted(count for count in hidden if count), (read, written)


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
