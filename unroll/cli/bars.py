"""Progress bars, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from unroll.progress import shown_by

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bars:
    """Shows the progress of the core with rich."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def track(self, items: Sequence[Any], description: str) -> Iterable[Any]:
        """Yield `items`, showing how far it got."""
        task = self._progress.add_task(description, total=len(items))
        every = max(1, len(items) // 200)  # a bar of 200 steps; more would slow the work it shows
        for place, item in enumerate(items):
            yield item
            if place % every == 0:
                self._progress.update(task, completed=place + 1)
        self._end(task)

    @contextmanager
    def busy(self, description: str) -> Iterator[None]:
        """Show that `description` goes on until the context ends."""
        task = self._progress.add_task(description, total=None)
        try:
            yield
        finally:
            self._end(task)

    def _end(self, task: TaskID) -> None:
        """Remove a bar at once: what is printed next begins in its place."""
        self._progress.remove_task(task)
        self._progress.refresh()


@contextmanager
def _bars() -> Iterator[None]:
    from rich.console import Console  # loaded where there is a terminal
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # the same

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # Results go to standard output, wherever that leads; rich would send them to the terminal of standard error.
    console = Console(stderr=True)
    with (
        Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress,
        shown_by(Bars(progress)),
    ):
        yield


def on_terminal() -> AbstractContextManager[None]:
    """Return a context that shows progress on standard error, where that is a terminal."""
    return _bars() if sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty() else nullcontext()
