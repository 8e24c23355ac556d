"""The scalar LSTM of xLSTM, with exponential gates."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy.typing as npt

from unroll import ops, scopes
from unroll.cells.building_blocks import UnitCell, linear
from unroll.cells.gated import gate
from unroll.checks import check_size
from unroll.errors import ArgumentError
from unroll.ops import concat, exp, sigmoid, softplus, split, tanh, where
from unroll.tensor import Tensor, named

_GATES = ("z", "i", "f", "o")


class SLSTMStateTuple(NamedTuple):
    """The state of an sLSTM: the cell, the normaliser, the stabiliser and the hidden state.

    Example:
        >>> unroll.cells.SLSTMCell(8).state_size._fields
        ('c', 'n', 'm', 'h')
    """

    c: Any
    n: Any
    m: Any
    h: Any


class SLSTMCell(UnitCell):
    """The sLSTM of xLSTM: Beck et al. 2024 (arXiv:2405.04517), section 2.2, stabilised; not one of TensorFlow's.

    ``z, i, f, o = split(x @ kernel + h @ R + bias)``, R one block a head on its diagonal; ``log f`` is f where the forget
    gate is exponential, ``log sigmoid(f)`` where it is a sigmoid; ``m' = max(log f + m, i)``, or i where n is 0;
    ``i' = exp(i - m')``; ``f' = exp(log f + m - m')``; ``c' = f' * c + i' * tanh(z)``; ``n' = f' * n + i'``;
    ``h' = sigmoid(o) * c' / n'``.
    The stabiliser m keeps the exponentials finite and changes no output: c and n are the paper's times ``exp(-m)``.
    kernel ``(input, 4 * num_units)``; recurrent_kernel ``(num_units, 4 * num_units / num_heads)``, each head's rows and the
    four gates' columns; bias ``(4 * num_units,)``, zeros at first. The state is ``SLSTMStateTuple(c, n, m, h)``, zeros at
    first.

    Args:
        num_units: the width of the state's four parts and of the output.
        num_heads: into how many heads the units are cut; h is mixed within a head only.
        forget_activation: ``"sigmoid"`` or ``"exp"``.
        name: the cell's scope; ``slstm_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: a size is not an int of at least 1, the heads do not divide the units, or
            there is no such activation.

    Example:
        >>> cell = unroll.cells.SLSTMCell(8)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> outputs[0].shape, [part.shape for part in state]
        ((batch, 8), [(batch, 8), (batch, 8), (batch, 8), (batch, 8)])
    """

    def __init__(
        self,
        num_units: int,
        num_heads: int = 1,
        forget_activation: Literal["sigmoid", "exp"] = "sigmoid",
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, None, name, dtype)
        self.num_heads = check_size(num_heads, "SLSTMCell: num_heads")
        if num_units % num_heads:
            raise ArgumentError(f"SLSTMCell: {num_units} units cannot be cut into {num_heads} equal heads")
        if forget_activation not in ("sigmoid", "exp"):
            raise ArgumentError(f"SLSTMCell: forget_activation {forget_activation!r} is neither 'sigmoid' nor 'exp'")
        self.forget_activation = forget_activation

    @property
    def state_size(self) -> Any:
        return SLSTMStateTuple(*[self.num_units] * 4)

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        c, n, m, h = state
        ours = linear(self, {"x": inputs}, _GATES, self.num_units)
        z, i, f, o = (x + r for x, r in zip(ours, self._recurrent(h), strict=True))
        z = gate("z", tanh, z)
        o = gate("o", sigmoid, o)
        with scopes.in_gate("f"):
            kept = (f if self.forget_activation == "exp" else -softplus(-f)) + m
            kept = where(n > 0, kept, i)  # with nothing to forget yet, only i says how large the exponentials are
        new_m = named(ops.maximum(kept, i), "m")
        i = gate("i", lambda x: exp(x - new_m), i)
        f = gate("f", lambda x: exp(x - new_m), kept)
        new_c, new_n = named(f * c + i * z, "c"), named(f * n + i, "n")
        new_h = named(o * (new_c / new_n), "h")
        return new_h, SLSTMStateTuple(new_c, new_n, new_m, new_h)

    def _recurrent(self, h: Tensor) -> list[Tensor]:
        """Return what each gate sees of h, ``(batch, num_units)`` each, head by head."""
        heads, size = self.num_heads, self.num_units // self.num_heads
        note = "each head of h meets its own rows alone" if heads > 1 else ""
        rows = {f"h{head}": size for head in range(heads)} if heads > 1 else {"h": size}
        columns = dict.fromkeys(_GATES, size)
        weight = self.add_weight("recurrent_kernel", rows=rows, columns=columns, note=note, dtype=h.dtype)
        if heads == 1:
            return list(split(h @ weight, 4, axis=-1))
        pairs = zip(split(h, heads, axis=-1), split(weight, heads, axis=0), strict=True)
        products = [split(part @ block, 4, axis=-1) for part, block in pairs]
        return [concat(parts, axis=-1) for parts in zip(*products, strict=True)]
