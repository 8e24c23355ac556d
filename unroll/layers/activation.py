"""Layers that act on each element by itself, and softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from unroll import activations, ops
from unroll.activations import Activation as ActivationLike
from unroll.errors import ShapeError
from unroll.initializers import Draw, InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, ints_of, or_none
from unroll.layers.cell import Function
from unroll.layers.declared import Declared, declared
from unroll.layers.input_checks import check_floats
from unroll.layers.sublayers import keras_shape, width
from unroll.parameter import Parameter
from unroll.tensor import Tensor, named


def masked_score(scores: Tensor) -> float:
    """Return what stands for a score that is left out of a softmax: the same number as in Keras."""
    return -3e4 if scores.dtype == np.float16 else -1e9


class Elementwise(Declared):
    """A layer whose output has the shape and the mask of its input."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return keras_shape(input_shape)


@declared
class Activation(Elementwise):
    """An activation as a layer: Keras 3's ``Activation``.

    Args:
        activation: a name of `unroll.activations`, or a function of a tensor.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: there is no such activation.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = layers.Activation("relu")(x)
        >>> unroll.Graph([x], y).run({x: [-1, 0, 2]}, y)
        array([0., 0., 2.], dtype=float32)
    """

    activation: ActivationLike | None

    def call(self, inputs: Tensor) -> Tensor:
        """Return the activation of the inputs."""
        return cast("Function", self.activation)(inputs)


@declared
class ReLU(Elementwise):
    """``x`` above `threshold`, at most `max_value`; ``negative_slope * (x - threshold)`` below: Keras 3's ``ReLU``.

    Args:
        max_value: the largest result; None for none.
        negative_slope: of what is below the threshold.
        threshold: from where on the input is handed on.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, DTypeError: an argument is no number.

    Example:
        >>> x = unroll.placeholder([3], name="x")
        >>> y = layers.ReLU(max_value=6, negative_slope=0.5)(x)
        >>> unroll.Graph([x], y).run({x: [-1, 3, 7]}, y)
        array([-0.5,  3. ,  6. ], dtype=float32)
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, bent and limited."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@declared
class LeakyReLU(Elementwise):
    """``x`` above zero, ``negative_slope * x`` below: Keras 3's ``LeakyReLU`` (Maas et al. 2013).

    Args:
        negative_slope: the slope below zero.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, DTypeError: it is no number.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = layers.LeakyReLU(0.5)(x)
        >>> unroll.Graph([x], y).run({x: [-4, 4]}, y)
        array([-2.,  4.], dtype=float32)
    """

    negative_slope: float = 0.3

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, those below zero made smaller."""
        return activations.leaky_relu(inputs, self.negative_slope)


@declared
class ELU(Elementwise):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below: Keras 3's ``ELU`` (Clevert et al. 2015, arXiv:1511.07289).

    Args:
        alpha: the distance to zero of the results far below it.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, DTypeError: it is no number.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = layers.ELU()(x)
        >>> unroll.Graph([x], y).run({x: [0, 4]}, y)
        array([0., 4.], dtype=float32)
    """

    alpha: float = 1.0

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, those below zero bent towards ``-alpha``."""
        return activations.elu(inputs, self.alpha)


@declared
class PReLU(Elementwise):
    """``x`` above zero, ``alpha * x`` below, with a learned alpha: Keras 3's ``PReLU`` (He et al. 2015, arXiv:1502.01852).

    Weights: alpha, of the shape of one example, of size 1 on the axes that share it.

    Args:
        alpha_initializer: draws alpha; a name, an object of `unroll.initializers`, an array, or a function of (shape, dtype).
        alpha_regularizer: kept; it acts in training only.
        alpha_constraint: kept; it acts in training only.
        shared_axes: the axes along which alpha is one number, counted with the batch as 0; such as ``[1]`` for the steps of a
            sequence, whose number then need not be known.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: a size that alpha has is not known.

    Example:
        >>> layer = layers.PReLU(alpha_initializer="ones", shared_axes=[1])
        >>> layer(unroll.placeholder([None, None, 3], name="x")).dtype, layer.alpha.shape
        (dtype('float32'), (1, 3))
    """

    TRAINING_ONLY = ("alpha_regularizer", "alpha_constraint", *Elementwise.TRAINING_ONLY)
    CHECKS = {"shared_axes": or_none(ints_of)}  # noqa: RUF012
    alpha_initializer: InitializerLike = "zeros"
    alpha_regularizer: Regularizer = None
    alpha_constraint: Constraint = None
    shared_axes: int | Sequence[int] | None = None

    def _settle(self) -> None:
        if isinstance(self.shared_axes, int):
            self.shared_axes = [self.shared_axes]

    def build(self, input_shape: Any) -> None:
        """Make alpha.

        Raises:
            ShapeError: the input has no axis that `shared_axes` names.
        """
        shared = cast("list[int] | None", self.shared_axes) or []
        for axis in shared:
            if not 1 <= axis < len(input_shape):
                raise ShapeError(
                    f"{self.described()}: shared_axes names axis {axis}, and beyond the batch the input has axes 1 to "
                    f"{len(input_shape) - 1}"
                )
        self.fixed_axes = tuple(axis for axis in range(1, len(input_shape)) if axis not in shared)
        shape = [
            width(input_shape, axis, self.described()) if axis in self.fixed_axes else 1
            for axis in range(1, len(input_shape))
        ]
        draw = cast("Draw", self.alpha_initializer)
        self.alpha: Parameter = self.add_weight(name="alpha", shape=shape, initializer=draw)

    def _check(self, inputs: Any) -> None:
        check_floats(inputs, self.described())
        super()._check(inputs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, those below zero times alpha."""
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)


@declared
class Softmax(Elementwise):
    """``exp(x)`` over its sum along an axis: Keras 3's ``Softmax``.

    Args:
        axis: the axis, or several that are summed over together.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `axis` is neither an int nor a list of ints.
        ShapeError: there is no such axis.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> y = layers.Softmax()(x, mask=[[True, False]])
        >>> unroll.Graph([x], y).run({x: [[3, 5]]}, y)
        array([[1., 0.]], dtype=float32)
    """

    axis: int | Sequence[int] = -1

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the softmax; what the mask leaves out is 0.

        Args:
            inputs: floats.
            mask: bool, and broadcasts to the inputs: true where an element counts.

        Returns:
            Floats of the shape of the inputs.
        """
        if mask is not None:
            inputs = ops.where(mask, inputs, masked_score(inputs))
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        if len(axes) == 1:
            result = ops.softmax(inputs, axes[0])
        else:
            powers = ops.exp(inputs - ops.reduce_max(inputs, axes, keepdims=True))
            result = powers / ops.reduce_sum(powers, axes, keepdims=True)
        return result if mask is None else named(ops.where(mask, result, 0), "softmax")
