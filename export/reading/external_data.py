"""Weights in files beside a model: found in the model's folder and nowhere else, and measured before they are believed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from onnx import TensorProto

from unroll.errors import FileError, ModelError, UnsupportedError
from unroll.export.reading.tensor_sizes import TWO_GIB, size_in_bytes

_MOST_DIGITS = 19


class Place(NamedTuple):
    """Where the bytes of a tensor lie."""

    path: Path
    offset: int
    length: int


def place_of(tensor: TensorProto, where: str, model: Path | None) -> Place:
    """Return where the data of a tensor lies, once it is known to be there.

    Args:
        tensor: one whose data lies in another file.
        where: what to call it in a message.
        model: the model's file; None where it has none.

    Raises:
        UnsupportedError: the model has no file.
        ModelError: the other file is outside the model's folder, or holds less than the tensor needs.
        FileError: there is no such file.
    """
    if model is None:
        raise UnsupportedError(
            f"{where}: its data lies in other files, and a ModelProto does not say in which folder; give the path of the "
            "model's file, or load it with onnx.load(path), which reads them"
        )
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = _inside(entries.get("location", ""), where, model)
    offset = _number(entries.get("offset", "0"), f"{where}: the offset")
    wanted = size_in_bytes(tensor, where)
    length = _number(entries["length"], f"{where}: the length") if "length" in entries else wanted
    if length != wanted:
        raise ModelError(f"{where}: {length} bytes of {path.name!r} are its data, and its shape wants {wanted}")
    there = _size(path, where)
    if offset + length > there:
        raise ModelError(f"{where}: its data ends at byte {offset + length} of {path.name!r}, which has {there}")
    return Place(path, offset, length)


def take_in(tensors: Iterable[tuple[TensorProto, Place, str]], what: str) -> None:
    """Write into tensors, which are changed, the data that lies in other files.

    Args:
        tensors: each with its place, and what to call it in a message.
        what: what to call the model.

    Raises:
        FileError: a file cannot be read.
        UnsupportedError: it is more than 2 GiB in all.
    """
    listed = list(tensors)
    if sum(place.length for _, place, _ in listed) >= TWO_GIB:
        raise UnsupportedError(f"{what}: its weights are more than 2 GiB in all; run it with unroll.Session")
    for tensor, place, where in listed:
        tensor.raw_data = _bytes_at(place, where)
        tensor.ClearField("data_location")
        tensor.ClearField("external_data")


def _inside(location: object, where: str, model: Path) -> Path:
    """Return the file that a location names, which lies in the model's folder once every link is followed."""
    if not isinstance(location, str) or not location or "\0" in location:
        raise ModelError(f"{where}: its data lies in a file of no valid name: {location!r}")
    relative = Path(location)
    folder = model.parent
    found = Path(os.path.realpath(folder / relative))
    inside = not relative.is_absolute() and ".." not in relative.parts
    # The model may be a link itself, as in a download cache; then its data lies beside what it leads to.
    if not inside or not any(found.is_relative_to(os.path.realpath(home)) for home in (folder, _folder_of(model))):
        raise ModelError(
            f"{where}: its data lies in {location!r}, outside the model's folder; move the file there, and name it relative to "
            "the model"
        )
    return found


def _folder_of(model: Path) -> Path:
    return Path(os.path.realpath(model)).parent


def _number(text: object, where: str) -> int:
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise ModelError(f"{where} of its data is {str(text)[:80]!r}, and not a number of bytes")
    return int(text)


def _size(path: Path, where: str) -> int:
    try:
        found = path.stat()
    except OSError as error:
        raise FileError(f"{where}: {path}, which holds its data, cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{where}: {path}, which holds its data, is no regular file")
    return found.st_size


def _bytes_at(place: Place, where: str) -> bytes:
    try:
        with place.path.open("rb") as file:
            file.seek(place.offset)
            data = file.read(place.length)
    except OSError as error:
        raise FileError(f"{where}: {place.path}, which holds its data, cannot be read: {error.strerror}") from None
    if len(data) != place.length:
        raise FileError(f"{where}: {place.path}, which holds its data, became shorter while it was read")
    return data
