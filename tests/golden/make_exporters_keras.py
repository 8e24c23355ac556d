"""Write exporters/keras*: what Keras's own ``model.export(format="onnx")`` makes of its models, with feeds and results.

Run it in an environment that has TensorFlow, Keras, tf2onnx, which Keras calls, and onnxruntime::

    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnxruntime==1.32.0 numpy==2.4.6
    python tests/golden/make_exporters_keras.py

Each model is exported with a batch and a time that are fixed or open, as `MODELS` says. exporters.py, beside this script, keeps
the files and arrays; README.md describes them.
"""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import exporters
import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from exporters import FEATURES, UNITS, Case
from keras import layers

BATCH, TIME = 3, 5
ALL = {"return_sequences": True}


def stack(*inner: Any) -> Callable[..., keras.Model]:
    """A model of layers, one after another, over a sequence of features."""

    def make(batch: int | None, time: int | None) -> keras.Model:
        return keras.Sequential([keras.Input((time, FEATURES), batch_size=batch), *(one() for one in inner)])

    return make


def words(*inner: Any, masked: bool) -> Callable[..., keras.Model]:
    """A model of layers over embedded words, of which 0 is none where `masked` says so."""

    def make(batch: int | None, time: int | None) -> keras.Model:
        table = layers.Embedding(7, FEATURES, mask_zero=masked)
        return keras.Sequential(
            [keras.Input((time,), batch_size=batch, dtype="int32"), table, *(one() for one in inner)]
        )

    return make


def with_states(batch: int | None, time: int | None) -> keras.Model:
    """An LSTM that begins with states that are fed, and gives its last ones."""
    x = keras.Input((time, FEATURES), batch_size=batch)
    states = [keras.Input((UNITS,), batch_size=batch) for _ in range(2)]
    found = layers.LSTM(UNITS, return_sequences=True, return_state=True)(x, initial_state=states)
    return keras.Model([x, *states], found)


def encoder_decoder(batch: int | None, time: int | None) -> keras.Model:
    """An encoder's last states are where the decoder begins; the decoder is fed what is to be said."""
    x, said = keras.Input((time, FEATURES), batch_size=batch), keras.Input((time, 2), batch_size=batch)
    _, *states = layers.LSTM(UNITS, return_state=True)(x)
    told = layers.LSTM(UNITS, return_sequences=True)(said, initial_state=states)
    return keras.Model([x, said], layers.Dense(2)(told))


def attention(batch: int | None, time: int | None) -> keras.Model:
    """A GRU's outputs, attended to by its last one."""
    x = keras.Input((time, FEATURES), batch_size=batch)
    sequence, last = layers.GRU(UNITS, return_sequences=True, return_state=True)(x)
    seen = layers.Attention()([layers.Reshape((1, UNITS))(last), sequence])
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(seen)))


def self_attention(batch: int | None, time: int | None) -> keras.Model:
    """Multi-head attention over an LSTM's outputs."""
    x = keras.Input((time, FEATURES), batch_size=batch)
    y = layers.LSTM(UNITS, return_sequences=True)(x)
    return keras.Model(x, layers.Add()([y, layers.MultiHeadAttention(2, 2)(y, y)]))


def crnn(batch: int | None, time: int | None) -> keras.Model:
    """Images over time, each convolved, then read by an LSTM."""
    x = keras.Input((time, 4, 4, 1), batch_size=batch)
    y = layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu"))(x)
    return keras.Model(x, layers.LSTM(UNITS)(layers.TimeDistributed(layers.Flatten())(y)))


