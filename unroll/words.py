"""Names that were not found: the nearest ones that there are, and what other frameworks' names are called here."""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from opcode import opmap
from types import FrameType
from typing import Any, NoReturn, ParamSpec, TypeVar

from unroll.errors import ArgumentTypeError, NoAttributeError, NotImportedError

P = ParamSpec("P")
R = TypeVar("R")
#: A longer name is no name that somebody typed.
_LONGEST = 200


def closest(name: str, names: Iterable[str]) -> str:
    """Return a hint for a name that was not found: the nearest ones, or all of them where they are few."""
    listed = list(names)
    near = difflib.get_close_matches(name[:_LONGEST], listed, n=3, cutoff=0.4)
    shown = near or listed[:8]
    return (
        f"did you mean {', '.join(map(repr, shown))}?" if near else f"there are {', '.join(map(repr, shown)) or 'none'}"
    )


_elsewhere: Callable[[str], str | None] | None = None


def set_elsewhere(hook: Callable[[str], str | None]) -> None:
    """Let `hook` say where in the package a name is that was looked for in another place: the front knows all of it."""
    global _elsewhere
    _elsewhere = hook


def _found(name: str) -> str | None:
    return None if _elsewhere is None else _elsewhere(name)


def face(
    module: str, names: Sequence[str], advice: Callable[[], Mapping[str, str]]
) -> tuple[Callable[[str], NoReturn], Any]:
    """Return ``__getattr__`` and ``__dir__`` of a public module: it shows its public names, and says what else is called here.

    Args:
        module: its name.
        names: its public names.
        advice: finds what the names of other frameworks are called here.
    """

    def get(name: str) -> NoReturn:
        raise absent(module, name, names, advice, sys._getframe(1))

    return get, lambda: [*names]


def absent(
    module: str, name: str, names: Sequence[str], advice: Callable[[], Mapping[str, str]], asking: FrameType
) -> NoAttributeError | NotImportedError:
    """Return the error for a name that a module does not have, in the words of the line that asks for it.

    Args:
        module: its name.
        name: what is asked for.
        names: its public names.
        advice: finds what the names of other frameworks are called here.
        asking: the frame of that line.
    """
    place, code = asking.f_lasti, asking.f_code.co_code
    error = missing(f"module {module!r}", name, lambda: names, advice)
    is_import = 0 <= place < len(code) and code[place] == opmap["IMPORT_FROM"]
    if not is_import or f"{module}.{name}" in sys.modules:
        return error
    # An AttributeError would end as Python's own ImportError, which says nothing of it.
    return NotImportedError(f"cannot import name {name!r} from {module!r}: {error}")


def missing(
    what: str, name: str, names: Callable[[], Iterable[str]], advice: Callable[[], Mapping[str, str]]
) -> NoAttributeError:
    """Return the error for an attribute that is not there; to Python's ``hasattr`` and ``getattr`` it is an AttributeError.

    Args:
        what: whose attribute it is, such as ``module 'unroll'``.
        name: the attribute.
        names: finds those that there are.
        advice: finds what the names of other frameworks are called here.
    """
    said = f"{what} has no attribute {name!r}"
    if name.startswith("_"):  # Python's, NumPy's and notebooks' own questions
        return NoAttributeError(said)
    return NoAttributeError(said, lambda: advice().get(name) or _found(name) or closest(name, names()))


def public_names(thing: object) -> list[str]:
    """Return the names of an object's attributes that are for users."""
    return [name for name in dir(thing) if not name.startswith("_") and not name.isupper()]


def spelled(
    *,
    words: Mapping[str, Iterable[str]] | None = None,
    advice: Mapping[str, str] | None = None,
    otherwise: Callable[..., Any] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: the function can be called in other frameworks' words, and says what it takes where a call does
    not fit it, with an `ArgumentTypeError` in the place of Python's own TypeError. A call that fits costs no more.

    Args:
        words: other names of its arguments: ``{"axis": ("axes", "dim")}``; those that it does not have are passed over.
        advice: what more to say where an argument is given that the function does not have, or is missing (then by "").
        otherwise: another framework's function of that name, in its order of arguments; tried where a call does not fit.
    """
    ours = [(other, name) for name, others in (words or {}).items() for other in others]

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        def again(message: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            """Make the call in our words, or say what is wrong with it."""
            parameters = inspect.signature(function).parameters
            renamed = {_ours(name, ours, parameters): value for name, value in kwargs.items()}
            if len(renamed) == len(kwargs) and renamed.keys() != kwargs.keys() and fits(function, *args, **renamed):
                return function(*args, **renamed)
            if otherwise is not None and fits(otherwise, *args, **kwargs):
                return otherwise(*args, **kwargs)
            message = message.replace(function.__qualname__.removesuffix(".__init__"), name := called(function, args))
            raise ArgumentTypeError(_misfit(name, message, parameters, renamed, advice or {})) from None

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                trace = error.__traceback__
                if isinstance(error, ArgumentTypeError) or trace is None or trace.tb_next is not None:
                    raise  # from inside the function
                message = str(error)
            made: R = again(message, args, kwargs)
            return made

        return call

    return decorate


#: Methods that run once a step, or are defined by users: they cost no more than they do.
_AS_THEY_ARE = ("call", "call_checked", "check", "check_input", "compute_mask", "step")
C = TypeVar("C", bound=type)


def spelled_methods(cls: C) -> C:
    """Let the public methods of a class of this package say what they take where a call does not fit: see `spelled`."""
    for name, function in list(vars(cls).items()):
        if inspect.isfunction(function) and not name.startswith("_") and name not in _AS_THEY_ARE:
            setattr(cls, name, spelled()(function))
    return cls


def called(function: Callable[..., Any], args: Sequence[Any]) -> str:
    """Return what a function is called in messages: a method by the class of the object that it is called of."""
    owner, _, name = function.__qualname__.rpartition(".")
    is_method = bool(args) and bool(owner) and not owner.endswith("<locals>")
    return (f"{type(args[0]).__name__}.{name}" if is_method else function.__qualname__).removesuffix(".__init__")


def fits(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """Say whether a function can be called so."""
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _ours(name: str, ours: Iterable[tuple[str, str]], parameters: Mapping[str, Any]) -> str:
    """Return the function's own name for an argument; the name itself where it has none."""
    if name in parameters:
        return name
    return next((mine for other, mine in ours if other == name and mine in parameters), name)


def _misfit(
    name: str,
    message: str,
    parameters: Mapping[str, inspect.Parameter],
    given: Iterable[str],
    advice: Mapping[str, str],
) -> str:
    """Return what is wrong with a call that Python refused, with the near names and what there is."""
    names = [name for name in parameters if name != "self"]
    unknown = [name for name in given if name not in parameters]
    near = [advice.get(unknown[0]) or closest(unknown[0], names)] if unknown and names else []
    more = [advice[""]] if not unknown and "" in advice else []
    takes = f"its arguments are {', '.join(names)}" if names else "it takes no arguments"
    return f"{name}: {'; '.join([message, *near, takes, *more])}"
