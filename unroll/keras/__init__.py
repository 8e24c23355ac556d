"""Keras 3's face: models of layers as Keras programs write them, which give a graph.

Only the import line of such a program differs::

    from unroll import keras

    x = keras.Input((None, 5))
    model = keras.Model(x, keras.layers.LSTM(13)(x))
    model.predict(array)  # in NumPy
    graph = model.trace()  # to draw, export and verify

Training is not here: train in Keras, and bring the weights with ``set_weights``.
"""

from typing import TYPE_CHECKING

from unroll import activations, initializers, layers
from unroll.foreign_names import KERAS
from unroll.keras import models, ops, saving
from unroll.layers import Input, Layer, Model, Sequential
from unroll.layers.symbolic import KerasTensor
from unroll.words import face

__all__ = [
    "Input",
    "KerasTensor",
    "Layer",
    "Model",
    "Sequential",
    "activations",
    "initializers",
    "layers",
    "models",
    "ops",
    "saving",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.keras", __all__, lambda: KERAS)
