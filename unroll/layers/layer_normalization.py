"""Layer normalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import ops
from unroll.initializers import Draw, InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.layer import Layer
from unroll.layers.sublayers import keras_shape, width
from unroll.parameter import Parameter
from unroll.tensor import Tensor


class LayerNormalization(Layer):
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` over some axes: Ba et al. 2016 (arXiv:1607.06450).

    Keras 3's ``LayerNormalization``. Weights: gamma and beta, of the shape of those axes.

    Args:
        axis: the axis or axes; they must be of known size.
        epsilon: added to the variance.
        center: add beta.
        scale: multiply with gamma.
        beta_initializer: draws beta; a name, an object of `unroll.initializers`, an array, or a function of (shape, dtype).
        gamma_initializer: draws gamma.
        beta_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        gamma_regularizer: see `beta_regularizer`.
        beta_constraint: see `beta_regularizer`.
        gamma_constraint: see `beta_regularizer`.
        name: the layer's scope; ``layer_normalization`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> y = layers.LayerNormalization(epsilon=0.0)(x)
        >>> unroll.Graph([x], y).run({x: [[1, 5]]}, y)  # the mean is 3, the standard deviation 2
        array([[-1.,  1.]], dtype=float32)
    """

    TRAINING_ONLY = (
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
        *Layer.TRAINING_ONLY,
    )
    REFUSED: ClassVar[Mapping[str, str]] = {
        **Layer.REFUSED,
        "rms_scaling": "Keras itself gives it up, for it scales by the variance; leave it out",
    }
    supports_masking = True
    axis: int | list[int]
    epsilon: float
    center: bool
    scale: bool
    beta_initializer: Draw
    gamma_initializer: Draw
    gamma: Parameter | None
    beta: Parameter | None

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())
        self.fixed_axes = tuple(sorted([self.axis] if isinstance(self.axis, int) else self.axis))

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        shape = tuple(width(input_shape, axis, self.described()) for axis in self.fixed_axes)
        self.gamma = (
            self.add_weight(name="gamma", shape=shape, initializer=self.gamma_initializer) if self.scale else None
        )
        self.beta = (
            self.add_weight(name="beta", shape=shape, initializer=self.beta_initializer) if self.center else None
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, normalised."""
        axes = sorted(axis % inputs.rank for axis in self.fixed_axes)
        centred = inputs - ops.reduce_mean(inputs, axes, keepdims=True)
        variance = ops.reduce_mean(centred * centred, axes, keepdims=True)
        normal = centred / ops.sqrt(variance + self.epsilon)
        wide = (
            [int(dim) if axis in axes else 1 for axis, dim in enumerate(inputs.shape)]
            if axes[0] != inputs.rank - 1
            else None
        )
        for weight, apply in ((self.gamma, ops.mul), (self.beta, ops.add)):
            if weight is not None:
                normal = apply(normal, weight if wide is None else ops.reshape(weight, wide))
        return normal

    def compute_output_shape(self, input_shape: Any) -> Any:
        return keras_shape(input_shape)
