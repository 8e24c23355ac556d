"""Compute what depends on constants alone.

Preserves all names but those of what is computed, and the values of the outputs to the last bit that NumPy gives them.
Never adds a node, never reads a Parameter, and never makes a constant of more than `MOST_ELEMENTS` elements, so that
files do not grow by what is cheap to compute. Sizes that are known while tracing (the Shape of a fixed tensor) count as
constants.
"""

from __future__ import annotations

import numpy as np

from unroll.dimensions import Dim, product
from unroll.dtypes import Array
from unroll.errors import UnrollError
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.loop import most_iterations
from unroll.parameter import Parameter
from unroll.passes.tools.rewriting import Rewriting, in_place, is_known
from unroll.tensor import Constant, Node, Placeholder, Tensor

MOST_ELEMENTS = 4096
#: How often the body of a Loop is run.
_MOST_RUNS = 1000


@in_place
def fold_constants(graph: Graph) -> Graph:
    """Return `graph` with constants in place of the nodes that only read constants; see this module."""
    with collector_paused():
        folding = Rewriting(graph)

        def write(node: Node) -> None:
            inputs = folding.inputs(node)
            values = constant_values(node, inputs)
            if values is None:
                folding.keep(node, inputs)
                return
            for old, value in zip(node.outputs, values, strict=True):
                folding.replace(old, Constant(value))

        return folding.walk(_decided(graph), write)


def _decided(graph: Graph) -> set[Node]:
    """Return the nodes that depend on constants and sizes alone, which may be computed."""
    found: set[Node] = set()
    for node in graph.nodes:
        if node.outputs[0].known is not None:
            found.add(node)
            continue
        for tensor in node.inputs:
            before = tensor.node if tensor is not None else None
            if (before not in found) if before is not None else isinstance(tensor, (Placeholder, Parameter)):
                break
        else:
            found.add(node)
    return found


def constant_values(node: Node, inputs: tuple[Tensor | None, ...]) -> list[Array] | None:
    """Return what the outputs of a node are on `inputs` where these decide it; None where a run does, or they are large."""
    if node.outputs[0].known is not None and is_known(node.op):
        known = _known(node.outputs[0])
        if known is not None:
            return [known]
    return evaluated(node, inputs) if is_known(node.op) else None


def evaluated(node: Node, inputs: tuple[Tensor | None, ...]) -> list[Array] | None:
    """Return what the outputs of a node of any operator are on constants; None where not all are, or results are large."""
    for tensor in inputs:
        if tensor is not None and not isinstance(tensor, Constant):
            return None
    if not inputs or not all(_is_small(tensor) for tensor in node.outputs):
        return None
    arrays = [tensor.value if isinstance(tensor, Constant) else None for tensor in inputs]
    try:
        with np.errstate(all="ignore"), most_iterations(_MOST_RUNS):
            results = node.op.evaluate(*arrays)
    except (ValueError, IndexError, ZeroDivisionError, UnrollError):
        return None  # the run says what is wrong, and where
    listed = list(results) if isinstance(results, (list, tuple)) else [results]
    found = [np.array(array, tensor.dtype) for array, tensor in zip(listed, node.outputs, strict=True)]
    # A size that tracing did not know must not become known now: checks were made with the unknown one.
    return (
        found if all(array.shape == tensor.shape for array, tensor in zip(found, node.outputs, strict=True)) else None
    )


def _is_small(tensor: Tensor) -> bool:
    size = product(tensor.shape)
    return isinstance(size, int) and size <= MOST_ELEMENTS


def _known(tensor: Tensor) -> Array | None:
    """Return the value of an integer tensor that tracing found out."""
    dims: tuple[Dim, ...] = (
        tensor.known if isinstance(tensor.known, tuple) else () if tensor.known is None else (tensor.known,)
    )
    if tensor.known is None or not all(isinstance(dim, int) for dim in dims):
        return None
    return np.array([int(dim) for dim in dims], tensor.dtype).reshape([int(size) for size in tensor.shape])
