"""The networks that Keras is taught with, each in the words of Keras: who reads what, and what comes out."""

from __future__ import annotations

import numpy as np

import unroll
from unroll import layers


def many_to_one() -> unroll.Graph:
    """One answer for a whole sequence: x ``(batch, 7, 5)`` -> ``(batch, 3)``."""
    model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(8), layers.Dense(3, activation="softmax")])
    return model.trace()


def many_to_many(whole: bool = False) -> unroll.Graph:
    """A character after each character: x ``(batch, 10, 39)`` -> ``(batch, 10, 39)``.

    With `whole`, one Dense acts on all steps at once instead of on each by itself; the numbers are the same.
    """
    answer = layers.Dense(39, activation="softmax")
    model = layers.Sequential(
        [
            layers.Input((10, 39)),
            layers.SimpleRNN(128, return_sequences=True),
            answer if whole else layers.TimeDistributed(answer),
        ]
    )
    return model.trace()


def stacked_cells() -> unroll.Graph:
    """Two cells in one layer, for a number of steps said at the end: ``(batch, 6, 5)`` -> ``(batch, 64)``."""
    model = layers.Sequential([layers.Input((None, 5)), layers.RNN([layers.LSTMCell(32), layers.LSTMCell(64)])])
    return model.trace(timesteps=6)


def one_cell() -> unroll.Graph:
    """A cell in the layer that walks it along the steps: ``(batch, 6, 5)`` -> ``(batch, 4)``."""
    return layers.Sequential([layers.Input((6, 5)), layers.RNN(layers.LSTMCell(4))]).trace()


def masked() -> unroll.Graph:
    """Words and padding: ids ``(batch, 6)``, where 0 is no word, -> ``(batch, 1)``; the mask goes along by itself."""
    model = layers.Sequential(
        [
            layers.Input((6,), dtype="int64"),
            layers.Embedding(50, 8, mask_zero=True),
            layers.Bidirectional(layers.GRU(4)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model.trace()


def main() -> None:
    for program in (many_to_one, many_to_many, stacked_cells, one_cell, masked):
        print(f"{program.__name__}: {program()!r}")
    each, whole = many_to_many(), many_to_many(whole=True)
    whole.assign(dict(zip(whole.parameters, (item.value for item in each.parameters.values()), strict=True)))
    x = np.random.default_rng(0).normal(size=(2, 10, 39))
    ours, theirs = (graph.run({graph.inputs[0]: x}, graph.outputs[0]) for graph in (each, whole))
    print(f"TimeDistributed(Dense) and Dense differ by at most {np.abs(ours - theirs).max():.1g}")


if __name__ == "__main__":
    main()
