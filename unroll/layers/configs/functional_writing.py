"""Functional models as plain data: their layers, and which tensor goes into which call, as Keras 3 writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unroll import nest
from unroll.errors import UnsupportedError
from unroll.layers.configs.operations import is_nested_model, operations
from unroll.layers.configs.writing import serialized, serialized_object
from unroll.layers.sublayers import keras_name
from unroll.layers.symbolic import Call, KerasTensor
from unroll.weights import WeightOwner


def functional_config(model: Any) -> dict[str, Any]:
    """Return the config of a functional model, as Keras 3 writes it."""
    names = _names(model)
    calls_of: dict[Any, list[Call]] = {}
    for call in model._calls:
        calls_of.setdefault(_made_by(call), []).append(call)
    places = {call: (names[what], at) for what, calls in calls_of.items() for at, call in enumerate(calls)}
    layers = []
    for what in sorted(calls_of, key=_order(model, calls_of).__getitem__):
        entries = [_entry(call, places, names[what]) for call in calls_of[what]]
        nodes = [node for _, node in entries if node is not None]
        layers.append({**entries[0][0], "name": names[what], "inbound_nodes": nodes})
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _listed(model._inputs, places),
        "output_layers": _listed(model._outputs, places),
    }


def _made_by(call: Call) -> Any:
    """Return what the config lists for a call: a layer or an input once, a function each time."""
    return call.function if isinstance(call.function, (WeightOwner, KerasTensor)) else call


def _order(model: Any, calls_of: Mapping[Any, Any]) -> dict[Any, int]:
    """Return the place of each in Keras's order."""
    order = {what: place for place, what in enumerate(model._order) if isinstance(what, (WeightOwner, KerasTensor))}
    count = len(order)
    for place, what in enumerate(calls_of):
        order.setdefault(what, count + place)
    return order


def _names(model: Any) -> dict[Any, str]:
    """Return a name for each layer, input and call of a function: no two are alike."""
    symbols = nest.flatten(model._inputs)
    names: dict[Any, str] = dict(zip(symbols, model._input_names(symbols), strict=True))
    waiting = [what for what in dict.fromkeys(map(_made_by, model._calls)) if what not in names]
    names |= {what: what._called for what in waiting if isinstance(what, WeightOwner)}
    taken = {*names.values()}
    for what in waiting:
        if what not in names:
            base, count = keras_name(_operation(what)[0]["class_name"]), 0
            while (name := f"{base}_{count}" if count else base) in taken:
                count += 1
            taken.add(name)
            names[what] = name
    return names


def _entry(
    call: Call, places: Mapping[Call, tuple[str, int]], name: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the dictionary of what was called, and of the call; an input has none."""
    if isinstance(call.function, KerasTensor):
        made = serialized_object(call.function)
        made["config"]["name"] = name
        return made, None
    args, kwargs = call.args, call.kwargs
    if isinstance(call.function, WeightOwner):
        made = serialized_object(call.function)
    else:
        made, args, kwargs = _operation(call)
        made["config"]["name"] = name
    arguments = {"args": list(args), "kwargs": kwargs}
    return made, serialized(nest.map_leaves(lambda leaf: _tensor(leaf, places), arguments))


def _operation(call: Call) -> tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]:
    known = operations()
    if known is None:
        said = getattr(call.function, "__name__", "a function")
        raise UnsupportedError(
            f"{said}: functions are written by unroll.keras; import it first: from unroll import keras"
        )
    return known.write(call)


def _tensor(leaf: Any, places: Mapping[Call, tuple[str, int]]) -> Any:
    if not isinstance(leaf, KerasTensor):
        return leaf
    assert leaf.call is not None
    history = [*places[leaf.call], _output_of(leaf)]
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": list(leaf.shape), "dtype": str(leaf.dtype), "keras_history": history},
    }


def _output_of(item: KerasTensor) -> int:
    return next(place for place, output in enumerate(item.call.outputs) if output is item) if item.call else 0


def _listed(items: Any, places: Mapping[Call, tuple[str, int]]) -> Any:
    def one(item: KerasTensor) -> Any:
        assert item.call is not None
        name, at = places[item.call]
        return [name, at + is_nested_model(item.call.function), _output_of(item)]

    return nest.map_leaves(one, items)
