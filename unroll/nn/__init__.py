"""PyTorch's recurrent modules, as ``torch.nn`` has them: names, arguments, numbers, and `state_dict` in and out."""

from typing import TYPE_CHECKING

from unroll.foreign_names import NN
from unroll.nn.cell_modules import GRUCell, LSTMCell, RNNCell
from unroll.nn.embedding_module import Embedding
from unroll.nn.linear_module import Linear
from unroll.nn.modules import GRU, LSTM, RNN
from unroll.words import face

__all__ = ["GRU", "LSTM", "RNN", "Embedding", "GRUCell", "LSTMCell", "Linear", "RNNCell"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.nn", __all__, lambda: NN)
