"""Tracing a plain Python function into a Graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll.arguments import checked
from unroll.errors import ArgumentTypeError
from unroll.graph import Graph
from unroll.tensor import Placeholder


@checked()
def trace(fn: Callable[..., Any], *placeholders: Placeholder) -> Graph:
    """Call `fn` once on placeholders and return the Graph of what it returns.

    Args:
        fn: takes one tensor for each placeholder; returns a tensor or a nest of them. The keys of a dict it returns
            become the outputs' names.
        placeholders: the inputs, in order.

    Returns:
        The graph, of which `placeholders` are the inputs and what `fn` returned are the outputs.

    Raises:
        ArgumentTypeError: `fn` is not callable, or an input is not a placeholder.
        GraphError: `fn` returns something other than tensors.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> graph = unroll.trace(lambda x: {"y": 3 * x + 1}, x)
        >>> graph.run({"x": [1, 2]})
        {'y': array([4., 7.], dtype=float32)}
    """
    if not callable(fn):
        raise ArgumentTypeError(f"trace: {fn!r} is not callable; give a function of {len(placeholders)} tensors")
    for item in placeholders:
        if not isinstance(item, Placeholder):
            raise ArgumentTypeError(f"trace: {item!r} is not a placeholder; make inputs with unroll.placeholder")
    return Graph(placeholders, fn(*placeholders))
