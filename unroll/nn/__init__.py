"""PyTorch's recurrent modules, as ``torch.nn`` has them: names, arguments, numbers, and `state_dict` in and out."""

from typing import TYPE_CHECKING, NoReturn

from unroll.foreign_names import NN
from unroll.nn.cell_modules import GRUCell, LSTMCell, RNNCell
from unroll.nn.embedding_module import Embedding
from unroll.nn.linear_module import Linear
from unroll.nn.modules import GRU, LSTM, RNN
from unroll.words import missing

__all__ = ["GRU", "LSTM", "RNN", "Embedding", "GRUCell", "LSTMCell", "Linear", "RNNCell"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        raise missing("module 'unroll.nn'", name, lambda: __all__, lambda: NN)
