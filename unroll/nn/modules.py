"""PyTorch's RNN, LSTM and GRU: layers and directions of a recurrence over a whole sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy.typing as npt

from unroll.errors import ArgumentError
from unroll.nn.direction_weights import GRUKind, LSTMKind, RNNKind
from unroll.nn.module import Module
from unroll.nn.sequence import SequenceModule

_NO_PROJECTION: Mapping[str, str] = {"proj_size": "PyTorch has projections for its LSTM only"}


class RNN(RNNKind, SequenceModule):
    """The plain recurrence in layers: Elman 1990, as ``torch.nn.RNN``.

    ``h' = nonlinearity(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)``. Parameters of layer k, with ``_reverse``
    after the name for the backward direction, each uniform in ``+-1 / sqrt(hidden_size)`` at first: weight_ih_l<k>
    ``(hidden, input)``, weight_hh_l<k> ``(hidden, hidden)``, bias_ih_l<k> and bias_hh_l<k> ``(hidden,)``. The input of a
    layer above the first is as wide as the output below it: ``directions * hidden``.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        num_layers: how many layers; each reads the outputs of the one below.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: whether there are biases.
        batch_first: input and output are ``(batch, time, features)`` instead of ``(time, batch, features)``; states stay.
        dropout: the share of outputs dropped between layers; it acts in training only, and is kept.
        bidirectional: each layer walks the sequence from both ends.
        device: None or ``"cpu"``.
        dtype: of Parameters, input and states; float32 by default.
        proj_size: refused; PyTorch has projections for its LSTM only.
        name: the module's scope; ``rnn`` by default. Its layers are under ``l0``, ``l0_reverse``, ``l1``, ...

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> rnn = nn.RNN(28, 13, nonlinearity="relu")
        >>> output, h_n = rnn(unroll.placeholder([7, None, 28], name="x"))  # time comes first
        >>> output.shape[0], output.shape[2], h_n.shape[0]
        (7, 13, 1)
    """

    REFUSED: ClassVar[Mapping[str, str]] = {**Module.REFUSED, **_NO_PROJECTION}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        proj_size: None = None,
        name: str | None = None,
    ) -> None:
        _refuse_projection(self, proj_size)
        self._set_nonlinearity(nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype, name
        )


class LSTM(LSTMKind, SequenceModule):
    """Long short-term memory in layers, gates i, f, g, o: Hochreiter and Schmidhuber 1997, as ``torch.nn.LSTM``.

    ``i, f, g, o = weight_ih @ x + bias_ih + weight_hh @ h + bias_hh``;
    ``c' = sigmoid(f) * c + sigmoid(i) * tanh(g)``; ``h' = sigmoid(o) * tanh(c')``, and ``weight_hr @`` that where there
    is a projection (Sak et al. 2014, arXiv:1402.1128). Parameters of layer k, with ``_reverse`` after the name for the
    backward direction, each uniform in ``+-1 / sqrt(hidden_size)`` at first: weight_ih_l<k> ``(4 * hidden, input)``,
    weight_hh_l<k> ``(4 * hidden, output)``, bias_ih_l<k> and bias_hh_l<k> ``(4 * hidden,)``, weight_hr_l<k>
    ``(proj_size, hidden)``. The output is `proj_size` wide where that is given, else `hidden_size`; the input of a layer
    above the first is ``directions * output`` wide.

    Args:
        input_size: the width of the input.
        hidden_size: the width of c, and of h unless it is projected.
        num_layers: how many layers; each reads the outputs of the one below.
        bias: whether there are biases.
        batch_first: input and output are ``(batch, time, features)`` instead of ``(time, batch, features)``; states stay.
        dropout: the share of outputs dropped between layers; it acts in training only, and is kept.
        bidirectional: each layer walks the sequence from both ends.
        proj_size: the width that h is projected to, below `hidden_size`; 0 for no projection.
        device: None or ``"cpu"``.
        dtype: of Parameters, input and states; float32 by default.
        name: the module's scope; ``lstm`` by default. Its layers are under ``l0``, ``l0_reverse``, ``l1``, ...

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> lstm = nn.LSTM(28, 13, num_layers=2, bidirectional=True, batch_first=True)
        >>> output, (h_n, c_n) = lstm(unroll.placeholder([None, 7, 28], name="x"))
        >>> output.shape, h_n.shape  # 2 layers of 2 directions
        ((batch, 7, 26), (4, batch, 13))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            name,
        )


class GRU(GRUKind, SequenceModule):
    """The gated recurrent unit in layers, gates r, z, n: Cho et al. 2014 (arXiv:1406.1078), as ``torch.nn.GRU``.

    ``r, z = sigmoid(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)`` of their rows;
    ``n = tanh(weight_in @ x + bias_in + r * (weight_hn @ h + bias_hn))``; ``h' = (1 - z) * n + z * h``. The reset gate
    acts after the product. Parameters of layer k, with ``_reverse`` after the name for the backward direction, each
    uniform in ``+-1 / sqrt(hidden_size)`` at first: weight_ih_l<k> ``(3 * hidden, input)``, weight_hh_l<k>
    ``(3 * hidden, hidden)``, bias_ih_l<k> and bias_hh_l<k> ``(3 * hidden,)``. The input of a layer above the first is
    ``directions * hidden`` wide.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        num_layers: how many layers; each reads the outputs of the one below.
        bias: whether there are biases.
        batch_first: input and output are ``(batch, time, features)`` instead of ``(time, batch, features)``; states stay.
        dropout: the share of outputs dropped between layers; it acts in training only, and is kept.
        bidirectional: each layer walks the sequence from both ends.
        device: None or ``"cpu"``.
        dtype: of Parameters, input and states; float32 by default.
        proj_size: refused; PyTorch has projections for its LSTM only.
        name: the module's scope; ``gru`` by default. Its layers are under ``l0``, ``l0_reverse``, ``l1``, ...

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> gru = nn.GRU(28, 13, batch_first=True)
        >>> output, h_n = gru(unroll.placeholder([None, 7, 28], name="x"))
        >>> output.shape, h_n.shape
        ((batch, 7, 13), (1, batch, 13))
        >>> gru.state_dict()["weight_ih_l0"].shape  # rows of r, z and n
        (39, 28)
    """

    REFUSED: ClassVar[Mapping[str, str]] = {**Module.REFUSED, **_NO_PROJECTION}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        proj_size: None = None,
        name: str | None = None,
    ) -> None:
        _refuse_projection(self, proj_size)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype, name
        )


def _refuse_projection(module: Module, proj_size: object) -> None:
    """Refuse `proj_size` where PyTorch refuses it: even 0."""
    if proj_size is not None:
        raise ArgumentError(
            f"{type(module).__name__}: proj_size={proj_size!r}: {module.REFUSED['proj_size']}; leave it out"
        )
