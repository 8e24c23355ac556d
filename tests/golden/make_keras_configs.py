"""Write keras_configs.json: what real Keras 3 says that layers are made with, as plain data.

Run it with no arguments, in an environment that has TensorFlow and Keras 3::

    pip install tensorflow-cpu keras
    python make_keras_configs.py
"""

import importlib
import json
import os
from pathlib import Path
from typing import Any

from keras_around_cases import all_cases

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

#: Layers as Python writes them, with L for ``keras.layers``; each gets a name of its own.
LAYERS = (
    "L.LSTM(3, name='a')",
    "L.LSTM(3, activation='relu', kernel_regularizer='l2', return_sequences=True, dropout=0.1, name='a')",
    "L.GRU(3, reset_after=False, recurrent_initializer='he_normal', stateful=True, name='a')",
    "L.SimpleRNN(3, go_backwards=True, bias_constraint='non_neg', name='a')",
    "L.LSTMCell(3, unit_forget_bias=False, name='a')",
    "L.GRUCell(3, name='a')",
    "L.SimpleRNNCell(3, use_bias=False, name='a')",
    "L.RNN(L.LSTMCell(3, name='b'), return_state=True, name='a')",
    "L.StackedRNNCells([L.LSTMCell(3, name='b'), L.GRUCell(2, name='c')], name='a')",
    "L.Bidirectional(L.LSTM(3, name='b'), merge_mode='sum', name='a')",
    "L.Bidirectional(L.GRU(3, name='b'), backward_layer=L.GRU(2, go_backwards=True, name='c'), name='a')",
    "L.TimeDistributed(L.Dense(2, activation='softmax', name='b'), name='a')",
    "L.ConvLSTM1D(2, 3, padding='same', name='a')",
    "L.ConvLSTM2D(2, (3, 2), strides=2, name='a')",
    "L.Dense(2, activation='hard_silu', kernel_initializer='orthogonal', trainable=False, name='a')",
    "L.Embedding(5, 3, mask_zero=True, embeddings_initializer='zeros', name='a')",
    "L.LayerNormalization(axis=[1, 2], epsilon=0.01, scale=False, name='a')",
    "L.Masking(-1.0, name='a')",
    "L.Dropout(0.5, seed=3, name='a')",
    "L.Activation('swish', name='a')",
    "L.Dense(2, dtype='float64', name='a')",
)


def around() -> list[str]:
    """The first three of the cases of each layer around recurrent ones that differ in their arguments."""
    found: dict[str, dict[str, None]] = {}
    for case in all_cases():
        arguments = ", ".join([*(f"{name}={value!r}" for name, value in case.kwargs.items()), "name='a'"])
        found.setdefault(case.layer, {})[f"L.{case.layer}({arguments})"] = None
    return [source for sources in found.values() for source in [*sources][:3]]


def main() -> None:
    """Make every layer, and write what it says of itself."""
    keras: Any = importlib.import_module("keras")
    said = {
        source: keras.saving.serialize_keras_object(eval(source, {"L": keras.layers}))
        for source in [*LAYERS, *around()]
    }
    lines = ",\n".join(f"{json.dumps(source)}: {json.dumps(config, sort_keys=True)}" for source, config in said.items())
    text = f'{{"versions": {{"keras": "{keras.__version__}"}}, "layers": {{\n{lines}\n}}}}\n'
    (Path(__file__).resolve().parent / "keras_configs.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
