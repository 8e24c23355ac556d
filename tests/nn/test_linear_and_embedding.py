"""Linear and Embedding of unroll.nn: modules without a state."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import refused
from nn_modules import sequence

import unroll
from unroll import nn


def test_a_linear_readout_of_a_sequence_takes_a_batch_that_is_not_known_yet() -> None:
    x = sequence()
    graph = unroll.Graph([x], nn.Linear(4, 2)(nn.GRU(3, 4)(x)[0]))
    assert [str(size) for size in graph.outputs[0].shape] == ["4", "batch", "2"]
    assert graph.run({"x": np.ones((4, 5, 3))})["linear/output"].shape == (4, 5, 2)


def test_what_does_not_fit_a_linear_is_refused() -> None:
    refused(lambda: nn.Linear(3, 0), ValueError, "Linear 'linear': out_features is 0")
    refused(lambda: nn.Linear(3, 4, bias=2), TypeError, "bias is 2")  # type: ignore[arg-type]
    refused(lambda: nn.Linear(3, 4)(unroll.placeholder([2, 5], "x")), ValueError, "3 features, its in_features")
    refused(lambda: nn.Linear(3, 4)(unroll.placeholder([], "x")), ValueError, "3 features, its in_features")
    refused(lambda: nn.Linear(3, 4)(unroll.placeholder([3], "x", "float64")), TypeError, "dtype='float64'")


def test_a_linear_draws_its_first_values_between_pytorchs_bounds() -> None:
    values = np.abs(np.concatenate([array.ravel() for array in nn.Linear(16, 30).state_dict().values()]))
    assert 0.95 / 4 < values.max() <= 1 / 4


def test_an_embedding_draws_a_standard_normal_and_zeros_for_the_padding() -> None:
    weight = nn.Embedding(60, 40, padding_idx=-1).state_dict()["weight"]
    assert not np.any(weight[59]) and np.all(weight[:59])
    assert abs(weight[:59].mean()) < 0.05 and weight[:59].std() == pytest.approx(1, rel=0.05)


def test_ids_that_an_embedding_does_not_have_are_refused() -> None:
    table, ids = nn.Embedding(5, 3), unroll.placeholder([2], "ids", "int64")
    refused(lambda: table(unroll.constant([0, 5])), ValueError, "outside 0 to 4")
    refused(lambda: table(unroll.constant([0, -1])), ValueError, "outside 0 to 4")
    refused(lambda: table(unroll.placeholder([2], "x")), TypeError, "must be integers")
    refused(lambda: table([0, 1]), TypeError, "no tensor")  # type: ignore[arg-type]
    graph = unroll.Graph([ids], table(ids))
    refused(lambda: graph.run({"ids": [0, 5]}), ValueError, "'ids'", "5", "0 to 4")
    refused(lambda: unroll.Session(graph).run({"ids": [-1, 0]}), ValueError, "'ids'", "-1", "0 to 4")


def test_arguments_that_an_embedding_cannot_honour_are_refused() -> None:
    refused(lambda: nn.Embedding(5, 3, max_norm=1.0), NotImplementedError, "max_norm=1.0", "reads its weights only")
    refused(lambda: nn.Embedding(5, 3, norm_type=1.0), NotImplementedError, "norm_type=1.0")
    refused(lambda: nn.Embedding(5, 3, padding_idx=5), ValueError, "padding_idx 5", "5 rows")
    refused(lambda: nn.Embedding(5, 3, padding_idx=-6), ValueError, "padding_idx is -6")
    refused(lambda: nn.Embedding(0, 3), ValueError, "num_embeddings is 0")
    kept = nn.Embedding(5, 3, scale_grad_by_freq=True, sparse=True)
    assert kept.scale_grad_by_freq is kept.sparse is True


def test_an_embedding_feeds_a_recurrence() -> None:
    ids = unroll.placeholder([4, "batch"], "ids", "int64")
    graph = unroll.Graph([ids], nn.LSTM(3, 2)(nn.Embedding(5, 3)(ids))[0])
    assert graph.run({"ids": [[0, 1], [2, 3], [4, 0], [1, 1]]})["lstm/output"].shape == (4, 2, 2)
