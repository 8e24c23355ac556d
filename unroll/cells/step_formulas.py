"""The step formulas that several frameworks share, on preactivations that the cell has computed already.

Keras and PyTorch differ in how weights are laid out and what their gates are called, not in what a step computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from unroll.cells.building_blocks import blend
from unroll.cells.gated import gate
from unroll.ops import sigmoid, tanh
from unroll.tensor import Tensor, named

Function: TypeAlias = Callable[[Tensor], Tensor]


def lstm_step(
    i: Tensor,
    f: Tensor,
    g: Tensor,
    o: Tensor,
    c: Tensor,
    *,
    candidate: str = "g",
    activation: Function = tanh,
    recurrent_activation: Function = sigmoid,
) -> tuple[Tensor, Tensor]:
    """Return ``(h', c')`` of an LSTM: ``c' = f * c + i * g``, ``h' = o * activation(c')``.

    Args:
        i: the input gate's preactivation, ``(batch, units)`` as all the others.
        f: the forget gate's.
        g: the candidate's.
        o: the output gate's.
        c: the old cell state.
        candidate: what the framework calls the candidate: ``g`` in PyTorch, ``c`` in Keras.
        activation: of the candidate and of the new cell state.
        recurrent_activation: of the three gates.
    """
    i = gate("i", recurrent_activation, i)
    f = gate("f", recurrent_activation, f)
    g = gate(candidate, activation, g)
    o = gate("o", recurrent_activation, o)
    new_c = named(f * c + i * g, _state_name("c", candidate))
    return named(o * activation(new_c), "h"), new_c


def gru_step(
    z: Tensor,
    r: Tensor,
    x: Tensor,
    recurrent: Function,
    h: Tensor,
    *,
    candidate: str = "n",
    activation: Function = tanh,
    recurrent_activation: Function = sigmoid,
) -> Tensor:
    """Return ``h'`` of a GRU: ``n = activation(x + recurrent(r))``, ``h' = z * h + (1 - z) * n``.

    Args:
        z: the update gate's preactivation, ``(batch, units)`` as all the others.
        r: the reset gate's.
        x: the input's part of the candidate's preactivation, with its bias.
        recurrent: gives the state's part from the reset gate's value: ``lambda r: r * (h @ w + b)`` resets after the
            product (PyTorch, and Keras by default), ``lambda r: (r * h) @ w`` before it.
        h: the old state.
        candidate: what the framework calls the candidate: ``n`` in PyTorch, ``h`` in Keras.
        activation: of the candidate.
        recurrent_activation: of the two gates.
    """
    z = gate("z", recurrent_activation, z)
    r = gate("r", recurrent_activation, r)
    n = gate(candidate, activation, x + recurrent(r))
    return named(blend(z, h, n), _state_name("h", candidate))


def _state_name(state: str, candidate: str) -> str:
    """Return the name of a new state: another one than the candidate's, which Keras calls as the state."""
    return f"new_{state}" if candidate == state else state
