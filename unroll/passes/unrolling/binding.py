"""Sizes by name, put into the inputs of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from unroll.dimensions import Condition, Dim, Least, Limit, Requirement, solve, substitute, substitute_shape
from unroll.graph import Graph
from unroll.sizes import symbols_of
from unroll.tensor import Placeholder


class Bound(NamedTuple):
    """A graph's inputs with sizes that are given.

    Attributes:
        sizes: what the symbols of the graph are now.
        inputs: the inputs, in order; those in which nothing changes are the old ones.
        requirements: what must still hold.
    """

    sizes: dict[str, Dim]
    inputs: tuple[Placeholder, ...]
    requirements: tuple[Condition, ...]


def bound(graph: Graph, dims: Mapping[str, int]) -> Bound:
    """Return the inputs of a graph with sizes by name.

    Args:
        graph: the graph.
        dims: the sizes, checked.

    Raises:
        ShapeError: the graph needs sizes to be equal that are not, with these.
    """
    if not dims:
        return Bound({}, graph.inputs, graph.requirements)
    symbols = symbols_of(graph)
    given = [Requirement(symbols[name], size, f"dims: {name} = {size}") for name, size in dims.items()]
    equal = [item for item in graph.requirements if isinstance(item, Requirement)]
    sizes = solve([*equal, *given]).values
    sizes |= dims
    inputs = []
    for tensor in graph.inputs:
        shape = substitute_shape(tensor.shape, sizes)
        kept = shape == tensor.shape
        inputs.append(tensor if kept else Placeholder(shape, tensor.dtype, tensor.name, tensor.bearers))
    return Bound(sizes, tuple(inputs), tuple(_bound(item, sizes) for item in graph.requirements))


def _bound(item: Condition, sizes: Mapping[str, Dim]) -> Condition:
    if isinstance(item, Requirement):
        return item._replace(left=substitute(item.left, sizes), right=substitute(item.right, sizes))
    if isinstance(item, Least):
        return item._replace(size=substitute(item.size, sizes))
    assert isinstance(item, Limit)
    return item._replace(most=substitute(item.most, sizes))
