"""The LSTM with layer normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy.typing as npt

from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import NOT_READ, check_share, linear, refuse_unused
from unroll.cells.gated import gate
from unroll.cells.layer_norm import NormedCell
from unroll.checks import check_number
from unroll.initializers import GLOROT_UNIFORM
from unroll.ops import sigmoid
from unroll.tensor import Tensor, named


class LayerNormBasicLSTMCell(NormedCell):
    """The LSTM with layer norms: Ba et al. 2016 (arXiv:1607.06450), TensorFlow 1's contrib ``LayerNormBasicLSTMCell``.

    ``i, j, f, o = split([x, h] @ kernel)``, each normalised; ``c' = norm(c * sigmoid(f + forget_bias) + sigmoid(i) *
    activation(j))``; ``h' = activation(c') * sigmoid(o)``. A norm takes mean and variance over the units of a row, and has a
    gamma and a beta ``(num_units,)`` under ``input``, ``transform``, ``forget``, ``output`` and ``state``.
    kernel ``(input + num_units, 4 * num_units)``; without norms also a bias ``(4 * num_units,)``. The state is
    ``LSTMStateTuple(c, h)``.

    Args:
        num_units: the width of the state's two parts and of the output.
        forget_bias: added to the forget gate before its sigmoid; not part of a bias.
        input_size: only None is taken: TensorFlow does not read it.
        activation: a name or a function of a tensor; tanh by default.
        layer_norm: there are norms.
        norm_gain: the first value of the gammas.
        norm_shift: the first value of the betas.
        dropout_keep_prob: kept as an attribute; dropout (arXiv:1603.05118) acts in training only.
        dropout_prob_seed: likewise.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``layer_norm_basic_lstm_cell`` by default.
        dtype: the dtype of the weights; by default that of the inputs.

    Raises:
        ArgumentTypeError, ArgumentError: an invalid size or number, or an unknown activation.
        UnsupportedError: an `input_size`.

    Example:
        >>> cell = unroll.cells.LayerNormBasicLSTMCell(5)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> cell.weights["kernel"].shape, cell.weights["forget/gamma"].shape
        ((8, 20), (5,))
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ("dropout_keep_prob", "dropout_prob_seed")
    REFUSED: ClassVar[Mapping[str, str]] = {**NormedCell.REFUSED, "input_size": NOT_READ}

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: None = None,
        activation: Activation | None = None,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: float = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, layer_norm, norm_gain, norm_shift, reuse=reuse, name=name, dtype=dtype)
        what = "LayerNormBasicLSTMCell"
        refuse_unused(input_size, f"{what}: input_size")
        self.forget_bias = check_number(forget_bias, f"{what}: forget_bias")
        self.activation = get_activation(activation, "tanh", what)
        self.dropout_keep_prob = check_share(dropout_keep_prob, f"{what}: dropout_keep_prob")
        self.dropout_prob_seed = dropout_prob_seed

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        c, h = self.parted(state)
        i, j, f, o = linear(
            self,
            {"x": inputs, "h": h},
            ("i", "j", "f", "o"),
            self.num_units,
            bias=not self.layer_norm,
            bias_initializer=GLOROT_UNIFORM,  # TensorFlow names no initialiser for it
        )
        i = gate("i", lambda x: sigmoid(self.normalised("i", x)), i)
        j = gate("j", lambda x: self.activation(self.normalised("j", x)), j)
        f = gate("f", lambda x: sigmoid(self.normalised("f", x) + self.forget_bias), f)
        o = gate("o", lambda x: sigmoid(self.normalised("o", x)), o)
        new_c = named(self.normalised("c", c * f + i * j), "c")
        new_h = named(self.activation(new_c) * o, "h")
        return new_h, self.whole(new_c, new_h)
