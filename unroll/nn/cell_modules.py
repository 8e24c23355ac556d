"""PyTorch's recurrent cells: one step, called as PyTorch calls them."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import ops
from unroll.cells.rnn_cell import State
from unroll.dimensions import Dimension
from unroll.nn.direction_weights import GRUKind, LSTMKind, RecurrentModule, RNNKind, parts_of
from unroll.nn.step_cells import StepCell
from unroll.tensor import Tensor


class Cell(RecurrentModule):
    """A module of one step; its subclasses say which.

    Drivers such as `unroll.static_rnn` take it as well: they call what `as_cell` returns.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, device: Any, dtype: npt.DTypeLike | None, name: str | None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, name)
        self._cell = self._step_cell(self._called, self.input_size)
        self._cell._bearer = self._bearer

    def __call__(self, input: Tensor, hx: Any = None) -> Any:
        """Trace one step.

        Args:
            input: ``(batch, input_size)`` or ``(input_size,)``.
            hx: the state, ``(batch, hidden_size)`` or ``(hidden_size,)``, an LSTM's as a tuple ``(h, c)``; zeros by default.

        Returns:
            The new state, as `hx`.

        Raises:
            ShapeError, DTypeError, ArgumentTypeError: the input or a part of the state does not fit.
            StructureError: `hx` is not as the cell's state.
        """
        state = self._zero_state(input) if hx is None else self._state(hx)
        _, new_state = self._cell(input, state)
        return self._torch_state(parts_of(new_state))

    def _zero_state(self, input: Tensor) -> State:
        self._check_input(input, self.input_size)
        batch: Any = input.shape[0] if input.rank > 1 else None
        return self._cell.zero_state(ops.shape(input)[:1] if isinstance(batch, Dimension) else batch, self.dtype)

    def as_cell(self) -> StepCell:
        """Return the cell under TensorFlow's contract, with the same Parameters: what every driver takes.

        Its output is ``h``; the state of an LSTM is an `unroll.LSTMStateTuple`.
        """
        return self._cell


class RNNCell(RNNKind, Cell):
    """``h' = nonlinearity(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)``: Elman 1990, as ``torch.nn.RNNCell``.

    Parameters: weight_ih ``(hidden, input)``, weight_hh ``(hidden, hidden)``, bias_ih and bias_hh ``(hidden,)``, each
    uniform in ``+-1 / sqrt(hidden_size)`` at first.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        bias: whether there are bias_ih and bias_hh.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        device: None or ``"cpu"``.
        dtype: of Parameters, input and state; float32 by default.
        name: the cell's scope; ``rnn_cell`` by default.

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> cell = nn.RNNCell(28, 13)
        >>> h = cell(unroll.placeholder([None, 28], name="x"))  # from a state of zeros
        >>> h.shape, cell.state_dict()["weight_ih"].shape
        ((batch, 13), (13, 28))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        self._set_nonlinearity(nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype, name)


class LSTMCell(LSTMKind, Cell):
    """Long short-term memory, gates i, f, g, o: Hochreiter and Schmidhuber 1997, as ``torch.nn.LSTMCell``.

    ``i, f, g, o = weight_ih @ x + bias_ih + weight_hh @ h + bias_hh``;
    ``c' = sigmoid(f) * c + sigmoid(i) * tanh(g)``; ``h' = sigmoid(o) * tanh(c')``.
    Parameters: weight_ih ``(4 * hidden, input)``, weight_hh ``(4 * hidden, hidden)``, bias_ih and bias_hh
    ``(4 * hidden,)``, each uniform in ``+-1 / sqrt(hidden_size)`` at first.

    Args:
        input_size: the width of the input.
        hidden_size: the width of h and of c.
        bias: whether there are bias_ih and bias_hh.
        device: None or ``"cpu"``.
        dtype: of Parameters, input and state; float32 by default.
        name: the cell's scope; ``lstm_cell`` by default.

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> cell = nn.LSTMCell(28, 13)
        >>> h, c = cell(unroll.placeholder([None, 28], name="x"))  # from a state of zeros
        >>> h.shape, c.shape
        ((batch, 13), (batch, 13))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, name)


class GRUCell(GRUKind, Cell):
    """The gated recurrent unit, gates r, z, n: Cho et al. 2014 (arXiv:1406.1078), as ``torch.nn.GRUCell``.

    ``r, z = sigmoid(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)`` of their rows;
    ``n = tanh(weight_in @ x + bias_in + r * (weight_hn @ h + bias_hn))``; ``h' = (1 - z) * n + z * h``. The reset gate
    acts after the product. Parameters: weight_ih ``(3 * hidden, input)``, weight_hh ``(3 * hidden, hidden)``, bias_ih
    and bias_hh ``(3 * hidden,)``, each uniform in ``+-1 / sqrt(hidden_size)`` at first.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        bias: whether there are bias_ih and bias_hh.
        device: None or ``"cpu"``.
        dtype: of Parameters, input and state; float32 by default.
        name: the cell's scope; ``gru_cell`` by default.

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> cell = nn.GRUCell(28, 13)
        >>> h = cell(unroll.placeholder([None, 28], name="x"))  # from a state of zeros
        >>> h.shape
        (batch, 13)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, name)
