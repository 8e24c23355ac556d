"""NumPy's ufuncs called on tensors, ``np.tanh(x)`` and ``array + x``: those that are operators here build them.

What NumPy gives in another dtype than the operator, such as the quotient of integers, is refused. Numbers beside a tensor
count as NumPy counts them, without a dtype of their own; arrays and lists take the dtype of the tensor, as they do in
every operator: ``np.ones(3) + x`` is float32 where `x` is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unroll.checks import shown
from unroll.dtypes import DType, cast_array
from unroll.errors import ArgumentTypeError, DTypeError, UnsupportedError, first_line
from unroll.operation_table import OPERATIONS
from unroll.ops.choices import logical_and, logical_not, logical_or
from unroll.ops.functions import abs_, identity
from unroll.ops.spelling import instead_of
from unroll.tensor import Constant, Tensor

#: Those that have another name in `unroll.ops`; the others have the same name there.
_NAMES = {"absolute": "abs", "divide": "div", "multiply": "mul", "negative": "neg", "power": "pow", "subtract": "sub"}

#: Those that are made of several operators.
_MADE: dict[Any, Callable[..., Tensor]] = {
    np.fabs: abs_,
    np.logical_xor: lambda a, b: logical_and(logical_or(a, b), logical_not(logical_and(a, b))),
    np.positive: identity,
    np.reciprocal: lambda x: 1 / x,
    np.square: lambda x: x * x,
}


def numpy_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Tensor:
    """Return what one of NumPy's ufuncs gives for tensors.

    Raises:
        ArgumentTypeError: no operator is that ufunc, or it is called with options or by another method.
        DTypeError: the operator gives another dtype than NumPy.
        UnsupportedError: NumPy refuses some of the values that the tensors may have.
        UnrollError: as the operator does.
    """
    name = ufunc.__name__
    is_numpys = getattr(np, name, None) is ufunc
    function = (_MADE.get(ufunc) or OPERATIONS.find(_NAMES.get(name, name))) if is_numpys else None
    tensors = [item for item in inputs if isinstance(item, Tensor)]
    if method == "__call__" and options.keys() == {"out"}:
        raise ArgumentTypeError(
            f"numpy.{name} cannot write {shown(tensors[0] if tensors else inputs)}, which has no value before a run, into an "
            "array; in the place of `array += tensor` make a new tensor: total = array + tensor"
        )
    if method != "__call__" or options or function is None:
        raise ArgumentTypeError(
            f"numpy.{name} computes with arrays, and {shown(tensors[0] if tensors else inputs)} has no value before a run; "
            f"{instead_of(name)}"
        )
    beside = tensors[0].dtype
    operands = [item if _as_it_is(item) else Constant(_cast(item, beside, name)) for item in inputs]
    made: Tensor = function(*operands)
    kinds = [item.dtype if isinstance(item, Tensor) else type(item) for item in operands]
    try:
        wanted = ufunc.resolve_dtypes((*kinds, None))[-1]
    except TypeError as error:
        raise DTypeError(f"numpy.{name} of {' and '.join(map(shown, inputs))}: {first_line(error)}") from None
    if made.dtype != wanted:
        raise DTypeError(
            f"numpy.{name} of {' and '.join(map(shown, inputs))} is {wanted}, and unroll.ops.{function.__name__} gives "
            f"{made.dtype}; say which you mean: unroll.ops.{function.__name__}, or unroll.ops.cast(x, {str(wanted)!r}) first"
        )
    if name in _CHECKS:
        _CHECKS[name](*operands)
    return made


def _as_it_is(item: Any) -> bool:
    return isinstance(item, Tensor) or type(item) in (int, float)


def _cast(item: Any, dtype: DType, name: str) -> Any:
    return np.array(cast_array(item, dtype, f"numpy.{name}: {shown(item)}"))


def _check_power(x: Any, y: Any) -> None:
    """Refuse what NumPy refuses when it runs: integers to negative integer powers."""
    if any(isinstance(item, Tensor) and item.dtype.kind == "f" for item in (x, y)):
        return
    exponent = y.value if isinstance(y, Constant) else y
    if isinstance(exponent, Tensor) or np.any(np.asarray(exponent) < 0):
        raise UnsupportedError(
            f"numpy.power of {shown(x)} and {shown(y)}: NumPy takes no integer to a negative power; use unroll.ops.pow, or "
            "convert with unroll.ops.cast(x, 'float64') first"
        )


_CHECKS: dict[str, Callable[..., None]] = {"power": _check_power}
