"""What layers promise besides Keras's numbers: names, weights, cells of every kind, models and their shapes."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from helpers import check_three_runners, refused

import unroll
from unroll import layers, nest, ops, scopes
from unroll.layers import Layer

# -- names and weights -------------------------------------------------------------------------------------------------


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
    assert "reset gate acts after" in repr(gru.cell.recurrent_kernel.blocks)
    before = layers.GRU(2, reset_after=False)
    before.build((None, 4, 3))
    assert "reset gate acts before" in repr(before.cell.recurrent_kernel.blocks)


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


def test_bidirectional_copies_a_cell_of_tensorflows_that_has_no_weights_yet() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    cell = unroll.BasicRNNCell(2)
    both = layers.Bidirectional(layers.RNN(cell))
    both(x)
    assert [weight.name for weight in both.weights] == [
        "bidirectional/forward_rnn/basic_rnn_cell/kernel",
        "bidirectional/forward_rnn/basic_rnn_cell/bias",
        "bidirectional/backward_rnn/basic_rnn_cell/kernel",
        "bidirectional/backward_rnn/basic_rnn_cell/bias",
    ]
    layers.RNN(cell)(x)
    refused(lambda: layers.Bidirectional(layers.RNN(cell)), NotImplementedError, "basic_rnn_cell", "backward_layer=")


def test_a_copy_of_a_layer_that_has_no_weights_yet_is_a_layer_like_it() -> None:
    twin = copy.copy(layers.LSTM(3, name="a", return_sequences=True))
    assert (twin.name, twin.units, twin.return_sequences) == ("a", 3, True)


def test_layers_stand_under_the_scope_they_are_called_in() -> None:
    x = unroll.placeholder([None, 2, 3], "x")
    with scopes.scope("encoder"):
        layer = layers.GRU(2)
        layer(x)
    assert layer.weights[0].name == "encoder/gru/gru_cell/kernel"


# -- cells of every kind -----------------------------------------------------------------------------------------------


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
    x = unroll.placeholder([None, 4, 1], "x")
    numbers = np.array([[[1.0], [2.0], [4.0], [8.0]]], "float32")
    expected = np.array([[[1.0], [2.5], [5.25], [10.625]]], "float32")
    check_three_runners(unroll.Graph(x, layer(x)), {"x": numbers}, [expected], "float32")
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
    assert h.shape == c.shape == (3, 2)
    assert str(h.dtype) == "float64"
    nested = layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(4)]).get_initial_state(batch_size=3)
    assert nest.sketch(nested) == "[[(3, 2), (3, 2)], [(3, 4)]]"


# -- Sequential --------------------------------------------------------------------------------------------------------


def test_a_time_that_is_open_is_bound_by_timesteps_or_by_the_first_call() -> None:
    def model() -> Any:
        return layers.Sequential([layers.Input((None, 5)), layers.LSTM(3, return_sequences=True)])

    assert model().trace(timesteps=4).outputs[0].shape[1:] == (4, 3)
    assert str(model().trace().inputs[0].shape) == "(batch, time, 5)"
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
    assert model.predict(np.zeros((3, 7, 5), "float32")).shape == (3, 2)
    assert model.input_shape == (None, None, 5)
    assert model.output_shape == (None, 2)
    words = layers.Sequential([layers.Embedding(9, 4), layers.LSTM(3)])
    assert [words.predict(np.zeros((2, time), "int64")).shape for time in (1, 6)] == [(2, 3), (2, 3)]
    assert (words.trace(timesteps=5).inputs[0].shape[1:], words.trace().inputs[0].dtype) == ((5,), np.dtype("int64"))
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


def test_a_model_of_several_outputs_predicts_a_list_of_them() -> None:
    model = layers.Sequential([layers.Input((4, 5)), layers.GRU(3, return_state=True)])
    output, state = model.predict(np.ones((2, 4, 5), "float32"))
    assert output.shape == (2, 3)
    np.testing.assert_array_equal(output, state)
    model.add(layers.Dense(2))
    refused(lambda: model.trace(), ValueError, "sequential", "'dense'", "several", "return_state")


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


# -- dtypes ------------------------------------------------------------------------------------------------------------


def test_a_dtype_that_is_given_casts_and_one_that_is_not_follows() -> None:
    x, wide = unroll.placeholder([None, 2, 3], "x"), unroll.placeholder([None, 2, 3], "wide", "float64")
    given = layers.GRU(2, dtype="float64")
    assert (given(x).dtype, given(wide).dtype) == ("float64", "float64")
    follows = layers.GRU(2)
    assert follows(wide).dtype == "float64"
    assert {str(array.dtype) for array in follows.get_weights()} == {"float64"}
    refused(lambda: follows(x), TypeError, "GRU 'gru'", "float64", "float32", "dtype")


def test_channels_first_is_channels_last_turned() -> None:
    x = np.random.default_rng(3).normal(size=(2, 3, 6, 5, 2)).astype("float32")
    last = layers.ConvLSTM2D(4, (3, 2), strides=(2, 1), padding="same", return_sequences=True, return_state=True)
    first = layers.ConvLSTM2D(
        4,
        (3, 2),
        strides=(2, 1),
        padding="same",
        data_format="channels_first",
        return_sequences=True,
        return_state=True,
    )
    a, b = unroll.placeholder([None, 3, 6, 5, 2], "a"), unroll.placeholder([None, 3, 2, 6, 5], "b")
    outputs, turned = last(a), first(b)
    first.set_weights(last.get_weights())
    expected = list(unroll.Graph(a, outputs).run({a: x}, list(outputs)))
    graph = unroll.Graph(b, {"y": turned[0], "c": turned[2]})
    wanted = [expected[0].transpose(0, 1, 4, 2, 3), expected[2].transpose(0, 3, 1, 2)]
    check_three_runners(graph, {"b": x.transpose(0, 1, 4, 2, 3)}, wanted, "float32")
    assert first.compute_output_shape((None, 3, 2, 6, 5))[0] == (None, 3, 4, 3, 5)
    assert last.compute_output_shape((None, None, 6, 5, 2))[0] == (None, None, 3, 5, 4)


def test_one_layer_on_every_step_has_one_set_of_weights() -> None:
    layer = layers.TimeDistributed(layers.TimeDistributed(layers.Dense(3)))
    x = unroll.placeholder([None, 2, 4, 5], "x")
    assert layer(x).shape[1:] == (2, 4, 3)
    assert [weight.name for weight in layer.weights] == [
        "time_distributed/time_distributed/dense/kernel",
        "time_distributed/time_distributed/dense/bias",
    ]
    assert layer.compute_output_shape((None, 2, None, 5)) == (None, 2, None, 3)
