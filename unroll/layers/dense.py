"""The densely connected layer, and the layers that act on each element: activation and dropout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Activation(Layer):
    """An activation as a layer: Keras 3's ``Activation``.

    Args:
        activation: a name of `unroll.activations`, or a function of a tensor.
        name: the layer's scope; ``activation`` by default.
        dtype: to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: there is no such activation.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = layers.Activation("relu")(x)
        >>> unroll.Graph([x], y).run({x: [-1, 0, 2]}, y)
        array([0., 0., 2.], dtype=float32)
    """

    supports_masking = True
    activation: Function

    def __init__(
        self,
        activation: ActivationLike | None,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())

    def call(self, inputs: Tensor) -> Tensor:
        """Return the activation of the inputs."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return keras_shape(input_shape)


class Dropout(Layer):
    """Hands its input on: dropout acts in training only (Srivastava et al. 2014). Keras 3's ``Dropout``.

    Args:
        rate: kept; the part of the inputs that training sets to zero, 0 to 1.
        noise_shape: kept; the shape of what training draws.
        seed: kept; of what training draws.
        name: the layer's scope; ``dropout`` by default.
        dtype: to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: `rate` is not a number from 0 to 1.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = layers.Dropout(0.5)(x)
        >>> unroll.Graph([x], y).run({x: [3, 4]}, y)
        array([3., 4.], dtype=float32)
    """

    TRAINING_ONLY = ("rate", "noise_shape", "seed", *Layer.TRAINING_ONLY)
    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return keras_shape(input_shape)
