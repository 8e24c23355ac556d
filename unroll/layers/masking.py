"""The layer that masks steps by their value."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import ops
from unroll.checks import plain, shown
from unroll.errors import ArgumentTypeError
from unroll.layers.arguments import Regularizer, keep
from unroll.layers.layer import Layer
from unroll.layers.mask_tracking import set_masks
from unroll.layers.sublayers import keras_shape
from unroll.tensor import Tensor, named


class Masking(Layer):
    """Masks the steps of ``(batch, time, features)`` all of whose features are `mask_value`: Keras 3's ``Masking``.

    Masked steps are zero in the output, which carries the mask; later layers follow it by themselves.

    Args:
        mask_value: a number.
        name: the layer's scope; ``masking`` by default.
        dtype: to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentTypeError: `mask_value` is no number.

    Example:
        >>> model = layers.Sequential([layers.Input((7, 5)), layers.Masking(mask_value=-1.0), layers.LSTM(13)])
        >>> model.trace().outputs[0].shape  # the state after the last step that is not masked
        (batch, 13)
    """

    mask_value: float

    def __init__(
        self,
        mask_value: float = 0.0,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())
        self.mask_value = plain(mask_value)
        if isinstance(self.mask_value, bool) or not isinstance(self.mask_value, (int, float)):
            raise ArgumentTypeError(f"Masking: mask_value is {shown(mask_value)}; a number is wanted")

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with masked steps zero."""
        mask = self.compute_mask(inputs, None)
        outputs = ops.where(ops.unsqueeze(mask, [-1]), inputs, 0)
        set_masks(outputs, mask)
        return outputs

    def compute_mask(self, inputs: Tensor, mask: Any) -> Any:
        differs = ops.cast(ops.logical_not(ops.equal(inputs, self.mask_value)), "int32")
        return named(ops.cast(ops.reduce_max(differs, [-1], keepdims=False), "bool"), "mask")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return keras_shape(input_shape)
