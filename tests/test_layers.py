"""What layers promise besides Keras's numbers: names, shapes, masks that follow, states that stream, and arguments kept or refused.

Numbers here are worked by hand: a `counter` adds up what it is fed, so that every mask, direction and state shows.
"""

from __future__ import annotations

import copy
import gc
import inspect
import re
from typing import Any

import numpy as np
import pytest
from helpers import Array, check_three_runners, refused

import unroll
from unroll import layers, nest, ops, scopes
from unroll.errors import UnrollWarning
from unroll.layers import Layer
from unroll.layers.masks import mask_of


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


# -- time, masks and states, by hand ----------------------------------------------------------------------------------

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
    (last, state) = outputs_of(counter(return_state=True), X, batch=2, initial_state=[np.array([[100.0], [0.0]])])
    assert last.tolist() == state.tolist() == [[115], [1111]]


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


# -- masks follow by themselves ---------------------------------------------------------------------------------------


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


def test_a_mask_goes_when_its_tensor_goes() -> None:
    from unroll.layers import masks

    masked: Any = layers.Masking()(unroll.placeholder([None, 4, 1], "x"))
    gc.collect()
    before = len(masks._masks)
    del masked
    gc.collect()
    assert len(masks._masks) == before - 1


# -- states that stream -----------------------------------------------------------------------------------------------


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


# -- names and weights ------------------------------------------------------------------------------------------------


def test_weights_are_named_by_their_path_and_listed_in_keras_order() -> None:
    model = layers.Sequential(
        [layers.Embedding(5, 4), layers.LSTM(3, return_sequences=True), layers.LSTM(2), layers.Dense(1)], name="m"
    )
    model(unroll.placeholder([None, 7], "ids", "int64"))
    assert [weight.name for weight in model.weights] == [
        "m/embedding/embeddings",
        "m/lstm/lstm_cell/kernel",
        "m/lstm/lstm_cell/recurrent_kernel",
        "m/lstm/lstm_cell/bias",
        "m/lstm_1/lstm_cell/kernel",
        "m/lstm_1/lstm_cell/recurrent_kernel",
        "m/lstm_1/lstm_cell/bias",
        "m/dense/kernel",
        "m/dense/bias",
    ]
    assert [layer.name for layer in model.layers] == ["embedding", "lstm", "lstm_1", "dense"]


def test_names_given_are_kept_and_others_step_aside() -> None:
    model = layers.Sequential([layers.GRU(2, return_sequences=True, name="gru_1"), layers.GRU(2), layers.GRU(2)])
    assert [layer.name for layer in model.layers] == ["gru_1", "gru", "gru_2"]
    clash = [layers.GRU(2, name="a"), layers.GRU(2, name="a")]
    refused(lambda: layers.Sequential(clash), ValueError, "Sequential", "'a'", "name=")


def test_models_made_twice_are_equal_to_the_letter_and_the_bit() -> None:
    def made() -> Any:
        model = layers.Sequential([layers.Input((2, 3)), layers.GRU(2, return_sequences=True), layers.GRU(2)])
        return model.trace(), model.get_weights()

    (graph, weights), (again, others) = made(), made()
    assert graph.tensor_names() == again.tensor_names()
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(weights[1], weights[4])  # two layers of one shape are not drawn alike


def test_the_blocks_of_a_kernel_are_gates_and_sources() -> None:
    lstm, gru = layers.LSTM(2), layers.GRU(2)
    x = unroll.placeholder([None, 4, 3], "x")
    lstm(x), gru(x)
    assert [str(weight.blocks) for weight in lstm.weights] == [
        "[x 3] x [i|f|c|o 2]",
        "[h 2] x [i|f|c|o 2]",
        "[i|f|c|o 2]",
    ]
    assert str(gru.cell.kernel.blocks) == "[x 3] x [z|r|h 2]"
    assert "reset gate acts after" in gru.cell.recurrent_kernel.blocks.note
    before = layers.GRU(2, reset_after=False)
    before.build((None, 4, 3))
    assert "reset gate acts before" in before.cell.recurrent_kernel.blocks.note


