"""The LSTM cell with peepholes, clipping and projection."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from unroll.activations import Activation
from unroll.cells.building_blocks import LSTMState, check_initializer, check_limit, check_projection, clipped, peephole
from unroll.cells.gated import GatedCell, Kernel, Weight, gate
from unroll.checks import check_number
from unroll.errors import ArgumentError, UnsupportedError
from unroll.initializers import InitializerLike
from unroll.ops import concat, sigmoid, split
from unroll.tensor import Tensor, named

_SHARDS = "a weight is one array here"


class LSTMCell(LSTMState, GatedCell):
    """The LSTM with all its options: Sak et al. 2014 (arXiv:1402.1128), as TensorFlow 1's ``LSTMCell``.

    ``i, j, f, o = split([x, h] @ kernel + bias)``;
    ``c' = sigmoid(f + forget_bias + w_f_diag * c) * c + sigmoid(i + w_i_diag * c) * activation(j)``, clipped;
    ``m = sigmoid(o + w_o_diag * c') * activation(c')``; ``h' = m``, or ``m @ projection/kernel``, clipped.
    kernel ``(input + h, 4 * num_units)``, rows x over h, columns i, j, f, o, where h is `num_proj` if given, else
    `num_units`; bias ``(4 * num_units,)``, zeros at first; each of w_f_diag, w_i_diag and w_o_diag ``(num_units,)``;
    projection/kernel ``(num_units, num_proj)``.

    Args:
        num_units: the width of c.
        use_peepholes: let the gates see c (Gers and Schmidhuber 2000).
        cell_clip: limit c' to ``-cell_clip .. cell_clip``.
        initializer: draws the kernel, the peepholes and the projection; glorot uniform by default.
        num_proj: the width of h and of the output, projected from `num_units`.
        proj_clip: limit the projected h' to ``-proj_clip .. proj_clip``.
        num_unit_shards: TensorFlow's deprecated cutting of variables into shards; only None and 1 are taken.
        num_proj_shards: likewise.
        forget_bias: added to the forget gate before its sigmoid; not part of the bias.
        state_is_tuple: the state is ``LSTMStateTuple(c, h)``; if False, one tensor with c before h on the last axis.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``lstm_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: a size is not an int of at least 1, a clip not a number above 0, or there is no
            such activation; or `proj_clip` is given without `num_proj`.
        UnsupportedError: more than one shard.

    Example:
        >>> cell = unroll.LSTMCell(num_units=13, use_peepholes=True, num_proj=4)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 28], name="x")])
        >>> cell.kernel.shape, cell.projection_kernel.shape  # h has the 4 units of the projection
        ((32, 52), (13, 4))
    """

    REFUSED: ClassVar = {**GatedCell.REFUSED, "num_unit_shards": _SHARDS, "num_proj_shards": _SHARDS}
    kernels = (Kernel("", ("i", "j", "f", "o")),)
    gate_aliases: ClassVar = {"g": "j", "c": "j"}
    kernel, bias = Weight("kernel"), Weight("bias")
    w_f_diag, w_i_diag, w_o_diag = Weight("w_f_diag"), Weight("w_i_diag"), Weight("w_o_diag")
    projection_kernel = Weight("projection/kernel")

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: InitializerLike | None = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype)
        self.use_peepholes = use_peepholes
        self.cell_clip = check_limit(cell_clip, "LSTMCell: cell_clip")
        self.kernel_initializer = check_initializer(initializer, "LSTMCell: initializer")
        self.num_proj = check_projection(num_proj, "LSTMCell")
        self.proj_clip = check_limit(proj_clip, "LSTMCell: proj_clip")
        if proj_clip is not None and num_proj is None:
            raise ArgumentError("LSTMCell: proj_clip limits the projection, and there is none; give num_proj as well")
        for shards in (num_unit_shards, num_proj_shards):
            if shards not in (None, 1):
                raise UnsupportedError(f"LSTMCell: {shards} shards: {_SHARDS}; leave the argument out")
        self.forget_bias = check_number(forget_bias, "LSTMCell: forget_bias")
        self.state_is_tuple = state_is_tuple

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        c, h = self.parted(state)
        kernel, bias = self.weights_for(inputs, self.kernels[0])
        i, j, f, o = split(concat([inputs, h], axis=-1) @ kernel + bias, 4, axis=-1)
        f = gate("f", sigmoid, self._seeing(c, "f", f + self.forget_bias))
        i = gate("i", sigmoid, self._seeing(c, "i", i))
        j = gate("j", self.activation, j)
        new_c = named(clipped(f * c + i * j, self.cell_clip), "c")
        o = gate("o", sigmoid, self._seeing(new_c, "o", o))
        new_h = o * self.activation(new_c)
        if self.num_proj is not None:
            rows, columns, draw = {"m": self.num_units}, {"h": self.num_proj}, self.kernel_initializer
            new_h = new_h @ self.add_weight("projection/kernel", None, draw, rows=rows, columns=columns, dtype=c.dtype)
        new_h = named(clipped(new_h, self.proj_clip), "h")
        return new_h, self.whole(new_c, new_h)

    def _seeing(self, c: Tensor, letter: str, x: Tensor) -> Tensor:
        return x + peephole(self, f"w_{letter}_diag", letter, c, self.kernel_initializer) if self.use_peepholes else x
