"""Programs as people write them for Keras: each is run with Keras itself and with `unroll.keras`, only the import differing.

A program takes the module that it would import as ``keras``, and returns a model. Some have more than one, as a translator
has one to train and two to translate with: they return a dict of models that share weights, the one to carry them first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Program = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """A program, and what its models are fed.

    Attributes:
        program: builds the models.
        feeds: for each model its inputs in order: a shape with the batch, and where ids are fed, how many there are.
    """

    program: Program
    feeds: dict[str, list[tuple[tuple[int, ...], int | None]]]


def classifier(keras: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((None, 5)),
            keras.layers.LSTM(8, return_sequences=True),
            keras.layers.LSTM(6),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def functional_classifier(keras: Any) -> Any:
    inputs = keras.Input(shape=(None, 5))
    x = keras.layers.GRU(7)(inputs)
    x = keras.layers.Dropout(0.3)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(inputs=inputs, outputs=outputs, name="sentiment")


def tagger(keras: Any) -> Any:
    ids = keras.Input(shape=(None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(20, 6, mask_zero=True)(ids)
    x = keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True))(x)
    return keras.Model(ids, keras.layers.TimeDistributed(keras.layers.Dense(4, activation="softmax"))(x))


def translator(keras: Any) -> Any:
    """Keras's sequence-to-sequence example: a model to train, and an encoder and a decoder step to translate with."""
    latent = 6
    encoder_inputs = keras.Input(shape=(None, 7))
    encoder = keras.layers.LSTM(latent, return_state=True)
    _, state_h, state_c = encoder(encoder_inputs)
    encoder_states = [state_h, state_c]
    decoder_inputs = keras.Input(shape=(None, 9))
    decoder_lstm = keras.layers.LSTM(latent, return_sequences=True, return_state=True)
    decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
    decoder_dense = keras.layers.Dense(9, activation="softmax")
    model = keras.Model([encoder_inputs, decoder_inputs], decoder_dense(decoder_outputs))

    encoder_model = keras.Model(encoder_inputs, encoder_states)
    state_input_h, state_input_c = keras.Input(shape=(latent,)), keras.Input(shape=(latent,))
    states_inputs = [state_input_h, state_input_c]
    outputs, h, c = decoder_lstm(decoder_inputs, initial_state=states_inputs)
    decoder_model = keras.Model([decoder_inputs, *states_inputs], [decoder_dense(outputs), h, c])
    return {"training": model, "encoder": encoder_model, "decoder": decoder_model}


def two_inputs(keras: Any) -> Any:
    sequence, features = keras.Input((None, 4), name="sequence"), keras.Input((3,), name="features")
    x = keras.layers.SimpleRNN(5)(sequence)
    x = keras.ops.concatenate([x, keras.layers.Dense(2, activation="relu")(features)], axis=-1)
    return keras.Model({"sequence": sequence, "features": features}, keras.layers.Dense(1)(x))


def shared_layers(keras: Any) -> Any:
    """Two sentences, one encoder, and how far their codes are apart."""
    left, right = keras.Input((None, 4)), keras.Input((None, 4))
    encoder = keras.layers.LSTM(5)
    apart = keras.ops.abs(encoder(left) - encoder(right))
    return keras.Model([left, right], keras.ops.exp(-keras.ops.sum(apart, axis=-1, keepdims=True)))


def nested_models(keras: Any) -> Any:
    word = keras.Input((None, 3))
    word_encoder = keras.Model(word, keras.layers.GRU(4)(word), name="word_encoder")
    sentence = keras.Input((5, 6, 3))
    x = keras.layers.TimeDistributed(word_encoder)(sentence)
    return keras.Model(sentence, keras.layers.Dense(2)(keras.layers.GRU(5)(x)))


def several_outputs(keras: Any) -> Any:
    x = keras.Input((None, 4))
    sequence, h, c = keras.layers.LSTM(5, return_sequences=True, return_state=True)(x)
    return keras.Model(x, {"scores": keras.layers.Dense(2)(sequence), "memory": c, "last": sequence[:, -1] - h})


def residual(keras: Any) -> Any:
    x = inputs = keras.Input((None, 6))
    for _ in range(3):
        x = x + keras.layers.LSTM(6, return_sequences=True)(keras.layers.LayerNormalization()(x))
    return keras.Model(inputs, keras.layers.Dense(2)(keras.ops.mean(x, axis=1)))


def stacked_cells(keras: Any) -> Any:
    x = keras.Input((None, 5))
    return keras.Model(x, keras.layers.RNN([keras.layers.LSTMCell(4), keras.layers.GRUCell(3)])(x))


