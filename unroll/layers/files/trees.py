"""Where the weights of a model lie in a file: in Keras 3 by attributes and classes, before it layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unroll.layers.layer import Layer
from unroll.layers.sublayers import keras_name, own_weights
from unroll.layers.traced import Traced
from unroll.parameter import Parameter

#: Attributes of ours, which Keras's layers do not have.
_OURS = (
    "_given", "_made", "_contract", "_contracts", "_stack", "_calls", "_order", "_inputs", "_outputs", "_first", "_input",
    "_symbolic_calls", "_traced", "_borne", "_untrained",
)  # fmt: skip


def by_path(model: Layer) -> dict[str, Parameter]:
    """Return the Parameters of a model by where Keras 3 writes them: ``layers/lstm_1/cell/vars/0``.

    A path is made of attributes. In a list it is the class that counts, the second LSTM as ``lstm_1``, whatever the names are.
    What is met twice lies where it was met first.
    """
    found: dict[str, Parameter] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", model)]
    while waiting:
        path, item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Layer):
            found |= {f"{path}vars/{place}": weight for place, weight in enumerate(own_weights(item))}
            children = [(f"{path}{name}/", child) for name, child in _attributes(item)]
        else:
            children = [(f"{path}{name}/", child) for name, child in _numbered(item)]
        waiting += reversed(children)
    return found


def _attributes(layer: Layer, in_order: bool = True) -> Iterator[tuple[str, Any]]:
    """Return the layers that a layer holds, and the lists of such, by attribute; a model's own layers come first.

    Args:
        layer: the layer.
        in_order: sort them by name, and leave them as they were made otherwise.
    """
    if isinstance(layer, Traced) and (layer._inputs is not None or "_stack" in vars(layer)):
        yield "layers", layer.layers
    for name, value in sorted(vars(layer).items()) if in_order else vars(layer).items():
        if name not in _OURS and isinstance(value, (Layer, list, tuple, dict)):
            yield name, value


def _numbered(items: Any) -> Iterator[tuple[str, Any]]:
    """Return the layers of a list by their class, those of one class numbered; and the lists in it."""
    counts: dict[str, int] = {}
    for item in items.values() if isinstance(items, dict) else items:
        if isinstance(item, (Layer, list, tuple, dict)):
            base = file_name(item) if isinstance(item, Layer) else "container"
            counts[base] = counts.get(base, -1) + 1
            yield f"{base}_{counts[base]}" if counts[base] else base, item


def file_name(layer: Layer) -> str:
    """Return what a layer of a list is called in a file, by its class."""
    name = type(layer).__name__
    return "functional" if name == "Model" else keras_name(name)


def in_old_order(layer: Layer) -> list[Parameter]:
    """Return the Parameters of a layer as ``.h5`` files list them: those that are trained, and then the others."""
    pairs = _trained(layer, True)
    if not getattr(layer, "trainable", True):
        return [*dict.fromkeys(weight for weight, _ in pairs)]
    return [*dict.fromkeys(weight for first in (True, False) for weight, trained in pairs if trained is first)]


def _trained(layer: Layer, above: bool) -> list[tuple[Parameter, bool]]:
    """Return each Parameter of a layer, and whether training changes it, in the order of `weights`."""
    trained = above and getattr(layer, "trainable", True)
    untrained = vars(layer).get("_untrained", ())
    pairs = [(layer._weights[name], trained and name not in untrained) for name in _names(layer)]
    for _, child in _attributes(layer, in_order=False):
        waiting = [child]
        while waiting:
            item = waiting.pop(0)
            if isinstance(item, Layer):
                pairs += _trained(item, trained)
            elif isinstance(item, (list, tuple, dict)):
                waiting = [*(item.values() if isinstance(item, dict) else item), *waiting]
    return pairs


def _names(layer: Layer) -> list[str]:
    names = {id(weight): name for name, weight in layer._weights.items()}
    return [names[id(weight)] for weight in own_weights(layer)]
