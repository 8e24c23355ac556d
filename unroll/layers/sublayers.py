"""Layers and cells as parts of others: their weights, their names, and shapes as Keras has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from unroll.checks import check_size, shown
from unroll.dimensions import shape_text
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.parameter import Parameter
from unroll.weights import WeightOwner

#: A shape as Keras has it: None where a size is not known.
KerasShape: TypeAlias = "tuple[int | None, ...]"


def own_weights(owner: WeightOwner) -> list[Parameter]:
    """Return the Parameters that a layer made itself, in Keras's order: what training leaves alone comes last."""
    untrained = vars(owner).get("_untrained", ())
    return [item for last in (False, True) for name, item in owner._weights.items() if (name in untrained) == last]


def weights_of(owner: WeightOwner) -> list[Parameter]:
    """Return the Parameters of a layer or cell, then those of the layers and cells that it holds as attributes."""
    found = dict.fromkeys(own_weights(owner))
    for name, value in vars(owner).items():
        if name not in ("_given", "_made", "_untrained"):
            for part in _parts(value):
                found |= dict.fromkeys(weights_of(part))
    return list(found)


def _parts(value: Any) -> list[WeightOwner]:
    if isinstance(value, (list, tuple, dict)):
        return [part for item in (value.values() if isinstance(value, dict) else value) for part in _parts(item)]
    return [value] if isinstance(value, WeightOwner) else []


def name_parts(parts: Iterable[Any], what: str) -> None:
    """Give the parts that have no name one of their own among their siblings: ``lstm``, ``lstm_1``, as Keras counts them.

    Raises:
        ArgumentError: two parts were given one name.
    """
    parts = list(dict.fromkeys(parts))
    named = [part._name for part in parts if getattr(part, "_name", None) is not None]
    twice = {name for name in named if named.count(name) > 1}
    if twice:
        raise ArgumentError(f"{what}: two layers are called {sorted(twice)[0]!r}; give one another name with name=")
    taken = set(named)
    for part in parts:
        if isinstance(part, WeightOwner) and getattr(part, "_name", "") is None:
            base, count = part._called, 0
            while (name := f"{base}_{count}" if count else base) in taken:
                count += 1
            taken.add(name)
            part._name = name  # type: ignore[attr-defined]


def keras_name(name: str) -> str:
    """Return a class name as Keras names its layers: ``ConvLSTM1D`` gives ``conv_lstm1d``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", name).lower()


def keras_shape(shape: Iterable[Any]) -> KerasShape:
    """Return a shape with None for each size that is not known.

    Raises:
        ArgumentTypeError: not a list of sizes.
    """
    if not isinstance(shape, (list, tuple)):
        raise ArgumentTypeError(f"an input shape is {shown(shape)}; a tuple such as (None, 28, 5) is wanted")
    for dim in shape:
        if isinstance(dim, (int, str, bytes, float)):
            check_size(dim, "a size in an input shape", least=0)
    return tuple(dim if isinstance(dim, int) else None for dim in shape)


def width(input_shape: Any, axis: int, what: str) -> int:
    """Return a size that weights depend on.

    Raises:
        ArgumentTypeError, ArgumentError: the shape is no list of sizes.
        ShapeError: it is not known.
    """
    if not isinstance(input_shape, (list, tuple)):
        raise ArgumentTypeError(
            f"{what}: the input shape is {shown(input_shape)}; a tuple such as (None, 28, 5) is wanted"
        )
    size = input_shape[axis] if -len(input_shape) <= axis < len(input_shape) else None
    if size is None:
        raise ShapeError(
            f"{what}: the weights depend on axis {axis} of the input, and its shape "
            f"{described_shape(input_shape)} does not say it"
        )
    return check_size(size, f"{what}: axis {axis} of the input", least=0)


def described_shape(shape: Any) -> str:
    """Return a shape for messages: ``(None, 28, 5)``."""
    return shape_text(shape)
