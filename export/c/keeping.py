"""Compiled C on disk: who may have written it, whether it is whole, and for which machine it is.

A library is loaded into this process, so it is not trusted for its name. Its folder must be the user's, and nobody else's to
write to; and the name holds the digest of what is in it, so that a file and what vouches for it are put there in one step.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from unroll.errors import FileError
from unroll.export.tuning import processor_name
from unroll.files import make_folder, read_bytes

_OWN = 0o700
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def key_of(source: str, command: Sequence[str], flags: Sequence[str]) -> str:
    """Return what tells compiled C apart: its text, who compiles it and how, and what the machine and processor can do."""
    known = {
        "source": source,
        "command": [*command, *flags],
        "compiler": _version(command[0]),
        "processor": processor_name(),
        "features": features()
        or platform.node(),  # where nobody says what the processor can do, no other machine is trusted
        "system": [os.name, platform.system(), platform.machine(), *platform.libc_ver()],
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _version(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    real = os.path.realpath(path)
    with suppress(OSError):
        status = Path(real).stat()
        return f"{real} {status.st_size} {status.st_mtime_ns}"
    return real


def features() -> str:
    """Return what the processor can do, where the system says it: code for more than that would end the process."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return ""


def make_own(folder: Path) -> None:
    """Make a folder that only the user may write to, where it is not there.

    Raises:
        FileError: it cannot be made; or it is there, and somebody else may write to it.
    """
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=_OWN)
    why = _why_not_own(folder)
    if why:
        raise FileError(f"{why}, and so could put code there that this process would run")


def _why_not_own(path: Path) -> str:
    """Say who else may write to a file or folder; empty where nobody may, or the system does not tell."""
    if not hasattr(os, "geteuid"):
        return ""
    status = path.stat()
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    return "others may write to it (chmod go-w ends that)" if status.st_mode & _OF_OTHERS else ""


def kept(folder: Path, key: str) -> Path | None:
    """Return the library that was kept under a key, whole and nobody else's; None where there is none.

    One that is damaged, or that others may write to, is removed.

    Raises:
        FileError, OSError: the folder cannot be read.
    """
    for path in sorted(folder.glob(f"{key}-*.so")):
        if not path.is_symlink() and path.is_file() and not _why_not_own(path) and path.name == _name(key, path):
            return path
        with suppress(OSError):
            path.unlink()
    return None


def keep(library: Path, folder: Path, key: str) -> Path:
    """Put a library, which lies on the disk of a folder, there, and return where: two who do so at once find a whole one.

    Raises:
        FileError, OSError: it cannot be put there.
    """
    library.chmod(_OWN)
    path = folder / _name(key, library)
    library.replace(path)
    return path


def _name(key: str, library: Path) -> str:
    return f"{key}-{hashlib.sha256(read_bytes(library)).hexdigest()}.so"
