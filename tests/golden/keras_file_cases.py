"""Models as people save them in Keras: the script beside this builds each in real Keras 3 and Keras 2, and keeps the files.

A case takes the module that it would import as ``keras``, and returns a model. Those of ``NEWER`` use what Keras 2 lacks, and
are saved by Keras 3 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Case(NamedTuple):
    """A model, and what it is fed: for each input its shape with the batch, and where ids are fed, how many there are."""

    build: Callable[[Any], Any]
    feeds: list[tuple[tuple[int, ...], int | None]]


def one(*sizes: int, ids: int | None = None) -> list[tuple[tuple[int, ...], int | None]]:
    return [(sizes, ids)]


def stack(*names: str) -> Callable[[Any], Any]:
    """Return the builder of a Sequential over (batch, time, 4), of layers as Python writes them."""

    def build(keras: Any) -> Any:
        layers = [eval(name, {"keras": keras, "L": keras.layers}) for name in names]
        return keras.Sequential([keras.Input((None, 4)), *layers])

    return build


def tagger(keras: Any) -> Any:
    layers = keras.layers
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(12, 4, mask_zero=True, name="words")(ids)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    return keras.Model(ids, layers.TimeDistributed(layers.Dense(4, activation="softmax"))(x), name="tagger")


def classifier_of_ids(keras: Any) -> Any:
    layers = keras.layers
    ids = keras.Input((6,), name="ids")  # floats that stand for ids
    x = layers.GRU(4)(layers.Embedding(12, 3, mask_zero=True)(ids))
    return keras.Model(ids, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.4)(x)))


def translator(keras: Any) -> Any:
    layers = keras.layers
    source, target = keras.Input((None, 4)), keras.Input((None, 3))
    _, h, c = layers.LSTM(4, return_state=True, name="encoder")(source)
    x, _, _ = layers.LSTM(4, return_sequences=True, return_state=True, name="decoder")(target, initial_state=[h, c])
    return keras.Model([source, target], layers.Dense(3, activation="softmax")(x))


def shared(keras: Any) -> Any:
    layers = keras.layers
    left, right = keras.Input((None, 4)), keras.Input((None, 4))
    encoder, head = layers.GRU(3, name="shared"), layers.Dense(2, name="both")
    return keras.Model([left, right], [head(encoder(left)), head(encoder(right))])


def nested(keras: Any) -> Any:
    layers = keras.layers
    word = keras.Input((5, 3))
    inner = keras.Model(word, layers.GRU(4)(word), name="word_encoder")
    sentence = keras.Input((4, 5, 3))
    return keras.Model(sentence, layers.Dense(2)(layers.LSTM(3)(layers.TimeDistributed(inner)(sentence))))


def nested_twice(keras: Any) -> Any:
    layers = keras.layers
    inner = keras.Sequential([keras.Input((None, 4)), layers.LSTM(3), layers.Dense(2)], name="branch")
    left, right = keras.Input((None, 4)), keras.Input((None, 4))
    return keras.Model([left, right], [inner(right), inner(left)])


def dict_outputs(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((None, 4), name="x")
    sequence, h = layers.GRU(3, return_sequences=True, return_state=True)(x)
    return keras.Model(
        {"x": x}, {"scores": layers.Dense(2, name="scores")(sequence), "last": layers.Dense(1, name="last")(h)}
    )


def several_of_one_class(keras: Any) -> Any:
    """More than ten layers of one class, so that names sort otherwise than they are counted."""
    layers = keras.layers
    x = inputs = keras.Input((3, 4))
    for place in range(12):
        x = layers.Dense(4, activation="tanh", name=f"z{12 - place}")(x)
    return keras.Model(inputs, layers.SimpleRNN(3)(x))


def frozen(keras: Any) -> Any:
    layers = keras.layers
    inner = keras.Sequential(
        [keras.Input((None, 4)), layers.LSTM(3, return_sequences=True), layers.GRU(3)], name="body"
    )
    inner.layers[0].trainable = False
    x = keras.Input((None, 4))
    return keras.Model(x, layers.Dense(2)(inner(x)))


def fixed_batch(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(batch_shape=(2, 5, 4)) if hasattr(keras, "ops") else keras.Input(batch_size=2, shape=(5, 4))
    return keras.Model(x, layers.Dense(2)(layers.LSTM(3, unroll=True)(x)))


def masking(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((None, 4))
    y = layers.LSTM(3, return_sequences=True, name="upper")(layers.Masking(-1.0)(x))
    return keras.Model(x, layers.LSTM(3, go_backwards=True)(y))


def two_masks(keras: Any) -> Any:
    layers = keras.layers
    ids = keras.Input((5,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True, return_state=True), merge_mode="sum")(x)
    return keras.Model(ids, [both[0], both[1], both[2]])


def arithmetic(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((None, 4))
    y = layers.LSTM(4, return_sequences=True)(x)
    return keras.Model(x, layers.Dense(2)(y[:, -1] * 2.0 + x[:, 0] - y[:, 0]))


def residual(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    x = inputs = keras.Input((None, 4))
    for _ in range(2):
        x = x + layers.GRU(4, return_sequences=True)(layers.LayerNormalization()(x))
    return keras.Model(inputs, layers.Dense(2)(ops.mean(x, axis=1)))


def attention(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    source, target = keras.Input((None, 4)), keras.Input((None, 3))
    memory, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(source)
    queries = layers.LSTM(3, return_sequences=True)(target, initial_state=[h, c])
    weights = ops.softmax(ops.matmul(queries, ops.transpose(memory, (0, 2, 1))))
    x = ops.concatenate([queries, ops.matmul(weights, memory)], axis=-1)
    return keras.Model([source, target], layers.Dense(2)(x))


def masked_operations(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    ids = keras.Input((None,), dtype="int32")
    x = layers.LSTM(3, return_sequences=True)(layers.Embedding(9, 4, mask_zero=True)(ids))
    return keras.Model(ids, layers.Dense(2)(ops.max(ops.relu(x), axis=1) / 2.0))


def branches(keras: Any) -> Any:
    layers = keras.layers
    x = inputs = keras.Input((6, 4))
    x = layers.ZeroPadding1D(1)(x)
    left = layers.LeakyReLU(0.3)(layers.Conv1D(3, 3)(x))
    right = layers.ReLU(max_value=1.0)(layers.SeparableConv1D(3, 3)(x))
    x = layers.Concatenate()([layers.Add()([left, right]), layers.Multiply()([left, right])])
    x = layers.Maximum()([layers.LSTM(4)(x), layers.GRU(4)(x)])
    return keras.Model(inputs, layers.Dense(2)(layers.Dropout(0.5)(x)))


def attended(keras: Any) -> Any:
    layers = keras.layers
    source, target = keras.Input((None, 4)), keras.Input((None, 3))
    memory = layers.LSTM(4, return_sequences=True)(source)
    queries = layers.GRU(4, return_sequences=True)(target)
    context = layers.Attention()([queries, memory])
    x = layers.Concatenate()([queries, context, layers.AdditiveAttention()([queries, memory])])
    return keras.Model([source, target], layers.TimeDistributed(layers.Dense(2))(x))


def heads(keras: Any) -> Any:
    layers = keras.layers
    x = inputs = keras.Input((5, 4))
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)]))
    return keras.Model(inputs, layers.Dense(2)(layers.LSTM(3)(x)))


def frozen_statistics(keras: Any) -> Any:
    """In a nested model, what training leaves alone lies behind the rest in older files."""
    layers = keras.layers
    parts = [layers.Conv1D(3, 2), layers.BatchNormalization(), layers.LSTM(3), layers.BatchNormalization(scale=False)]
    inner = keras.Sequential([keras.Input((None, 4)), *parts], name="body")
    x = keras.Input((None, 4))
    return keras.Model(x, layers.Dense(2)(inner(x)))


def repeated(keras: Any) -> Any:
    """An autoencoder over time."""
    layers = keras.layers
    x = inputs = keras.Input((4, 3))
    x = layers.RepeatVector(4)(layers.LSTM(5)(x))
    x = layers.LSTM(5, return_sequences=True)(x)
    return keras.Model(inputs, layers.TimeDistributed(layers.Dense(3))(x))


CASES: dict[str, Case] = {
    "convolved": Case(
        stack(
            "L.Conv1D(5, 3, padding='causal', activation='relu')",
            "L.MaxPooling1D(2)",
            "L.BatchNormalization()",
            "L.SpatialDropout1D(0.2)",
            "L.LSTM(3)",
            "L.PReLU()",
            "L.Dense(2)",
        ),
        one(2, 6, 4),
    ),
    "frames": Case(
        lambda keras: keras.Sequential(
            [
                keras.Input((3, 6, 6, 1)),
                keras.layers.TimeDistributed(keras.layers.Conv2D(2, 3, activation="relu")),
                keras.layers.TimeDistributed(keras.layers.AveragePooling2D(2)),
                keras.layers.TimeDistributed(keras.layers.Flatten()),
                keras.layers.GRU(3),
            ]
        ),
        one(2, 3, 6, 6, 1),
    ),
    "shaped": Case(
        lambda keras: keras.Sequential(
            [
                keras.Input((6, 4)),
                keras.layers.Permute((2, 1)),
                keras.layers.Reshape((8, 3)),
                keras.layers.UpSampling1D(2),
                keras.layers.Cropping1D(3),
                keras.layers.SimpleRNN(3, return_sequences=True),
                keras.layers.GlobalMaxPooling1D(),
                keras.layers.Softmax(),
            ]
        ),
        one(2, 6, 4),
    ),
    "branches": Case(branches, one(2, 6, 4)),
    "attended": Case(attended, [((2, 5, 4), None), ((2, 3, 3), None)]),
    "heads": Case(heads, one(2, 5, 4)),
    "frozen_statistics": Case(frozen_statistics, one(2, 5, 4)),
    "repeated": Case(repeated, one(2, 4, 3)),
    "lstm": Case(stack("L.LSTM(5)", "L.Dense(3, activation='softmax')"), one(2, 6, 4)),
    "gru": Case(stack("L.GRU(5, reset_after=False)", "L.Dense(2)"), one(2, 6, 4)),
    "simple": Case(stack("L.SimpleRNN(4, activation='relu', return_sequences=True)", "L.SimpleRNN(3)"), one(2, 6, 4)),
    "three_lstms": Case(
        stack("L.LSTM(3, return_sequences=True)", "L.Dropout(0.2)", "L.LSTM(4, return_sequences=True)", "L.LSTM(3)"),
        one(2, 6, 4),
    ),
    "no_bias": Case(stack("L.LSTM(3, use_bias=False)", "L.Dense(2, use_bias=False)"), one(2, 6, 4)),
    "hard": Case(
        stack("L.LSTM(3, recurrent_activation='hard_sigmoid')", "L.Dense(3, activation='hard_sigmoid')"), one(2, 6, 4)
    ),
    "both_ways": Case(
        stack("L.Bidirectional(L.LSTM(3, return_sequences=True))", "L.Bidirectional(L.GRU(2))", "L.Dense(2)"),
        one(2, 6, 4),
    ),
    "two_different_ways": Case(
        stack(
            "L.Bidirectional(L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True), merge_mode='mul')",
            "L.Dense(2)",
        ),
        one(2, 6, 4),
    ),
    "cells": Case(stack("L.RNN([L.LSTMCell(3), L.GRUCell(4), L.SimpleRNNCell(2)])"), one(2, 6, 4)),
    "one_cell": Case(
        stack("L.RNN(L.LSTMCell(3), return_sequences=True)", "L.TimeDistributed(L.Dense(2))"), one(2, 6, 4)
    ),
    "normalised": Case(
        stack("L.LayerNormalization(epsilon=0.01)", "L.GRU(3)", "L.Activation('elu')", "L.Dense(2)"), one(2, 6, 4)
    ),
    "regularised": Case(
        stack(
            "L.LSTM(3, kernel_regularizer='l2', recurrent_initializer='he_normal', dropout=0.1, recurrent_dropout=0.1)",
            "L.Dense(2, kernel_constraint='max_norm', bias_initializer='ones')",
        ),
        one(2, 6, 4),
    ),
    "images": Case(
        lambda keras: keras.Sequential(
            [
                keras.Input((3, 5, 5, 2)),
                keras.layers.ConvLSTM2D(2, 3, padding="same", name="clips"),
                keras.layers.Dense(1),
            ]
        ),
        one(2, 3, 5, 5, 2),
    ),
    "tagger": Case(tagger, one(2, 5, ids=12)),
    "classifier_of_ids": Case(classifier_of_ids, one(2, 6, ids=12)),
    "translator": Case(translator, [((2, 5, 4), None), ((2, 3, 3), None)]),
    "shared": Case(shared, [((2, 5, 4), None), ((2, 3, 4), None)]),
    "nested": Case(nested, one(2, 4, 5, 3)),
    "nested_twice": Case(nested_twice, [((2, 5, 4), None), ((2, 3, 4), None)]),
    "dict_outputs": Case(dict_outputs, one(2, 5, 4)),
    "several_of_one_class": Case(several_of_one_class, one(2, 3, 4)),
    "frozen": Case(frozen, one(2, 5, 4)),
    "fixed_batch": Case(fixed_batch, one(2, 5, 4)),
    "masking": Case(masking, one(2, 5, 4)),
    "two_masks": Case(two_masks, one(2, 5, ids=9)),
    "arithmetic": Case(arithmetic, one(2, 5, 4)),
    "residual": Case(residual, one(2, 5, 4)),
    "attention": Case(attention, [((2, 5, 4), None), ((2, 3, 3), None)]),
    "masked_operations": Case(masked_operations, one(2, 5, ids=9)),
}
#: What Keras 2 does not have.
NEWER = ("residual", "attention", "masked_operations")
