"""Writing files so that a crash leaves the old one whole: to a temporary name beside it, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unroll.errors import ArgumentTypeError, FileError


def as_path(path: object, what: str) -> Path:
    """Return `path` as a Path.

    Raises:
        ArgumentTypeError: it is no path.
    """
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise ArgumentTypeError(f"{what}: {path!r} is not a path")
    return Path(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path` to write to, and rename it to `path` where the block succeeds.

    Raises:
        FileError: the folder is missing or cannot be written, or `path` is a folder.
    """
    if path.is_dir():
        raise FileError(f"{path}: is a folder; name a file in it")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise FileError(
            f"{path}: cannot be written: {error.strerror}; choose a folder that exists and is yours"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise error if isinstance(error, FileError) else FileError(f"{path}: cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all.

    Raises:
        FileError: it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read_bytes(path: Path) -> bytes:
    """Return what `path` holds.

    Raises:
        FileError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from None
