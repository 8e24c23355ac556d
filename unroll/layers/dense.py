"""The densely connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import ops
from unroll.activations import Activation as ActivationLike
from unroll.initializers import Draw, InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.cell import Function
from unroll.layers.layer import Layer
from unroll.layers.sublayers import keras_shape, width
from unroll.parameter import Parameter
from unroll.tensor import Tensor

LORA = "low-rank adapters are for training; merge them into the weights and give those"
QUANTIZED = "weights are floating-point; give them as they are before quantization"


class Dense(Layer):
    """``activation(x @ kernel + bias)`` over the last axis: Keras 3's ``Dense``.

    Weights: kernel ``(features, units)``, bias ``(units,)``.

    Args:
        units: the width of the output.
        activation: a name of `unroll.activations`, a function of a tensor, or None for none.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        bias_initializer: draws the bias.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        bias_regularizer: see `kernel_regularizer`.
        activity_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.
        lora_rank: refused.
        lora_alpha: refused.
        quantization_config: refused.
        name: the layer's scope; ``dense`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        UnsupportedError: an argument that is refused is given.

    Example:
        >>> layer = layers.Dense(2, kernel_initializer="ones", bias_initializer="ones")
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> y = layer(x)
        >>> unroll.Graph([x], y).run({x: [[1, 2, 3]]}, y)  # 1 + 2 + 3, plus 1
        array([[7., 7.]], dtype=float32)
    """

    TRAINING_ONLY = (
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
        *Layer.TRAINING_ONLY,
    )
    REFUSED: ClassVar[Mapping[str, str]] = {
        **Layer.REFUSED,
        "lora_rank": LORA,
        "lora_alpha": LORA,
        "quantization_config": QUANTIZED,
    }
    supports_masking = True
    fixed_axes = (-1,)
    units: int
    use_bias: bool
    activation: Function
    kernel_initializer: Draw
    bias_initializer: Draw
    kernel: Parameter
    bias: Parameter | None

    def __init__(
        self,
        units: int,
        activation: ActivationLike | None = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        shape = (width(input_shape, -1, self.described()), self.units)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=shape[1:], initializer=self.bias_initializer)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(batch, ..., units)``."""
        product = ops.matmul(inputs, self.kernel)
        return self.activation(product if self.bias is None else product + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*keras_shape(input_shape)[:-1], self.units)