def attention(keras: Any) -> Any:
    """Attention between encoder and decoder, written out (Luong et al. 2015)."""
    source, target = keras.Input((None, 5)), keras.Input((None, 4))
    memory, h, c = keras.layers.LSTM(6, return_sequences=True, return_state=True)(source)
    queries = keras.layers.LSTM(6, return_sequences=True)(target, initial_state=[h, c])
    weights = keras.ops.softmax(keras.ops.matmul(queries, keras.ops.transpose(memory, (0, 2, 1))))
    x = keras.ops.concatenate([queries, keras.ops.matmul(weights, memory)], axis=-1)
    return keras.Model([source, target], keras.layers.Dense(3)(x))


def subclass(keras: Any) -> Any:
    class Phonemes(keras.Model):  # type: ignore[misc, name-defined]  # the class depends on the module
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rnn = keras.layers.SimpleRNN(12, return_sequences=True)
            self.head = keras.layers.TimeDistributed(keras.layers.Dense(5, activation="softmax"))

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.head(self.rnn(inputs))

    model = Phonemes()
    model.build((None, None, 4))
    return model


def custom_cell(keras: Any) -> Any:
    """The cell of Keras's guide."""

    class MinimalRNNCell(keras.layers.Layer):  # type: ignore[misc, name-defined]  # the class depends on the module
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
            )

        def call(self, inputs: Any, states: Any) -> Any:
            output = keras.ops.matmul(inputs, self.kernel) + keras.ops.matmul(states[0], self.recurrent_kernel)
            return output, [output]

    x = keras.Input((None, 5))
    return keras.Model(x, keras.layers.RNN([MinimalRNNCell(6), MinimalRNNCell(4)])(x))


def backwards(keras: Any) -> Any:
    x = keras.Input((None, 5))
    ahead = keras.layers.GRU(4, return_sequences=True)(x)
    behind = keras.layers.GRU(4, return_sequences=True, go_backwards=True, reset_after=False)(x)
    both = keras.ops.concatenate([ahead, keras.ops.flip(behind, axis=1)], axis=-1)
    return keras.Model(x, keras.layers.Dense(2, use_bias=False)(both))


def cnn_lstm(keras: Any) -> Any:
    """Readings in windows: convolutions find shapes, and an LSTM their order."""
    inputs = keras.Input((None, 4))
    x = keras.layers.Conv1D(8, 3, padding="causal", activation="relu")(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.MaxPooling1D(2)(x)
    x = keras.layers.LSTM(5)(keras.layers.SpatialDropout1D(0.2)(x))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def video(keras: Any) -> Any:
    """A network over each picture, and a GRU over the pictures."""
    frames = keras.Input((3, 8, 8, 1))
    cnn = keras.Sequential(
        [
            keras.layers.Conv2D(3, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
        ]
    )
    x = keras.layers.TimeDistributed(cnn)(frames)
    return keras.Model(frames, keras.layers.Dense(2)(keras.layers.GRU(4)(x)))


def next_frame(keras: Any) -> Any:
    """Keras's example of next-frame prediction, small."""
    x = inputs = keras.Input((3, 6, 6, 1))
    x = keras.layers.ConvLSTM2D(2, (3, 3), padding="same", return_sequences=True, activation="relu")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ConvLSTM2D(2, (1, 1), padding="same", activation="relu")(x)
    return keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x))


def phonemes(keras: Any) -> Any:
    """A class of models, as one is written for a course."""

    class Net(keras.Model):  # type: ignore[misc, name-defined]  # the class depends on the module
        def __init__(self) -> None:
            super().__init__()
            self.hidden = keras.layers.SimpleRNN(128, return_sequences=True)
            self.dense = keras.layers.TimeDistributed(keras.layers.Dense(39, activation="softmax"))

        def call(self, inputs: Any) -> Any:
            return self.dense(self.hidden(inputs))

    net = Net()
    net.build((None, None, 5))
    return net


def cells_32_64(keras: Any) -> Any:
    x = keras.Input((None, 5))
    y = keras.layers.RNN([keras.layers.LSTMCell(32), keras.layers.LSTMCell(64)])(x)
    assert y.shape == (None, 64)
    return keras.Model(x, y)


def dot_attention(keras: Any) -> Any:
    """Attention between encoder and decoder by Keras's own layer (Luong et al. 2015)."""
    source, target = keras.Input((None, 5)), keras.Input((None, 4))
    memory, h, c = keras.layers.LSTM(6, return_sequences=True, return_state=True)(source)
    queries = keras.layers.LSTM(6, return_sequences=True)(target, initial_state=[h, c])
    context = keras.layers.Attention()([queries, memory])
    x = keras.layers.Concatenate()([queries, context])
    return keras.Model([source, target], keras.layers.TimeDistributed(keras.layers.Dense(3, activation="softmax"))(x))


def self_attention(keras: Any) -> Any:
    """Attention of a recurrent layer's outputs to each other, of sentences with padding."""
    ids = keras.Input((7,), dtype="int32")
    x = keras.layers.Embedding(12, 6, mask_zero=True)(ids)
    x = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True))(x)
    x = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(2, 3)(x, x))
    return keras.Model(ids, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(x)))


