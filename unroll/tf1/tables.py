"""Rows of tables as functions: the core's, under TensorFlow's names and with its arguments, of tensors of this face.

They take proxies, NumPy's arrays and numbers, and name what they return as TensorFlow would, ``MatMul:0``, ``MatMul_1:0``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from unroll import scopes
from unroll.checks import check_text, shown
from unroll.errors import ArgumentTypeError, UnrollError
from unroll.ops.given_sizes import plain_size, sizes_of
from unroll.tensor import Tensor as Core
from unroll.tf1.dtypes import as_dtype
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import named, tensor_of, unwrap

#: What TensorFlow calls the result, its arguments, and a function of the core's tensors, which has the core's words for them.
Row = tuple[str, str, Callable[..., Any]]
#: Arguments that are tensors; numbers and arrays among them have the dtype of the first that is one.
_OPERANDS = ("x", "a", "y", "b", "kernel", "bias", "weights", "biases")


def _axes(axis: Any) -> Any:
    """Return one axis, or a list of them, as ints where they are known."""
    found = axis.known if isinstance(axis, Core) and isinstance(axis.known, tuple) else axis
    found = found.tolist() if isinstance(found, np.ndarray) else found
    return [plain_size(item) for item in found] if isinstance(found, (list, tuple)) else plain_size(found)


#: What an argument becomes, by the core's word for it.
_MADE: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("condition", "indices", "lengths", "ids"), tensor_of),  # tensors by themselves
    **dict.fromkeys(("shape", "repeats"), sizes_of),
    **dict.fromkeys(("axis", "perm", "num"), _axes),
    **dict.fromkeys(("dtype", "out_type", "output_type"), lambda dtype: as_dtype(dtype).dtype),
}


def alike(*values: Any) -> list[Core]:
    """Return operands as tensors, those that are none of the dtype of the first that is one."""
    first = next((value.dtype for value in values if isinstance(value, Core)), None)
    return [tensor_of(value, first) for value in values]


def _prepared(given: dict[str, Any]) -> dict[str, Any]:
    operands = [name for name in _OPERANDS if given.get(name) is not None]
    made = {name: _MADE[name](given[name]) for name in given if name in _MADE and given[name] is not None}
    return {**given, **made, **dict(zip(operands, alike(*map(given.get, operands)), strict=True))}


def operator(called: str, result: str, arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: a function of the core's tensors becomes one of this face.

    Args:
        called: TensorFlow's name of it.
        result: what TensorFlow calls what it makes, unless the program names it; with a scope before it where there is one.
        arguments: its arguments, see `takes`; the one called ``name`` names what it makes.
    """
    head, _, tail = result.partition("/")

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        found = takes(called, arguments, _prepared)(body)
        place = arguments.replace("=None", "").split(", ").index("name")

        @functools.wraps(found)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = kwargs.get("name", args[place] if len(args) > place else None)
            wanted = head if given is None else check_text(given, f"{called}: name") or head
            base = get_default_graph().scoped_name(wanted)
            with scopes.at(scopes.current().variables, base) if tail else nullcontext():
                try:
                    made = found(*unwrap(args), **unwrap(kwargs))
                except UnrollError:
                    raise
                except (
                    TypeError,
                    ValueError,
                    LookupError,
                    AttributeError,
                ) as error:  # which the core was not asked about
                    shows = ", ".join(map(shown, (*args, *kwargs.values())))
                    raise ArgumentTypeError(f"{called}({shows}): {error}; its arguments are {arguments}") from None
            return named(made, scopes.join(base, tail))

        return call

    return decorate


def table_of(rows: dict[str, Row]) -> dict[str, Callable[..., Any]]:
    """Return functions by name."""
    return {name: operator(name, result, arguments)(body) for name, (result, arguments, body) in rows.items()}
