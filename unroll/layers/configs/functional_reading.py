"""Plain data as functional models: layers are made, and called as it says.

A tensor is named by the layer that gave it, which of its calls that was, and which of that call's outputs it is. Keras 3
writes the arguments of a call as they are, Keras 2 as lists of tensors, and both are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from unroll.checks import shown
from unroll.errors import ArgumentError, ArgumentTypeError, StructureError, UnrollError
from unroll.layers.configs.operations import is_nested_model, operations
from unroll.layers.configs.reading import deserialized
from unroll.layers.symbolic import KerasTensor, symbolic_among
from unroll.weights import WeightOwner
from unroll.words import closest

#: A tensor of a config: the layer's name, which call, which output.
Reference = tuple[str, int, int]


def connected(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the inputs and the outputs of a functional model, its layers made and called as a config says.

    Raises:
        ArgumentError, ArgumentTypeError: the config contradicts itself.
        UnsupportedError, NameNotFoundError: a layer or a function that there is not.
    """
    what = f"the model {config.get('name')!r}"
    functions: dict[str, Any] = {}
    nodes: dict[tuple[str, int], Any] = {}
    for place, entry in enumerate(_list_of(config, "layers", what)):
        where = f"layer {place} of {what}"
        name = _name_of(entry, where)
        if name in functions:
            raise ArgumentError(f"{where}: {name!r} is there twice")
        functions[name] = _function(entry, f"{where}, {name!r}")
        nodes |= {(name, at): node for at, node in enumerate(_list_of(entry, "inbound_nodes", where, ()))}
    wanted = {key: [*_references(node)] for key, node in nodes.items()}
    older = any(not isinstance(node, Mapping) for node in nodes.values())
    ends = [*_references(config.get("output_layers"))] if older else []
    first = _first_calls(functions, [*wanted.values(), ends])
    made: dict[tuple[str, int], list[Any]] = {
        (name, 0): [item] for name, item in functions.items() if isinstance(item, KerasTensor)
    }

    def tensor(reference: Reference) -> Any:
        name, at, output = reference
        found = made.get((name, at))
        if found is None or not -1 < output < len(found):
            said = f"{what}: it names output {output} of call {at} of {name!r}, which there is not"
            raise ArgumentError(f"{said}; {closest(name, functions)}")
        return found[output]

    def taken(item: Any) -> Any:
        return tensor((item[0], item[1] - first.get(item[0], 0), item[2]))

    for key in _in_order(wanted, first, made, what):
        name = key[0]
        try:
            args, kwargs = _arguments(nodes[key], taken, functions[name])
            outputs = functions[name](*args, **kwargs)
        except UnrollError as error:
            raise _at(error, f"{what}: {name!r} ({type(functions[name]).__name__})") from None
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            said = f"{type(error).__name__}: {error}"
            raise ArgumentError(f"{what}: {name!r} cannot be called as the config says: {said}") from None
        made[key] = symbolic_among(outputs)

    def end(item: Any) -> Any:
        name, at, output = item
        later = first.get(name, 0) if older else is_nested_model(functions.get(name))
        return tensor((name, at - later, output))

    ends_of = [_mapped(config.get(key), end, what) for key in ("input_layers", "output_layers")]
    inputs, outputs = (
        items[0] if older and isinstance(items, list) and len(items) == 1 else items for items in ends_of
    )
    return inputs, outputs


def _at(error: UnrollError, where: str) -> UnrollError:
    said = str(error.args[0]) if error.args else str(error)
    return error if said.startswith("layer ") else type(error)(f"{where}: {said}")


def layer_of(entry: Any, where: str) -> Any:
    """Return the layer of a config's list of layers.

    Raises:
        ArgumentTypeError: the entry is none.
    """
    found = _function(entry, where)
    if not isinstance(found, (WeightOwner, KerasTensor)):
        raise ArgumentTypeError(f"{where}: {shown(entry)} is no layer")
    return found


def _function(entry: Mapping[str, Any], where: str) -> Any:
    """Return what an entry of the list of layers is: a layer, an input, or a function."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        raise ArgumentTypeError(f"{where}: {shown(entry)} is no layer; a dict with class_name and config is wanted")
    known = operations()
    function = known.read(entry, where) if known else None
    if function is not None:
        return function
    try:
        made = deserialized(entry, where)
    except UnrollError as error:
        raise _at(error, where) from None
    if not callable(made) and not isinstance(made, KerasTensor):
        raise ArgumentTypeError(f"{where}: {shown(made)} is no layer")
    return made


def _list_of(config: Any, key: str, what: str, default: Any = None) -> Sequence[Any]:
    found = config.get(key, default) if isinstance(config, Mapping) else None
    if not isinstance(found, (list, tuple)):
        raise ArgumentTypeError(f"{what}: {key} is {shown(found)}; a list is wanted")
    return found


def _name_of(entry: Any, where: str) -> str:
    inner = entry.get("config") if isinstance(entry, Mapping) else None
    name = (entry.get("name") or inner.get("name")) if isinstance(inner, Mapping) else None
    if not isinstance(name, str):
        raise ArgumentTypeError(f"{where}: it has no name")
    return name


def _is_tensor(item: Any) -> bool:
    """Say whether a list is Keras 2's way to name a tensor."""
    return (
        isinstance(item, (list, tuple))
        and len(item) in (3, 4)
        and isinstance(item[0], str)
        and all(type(part) is int for part in item[1:3])
        and (len(item) == 3 or isinstance(item[3], Mapping))
    )


