"""C compiled by the machine's compiler, and kept on disk by content and processor."""

from __future__ import annotations

import ctypes
import io
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from unroll.errors import FileError, ModelError, UnsupportedError, warn
from unroll.export.c.keeping import keep, kept, key_of, make_own
from unroll.export.tuning import cache_folder
from unroll.files import as_path
from unroll.progress import busy

#: For how many seconds a compiler may run; a minute is long for a file of 10,000 lines.
MOST_SECONDS = 300.0
#: How many bytes of what it prints are looked at.
_MOST_SAID = 1 << 16
#: NaN and infinity keep their meaning: nothing of -ffast-math is here, but that functions set no errno and operations no flags.
FLAGS = ("-O3", "-std=gnu99", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared", "-w")
_NATIVE = "-march=native"
#: Tried in order: not every compiler has every flag.
_MORE_FLAGS = ((_NATIVE,), ())
_COMPILERS = ("cc", "gcc", "clang")


def compiler() -> list[str]:
    """Return the command of a C compiler: that in the variable ``CC``, else ``cc``, ``gcc`` or ``clang``.

    Raises:
        UnsupportedError: there is none.
    """
    given = os.environ.get("CC", "").strip()
    if given:
        try:
            command = shlex.split(given)
        except ValueError as error:
            raise UnsupportedError(f"CC is {given!r}: {error}; set CC to a C compiler, or unset it") from None
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


def identity() -> str:
    """Return what tells the compiler, its flags, the machine and the processor from others."""
    return key_of("", compiler(), _flags())


def _flags() -> list[str]:
    return [*FLAGS, *map(shlex.join, _MORE_FLAGS)]


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
        try:
            return _loaded_from(folder, source, command)
        except (FileError, OSError) as error:
            warn(f"{folder}: compiled C cannot be kept there ({error}); pass cache=a folder of yours, or cache=False")
    with tempfile.TemporaryDirectory(prefix="unroll-c-") as there:
        return _opened(_compiled(source, command, Path(there)), command)


def _loaded_from(folder: Path, source: str, command: Sequence[str]) -> ctypes.CDLL:
    """Return the library that a folder has of C, which is compiled where it has none."""
    make_own(folder)
    key = key_of(source, command, _flags())
    library = kept(folder, key)
    if library is not None:
        with suppress(OSError):  # no library of this machine: it is compiled
            return ctypes.CDLL(str(library))
    with tempfile.TemporaryDirectory(prefix=".compiling-", dir=folder) as there:
        library = keep(_compiled(source, command, Path(there)), folder, key)
    return _opened(library, command)


def _folder_of(cache: object) -> Path | None:
    if not isinstance(cache, bool):
        return as_path(cache, "compile: cache")
    if not cache:
        return None
    try:
        return cache_folder().parent / "c"
    except RuntimeError:  # a user without a home, as in some containers
        return None


def _compiled(source: str, command: Sequence[str], there: Path) -> Path:
    """Compile C in a folder, and return the library."""
    file, made = there / "model.c", there / "model.so"
    file.write_text(source, encoding="ascii")
    with busy("compiling C"):
        for more in _MORE_FLAGS:
            said = run_compiler([*command, *FLAGS, *more, "-o", str(made), str(file), "-lm"], "compile")
            if said is None:
                break
    if said is not None:
        raise ModelError(f"compile: {shlex.join(command)} cannot compile the C: {said}")
    if not made.exists():
        raise ModelError(f"compile: {shlex.join(command)} made no library, and did not say why; set CC to a C compiler")
    return made


def _opened(library: Path, command: Sequence[str]) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise ModelError(f"compile: what {shlex.join(command)} made cannot be loaded: {error}") from None


def run_compiler(command: Sequence[str], what: str) -> str | None:
    """Run a compiler; return what it said where it failed, and None where it did not.

    Args:
        command: the program and its arguments.
        what: who asks, for messages.

    Raises:
        ModelError: it takes too long.
    """
    try:
        running = subprocess.Popen(  # the user's own compiler
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        return str(error)
    said = bytearray()
    reader = threading.Thread(target=_read, args=(running, said), daemon=True)
    reader.start()
    try:
        status = running.wait(MOST_SECONDS)
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"{what}: {command[0]} ran for more than {MOST_SECONDS:.0f} s and was ended; name another compiler, "
            "compile by the variable CC"
        ) from None
    finally:
        if running.poll() is None:
            _end(running)
        reader.join(1)  # what it started may live on, and not close what it prints to
    if status == 0:
        return None
    return " ".join(said.decode(errors="replace").split())[:600] or f"it ended with status {status}"


def _read(running: subprocess.Popen[bytes], said: bytearray) -> None:
    """Take down the beginning of what a program prints, and let the rest pass."""
    assert isinstance(running.stdout, io.BufferedReader)
    with running.stdout as pipe:
        while part := pipe.read1(_MOST_SAID):
            said += part[: _MOST_SAID - len(said)]


def _end(running: subprocess.Popen[bytes]) -> None:
    """End a program and what it started: a compiler is several programs."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(running.pid, signal.SIGKILL)
        else:
            running.kill()
    running.wait()
