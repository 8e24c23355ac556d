"""How a Graph is shown: hooks, so that what only reads a graph needs to know neither pictures nor passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def _text(graph: object) -> dict[str, Any]:
    return {"text/plain": repr(graph)}


#: What it is given is a Graph, which needs this module to show itself.
_hook: Callable[[Any], dict[str, Any]] = _text


def _as_it_is(graph: Any) -> Any:
    return graph


#: Gives nodes without a timestep the steps, cells and gates that can be found.
_places: Callable[[Any], Any] = _as_it_is


def _loops_as_they_are(graph: Any, dims: Mapping[str, int]) -> Any:
    return graph


#: Writes loops within operators step by step.
_flat: Callable[[Any, Mapping[str, int]], Any] = _loops_as_they_are


def set_flat(hook: Callable[[Any, Mapping[str, int]], Any]) -> None:
    """Let `hook` write out the loops of graphs whose steps are shown; what it cannot write out it leaves as it was."""
    global _flat
    _flat = hook


def flat(graph: Any, dims: Mapping[str, int]) -> Any:
    """Return a Graph with its loops written out, step by step: LSTM, GRU, RNN and Scan.

    Args:
        graph: the Graph.
        dims: sizes of symbols of its inputs, by name.
    """
    return _flat(graph, dims)


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
