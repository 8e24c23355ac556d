"""Networks to prove, and changes of one node that make them compute something else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import unroll
from unroll import ops
from unroll.graph import Graph
from unroll.passes.rerolling import planner
from unroll.tensor import Node, Tensor

FEATURES, UNITS = 3, 2


def network(steps: int, cell: unroll.RNNCell | None = None) -> Graph:
    """A cell over `steps` steps; its biases are zeros, as they are when made."""
    x = unroll.placeholder([None, steps, FEATURES], "x")
    outputs, _ = unroll.static_rnn(cell or unroll.GRUCell(UNITS), ops.unstack(x, axis=1), dtype=np.float32)
    return Graph([x], {"y": outputs[-1]})


def changed(graph: Graph, change: Callable[[Node, list[Tensor | None]], Tensor | None]) -> Graph:
    """Return a graph with some single outputs replaced by other tensors."""
    new: dict[Tensor | None, Tensor | None] = {None: None}
    for node in graph.nodes:
        inputs = [new.get(tensor, tensor) for tensor in node.inputs]
        other = change(node, inputs)
        if other is not None:
            new[node.outputs[0]] = other
            continue
        copy = node.copied(tuple(inputs), node.provenance)
        new |= dict(zip(node.outputs, copy.outputs, strict=True))
    outputs = {name: new.get(tensor, tensor) for name, tensor in zip(graph.output_names, graph.outputs, strict=True)}
    return Graph(graph.inputs, outputs, graph.requirements)


def with_last(name: str, other: Callable[[list[Tensor | None]], Tensor]) -> Callable[[Graph], Graph]:
    """Return a rewriting of the last operator of a name."""

    def rewrite(graph: Graph) -> Graph:
        last = [node for node in graph.nodes if node.op.name == name][-1]
        return changed(graph, lambda node, inputs: other(inputs) if node is last else None)

    return rewrite


planner_rerolled = planner._rerolled
