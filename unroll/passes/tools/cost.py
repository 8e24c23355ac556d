"""What a graph costs, estimated: nodes, bytes and floating-point operations; and when hoisting pays.

The rule for hoisting was measured in onnxruntime 1.31 (one thread, T = 28, LSTM, medians; batch 1, 32 and 50, input 28, 64 and
256, units 13, 64, 128 and 512), the time of a whole run against that of the graph with joined inputs, ``[x, h] @ kernel``:

===== ===== ===== ========= ====
batch input units hoisted   pays
===== ===== ===== ========= ====
1     any   any   0.72-0.94 yes
32    28    13    0.95      yes
32    64    64    1.01      no
32    28    128   1.04      no
32    256   64    0.98      yes
32    256   512   1.02      no
50    28    13    0.98      yes
50    64    64    1.03      no
50    28    128   1.17      no
50    256   64    1.01      no
50    256   512   1.06      no
===== ===== ===== ========= ====

Hoisting saves a Concat a step, and pays in memory traffic: the product is written, cut, and read again. So it pays as long as
those bytes take less time than the Concat does. The same rule serves where a graph has a kernel each for x and h, as Keras's
LSTM has: where it says no, joined inputs took 0.91 to 1.15 of the time of two products (median 0.97), and hoisted ones 0.98
to 1.12.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from unroll.dimensions import Dim, Shape
from unroll.graph import Graph
from unroll.passes.tools.products import Product
from unroll.passes.tools.weight_expressions import weight_expressions

#: Products hoisted together: with fewer, the nodes that join and cut them are more than the products.
LEAST_STEPS = 4
#: Bytes a step that are moved in the time that one node more takes.
BYTES_A_NODE = 65_000
#: How often a hoisted product is moved, and how often joined inputs are: each is written or read once at a time.
_MOVES_OF_PRODUCT, _MOVES_OF_INPUTS = 4, 2


class Cost(NamedTuple):
    """What one run of a graph costs.

    Attributes:
        nodes: how many nodes are computed in each run.
        weight_nodes: how many depend on weights alone, and are computed once by an exporter.
        bytes: what the nodes of a run write.
        flops: the floating-point operations of a run, by `unroll.ops.operator.Operator.flops`.
    """

    nodes: int
    weight_nodes: int
    bytes: int
    flops: int


def cost_of(graph: Graph, batch: int = 1) -> Cost:
    """Estimate what a run of `graph` costs, every symbolic dimension's symbol taken for `batch`."""
    once = set(weight_expressions(graph))
    size, flops = 0, 0
    known: dict[Shape, tuple[int, ...]] = {}

    def sizes(shape: Shape) -> tuple[int, ...]:
        found = known.get(shape)
        if found is None:
            found = known[shape] = sizes_of(shape, batch)
        return found

    for node in graph.nodes:
        if node not in once:
            outputs = [sizes(tensor.shape) for tensor in node.outputs]
            inputs = [None if tensor is None else sizes(tensor.shape) for tensor in node.inputs]
            size += sum(
                prod(shape) * tensor.dtype.itemsize for shape, tensor in zip(outputs, node.outputs, strict=True)
            )
            flops += node.op.flops(inputs, outputs)
    return Cost(len(graph.nodes) - len(once), len(once), size, flops)


def hoisting_pays(count: int, product: Product, joined: int, batch: int) -> bool:
    """Say whether to compute what does not depend on the step before for all steps at once.

    Args:
        count: how many steps there are.
        product: that of one of them.
        joined: how wide the inputs are together of all products that are added up.
        batch: what to take a symbol for.
    """
    columns = product.node.outputs[0].shape[-1]
    if count < LEAST_STEPS or not isinstance(columns, int):
        return False
    rows = prod(sizes_of(product.left.shape[:-1], batch))
    moved = (_MOVES_OF_PRODUCT * columns - _MOVES_OF_INPUTS * joined) * rows * product.left.dtype.itemsize
    return moved < BYTES_A_NODE


def sizes_of(shape: Shape, batch: int) -> tuple[int, ...]:
    """Return a shape as numbers, every symbol taken for `batch`."""
    return tuple(_size(dim, batch) for dim in shape)


def _size(dim: Dim, batch: int) -> int:
    if isinstance(dim, int):
        return dim
    return sum(factor * batch ** len(monomial) for monomial, factor in dim.terms.items())
