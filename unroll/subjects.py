"""What can be asked about besides a Graph: a cell, a layer, a module or a model, traced over a sequence of known shape."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest
from unroll.checks import shown
from unroll.drivers import dynamic_rnn
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.graph import Graph, check_graph
from unroll.parameter import Parameter
from unroll.tensor import placeholder
from unroll.weights import WeightOwner

#: What the input and the output of a subject that was traced are called.
INPUT, OUTPUT = "x", "y"
# How large an image is that a convolution's kernel is traced on, at least.
_IMAGE = 8


def is_cell(subject: object) -> bool:
    """Say whether something is a cell under TensorFlow's contract."""
    return callable(subject) and hasattr(subject, "state_size") and hasattr(subject, "output_size")


def parameters_of(subject: Any) -> list[Parameter]:
    """Return the weights of a subject, and of the cells that it is made of."""
    found: dict[Parameter, None] = {}
    waiting, seen = deque([subject]), {id(subject)}
    while waiting:
        owner = waiting.popleft()
        held = getattr(owner, "weights", None)
        if held is None and callable(getattr(owner, "parameters", None)):
            held = list(owner.parameters())
        items = held.values() if isinstance(held, Mapping) else held if isinstance(held, (list, tuple)) else ()
        found |= dict.fromkeys(item for item in items if isinstance(item, Parameter))
        for value in getattr(owner, "__dict__", {}).values():
            for part in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(part, WeightOwner) and id(part) not in seen:
                    seen.add(id(part))
                    waiting.append(part)
    return list(found)


def graph_of(subject: Any, what: str, steps: int = 1) -> Graph:
    """Return the graph of a subject: its own, or on an input as wide as its weights say.

    Args:
        subject: a Graph; or a cell, layer, module or model that has its weights.
        what: who asks, for messages.
        steps: over how many steps a cell, layer or module is traced.

    Raises:
        ArgumentTypeError: it is none of these.
        ArgumentError: it has no weights yet, or these do not say how wide its input is.
        UnrollError: it cannot be traced on such an input.
    """
    if isinstance(subject, Graph):
        return subject
    _check_is_callable(subject, what)
    if callable(getattr(subject, "trace", None)):
        return check_graph(subject.trace(), what)
    parameters = parameters_of(subject)
    if not parameters:
        raise _without_weights(subject, what)
    for item in parameters:
        blocks = item.blocks
        wide = next((size for source, size in blocks.rows if source == "x"), None) if blocks is not None else None
        if blocks is not None and wide is not None:
            image = [max(_IMAGE, size) for size in blocks.window]
            ahead: list[int | None] = [None, steps] if getattr(subject, "batch_first", True) else [steps, None]
            return over_a_sequence(subject, [*ahead, *image, wide], item.dtype, what)
    raise ArgumentError(
        f"{what}: how wide the input of {shown(subject)} is cannot be told from its weights; give its Graph"
    )


def _check_is_callable(subject: object, what: str) -> None:
    if not callable(subject) or isinstance(subject, type):
        raise ArgumentTypeError(f"{what}: a Graph, cell, layer or module is wanted, not {shown(subject)}")


def _without_weights(subject: object, what: str) -> ArgumentError:
    name = getattr(subject, "name", None) or type(subject).__name__
    return ArgumentError(
        f"{what}: {name} has no weights yet; call it, or a driver such as static_rnn, first, and load them"
    )


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
    _check_is_callable(subject, what)
    x = placeholder(list(shape), INPUT, dtype)
    if not is_cell(subject):
        return Graph([x], {OUTPUT: nest.flatten(subject(x))[0]})
    if hasattr(subject, "weights") and not parameters_of(subject):
        raise _without_weights(subject, what)
    if len(shape) < 3:
        raise ArgumentError(f"{what}: the input of a cell is (batch, steps, features), not of {len(shape)} axes")
    outputs, _ = dynamic_rnn(subject, x)
    return Graph([x], {OUTPUT: nest.flatten(outputs)[0]})
