"""Layer normalisation inside a cell, place by place."""

from __future__ import annotations

from typing import Any

from unroll.cells.building_blocks import LSTMLikeCell
from unroll.checks import check_number
from unroll.initializers import Constant
from unroll.ops import reduce_mean, sqrt
from unroll.tensor import Tensor

#: TensorFlow's names of the places that are normalised, by gate.
_PLACES = {"i": "input", "j": "transform", "f": "forget", "o": "output", "c": "state"}


class NormedCell(LSTMLikeCell):
    """An LSTM whose gates and c may be normalised.

    Args:
        num_units: the width of c.
        layer_norm: there are norms.
        norm_gain: the first value of the gammas.
        norm_shift: the first value of the betas.
        options: as `LSTMLikeCell`.
    """

    def __init__(self, num_units: int, layer_norm: bool, norm_gain: float, norm_shift: float, **options: Any) -> None:
        super().__init__(num_units, **options)
        self.layer_norm = layer_norm
        self.norm_gain = check_number(norm_gain, f"{type(self).__name__}: norm_gain")
        self.norm_shift = check_number(norm_shift, f"{type(self).__name__}: norm_shift")

    def normalised(self, gate: str, x: Tensor) -> Tensor:
        """Return `x` with mean 0 and variance 1 over the units of each row, times gamma plus beta; `x` without norms.

        Ba et al. 2016 (arXiv:1607.06450). The Parameters are gamma and beta ``(num_units,)`` under TensorFlow's name for
        the place: ``input``, ``transform``, ``forget``, ``output`` or ``state``.
        """
        if not self.layer_norm:
            return x
        place, columns, dtype = _PLACES[gate], {gate: self.num_units}, x.dtype
        gamma = self.add_weight(f"{place}/gamma", None, Constant(self.norm_gain), columns=columns, dtype=dtype)
        beta = self.add_weight(f"{place}/beta", None, Constant(self.norm_shift), columns=columns, dtype=dtype)
        centred = x - reduce_mean(x, [-1], keepdims=True)
        variance = reduce_mean(centred * centred, [-1], keepdims=True)
        return centred / sqrt(variance + 1e-12) * gamma + beta  # TensorFlow's epsilon
