"""Recurrent cells with TensorFlow 1's names and semantics, and xLSTM's sLSTM."""

from typing import TYPE_CHECKING

from unroll.cells.attention import AttentionCellWrapper
from unroll.cells.basic_lstm import BasicLSTMCell
from unroll.cells.basic_rnn import BasicRNNCell
from unroll.cells.conv_lstm import Conv1DLSTMCell, Conv2DLSTMCell, Conv3DLSTMCell, ConvLSTMCell
from unroll.cells.coupled import CoupledInputForgetGateLSTMCell
from unroll.cells.embedding_wrapper import EmbeddingWrapper
from unroll.cells.gru import GRUCell
from unroll.cells.ind_rnn import IndRNNCell, IndyGRUCell, IndyLSTMCell
from unroll.cells.intersection import IntersectionRNNCell
from unroll.cells.layer_norm_lstm import LayerNormBasicLSTMCell
from unroll.cells.lstm import LSTMCell
from unroll.cells.minimal_rnn import MinimalRNNCell
from unroll.cells.multi import MultiRNNCell
from unroll.cells.nas import NASCell
from unroll.cells.phased_lstm import PhasedLSTMCell
from unroll.cells.projection import InputProjectionWrapper, OutputProjectionWrapper
from unroll.cells.rnn_cell import LSTMStateTuple, RNNCell, RNNCellLike, TensorShape
from unroll.cells.slstm import SLSTMCell, SLSTMStateTuple
from unroll.cells.sru import SRUCell
from unroll.cells.ugrnn import UGRNNCell
from unroll.cells.wrappers import DeviceWrapper, DropoutWrapper, ResidualWrapper
from unroll.foreign_names import CELLS, LAYERS
from unroll.words import face

__all__ = [
    "AttentionCellWrapper",
    "BasicLSTMCell",
    "BasicRNNCell",
    "Conv1DLSTMCell",
    "Conv2DLSTMCell",
    "Conv3DLSTMCell",
    "ConvLSTMCell",
    "CoupledInputForgetGateLSTMCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "EmbeddingWrapper",
    "GRUCell",
    "IndRNNCell",
    "IndyGRUCell",
    "IndyLSTMCell",
    "InputProjectionWrapper",
    "IntersectionRNNCell",
    "LSTMCell",
    "LSTMStateTuple",
    "LayerNormBasicLSTMCell",
    "MinimalRNNCell",
    "MultiRNNCell",
    "NASCell",
    "OutputProjectionWrapper",
    "PhasedLSTMCell",
    "RNNCell",
    "RNNCellLike",
    "ResidualWrapper",
    "SLSTMCell",
    "SLSTMStateTuple",
    "SRUCell",
    "TensorShape",
    "UGRNNCell",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.cells", __all__, lambda: {**LAYERS, **CELLS})
