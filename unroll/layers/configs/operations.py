"""Functions that models call, as files name them: the face of a framework knows how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from unroll.layers.symbolic import Call


class Operations(NamedTuple):
    """How files name the functions that models call, which the face of a framework knows.

    Attributes:
        read: returns the function of a dictionary, or None where it is one of a layer.
        write: returns Keras's dictionary of a function without its name, and the arguments of its call.
    """

    read: Callable[[Mapping[str, Any], str], Callable[..., Any] | None]
    write: Callable[[Call], tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]]


_operations: Operations | None = None


def set_operations(operations: Operations) -> None:
    """Let functions be read and written; the face of Keras does when it is loaded."""
    global _operations
    _operations = operations


def operations() -> Operations | None:
    """Return how functions are read and written; None where no face is loaded."""
    return _operations


def is_nested_model(function: Any) -> bool:
    """Say whether Keras counts one call more where it names outputs: the one that a functional model was made with."""
    return getattr(function, "_inputs", None) is not None
