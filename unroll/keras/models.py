"""Keras 3's ``keras.models``: the classes of models."""

import copy
from typing import TYPE_CHECKING

from unroll.foreign_names import KERAS
from unroll.layers import Model, Sequential
from unroll.words import face

__all__ = ["Model", "Sequential", "clone_model"]


def clone_model(model: Model) -> Model:
    """Return a model of the same layers with weights of its own.

    They start with the values of the old ones; Keras draws new ones, which `set_weights` replaces as well.

    Args:
        model: the model.
    """
    return copy.deepcopy(model)


if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.keras.models", __all__, lambda: KERAS)
