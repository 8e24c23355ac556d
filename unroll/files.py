"""Files, whole or not at all: read only where they are plain files of a size that is asked for, written so that a crash leaves
the old one whole.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from unroll.errors import ArgumentTypeError, FileError

if sys.platform != "win32":
    import fcntl

#: How many bytes `read_bytes` takes by default: more than any model or file of weights that one process holds.
LARGEST = 16 * 2**30
#: A named pipe without a writer is not waited for, and a terminal does not become this process's own; Windows has
#: neither, but must be asked for bytes.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
#: Where files cannot be locked, a temporary one older than this (in seconds) is taken for abandoned.
_ABANDONED = 3600.0
_PIECE = 2**20


def as_path(path: object, what: str) -> Path:
    """Return `path` as a Path.

    Raises:
        ArgumentTypeError: it is not a path.
        FileError: no file can have that name: it holds a NUL, or what the file system's encoding cannot say.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text:
        raise ArgumentTypeError(f"{what}: {path!r} is not a path")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError as error:
        wrong = text[error.start]
        raise FileError(f"{what}: {text!r}: no file has a name with {wrong!r} in it; leave it out") from None
    if b"\0" in encoded:
        raise FileError(f"{what}: {text!r}: no file has a name with a NUL in it; leave it out")
    return Path(text)


# -- reading ----------------------------------------------------------------------------------------------------------


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """Return what a plain file holds; a pipe, a device or a folder is never read, and never waited for.

    The checks look at the open file, so that no other can be put in its place in between.

    Args:
        path: the file, or a link to it.
        most: how many bytes it may have.

    Raises:
        FileError: there is no such file, it is not a plain file, it is larger than `most` or than the memory, or it
            cannot be read.
    """
    try:
        descriptor, size = _opened(path)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            data = _whole(file, size, most) if size <= most else None
    except MemoryError:
        raise FileError(f"{path}: cannot be read: there is too little memory for a file of that size") from None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None
    if data is None or len(data) > most:
        raise FileError(f"{path}: is larger than the {most:,} bytes that are read of such a file")
    return data


def _opened(path: Path) -> tuple[int, int]:
    """Return a plain file, open, and the size that the system gives."""
    descriptor = os.open(path, _READ)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode):
        return descriptor, found.st_size
    os.close(descriptor)
    raise FileError(f"{path}: cannot be read: it is {_kind(found.st_mode)}; name a plain file")


def _whole(file: io.FileIO, size: int, most: int) -> bytes:
    """Return what a file holds, little more than `most` at the most: it may grow meanwhile, and files of the system
    have no size.
    """
    pieces: list[bytes] = []
    read = 0
    while read <= most and (piece := file.read(max(size + 1 - read, _PIECE))):
        pieces.append(piece)
        read += len(piece)
    return b"".join(pieces)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "no file")


# -- writing ----------------------------------------------------------------------------------------------------------


def make_folder(path: Path) -> None:
    """Make a folder, and those it lies in, where it is not there.

    Raises:
        FileError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: this folder cannot be made: {error.strerror or error}; choose another") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; see `replacing`.

    Raises:
        FileError: it cannot be written.
    """
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[io.BufferedWriter]:
    """Give a new file to write to, which takes the place of `path` where the block succeeds.

    It is written beside `path` under a name of its own, handed to the disk, and renamed: whoever opens `path`, after a crash
    or a power failure too, finds the old file or the new one, whole. (The folder is not handed to the disk, so that a power
    failure just afterwards may bring the old one back.) A file there was keeps its mode, and its owner and group where the
    system lets us; a new one has the mode that the process's umask gives it. Where `path` is a link, what it points to is
    replaced, and the link stays. What a save that was killed left behind, the next save of the same path removes.

    Raises:
        FileError: the folder is missing or cannot be written, `path` is a folder, a pipe or a device, or the disk is full.
    """
    try:
        target = Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114  # never raises
        old = _existing(path, target)
        _remove_leftovers(target)
        descriptor, temporary = _created(target, 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o777)
    except OSError as error:
        raise _unwritten(path, error, "; choose a folder that exists and is yours") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if old is not None:
                _keep_permissions(descriptor, old)
            _to_disk(descriptor)
            if sys.platform != "win32":  # while it is locked, and so not taken for abandoned
                temporary.replace(target)
        if sys.platform == "win32":  # which renames no open file
            temporary.replace(target)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError, fix: str = "") -> FileError:
    return (
        error
        if isinstance(error, FileError)
        else FileError(f"{path}: cannot be written: {error.strerror or error}{fix}")
    )


def _existing(path: Path, target: Path) -> os.stat_result | None:
    """Return what is known of the file that is to be replaced; None where there is none."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(old.st_mode):
        raise FileError(f"{path}: is a folder; name a file in it")
    if not stat.S_ISREG(old.st_mode):
        raise FileError(f"{path}: cannot be written: it is {_kind(old.st_mode)}; name a plain file")
    return old


def _created(target: Path, mode: int) -> tuple[int, Path]:
    """Return a new, locked file beside `target`; the kernel takes the umask from its mode, which nobody else can know."""
    for _ in range(100):
        temporary = target.with_name(f".{target.name[:24]}{_mark(target)}{os.urandom(4).hex()}.tmp")
        try:
            descriptor = os.open(temporary, _CREATE, mode)
        except FileExistsError:
            continue
        if _lock(descriptor) is not False and os.fstat(descriptor).st_nlink:
            return descriptor, temporary
        os.close(descriptor)  # between the two calls another process took it for abandoned
        temporary.unlink(missing_ok=True)
    raise FileError(f"{target}: cannot be written: every name for a temporary file beside it is taken")


def _mark(target: Path) -> str:
    """Return what the temporary files of a path have in their names, and those of no other; names have 255 bytes at most."""
    return f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}."


def _lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed, by the end of the process at the latest; None where files cannot be locked."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network file system
        return None
    return True


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files of this path that nobody writes any more."""
    mark = _mark(target)
    try:
        names = os.listdir(target.parent)  # noqa: PTH208  # names are all that is wanted of a large folder
    except OSError:  # a folder may be writable and not readable
        return
    for name in names:
        if mark in name and name.endswith(".tmp"):
            with suppress(OSError):  # somebody else was faster, or it is not ours
                _remove_if_abandoned(target.with_name(name))


def _remove_if_abandoned(temporary: Path) -> None:
    descriptor = os.open(temporary, _READ | getattr(os, "O_NOFOLLOW", 0))
    try:
        free = _lock(descriptor)
        if free is None:
            free = time.time() - os.fstat(descriptor).st_mtime > _ABANDONED
        if free and sys.platform != "win32":  # the lock is held until it is gone
            temporary.unlink()
    finally:
        os.close(descriptor)
    if free and sys.platform == "win32":
        temporary.unlink()


def _keep_permissions(descriptor: int, old: os.stat_result) -> None:
    """Give a new file the mode of the old one, and its owner and group where that is allowed."""
    if sys.platform == "win32":
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    new = os.fstat(descriptor)
    if new.st_uid != old.st_uid:
        with suppress(OSError):
            os.fchown(descriptor, old.st_uid, -1)
    if new.st_gid != old.st_gid:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except OSError:  # the new group gets what everybody has, not what the old group had
            mode = mode & ~0o070 | (mode & 0o007) << 3
    with suppress(OSError):  # a file system without modes
        os.fchmod(descriptor, mode)


def _to_disk(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that has no such call
            raise