@pytest.mark.parametrize(
    ("layer", "gates"),
    [
        (layers.LSTM(2), {"i", "f", "c", "o"}),
        (layers.GRU(2), {"z", "r", "h"}),
        (layers.ConvLSTM1D(2, 3), {"i", "f", "c", "o"}),
    ],
    ids=["lstm", "gru", "conv"],
)
def test_every_node_of_a_step_knows_its_step_and_gates_have_their_letters(layer: Any, gates: set[str]) -> None:
    shape = [None, 2, 5, 3] if isinstance(layer, layers.ConvLSTM1D) else [None, 2, 3]
    x = unroll.placeholder(shape, "x")
    graph = unroll.Graph(x, layer(x))
    cell = f"{layer.name}/{layer.cell.name}"
    assert {node.origin.gate for node in graph.nodes} - {None} == gates
    assert {node.origin.step for node in graph.nodes if node.origin.cell == cell} == {0, 1}


def test_weights_are_taken_all_or_none() -> None:
    layer = layers.Dense(2)
    refused(lambda: layer.set_weights([np.zeros((3, 2)), np.zeros(2)]), ValueError, "Dense 'dense'", "build", "call")
    refused(layer.count_params, ValueError, "Dense 'dense'", "build")
    layer.build((None, 3))
    before = layer.get_weights()
    refused(lambda: layer.set_weights([np.zeros((3, 2)), np.zeros(3)]), ValueError, "dense/bias", "(3,)", "(2,)")
    refused(lambda: layer.set_weights([np.zeros((3, 2))]), ValueError, "1", "2", "dense/kernel (3, 2)")
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    layer.get_weights()[0][:] = 5  # copies
    np.testing.assert_array_equal(before[0], layer.get_weights()[0])


def test_a_layer_is_built_once_and_for_one_width() -> None:
    layer = layers.LSTM(2)
    layer(unroll.placeholder([None, 4, 3], "x"))
    made = layer.weights
    layer(unroll.placeholder([None, 9, 3], "y"))
    assert layer.weights == made
    refused(lambda: layer(unroll.placeholder([None, 4, 5], "z")), ValueError, "lstm_cell", "5", "3", "second layer")


def test_bidirectional_copies_its_layer_with_fresh_weights() -> None:
    inner = layers.RNN([layers.LSTMCell(2), layers.GRUCell(3, reset_after=False)], name="pair")
    both = layers.Bidirectional(inner)
    both(unroll.placeholder([None, 4, 3], "x"))
    assert not inner.built
    assert [weight.name.rpartition("/")[0] for weight in both.weights][::3] == [
        "bidirectional/forward_pair/stacked_rnn_cells/lstm_cell",
        "bidirectional/forward_pair/stacked_rnn_cells/gru_cell",
        "bidirectional/backward_pair/stacked_rnn_cells/lstm_cell",
        "bidirectional/backward_pair/stacked_rnn_cells/gru_cell",
    ]
    assert both.weights[5].shape == (9,)  # the argument went along
    assert (both.forward_layer.go_backwards, both.backward_layer.go_backwards) == (False, True)


