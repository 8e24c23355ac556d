"""Arrays on the command line: they come and go as ``.npy`` and ``.npz``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from unroll import parameter_files
from unroll.array_files import read_npy
from unroll.dtypes import Array
from unroll.errors import ArgumentError, FileError
from unroll.files import as_path, read_bytes, replacing

#: How many arrays are shown; how many numbers of one are, and how many at either end of each axis of a larger one; how many
#: names stand in one line.
_MOST_ARRAYS, _MOST_NUMBERS, _EDGE, _MOST_NAMES = 20, 120, 3, 4


def read_feeds(pairs: Sequence[str], archive: str | None) -> dict[str, Array]:
    """Return the feeds that ``--feed NAME=FILE.npy`` and ``--feeds FILE.npz`` name.

    Raises:
        ArgumentError: a pair is not of that form, or a name is fed twice.
        FileError: a file cannot be read or holds something else.
    """
    feeds = _archive(archive) if archive else {}
    for name, path in feed_paths(pairs):
        if name in feeds:
            raise ArgumentError(f"--feed {name}={path}: {name!r} is fed already; feed every input once")
        feeds[name] = read_npy(read_bytes(as_path(path, "--feed")), path)
    return feeds


def _archive(path: str) -> dict[str, Array]:
    file = as_path(path, "--feeds")
    if file.suffix == ".npy":
        raise ArgumentError(f"--feeds {path}: the one array of a .npy file has no name; give it as --feed NAME={path}")
    if file.suffix not in parameter_files.SUFFIXES:
        raise ArgumentError(
            f"--feeds {path}: feeds by name are read from .npz, or .safetensors; one array is given as --feed NAME=FILE.npy"
        )
    return parameter_files.load(file)


def feed_paths(pairs: Sequence[str]) -> list[tuple[str, str]]:
    """Return (name, path) of every ``NAME=FILE.npy``.

    Raises:
        ArgumentError: a pair is not of that form.
    """
    found: list[tuple[str, str]] = []
    for pair in pairs:
        name, separator, path = pair.partition("=")
        if not separator or not name or not path:
            raise ArgumentError(f"--feed {pair!r}: write NAME=FILE.npy")
        found.append((as_text(name), path))
    return found


def read_dims(pairs: Sequence[str]) -> dict[str, int] | None:
    """Return the sizes that ``--dim NAME=SIZE`` gives; None where there are none.

    Raises:
        ArgumentError: a pair is not of that form, or a name is given twice.
    """
    dims: dict[str, int] = {}
    for pair in pairs:
        name, _, size = pair.rpartition("=")
        if not name or not size.removeprefix("-").isdecimal() or len(size) > 18:
            raise ArgumentError(f"--dim {pair!r}: write NAME=SIZE, such as batch=4")
        if name in dims:
            raise ArgumentError(f"--dim {pair!r}: the size of {name!r} is given already; give each once")
        dims[as_text(name)] = int(size)
    return dims or None


def as_text(name: str) -> str:
    """Return a name from the command line as a model has it: in UTF-8, whatever the encoding of the terminal."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def write_arrays(arrays: Mapping[str, Array], path: str) -> None:
    """Write results: by name to ``.npz``, a single one to ``.npy``.

    Raises:
        FileError: the suffix is none of these, several results would go to one ``.npy``, or the file cannot be written.
    """
    target = as_path(path, "--output")
    if target.suffix == ".npz":
        parameter_files.save(arrays, path)
        return
    if target.suffix != ".npy":
        raise FileError(f"{path}: outputs are written as .npz or .npy, not {target.suffix}")
    if len(arrays) != 1:
        raise FileError(
            f"{path}: there are {len(arrays)} outputs and a .npy file holds one; write a .npz, or use --fetch"
        )
    with replacing(target) as file:
        np.lib.format.write_array(file, next(iter(arrays.values())), allow_pickle=False)


def described(arrays: Mapping[str, Array], width: int) -> str:
    """Return arrays to read: name, shape, dtype and values, long ones and many of them shortened in the middle.

    Args:
        arrays: what is shown.
        width: how long a line may be.
    """
    texts = [
        f"{name} {array.shape} {array.dtype}\n"
        + np.array2string(array, max_line_width=width, threshold=_MOST_NUMBERS, edgeitems=_EDGE)
        for name, array in _ends(arrays)
    ]
    left = len(arrays) - len(texts)
    if left:
        texts.insert(len(texts) // 2, f"... {left} more outputs; -o FILE.npz writes all of them ...")
    return "\n".join(texts)


def listing(arrays: Mapping[str, Array]) -> str:
    """Return the names and shapes of arrays, of many the first and the last ones."""
    texts = [f"{name} {array.shape}" for name, array in arrays.items()]
    if len(texts) > _MOST_NAMES:
        texts[_MOST_NAMES - 1 : -1] = [f"... {len(texts) - _MOST_NAMES} more ..."]
    return ", ".join(texts)


def _ends(arrays: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """Return the first and the last of many arrays."""
    items = list(arrays.items())
    half = _MOST_ARRAYS // 2
    return items if len(items) <= _MOST_ARRAYS else [*items[:half], *items[-half:]]
