"""Every embedding reads rows that the table has, and refuses ids that it has not, whoever asks and however they are cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import cells, layers, nn


def torch_embedding(ids: Any) -> Any:
    return nn.Embedding(5, 2)(ids)


def keras_embedding(ids: Any) -> Any:
    return layers.Embedding(5, 2)(ids)


def tensorflow_wrapper(ids: Any) -> Any:
    return unroll.dynamic_rnn(cells.EmbeddingWrapper(unroll.GRUCell(2), 5, 2), ids, dtype="float32")[0]


EMBEDDINGS = (torch_embedding, keras_embedding, tensorflow_wrapper)
every_embedding = pytest.mark.parametrize("embedding", EMBEDDINGS)


@every_embedding
@pytest.mark.parametrize(("ids", "seen"), [([[0, -1]], "-1"), ([[5, 0]], "5")])
def test_ids_outside_the_table_are_refused_when_they_are_fed(embedding: Any, ids: Any, seen: str) -> None:
    x = unroll.placeholder([None, 2], "x", "int64")
    graph = unroll.Graph([x], embedding(x))
    assert unroll.verify(graph)
    for run in (graph.run, unroll.Session(graph).run):
        refused(lambda run=run: run({"x": ids}), ValueError, "'x'", seen, "0 to 4")  # type: ignore[misc]


@every_embedding
def test_fixed_ids_outside_the_table_are_refused_while_tracing(embedding: Any) -> None:
    refused(lambda: embedding(unroll.constant([[0, 7]])), ValueError, "outside 0 to 4")


def test_the_rows_are_those_of_the_table() -> None:
    x = unroll.placeholder([None, 3], "x", "int32")
    embedding = nn.Embedding(4, 2)
    table = np.arange(8.0).reshape(4, 2)
    embedding.load_state_dict({"weight": table})
    graph = unroll.Graph([x], embedding(x))
    ids = np.array([[0, 3, 1], [2, 2, 0]])
    assert np.array_equal(graph.run({"x": ids}, graph.outputs[0]), table[ids])
