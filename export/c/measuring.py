"""What C takes once it is compiled: bytes of code, read from the object file, and of stack, as the compiler says."""

from __future__ import annotations

import shlex
import shutil
import struct
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from unroll.errors import ArgumentError, ArgumentTypeError, ModelError, UnsupportedError
from unroll.export.c.building import run_compiler
from unroll.files import read_bytes

#: Before the flags that are given, which have the last word.
_FLAGS = ("-O2", "-std=c99")
#: Sections that are neither written to nor code of the program: tables by which exceptions find their way.
_TABLES = (".eh_frame", ".ARM.ex")
_ALLOCATED, _WRITTEN, _OF_THE_PROGRAM = 2, 1, 1


class Measured(NamedTuple):
    """What a compiler makes of C.

    Attributes:
        read_only: bytes of code and constants; None where the object file is no ELF.
        stack: bytes that no chain of calls exceeds, functions of libraries apart; None where the compiler does not say it.
    """

    read_only: int | None
    stack: int | None


def measured(source: str, header: str, name: str, entries: Collection[str], compiler: object) -> Measured:
    """Return what a compiler makes of a file.

    Args:
        source: its text.
        header: that of its header.
        name: what the file includes its header by, without ``.h``.
        entries: the functions that callers call.
        compiler: a program and its flags, such as ``"arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -Os"``.

    Raises:
        ArgumentTypeError, ArgumentError: `compiler` is no text, or opens a quote that it does not close.
        UnsupportedError: there is no such program.
        ModelError: it fails, or takes too long.
    """
    command = _command(compiler)
    with tempfile.TemporaryDirectory(prefix="unroll-c-") as there:
        file, made = Path(there, "model.c"), Path(there, "model.o")
        file.write_text(source, encoding="ascii")
        Path(there, f"{name}.h").write_text(header, encoding="ascii")
        compiling = [command[0], *_FLAGS, *command[1:], "-w", "-c", "-o", str(made), str(file)]
        said = run_compiler([*compiling, "-fstack-usage"], "report")
        if said is not None:  # not every compiler counts stack
            said = run_compiler(compiling, "report")
        if said is not None or not made.exists():
            raise ModelError(f"report: {shlex.join(command)} cannot compile the C: {said or 'it made no file'}")
        usage = made.with_suffix(".su")
        return Measured(_read_only(read_bytes(made)), _stack(usage.read_text(), entries) if usage.exists() else None)


def _command(compiler: object) -> list[str]:
    if not isinstance(compiler, str) or not compiler.strip():
        raise ArgumentTypeError(
            f"report: compiler {compiler!r}: a program and its flags are wanted in one text, such as 'gcc -Os'"
        )
    try:
        command = shlex.split(compiler)
    except ValueError as error:
        raise ArgumentError(f"report: compiler {compiler!r}: {error}") from None
    if shutil.which(command[0]) is None:
        raise UnsupportedError(f"report: there is no program {command[0]!r}; install it, or name another C compiler")
    return command


def _stack(usage: str, entries: Collection[str]) -> int:
    """Return the frames of the largest entry and of all that is called: what the file calls never calls itself."""
    frames = [line.split("\t") for line in usage.splitlines()]
    sizes = {place.rpartition(":")[2]: int(size) for place, size, *_ in frames}
    largest = max((size for name, size in sizes.items() if name in entries), default=0)
    return largest + sum(size for name, size in sizes.items() if name not in entries)


def _read_only(data: bytes) -> int | None:
    """Return the bytes of an ELF file that a processor only reads."""
    if data[:4] != b"\x7fELF":
        return None
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 40 if wide else 32)
    size, count, names_at = struct.unpack_from(order + "3H", data, 58 if wide else 46)
    # name, type, flags, address, offset, size
    form = order + ("2I4Q" if wide else "6I")
    sections = [struct.unpack_from(form, data, table + place * size) for place in range(count)]
    names = sections[names_at][4]
    total = 0
    for name, kind, flags, _, _, length in sections:
        title = data[names + name : data.index(b"\0", names + name)].decode("ascii", "replace")
        if kind == _OF_THE_PROGRAM and flags & _ALLOCATED and not flags & _WRITTEN and not title.startswith(_TABLES):
            total += length
    return total
