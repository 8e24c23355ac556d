"""What a program offers a command: told from outside, without running any more of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType, FunctionType

_MISSING = object()
#: What a function that may be named is annotated to return, and the words of one that is not annotated.
_KINDS = frozenset(["GRU", "Graph", "LSTM", "Model", "Module", "RNN", "Sequential"])
_MAKERS = frozenset(["Graph", "Model", "Sequential", "from_onnx", "load_model", "nn", "optimize", "reroll", "trace"])


def usable(program: Mapping[str, object]) -> list[str]:
    """Return the names of a program that a command can take.

    No value is asked, for that may raise, and no function is called, for it may do anything.
    """
    from unroll.cli.traced import SHOWN  # loads every layer and module

    values = [(key, value) for key, value in list(program.items()) if type(key) is str]
    functions = {
        key: value
        for key, value in values
        if type(value) is FunctionType and value.__globals__ is program and _needs_nothing(value)
    }
    shown = {key: None for key, value in values if issubclass(type(value), SHOWN)}
    makers = _MAKERS.union(shown)
    return [key for key, _ in values if key in shown or (key in functions and _returns(key, functions, makers))]


def _needs_nothing(function: FunctionType) -> bool:
    """Say whether a function can be called without arguments."""
    code = function.__code__
    by_place = code.co_argcount - len(function.__defaults__ or ())
    by_name = set(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    return by_place <= 0 and by_name <= set(function.__kwdefaults__ or {})


def _returns(name: str, functions: Mapping[str, FunctionType], makers: frozenset[str]) -> bool:
    """Say whether a function may return a graph: by its annotation, else by the names that it, and the functions of the
    program that it calls, speak of.
    """
    said: object = functions[name].__annotations__.get("return", _MISSING)
    if said is not _MISSING:
        word = said if type(said) is str else name_of(said) if issubclass(type(said), type) else ""  # type: ignore[arg-type]
        return word.rpartition(".")[2] in _KINDS
    spoken: dict[str, None] = {}
    waiting: list[CodeType] = [functions[name].__code__]
    while waiting:
        code = waiting.pop()
        waiting += [item for item in code.co_consts if type(item) is CodeType]
        new = [word for word in code.co_names if word not in spoken]
        spoken |= dict.fromkeys(new)
        waiting += [functions[word].__code__ for word in new if word in functions]
    return not makers.isdisjoint(spoken)


def name_of(kind: type) -> str:
    """Return the name of a class, without asking its metaclass, which may be the user's."""
    name: str = type.__dict__["__name__"].__get__(kind)
    return name
