"""Keras 3's ``keras.saving``: objects as plain data, and names for classes and functions of your own."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from unroll.checks import check_text
from unroll.errors import ArgumentTypeError
from unroll.foreign_names import KERAS
from unroll.keras import operations as operations  # which lets files name functions
from unroll.layers.configs.names import REGISTERED, reading
from unroll.layers.configs.reading import deserialized
from unroll.layers.configs.writing import registered_name, serialized
from unroll.layers.files.loading import load_model
from unroll.words import face

T = TypeVar("T", bound=Callable[..., Any])

__all__ = [
    "custom_object_scope",
    "deserialize_keras_object",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "register_keras_serializable",
    "serialize_keras_object",
]


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Return a decorator that lets files name a class or function of yours.

    Args:
        package: the first part of its name.
        name: the second; the class's own by default.

    Returns:
        A decorator, which hands the class or function on.

    Raises:
        ArgumentTypeError: `package` is no text, or what is decorated is neither a class nor a function.

    Example:
        >>> @keras.saving.register_keras_serializable()
        ... class Halve(keras.layers.Layer):
        ...     def call(self, inputs):
        ...         return inputs / 2
        >>> keras.saving.get_registered_name(Halve)
        'Custom>Halve'
    """
    check_text(package, "register_keras_serializable: package")

    def register(thing: T) -> T:
        if not callable(thing):
            raise ArgumentTypeError(f"register_keras_serializable: {thing!r} is neither a class nor a function")
        REGISTERED[f"{package}>{name or thing.__name__}"] = thing
        return thing

    return register


def get_registered_name(obj: Callable[..., Any]) -> str:
    """Return the name that files have for a class or function: what it is registered as, else its own."""
    return registered_name(obj)


def get_registered_object(name: str) -> Any:
    """Return what is registered by a name; None where nothing is."""
    return REGISTERED.get(name)


def custom_object_scope(objects: Mapping[str, Any]) -> AbstractContextManager[Any]:
    """Return a context in which files may name these classes and functions.

    Args:
        objects: classes and functions by the names that files have for them.

    Raises:
        ArgumentTypeError: no dict was given.
    """
    if not isinstance(objects, Mapping):
        raise ArgumentTypeError(f"custom_object_scope: {objects!r} was given; a dict of classes by name is wanted")
    return reading(objects)


def serialize_keras_object(obj: Any) -> Any:
    """Return a layer, an initialiser, a function, or a nest of such as plain data, as Keras 3 writes it.

    Raises:
        UnsupportedError: a lambda, whose code is never written.
        ArgumentTypeError: something that has no such form.
    """
    return serialized(obj)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Return what plain data stands for, as Keras 2 and 3 write it.

    Args:
        config: the data.
        custom_objects: classes and functions of your own, by the names that it has for them.
        safe_mode: whatever it is, code is never run.

    Returns:
        A layer, a function, numbers, or a nest of such.

    Raises:
        NameNotFoundError, UnsupportedError, ArgumentError, ArgumentTypeError: as `load_model`.
    """
    with reading(custom_objects):
        return deserialized(config)


if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.keras.saving", __all__, lambda: KERAS)
