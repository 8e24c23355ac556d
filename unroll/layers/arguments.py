"""What an argument of a layer means: one row for each name, the same on every layer.

A constructor hands its own arguments to `keep`, which checks each by its row and makes it an attribute of the layer.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

from unroll.activations import get_activation
from unroll.checks import check_flag, check_int, check_number, check_size, is_same, plain, shown
from unroll.errors import ArgumentError, ArgumentTypeError, UnsupportedError
from unroll.initializers import get_initializer

#: What a layer takes as a regularizer or constraint: a name, a function of a weight, or Keras's config of one.
Regularizer: TypeAlias = "str | Callable[..., Any] | Mapping[str, Any] | None"
Constraint: TypeAlias = Regularizer

REGULARIZERS = ("L1", "l1", "L2", "l2", "L1L2", "l1l2", "OrthogonalRegularizer", "orthogonal_regularizer")
CONSTRAINTS = ("MaxNorm", "max_norm", "MinMaxNorm", "min_max_norm", "NonNeg", "non_neg", "UnitNorm", "unit_norm")


_INPUT = "first in Sequential"
#: Arguments of older Keras versions that no layer has, each with what replaces it.
OLD_ARGUMENTS: dict[str, str] = {
    "batch_input_shape": f"put layers.Input(batch_shape=(None, 28, 3)) {_INPUT}",
    "batch_shape": f"put layers.Input(batch_shape=(None, 28, 3)) {_INPUT}",
    "batch_size": f"a layer takes a batch of any size; for a fixed one put layers.Input(shape, batch_size=32) {_INPUT}",
    "input_length": f"the time is that of the input; put layers.Input((28, 3)) {_INPUT}, for 28 steps of 3 features",
    "input_dtype": f"put layers.Input(shape, dtype='int32') {_INPUT}",
    "weights": "give the arrays to set_weights, once the layer is built",
    "dynamic": "a layer is traced once; leave it out",
    "implementation": "it chooses among Keras's kernels, which give equal numbers; leave it out",
    "consume_less": "it chooses among Keras's kernels, which give equal numbers; leave it out",
    "time_major": "inputs are (batch, time, ...); recurrent layers alone take it here, and Keras 3 has it no longer",
    "output_dim": "Keras calls it units",
    "nb_filter": "Keras calls it filters",
    "inner_activation": "Keras calls it recurrent_activation",
    "init": "Keras calls it kernel_initializer",
    "inner_init": "Keras calls it recurrent_initializer",
    "forget_bias_init": "Keras has unit_forget_bias",
    "dropout_W": "Keras calls it dropout",
    "dropout_U": "Keras calls it recurrent_dropout",
    **{
        f"{old}_{kind}": f"Keras calls it {new}_{kind}"
        for old, new in (("W", "kernel"), ("U", "recurrent"), ("b", "bias"))
        for kind in ("regularizer", "constraint")
    },
}


class Recorded:
    """Keeps the arguments that its constructor was called with, once they are checked; see `check_call`."""

    _given: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        check_call(cls, args, kwargs)
        made = super().__new__(cls)
        made._given = args, kwargs
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self._given


def keep(layer: Any, given: Mapping[str, Any]) -> None:
    """Check the arguments of a layer's constructor and make them its attributes.

    Args:
        layer: the layer under construction.
        given: its constructor's ``locals()``.

    Raises:
        ArgumentError, ArgumentTypeError: a value that the argument does not take.
    """
    what = type(layer).__name__
    own = getattr(type(layer), "CHECKS", {})
    for name, value in given.items():
        if name not in ("self", "__class__", "name", "dtype", "weights"):
            check = own.get(name) or _CHECKS.get(name) or _ENDINGS.get(name.rpartition("_")[2])
            setattr(layer, name, value if check is None else check(value, f"{what}: {name}"))


def check_call(cls: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
    """Return the arguments of a layer's constructor by name, the layer itself left out as None.

    Raises:
        UnsupportedError: one that the class lists in REFUSED is given, with another value than its default; or one of older
            versions of Keras.
        ArgumentTypeError: one that the layer does not have, or one too few or too many.
    """
    signature, refused = _constructor(cls), getattr(cls, "REFUSED", {})
    legacy = {name: value for name, value in kwargs.items() if name in refused and name not in signature.parameters}
    refuse(cls, legacy)
    _refuse_old(cls, signature, kwargs)
    bound = bind(signature, (None, *args), kwargs, cls.__name__)
    refuse(cls, bound.arguments)
    return bound


def refuse(cls: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse the arguments that the class lists in REFUSED, save where one has its default value.

    Raises:
        UnsupportedError: with the reason.
    """
    parameters = _constructor(cls).parameters
    for name, reason in getattr(cls, "REFUSED", {}).items():
        if name in arguments and not (name in parameters and is_same(arguments[name], parameters[name].default)):
            raise UnsupportedError(f"{cls.__name__}: {name}={arguments[name]!r} is not supported: {reason}")


def _refuse_old(cls: Any, signature: inspect.Signature, given: Mapping[str, Any]) -> None:
    """Refuse arguments that Keras once had, and that a constructor of these arguments has not."""
    if any(item.kind is inspect.Parameter.VAR_KEYWORD for item in signature.parameters.values()):
        return
    for name in given:
        if name in OLD_ARGUMENTS and name not in signature.parameters:
            raise UnsupportedError(f"{cls.__name__}: {name}={given[name]!r} is not supported: {OLD_ARGUMENTS[name]}")


@functools.cache
def _constructor(cls: Any) -> inspect.Signature:
    return inspect.signature(cls.__init__)


