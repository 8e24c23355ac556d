"""Plain data as layers again, of what Keras 2 and 3 write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unroll.checks import shown
from unroll.errors import ArgumentError, ArgumentTypeError, UnsupportedError, warn
from unroll.initializers import INITIALIZERS
from unroll.layers.arguments import CONSTRAINTS, REGULARIZERS
from unroll.layers.configs.names import absent, class_of, code_in, current, function_of, given, reading
from unroll.words import closest

#: Arguments that files have and that change no number.
_IDLE = (
    "implementation", "batch_input_shape", "batch_shape", "input_shape", "input_length", "autocast", "dynamic", "fused",
    "renorm_momentum", "virtual_batch_size", "flash_attention", "query_shape", "key_shape", "value_shape",
    "function_type", "module", "output_shape_type", "output_shape_module",
)  # fmt: skip
#: Values of arguments of older versions that say nothing.
_NOTHING: dict[str, Any] = {"groups": 1}
#: Arguments that have another name since Keras 3, by class.
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope", ("Input", "batch_input_shape"): "batch_shape"}
#: Deeper than layers lie within layers.
_DEEPEST = 100
_KNOWN: dict[str, Mapping[str, Any]] = {
    "initializer": INITIALIZERS,
    "regularizer": dict.fromkeys(REGULARIZERS),
    "constraint": dict.fromkeys(CONSTRAINTS),
}
#: Of arguments that a class does not have: first values and training, which change no number either.
_ENDINGS = tuple(f"_{kind}" for kind in _KNOWN)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a new layer of what `serialize` gave, here or in Keras.

    Args:
        config: the layer's class and config.
        custom_objects: classes and functions of your own, by the names that it has for them.

    Returns:
        A layer, cell or model, not built yet.

    Raises:
        NameNotFoundError: a class or function that is neither known nor given.
        UnsupportedError: an argument that there is not, or code, which is never run.
        ArgumentError, ArgumentTypeError: a value that an argument does not take; no config.

    Example:
        >>> layers.deserialize(layers.serialize(layers.LSTM(4, name="memory"))).name
        'memory'
    """
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ArgumentTypeError(
            f"deserialize: {shown(config)} is no layer; a dict with class_name and config is wanted"
        )
    with reading(custom_objects):
        return deserialized(config)


def deserialized(config: Any, where: str = "the config") -> Any:
    """Return what plain data stands for.

    Args:
        config: as `serialized` gives it, or as a Keras of version 2 or 3 does.
        where: where it stands, for messages.

    Raises:
        NameNotFoundError: a class or function that is neither known nor given.
        UnsupportedError: it holds code, which is never run; or it goes too deep.
        ArgumentTypeError: it is no such data.
    """
    if isinstance(config, (list, tuple)):
        return [deserialized(item, where) for item in config]
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config:
        return {key: deserialized(item, where) for key, item in config.items()}
    name, inner = config["class_name"], config.get("config")
    if not isinstance(name, str):
        raise ArgumentTypeError(f"{where}: class_name is {shown(name)}; a text is wanted")
    if name in _SPECIAL:
        return _SPECIAL[name](config if inner is None else inner, where)
    if name == "__lambda__":
        raise code_in(where)
    if name == "function":
        return function_of(inner, where)
    if not isinstance(inner, Mapping):
        raise ArgumentTypeError(f"{where}: the config of {name!r} is {shown(inner)}; a dict is wanted")
    return _made(config, name, dict(inner), where)


def _made(config: Mapping[str, Any], name: str, inner: dict[str, Any], where: str) -> Any:
    shared, key = current().shared, (name, str(config.get("shared_object_id")))
    if key in shared:
        return shared[key]
    kind = class_of(name, config.get("registered_name"), where)
    if not hasattr(kind, "from_config"):
        raise ArgumentTypeError(f"{where}: {shown(kind)} was given for {name!r}, and has no from_config(config)")
    with reading(deeper=True) as scope:
        if scope.depth > _DEEPEST:
            raise UnsupportedError(
                f"{where}: configs lie within each other more than {_DEEPEST} deep, which no model does"
            )
        made = kind.from_config(inner)
    if config.get("shared_object_id") is not None:
        shared[key] = made
    return made


def made_from(cls: Any, config: Any) -> Any:
    """Return a layer of a class, made with what a config says: of a class of the user's own, with just that.

    Raises:
        ArgumentTypeError: the config is no dict of the constructor's arguments.
        UnsupportedError, NameNotFoundError: an argument, class or function that there is not.
    """
    if not isinstance(config, Mapping) or not all(isinstance(name, str) for name in config):
        raise ArgumentTypeError(
            f"{cls.__name__}.from_config: {shown(config)} is no config; give a dict of arguments by name"
        )
    if cls.__module__.startswith("unroll."):
        return cls(**arguments_of(cls, config))
    given = dict(config)
    if "dtype" in given:
        given["dtype"] = dtype_of(given["dtype"], cls.__name__)
    return cls(**given)


