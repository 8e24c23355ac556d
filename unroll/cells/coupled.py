"""The LSTM whose input gate is what its forget gate leaves."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import blend, check_initializer, check_limit, clipped, peephole, sharded
from unroll.cells.gated import gate
from unroll.cells.layer_norm import NormedCell
from unroll.checks import check_number, check_size
from unroll.errors import ArgumentError
from unroll.initializers import ZEROS
from unroll.ops import concat, sigmoid, split
from unroll.tensor import Tensor, named


class CoupledInputForgetGateLSTMCell(NormedCell):
    """The LSTM with coupled gates: Greff et al. 2015 (arXiv:1503.04069), as TensorFlow 1's contrib cell of this name.

    ``j, f, o = split([x, h] @ W + B)``; ``f = sigmoid(f + forget_bias + W_F_diag * c)``;
    ``c' = f * c + (1 - f) * activation(j)``; ``h' = sigmoid(o + W_O_diag * c') * activation(c')``, times W_P and limited to
    ``-proj_clip .. proj_clip`` where there is a projection.
    W ``(input + num_proj, 3 * num_units)``, as ``W_0`` or in pieces of rows ``W_0``, ``W_1``, ...; B ``(3 * num_units,)``,
    zeros at first; W_F_diag and W_O_diag ``(num_units,)``; W_P ``(num_units, num_proj)``, in pieces likewise. With
    `layer_norm` j, f, o and c' are normalised (arXiv:1607.06450), with a gamma and a beta each, and B takes no part.

    Args:
        num_units: the width of c.
        use_peepholes: the gates see c, by W_F_diag and W_O_diag.
        initializer: draws W and W_P; glorot uniform by default.
        num_proj: the width of h and of the output, where it is projected; `num_units` by default.
        proj_clip: limits the projected output; only with `num_proj`.
        num_unit_shards: how many pieces W is stored in.
        num_proj_shards: how many pieces W_P is stored in.
        forget_bias: added to the forget gate before its sigmoid; not part of B.
        state_is_tuple: the state is ``LSTMStateTuple(c, h)``; if False, one tensor with c before h on the last axis.
        activation: a name or a function of a tensor; tanh by default.
        reuse: TensorFlow's; only None and False are taken.
        layer_norm: there are norms.
        norm_gain: the first value of the gammas.
        norm_shift: the first value of the betas.
        name: the cell's scope; ``coupled_input_forget_gate_lstm_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: an invalid size or number, more pieces than rows, a `proj_clip` without
            `num_proj`, or an unknown activation or initialiser.

    Example:
        >>> cell = unroll.cells.CoupledInputForgetGateLSTMCell(13)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 28], name="x")])
        >>> cell.weights["W_0"].shape  # columns of j, f and o; i is 1 - f
        (41, 39)
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int = 1,
        num_proj_shards: int = 1,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation | None = None,
        reuse: bool | None = None,
        layer_norm: bool = False,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        options = {"reuse": reuse, "name": name, "dtype": dtype, "num_proj": num_proj, "state_is_tuple": state_is_tuple}
        super().__init__(num_units, layer_norm, norm_gain, norm_shift, **options)
        what = type(self).__name__
        self.use_peepholes = use_peepholes
        self.initializer = check_initializer(initializer, f"{what}: initializer")
        self.proj_clip = check_limit(proj_clip, f"{what}: proj_clip")
        if self.proj_clip is not None and num_proj is None:
            raise ArgumentError(f"{what}: proj_clip limits the projected output; give num_proj too")
        self.num_unit_shards = check_size(num_unit_shards, f"{what}: num_unit_shards")
        self.num_proj_shards = check_size(num_proj_shards, f"{what}: num_proj_shards")
        self.forget_bias = check_number(forget_bias, f"{what}: forget_bias")
        self.activation = get_activation(activation, "tanh", what)

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        units, width, draw, dtype = self.num_units, self.output_size, self.initializer, inputs.dtype
        c, h = self.parted(state)
        rows, columns = {"x": inputs.shape[-1], "h": width}, dict.fromkeys("jfo", units)
        z = concat([inputs, h], axis=-1) @ sharded(self, "W", rows, columns, self.num_unit_shards, draw, dtype)
        if not self.layer_norm:
            z = z + self.add_weight("B", None, ZEROS, columns=columns, dtype=dtype)
        j, f, o = split(z, 3, axis=-1)
        j = gate("j", lambda x: self.activation(self.normalised("j", x)), j)
        f = gate("f", lambda x: sigmoid(self._seeing(c, "f", self.normalised("f", x) + self.forget_bias)), f)
        new_c = named(self.normalised("c", blend(f, c, j)), "c")
        o = gate("o", lambda x: sigmoid(self._seeing(new_c, "o", self.normalised("o", x))), o)
        new_h = o * self.activation(new_c)
        if self.num_proj is not None:
            new_h = new_h @ sharded(self, "W_P", {"m": units}, {"h": width}, self.num_proj_shards, draw, dtype)
        new_h = named(clipped(new_h, self.proj_clip), "h")
        return new_h, self.whole(new_c, new_h)

    def _seeing(self, c: Tensor, letter: str, x: Tensor) -> Tensor:
        return x + peephole(self, f"W_{letter.upper()}_diag", letter, c) if self.use_peepholes else x
