"""What a reader of ONNX nodes is given, and how it says that our operators cannot express one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dtypes import INT64
from unroll.tensor import Constant, Tensor


class InexpressibleError(Exception):
    """Our operators cannot say what a node does."""


class Call(NamedTuple):
    """A node to be read."""

    op_type: str
    inputs: tuple[Tensor | None, ...]
    attributes: dict[str, Any]
    opset: int
    outputs: int  #: how many it has, including those left out
    apply: Callable[..., tuple[Tensor, ...]]  #: makes a node of an operator and its inputs

    def tensor(self, place: int) -> Tensor:
        """Return an input that must be there.

        Raises:
            InexpressibleError: it is left out.
        """
        tensor = self.input(place)
        if tensor is None:
            raise InexpressibleError(f"input {place} is left out")
        return tensor

    def input(self, place: int) -> Tensor | None:
        """Return an input, or None where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None


#: Attributes that change nothing where they have this value.
_NEUTRAL: dict[tuple[str, str], Any] = {
    ("ArgMax", "select_last_index"): 0,
    ("Cast", "saturate"): 1,
    ("Cast", "round_mode"): "up",
    ("AveragePool", "ceil_mode"): 0,
    ("AveragePool", "count_include_pad"): 0,
    ("MaxPool", "ceil_mode"): 0,
    ("MaxPool", "storage_order"): 0,
    ("LayerNormalization", "stash_type"): 1,
    ("Reshape", "allowzero"): 0,
}


def without(call: Call, *names: str) -> dict[str, Any]:
    """Return the attributes that are not read yet.

    Raises:
        InexpressibleError: there is one that unroll does not know.
    """
    rest = {name: value for name, value in call.attributes.items() if name not in names}
    return {name: value for name, value in rest.items() if not _is_neutral(call.op_type, name, value)}


def _is_neutral(op_type: str, name: str, value: Any) -> bool:
    return (op_type, name) in _NEUTRAL and not isinstance(value, np.ndarray) and bool(_NEUTRAL[op_type, name] == value)


def only(call: Call, *names: str) -> None:
    """Refuse attributes beside `names`.

    Raises:
        InexpressibleError: there is one that unroll does not know.
    """
    rest = without(call, *names)
    if rest:
        raise InexpressibleError(f"attribute {', '.join(rest)} is not known")


def ints_of(values: Sequence[int]) -> Constant:
    """Return integers as a constant."""
    return Constant(np.array(values, INT64))
