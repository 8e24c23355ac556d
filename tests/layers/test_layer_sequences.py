"""Layers over time, worked by hand: directions, masks that follow by themselves, and states that stream.

A `counter` adds up what it is fed, so that every mask, direction and state shows in its output.
"""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from helpers import Array, check_three_runners, refused

import unroll
from unroll import layers
from unroll.errors import UnrollWarning
from unroll.layers import Layer, mask_tracking
from unroll.layers.mask_tracking import mask_of


def counter(kind: Any = layers.SimpleRNN, **kwargs: Any) -> Any:
    """A layer of one unit whose output is the sum of what it has been fed."""
    return kind(1, activation=None, use_bias=False, kernel_initializer="ones", recurrent_initializer="ones", **kwargs)


def column(*values: Any) -> Array:
    """Rows of numbers as a batch of sequences of one feature."""
    return np.array(values, "float32")[..., None]


def outputs_of(layer: Any, x: Array, batch: int | None = None, **kwargs: Any) -> list[Array]:
    """The outputs of a layer for an array, checked to be the same in all three runners."""
    tensor = unroll.placeholder([batch, *x.shape[1:]], "x", x.dtype)
    graph = unroll.Graph(tensor, layer(tensor, **kwargs))
    found = list(graph.run({tensor: x}).values())
    check_three_runners(graph, {"x": x}, found, str(found[0].dtype))
    return found


def output_of(layer: Any, x: Array, **kwargs: Any) -> Any:
    (found,) = outputs_of(layer, x, **kwargs)
    return found[..., 0].tolist()


# -- time, masks and states, by hand -----------------------------------------------------------------------------------

X = column([1, 2, 4, 8], [1, 10, 100, 1000])
MASK = np.array([[True, False, True, False], [False, True, True, True]])


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, [15, 1111]),
        ({"return_sequences": True}, [[1, 3, 7, 15], [1, 11, 111, 1111]]),
        ({"return_sequences": True, "go_backwards": True}, [[8, 12, 14, 15], [1000, 1100, 1110, 1111]]),
    ],
    ids=str,
)
def test_a_layer_walks_the_way_it_is_told(kwargs: dict[str, bool], expected: Any) -> None:
    assert output_of(counter(**kwargs), X) == expected


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, [5, 1110]),
        ({"return_sequences": True}, [[1, 1, 5, 5], [0, 10, 110, 1110]]),
        ({"return_sequences": True, "zero_output_for_mask": True}, [[1, 0, 5, 0], [0, 10, 110, 1110]]),
        ({"return_sequences": True, "go_backwards": True}, [[0, 4, 4, 5], [1000, 1100, 1110, 1110]]),
        ({"zero_output_for_mask": True}, [0, 1110]),
    ],
    ids=str,
)
def test_a_masked_step_is_passed_by(kwargs: dict[str, bool], expected: Any) -> None:
    assert output_of(counter(**kwargs), X, batch=2, mask=MASK) == expected


def test_a_layer_starts_from_the_state_it_is_given() -> None:
    assert output_of(counter(), X, batch=2, initial_state=[np.array([[100.0], [0.0]])]) == [115, 1111]


def test_time_may_be_the_first_axis() -> None:
    x, mask = X.transpose(1, 0, 2), MASK.T
    tensor, given = unroll.placeholder([4, None, 1], "x"), unroll.placeholder([4, "x_1"], "mask", "bool")
    layer = counter(return_sequences=True, time_major=True)
    graph = unroll.Graph([tensor, given], layer(tensor, mask=given))
    check_three_runners(graph, {"x": x, "mask": mask}, [column([1, 0], [1, 10], [5, 110], [5, 1110])], "float32")
    assert layer.compute_output_shape((4, None, 1)) == (4, None, 1)


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ("sum", [[1 + 15, 3 + 14, 7 + 12, 15 + 8]]),
        ("mul", [[1 * 15, 3 * 14, 7 * 12, 15 * 8]]),
        ("ave", [[8, 8.5, 9.5, 11.5]]),
    ],
)
def test_both_directions_are_merged_step_by_step(merge: Any, expected: Any) -> None:
    layer = layers.Bidirectional(counter(return_sequences=True), merge_mode=merge)
    assert output_of(layer, X[:1]) == expected