MODELS: dict[str, tuple[str, Callable[..., keras.Model]]] = {
    "lstm": ("bt", stack(lambda: layers.LSTM(UNITS, **ALL))),
    "lstm_last": ("", stack(lambda: layers.LSTM(UNITS))),
    "gru": ("bt", stack(lambda: layers.GRU(UNITS, **ALL))),
    "gru_reset_before": ("b", stack(lambda: layers.GRU(UNITS, reset_after=False))),
    "simple_rnn": ("bt", stack(lambda: layers.SimpleRNN(UNITS, **ALL))),
    "two_lstm": ("b", stack(lambda: layers.LSTM(UNITS, **ALL), lambda: layers.LSTM(3), lambda: layers.Dense(2))),
    "both_ways_lstm": ("bt", stack(lambda: layers.Bidirectional(layers.LSTM(UNITS, **ALL)))),
    "both_ways_gru": ("b", stack(lambda: layers.Bidirectional(layers.GRU(UNITS), merge_mode="sum"))),
    "masked_lstm": ("bt", stack(lambda: layers.Masking(), lambda: layers.LSTM(UNITS, **ALL))),
    "masked_words": ("bt", words(lambda: layers.GRU(UNITS), masked=True)),
    "words": ("bt", words(lambda: layers.LSTM(UNITS), lambda: layers.Dense(2, activation="softmax"), masked=False)),
    "backward_lstm": ("b", stack(lambda: layers.LSTM(UNITS, go_backwards=True, **ALL))),
    "unrolled_lstm": ("b", stack(lambda: layers.LSTM(UNITS, unroll=True, **ALL))),
    "unrolled_gru": ("", stack(lambda: layers.Bidirectional(layers.GRU(UNITS, unroll=True)))),
    "with_states": ("bt", with_states),
    "encoder_decoder": ("bt", encoder_decoder),
    "attention": ("b", attention),
    "self_attention": ("b", self_attention),
    "convolved": ("bt", stack(lambda: layers.Conv1D(UNITS, 3, padding="same"), lambda: layers.LSTM(UNITS))),
    "crnn": ("b", crnn),
    "stacked_cells": ("b", stack(lambda: layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(UNITS)]))),
    "hard_lstm": ("b", stack(lambda: layers.LSTM(UNITS, activation="relu", recurrent_activation="hard_sigmoid"))),
    "dropped": ("b", stack(lambda: layers.LSTM(UNITS, dropout=0.2, **ALL), lambda: layers.GlobalMaxPooling1D())),
}


def _feeds(model: keras.Model, network: str, sizes: tuple[int, int], draw: np.random.Generator) -> list[np.ndarray]:
    found = []
    for item in model.inputs:
        ends = (
            (*sizes, *item.shape[2:]) if len(item.shape) > 2 or item.dtype == "int32" else (sizes[0], *item.shape[1:])
        )
        if item.dtype == "int32":
            found.append(draw.integers(0, 7, ends).astype("int32"))
        else:
            found.append(draw.standard_normal(ends).astype("float32"))
    if network.startswith("masked"):
        found[0][:, -1] = 0
        found[0][0, 1] = 0
    return found


def convert(case: Case) -> tuple[Any, Any, Any]:
    """Return what exports the case, what runs the model, and what makes feeds."""
    keras.utils.clear_session()
    make = MODELS[case.network][1]
    model = make(None if "b" in case.open else BATCH, None if "t" in case.open else TIME)
    draw = exporters.generator(case, "weights")
    model.set_weights([draw.normal(0, 0.5, item.shape).astype(np.float32) for item in model.get_weights()])

    def exported() -> onnx.ModelProto:
        run(feeds(BATCH, TIME))  # Keras exports no model that was never called
        tf2onnx.utils.INTERNAL_NAME = 1  # so that names in a file do not depend on the cases before
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            path = Path(folder) / "model.onnx"
            model.export(path, format="onnx", verbose=False)
            return onnx.load(path)

    def run(feeds: list[np.ndarray]) -> list[np.ndarray]:
        found = model(feeds if len(feeds) > 1 else feeds[0])
        return [np.asarray(item) for item in (found if isinstance(found, (list, tuple)) else [found])]

    def feeds(batch: int, time: int) -> list[np.ndarray]:
        return _feeds(model, case.network, (batch, time), exporters.generator(case, f"feeds {batch} {time}"))

    return exported, run, feeds


CASES = [Case("keras", network, MODELS[network][0]) for network in MODELS]

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "tf2onnx": tf2onnx.__version__}
    exporters.write("keras", CASES, convert, (BATCH, TIME), versions)
