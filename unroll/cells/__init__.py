"""Recurrent cells with TensorFlow 1's names and semantics."""

from unroll.cells.base import LSTMStateTuple, RNNCell, RNNCellLike, TensorShape
from unroll.cells.basic_lstm import BasicLSTMCell
from unroll.cells.basic_rnn import BasicRNNCell
from unroll.cells.gru import GRUCell
from unroll.cells.lstm import LSTMCell
from unroll.cells.multi import MultiRNNCell
from unroll.cells.wrappers import DeviceWrapper, DropoutWrapper, ResidualWrapper

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
    "RNNCellLike",
    "ResidualWrapper",
    "TensorShape",
]
