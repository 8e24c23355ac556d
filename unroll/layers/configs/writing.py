"""Layers as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unroll.activations import ACTIVATIONS
from unroll.checks import is_same, shown
from unroll.dtypes import DType
from unroll.errors import ArgumentTypeError, UnsupportedError
from unroll.initializers import INITIALIZERS
from unroll.layers.configs.names import CLASSES, REGISTERED
from unroll.parameter import Parameter
from unroll.tensor import Constant

#: Arguments that are written only where they are given: Keras has none of them, or writes them so itself.
_IF_GIVEN = ("rolled", "time_major", "lora_rank", "lora_alpha", "use_cudnn")
#: Classes whose constructor in Keras takes no `trainable`.
_UNTRAINED = ("SpatialDropout1D", "SpatialDropout2D")
#: Attributes that do not have the name of their argument.
_ATTRIBUTES = {("Bidirectional", "layer"): "forward_layer"}


def own_class(kind: type) -> Any:
    """Return the class of this package that a class is, or is made from."""
    return next(cls for cls in kind.__mro__ if cls.__module__.startswith("unroll."))


def enter(cls: Any) -> None:
    """Enter a class of this package by the name that files have for it."""
    if cls.__module__.startswith("unroll.layers.") and not cls.__name__.startswith("_"):
        CLASSES[{"Input": "InputLayer", "Model": "Functional"}.get(cls.__name__, cls.__name__)] = cls


def config_of(layer: Any) -> dict[str, Any]:
    """Return what a layer is made with, by Keras's names.

    Of a class of the user's that is made from `Layer` itself it is what its constructor was called with, and name, dtype and
    trainable alone where it has a ``get_config`` of its own, which adds the rest.
    """
    kind, own = type(layer), own_class(type(layer))
    config = {"name": layer.name, "trainable": getattr(layer, "trainable", True), "dtype": policy(layer.dtype)}
    if own in (CLASSES["Layer"], CLASSES["Functional"]):
        if kind is own or own_class_of(kind, "get_config") is not own:
            return config
        return config | {name: serialized(value, name) for name, value in _given(layer).items() if name not in config}
    if own.__name__ in _UNTRAINED:
        config = {"name": layer.name, "dtype": str(layer.dtype)}
    for name, parameter in inspect.signature(own.__init__).parameters.items():
        value = getattr(layer, _ATTRIBUTES.get((own.__name__, name), name), parameter.default)
        if name in ("self", "weights", "trainable", *config) or (
            is_same(value, parameter.default) and _is_left_out(name, parameter, own)
        ):
            continue
        config[name] = serialized(value, name)
    return config


def own_class_of(kind: type, method: str) -> type:
    """Return the class that defines a method of a class."""
    return next(cls for cls in kind.__mro__ if method in vars(cls))


def _given(layer: Any) -> dict[str, Any]:
    """Return what the constructor of a user's class was called with."""
    args, kwargs = layer._given
    signature = inspect.signature(type(layer).__init__)
    bound = signature.bind(None, *args, **kwargs)
    bound.apply_defaults()
    arguments: dict[str, Any] = {}
    for place, (name, value) in enumerate(bound.arguments.items()):
        kind = signature.parameters[name].kind
        arguments |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value} if place else {}
    return arguments


def _is_left_out(name: str, parameter: inspect.Parameter, source: Any) -> bool:
    if name == "activity_regularizer":
        return parameter.kind is parameter.KEYWORD_ONLY or source.__name__ == "Dense"
    return name in _IF_GIVEN or (name in getattr(source, "REFUSED", {}) and name != "quantization_config")


def policy(dtype: DType) -> dict[str, Any]:
    """Return a dtype as Keras writes that of a layer."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": str(dtype)}, "registered_name": None}


def serialized(value: Any, name: str = "") -> Any:
    """Return a value as plain data.

    Args:
        value: an argument of a layer, a layer, an initialiser, a function, numbers, or a nest of them.
        name: the argument's.

    Raises:
        UnsupportedError: a lambda, whose code is never written.
        ArgumentTypeError: something that has no such form.
    """
    kind = name.rpartition("_")[2]
    if kind == "initializer" and isinstance(value, str) and value in INITIALIZERS:
        value = INITIALIZERS[value]()
    if kind == "initializer" and type(value).__name__ in INITIALIZERS:
        return _named("keras.initializers", type(value).__name__, _fields(value))
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): serialized(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [serialized(item) for item in value]
    if isinstance(value, slice):
        parts = {part: serialized(getattr(value, part)) for part in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, (np.ndarray, Parameter, Constant)):
        array = value if isinstance(value, np.ndarray) else value.value
        return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": str(array.dtype)}}
    if hasattr(value, "get_config"):
        return serialized_object(value)
    if callable(value):
        return _function(value, name)
    raise ArgumentTypeError(
        f"{name or 'a value'}: {shown(value)} has no form in a config; give the class a get_config()"
    )


def serialize(layer: Any) -> dict[str, Any]:
    """Return a layer as plain data: its module, class and config, as Keras 3 writes them.

    Args:
        layer: the layer, or a cell or a model.

    Returns:
        A dict of what JSON can hold.

    Raises:
        UnsupportedError, ArgumentTypeError: an argument has no such form, such as a lambda.

    Example:
        >>> layers.serialize(layers.LSTM(4))["class_name"]
        'LSTM'
    """
    if not hasattr(layer, "get_config"):
        raise ArgumentTypeError(f"serialize: {shown(layer)} is no layer")
    return serialized_object(layer)


def serialized_object(thing: Any) -> dict[str, Any]:
    """Return a layer, or any object with a ``get_config``, as Keras's dictionary of class and config.

    Raises:
        ArgumentTypeError: its ``get_config`` returns no dict.
    """
    kind = type(thing)
    config = thing.get_config()
    if not isinstance(config, dict):
        raise ArgumentTypeError(f"{kind.__name__}.get_config() returned {shown(config)}; a dict is wanted")
    public = _class_name(kind)
    if public is not None:
        module = {"Functional": "keras.src.models.functional", "Sequential": "keras"}.get(public, "keras.layers")
        return _named(module, public, config, "Functional" if public == "Functional" else None)
    return _named(kind.__module__, kind.__name__, serialized(config), registered_name(kind))


def _class_name(kind: type) -> str | None:
    """Return what Keras calls a class of this package; None of any other."""
    return next((name for name, cls in CLASSES.items() if cls is kind), None)


def registered_name(thing: Any) -> str:
    """Return the name that a class or function of the user's is known by."""
    return next((name for name, item in REGISTERED.items() if item is thing), thing.__name__)


def _named(module: str, name: str, config: Any, registered: str | None = None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _function(function: Callable[..., Any], name: str) -> Any:
    for known, item in ACTIVATIONS.items():
        if item is function:
            return known
    if function in REGISTERED.values():
        return _named("builtins", "function", registered_name(function), registered_name(function))
    said = getattr(function, "__name__", type(function).__name__)
    if said == "<lambda>" or not hasattr(function, "__name__"):
        raise UnsupportedError(
            f"{name or 'a function'}: {shown(function)} has no name, and code is never written; define it with def"
        )
    return _named("builtins", "function", said, said)


def _fields(value: Any) -> dict[str, Any]:
    """Return the arguments of an initialiser, as Keras writes them."""
    names = [name for name in inspect.signature(type(value).__init__).parameters if name != "self"]
    return {name: serialized(getattr(value, name)) for name in names}