def arguments_of(cls: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a class of this package for what a file says: in this version's words, nests made.

    Raises:
        UnsupportedError: an argument that the class does not have, with a value that is not idle.
    """
    where = f"{cls.__name__} {config.get('name')!r}" if config.get("name") else cls.__name__
    parameters = inspect.signature(cls.__init__).parameters
    arguments: dict[str, Any] = {}
    for name, value in {**_older(cls), **config}.items():
        key = _RENAMED.get((cls.__name__, name), name)
        if key in parameters:
            if not (value in (None, False) and parameters[key].default is None):
                arguments[key] = _argument(key, value, where)
        elif not (name in _IDLE or name.endswith(_ENDINGS) or value in (None, False, [], {}, _NOTHING.get(name))):
            raise UnsupportedError(f"{where}: {name}={shown(value)} is not supported; {closest(name, parameters)}")
    return arguments


def _older(cls: Any) -> dict[str, Any]:
    """Return the defaults of older versions that are others now."""
    return {"reset_after": False} if current().keras2 and cls.__name__ in ("GRU", "GRUCell") else {}


def _argument(name: str, value: Any, where: str) -> Any:
    kind = name.rpartition("_")[2]
    if name == "dtype":
        return dtype_of(value, where)
    if name == "axis" and isinstance(value, (list, tuple)) and len(value) == 1:
        return value[0]
    if name == "seed" and isinstance(value, Mapping):
        return None
    if name == "function":
        if isinstance(value, (list, tuple)):  # as Keras 2 writes code
            raise code_in(where)
        return function_of(value, where) if isinstance(value, str) else deserialized(value, where)
    if kind == "activation":
        return function_of(value, where) if isinstance(value, str) else deserialized(value, where)
    if kind in _KNOWN and value is not None:
        return _of_kind(kind, value, where)
    return deserialized(value, where) if isinstance(value, (Mapping, list, tuple)) else value


def _of_kind(kind: str, value: Any, where: str) -> Any:
    """Return an initialiser, regulariser or constraint: Keras's own stay data, the user's are made."""
    said = value if isinstance(value, Mapping) else {"class_name": value}
    name, inner, registered = said.get("class_name"), said.get("config") or {}, said.get("registered_name")
    if name == "function":
        return function_of(inner, where)
    if not isinstance(name, str):
        return value
    own = given(registered, name)
    if own is not None:
        return _made_of(own, inner)
    if name not in _KNOWN[kind]:
        raise absent(kind, name, where, _KNOWN[kind])
    if kind != "initializer" or value is name:
        return value
    return {"class_name": name, "config": {key: _seed(item) for key, item in inner.items() if key != "dtype"}}


def _made_of(own: Any, config: Mapping[str, Any]) -> Any:
    """Return an object of a user's class, or the function or object that the user has given."""
    if hasattr(own, "from_config"):
        return own.from_config(dict(config))
    return own(**config) if isinstance(own, type) else own


def _seed(item: Any) -> Any:
    """Return an argument of an initialiser: a seed may be a generator's config, which draws other numbers anyway."""
    return None if isinstance(item, Mapping) else item


def dtype_of(value: Any, where: str) -> Any:
    """Return the dtype that a file says of a layer; None for that of its inputs.

    Raises:
        UnsupportedError: weights that are quantised.
    """
    if isinstance(value, Mapping):
        inner = value.get("config")
        value = inner.get("name") if isinstance(inner, Mapping) else None
    if isinstance(value, str) and value.startswith("mixed_"):
        warn(
            f"{where}: {value} computes with fewer digits than its weights; here all is float32, and numbers differ by that"
        )
        return "float32"
    if isinstance(value, str) and "_from_" in value:
        raise UnsupportedError(
            f"{where}: {value}: weights are floating-point; load the model as it was before quantization"
        )
    return value


def _numpy(inner: Any, where: str) -> Any:
    try:
        return np.array(inner["value"], inner.get("dtype"))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise ArgumentError(f"{where}: an array that is none: {error}") from None


def _slice(inner: Any, where: str) -> slice:
    if not isinstance(inner, Mapping):
        raise ArgumentTypeError(f"{where}: a slice is {shown(inner)}; start, stop and step are wanted")
    return slice(*(deserialized(inner.get(part), where) for part in ("start", "stop", "step")))


_SPECIAL: dict[str, Callable[[Any, str], Any]] = {
    "__numpy__": _numpy,
    "__tensor__": _numpy,
    "__slice__": _slice,
    "__ellipsis__": lambda _, where: Ellipsis,
    "__tuple__": lambda inner, where: tuple(deserialized(inner.get("items", []), where)),
    "TensorShape": lambda inner, where: tuple(inner.get("items") or []),
}
