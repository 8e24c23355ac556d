"""What can be asked about besides a Graph: a cell, a layer, a module or a model, traced over a sequence of known shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest
from unroll.checks import shown
from unroll.drivers import dynamic_rnn
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.graph import Graph
from unroll.tensor import placeholder

#: What the input and the output of a subject that was traced are called.
INPUT, OUTPUT = "x", "y"


def is_cell(subject: object) -> bool:
    """Say whether something is a cell under TensorFlow's contract."""
    return callable(subject) and hasattr(subject, "state_size") and hasattr(subject, "output_size")


def over_a_sequence(subject: Any, shape: Sequence[int | None], dtype: npt.DTypeLike, what: str) -> Graph:
    """Return the graph of a subject on one input ``x``, with its first output as ``y``.

    Args:
        subject: a cell that has its weights, called on each step of ``(batch, steps, features)``; or a layer, module or
            model, called on the whole.
        shape: that of the input.
        dtype: that of the input.
        what: who asks, for messages.

    Raises:
        ArgumentTypeError: it cannot be called on a tensor.
        ArgumentError: a cell without weights.
        UnrollError: it cannot be traced on such an input.
    """
    if not callable(subject) or isinstance(subject, type):
        raise ArgumentTypeError(f"{what}: a Graph, cell, layer or module is wanted, not {shown(subject)}")
    x = placeholder(list(shape), INPUT, dtype)
    if not is_cell(subject):
        return Graph([x], {OUTPUT: nest.flatten(subject(x))[0]})
    if not getattr(subject, "weights", True):
        name = getattr(subject, "name", type(subject).__name__)
        raise ArgumentError(
            f"{what}: {name} has no weights yet; call it, or a driver such as static_rnn, first, and load them"
        )
    if len(shape) < 3:
        raise ArgumentError(f"{what}: the input of a cell is (batch, steps, features), not of {len(shape)} axes")
    outputs, _ = dynamic_rnn(subject, x)
    return Graph([x], {OUTPUT: nest.flatten(outputs)[0]})
