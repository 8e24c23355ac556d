"""Keras 3's layers: its names, arguments, defaults and numbers, traced over a known time or any.

A layer is called on a tensor, ``layers.LSTM(3)(x)``, or stands in a model::

    model = layers.Sequential([layers.Input((None, 5)), layers.LSTM(3), layers.Dense(1)])
    model.set_weights(weights)  # in Keras's own order and layout
    graph = model.trace(timesteps=28)
"""

from typing import TYPE_CHECKING

from unroll.foreign_names import LAYERS
from unroll.layers.bidirectional import Bidirectional
from unroll.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from unroll.layers.conv_lstm_cell import ConvLSTMCell
from unroll.layers.dense import Activation, Dense, Dropout
from unroll.layers.embedding import Embedding
from unroll.layers.gru import GRU, GRUCell
from unroll.layers.input import Input
from unroll.layers.layer import Layer
from unroll.layers.layer_normalization import LayerNormalization
from unroll.layers.lstm import LSTM, LSTMCell
from unroll.layers.masking import Masking
from unroll.layers.model import Model
from unroll.layers.rnn import RNN
from unroll.layers.sequential import Sequential
from unroll.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from unroll.layers.stacked import StackedRNNCells
from unroll.layers.time_distributed import TimeDistributed
from unroll.words import face

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "ConvLSTMCell",
    "Dense",
    "Dropout",
    "Embedding",
    "GRUCell",
    "Input",
    "LSTMCell",
    "Layer",
    "LayerNormalization",
    "Masking",
    "Model",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.layers", __all__, lambda: LAYERS)
