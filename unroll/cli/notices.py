"""Warnings on the command line: a line that says what is the matter, without where in the code it was found."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unroll.cli.output import complain
from unroll.errors import UnrollWarning


@contextmanager
def warnings_in_words(command: str) -> Iterator[None]:
    """Write every `UnrollWarning` to standard error as ``unroll <command>: warning: ...``, each once; others as they were."""
    with warnings.catch_warnings():
        before = warnings.showwarning
        said: set[str] = set()

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, UnrollWarning):
                before(message, category, *where, **more)
            elif str(message) not in said:
                said.add(str(message))
                complain(f"unroll {command}: warning: {message}")

        warnings.simplefilter("always", UnrollWarning)
        warnings.showwarning = show
        yield
