"""Write a matrix product and the sum after it as one Gemm.

Preserves all names of what is kept, and the values of the outputs but for rounding. Never adds a node: ``a @ W + c``
of matrices becomes ``Gemm(a, W, c)``, where nothing else reads the product.
"""

from __future__ import annotations

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import made
from unroll.passes.tools.products import Product, Products, products_of
from unroll.passes.tools.rewriting import Readers, Rewriting, in_place, merged, readers_of
from unroll.tensor import Node, Tensor


@in_place
def fuse_products(graph: Graph) -> Graph:
    """Return `graph` with Gemms in place of products and sums; see this module for what is preserved."""
    with collector_paused():
        readers, products, fusing = readers_of(graph), products_of(graph), Rewriting(graph)
        adds = [node for node in graph.nodes if isinstance(node.op, Add)]
        pairs = {node: found for node in adds if (found := _pair(node, readers, products)) is not None}
        gone = {product.node for product, _ in pairs.values()}

        def write(node: Node) -> None:
            if node in pairs:
                product, added = pairs[node]
                inputs = fusing.inputs(product.node)[:2]
                op = product.node.op if isinstance(product.node.op, Gemm) else Gemm()
                (result,) = made(op, (*inputs, fusing[added]), merged([product.node, node]), node.outputs[0].hint)
                fusing.stand_in(node.outputs[0], result)

        return fusing.walk({*pairs, *gone}, write)


def _pair(node: Node, readers: Readers, products: Products) -> tuple[Product, Tensor] | None:
    """Return the product that an Add can be fused with, and what it adds; of two products the later one, which waits
    for the step before.
    """
    if node.outputs[0].rank != 2 or node.outputs[0].dtype.kind != "f":
        return None
    for place in (1, 0):
        tensor, other = node.inputs[place], node.inputs[1 - place]
        product = products.found.get(tensor.node) if tensor is not None and tensor.node is not None else None
        if tensor is None or other is None or product is None or readers.only(tensor) is not node:
            continue
        fits = product.added is None and product.is_plain and tensor.shape == node.outputs[0].shape
        if fits and isinstance(product.node.op, (MatMul, Gemm)) and product.left.rank == 2:
            return product, other
    return None