def test_both_directions_stand_side_by_side_or_apart() -> None:
    layer = layers.Bidirectional(counter(return_sequences=True))
    assert outputs_of(layer, X[:1])[0].tolist() == [[[1, 15], [3, 14], [7, 12], [15, 8]]]
    apart = layers.Bidirectional(counter(return_sequences=True), merge_mode=None)
    assert [found[0, :, 0].tolist() for found in outputs_of(apart, X[:1])] == [[1, 3, 7, 15], [15, 14, 12, 8]]


def test_every_recurrent_layer_and_stack_takes_a_mask_of_nothing_as_no_steps() -> None:
    x, none = np.ones((2, 3, 4), "float32"), np.zeros((2, 3), bool)
    stack = layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)])
    for layer in (layers.LSTM(2), layers.GRU(2), layers.SimpleRNN(2), stack):
        assert outputs_of(layer, x, batch=2, mask=none)[0].tolist() == [[0, 0], [0, 0]]


# -- masks follow by themselves ----------------------------------------------------------------------------------------


def test_the_mask_of_an_embedding_follows_through_stacked_layers() -> None:
    model = layers.Sequential(
        [
            layers.Input((4,), dtype="int32"),
            layers.Embedding(4, 1, mask_zero=True, weights=[[1000.0], [1.0], [2.0], [4.0]]),
            layers.Dropout(0.5),
            counter(return_sequences=True),
            layers.LayerNormalization(scale=False, center=False, epsilon=0.0, axis=1),
            layers.Activation("relu"),
            layers.TimeDistributed(layers.Dense(1, kernel_initializer="ones")),
            counter(),
        ]
    )
    words = np.array([[1, 2, 0, 0], [3, 0, 1, 0]])
    # sums 1 3 3 3 and 4 4 5 5; each less its mean, over its deviation; negative ones to 0; then only the valid ones add up
    # row 0: mean 2.5, deviation sqrt(3)/2: valid -1.5 -> 0 and 0.5 / 0.866; row 1: mean 4.5: valid -0.5 -> 0 and 0.5 / 0.5
    np.testing.assert_allclose(model.predict(words), [[0.5 / (3**0.5 / 2)], [1.0]], rtol=1e-6)


def test_masking_marks_steps_all_of_whose_features_have_the_value() -> None:
    x = np.array([[[7, 7], [7, 1], [7, 7], [2, 3]]], "float32")
    masking = layers.Masking(mask_value=7.0)
    tensor = unroll.placeholder([None, 4, 2], "x")
    masked = masking(tensor)
    graph = unroll.Graph(tensor, {"y": masked, "mask": mask_of(masked)})
    found = graph.run({tensor: x})
    assert found["mask"].tolist() == [[False, True, False, True]]
    assert found["y"].tolist() == [[[0, 0], [7, 1], [0, 0], [2, 3]]]


def test_a_mask_given_in_the_call_comes_before_the_one_that_follows() -> None:
    tensor = unroll.placeholder([2, 4, 1], "x")
    masked = layers.Masking()(tensor)
    every = unroll.constant(np.ones((2, 4), bool))
    found = unroll.Graph(tensor, [counter(return_sequences=True)(masked, mask=every)])
    x = column([1, 0, 1, 0], [0, 1, 0, 1])
    assert found.run({tensor: x})[found.output_names[0]][..., 0].tolist() == [[1, 1, 2, 2], [0, 1, 1, 2]]


def test_a_mask_may_be_an_array_or_lists_and_follows_too() -> None:
    for mask in (MASK, MASK.tolist()):
        model = layers.Sequential([counter(return_sequences=True), counter(name="second")])
        # sums 1 1 5 5 and 0 10 110 1110, of which the valid ones: 1 + 5 and 10 + 110 + 1110
        assert output_of(model, X, batch=2, mask=mask) == [6, 1230]
    numbers = MASK.astype("float32")
    refused(lambda: counter()(unroll.placeholder([2, 4, 1], "x"), mask=numbers), TypeError, "mask", "bool")


