"""How a Graph is shown: hooks, so that what only reads a graph needs to know neither pictures nor passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _text(graph: object) -> dict[str, Any]:
    return {"text/plain": repr(graph)}


#: What it is given is a Graph, which needs this module to show itself.
_hook: Callable[[Any], dict[str, Any]] = _text


def _as_it_is(graph: Any) -> Any:
    return graph


#: Gives nodes without a timestep the steps, cells and gates that can be found.
_places: Callable[[Any], Any] = _as_it_is


def set_places(hook: Callable[[Any], Any]) -> None:
    """Let `hook` find the steps of graphs that are shown; it returns a Graph like the one that it is given."""
    global _places
    _places = hook


def placed(graph: Any) -> Any:
    """Return a Graph as it is shown, in a summary as in a picture: with the steps, cells and gates that can be found."""
    return _places(graph)


def set_hook(hook: Callable[[Any], dict[str, Any]]) -> None:
    """Let `hook` make the MIME bundle that a notebook shows for a Graph."""
    global _hook
    _hook = hook


def mimebundle(graph: object) -> dict[str, Any]:
    """Return what a notebook shows for a Graph."""
    return _hook(graph)
