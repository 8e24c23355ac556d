"""Join two products whose sum is taken, where hoisting one of them does not pay.

``x @ Wx + h @ Wh`` becomes ``[x, h] @ [Wx; Wh]``, the reverse of `split_kernels`. Preserves all names of what is kept,
and the values of the outputs but for rounding. Done where x does not depend on the step before and h does, and
computing the products with x at once does not pay (see `unroll.passes.tools.cost`). Never adds a node, except, over
weights, one Concat for each pair of kernels.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Concat
from unroll.ops.operator import made
from unroll.passes.tools import cost
from unroll.passes.tools.products import Product, Products, products_of
from unroll.passes.tools.rewriting import Readers, Rewriting, in_place, merged, readers_of
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor


class _Pair(NamedTuple):
    """Two products that an Add joins, the Add of a bias between (if any), and the bias."""

    first: Product
    second: Product
    between: Node | None
    bias: Tensor | None


@in_place
def join_kernels(graph: Graph, batch: int = 1) -> Graph:
    """Return `graph` with pairs of products joined where hoisting does not pay.

    Args:
        graph: the graph.
        batch: the size that symbolic dimensions are taken for when asking what pays.
    """
    with collector_paused():
        readers, products, joining = readers_of(graph), products_of(graph), Rewriting(graph)
        adds = [node for node in graph.nodes if isinstance(node.op, Add)]
        pairs = {node: found for node in adds if (found := _pair(node, readers, products)) is not None}
        steps = Counter(product.weight for product in products.found.values())
        groups: dict[object, list[Node]] = {}
        for node, pair in pairs.items():
            groups.setdefault((pair.first.weight, pair.second.weight), []).append(node)
        for nodes in groups.values():
            product = pairs[nodes[0]].first
            # The first step, which may have no state, has a product and no pair.
            if cost.hoisting_pays(steps[product.weight], product, products.joined_width(product, readers), batch):
                for node in nodes:
                    del pairs[node]
        gone = {product.node for pair in pairs.values() for product in (pair.first, pair.second)}
        gone |= {pair.between for pair in pairs.values() if pair.between is not None}

        def write(node: Node) -> None:
            if node in pairs:
                _write(joining, products.weights, node, pairs[node])

        return joining.walk({*pairs, *gone}, write)


def _pair(node: Node, readers: Readers, products: Products) -> _Pair | None:
    if node.outputs[0].dtype.kind != "f":
        return None
    found = [products.inside(tensor, readers) for tensor in node.inputs]
    first, second = found
    if first is None or second is None or node.inputs[0] is node.inputs[1]:
        return None
    free = [product.weight not in products.recurrent for product in (first, second)]
    alike = type(first.node.op) is type(second.node.op) and first.turned == second.turned
    fits = alike and first.is_plain and second.is_plain and first.left.shape[:-1] == second.left.shape[:-1]
    adds = [tensor.node for tensor in node.inputs if tensor is not None and tensor.node not in products.found]
    biases = [item for item in (first.added, second.added) if item is not None]
    if free[0] == free[1] or not fits or len(adds) + len(biases) > 1:
        return None
    between = adds[0] if adds else None
    held = [tensor for tensor in between.inputs if products.weights.holds(tensor)] if between is not None else []
    ordered = (first, second) if free[0] else (second, first)
    return _Pair(*ordered, between, held[0] if held else None)


def _write(joining: Rewriting, weights: Weights, node: Node, pair: _Pair) -> None:
    first, second, between, bias = pair
    cell = node.origin.cell
    provenance = merged([item for item in (first.node, second.node, between, node) if item is not None])
    (left,) = made(Concat(first.left.rank - 1), (joining[first.left], joining[second.left]), provenance)
    kernel = weights.joined([joining[first.weight], joining[second.weight]], first.base_axis, cell)
    added = [joining[item] for item in (first.added, second.added) if item is not None]
    (result,) = made(first.node.op, (left, kernel, *added), provenance)
    if bias is not None:
        (result,) = made(Add(), (result, joining[bias]), provenance)
    result.hint = node.outputs[0].hint
    joining.stand_in(node.outputs[0], result)
