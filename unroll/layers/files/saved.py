"""Keras's files as they lie on disk: an archive of a config and weights, or one file of both."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from unroll.array_files import BROKEN, members_of
from unroll.errors import FileError, UnsupportedError, first_line
from unroll.files import as_path, read_bytes
from unroll.hdf5.reading import File

_WEIGHTS, _CONFIG, _METADATA = "model.weights.h5", "config.json", "metadata.json"
#: Configs have some thousand bytes a layer.
_LARGEST_CONFIG = 64 * 2**20
_WANTED = "a .keras file, an .h5 file or a .weights.h5 file of Keras is wanted"


class Saved(NamedTuple):
    """A file of Keras's.

    Attributes:
        name: the file, for messages.
        config: the model's, or None in a file of weights alone.
        keras2: it is of a Keras before 3.
        weights: where they lie.
        by_layer: they are listed layer by layer, under this path; None where they lie by attributes.
    """

    name: str
    config: Mapping[str, Any] | None
    keras2: bool
    weights: File
    by_layer: str | None


def read_saved(path: object) -> Saved:
    """Return what a file of Keras's holds, as data.

    Raises:
        FileError: there is none, or it is something else.
        UnsupportedError: it is of Keras 1.
    """
    file = as_path(path, "a file of Keras")
    if file.is_dir():
        raise FileError(
            f"{file}: is a folder, perhaps a SavedModel; in Keras, model.save('model.keras') writes the file to give"
        )
    data, name = read_bytes(file), str(file)
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        return _archive(data, name)
    if not data.startswith(b"\x89HDF"):
        raise FileError(f"{name}: is neither a zip archive nor an HDF5 file; {_WANTED}")
    found = File(data, name)
    said = found.attributes()
    group = "model_weights" if "layer_names" not in said and found.attributes("model_weights") else ""
    config = _json(said["model_config"], f"{name}: model_config") if "model_config" in said else None
    listed = said if "keras_version" in said else found.attributes(group)
    by_layer = group if group or "layer_names" in said or "layer_names0" in said else None
    version = listed.get("keras_version", "3" if by_layer is None else "2")
    return Saved(name, config, _is_older(version, name), found, by_layer)


def _archive(data: bytes, name: str) -> Saved:
    """Return what a ``.keras`` file holds: three members of it are read, and nothing is unpacked."""
    where = ""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = members_of(archive, len(data), "", "write it with Keras's model.save, which does not compress")
            parts = {}
            for where in (_CONFIG, _METADATA, _WEIGHTS):
                if where in members:
                    with archive.open(members[where]) as stream:
                        parts[where] = stream.read(members[where].file_size + 1)
    except BROKEN as error:
        raise FileError(f"{name}: is not a .keras file: {where and f'{where}: '}{first_line(error)}") from None
    except MemoryError:
        raise FileError(f"{name}: there is too little memory for the arrays that it holds") from None
    for part in (_CONFIG, _WEIGHTS):
        if part not in parts:
            there = ", ".join(sorted(members)[:8])
            raise FileError(f"{name}: is not a .keras file: it holds no {part}, but {there or 'nothing'}; {_WANTED}")
    config = _json(parts[_CONFIG], f"{name}: {_CONFIG}")
    said = _json(parts[_METADATA], f"{name}: {_METADATA}") if _METADATA in parts else {}
    version = said.get("keras_version", "3")
    return Saved(name, config, _is_older(version, name), File(parts[_WEIGHTS], f"{name}: {_WEIGHTS}"), None)


def _json(text: Any, what: str) -> Mapping[str, Any]:
    """Return the dictionary that a text holds.

    Raises:
        FileError: it holds something else.
    """
    if isinstance(text, (str, bytes)) and len(text) > _LARGEST_CONFIG:
        raise FileError(f"{what}: is larger than the {_LARGEST_CONFIG:,} bytes that are read of a config")
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileError(f"{what}: is no JSON: {first_line(error)}") from None
    if not isinstance(found, dict):
        raise FileError(f"{what}: is no dict of a class and its config")
    return found


def _is_older(version: Any, name: str) -> bool:
    first = str(version).partition(".")[0]
    if first in ("0", "1"):
        raise UnsupportedError(
            f"{name}: is of Keras {version}, before version 2; load it in Keras 2.1, and save it again"
        )
    return first == "2"


def archived(config: Mapping[str, Any], weights: bytes) -> bytes:
    """Return a ``.keras`` file of a config and weights; equal models give equal bytes."""
    file = io.BytesIO()
    said = {"keras_version": "3.0.0", "date_saved": "1980-01-01@00:00:00"}
    parts = {_METADATA: json.dumps(said).encode(), _CONFIG: json.dumps(config).encode(), _WEIGHTS: weights}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def suffix_of(path: Path) -> str:
    """Return how a file's name ends, with ``.weights`` before it where it does."""
    return "".join(path.suffixes[-2:]).lower() if path.name.lower().endswith(".weights.h5") else path.suffix.lower()
