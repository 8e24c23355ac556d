"""Keras 3's layers: its names, arguments, defaults and numbers, traced over a known time or any.

A layer is called on a tensor, ``layers.LSTM(3)(x)``, or stands in a model::

    model = layers.Sequential([layers.Input((None, 5)), layers.LSTM(3), layers.Dense(1)])
    model.set_weights(weights)  # in Keras's own order and layout
    graph = model.trace(timesteps=28)
"""

from typing import TYPE_CHECKING

from unroll.foreign_names import LAYERS
from unroll.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from unroll.layers.attention import AdditiveAttention, Attention
from unroll.layers.bidirectional import Bidirectional
from unroll.layers.borders import Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D
from unroll.layers.configs.names import enter
from unroll.layers.configs.reading import deserialize
from unroll.layers.configs.writing import serialize
from unroll.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from unroll.layers.conv_lstm_cell import ConvLSTMCell
from unroll.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv3D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from unroll.layers.dense import Dense
from unroll.layers.embedding import Embedding
from unroll.layers.gru import GRU, GRUCell
from unroll.layers.input import Input
from unroll.layers.lambda_layer import Lambda
from unroll.layers.layer import Layer
from unroll.layers.layer_normalization import LayerNormalization
from unroll.layers.lstm import LSTM, LSTMCell
from unroll.layers.masking import Masking
from unroll.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from unroll.layers.model import Model
from unroll.layers.multi_head_attention import MultiHeadAttention
from unroll.layers.noise import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from unroll.layers.normalization import BatchNormalization, GroupNormalization, UnitNormalization
from unroll.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from unroll.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from unroll.layers.rnn import RNN
from unroll.layers.sequential import Sequential
from unroll.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from unroll.layers.stacked import StackedRNNCells
from unroll.layers.time_distributed import TimeDistributed
from unroll.layers.up_sampling import UpSampling1D, UpSampling2D
from unroll.words import face

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "ConvLSTMCell",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Input",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Model",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "deserialize",
    "serialize",
]

enter({name: globals()[name] for name in __all__})

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.layers", __all__, lambda: LAYERS)
