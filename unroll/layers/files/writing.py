"""Models and weights as files that Keras 3 reads."""

from __future__ import annotations

from typing import Any

from unroll.errors import FileError
from unroll.files import as_path, write_bytes
from unroll.hdf5.writing import written
from unroll.layers.configs.writing import serialized, serialized_object
from unroll.layers.files.saved import archived, suffix_of
from unroll.layers.files.trees import by_path
from unroll.layers.traced import Traced


def save_weights(model: Traced, path: object) -> None:
    """Write the weights of a model as Keras 3 does; see `Model.save_weights`.

    Raises:
        FileError: the name ends otherwise, or the file cannot be written.
    """
    file = as_path(path, f"{model.described()}: save_weights")
    if suffix_of(file) != ".weights.h5":
        raise FileError(
            f"{file}: the name of a file of weights ends in .weights.h5, as Keras has it; call it {file.stem}.weights.h5"
        )
    write_bytes(file, _weights(model))


def save_model(model: Traced, path: object) -> None:
    """Write a model as a ``.keras`` file; see `Model.save`.

    Raises:
        FileError: the name ends otherwise, or the file cannot be written.
    """
    file = as_path(path, f"{model.described()}: save")
    if suffix_of(file) != ".keras":
        raise FileError(
            f"{file}: a model is written as a .keras file, which Keras 3 reads; call it {file.stem}.keras. As ONNX it is "
            "unroll.save(unroll.to_onnx(model.trace()), path)"
        )
    config = serialized_object(model)
    model._check_built("save")
    config["build_config"] = {"input_shape": _shape(model)}
    write_bytes(file, archived(config, _weights(model)))


def _shape(model: Any) -> Any:
    return serialized(model.input_shape)


def _weights(model: Traced) -> bytes:
    model._check_built("save_weights")
    arrays: dict[str, Any] = {path: weight.value for path, weight in by_path(model).items()}
    return written(arrays)
