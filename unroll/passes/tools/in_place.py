"""Passes that put nodes on other inputs as they are, where nobody else holds these nodes.

Nodes are immutable for all who read a graph. Between two of its passes `optimize` alone holds what the passes before have made,
and to copy every node behind the first that changes, in each pass again, takes 1.2 to 1.4 times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from unroll.graph import Graph

Pass = TypeVar("Pass", bound=Callable[..., Graph])

_IN_PLACE: set[Callable[..., Any]] = set()


def in_place(run: Pass) -> Pass:
    """Say of a pass that it may put a node on other inputs as it is; see `unroll.passes.tools.drafting.Draft.hand_on`.

    Such a pass finds out all it wants to know of the old graph before it carries the first node over, and where it returns that
    graph itself it has changed none. A pass that does not say so is handed graphs of which it changes nothing.
    """
    _IN_PLACE.add(run)
    return run


def is_in_place(run: Callable[..., Graph]) -> bool:
    """Say whether a pass says that it puts nodes on other inputs as they are."""
    return run in _IN_PLACE
