"""Graphs whose loops are inside operators, as re-rolled ones and many files are: their steps are shown as if written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from unroll.dimensions import Dim, Dimension
from unroll.display import flat, placed
from unroll.feeds import bound_sizes
from unroll.graph import Graph
from unroll.ops.scan import Scan
from unroll.tensor import Node
from unroll.viz.native_nodes import Native, native_nodes


class InnerLoop(NamedTuple):
    """An operator that holds a loop.

    Attributes:
        node: its node.
        steps: how many steps it has.
        units: how wide its state is; None where it has several states, or none.
        directions: how many loops it holds beside each other.
    """

    node: Node
    steps: Dim
    units: Dim | None
    directions: int = 1


def inner_loops(graph: Graph) -> list[InnerLoop]:
    """Return the operators of a graph that hold a loop: LSTM, GRU, RNN and Scan."""
    natives = native_nodes(graph)
    found = []
    for node in graph.nodes:
        if node in natives:
            native = natives[node]
            found.append(InnerLoop(node, _steps_of(native), native.units, len(native.sides)))
        elif isinstance(node.op, Scan):
            op = node.op
            states = node.inputs[: op.num_states]
            scanned = node.inputs[op.num_states] if op.num_scan_inputs else None
            steps = scanned.shape[0] if scanned is not None else 0
            units = states[0].shape[-1] if len(states) == 1 and states[0] is not None and states[0].rank else None
            found.append(InnerLoop(node, steps, units))
    return found


def shown_flat(graph: Graph, loops: Sequence[InnerLoop], feeds: Mapping[Any, Any] | None) -> Graph:
    """Return a graph with its inner loops written out step by step; as it is where their steps are not known.

    Args:
        graph: the graph.
        loops: its inner loops.
        feeds: an array for every input, which say how many steps there are where the graph does not; or None.

    Raises:
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
    """
    names = {name for loop in loops if isinstance(loop.steps, Dimension) for name in loop.steps.symbols}
    dims: dict[str, int] = {}
    if names and feeds is not None:
        sizes = bound_sizes(graph.input_specs, graph.check_feeds(feeds))
        dims = {name: size for name, size in sizes.items() if name in names}
    if names - dims.keys():
        return graph
    found = flat(graph, dims)
    shown: Graph = graph if found is graph else placed(found)
    return shown


def _steps_of(native: Native) -> Dim:
    return native.inputs["X"].shape[1 if native.attributes.get("layout", 0) else 0]