def test_a_mask_ends_where_steps_end() -> None:
    masked = layers.Masking()(unroll.placeholder([None, 4, 1], "x"))
    sequences, state = layers.GRU(2, return_sequences=True, return_state=True)(masked)
    assert mask_of(sequences) is mask_of(masked)
    assert mask_of(state) is None
    assert mask_of(layers.GRU(2)(masked)) is None
    assert [mask_of(side) is not None for side in layers.Bidirectional(counter(), merge_mode=None)(masked)] == [
        False
    ] * 2


def test_a_layer_of_ones_own_that_does_not_support_masks_says_so() -> None:
    class Doubling(Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + inputs

    class Through(Doubling):
        supports_masking = True

    masked = layers.Masking()(unroll.placeholder([None, 4, 1], "x"))
    with pytest.warns(UnrollWarning, match=r"Doubling 'doubling'.*supports_masking"):
        assert mask_of(Doubling()(masked)) is None
    assert mask_of(Through()(masked)) is mask_of(masked)


@pytest.mark.slow
def test_a_mask_goes_when_its_tensor_goes() -> None:
    masked: Any = layers.Masking()(unroll.placeholder([None, 4, 1], "x"))
    gc.collect()
    before = len(mask_tracking._masks)
    del masked
    gc.collect()
    assert len(mask_tracking._masks) == before - 1


# -- states that stream ------------------------------------------------------------------------------------------------


def test_a_stateful_layer_goes_on_where_the_last_run_ended() -> None:
    layer = counter(stateful=True, return_sequences=True)
    x = unroll.placeholder([2, 2, 1], "x")
    y = layer(x)
    graph = unroll.Graph(x, {"y": y}, states=layer.states)
    assert graph.states == {"simple_rnn/h": "simple_rnn/h/next"}
    for stream in (graph.stream(), unroll.Session(graph).stream()):
        runs = [stream.run({"x": part})["y"][..., 0].tolist() for part in (X[:, :2], X[:, 2:])]
        assert runs == [[[1, 3], [1, 11]], [[7, 15], [111, 1111]]]
        stream.reset()
        assert stream.run({"x": X[:, 2:]})["y"][..., 0].tolist() == [[4, 12], [100, 1100]]


def test_states_are_named_by_layer_cell_and_letter() -> None:
    model = layers.Sequential(
        [
            layers.Input((3, 2), batch_size=1),
            layers.LSTM(2, stateful=True, return_sequences=True),
            layers.Bidirectional(layers.GRU(2, stateful=True, return_sequences=True)),
            layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)], stateful=True, return_sequences=True),
            layers.RNN(unroll.BasicLSTMCell(2), stateful=True, name="tf"),
        ]
    )
    assert list(model.trace().states) == [
        "sequential/lstm/h",
        "sequential/lstm/c",
        "sequential/bidirectional/forward_gru/h",
        "sequential/bidirectional/backward_gru/h",
        "sequential/rnn/lstm_cell/h",
        "sequential/rnn/lstm_cell/c",
        "sequential/rnn/gru_cell/h",
        "sequential/tf/c",
        "sequential/tf/h",
    ]


def test_a_stateful_layer_needs_a_batch_and_keeps_its_own_state() -> None:
    x, fixed = unroll.placeholder([None, 2, 1], "x"), unroll.placeholder([2, 2, 1], "x")
    refused(lambda: counter(stateful=True)(x), ValueError, "SimpleRNN 'simple_rnn'", "batch", "batch_size")
    given = [unroll.placeholder([2, 1], "h")]
    refused(lambda: counter(stateful=True)(fixed, initial_state=given), NotImplementedError, "initial_state", "stream")
    model = layers.Sequential([layers.Input((2, 1), batch_size=2), counter(stateful=True)])
    refused(lambda: model.predict(X[:, :2]), NotImplementedError, "sequential", "stream()")
