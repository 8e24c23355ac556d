"""What weights and cells are called in pictures: the part of a file's name that says something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from unroll.ops.operator import OPERATORS
from unroll.parameter import Parameter

#: What TensorFlow reads a variable with, besides operators of ONNX's names.
_READING = {"read", "readvariableop", "biasadd", "strided_slice"}
_OPERATORS = {name.lower() for _, name in OPERATORS} | _READING
# As files write it, too: ``Squeeze_1:0``.
_NUMBERED = re.compile(r"(_\d+)?(:\d+)?$")
# How Keras's files end the paths of weights.
_KERAS = re.compile(r"(?<=.)(/(Cast|BiasAdd|ReadVariableOp)(_\d+)?(:\d+)?)+$")
#: What a weight is called that only operators name, by the sources of its rows: as the box of a native node says it.
_ROLES = {("x",): "weights of x", ("h",): "weights of h", ("x", "h"): "weights of x and h", (): "biases"}
#: What formulas call it, and, with a gate, the blocks of its card.
_LETTERS = {"weights of x": "W_x", "weights of h": "W_h", "weights of x and h": "W", "biases": "b"}


def name_parts(name: str) -> list[str]:
    """Return the scopes of a weight's name and what it is called there, without the operators that only read it.

    Names have slashes, and those of PyTorch dots. A name of operators alone is left as it is.
    """
    parts = _all_parts(name)
    told = list(parts)
    while told and is_operator(told[-1]):
        told.pop()
    return told or parts


def without_reading(name: str) -> str:
    """Return what is left of a weight's name in a file of Keras without the operators by which its layer reads it."""
    return _KERAS.sub("", name)


def is_operator(part: str) -> bool:
    """Say whether a part of a name is only that of an operator, perhaps with a number."""
    return _NUMBERED.sub("", part).lower() in _OPERATORS


def scope_parts(parameter: Parameter) -> list[str]:
    """Return the scopes that a weight lies in."""
    told = name_parts(parameter.name)
    return told if _unnamed(parameter) else told[:-1]


def weight_names(parameters: Sequence[Parameter], scope: str) -> dict[Parameter, str]:
    """Return what weights are called within a scope, which is left out as far as both share it; those that only operators name
    by what they are. No two are called alike.
    """
    found = {item: _called(item, scope.split("/")) for item in parameters}
    count = Counter(found.values())
    return {item: name if count[name] == 1 else f"{name} ({_all_parts(item.name)[-1]})" for item, name in found.items()}


def two_parts(parameter: Parameter) -> str:
    """Return what a weight is called beside what reads it: its name with the scope before it."""
    if _read_as(parameter):
        return "/".join([*name_parts(parameter.name)[-1:], _read_as(parameter)])
    parts = _all_parts(parameter.name) if _unnamed(parameter) else name_parts(parameter.name)
    return "/".join(parts[-2:])


def readable_names(names: Iterable[str]) -> dict[str, str]:
    """Return names without the operators that only read a weight, where that leaves them apart."""
    listed = {name: "/".join(name_parts(name)) for name in names}
    count = Counter(listed.values())
    return {name: told if count[told] == 1 else name for name, told in listed.items()}


def cell_titles(short: Mapping[str, str]) -> dict[str, str]:
    """Return the titles of cells by their paths: a number alone, as in PyTorch's lists, is told with what it is a number in."""
    return {path: shown_path(_with_container(path, title)) for path, title in short.items()}


def role_of(parameter: Parameter) -> str:
    """Return what a weight is that only operators name; nothing where it has a name, or is not known."""
    if parameter.blocks is None or not _unnamed(parameter):
        return ""
    return _ROLES.get(tuple(source for source, _ in parameter.blocks.rows), "")


def letter_of(parameter: Parameter) -> str:
    """Return what a formula calls a weight that only operators name: ``W_x``; nothing where it has a name, or is not known."""
    return _LETTERS.get(role_of(parameter), "")


def without_port(name: str) -> str:
    """Return the name of a tensor without what TensorFlow says of which output of its operator it is: ``Y0`` for ``Y0:0``."""
    return name.removesuffix(":0") or name


def shown_path(path: str) -> str:
    """Return a path with its numbers as PyTorch writes them, ``there/stack.0``, and without how Keras reads what lies there."""
    return re.sub(r"/(\d+)(?=/|$)", r".\1", _KERAS.sub("", path))


def _with_container(path: str, title: str) -> str:
    parts, length = _KERAS.sub("", path).split("/"), title.count("/") + 1
    while length < len(parts) and parts[-length].isdecimal():
        length += 1
    return "/".join(parts[-length:])


def _called(item: Parameter, scope: Sequence[str]) -> str:
    told = name_parts(item.name)
    same = next(
        (place for place, (one, other) in enumerate(zip(told, scope, strict=False)) if one != other), len(scope)
    )
    if role_of(item) or _read_as(item):
        return role_of(item) or _read_as(item)
    if _unnamed(item):
        told = _all_parts(item.name)
    inside = len(told) > 1 and list(scope[1 - len(told) :]) == told[:-1]  # the scope is told from farther outside
    return told[-1] if inside else "/".join(told[min(same, len(told) - 1) :])


def _read_as(item: Parameter) -> str:
    """Return what a weight is that Keras's files name by how their layer reads it, ``dense/Cast/ReadVariableOp:0``."""
    read = _KERAS.search(item.name)
    if read is None or item.blocks is not None:
        return ""
    return "bias" if "/BiasAdd" in read[0] else "kernel"


def _unnamed(item: Parameter) -> bool:
    """Say whether a weight is named by what was done with it, as Keras's files have ``lstm_cell/Cast/ReadVariableOp``, and not
    by TensorFlow's own reading of a variable, ``kernel/Read/Identity``.
    """
    dropped = _all_parts(item.name)[len(name_parts(item.name)) :]
    plain = {"read", "identity", "readvariableop"}
    return any(_NUMBERED.sub("", part).lower() not in plain for part in dropped)


def _all_parts(name: str) -> list[str]:
    return name.split("/" if "/" in name else ".")
