"""Compute cells that do not wait for one another as one: both directions, or the layers of a stack, each a step behind.

Two LSTMs of 13 units side by side become one of 26 units: one product with one kernel, which has each cell's own in its
place and zeros elsewhere, ``[h0, h1] @ [[W0, 0], [0, W1]]``; one Sigmoid, one Tanh, and so on. Where a layer takes the
output of the one below, its input product moves into the zeros, for the joint state holds that output already. Any cell
whose steps are matrix products of rank 2, functions of each element, and Splits of the last axis will do; cells
computed as one must have one size, and equally many steps.

Preserves the names of what is kept, and the values of the outputs but for rounding, while inputs and states are finite:
zeros times another cell's infinity are not zeros. Never adds a node that is computed in each run. Done where it pays:
each node saved is worth reading so many more bytes of weights, or computing so many operations on zeros. Measured in
onnxruntime 1.31 (one thread, T = 28, medians), the time of a run against that of the graph without this pass, of two
LSTMs of as many units:

===== ===== ========== ====== =================
batch units directions layers joined
===== ===== ========== ====== =================
1     13    0.58       0.59   both
1     32    0.65       0.65   both
1     64    0.80       0.79   both
1     96    0.97       0.93   both
1     128   1.16       1.11   neither
4     64    0.87       0.81   both
32    13    0.85       0.75   both
32    32    1.09       0.94   layers
50    13    0.91       0.80   both
===== ===== ========== ====== =================
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.joining.addends import Group, group_of
from unroll.passes.joining.joint_nodes import JointNodes
from unroll.passes.joining.lanes import Depths, groups_of_lanes
from unroll.passes.joining.packs import Packs
from unroll.passes.tools.cost import sizes_of
from unroll.passes.tools.hoisted import hoisted_pieces
from unroll.passes.tools.products import products_of
from unroll.passes.tools.weight_expressions import Weights, weight_expressions
from unroll.topological_order import CircleError

#: How many bytes are read, and how many operations computed, in the time that one more node takes.
BYTES_A_NODE, FLOPS_A_NODE = 33_000, 36_000


def join_cells(graph: Graph, batch: int = 1) -> Graph:
    """Return `graph` with cells computed as one where that pays; see this module for what is preserved.

    Args:
        graph: the graph.
        batch: the size that symbolic dimensions are taken for when asking what pays.
    """
    with collector_paused():
        products = products_of(graph)
        if len(products.recurrent) < 2:
            return graph
        depths = Depths(graph, hoisted_pieces(graph, products))
        most = len(products.recurrent)
        while most > 1:
            groups = groups_of_lanes(graph, products, depths, most)
            found = [group_of(lanes, depths, products.weights) for lanes in groups]
            joined = _joined(graph, found, depths, products.weights, batch)
            if joined is not None:
                return joined
            most = (max(map(len, groups), default=1) + 1) // 2 if most > 2 else 1
        return graph


def _joined(graph: Graph, found: Sequence[Group | None], depths: Depths, weights: Weights, batch: int) -> Graph | None:
    """Return `graph` with the products of each group computed as one; None where they cannot be, or it does not pay."""
    groups = [group for group in found if group is not None]
    least = _least_saved(groups, batch)
    if not groups or len(graph.nodes) < least:
        return None
    packs = Packs(graph, weights, [group.packs for group in groups])
    if sum(len(pack) - 1 for pack in packs.all) < least:
        return None
    try:
        joined = JointNodes(graph, weights, depths.pieces, groups, packs).write()
    except CircleError:
        return None
    # The steps of a flattened input are picked from the tensor before it was flattened.
    joined = cancel_shapes(joined)
    return joined if _computed(graph) - _computed(joined) >= least else None


def _computed(graph: Graph) -> int:
    return len(graph.nodes) - len(weight_expressions(graph))


def _least_saved(groups: Sequence[Group], batch: int) -> int:
    """Return how many nodes must be saved, at least one, to be worth the zeros that joining takes."""
    size, flops = 0, 0
    for group in groups:
        products, lanes, steps = group.products[-1], len(group.biases), len(group.products)
        first = products[0]
        rows = prod(sizes_of(first.left.shape[:-1], batch))
        # A kernel from each lane to each; those from a lane to itself were there before.
        kernels = [(first, lanes * (lanes - 1), lanes * (lanes - 1))]
        for lane, hoisted in enumerate(group.hoisted):
            if hoisted is not None and lane not in group.outside:
                # Read at every step, where it was read once for all; in place of zeros, or among zeros of its own.
                among = 0 if group.beside(products, lane) is not None else lanes * lanes
                kernels.append((hoisted.product, among, among - 1))
        for product, read, multiplied in kernels:
            weight = prod(sizes_of(product.weight.shape, batch))
            size += steps * read * weight * product.left.dtype.itemsize
            flops += steps * multiplied * weight * rows * 2
    return max(1, ceil(size / BYTES_A_NODE), ceil(flops / FLOPS_A_NODE))