def test_the_weights_of_bidirectional_may_be_given_at_once() -> None:
    donor = layers.Bidirectional(layers.GRU(2))
    x = unroll.placeholder([None, 4, 3], "x")
    donor(x)
    heir = layers.Bidirectional(layers.GRU(2), weights=donor.get_weights()[::-1][::-1], name="heir")
    heir(x)
    for one, other in zip(donor.get_weights(), heir.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_copy_of_a_layer_that_has_no_weights_yet_is_a_layer_like_it() -> None:
    twin = copy.copy(layers.LSTM(3, name="a", return_sequences=True))
    assert (twin.name, twin.units, twin.return_sequences) == ("a", 3, True)


# -- cells of every kind ----------------------------------------------------------------------------------------------


def test_a_cell_of_ones_own_is_a_few_lines() -> None:
    class LeakyCounter(Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="kernel")

        def call(self, inputs: Any, states: Any) -> Any:
            output = ops.matmul(inputs, self.kernel) + 0.5 * states[0]
            return output, [output]

    layer = layers.RNN(LeakyCounter(1), return_sequences=True)
    assert output_of(layer, X[:1]) == [[1, 2.5, 5.25, 10.625]]
    assert [weight.name for weight in layer.weights] == ["rnn/leaky_counter/kernel"]
    both = layers.Bidirectional(layers.RNN(LeakyCounter(2)))
    assert both(unroll.placeholder([None, 4, 1], "x")).shape[1:] == (4,)


def test_keras_cells_go_into_drivers_and_tensorflows_cells_into_layers() -> None:
    steps = [unroll.placeholder([None, 3], f"x{step}") for step in range(2)]
    outputs, state = unroll.static_rnn(layers.LSTMCell(4), steps)
    assert [output.shape[1:] for output in outputs] == [(4,), (4,)]
    assert nest.sketch(state) == "[(batch, 4), (batch, 4)]"
    sequence = unroll.placeholder([None, 2, 3], "x")
    output, *states = layers.RNN(unroll.BasicLSTMCell(4), return_state=True)(sequence)
    assert [tensor.shape[1:] for tensor in (output, *states)] == [(4,)] * 3
    stack = layers.RNN([unroll.GRUCell(4), layers.LSTMCell(2), unroll.MultiRNNCell([unroll.BasicRNNCell(3)])])
    assert stack(sequence).shape[1:] == (3,)
    assert stack.count_params() == sum(weight.value.size for weight in stack.weights) > 0


def test_a_cell_takes_and_returns_one_state_without_a_list_too() -> None:
    x, h = unroll.placeholder([None, 3], "x"), unroll.placeholder([None, 2], "h")
    output, state = layers.GRUCell(2)(x, h)
    assert output is state
    output, states = layers.GRUCell(2)(x, [h])
    assert states == [output]
    refused(lambda: layers.LSTMCell(2)(x, h), ValueError, "LSTMCell", "states")


def test_first_states_of_a_cell_are_zeros() -> None:
    h, c = layers.LSTMCell(2, dtype="float64").get_initial_state(batch_size=3)
    assert (h.shape, h.dtype, c.shape) == ((3, 2), "float64", (3, 2))
    nested = layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(4)]).get_initial_state(batch_size=3)
    assert nest.sketch(nested) == "[[(3, 2), (3, 2)], [(3, 4)]]"


# -- Sequential -------------------------------------------------------------------------------------------------------


def test_a_time_that_is_open_is_bound_by_timesteps_or_by_the_first_call() -> None:
    def model() -> Any:
        return layers.Sequential([layers.Input((None, 5)), layers.LSTM(3, return_sequences=True)])

    assert model().trace(timesteps=4).outputs[0].shape[1:] == (4, 3)
    refused(lambda: model().trace(), ValueError, "sequential", "timesteps=", "call the model")
    called = model()
    assert called(unroll.placeholder([None, 7, 5], "x")).shape[1:] == (7, 3)
    assert called.trace().inputs[0].shape[1:] == (7, 5)
    assert called.trace(timesteps=2).inputs[0].shape[1:] == (2, 5)
    assert [called.predict(np.zeros((2, time, 5), "float32")).shape for time in (1, 3)] == [(2, 1, 3), (2, 3, 3)]
    assert called.output_shape == (None, None, 3)


