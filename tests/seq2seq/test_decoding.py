"""Decoding step by step: what a decoder gives is what a loop by hand gives, and each row ends where it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unroll
from unroll import placeholder, seq2seq

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(6, 3)).astype("float32")
OUT = RNG.normal(size=(4, 6)).astype("float32")


def cell_by_hand(cell: Any, x: Any, h: Any) -> Any:
    return np.tanh(np.hstack([x, h]) @ cell.weights["kernel"].value + cell.weights["bias"].value)


def test_a_greedy_decoder_reads_what_it_said_until_every_row_has_ended() -> None:
    first = placeholder([None, 4], "first")
    table, out = unroll.Parameter(TABLE, "table"), unroll.Parameter(OUT, "out")
    start = unroll.ops.expand(unroll.constant(1, "int32"), unroll.ops.shape(first)[:1])
    cell, helper = unroll.BasicRNNCell(4), seq2seq.GreedyEmbeddingHelper(table, start, end_token=2)
    decoder = seq2seq.BasicDecoder(cell, helper, first, output_layer=lambda x: x @ out)
    outputs, state, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=7)
    graph = unroll.Graph(
        [first], {"scores": outputs.rnn_output, "ids": outputs.sample_id, "state": state, "many": lengths}
    )
    begin = RNG.normal(size=(8, 4)).astype("float32") * 2
    h, ids, done, many, said = begin, np.full(8, 1), np.zeros(8, bool), np.zeros(8, int), []
    for time in range(7):
        h = cell_by_hand(cell, TABLE[ids], h)
        ids = (h @ OUT).argmax(-1)
        many, done = np.where(done, many, time + 1), done | (ids == 2)
        said.append(ids)
    found = graph.run({"first": begin})
    np.testing.assert_array_equal(found["ids"], np.stack(said, 1))
    np.testing.assert_array_equal(found["many"], many)
    np.testing.assert_allclose(found["state"], h, rtol=1e-4, atol=1e-5)
    assert len(set(many.tolist())) > 1 and found["ids"].dtype == np.int32
    assert graph.name(outputs.rnn_output) and "decoder/basic_rnn_cell/kernel" in graph.parameters
    assert unroll.verify(graph)


@pytest.mark.parametrize("time_major", [False, True])
def test_in_training_each_row_is_as_long_as_it_is_said(time_major: bool) -> None:
    x = placeholder([5, None, 3] if time_major else [None, 5, 3], "x")
    lengths, first = placeholder([None], "lengths", "int32"), placeholder([None, 4], "first")
    helper = seq2seq.TrainingHelper(x, lengths, time_major=time_major)
    cell = unroll.BasicRNNCell(4)
    decoder = seq2seq.BasicDecoder(cell, helper, first)
    outputs, state, many = seq2seq.dynamic_decode(decoder, output_time_major=time_major, impute_finished=True)
    graph = unroll.Graph([x, lengths, first], {"y": outputs.rnn_output, "h": state, "many": many})
    rows, h = RNG.normal(size=(3, 5, 3)), RNG.normal(size=(3, 4))
    long, wanted = np.array([5, 2, 3]), np.zeros((3, 5, 4))
    begin = h
    for time in range(5):
        going = (time < long)[:, None]
        new = cell_by_hand(cell, rows[:, time], h)
        wanted[:, time], h = np.where(going, new, 0), np.where(going, new, h)
    fed = rows.transpose(1, 0, 2) if time_major else rows
    found = graph.run({"x": fed, "lengths": long, "first": begin})
    np.testing.assert_allclose(found["y"], wanted.transpose(1, 0, 2) if time_major else wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["h"], h, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found["many"], long)


def test_a_helper_of_ones_own_is_asked_step_by_step() -> None:
    class Echo:
        steps = 3

        def initialize(self) -> Any:
            return unroll.constant(np.zeros(2, bool)), unroll.constant(np.ones((2, 4), "float32"))

        def sample(self, time: int, outputs: Any, state: Any) -> Any:
            return unroll.ops.argmax(outputs)

        def next_inputs(self, time: int, outputs: Any, state: Any, ids: Any) -> Any:
            return unroll.constant(np.zeros(2, bool)), outputs, state

    cell = unroll.BasicRNNCell(4)
    outputs, state, lengths = seq2seq.dynamic_decode(
        seq2seq.BasicDecoder(cell, Echo(), cell.zero_state(2)), scope="echo"
    )
    found = unroll.Graph([], {"y": outputs.rnn_output, "many": lengths, "h": state}).run({})
    y, h = np.ones((2, 4)), np.zeros((2, 4))
    for time in range(3):
        y = h = cell_by_hand(cell, y, h)
        np.testing.assert_allclose(found["y"][:, time], y, rtol=1e-5, atol=1e-6)
    assert found["many"].tolist() == [3, 3] and cell.weights["kernel"].name == "echo/basic_rnn_cell/kernel"


def helper() -> Any:
    return seq2seq.GreedyEmbeddingHelper(unroll.Parameter(TABLE, "table"), [1, 1], 0)


def decoder() -> Any:
    cell = unroll.GRUCell(3)
    return seq2seq.BasicDecoder(cell, helper(), cell.zero_state(2))


BAD = {
    "no number of steps": (lambda: seq2seq.dynamic_decode(decoder()), "give maximum_iterations=20"),
    "no decoder": (lambda: seq2seq.dynamic_decode(3), "a BasicDecoder is wanted"),
    "no helper": (lambda: seq2seq.BasicDecoder(unroll.GRUCell(3), 3, None), "has no initialize, sample, next_inputs"),
    "no table": (lambda: seq2seq.GreedyEmbeddingHelper("a", [1], 0), "GreedyEmbeddingHelper: embedding"),  # type: ignore[arg-type]
    "an id outside it": (
        lambda: seq2seq.GreedyEmbeddingHelper(unroll.Parameter(TABLE, "t"), [9], 0).initialize(),
        "0 to 5",
    ),
    "one length for all": (lambda: seq2seq.TrainingHelper(placeholder([2, 4, 3], "x"), 4), "one number for each row"),
    "lengths of other rows": (
        lambda: seq2seq.TrainingHelper(placeholder([4, 2, 3], "x"), [4], True),
        "shape .2,., is wanted",
    ),
    "a time not known": (lambda: seq2seq.TrainingHelper(placeholder([None, "t", 3], "x"), [1]), "no known size"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_said(name: str) -> None:
    call, said = BAD[name]
    with pytest.raises(unroll.UnrollError, match=said):
        call()
