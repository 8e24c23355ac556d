"""What a dictionary names: classes and functions of this package, and those that the user has given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from unroll import ops
from unroll.activations import ACTIVATIONS
from unroll.checks import shown
from unroll.dimensions import Shape, shape_text
from unroll.dtypes import FLOAT64, Array, DType
from unroll.errors import ArgumentTypeError, FileError, NameNotFoundError, UnsupportedError
from unroll.given_initializers import Given
from unroll.tensor import Tensor
from unroll.words import closest

#: The classes of this package by the names that files have for them; the face of layers enters them.
CLASSES: dict[str, Any] = {}
#: What users have registered, by name.
REGISTERED: dict[str, Any] = {}
_NAMES = {"Input": "InputLayer", "Model": "Functional"}
#: Of the bytes of a file's weights, how many times as many a model may take, and how many more.
_MEMORY, _FREELY = 8, 2**20
#: How many steps and calls of layers a file may ask for: a second has a thousand.
_WORK = 20_000
#: What files of older versions call a class.
_OLDER = {"Model": "Functional"}


class Room(Given):
    """What a file may ask for while it is read: memory, as the initialiser of all its weights, and work.

    Args:
        size: the bytes of its weights.
        what: the file, for messages.
    """

    def __init__(self, size: int, what: str) -> None:
        self._memory, self._work, self.what = _MEMORY * size + _FREELY, _WORK, what

    def __call__(self, shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        """Return zeros as the first value of a weight, which the file's own number replaces.

        Raises:
            FileError: the file holds far fewer numbers.
        """
        sizes = [int(dim) for dim in shape]
        self._memory -= math.prod(sizes) * dtype.itemsize
        if self._memory < 0:
            raise FileError(
                f"{name}: weights of {shape_text(shape)} are asked for, which {self.what} has not the bytes for"
            )
        return np.zeros(sizes, dtype)

    def spend(self, count: int, what: str) -> None:
        """Count steps and calls of layers.

        Raises:
            UnsupportedError: there are too many.
        """
        self._work -= count
        if self._work < 0:
            raise UnsupportedError(
                f"{what}: {self.what} asks for more than {_WORK:,} steps and calls of layers; leave the time open, as in "
                "keras.Input((None, 4)), or make the model in your program, and use model.load_weights(path)"
            )


class Scope(NamedTuple):
    """What holds while dictionaries are read.

    Attributes:
        custom: the user's own classes and functions by name.
        keras2: the dictionaries are of a Keras before 3.
        shared: objects that a file holds once and names again.
        depth: how deep the reader is.
        room: what a file may ask for; None of what is no file.
    """

    custom: Mapping[str, Any] = MappingProxyType({})
    keras2: bool = False
    shared: dict[Any, Any] = {}  # noqa: RUF012  (a new one wherever it is written into)
    depth: int = 0
    room: Room | None = None


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
_NOTHING = Scope()


def current() -> Scope:
    """Return what holds now."""
    return _scope.get() or _NOTHING


@contextmanager
def reading(
    custom: Mapping[str, Any] | None = None,
    keras2: bool | None = None,
    deeper: bool = False,
    room: Room | None = None,
) -> Iterator[Scope]:
    """Return a context in which dictionaries are read so; what is not said stays as it was.

    Raises:
        ArgumentTypeError: `custom` is no dict.
    """
    if custom is not None and not isinstance(custom, Mapping):
        raise ArgumentTypeError(f"custom_objects is {shown(custom)}; a dict of classes by name is wanted")
    before = current()
    older = before.keras2 if keras2 is None else keras2
    shared = before.shared if deeper else {}
    now = Scope({**before.custom, **(custom or {})}, older, shared, before.depth + deeper, room or before.room)
    token = _scope.set(now)
    try:
        yield now
    finally:
        _scope.reset(token)


def enter(classes: Mapping[str, Any]) -> None:
    """Enter the classes that files may name; the face of layers does, once all are there."""
    CLASSES.update({_NAMES.get(name, name): cls for name, cls in classes.items() if isinstance(cls, type)})


def given(*names: Any) -> Any:
    """Return what the user has given by the first of these names; None where there is nothing."""
    custom = {**REGISTERED, **current().custom}
    return next((custom[name] for name in names if isinstance(name, str) and name in custom), None)


def class_of(name: str, registered: Any, where: str) -> Any:
    """Return the class that a file names.

    Raises:
        NameNotFoundError: there is none.
        UnsupportedError: it is one that holds code.
    """
    own = given(registered, name)
    if own is not None:
        return own
    if _OLDER.get(name, name) in CLASSES:
        return CLASSES[_OLDER.get(name, name)]
    if name == "Lambda":
        raise code_in(where)
    raise absent("layer", name, where, CLASSES)


def function_of(name: Any, where: str) -> Any:
    """Return the function that a file names: an activation, or one that the user has given.

    Raises:
        NameNotFoundError: there is none.
    """
    own = given(name)
    if own is not None:
        return own
    if isinstance(name, str):
        if name == "hard_sigmoid" and current().keras2:
            return hard_sigmoid_of_keras2
        if name in ACTIVATIONS:
            return ACTIVATIONS[name]
    raise absent("function", name if isinstance(name, str) else shown(name), where, ACTIVATIONS)


def absent(kind: str, name: str, where: str, known: Mapping[str, Any]) -> NameNotFoundError:
    """Return the error for something that a file names, with the line that gives it."""
    short = name.rpartition(">")[2]
    line = f"custom_objects={{{name!r}: {short if short.isidentifier() else '...'}}}"
    return NameNotFoundError(
        f"{where}: there is no {kind} {name!r} here; if it is your own, give it: {line}, or write "
        f"@keras.saving.register_keras_serializable() over it; else {closest(name, known)}"
    )


def code_in(where: str) -> UnsupportedError:
    """Return the error for code in a file."""
    return UnsupportedError(
        f"{where}: it holds Python code (a Lambda), and code of a file is never run; define the function in your program, as a "
        "layer of your own, and give that: custom_objects={'Lambda': MyLayer}"
    )


def hard_sigmoid_of_keras2(x: Tensor) -> Tensor:
    """``0.2 * x + 0.5``, limited to 0 .. 1: the slope that it had before Keras 3."""
    if x.dtype == FLOAT64:  # an ONNX attribute holds 0.2 as float32 only
        return ops.clip(x * 0.2 + 0.5, 0.0, 1.0)
    return ops.hard_sigmoid(x, alpha=0.2, beta=0.5)
