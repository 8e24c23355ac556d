"""Activations by name, as cells and layers take them: a name or any function of a tensor.

The names and numbers are those of Keras 3's ``keras.activations``; TensorFlow 1's cells and PyTorch's modules use the ones
that they share.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, cast

import numpy as np

from unroll import ops
from unroll.checks import check_flag, check_int, check_number
from unroll.dtypes import FLOAT64
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedError
from unroll.ops.operator import as_tensor, axis_of
from unroll.tensor import Tensor
from unroll.words import closest, face

#: What a cell takes as its activation: a name in `ACTIVATIONS`, or a function of one tensor.
Activation: TypeAlias = "str | Callable[[Tensor], Tensor]"


P = ParamSpec("P")
_CHECKS: dict[str, Callable[[Any, str], object]] = {"float": check_number, "int": check_int, "bool": check_flag}


def _activation(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Return a function of a tensor, or of what can become one, that checks its other arguments by their annotations."""
    name = function.__name__
    signature = inspect.signature(function)
    checks = {
        item.name: _CHECKS[item.annotation.removesuffix(" | None")]
        for item in signature.parameters.values()
        if item.name != "x"
    }

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        given = signature.bind(*args, **kwargs).arguments
        noted = getattr(type(given.get("x")), "noted", None)
        if noted is not None:  # a symbolic tensor of a model, of which the core knows nothing
            return cast("Tensor", noted(call, args, kwargs))
        for key, value in given.items():
            what = f"activations.{name}: {key}"
            if key == "x":
                given[key] = as_tensor(value, what)
            elif value is not None or signature.parameters[key].default is not None:
                checks[key](value, what)
        made: Tensor = function(**given)  # type: ignore[call-arg]
        return made

    return call


