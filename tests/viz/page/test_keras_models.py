"""Keras models of layers that call each other, share layers or hold models: the page has their layers' names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser
from page_reading import Page, check_numbers, random_feeds
from picture_networks import NETWORKS

import unroll
from unroll import keras
from unroll.keras import layers
from unroll.viz.dot_text import TIMES

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)


def functional() -> unroll.Graph:
    x = keras.Input((6, 4), name="words")
    read = layers.LSTM(5, return_sequences=True, name="reader")(x)
    return keras.Model(x, layers.Dense(2, name="head")(layers.GRU(3, name="summary")(read))).trace()


def shared() -> unroll.Graph:
    left, right = keras.Input((5, 4), name="left"), keras.Input((5, 4), name="right")
    encoder = layers.LSTM(3, name="encoder")
    both = keras.ops.concatenate([encoder(left), encoder(right)], axis=-1)
    return keras.Model([left, right], layers.Dense(1, name="score")(both)).trace()


def nested() -> unroll.Graph:
    inner, x = keras.Input((5, 4)), keras.Input((5, 4), name="words")
    tower = keras.Model(inner, layers.GRU(3, name="gru")(inner), name="tower")
    return keras.Model(x, layers.Dense(2, name="head")(tower(x))).trace()


@pytest.mark.parametrize(
    ("model", "said", "loops"),
    [
        (functional, ["words", f"reader 6 {TIMES} lstm_cell", f"summary 6 {TIMES} gru_cell", "head"], 2),
        (shared, ["left", "right", f"encoder 5 {TIMES} lstm_cell", "score"], 1),
        (nested, ["words", f"tower/gru 5 {TIMES} gru_cell", "head"], 1),
    ],
)
def test_layers_have_their_names(
    model: Callable[[], unroll.Graph], said: list[str], loops: int, shown: Callable[..., Browser]
) -> None:
    graph = model()
    browser = shown(graph, random_feeds(graph))
    sentence = browser.text("#pipe")
    places = [sentence.index(part) for part in said]
    assert places == sorted(places)
    assert len(browser.texts("#pipe .loop")) == loops
    assert "Step 4" in browser.text("#side") or "Step 5" in browser.text("#side")


def test_each_call_of_a_shared_layer_is_a_loop_with_its_own_gates_and_numbers(shown: Callable[..., Browser]) -> None:
    graph = shared()
    feeds = random_feeds(graph)
    assert check_numbers(graph, feeds) > 0
    page = Page(unroll.view(graph, feeds=feeds).html)
    loops = [row for row in page.data["rows"] if row["path"]]
    assert [(row["call"], row["units"], row["states"]) for row in loops] == [(1, 3, ["c", "h"]), (2, 3, ["c", "h"])]
    for row, side in zip(loops, ("left", "right"), strict=True):
        track = next(track for track in row["tracks"] if track["kind"] == "input")
        values = page.values(row["call"] - 1, track["slot"])
        assert values is not None
        np.testing.assert_allclose(values[0], feeds[side], rtol=1e-6)
        assert [track["name"] for track in row["tracks"] if track["kind"] == "gate"] == ["i", "f", "c", "o"]
    browser = shown(graph, feeds)
    assert f"encoder 5 {TIMES} lstm_cell, called twice" in browser.text("#pipe")
    assert browser.texts("#net .rowname") == ["lstm_cell3 units · call 1", "lstm_cell3 units · call 2"]


def test_calls_that_read_each_other_and_parts_that_differ_are_one_loop() -> None:
    cell, inputs = unroll.GRUCell(4), [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    outputs, _ = unroll.static_rnn(unroll.MultiRNNCell([cell, cell]), inputs)
    for graph in (unroll.Graph(inputs, outputs), NETWORKS["own cell"]()):
        assert {row["call"] for row in Page(unroll.view(graph).html).data["rows"] if row["path"]} == {0}
