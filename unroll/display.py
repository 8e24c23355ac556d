"""How a notebook shows a Graph: a hook, so that the core does not need to know about pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _text(graph: object) -> dict[str, Any]:
    return {"text/plain": repr(graph)}


#: What it is given is a Graph, which needs this module to show itself.
_hook: Callable[[Any], dict[str, Any]] = _text


def set_hook(hook: Callable[[Any], dict[str, Any]]) -> None:
    """Let `hook` make the MIME bundle that a notebook shows for a Graph."""
    global _hook
    _hook = hook


def mimebundle(graph: object) -> dict[str, Any]:
    """Return what a notebook shows for a Graph."""
    return _hook(graph)
