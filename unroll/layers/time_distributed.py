"""A layer applied to each step of a sequence."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.cells.rnn_cell import agreed
from unroll.dimensions import Dim, shape_text
from unroll.drivers.steps import ListedSteps, RolledSteps, steps_of
from unroll.errors import ArgumentTypeError, ShapeError, UnsupportedError
from unroll.layers.arguments import Regularizer, keep
from unroll.layers.input_checks import check_steps
from unroll.layers.layer import Layer
from unroll.layers.sublayers import keras_shape
from unroll.tensor import Tensor, constant, named


class TimeDistributed(Layer):
    """A layer on every step of ``(batch, time, ...)``, with one set of weights: Keras 3's ``TimeDistributed``.

    Args:
        layer: the layer; each step is ``(batch, ...)`` to it. One that is stateful is refused.
        rolled: trace the layer once, on all steps as rows of one batch, where the time is known too; not in Keras 3.
        name: the layer's scope; ``time_distributed`` by default.
        dtype: to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentTypeError: `layer` is no layer.
        UnsupportedError: it is stateful.

    Example:
        >>> layer = layers.TimeDistributed(layers.Dense(3))
        >>> layer(unroll.placeholder([None, 7, 5], name="x")).shape
        (batch, 7, 3)
    """

    supports_masking = True
    rolled: bool

    def __init__(
        self,
        layer: Layer,
        *,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable, activity_regularizer=activity_regularizer)
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f"TimeDistributed: layer {layer!r} is no layer; give one, such as layers.Dense(3)")
        if getattr(layer, "stateful", False):
            raise UnsupportedError(
                f"TimeDistributed: {layer.described()} is stateful, and is to be called on every step: its state would go on "
                "from step to step, though steps stand side by side. Leave stateful out, or stack recurrent layers"
            )
        keep(self, {"rolled": rolled})
        self.layer = layer

    def _check(self, inputs: Any) -> None:
        for leaf in nest.flatten(inputs):
            if leaf.rank < 3:
                raise ShapeError(f"{self.described()}: the input {leaf.described()} must be (batch, time, features)")

    def build(self, input_shape: Any) -> None:
        """Build the layer for one step."""
        self._build_part(self.layer, (input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Trace the layer on each step.

        Args:
            inputs: ``(batch, time, ...)``.
            mask: bool ``(batch, time, ...)``; the layer is handed that of its step, where it takes one.

        Returns:
            ``(batch, time, ...)``: what the layer returns for each step, stacked.

        Raises:
            ShapeError: the mask does not begin with ``(batch, time)``.
        """
        check_steps(nest.flatten(inputs)[0], 1, self.rolled, self.described())
        steps = steps_of(inputs, 1, self.described(), rolled=self.rolled)
        mask = self._checked_mask(inputs, mask, steps.time)
        if isinstance(steps, RolledSteps):
            return self._on_rows(inputs, mask)
        masks = [None] * len(steps.items) if mask is None else ops.unstack(mask, axis=1)
        outputs = []
        for step, (x, step_mask) in enumerate(zip(steps.items, masks, strict=True)):
            with scopes.at_step(step):
                outputs.append(self.layer(x, mask=step_mask))
        return ListedSteps(outputs).joined(1)

    def _checked_mask(self, inputs: Any, mask: Any, time: Dim) -> Tensor | None:
        """Return the mask of the layer's steps, checked; None where there is nothing in it for a step."""
        if mask is None:
            return None
        mask = mask if isinstance(mask, Tensor) else constant(mask)
        wanted = (*nest.flatten(inputs)[0].shape[:1], time)
        mask = agreed(mask, (*wanted, *mask.shape[2:]), f"{self.described()}: the mask")
        if mask.shape[:2] != wanted:
            raise ShapeError(
                f"{self.described()}: the mask {mask.described()} was given, and the inputs begin with {shape_text(wanted)}"
            )
        return mask if mask.rank > 2 else None

    def _on_rows(self, inputs: Any, mask: Tensor | None) -> Any:
        """Trace the layer once, on all steps of all rows as rows of one batch."""
        first = nest.flatten(inputs)[0]
        rows = nest.map_leaves(lambda tensor: _as_rows(tensor, "x"), inputs)
        outputs = self.layer(rows, mask=None if mask is None else _as_rows(mask, "mask"))
        axes = ops.shape(first)[:2]
        return nest.map_leaves(
            lambda tensor: named(ops.reshape(tensor, ops.concat([axes, ops.shape(tensor)[1:]], axis=0)), "outputs"),
            outputs,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = keras_shape(input_shape)
        step = self.layer.compute_output_shape((shape[0], *shape[2:]))
        return (step[0], shape[1], *step[1:])


def _as_rows(tensor: Tensor, name: str) -> Tensor:
    """Return ``(batch, time, ...)`` as ``(batch * time, ...)``."""
    rest = ops.shape(tensor)[2:]
    return named(ops.reshape(tensor, ops.concat([[-1], rest], axis=0)), name)
