"""Pausing Python's cyclic garbage collector while a graph is built.

Every object of a growing graph is reachable, so a collection finds nothing. But it walks over all of them, again and again,
which would make the time to trace grow faster than the graph.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector inside, where it was on; a nested pause does nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