def bind(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any], what: str
) -> inspect.BoundArguments:
    """Return the arguments of a call by name.

    Raises:
        ArgumentTypeError: they do not fit the signature; the message lists what it takes.
    """
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        names = [name for name in signature.parameters if name != "self"]
        near = [found for name in kwargs if name not in names for found in difflib.get_close_matches(name, names, 1)]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise ArgumentTypeError(f"{what}: {error}{hint}; its arguments are {', '.join(names)}") from None


def tuple_of(value: Any, rank: int, what: str) -> tuple[int, ...]:
    """Return an int, or `rank` of them, as `rank` ints of at least 1, as convolutions take their sizes.

    Raises:
        ArgumentError, ArgumentTypeError: anything else.
    """
    if isinstance(value, (tuple, list)):
        if len(value) != rank:
            raise ArgumentError(f"{what} is {value!r}; an int or {rank} of them are wanted")
        return tuple(check_size(item, what) for item in value)
    return (check_size(value, what),) * rank


def one_of(*choices: Any) -> Callable[[Any, str], Any]:
    """Return a check that a value is one of `choices`."""

    def check(value: Any, what: str) -> Any:
        value = plain(value)
        if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
            raise ArgumentError(f"{what} is {shown(value)}; one of {', '.join(map(repr, choices))} is wanted")
        return value

    return check


def _activation(value: Any, what: str) -> Any:
    return get_activation(value, "linear", what)


def _rate(value: Any, what: str) -> float:
    """Keras limits a rate to 0 .. 1."""
    found = plain(value)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ArgumentTypeError(
            f"{what} is {shown(value)} of type {type(value).__name__}; a number from 0 to 1 is wanted"
        )
    return min(1.0, max(0.0, float(found)))


def _strict_rate(value: Any, what: str) -> float:
    found = _rate(value, what)
    if found != plain(value):
        raise ArgumentError(f"{what} is {value}; a number from 0 to 1 is wanted")
    return found


def _epsilon(value: Any, what: str) -> float:
    found = plain(value)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not found >= 0:
        raise ArgumentError(f"{what} is {shown(value)}; a number of at least 0 is wanted")
    return float(found)


def _seed(value: Any, what: str) -> int | None:
    return None if value is None else check_size(value, what, least=0)


def _some_number(value: Any, what: str) -> float:
    """Return a number as it was given, an int or a float."""
    check_number(value, what)
    found: float = plain(value)
    return found


def or_none(check: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Return a check that lets None through."""
    return lambda value, what: None if value is None else check(value, what)


def ints_of(value: Any, what: str) -> int | list[int]:
    """Return one int, or a list of them, as Keras takes axes.

    Raises:
        ArgumentTypeError, ArgumentError: neither.
    """
    if isinstance(value, (list, tuple)) and value:
        return [check_int(item, what) for item in value]
    if isinstance(value, (list, tuple)) or isinstance(plain(value), bool) or not isinstance(plain(value), int):
        raise ArgumentTypeError(f"{what} is {shown(value)}; an int or a list of ints is wanted")
    return check_int(value, what)


def _padding(value: Any, what: str) -> str:
    return str(one_of("valid", "same")(value.lower() if isinstance(value, str) else value, what))


def _data_format(value: Any, what: str) -> str:
    return str(one_of("channels_last", "channels_first")("channels_last" if value is None else value, what))


def _known(names: tuple[str, ...]) -> Callable[[Any, str], Any]:
    """A regularizer or constraint acts in training only: it is kept, once it is known that Keras would take it."""

    def check(value: Any, what: str) -> Any:
        name = value.get("class_name") if isinstance(value, dict) else value
        if isinstance(name, str) and name not in names:
            kind = what.rpartition("_")[2]
            raise ArgumentError(f"{what}: no {kind} is called {name!r}; there are {', '.join(names)}")
        if value is not None and not isinstance(name, str) and not callable(value):
            raise ArgumentTypeError(f"{what}: {value!r} is neither a name nor a function of a weight")
        return value

    return check


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "alpha": _some_number,
    "axis": ints_of,
    "center": check_flag,
    "data_format": _data_format,
    "depth_multiplier": check_size,
    "dropout": _rate,
    "epsilon": _epsilon,
    "filters": check_size,
    "go_backwards": check_flag,
    "groups": check_size,
    "input_dim": check_size,
    "keepdims": check_flag,
    "key_dim": check_size,
    "mask_zero": check_flag,
    "max_value": or_none(_some_number),
    "merge_mode": one_of("concat", "sum", "mul", "ave", None),
    "momentum": _some_number,
    "n": check_size,
    "negative_slope": _some_number,
    "normalize": check_flag,
    "num_heads": check_size,
    "output_dim": check_size,
    "padding": _padding,
    "rate": _strict_rate,
    "recurrent_dropout": _rate,
    "reset_after": check_flag,
    "return_sequences": check_flag,
    "return_state": check_flag,
    "rolled": check_flag,
    "scale": check_flag,
    "seed": _seed,
    "stateful": check_flag,
    "threshold": _some_number,
    "time_major": check_flag,
    "trainable": check_flag,
    "unit_forget_bias": check_flag,
    "units": check_size,
    "unroll": check_flag,
    "use_bias": check_flag,
    "use_cudnn": one_of("auto", True, False),
    "use_scale": check_flag,
    "value_dim": or_none(check_size),
    "zero_output_for_mask": check_flag,
}
#: By the last word of an argument's name, as in ``kernel_initializer``.
_ENDINGS: dict[str, Callable[[Any, str], Any]] = {
    "activation": _activation,
    "constraint": _known(CONSTRAINTS),
    "initializer": get_initializer,
    "regularizer": _known(REGULARIZERS),
}
