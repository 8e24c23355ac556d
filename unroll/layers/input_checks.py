"""What layers check of their inputs."""

from __future__ import annotations

from typing import Any

from unroll import nest
from unroll.dimensions import Dimension
from unroll.errors import ArgumentTypeError, DTypeError, ShapeError, StructureError
from unroll.layers.configs.names import current
from unroll.layers.sublayers import KerasShape
from unroll.tensor import Tensor


def check_tensors(inputs: Any, what: str) -> None:
    """Check that a nest holds tensors.

    Raises:
        ArgumentTypeError: something else is among them.
    """
    for leaf in nest.flatten(inputs):
        if not isinstance(leaf, Tensor):
            raise ArgumentTypeError(
                f"{what}: the input {nest.sketch(inputs)} of type {type(leaf).__name__} is no tensor; make one with "
                "unroll.placeholder or unroll.constant. An array goes to Sequential.predict"
            )


def check_floats(inputs: Any, what: str) -> None:
    """Check that the input is one tensor of a floating dtype.

    Raises:
        StructureError, DTypeError: it is not.
    """
    if nest.is_nested(inputs):
        raise StructureError(f"{what}: the input {nest.sketch(inputs)} is a nest; one tensor is wanted")
    if inputs.dtype.kind != "f":
        raise DTypeError(
            f"{what}: the input {inputs.described()} must be of dtype float32 or float64; convert it with "
            "unroll.ops.cast(x, dtype)"
        )


def check_sizes(x: Tensor, axes: tuple[int, ...], built_for: KerasShape | None, what: str) -> None:
    """Check the axes that a layer's weights depend on.

    Args:
        x: the input.
        axes: the axes.
        built_for: the shape that the layer was built for, where it was.
        what: the layer, for messages.

    Raises:
        ShapeError: a size is not known, or another than that of the first call.
    """
    for axis in axes:
        if x.rank < 2:
            raise ShapeError(f"{what}: the input {x.described()} must be (batch, ..., features)")
        if not -x.rank <= axis < x.rank:
            raise ShapeError(f"{what}: the input {x.described()} has no axis {axis}")
        size = x.shape[axis]
        if isinstance(size, Dimension):
            raise ShapeError(f"{what}: the input {x.described()} must have a known size on axis {axis}")
        if built_for is not None and size != built_for[axis]:
            raise ShapeError(
                f"{what}: the input {x.described()} has {size} on axis {axis}, and the layer's weights are for "
                f"{built_for[axis]}; it is reused only with inputs of one width. Make a second layer"
            )


def check_steps(inputs: Tensor, axis: int, rolled: bool, what: str) -> None:
    """Check that a file that is read does not ask for more steps than anybody unrolls.

    Raises:
        UnsupportedError: it does.
    """
    room, time = current().room, inputs.shape[axis]
    if room is not None and not rolled and isinstance(time, int):
        room.spend(time, what)
