"""Keras 3's ``keras.models``: the classes of models, copies of them, and models in files."""

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unroll.checks import shown
from unroll.errors import ArgumentTypeError, FileError, first_line
from unroll.foreign_names import KERAS
from unroll.keras import operations as operations  # which lets files name functions
from unroll.layers import Model, Sequential
from unroll.layers.configs.names import reading
from unroll.layers.configs.reading import deserialized
from unroll.layers.files.loading import load_model
from unroll.words import face

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json"]


def clone_model(model: Model) -> Model:
    """Return a model of the same layers with weights of its own.

    They start with the values of the old ones; Keras draws new ones, which `set_weights` replaces as well.

    Args:
        model: the model.
    """
    return copy.deepcopy(model)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a new model of what ``model.to_json()`` gave, here or in Keras; its weights are new.

    Args:
        json_string: the JSON.
        custom_objects: classes and functions of your own, by the names that it has for them.

    Returns:
        A model, a new one each time.

    Raises:
        FileError: it is no JSON.
        ArgumentTypeError: it is no text.
        NameNotFoundError, UnsupportedError, ArgumentError: as `load_model`.
    """
    if not isinstance(json_string, (str, bytes)):
        raise ArgumentTypeError(f"model_from_json: {shown(json_string)} is no text")
    try:
        config = json.loads(json_string)
    except (ValueError, RecursionError) as error:
        raise FileError(f"model_from_json: this is no JSON: {first_line(error)}") from None
    keras2 = isinstance(config, dict) and str(config.get("keras_version", "3")).startswith("2")
    with reading(custom_objects, keras2):
        return deserialized(config, "the model")


if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.keras.models", __all__, lambda: KERAS)