def autoencoder(keras: Any) -> Any:
    """A sequence through the state of one LSTM, and back."""
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            keras.layers.LSTM(6, activation="relu"),
            keras.layers.RepeatVector(5),
            keras.layers.LSTM(6, activation="relu", return_sequences=True),
            keras.layers.TimeDistributed(keras.layers.Dense(3)),
        ]
    )


def leaky_cell(keras: Any) -> Any:
    """A cell with arguments of its own, saved and made again by its config."""

    class LeakyCell(keras.layers.Layer):  # type: ignore[misc, name-defined]  # the class depends on the module
        def __init__(self, units: int, leak: float = 0.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units, self.leak = units, leak
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
            self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="recurrent")

        def call(self, inputs: Any, states: Any) -> Any:
            new = keras.ops.tanh(keras.ops.matmul(inputs, self.kernel) + keras.ops.matmul(states[0], self.recurrent))
            h = self.leak * states[0] + (1 - self.leak) * new
            return h, [h]

        def get_config(self) -> Any:
            config = super().get_config()
            config.update({"units": self.units, "leak": self.leak})
            return config

    x = keras.Input((None, 4))
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.RNN(LeakyCell(5, leak=0.25))(x)))
    return type(model).from_config(model.get_config(), custom_objects={"LeakyCell": LeakyCell})


def forecast(keras: Any) -> Any:
    """The next values of a series, two towers deep: a stack both ways, and what is known of the day."""
    series, day = keras.Input((6, 2), name="series"), keras.Input((3,), name="day")
    x = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True))(series)
    x = keras.layers.Bidirectional(keras.layers.LSTM(2), merge_mode="ave")(x)
    x = keras.layers.Concatenate()([x, keras.layers.LeakyReLU()(keras.layers.Dense(4)(day))])
    return keras.Model([series, day], keras.layers.Reshape((2, 1))(keras.layers.Dense(2)(x)))


def stateful(keras: Any) -> Any:
    """A batch of fixed size, whose state goes on from call to call; the first call starts from zeros."""
    x = keras.Input(batch_shape=(2, 4, 3))
    y = keras.layers.LSTM(5, stateful=True, return_sequences=True)(x)
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.GRU(3, stateful=True)(y)))


CASES: dict[str, Case] = {
    "classifier": Case(classifier, {"": [((3, 7, 5), None)]}),
    "functional_classifier": Case(functional_classifier, {"": [((3, 7, 5), None)]}),
    "tagger": Case(tagger, {"": [((3, 6), 20)]}),
    "translator": Case(
        translator,
        {
            "training": [((2, 5, 7), None), ((2, 4, 9), None)],
            "encoder": [((2, 5, 7), None)],
            "decoder": [((2, 1, 9), None), ((2, 6), None), ((2, 6), None)],
        },
    ),
    "two_inputs": Case(two_inputs, {"": [((3, 3), None), ((3, 5, 4), None)]}),  # of a dict, by its sorted keys
    "shared_layers": Case(shared_layers, {"": [((3, 6, 4), None), ((3, 4, 4), None)]}),
    "nested_models": Case(nested_models, {"": [((2, 5, 6, 3), None)]}),
    "several_outputs": Case(several_outputs, {"": [((3, 5, 4), None)]}),
    "residual": Case(residual, {"": [((2, 6, 6), None)]}),
    "stacked_cells": Case(stacked_cells, {"": [((3, 5, 5), None)]}),
    "attention": Case(attention, {"": [((2, 6, 5), None), ((2, 3, 4), None)]}),
    "subclass": Case(subclass, {"": [((2, 5, 4), None)]}),
    "custom_cell": Case(custom_cell, {"": [((2, 5, 5), None)]}),
    "backwards": Case(backwards, {"": [((2, 5, 5), None)]}),
    "cnn_lstm": Case(cnn_lstm, {"": [((3, 8, 4), None)]}),
    "video": Case(video, {"": [((2, 3, 8, 8, 1), None)]}),
    "next_frame": Case(next_frame, {"": [((2, 3, 6, 6, 1), None)]}),
    "phonemes": Case(phonemes, {"": [((2, 4, 5), None)]}),
    "cells_32_64": Case(cells_32_64, {"": [((2, 4, 5), None)]}),
    "dot_attention": Case(dot_attention, {"": [((2, 6, 5), None), ((2, 3, 4), None)]}),
    "self_attention": Case(self_attention, {"": [((2, 7), 12)]}),
    "autoencoder": Case(autoencoder, {"": [((2, 5, 3), None)]}),
    "leaky_cell": Case(leaky_cell, {"": [((2, 5, 4), None)]}),
    "forecast": Case(forecast, {"": [((2, 6, 2), None), ((2, 3), None)]}),
    "stateful": Case(stateful, {"": [((2, 4, 3), None)]}),
}
