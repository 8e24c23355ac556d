"""Which cells run side by side: recurrent products of one size that do not wait for one another.

A *chain* is the product of one weight at every step, each waiting for the one before. Chains that are computed together are
*lanes*: the two directions step by step, the layers of a stack each a step behind the one below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from unroll.graph import Graph
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.tools.hoisted import Pieces
from unroll.passes.tools.products import Product, Products
from unroll.passes.tools.rewriting import is_known, op_key
from unroll.tensor import Node, Tensor

#: With fewer common steps, the nodes written for the first and the last step are more than those saved.
LEAST_STEPS = 4


class Lane(NamedTuple):
    """A chain, and how many steps it is behind the first lane.

    Attributes:
        products: one for each step, in order.
        behind: in steps.
    """

    products: Sequence[Product]
    behind: int


def groups_of_lanes(graph: Graph, products: Products, depths: Depths, most: int) -> list[list[Lane]]:
    """Return lanes that can be computed together, at least two and at most `most` to a group."""
    groups: list[list[Lane]] = []
    for alike in _chains(graph, products):
        of_class: list[list[Lane]] = []
        for chain in alike:
            if depths.is_chain(chain):
                for group in of_class:
                    behind = depths.behind(group, chain) if len(group) < most else None
                    if behind is not None:
                        group.append(Lane(chain, behind))
                        break
                else:
                    of_class.append([Lane(chain, 0)])
        groups += [group for group in of_class if len(group) > 1]
    return groups


def together(group: Sequence[Lane]) -> Iterator[tuple[Product, ...]]:
    """Yield the products that are computed as one, a product from each lane, in order."""
    for step in range(max(lane.behind for lane in group), len(group[0].products)):
        yield tuple(lane.products[step - lane.behind] for lane in group)


def _chains(graph: Graph, products: Products) -> list[list[list[Product]]]:
    """Return candidates for chains, those of one size together: the products, in order, of each weight that is used
    again.
    """
    by_weight: dict[Tensor, list[Product]] = {}
    for node in graph.nodes:
        product = products.found.get(node)
        if product is not None and product.weight in products.recurrent and _fits(product, products):
            by_weight.setdefault(product.weight, []).append(product)
    classes: dict[object, list[list[Product]]] = {}
    for chain in by_weight.values():
        if len(chain) >= LEAST_STEPS:
            first = chain[0]
            key = (first.left.shape, first.node.outputs[0].shape, first.left.dtype, first.turned, len(chain))
            if all(product.node.outputs[0].shape == first.node.outputs[0].shape for product in chain):
                classes.setdefault((op_key(first.node), key), []).append(chain)
    return [alike for alike in classes.values() if len(alike) > 1]


def _fits(product: Product, products: Products) -> bool:
    known = all(isinstance(size, int) for size in product.weight.shape)
    return (
        product.left.rank == 2
        and product.is_plain
        and known
        and isinstance(product.node.op, (Gemm, MatMul))
        and is_known(product.node.op)
        and (product.added is None or not products.weights.holds(product.added) or product.added.rank == 1)
    )


class Depths:
    """How far along a chain each node is: the last product of it that the node waits for.

    A piece of a hoisted product waits only for the tensor that it is a product of: it can be computed by itself.

    Args:
        graph: the graph.
        pieces: the pieces of its hoisted products.
    """

    def __init__(self, graph: Graph, pieces: Pieces) -> None:
        self._graph, self.pieces = graph, pieces
        self._along: dict[Node, dict[Node, int]] = {}

    def is_chain(self, chain: Sequence[Product]) -> bool:
        """Say whether each product waits for the one before."""
        return all(self.before(chain, product.node) == step - 1 for step, product in enumerate(chain))

    def behind(self, group: Sequence[Lane], chain: Sequence[Product]) -> int | None:
        """Return how many steps behind the first lane a chain can run; None where it cannot."""
        waits = [
            lane.behind + depth - step + 1
            for lane in group
            for step, product in enumerate(chain)
            if (depth := self.before(lane.products, product.node)) >= 0
        ]
        behind = max(waits, default=0)
        if len(chain) - behind < LEAST_STEPS:
            return None
        for lane in group:
            for step, product in enumerate(lane.products):
                depth = self.before(chain, product.node)
                if depth >= 0 and depth + behind >= step + lane.behind:
                    return None
        return max(behind, group[-1].behind)

    def waits(self, tensor: Tensor | None, lanes: Iterable[Lane]) -> bool:
        """Say whether a tensor waits for a product of any of the lanes."""
        source = self._source(tensor) if tensor is not None else None
        return source is not None and any(source in self._of(lane.products) for lane in lanes)

    def before(self, chain: Sequence[Product], node: Node) -> int:
        """Return the place of the last product of a chain that a node waits for; -1 for none."""
        along = self._of(chain)
        sources = (self._source(tensor) for tensor in node.inputs if tensor is not None)
        return max((along.get(source, -1) for source in sources if source is not None), default=-1)

    def _of(self, chain: Sequence[Product]) -> dict[Node, int]:
        first = chain[0].node
        if first not in self._along:
            own = {product.node: step for step, product in enumerate(chain)}
            along = self._along[first] = {}
            for node in self._graph.nodes:
                depth = own.get(node, -1)
                for tensor in node.inputs:
                    source = self._source(tensor) if tensor is not None else None
                    if source is not None:
                        depth = max(depth, along.get(source, -1))
                if depth >= 0:
                    along[node] = depth
        return self._along[first]

    def _source(self, tensor: Tensor) -> Node | None:
        hoisted = self.pieces.get(tensor)
        return tensor.node if hoisted is None else hoisted.source(tensor).node
