"""A table fits the width that is asked for, and says all the same."""

from __future__ import annotations

import random

import numpy as np
import pytest

import unroll
from unroll.errors import ArgumentError
from unroll.tables import folded, table


def test_a_table_that_fits_is_as_it_comes():
    said = table(("name", "count"), [("a", "1"), ("bcdef", "20")], True, 40)
    assert said.splitlines() == ["name   count", "-----  -----", "a      1", "bcdef  20"]


def test_a_long_cell_goes_on_in_the_line_below_after_a_slash_or_a_blank():
    assert folded("rnn/t3/basic_lstm_cell/f/Sigmoid", 20) == ["rnn/t3/", "  basic_lstm_cell/f/", "  Sigmoid"]
    assert folded("X0, X1, X2, X3", 10) == ["X0, X1,", "  X2, X3"]
    assert folded("abcdefghij", 4) == ["abcd", "  ef", "  gh", "  ij"]
    assert folded("rnn/split:2, rnn/Const_9:0", 24) == ["rnn/split:2,", "  rnn/Const_9:0"]
    assert folded("", 4) == [""]


@pytest.mark.parametrize("width", [40, 57, 100])
def test_no_line_is_longer_than_asked_and_no_letter_is_lost(width: int):
    draw = random.Random(width)
    rows = [
        tuple("".join(draw.choices("abc/, ", k=draw.randrange(150))).strip() or "-" for _ in range(3))
        for _ in range(30)
    ]
    said = table(("one", "two", "three"), rows, True, width)
    assert max(map(len, said.splitlines())) <= width
    for letter in "abc/,":
        assert said.count(letter) == sum(cell.count(letter) for row in rows for cell in row)


def test_a_summary_fits_its_width_and_names_every_node():
    inputs = [unroll.placeholder([None, 3], f"a_long_name_of_an_input_{step}") for step in range(28)]
    graph = unroll.Graph(inputs, {"y": unroll.ops.concat(inputs, axis=-1)})
    said = graph.summary(width=60)
    assert max(map(len, said.splitlines())) <= 60
    assert "... 22 more ..." in said.replace("\n", " ") and "... 22 more ..." not in graph.summary(full=True)
    whole = "".join(graph.summary(full=True, width=60).split())
    assert all(tensor.name in whole for tensor in inputs)


@pytest.mark.parametrize("width", [39, 0, -1])
def test_a_width_that_holds_nothing_is_refused(width: int):
    x = unroll.placeholder([1], "x")
    with pytest.raises(ArgumentError, match="at least 40"):
        unroll.Graph([x], {"y": x + np.float32(1)}).summary(width=width)
