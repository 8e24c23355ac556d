"""Normalization by statistics: those that training has gathered, those of groups of channels, and the length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from unroll import ops
from unroll.checks import check_int, shown
from unroll.errors import ArgumentError, ShapeError
from unroll.initializers import Draw, InitializerLike
from unroll.layers.activation import Elementwise
from unroll.layers.arguments import Constraint, Regularizer
from unroll.layers.declared import declared
from unroll.layers.input_checks import check_floats
from unroll.layers.merging import unit
from unroll.layers.sublayers import width
from unroll.ops.operator import axes_of, axis_of
from unroll.parameter import Parameter
from unroll.tensor import Tensor

Check = Callable[[Any, str], Any]
_RENORM = "batch renormalization is for training; what it leaves is batch normalization: leave it out"


class Scaling(Elementwise):
    """A normalization with a factor gamma and a summand beta for each element of one axis."""

    def _draw(self, name: str) -> Draw:
        return cast("Draw", getattr(self, f"{name}_initializer"))

    def _add_scale(self, size: int) -> None:
        scale, center = getattr(self, "scale"), getattr(self, "center")  # noqa: B009  (fields of the subclasses)
        self.gamma: Parameter | None = self._one("gamma", size) if scale else None
        self.beta: Parameter | None = self._one("beta", size) if center else None

    def _one(self, name: str, size: int, trainable: bool = True) -> Parameter:
        return self.add_weight(name=name, shape=[size], initializer=self._draw(name), trainable=trainable)


@declared
class BatchNormalization(Scaling):
    """``(x - moving_mean) / sqrt(moving_variance + epsilon) * gamma + beta`` over one axis: Ioffe and Szegedy 2015
    (arXiv:1502.03167), as it is in inference. Keras 3's ``BatchNormalization``.

    Weights: gamma, beta, moving_mean, moving_variance, each of the size of the axis.

    Args:
        axis: the axis of the channels, whose size must be known.
        momentum: kept; it acts in training only.
        epsilon: added to the variance.
        center: add beta.
        scale: multiply with gamma.
        beta_initializer: draws beta; a name, an object of `unroll.initializers`, an array, or a function of (shape, dtype).
        gamma_initializer: draws gamma.
        moving_mean_initializer: draws the mean.
        moving_variance_initializer: draws the variance.
        beta_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        gamma_regularizer: see `beta_regularizer`.
        beta_constraint: see `beta_regularizer`.
        gamma_constraint: see `beta_regularizer`.
        renorm: refused.
        renorm_clipping: kept; it acts in training only.
        renorm_momentum: kept; it acts in training only.
        synchronized: kept; it acts in training only.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        UnsupportedError: an argument that is refused is given.
        ShapeError: the size of the axis is not known.

    Example:
        >>> layer = layers.BatchNormalization()
        >>> layer(unroll.placeholder([None, None, 3], name="x")).shape, [item.name for item in layer.weights][2:]
        ((batch, x_1, 3), ['batch_normalization/moving_mean', 'batch_normalization/moving_variance'])
    """

    TRAINING_ONLY = (
        "momentum",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
        "renorm_clipping",
        "renorm_momentum",
        "synchronized",
        *Scaling.TRAINING_ONLY,
    )
    REFUSED: ClassVar[Mapping[str, str]] = {**Scaling.REFUSED, "renorm": _RENORM}
    CHECKS: ClassVar[dict[str, Check]] = {"axis": check_int}
    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 0.001
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = "zeros"
    gamma_initializer: InitializerLike = "ones"
    moving_mean_initializer: InitializerLike = "zeros"
    moving_variance_initializer: InitializerLike = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None
    renorm: bool = False
    renorm_clipping: Any = None
    renorm_momentum: float = 0.99
    synchronized: bool = False

    def _settle(self) -> None:
        self.fixed_axes = (self.axis,)

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta, moving_mean and moving_variance."""
        size = width(input_shape, self.axis, self.described())
        self._add_scale(size)
        self.moving_mean: Parameter = self._one("moving_mean", size, trainable=False)
        self.moving_variance: Parameter = self._one("moving_variance", size, trainable=False)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, normalised by the moving statistics."""
        factor: Tensor = 1 / ops.sqrt(self.moving_variance + self.epsilon)
        factor = factor if self.gamma is None else factor * self.gamma
        summand = -self.moving_mean * factor
        summand = summand if self.beta is None else self.beta + summand
        after = inputs.rank - 1 - axis_of(self.axis, inputs.rank)
        if after:
            factor, summand = (ops.reshape(item, [-1] + [1] * after) for item in (factor, summand))
        return inputs * factor + summand


@declared
class GroupNormalization(Scaling):
    """Each example's groups of channels brought to mean 0 and variance 1: Wu and He 2018 (arXiv:1803.08494).

    Keras 3's ``GroupNormalization``. Weights: gamma and beta, of the size of the axis.

    Args:
        groups: into how many the channels are divided; -1 for as many as there are channels.
        axis: the axis of the channels, whose size must be known.
        epsilon: added to the variance.
        center: add beta.
        scale: multiply with gamma.
        beta_initializer: draws beta; a name, an object of `unroll.initializers`, an array, or a function of (shape, dtype).
        gamma_initializer: draws gamma.
        beta_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        gamma_regularizer: see `beta_regularizer`.
        beta_constraint: see `beta_regularizer`.
        gamma_constraint: see `beta_regularizer`.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: the size of the axis is not known, or no multiple of `groups`.

    Example:
        >>> layers.GroupNormalization(groups=2)(unroll.placeholder([None, None, 4], name="x")).shape
        (batch, x_1, 4)
    """

    TRAINING_ONLY = (
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
        *Scaling.TRAINING_ONLY,
    )
    CHECKS: ClassVar[dict[str, Check]] = {"axis": check_int, "groups": check_int}
    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = "zeros"
    gamma_initializer: InitializerLike = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None

    def _settle(self) -> None:
        self.fixed_axes = (self.axis,)
        if self.groups < 1 and self.groups != -1:
            raise ArgumentError(
                f"GroupNormalization: groups is {shown(self.groups)}; at least 1 is wanted, or -1 for a group of each channel"
            )

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta.

        Raises:
            ShapeError: the channels cannot be divided into `groups`.
        """
        size = width(input_shape, self.axis, self.described())
        if size % (self.groups if self.groups > 0 else size):
            raise ShapeError(
                f"{self.described()}: the {size} channels on axis {self.axis} cannot be divided into groups={self.groups}; "
                "give a divisor of them"
            )
        self._add_scale(size)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, normalised group by group."""
        axis = axis_of(self.axis, inputs.rank)
        size = int(inputs.shape[axis])
        groups = size if self.groups == -1 else self.groups
        shape = ops.shape(inputs)
        parts: list[Any] = [shape[:axis], [groups, size // groups], shape[axis + 1 :]]
        grouped = ops.reshape(inputs, ops.concat(parts if axis < inputs.rank - 1 else parts[:2], axis=0))
        along = [place for place in range(1, grouped.rank) if place != axis]
        centred = grouped - ops.reduce_mean(grouped, along, keepdims=True)
        variance = ops.reduce_mean(centred * centred, along, keepdims=True)
        normal = ops.reshape(centred / ops.sqrt(variance + self.epsilon), shape)
        after = inputs.rank - 1 - axis
        for weight, apply in ((self.gamma, ops.mul), (self.beta, ops.add)):
            if weight is not None:
                normal = apply(normal, ops.reshape(weight, [-1] + [1] * after) if after else weight)
        return normal


@declared
class UnitNormalization(Elementwise):
    """The input divided by its length along some axes: Keras 3's ``UnitNormalization``.

    Args:
        axis: the axis or axes.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: `axis` is neither an int nor a list of ints.
        ShapeError: there is no such axis.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> y = layers.UnitNormalization()(x)
        >>> unroll.Graph([x], y).run({x: [[3, 4]]}, y)
        array([[0.6, 0.8]], dtype=float32)
    """

    axis: int | Sequence[int] = -1

    def _check(self, inputs: Any) -> None:
        check_floats(inputs, self.described())

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, of length 1 along the axes."""
        return unit(inputs, axes_of(self.axis, inputs.rank, f"{self.described()}: axis"), 1e-12)
