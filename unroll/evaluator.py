"""The NumPy meaning of a graph: the reference that every other runner is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unroll.dtypes import Array, widened
from unroll.errors import EvaluationError, UnsupportedError
from unroll.progress import track
from unroll.structure import Structure
from unroll.tensor import Node, Placeholder, Tensor


def evaluate(
    graph: Structure,
    feeds: Mapping[str, Array],
    fetches: Sequence[Tensor],
    *,
    wide: bool = False,
    given: Mapping[Any, Array] | None = None,
    most_steps: int | None = None,
) -> list[Array]:
    """Compute tensors of a graph with NumPy.

    Args:
        graph: the graph they belong to.
        feeds: checked arrays by input name.
        fetches: the tensors wanted, inner ones included.
        wide: compute everything of a floating dtype in float64, in which two ways of writing one formula differ by next
            to nothing. The results have that dtype.
        given: values of Parameters, in place of their own, and of tensors that need not be computed.
        most_steps: with `wide`, run a loop of more steps over that many of them only, spread over all. The result is
            not the loop's own, but equal loops on equal inputs give equal results.

    Returns:
        An array for each of `fetches`, in order.

    Raises:
        EvaluationError: an operator failed on the values it met; the message names the node.
        UnsupportedError: an operator of another model's file cannot be computed; the message names the node.
    """
    nodes = graph.nodes if fetches == graph.outputs and not given else _needed(graph.nodes, fetches, given or {})
    last_use = {tensor: node for node in nodes for tensor in node.inputs}
    wanted = set(fetches)
    values: dict[Tensor | None, Array | None] = {None: None, **(given or {})}

    def leaf(tensor: Tensor) -> Array:
        """Return the value of a tensor that no node makes; it is kept to the end."""
        array = feeds[tensor.name] if isinstance(tensor, Placeholder) else tensor.value  # type: ignore[attr-defined]
        found = values[tensor] = widened(array) if wide else array
        return found

    with np.errstate(all="ignore"):
        for node in track(nodes, "running in NumPy"):
            arrays = [
                values[tensor] if tensor in values else leaf(tensor)  # type: ignore[arg-type]  # None is in values
                for tensor in node.inputs
            ]
            if wide and node.op.narrow:
                arrays = [
                    array if array is None else array.astype(tensor.dtype)  # type: ignore[union-attr]  # None has None
                    for array, tensor in zip(arrays, node.inputs, strict=True)
                ]
            try:
                results = node.op.evaluate_wide(*arrays, most_steps=most_steps) if wide else node.op.evaluate(*arrays)
            except (ValueError, IndexError, ZeroDivisionError, MemoryError) as error:
                shapes = ", ".join("None" if array is None else str(array.shape) for array in arrays)
                raise EvaluationError(f"{graph.name(node)}: {node.op!r} failed on inputs {shapes}: {error}") from None
            except UnsupportedError as error:  # an operator of another model's file
                raise UnsupportedError(f"{graph.name(node)}: {error}") from None
            outputs = results if isinstance(results, (list, tuple)) else (results,)
            for tensor, array in zip(node.outputs, outputs, strict=True):
                values[tensor] = np.asarray(array)  # a scalar has no array of its own
            for source in node.inputs:
                if (
                    last_use.get(source) is node
                    and source is not None
                    and source.node is not None
                    and source not in wanted
                ):
                    values.pop(source, None)
    return [np.array(values[tensor] if tensor in values else leaf(tensor)) for tensor in fetches]


def _needed(nodes: Sequence[Node], fetches: Sequence[Tensor], given: Mapping[Any, Array]) -> list[Node]:
    """Return, in order, the nodes that `fetches` depend on, as far as these are not given."""
    wanted = {tensor for tensor in fetches if tensor not in given}
    needed = []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            needed.append(node)
            wanted.update(tensor for tensor in node.inputs if tensor is not None and tensor not in given)
    return needed[::-1]
