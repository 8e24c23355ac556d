"""The NumPy meaning of a graph: the reference that every other runner is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from unroll.dtypes import Array
from unroll.errors import EvaluationError
from unroll.parameter import Parameter
from unroll.progress import track
from unroll.tensor import Constant, Node, Placeholder, Tensor

if TYPE_CHECKING:
    from unroll.graph import Graph


def evaluate(graph: Graph, feeds: Mapping[str, Array], fetches: Sequence[Tensor]) -> list[Array]:
    """Compute tensors of a graph with NumPy.

    Args:
        graph: the graph they belong to.
        feeds: checked arrays by input name.
        fetches: the tensors wanted, inner ones included.

    Returns:
        An array for each of `fetches`, in order.

    Raises:
        EvaluationError: an operator failed on the values it met; the message names the node.
    """
    nodes = _needed(graph.nodes, fetches)
    last_use = {tensor: node for node in nodes for tensor in node.inputs if tensor is not None and tensor.node}
    wanted = set(fetches)
    values: dict[Tensor, Array] = {}

    def value_of(tensor: Tensor) -> Array:
        if isinstance(tensor, Placeholder):
            return feeds[tensor.name]
        if isinstance(tensor, (Parameter, Constant)):
            return tensor.value
        return values[tensor]

    with np.errstate(all="ignore"):
        for node in track(nodes, "running in NumPy"):
            arrays = [None if tensor is None else value_of(tensor) for tensor in node.inputs]
            try:
                results = node.op.evaluate(*arrays)
            except (ValueError, IndexError, ZeroDivisionError, MemoryError) as error:
                shapes = ", ".join("None" if array is None else str(array.shape) for array in arrays)
                raise EvaluationError(f"{graph.name(node)}: {node.op!r} failed on inputs {shapes}: {error}") from None
            outputs = results if isinstance(results, (list, tuple)) else [results]  # a scalar has no array of its own
            for tensor, array in zip(node.outputs, outputs, strict=True):
                values[tensor] = np.asarray(array)
            for source in node.inputs:
                if source is not None and last_use.get(source) is node and source not in wanted:
                    values.pop(source, None)
    return [np.array(value_of(tensor)) for tensor in fetches]


def _needed(nodes: Sequence[Node], fetches: Sequence[Tensor]) -> list[Node]:
    """Return, in order, the nodes that `fetches` depend on."""
    needed = {tensor.node for tensor in fetches if tensor.node is not None}
    for node in reversed(nodes):
        if node in needed:
            needed.update(tensor.node for tensor in node.inputs if tensor is not None and tensor.node is not None)
    return [node for node in nodes if node in needed]