def _references(node: Any) -> Iterable[Reference]:
    """Return the tensors that a call takes."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if item.get("class_name") == "__keras_tensor__":
                yield _history(item)
            else:
                waiting += item.values()
        elif _is_tensor(item):
            yield item[0], item[1], item[2]
            waiting += item[3:]
        elif isinstance(item, (list, tuple)):
            waiting += item


def _history(item: Mapping[str, Any]) -> Reference:
    inner = item.get("config")
    history = inner.get("keras_history") if isinstance(inner, Mapping) else None
    if history is None or not _is_tensor(history):
        raise ArgumentTypeError(f"a tensor is {shown(history)}; the layer's name, its call and its output are wanted")
    return tuple(history[:3])


def _first_calls(functions: Mapping[str, Any], wanted: Iterable[Sequence[Reference]]) -> dict[str, int]:
    """Return what the calls of nested models are counted from: Keras 2 counts the one that they were made with."""
    lowest: dict[str, int] = {}
    for references in wanted:
        for name, at, _ in references:
            lowest[name] = min(at, lowest.get(name, at))
    return {name: 1 for name, function in functions.items() if hasattr(function, "layers") and lowest.get(name, 0) == 1}


def _in_order(
    wanted: Mapping[Any, Sequence[Reference]], first: Mapping[str, int], made: Mapping[Any, Any], what: str
) -> Iterable[tuple[str, int]]:
    """Return the calls, each after those whose results it takes and after the earlier ones of its layer.

    Raises:
        ArgumentError: they wait for each other, or for one that there is not.
    """
    needs: dict[Any, set[Any]] = {}
    for (name, at), references in wanted.items():
        keys = {(other, call - first.get(other, 0)) for other, call, _ in references} | (
            {(name, at - 1)} if at else set()
        )
        needs[name, at] = {key for key in keys if key not in made}
    readers: dict[Any, list[Any]] = {}
    for key, others in needs.items():
        for other in sorted(others):
            readers.setdefault(other, []).append(key)
    ready, done = [key for key in wanted if not needs[key]], 0
    while ready:
        following = []
        for key in ready:
            yield key
            done += 1
            for reader in readers.get(key, ()):
                needs[reader].discard(key)
                if not needs[reader]:
                    following.append(reader)
        ready = following
    if done < len(wanted):
        key, others = next((key, others) for key, others in needs.items() if others)
        raise ArgumentError(
            f"{what}: {key[0]!r} takes what {sorted(others)[0][0]!r} gives, which is not called before it"
        )


def _arguments(node: Any, tensor: Callable[[Any], Any], function: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call."""
    if isinstance(node, Mapping):
        args, kwargs = (_filled(node.get(part, {}), tensor) for part in ("args", "kwargs"))
        kwargs.pop("training", None)
        return list(args), kwargs
    items = [node] if node and isinstance(node[0], str) else list(node)
    tensors = [item[2] if item[0] == "_CONSTANT_VALUE" else tensor(item) for item in items]
    given = items[0][3] if items and len(items[0]) > 3 else {}
    given = {key: value for key, value in given.items() if value is not None and key not in ("training", "name")}
    kwargs = {key: _older(value, tensor) for key, value in given.items()}
    if hasattr(function, "return_state") and len(tensors) > 1:
        return [tensors[0]], {"initial_state": tensors[1:], **kwargs}
    return [tensors[0] if len(tensors) == 1 else tensors], kwargs


def _filled(item: Any, tensor: Callable[[Any], Any]) -> Any:
    """Return arguments as Keras 3 writes them, with tensors in their places."""
    if isinstance(item, Mapping):
        if item.get("class_name") == "__keras_tensor__":
            return tensor(_history(item))
        if "class_name" in item:
            return deserialized(item)
        return {key: _filled(value, tensor) for key, value in item.items()}
    return [_filled(value, tensor) for value in item] if isinstance(item, (list, tuple)) else item


def _older(item: Any, tensor: Callable[[Any], Any]) -> Any:
    """Return an argument as Keras 2 writes it."""
    if _is_tensor(item):
        return tensor(item)
    if isinstance(item, Mapping):
        if {"start", "stop", "step"} == item.keys():
            return slice(*(item[part] for part in ("start", "stop", "step")))
        if "class_name" in item:
            return deserialized(item)
        return {key: _older(value, tensor) for key, value in item.items()}
    return [_older(value, tensor) for value in item] if isinstance(item, (list, tuple)) else item


def _mapped(items: Any, end: Callable[[Any], Any], what: str) -> Any:
    """Return the inputs or outputs of a model in their nest; Keras 2 lists even one."""
    if _is_tensor(items):
        return end(items)
    if isinstance(items, Mapping):
        return {key: _mapped(item, end, what) for key, item in items.items()}
    if isinstance(items, (list, tuple)):
        return [_mapped(item, end, what) for item in items]
    raise StructureError(
        f"{what}: inputs and outputs are {shown(items)}; lists of a layer, a call and an output are wanted"
    )
