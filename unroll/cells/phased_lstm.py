"""The LSTM whose units open and close with time."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.cells.building_blocks import LSTMLikeCell, blend, check_share, linear
from unroll.cells.gated import gate
from unroll.checks import check_number
from unroll.dimensions import Shape, shape_text
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError, DTypeError, ShapeError, StructureError
from unroll.initializers import Constant, generator
from unroll.ops import sigmoid, tanh
from unroll.tensor import Tensor, named


class PhasedLSTMCell(LSTMLikeCell):
    """The LSTM with a time gate: Neil et al. 2016 (arXiv:1610.09513), as TensorFlow 1's contrib ``PhasedLSTMCell``.

    A step's input is ``(time, x)``, time ``(batch, 1)``. ``i, f = split(sigmoid([x, h, c] @ mask_gates/kernel + bias))``;
    ``j = tanh([x, h] @ new_input/kernel + bias)``; ``c~ = c * f + i * j``;
    ``o = sigmoid([x, h, c~] @ output_gate/kernel + bias)``; ``h~ = tanh(c~) * o``; without peepholes the c rows are not there.
    With ``p = ((time - phase) mod period) / period``, the time gate k is ``2 p / ratio_on`` in the first half of the open
    time, ``2 - 2 p / ratio_on`` in the second, and ``leak * p`` where ``p >= ratio_on``; ``c' = k * c~ + (1 - k) * c`` and
    ``h' = k * h~ + (1 - k) * h``. period, phase and ratio_on are ``(num_units,)``. The state is ``LSTMStateTuple(c, h)``.

    The time may be float64 where x is float32: the phase is then computed in float64, as long times need.

    Args:
        num_units: the width of the state's two parts and of the output.
        use_peepholes: the gates see c.
        leak: what a closed gate lets through, 0 .. 1.
        ratio_on: the first share of the period in which the gate is open, 0 .. 1.
        trainable_ratio_on: kept as an attribute; it acts in training only.
        period_init_min: the shortest of the first periods, above 0; they are drawn evenly in their logarithm.
        period_init_max: the longest of them; phases are drawn evenly from 0 to the period.
        reuse: TensorFlow's; only None and False are taken.
        name: the cell's scope; ``phased_lstm_cell`` by default.
        dtype: the dtype of the weights; by default that of x.

    Raises:
        ArgumentTypeError, ArgumentError: a size or number is invalid or out of range.
        StructureError, ShapeError, DTypeError: when called with an input that is not ``(time, x)``.

    Example:
        >>> cell = unroll.cells.PhasedLSTMCell(5)
        >>> time, x = unroll.placeholder([None, 1], name="time"), unroll.placeholder([None, 3], name="x")
        >>> outputs, state = unroll.static_rnn(cell, [(time, x)])  # each step says at which time it was measured
        >>> outputs[0].shape
        (batch, 5)
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ("trainable_ratio_on",)

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype)
        self.use_peepholes = use_peepholes
        self.leak = check_share(leak, "PhasedLSTMCell: leak")
        self.ratio_on = check_share(ratio_on, "PhasedLSTMCell: ratio_on")
        self.trainable_ratio_on = trainable_ratio_on
        self.period_init_min = check_number(period_init_min, "PhasedLSTMCell: period_init_min")
        self.period_init_max = check_number(period_init_max, "PhasedLSTMCell: period_init_max")
        if not 0 < self.period_init_min <= self.period_init_max:
            raise ArgumentError(
                f"PhasedLSTMCell: periods from {period_init_min} to {period_init_max}; above 0 and in order is wanted"
            )

    def check_input(self, inputs: Any) -> Tensor | None:
        what = f"PhasedLSTMCell {self.name!r}: the input"
        if not isinstance(inputs, (tuple, list)) or len(inputs) != 2 or not isinstance(inputs[0], Tensor):
            raise StructureError(f"{what} {nest.sketch(inputs)} was given where (time, x) is wanted")
        time, x = inputs
        main = super().check_input(x)
        if time.shape != (*x.shape[:-1], 1):
            raise ShapeError(
                f"{what}'s time {time.described()} must be {shape_text((*x.shape[:-1], 1))}, one number a row"
            )
        if time.dtype.kind != "f":
            raise DTypeError(
                f"{what}'s time {time.described()} must be float32 or float64; convert it with unroll.ops.cast"
            )
        return main

    def call(self, inputs: Any, state: Any) -> tuple[Tensor, Any]:
        (time, x), (c, h), units = inputs, self.parted(state), self.num_units
        seen = {"x": x, "h": h}
        i, f = linear(self, seen | ({"c": c} if self.use_peepholes else {}), ("i", "f"), units, "mask_gates")
        i = gate("i", sigmoid, i)
        f = gate("f", sigmoid, f)
        j = gate("j", tanh, linear(self, seen, ("j",), units, "new_input")[0])
        new_c = named(c * f + i * j, "c_open")
        (o,) = linear(self, seen | ({"c": new_c} if self.use_peepholes else {}), ("o",), units, "output_gate")
        new_h = named(tanh(new_c) * gate("o", sigmoid, o), "h_open")
        with scopes.in_gate("k"):
            k = named(_time_gate(self, time, x.dtype), "")
        new_c, new_h = named(blend(k, new_c, c), "c"), named(blend(k, new_h, h), "h")
        return new_h, self.whole(new_c, new_h)


def _time_gate(cell: PhasedLSTMCell, time: Tensor, dtype: DType) -> Tensor:
    """Return how far each unit is open at `time`, ``(batch, num_units)``."""
    columns = {"k": cell.num_units}

    def draw_period(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        low, high = math.log(cell.period_init_min), math.log(cell.period_init_max)
        return np.exp(generator(name, seed).uniform(low, high, shape)).astype(dtype)

    def draw_phase(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        return (generator(name, seed).random(shape) * period.value).astype(dtype)

    period = cell.add_weight("period", None, draw_period, columns=columns, dtype=dtype)
    phase = cell.add_weight("phase", None, draw_phase, columns=columns, dtype=dtype)
    ratio_on = cell.add_weight("ratio_on", None, Constant(cell.ratio_on), columns=columns, dtype=dtype)
    turns = (time - _cast(phase, time.dtype)) / _cast(period, time.dtype)
    share = _cast(turns - ops.floor(turns), dtype)
    rising = 2 * share / ratio_on
    k = ops.where(share < ratio_on, 2 - rising, cell.leak * share)
    return ops.where(share < 0.5 * ratio_on, rising, k)


def _cast(x: Tensor, dtype: DType) -> Tensor:
    return x if x.dtype == dtype else ops.cast(x, dtype)
