"""A hook for progress bars: the core says how far it is, and the command line may show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Something that shows progress: a bar over a sequence, and a sign that something of unknown length goes on."""

    def track(self, items: Sequence[Any], description: str) -> Iterable[Any]:
        """Yield `items`, showing how far it got."""

    def busy(self, description: str) -> AbstractContextManager[None]:
        """Show that `description` goes on until the context ends."""


_shown: ContextVar[Progress | None] = ContextVar("unroll_progress", default=None)


def track(items: Sequence[T], description: str) -> Iterable[T]:
    """Return `items` to loop over, with a progress bar where there is one."""
    shown = _shown.get()
    return items if shown is None else shown.track(items, description)


def busy(description: str) -> AbstractContextManager[None]:
    """Return a context during which `description` is shown, where there is a progress bar."""
    shown = _shown.get()
    return nullcontext() if shown is None else shown.busy(description)


@contextmanager
def shown_by(progress: Progress) -> Iterator[None]:
    """Show the progress of everything inside with `progress`."""
    token = _shown.set(progress)
    try:
        yield
    finally:
        _shown.reset(token)
