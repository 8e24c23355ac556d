"""What an argument of a public function may be, by its name: one row each, the same on every function.

`checked` reads the rows when a function is called. What only the function itself can judge, such as whether a state fits a
cell, stands there.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from unroll.checks import check_flag, check_function, check_int, check_size, shown
from unroll.errors import ArgumentTypeError
from unroll.words import called, closest, spelled

P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[Any, str], object]


def checked(
    *,
    words: Mapping[str, Iterable[str]] | None = None,
    advice: Mapping[str, str] | None = None,
    options: Callable[..., Any] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: the function's arguments are checked by their names, and calls that do not fit are explained.

    Args:
        words: see `unroll.words.spelled`.
        advice: likewise.
        options: the function whose keywords the function takes besides, and hands on.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        rows = functools.cache(lambda: _rows(function))

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            by_place, by_name = rows()
            for row, value in zip(by_place, args, strict=False):
                if row is not None and value is not row[1]:
                    row[2](value, f"{called(function, args)}: {row[0]}")
            for key, value in kwargs.items():
                row = by_name.get(key)
                if row is not None and value is not row[1]:
                    row[2](value, f"{called(function, args)}: {key}")
            if options is not None:
                _check_known(called(function, args), kwargs, function, options)
            return outer(*args, **kwargs)

        outer = spelled(words=words, advice=advice)(function)
        return call

    return decorate


def _check_known(name: str, given: Iterable[str], *functions: Callable[..., Any]) -> None:
    known = [key for function in functions for key in inspect.signature(function).parameters]
    for key in given:
        if key not in known:
            raise ArgumentTypeError(f"{name} takes no {key!r}; {closest(key, known)}")


C = TypeVar("C", bound=type)


def check_methods(*names: str) -> Callable[[C], C]:
    """Return a decorator of classes: the constructor and these methods are `checked`."""

    def decorate(cls: C) -> C:
        for name in ("__init__", *names):
            setattr(cls, name, checked()(vars(cls)[name]))
        return cls

    return decorate


def check_constructor(cls: type) -> None:
    """Let a class of this package check its constructor's arguments; those of a user's class mean what the user says."""
    if cls.__module__.startswith("unroll.") and "__init__" in vars(cls):
        setattr(cls, "__init__", checked()(vars(cls)["__init__"]))  # noqa: B010  (mypy knows __init__ as fixed)


Row = tuple[str, Any, Check]


def _rows(function: Callable[..., Any]) -> tuple[list[Row | None], dict[str, Row]]:
    """Return the rows of a function's arguments: name, default and check."""
    parameters = inspect.signature(function).parameters.values()
    found = {
        item.name: (item.name, item.default, ARGUMENTS[item.name]) for item in parameters if item.name in ARGUMENTS
    }
    placed = [item.name for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    return [found.get(name) for name in placed], found


# -- the checks -------------------------------------------------------------------------------------------------------


def _refused(value: object, what: str, wanted: str) -> ArgumentTypeError:
    return ArgumentTypeError(f"{what} is {shown(value)} of type {type(value).__name__}; {wanted} is wanted")


def _text(value: Any, what: str) -> None:
    if value is not None and not isinstance(value, str):
        raise _refused(value, what, "a string")


def _name(value: Any, what: str) -> None:
    if value is not None and not isinstance(value, str):
        raise ArgumentTypeError(f"{what}: {shown(value)} is not a name; a string is wanted")


def _mapping(value: Any, what: str) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise _refused(value, what, "a dict")


def _list(value: Any, what: str) -> None:
    if value is not None and not isinstance(value, (list, tuple)):
        raise _refused(value, what, "a list")


def _function(value: Any, what: str) -> None:
    if value is not None:
        check_function(value, what)


def _count(value: Any, what: str) -> None:
    if value is not None:
        check_size(value, what)


def _whole(value: Any, what: str) -> None:
    if value is not None:
        check_int(value, what)


ARGUMENTS: dict[str, Check] = {
    **dict.fromkeys(
        (
            "check", "fold_weights", "fold_zero_state", "full", "layer_norm", "legend", "measure", "native", "nonfinite",
            "optimized", "report", "rolled", "skip_connection", "state_is_tuple", "strict", "swap_memory", "time_major",
            "trainable", "trainable_ratio_on", "transposed", "tune", "use_bias", "use_peepholes", "variational_recurrent",
        ),
        check_flag,
    ),
    **dict.fromkeys(
        ("forget_activation", "nonlinearity", "note", "title"),
        _text,
    ),
    "scope": _name,
    **dict.fromkeys(("columns", "dims", "rows", "states"), _mapping),
    **dict.fromkeys(("initial_states_bw", "initial_states_fw", "requirements"), _list),
    **dict.fromkeys(("loop_fn", "residual_fn"), _function),
    **dict.fromkeys(("conv_ndims", "num_proj_shards", "num_unit_shards"), _count),
    **dict.fromkeys(("seed",), _whole),
    "reuse": lambda value, what: None if value is None else check_flag(value, what),
}  # fmt: skip
