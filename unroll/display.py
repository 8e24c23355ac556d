"""How a notebook shows a Graph: a hook, so that the core need know no picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unroll.graph import Graph


def _text(graph: Graph) -> dict[str, Any]:
    return {"text/plain": repr(graph)}


_hook: Callable[[Graph], dict[str, Any]] = _text


def set_hook(hook: Callable[[Graph], dict[str, Any]]) -> None:
    """Let `hook` make the MIME bundle that a notebook shows for a Graph."""
    global _hook
    _hook = hook


def mimebundle(graph: Graph) -> dict[str, Any]:
    """Return what a notebook shows for `graph`."""
    return _hook(graph)
