"""Keras models of layers that call each other, share layers or hold models: the page has their layers' names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import CHROMIUM, DRIVER, Browser
from page_reading import random_feeds

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
