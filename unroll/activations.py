"""Activations by name, as cells take them: a name or any function of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from unroll import ops
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.tensor import Tensor, TensorLike

#: What a cell takes as its activation: a name in `ACTIVATIONS`, or a function of one tensor.
Activation: TypeAlias = "str | Callable[[Tensor], Tensor]"

ACTIVATIONS: dict[str, Callable[[TensorLike], Tensor]] = {
    "elu": ops.elu,
    "hard_sigmoid": lambda x: ops.hard_sigmoid(x, alpha=1 / 6, beta=0.5),  # Keras 3's slope
    "leaky_relu": lambda x: ops.leaky_relu(x, alpha=0.2),  # TensorFlow's slope
    "linear": lambda x: x if isinstance(x, Tensor) else ops.identity(x),
    "log_softmax": ops.log_softmax,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "softmax": ops.softmax,
    "softplus": ops.softplus,
    "softsign": ops.softsign,
    "tanh": ops.tanh,
}


def get_activation(activation: Activation | None, default: str, what: str) -> Callable[[Tensor], Tensor]:
    """Return an activation as a function; None is the default.

    Raises:
        ArgumentError: no activation has that name; the message lists those that there are.
        ArgumentTypeError: neither a name nor a function.
    """
    chosen = default if activation is None else activation
    if isinstance(chosen, str):
        if chosen not in ACTIVATIONS:
            raise ArgumentError(f"{what}: no activation is called {chosen!r}; there are {', '.join(ACTIVATIONS)}")
        return ACTIVATIONS[chosen]
    if isinstance(chosen, np.ufunc):
        raise ArgumentTypeError(
            f"{what}: activation numpy.{chosen.__name__} computes with arrays, not tensors; give its name, such as 'tanh', "
            "or a function of unroll.ops"
        )
    if not callable(chosen):
        raise ArgumentTypeError(f"{what}: activation {chosen!r} is neither a name nor a function of a tensor")
    return chosen
