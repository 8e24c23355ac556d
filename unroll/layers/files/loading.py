"""A model of a file, and the weights of a file into a model: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unroll import nest
from unroll.checks import check_flag, shown
from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.errors import FileError, UnrollError, UnsupportedError
from unroll.layers.configs.names import Room, reading
from unroll.layers.configs.reading import deserialized
from unroll.layers.files.saved import Saved, read_saved
from unroll.layers.files.trees import by_path, in_old_order
from unroll.layers.layer import Layer
from unroll.layers.traced import Traced
from unroll.parameter import Parameter
from unroll.words import closest

#: What files hold besides weights: of training, and of what training draws.
_OF_TRAINING = (
    "optimizer",
    "metrics",
    "_metrics",
    "_loss_tracker",
    "_compile_metrics",
    "seed_generator",
    "_random_generator",
)


def load_model(
    path: object, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model that a ``.keras`` or ``.h5`` file of Keras 2 or 3 holds, with its weights.

    The file is read as data: nothing of it is run, and Keras need not be there. How it was trained is passed over.

    Args:
        path: the file.
        custom_objects: classes and functions of your own, by the names that the file has for them; what is registered with
            ``keras.saving.register_keras_serializable`` need not be given.
        compile: whatever it is, nothing is compiled.
        safe_mode: True; code of a file is never run.

    Returns:
        A model, to predict with, draw and export.

    Raises:
        FileError: there is no such file, it is broken, or it holds no model.
        NameNotFoundError: a class or function of yours is not given; the message has the line that gives it.
        UnsupportedError: it holds code, a layer with an argument that is not supported, or is of Keras 1.
        ArgumentError: the file contradicts itself.
        ArgumentTypeError: `custom_objects` is no dict, or `path` no path.

    Example:
        >>> model = layers.Sequential([layers.Input((None, 5)), layers.LSTM(4)])
        >>> model.save("model.keras")
        >>> keras.models.load_model("model.keras").output_shape
        (None, 4)
    """
    if not check_flag(safe_mode, "load_model: safe_mode"):
        raise UnsupportedError(
            "load_model: safe_mode=False: code of a file is never run; leave it out, and give custom_objects"
        )
    saved = read_saved(path)
    if saved.config is None:
        raise FileError(
            f"{saved.name}: holds weights and no model; make the model in your program, and use model.load_weights(path)"
        )
    room = Room(saved.weights.size, "the file")
    with reading(custom_objects, saved.keras2, room=room):
        try:
            model = deserialized(saved.config, "the model")
            if not isinstance(model, Traced):
                raise FileError(f"holds {shown(model)}, which is no model")
            _build(model, saved)
        except UnrollError as error:
            raise _in_file(saved, error) from None
        fill(model, saved)
    return model


def _in_file(saved: Saved, error: UnrollError) -> UnrollError:
    said = error.args[0] if error.args else error
    return type(error)(f"{saved.name}: {said}")


def _build(model: Traced, saved: Saved) -> None:
    """Build a model of the user's class for the shape that the file says, and trace what was not traced yet: what cannot be
    is refused here.
    """
    said = saved.config.get("build_config") if saved.config is not None else None
    shape = said.get("input_shape") if isinstance(said, Mapping) else None
    if not model.built and shape is not None:
        model.build(shape)
    model._check_built("load_model")
    if model._inputs is None:
        model(nest.map_leaves(lambda item: item.tensor, model._declared()))


def load_weights(model: Traced, path: object) -> None:
    """Give the weights of a model the values of a file; see `Model.load_weights`."""
    fill(model, read_saved(path))


def fill(model: Traced, saved: Saved) -> None:
    """Give the weights of a model the values of a file, all or none.

    Raises:
        FileError: the file has other weights.
        ArgumentError: the model is not built.
    """
    model._check_built("load_weights")
    found = [*(_by_attribute(model, saved) if saved.by_layer is None else _by_layer(model, saved, saved.by_layer))]
    for weight, array, where in found:
        try:
            weight.cast(array)
        except UnrollError as error:
            raise FileError(f"{saved.name}: {where}: {error}") from None
    for weight, array, _ in found:
        weight.assign(array)


def _by_attribute(model: Layer, saved: Saved) -> Iterator[tuple[Parameter, Array, str]]:
    """Return each weight with its array, as Keras 3 lays them out."""
    wanted = by_path(model)
    shapes = {path: shape for path, shape in saved.weights.shapes() if not {*path.split("/")} & {*_OF_TRAINING}}
    older = any(path.startswith("_layer_checkpoint_dependencies/") for path in shapes)
    used = set()
    for path, weight in wanted.items():
        place = path.replace("layers/", "_layer_checkpoint_dependencies/", 1) if older else path
        array = saved.weights.array(place) if place in shapes else None
        if array is None:
            raise FileError(
                f"{saved.name}: holds no {place}, which {weight.name} {shape_text(weight.shape)} is; {closest(place, shapes)}"
            )
        used.add(place)
        yield weight, array, place
    more = [path for path in shapes if path not in used]
    if more:
        what = f"{more[0]} {shapes[more[0]]}, which no weight of {model.described()} is, and {len(more) - 1} more"
        raise FileError(f"{saved.name}: holds {what}: the model is another one, or a layer of it is not built")


def _by_layer(model: Any, saved: Saved, group: str) -> Iterator[tuple[Parameter, Array, str]]:
    """Return each weight with its array, as files of Keras 2 list them: layer by layer, in order."""
    layers = [layer for layer in model.layers if isinstance(layer, Layer) and layer.weights]
    named = [
        (name, names)
        for name in _texts(saved, group, "layer_names")
        if (names := _texts(saved, f"{group}/{name}", "weight_names"))
    ]
    if len(named) != len(layers):
        theirs, ours = (
            ", ".join(names) for names in ([name for name, _ in named], [layer._called for layer in layers])
        )
        raise FileError(
            f"{saved.name}: holds weights of {len(named)} layers, {theirs}; {model.described()} has {len(layers)} such: {ours}"
        )
    for (name, paths), layer in zip(named, layers, strict=True):
        yield from _of_layer(saved, f"{group}/{name}", paths, in_old_order(layer), layer.described())
    own = [*model._weights.values()]
    top = _texts(saved, f"{group}/top_level_model_weights", "weight_names")
    if own or top:
        yield from _of_layer(saved, f"{group}/top_level_model_weights", top, own, model.described())


def _of_layer(
    saved: Saved, group: str, paths: list[str], weights: list[Parameter], what: str
) -> Iterator[tuple[Parameter, Array, str]]:
    if len(paths) != len(weights):
        raise FileError(f"{saved.name}: {group} holds {len(paths)} weights, and {what} has {len(weights)}")
    for path, weight in zip(paths, weights, strict=True):
        array = saved.weights.array(f"{group}/{path}")
        if array is None:
            raise FileError(f"{saved.name}: {group} names {path!r}, and holds none of that name")
        yield weight, array, f"{group}/{path}"


def _texts(saved: Saved, group: str, name: str) -> list[str]:
    """Return a list of texts among the attributes of a group; a long one lies in pieces."""
    said = saved.weights.attributes(group)
    pieces = [said[name]] if name in said else []
    while name not in said and f"{name}{len(pieces)}" in said:
        pieces.append(said[f"{name}{len(pieces)}"])
    texts = [item for piece in pieces if isinstance(piece, list) for item in piece]
    if not all(isinstance(item, str) for item in texts):
        raise FileError(f"{saved.name}: {group}: {name} is no list of names")
    return texts
