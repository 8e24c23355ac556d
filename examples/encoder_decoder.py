"""An encoder-decoder with greedy decoding: what the decoder says at one step is what it reads at the next.

The encoder reads the source and hands on its last state; the decoder starts from there with the word `START`, and at each
step chooses the likeliest next word, until it says `END` or six words are out. The number of steps is fixed, so the graph
is flat: it needs no Loop operator anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import unroll
from unroll import ops

WORDS, WIDTH, UNITS, MOST = 12, 4, 8, 6
START, END = 0, 7


def encoder_decoder() -> unroll.Graph:
    """Return the graph: source ``(batch, 5)`` int64 -> words ``(batch, 6)`` int64, zeros after the end of a row."""
    source = unroll.placeholder([None, 5], "source", "int64")
    embedding = unroll.Parameter(np.random.default_rng(1).normal(size=(WORDS, WIDTH)), "embedding", "float32")

    _, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(UNITS), ops.gather(embedding, source), scope="encoder")

    with unroll.scope("decoder"):
        cell = unroll.BasicLSTMCell(UNITS)
        projection = unroll.Parameter(np.random.default_rng(2).normal(size=(UNITS, WORDS)), "projection", "float32")
    first = ops.gather(embedding, source[:, 0] * 0 + START)

    def decide(time: int, output: Any, new_state: Any, loop_state: Any) -> Any:
        if time == 0:
            return False, first, state, None, None
        word = ops.argmax(output @ projection)
        return ops.equal(word, END), ops.gather(embedding, word), new_state, word, None

    words, _, _ = unroll.raw_rnn(cell, decide, maximum_iterations=MOST, scope="decoder")
    return unroll.Graph([source], {"words": ops.stack(words, axis=1)})


def main() -> None:
    graph = encoder_decoder()
    feeds = {"source": [[3, 5, 7, 9, 11], [2, 4, 6, 8, 10]]}
    print(graph.run(feeds)["words"])
    print(unroll.verify(graph, feeds))


if __name__ == "__main__":
    main()
