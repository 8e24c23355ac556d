"""PyTorch's recurrent modules, as ``torch.nn`` has them: names, arguments, numbers, and `state_dict` in and out."""

from unroll.nn.cells import GRUCell, LSTMCell, RNNCell
from unroll.nn.embedding import Embedding
from unroll.nn.linear import Linear
from unroll.nn.modules import GRU, LSTM, RNN

__all__ = ["GRU", "LSTM", "RNN", "Embedding", "GRUCell", "LSTMCell", "Linear", "RNNCell"]
