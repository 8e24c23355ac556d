"""Cut an input before it is multiplied, where the product of all steps was cut: ``(x @ W + b)[t]`` becomes ``x[t] @ W + b``.

One step cut from a product that was turned around in time is the step of that number from the end.

Preserves the names of what is kept, and the values of the outputs but for rounding. Adds a product for each step. This is
how torch's exporter hoists the input products of an ``nn.RNN``; what `hoist_inputs` made is undone by `unhoist_inputs`.
"""

from __future__ import annotations

from typing import NamedTuple

from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.linear import MatMul
from unroll.ops.operator import made
from unroll.ops.slicing import Slice
from unroll.passes.tools.rewriting import Rewriting, ints
from unroll.passes.tools.time_slices import slice_of
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor


class _Cut(NamedTuple):
    """A part of a product along an axis of its left side, where it begins and ends, and the bias that was added first."""

    product: Node
    bias: Tensor | None
    start: int
    end: int
    axis: int


def slice_inputs(graph: Graph) -> Graph:
    """Return `graph` with inputs cut before their products; see this module for what is preserved."""
    weights = Weights(graph)
    found = {node: cut for node in graph.nodes if (cut := _cut(node, weights)) is not None}
    slicing = Rewriting(graph)

    def write(node: Node) -> None:
        product, bias, start, end, axis = found[node]
        left, weight = slicing.inputs(product)
        (part,) = made(Slice(), (left, ints(start), ints(end), ints(axis)), node.provenance)
        (result,) = made(product.op, (part, weight), node.provenance)
        if bias is not None:
            (result,) = made(Add(), (result, slicing[bias]), node.provenance)
        slicing.stand_in(node.outputs[0], result)

    return slicing.walk(found, write)


def _cut(node: Node, weights: Weights) -> _Cut | None:
    cut = slice_of(node)
    if cut is None or cut[0].node is None or cut[3] == cut[0].rank - 1:
        return None
    whole, start, end, axis = cut
    inner = whole.node
    if inner is not None and _is_turned(inner, axis) and end - start == 1:
        size, source = whole.shape[axis], inner.inputs[0]
        start, end = int(size) - end, int(size) - start
        inner = source.node if source is not None else None
    if inner is None:
        return None
    bias = None
    if isinstance(inner.op, Add) and sum(map(weights.holds, inner.inputs)) == 1:
        bias = next(tensor for tensor in inner.inputs if weights.holds(tensor))
        other = next(tensor for tensor in inner.inputs if tensor is not bias)
        inner = other.node if other is not None else None
    left, weight = inner.inputs if inner is not None and isinstance(inner.op, MatMul) else (None, None)
    if inner is None or left is None or weight is None or weight.rank != 2 or left.rank != whole.rank:
        return None
    return _Cut(inner, bias, start, end, axis) if weights.holds(weight) and (bias is None or bias.rank < 2) else None


def _is_turned(node: Node, axis: int) -> bool:
    """Say whether a node turns one axis around, and does nothing else."""
    source = node.inputs[0]
    if (
        not isinstance(node.op, Slice)
        or source is None
        or source.shape != node.outputs[0].shape
        or len(node.inputs) < 5
    ):
        return False
    axes, steps = (tensor.known if tensor is not None else None for tensor in node.inputs[3:5])
    return steps == (-1,) and isinstance(axes, tuple) and [int(found) % source.rank for found in axes] == [axis]
