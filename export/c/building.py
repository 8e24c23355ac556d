"""C compiled by the machine's compiler, and kept on disk by content and processor."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from unroll.errors import FileError, ModelError, UnsupportedError, warn
from unroll.export.tuning import cache_folder, processor_name
from unroll.files import as_path, make_folder
from unroll.progress import busy

#: For how many seconds a compiler may run; a minute is long for a file of 10,000 lines.
MOST_SECONDS = 300.0
#: NaN and infinity keep their meaning: nothing of -ffast-math is here, but that functions set no errno and operations no flags.
FLAGS = ("-O3", "-std=gnu99", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared", "-w")
_NATIVE = "-march=native"
#: What gcc does to loops over panels of weights makes them two to several times slower, above all that it writes loops of 16
#: out before it looks for vectors; other compilers have no such flags.
_OF_GCC = ("-fno-loop-interchange", "-fno-loop-unroll-and-jam", "--param", "max-completely-peel-times=8")
#: Tried in order: not every compiler has every flag.
_MORE_FLAGS = ((*_OF_GCC, _NATIVE), (_NATIVE,), ())
_COMPILERS = ("cc", "gcc", "clang")


def compiler() -> list[str]:
    """Return the command of a C compiler: that in the variable ``CC``, else ``cc``, ``gcc`` or ``clang``.

    Raises:
        UnsupportedError: there is none.
    """
    given = os.environ.get("CC", "").strip()
    if given:
        command = shlex.split(given)
        if shutil.which(command[0]) is None:
            raise UnsupportedError(
                f"CC is {given!r}, and there is no such program; set CC to a C compiler, or unset it"
            )
        return command
    for name in _COMPILERS:
        if shutil.which(name) is not None:
            return [name]
    raise UnsupportedError(
        f"no C compiler is found: neither {', '.join(_COMPILERS)}, nor one in the variable CC. Install one (Debian: apt-get "
        "install gcc libc6-dev; macOS: xcode-select --install), or leave target out to run in onnxruntime"
    )


def has_compiler() -> bool:
    """Say whether a C compiler is found."""
    try:
        compiler()
    except UnsupportedError:
        return False
    return True


def loaded(source: str, cache: object) -> ctypes.CDLL:
    """Return C compiled and loaded.

    Args:
        source: the text of one file.
        cache: whether to keep it on disk; or a folder to keep it in, by default ``unroll/c`` in the user's cache.

    Raises:
        UnsupportedError: there is no compiler.
        ModelError: the compiler fails, or takes too long.
    """
    command = compiler()
    folder = _folder_of(cache)
    if folder is not None:
        library = folder / f"{_key(source, command)}.so"
        with suppress(OSError):  # not there, or no library of this machine: it is compiled
            return ctypes.CDLL(str(library))
        try:
            make_folder(folder)
            return _compiled_into(library, source, command)
        except (FileError, OSError) as error:
            warn(f"{folder}: compiled C cannot be kept there ({error}); pass cache=a folder of yours, or cache=False")
    with tempfile.TemporaryDirectory(prefix="unroll-c-") as there:
        return _compiled_into(Path(there) / "model.so", source, command)


def _folder_of(cache: object) -> Path | None:
    if not isinstance(cache, bool):
        return as_path(cache, "compile: cache")
    if not cache:
        return None
    try:
        return cache_folder().parent / "c"
    except RuntimeError:  # a user without a home, as in some containers
        return None


def _key(source: str, command: Sequence[str]) -> str:
    """Return what tells compiled C apart: its text, who compiles it and how, and what the processor can do."""
    known = {
        "source": source,
        "command": [*command, *FLAGS, *_MORE_FLAGS],
        "compiler": _version(tuple(command)),
        "processor": processor_name(),
        "features": _features(),
        "system": [os.name, *os.uname()[:1], os.uname().machine] if hasattr(os, "uname") else [os.name],
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _version(command: tuple[str, ...]) -> str:
    path = shutil.which(command[0])
    if path is None:
        return ""
    real = os.path.realpath(path)
    with suppress(OSError):
        status = Path(real).stat()
        return f"{real} {status.st_size} {status.st_mtime_ns}"
    return real


def _features() -> str:
    """Return what the processor can do, where the system says it: code for more than that would end the process."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return ""


def _compiled_into(library: Path, source: str, command: Sequence[str]) -> ctypes.CDLL:
    """Compile beside where the library is to be, rename it, and load it: two who do so at once both find a whole one."""
    with tempfile.TemporaryDirectory(prefix=".compiling-", dir=library.parent) as there:
        file, made = Path(there) / "model.c", Path(there) / "model.so"
        file.write_text(source, encoding="ascii")
        with busy("compiling C"):
            for more in _MORE_FLAGS:
                said = _run([*command, *FLAGS, *more, "-o", str(made), str(file), "-lm"])
                if said is None:
                    break
        if said is not None:
            raise ModelError(f"compile: {shlex.join(command)} cannot compile the C: {said}")
        if not made.exists():
            raise ModelError(
                f"compile: {shlex.join(command)} made no library, and did not say why; set CC to a C compiler"
            )
        made.replace(library)
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise ModelError(f"compile: what {shlex.join(command)} made cannot be loaded: {error}") from None


def _run(command: Sequence[str]) -> str | None:
    """Run a compiler; return what it said where it failed."""
    try:
        done = subprocess.run(  # the user's own compiler
            command, capture_output=True, text=True, errors="replace", timeout=MOST_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"compile: {command[0]} ran for more than {MOST_SECONDS:.0f} s and was ended; set CC to another compiler"
        ) from None
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    return " ".join((done.stderr or done.stdout).split())[:600] or f"it ended with status {done.returncode}"