def test_a_model_without_an_input_learns_its_shape_from_the_first_call() -> None:
    model = layers.Sequential([layers.LSTM(3), layers.Dense(2)])
    refused(model.summary, ValueError, "sequential", "Input")
    refused(lambda: model.trace(timesteps=3), ValueError, "sequential", "Input")
    assert model.predict(np.zeros((2, 4, 5), "float32")).shape == (2, 2)
    assert model.input_shape == (None, 4, 5)
    assert model.output_shape == (None, 2)
    ahead = layers.Sequential([layers.LSTM(3)])
    ahead.build((None, None, 5))
    assert ahead.count_params() == 4 * 3 * (5 + 3 + 1)
    assert ahead.trace(timesteps=2, batch_size=6).outputs[0].shape == (6, 3)


def test_the_summary_is_a_table_of_layers_shapes_and_counts() -> None:
    model = layers.Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(1000, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(3, return_state=True),
        ],
        name="reader",
    )
    assert model.summary().splitlines() == [
        "Model 'reader': 8,533 params",
        "",
        "layer                          output shape          params",
        "-----------------------------  --------------------  ------",
        "embedding (Embedding)          (None, None, 8)       8,000",  # 1000 * 8
        "bidirectional (Bidirectional)  (None, None, 8)       416",  # 2 * 4 * 4 * (8 + 4 + 1)
        "gru (GRU)                      (None, 3), (None, 3)  117",  # 3 * 3 * (8 + 3 + 2)
    ]


def test_a_model_is_a_layer_and_layers_are_added_and_taken_off() -> None:
    inner = layers.Sequential([layers.Dense(4), layers.Dense(3)], name="head")
    model = layers.Sequential([layers.Input((2, 5))])
    model.add(layers.LSTM(6))
    model.add(inner)
    assert [weight.name for weight in model.trace().parameters.values()][-2:] == [
        "sequential/head/dense_1/kernel",
        "sequential/head/dense_1/bias",
    ]
    assert model.output_shape == (None, 3)
    assert model.pop() is inner
    assert model.output_shape == (None, 6)
    assert model.trace().outputs[0].shape[1:] == (6,)
    refused(lambda: model.add(layers.Input((3,))), ValueError, "sequential", "Input", "first")


# -- dtypes -----------------------------------------------------------------------------------------------------------


def test_a_dtype_that_is_given_casts_and_one_that_is_not_follows() -> None:
    x, wide = unroll.placeholder([None, 2, 3], "x"), unroll.placeholder([None, 2, 3], "wide", "float64")
    given = layers.GRU(2, dtype="float64")
    assert (given(x).dtype, given(wide).dtype) == ("float64", "float64")
    follows = layers.GRU(2)
    assert follows(wide).dtype == "float64"
    assert {str(array.dtype) for array in follows.get_weights()} == {"float64"}
    refused(lambda: follows(x), TypeError, "GRU 'gru'", "float64", "float32", "dtype")


# -- arguments: the same on every layer, kept or refused with a reason ------------------------------------------------

PUBLIC = [getattr(layers, name) for name in layers.__all__ if isinstance(getattr(layers, name), type)]
GIVEN: dict[str, dict[str, Any]] = {
    "RNN": {"cell": layers.LSTMCell(2)},
    "Bidirectional": {"layer": layers.LSTM(2)},
    "TimeDistributed": {"layer": layers.Dense(2)},
    "StackedRNNCells": {"cells": [layers.LSTMCell(2)]},
    "Embedding": {"input_dim": 4, "output_dim": 2},
    "Activation": {"activation": "relu"},
    "Dropout": {"rate": 0.5},
    "Input": {"shape": (2, 3)},
    "ConvLSTMCell": {"rank": 1, "filters": 2, "kernel_size": 2},
} | {name: {} for name in ("Masking", "LayerNormalization", "Layer", "Sequential")}


