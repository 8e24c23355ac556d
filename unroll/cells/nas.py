"""The cell that architecture search found."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.cells.building_blocks import LSTMLikeCell, linear
from unroll.cells.gated import gate
from unroll.ops import relu, sigmoid, tanh
from unroll.tensor import Tensor, named

_GATES = tuple(f"g{number}" for number in range(8))
_FUNCTIONS = (sigmoid, relu, sigmoid, relu, tanh, sigmoid, tanh, sigmoid)
_NOTE = "the products with x and with h are multiplied in g3, and added in the others"


class NASCell(LSTMLikeCell):
    """The searched cell of Zoph and Le 2016 (arXiv:1611.01578), as TensorFlow 1's contrib ``NASCell``.

    With ``X = split(x @ kernel)`` and ``H = split(h @ recurrent_kernel + bias)``, eight blocks each:
    ``g0, g2, g5, g7 = sigmoid(X + H)``; ``g4, g6 = tanh(X + H)``; ``g1 = relu(X1 + H1)``; ``g3 = relu(X3 * H3)``;
    ``c' = tanh(tanh(g0 * g1) + c) * tanh(g2 + g3)``; ``h' = tanh(c' * tanh(tanh(g4 * g5) + sigmoid(g6 + g7)))``,
    times projection_weights where there is a projection.
    kernel ``(input, 8 * num_units)``; recurrent_kernel ``(num_proj, 8 * num_units)``; bias ``(8 * num_units,)``, zeros at
    first; projection_weights ``(num_units, num_proj)``. The state is ``LSTMStateTuple(c, h)``.

    Args:
        num_units: the width of c.
        num_proj: the width of h and of the output, where it is projected; `num_units` by default.
        use_bias: there is a bias.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``nas_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: a size that is not an int of at least 1.

    Example:
        >>> cell = unroll.cells.NASCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> [part.shape for part in state]
        [(batch, 5), (batch, 5)]
    """

    def __init__(
        self,
        num_units: int,
        num_proj: int | None = None,
        use_bias: bool = False,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype, num_proj=num_proj)
        self.use_bias = use_bias

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        c, h = self.parted(state)
        ours = linear(self, {"h": h}, _GATES, self.num_units, kernel="recurrent_kernel", bias=self.use_bias, note=_NOTE)
        theirs = linear(self, {"x": inputs}, _GATES, self.num_units, bias=False, note=_NOTE)
        g = [
            gate(name, function, x * m if name == "g3" else x + m)
            for name, function, x, m in zip(_GATES, _FUNCTIONS, theirs, ours, strict=True)
        ]
        new_c = named(tanh(tanh(g[0] * g[1]) + c) * tanh(g[2] + g[3]), "c")
        new_h = tanh(new_c * tanh(tanh(g[4] * g[5]) + sigmoid(g[6] + g[7])))
        if self.num_proj is not None:
            (new_h,) = linear(self, {"m": new_h}, ("h",), self.num_proj, kernel="projection_weights", bias=False)
        return named(new_h, "h"), self.whole(new_c, new_h)
