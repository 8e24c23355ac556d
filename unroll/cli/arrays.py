"""Arrays on the command line: they come and go as ``.npy`` and ``.npz``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unroll import parameter_files
from unroll.array_files import read_npy
from unroll.dtypes import Array
from unroll.errors import ArgumentError, FileError
from unroll.files import as_path, read_bytes, replacing


def read_feeds(pairs: Sequence[str], archive: str | None) -> dict[str, Array]:
    """Return the feeds that ``--feed NAME=FILE.npy`` and ``--feeds FILE.npz`` name.

    Raises:
        ArgumentError: a pair is not of that form, or a name is fed twice.
        FileError: a file cannot be read or holds something else.
    """
    feeds = parameter_files.load(archive) if archive else {}
    for name, path in feed_paths(pairs):
        if name in feeds:
            raise ArgumentError(f"--feed {name}={path}: {name!r} is fed already; feed every input once")
        feeds[name] = read_npy(read_bytes(as_path(path, "--feed")), path)
    return feeds


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
        found.append((name, path))
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
        dims[name] = int(size)
    return dims or None


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
        raise FileError(f"{path}: outputs are written as .npz or .npy, not {target.suffix or 'without a suffix'}")
    if len(arrays) != 1:
        raise FileError(
            f"{path}: there are {len(arrays)} outputs and a .npy file holds one; write a .npz, or use --fetch"
        )
    with replacing(target) as file:
        np.lib.format.write_array(file, next(iter(arrays.values())), allow_pickle=False)