def made(cls: Any, **kwargs: Any) -> Any:
    own = {"filters": 2, "kernel_size": 2} if cls.__name__.startswith("ConvLSTM") else {"units": 2}
    return cls(**{**GIVEN.get(cls.__name__, own), **kwargs})


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: str(cls.__name__))
def test_a_constructor_is_the_documentation_of_its_arguments(cls: Any) -> None:
    names = [name for name in inspect.signature(cls.__init__).parameters if name != "self"]
    text = inspect.getdoc(cls) or ""
    layer = re.search(r"arguments are\s+(?:those\s+of\s+`(\w+)`|theirs)", text)
    if layer:  # a cell says which layer documents it
        text += inspect.getdoc(getattr(layers, layer[1] or "ConvLSTM2D")) or ""
    for name in names:
        assert re.search(rf"^\s+{name}: ", text, re.MULTILINE), f"{cls.__name__}: {name} is not documented"


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: str(cls.__name__))
def test_the_tables_of_arguments_name_arguments_that_there_are(cls: Any) -> None:
    names = inspect.signature(cls.__init__).parameters
    for name in (*getattr(cls, "TRAINING_ONLY", ()), *getattr(cls, "SCHEDULING", ())):
        assert name in names, f"{cls.__name__}: {name}"


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls in PUBLIC for name in getattr(cls, "REFUSED", {})],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_refused_is_refused_with_its_reason(cls: Any, name: str) -> None:
    refused(lambda: made(cls, **{name: 4}), NotImplementedError, cls.__name__, name, cls.REFUSED[name])


KEPT: dict[str, Any] = {
    "dropout": 0.25,
    "recurrent_dropout": 0.25,
    "rate": 0.25,
    "seed": 7,
    "noise_shape": (None, 1, 2),
    "trainable": False,
}


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls in PUBLIC for name in getattr(cls, "TRAINING_ONLY", ())],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_acts_in_training_only_is_kept_on_the_layer(cls: Any, name: str) -> None:
    kind = name.rpartition("_")[2]
    value = KEPT[name] if name in KEPT else {"regularizer": "l2", "constraint": "non_neg"}[kind]
    layer = made(cls, **{name: value})
    assert getattr(layer, name) == value
    if isinstance(layer, layers.RNN) and cls is not layers.RNN and name != "activity_regularizer":
        assert getattr(layer.cell, name) == value


def test_dropout_changes_no_number() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    plain, dropping = layers.LSTM(2), layers.LSTM(2, dropout=0.5, recurrent_dropout=0.5, seed=1)
    np.testing.assert_array_equal(outputs_of(plain, x)[0], outputs_of(dropping, x)[0])
    np.testing.assert_array_equal(outputs_of(layers.Dropout(0.9), x)[0], x)
    refused(lambda: dropping(unroll.placeholder([None, 3, 4], "x"), training=True), NotImplementedError, "training")
    assert dropping(unroll.placeholder([None, 3, 4], "x"), training=False).shape[1:] == (2,)


@pytest.mark.parametrize("kind", ["regularizer", "constraint"])
def test_an_unknown_regularizer_or_constraint_is_refused_with_those_that_there_are(kind: str) -> None:
    known = {"regularizer": ("l1", "l2", "L1L2"), "constraint": ("max_norm", "NonNeg")}[kind]
    refused(lambda: layers.GRU(2, **{f"kernel_{kind}": "l3"}), ValueError, "GRU", f"kernel_{kind}", "'l3'", *known)
    refused(lambda: layers.GRU(2, **{f"bias_{kind}": 3}), TypeError, "GRU", f"bias_{kind}", "3")
    layers.GRU(2, **{f"kernel_{kind}": abs, f"bias_{kind}": {"class_name": known[0], "config": {}}})


def test_layers_stand_under_the_scope_they_are_called_in() -> None:
    x = unroll.placeholder([None, 2, 3], "x")
    with scopes.scope("encoder"):
        layer = layers.GRU(2)
        layer(x)
    assert [weight.name for weight in layer.weights][0] == "encoder/gru/gru_cell/kernel"
