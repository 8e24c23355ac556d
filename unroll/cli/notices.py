"""Warnings on the command line: one line each, without the place in the code."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

from unroll.cli.output import complain
from unroll.cli.words import in_flags
from unroll.errors import UnrollWarning


@contextmanager
def warnings_in_words(command: str, flags: Container[str]) -> Iterator[None]:
    """Write every `UnrollWarning` to standard error as ``unroll <command>: warning: ...``, each once, with the flags of the
    command for Python's arguments; show other warnings as Python does.
    """
    with warnings.catch_warnings():
        before = warnings.showwarning
        said: set[str] = set()

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, UnrollWarning):
                before(message, category, *where, **more)
            elif str(message) not in said:
                said.add(str(message))
                complain(f"{command}: warning: {in_flags(str(message), flags)}")

        warnings.simplefilter("always", UnrollWarning)
        warnings.showwarning = show
        yield