@_activation
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` above zero, ``alpha * (exp(x / alpha) - 1)`` below: Barron 2017 (arXiv:1704.07483)."""
    return ops.relu(x) + alpha * ops.elu(-ops.relu(-x) / alpha)


@_activation
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below: Clevert et al. 2015 (arXiv:1511.07289)."""
    return ops.elu(x) if alpha == 1 else ops.where(x > 0, x, alpha * ops.elu(x))


@_activation
def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """``x`` times the normal distribution function of x, or its tanh form: Hendrycks and Gimpel 2016 (arXiv:1606.08415)."""
    if approximate:
        return 0.5 * x * (1.0 + ops.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))
    return 0.5 * x * (1.0 + ops.erf(x / math.sqrt(2)))


@_activation
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """``a * sigmoid(b)`` of the two halves of x along `axis`, which it halves: Dauphin et al. 2016 (arXiv:1612.08083).

    Raises:
        ShapeError: x has no such axis, or it has an odd size.
    """
    size = x.shape[axis_of(axis, x.rank)]
    if isinstance(size, int) and size % 2:
        raise ShapeError(f"glu: axis {axis} of {x.described()} has the odd size {size}; it is cut into halves")
    a, b = ops.split(x, 2, axis=axis)
    return a * ops.sigmoid(b)


@_activation
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x`` where it is further than `threshold` from zero, else 0."""
    return ops.where(abs(x) <= threshold, 0.0, x)


@_activation
def hard_sigmoid(x: Tensor) -> Tensor:
    """``x / 6 + 0.5``, limited to 0 .. 1: Keras 3's slope, not ONNX's."""
    if x.dtype == FLOAT64:  # an ONNX attribute holds 1/6 as float32 only
        return ops.clip(x / 6.0 + 0.5, 0.0, 1.0)
    return ops.hard_sigmoid(x, alpha=1 / 6, beta=0.5)


@_activation
def hard_silu(x: Tensor) -> Tensor:
    """``x * hard_sigmoid(x)``: Howard et al. 2019 (arXiv:1905.02244)."""
    return x * hard_sigmoid(x)


@_activation
def hard_tanh(x: Tensor) -> Tensor:
    """``x``, limited to -1 .. 1."""
    return ops.clip(x, -1.0, 1.0)


@_activation
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """``x`` above zero, ``negative_slope * x`` below; the slope has float32's precision, as TensorFlow's operator has it."""
    return ops.leaky_relu(x, negative_slope)


@_activation
def linear(x: Tensor) -> Tensor:
    """``x`` itself."""
    return x


@_activation
def log_sigmoid(x: Tensor) -> Tensor:
    """The logarithm of the sigmoid."""
    return -ops.softplus(-x)


@_activation
def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """The logarithm of the softmax along `axis`."""
    return ops.log_softmax(x, axis=axis)


@_activation
def mish(x: Tensor) -> Tensor:
    """``x * tanh(softplus(x))``: Misra 2019 (arXiv:1908.08681)."""
    return x * ops.tanh(ops.softplus(x))


@_activation
def relu(x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """``x`` above `threshold`, at most `max_value`; ``negative_slope * (x - threshold)`` below."""
    if threshold == 0:
        above = ops.relu(x) if max_value is None else ops.clip(x, 0.0, max_value)
    else:
        kept = ops.where(x > threshold, x, 0.0)
        above = kept if max_value is None else ops.clip(kept, 0.0, max_value)
    return above if negative_slope == 0 else above - negative_slope * ops.relu(threshold - x)


@_activation
def relu6(x: Tensor) -> Tensor:
    """``x``, limited to 0 .. 6."""
    return relu(x, max_value=6.0)


@_activation
def selu(x: Tensor) -> Tensor:
    """A scaled `elu` that keeps mean 0 and variance 1: Klambauer et al. 2017 (arXiv:1706.02515)."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


@_activation
def silu(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``, or swish: Ramachandran et al. 2017 (arXiv:1710.05941)."""
    return x * ops.sigmoid(x)


@_activation
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """``exp(x)`` over its sum along `axis`."""
    return ops.softmax(x, axis=axis)


@_activation
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x``, brought nearer to zero by `threshold`, and 0 within it."""
    return ops.relu(x - threshold) - ops.relu(-x - threshold)


@_activation
def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, ``(x + 1)**2 / 4`` up to 1, ``x`` from there."""
    between = x + 1.0
    return ops.where(x <= -1.0, 0.0, ops.where(x < 1.0, 0.25 * (between * between), x))


@_activation
def sparse_sigmoid(x: Tensor) -> Tensor:
    """``(x + 1) / 2``, limited to 0 .. 1: Blondel et al. 2019 (arXiv:1901.02324)."""
    return ops.clip(0.5 * (x + 1.0), 0.0, 1.0)


@_activation
def squareplus(x: Tensor, b: float = 4.0) -> Tensor:
    """``(x + sqrt(x**2 + b)) / 2``: Barron 2021 (arXiv:2112.11687)."""
    return (x + ops.sqrt(x * x + b)) / 2.0


@_activation
def tanh_shrink(x: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return x - ops.tanh(x)


@_activation
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """``x`` above `threshold`, `default_value` elsewhere."""
    return ops.where(x > threshold, x, default_value)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "celu": celu,
    "elu": elu,
    "exponential": ops.exp,
    "gelu": gelu,
    "glu": glu,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": ops.sigmoid,
    "silu": silu,
    "soft_shrink": soft_shrink,
    "softmax": softmax,
    "softplus": ops.softplus,
    "softsign": ops.softsign,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid,
    "squareplus": squareplus,
    "swish": silu,
    "tanh": ops.tanh,
    "tanh_shrink": tanh_shrink,
}

#: Names that Keras has and that cannot be had by name alone, with the reason.
REFUSED: dict[str, str] = {
    "sparsemax": "it sorts its input, and unroll has no operator that sorts; use softmax, or a function of unroll.ops",
    "threshold": "it needs two numbers: pass lambda x: unroll.activations.threshold(x, threshold, default_value)",
}


#: The functions of `unroll.ops` that are activations by name.
_ELSEWHERE = {name: f"it is unroll.ops.{item.__name__}" for name, item in ACTIVATIONS.items() if name not in globals()}


def get_activation(activation: Activation | None, default: str, what: str) -> Callable[[Tensor], Tensor]:
    """Return an activation as a function; None is the default.

    Raises:
        ArgumentError: no activation has that name; the message lists those that there are.
        ArgumentTypeError: neither a name nor a function.
        UnsupportedError: Keras has it by that name, and the message says why it is not here.
    """
    chosen = default if activation is None else activation
    if isinstance(chosen, str):
        if chosen in REFUSED:
            raise UnsupportedError(f"{what}: activation {chosen!r}: {REFUSED[chosen]}")
        if chosen not in ACTIVATIONS:
            near = closest(chosen, ACTIVATIONS)
            raise ArgumentError(
                f"{what}: no activation is called {chosen!r}; {near} (there are {', '.join(ACTIVATIONS)})"
            )
        return ACTIVATIONS[chosen]
    if isinstance(chosen, np.ufunc):
        raise ArgumentTypeError(
            f"{what}: activation numpy.{chosen.__name__} computes with arrays, not tensors; give its name, such as 'tanh', "
            "or a function of unroll.ops"
        )
    if not callable(chosen):
        raise ArgumentTypeError(f"{what}: activation {chosen!r} is neither a name nor a function of a tensor")
    return chosen


__all__ = [*(name for name in ACTIVATIONS if name in globals()), "threshold", "get_activation"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.activations", __all__, lambda: _ELSEWHERE)
