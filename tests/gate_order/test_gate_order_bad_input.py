"""What `check_gate_order` refuses, and the conventions that it knows."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from helpers import REPOSITORY, refused, step_inputs

import unroll
from unroll import cells
from unroll.gate_order.conventions import CONVENTIONS, frameworks_of

GRAPH = unroll.Graph(X := step_inputs(3), unroll.static_rnn(unroll.BasicLSTMCell(3), X)[0])
FEEDS = {f"X{step}": np.ones((2, 4), "float32") for step in range(3)}
WANTED = GRAPH.run(FEEDS)
NAMES = list(WANTED)


def over_steps(cell: unroll.RNNCell) -> unroll.Graph:
    inputs = step_inputs(3)
    return unroll.Graph(inputs, {"y": unroll.static_rnn(cell, inputs)[0][-1]})


def two_kinds() -> unroll.Graph:
    inputs = step_inputs(3)
    first, _ = unroll.static_rnn(unroll.BasicLSTMCell(3), inputs, scope="a")
    second, _ = unroll.static_rnn(unroll.GRUCell(3), first, scope="b")
    return unroll.Graph(inputs, {"y": second[-1]})


def asked(graph: unroll.Graph, **more: object) -> Callable[[], object]:
    expected = more.pop("expected", {"y": np.zeros((2, 3))})
    return lambda: unroll.check_gate_order(graph, FEEDS, expected, **more)


NAN = {NAMES[0]: np.full((2, 3), np.nan)}
CASES: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "no gates": (asked(over_steps(unroll.BasicRNNCell(3))), ValueError, ("no order to try",)),
    "cells of different gates": (asked(two_kinds()), ValueError, ("a/basic_lstm_cell: i, j, f, o", "cell='a/")),
    "an unknown cell": (asked(two_kinds(), cell="gru"), ValueError, ("'gru'", "did you mean")),
    "too many gates": (asked(over_steps(cells.NASCell(3))), NotImplementedError, ("8 gates", "up to 6")),
    "several outputs, one array": (asked(GRAPH, expected=np.zeros((2, 3))), ValueError, ("3 outputs", NAMES[0])),
    "nothing expected": (asked(GRAPH, expected={}), ValueError, ("expected is empty",)),
    "another shape": (asked(GRAPH, expected={NAMES[0]: np.zeros((3, 2))}), ValueError, ("(3, 2)", "(2, 3)")),
    "an unknown output": (asked(GRAPH, expected={"yy": np.zeros((2, 3))}), KeyError, ("yy",)),
    "NaN expected": (asked(GRAPH, expected=NAN), ValueError, ("6 of 6 numbers are NaN or infinite",)),
    "a bad tolerance": (asked(GRAPH, expected=WANTED, tolerance=-1), ValueError, ("tolerance is -1",)),
    "NaN fed": (
        lambda: unroll.check_gate_order(GRAPH, {**FEEDS, "X1": np.full((2, 4), np.inf)}, WANTED),
        ValueError,
        ("feed 'X1'", "8 of 8"),
    ),
    "feeds of a graph that are no dict": (lambda: unroll.check_gate_order(GRAPH, 3, WANTED), TypeError, ("a dict",)),
    "a cell without weights": (
        lambda: unroll.check_gate_order(unroll.GRUCell(3), np.ones((2, 3, 4)), np.ones((2, 3, 3))),
        ValueError,
        ("gru_cell has no weights yet",),
    ),
    "no cell at all": (lambda: unroll.check_gate_order(3, np.ones((2, 3, 4)), 0), TypeError, ("a Graph, cell",)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_told_is_refused_with_what_to_do(name: str) -> None:
    call, builtin, fragments = CASES[name]
    refused(call, builtin, *fragments)


def test_one_of_two_kinds_can_be_named() -> None:
    graph = two_kinds()
    wanted = graph.run(FEEDS)
    assert unroll.check_gate_order(graph, FEEDS, wanted, cell="gru_cell").gates == ("r", "u")
    assert unroll.check_gate_order(graph, FEEDS, wanted, cell="a/basic_lstm_cell").gates == ("i", "j", "f", "o")


def test_blocks_that_are_read_in_part_move_with_the_others() -> None:
    """The bias of an SRU has two of the four columns of its kernel."""
    graph = over_steps(cells.SRUCell(4))
    graph.assign({name: np.random.default_rng(3).normal(size=item.shape) for name, item in graph.parameters.items()})
    feeds = {f"X{step}": np.random.default_rng(step).normal(size=(2, 4)) for step in range(3)}
    found = unroll.check_gate_order(graph, feeds, graph.run(feeds))
    assert found and found.gates == ("x_bar", "f", "r", "x_tx")


def test_the_conventions_are_those_of_the_table_of_words() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("| gate order |")[2].partition("\n\n")[0]
    for name, lstm, gru in re.findall(r"^\| ([\w ]+) \| `([^`]+)` \| `([^`]+)`", table, re.MULTILINE):
        assert CONVENTIONS["LSTM"][name] == tuple(lstm.split(", "))
        assert CONVENTIONS["GRU"][name] == tuple(gru.split(", "))
    assert len(CONVENTIONS["LSTM"]) == 4


def test_an_order_of_no_framework_is_none_of_theirs() -> None:
    assert frameworks_of(("o", "i", "f", "j")) == []
    assert frameworks_of(("a", "b")) == []
    assert [name for name, _ in frameworks_of(("i", "f", "g", "o"))] == ["Keras", "PyTorch"]
