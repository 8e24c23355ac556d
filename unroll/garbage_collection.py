"""Pausing Python's cyclic garbage collector while a graph is built.

Every object of a growing graph is reachable, so a collection can find nothing; what it costs is a walk over all of
them, again and again, which would make the time to trace grow faster than the graph.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Pause collection inside, where it was on; a nested pause does nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
