"""What the command line prints: everything on a terminal that can show little, and one error where nothing can be printed."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from unroll.errors import FileError

#: Characters that a terminal obeys instead of showing them; a name from a file may hold anything.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: How much is shown of a text that a program gives.
_LONGEST = 500
#: How wide lines are where there is no terminal, the least that tables are folded to, and how wide help is at most.
_USUAL, _NARROWEST, _WIDEST = 100, 40, 110


def show(text: object = "") -> None:
    """Print to standard output.

    Raises:
        FileError: it cannot be written.
        BrokenPipeError: the reader, such as `head`, has gone.
    """
    with _to_standard_output():
        print(_visible(str(text)))


def finish() -> None:
    """Flush standard output; raises what `show` raises."""
    if sys.stdout is not None:
        with _to_standard_output():
            sys.stdout.flush()


def complain(text: str) -> None:
    """Print to standard error, where there is one."""
    with suppress(OSError, ValueError):  # there is no stream left to report this on
        if sys.stderr is not None:  # or print would take standard output
            print(_visible(text), file=sys.stderr)


def open_closed_streams() -> None:
    """Open each standard stream that the caller closed on the null device: else the next file that is opened would become
    standard output.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def line_width() -> int:
    """Return how long a line may be: as wide as the terminal (or ``COLUMNS``), and 100 letters where there is none."""
    return max(_NARROWEST, shutil.get_terminal_size((_USUAL, 24)).columns)


def help_width() -> int:
    """Return how long a line of help may be: no longer than is easily read."""
    return min(line_width(), _WIDEST)


def one_line(text: str) -> str:
    """Return a text that somebody else wrote as one line that is not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


@contextmanager
def standard_output() -> Iterator[None]:
    r"""Prepare standard output, and give it back as it was.

    Characters that its encoding lacks are written as escapes, such as ``\xe9``.

    Raises:
        FileError: it is closed, so that no result could be printed.
    """
    stream = sys.stdout
    if stream is None or stream.closed:
        raise FileError("the result cannot be written: standard output is closed; send it to a file, or to /dev/null")
    if not isinstance(stream, io.TextIOWrapper):
        yield
        return
    before = stream.errors
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            stream.reconfigure(errors=before)


def give_up_output() -> None:
    """Discard what is left in standard output, so that the interpreter does not fail on it when it ends."""
    with suppress(OSError, ValueError):  # not a stream of the process
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def _to_standard_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise FileError(f"the result cannot be written: {reason}") from None


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
