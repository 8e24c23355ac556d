"""Recurrent cells with TensorFlow 1's names and semantics."""

from unroll.cells.base import LSTMStateTuple, RNNCell, RNNCellLike
from unroll.cells.basic_lstm import BasicLSTMCell
from unroll.cells.basic_rnn import BasicRNNCell
from unroll.cells.gru import GRUCell
from unroll.cells.multi import MultiRNNCell

__all__ = ["BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMStateTuple", "MultiRNNCell", "RNNCell", "RNNCellLike"]
