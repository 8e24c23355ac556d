"""Hoisted products: the input products of all steps that were computed as one, and how to compute one step's by itself.

See `unroll.passes.hoist_inputs`, which makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from unroll.graph import Graph
from unroll.ops.joining import Concat, Split
from unroll.ops.operator import made
from unroll.ops.shaping import Reshape
from unroll.ops.slicing import Gather
from unroll.passes.tools.products import Product, Products
from unroll.passes.tools.rewriting import Rewriting, ints
from unroll.tensor import Constant, Node, Tensor


class Hoisted(NamedTuple):
    """The input products of all steps, computed as one and cut.

    Attributes:
        split: the node that cuts it.
        product: the one product.
        parts: what was joined to be multiplied, a tensor for each piece; empty where it was never apart.
    """

    split: Node
    product: Product
    parts: tuple[Tensor, ...]

    @property
    def steps(self) -> int:
        """How many pieces there are."""
        return len(self.split.outputs)

    def source(self, piece: Tensor) -> Tensor:
        """Return what a piece is a product of, as far as it is a tensor by itself."""
        return self.parts[piece.index] if self.parts else self.product.left


#: The hoisted product that a tensor is a piece of.
Pieces = Mapping[Tensor, Hoisted]


def hoisted_pieces(graph: Graph, products: Products) -> Pieces:
    """Return every piece of a hoisted product."""
    found: dict[Tensor, Hoisted] = {}
    for node in graph.nodes:
        if isinstance(node.op, Split) and node.op.axis == 0 and len(node.inputs) == 1 and node.inputs[0] is not None:
            product = products.found.get(node.inputs[0].node) if node.inputs[0].node is not None else None
            if product is not None and product.left.rank == 2 and product.is_plain and _adds_a_row(product, products):
                hoisted = Hoisted(node, product, _parts(product.left, node))
                found.update(dict.fromkeys(node.outputs, hoisted))
    return found


def _adds_a_row(product: Product, products: Products) -> bool:
    return product.added is None or (product.added.rank == 1 and products.weights.holds(product.added))


def _parts(left: Tensor, split: Node) -> tuple[Tensor, ...]:
    node = left.node
    if node is None or not isinstance(node.op, Concat) or node.op.axis != 0 or len(node.inputs) != len(split.outputs):
        return ()
    parts = tuple(part for part in node.inputs if part is not None)
    return parts if all(part.shape[0] == split.outputs[0].shape[0] for part in parts) else ()


class StepByStep:
    """Writes what is asked for of hoisted products, step by step.

    Args:
        new: the graph in the making.
    """

    def __init__(self, new: Rewriting) -> None:
        self._new = new
        self._inputs: dict[Tensor, Tensor] = {}

    def inputs(self, hoisted: Hoisted) -> Tensor:
        """Return what a hoisted product multiplies as ``(steps, batch, width)``."""
        left = hoisted.product.left
        if left not in self._inputs:
            shape = ints(hoisted.steps, -1, hoisted.product.width)
            (self._inputs[left],) = made(Reshape(), (self._new[left], shape), hoisted.split.provenance)
        return self._inputs[left]

    def product(self, hoisted: Hoisted, piece: Tensor) -> Tensor:
        """Return the product of one step by itself."""
        product, provenance = hoisted.product, hoisted.split.provenance
        if hoisted.parts:
            left = self._new[hoisted.parts[piece.index]]
        else:
            (left,) = made(Gather(0), (self.inputs(hoisted), Constant(np.array(piece.index))), provenance)
        weights = [self._new[tensor] for tensor in (product.weight, product.added) if tensor is not None]
        return made(product.node.op, (left, *weights), provenance, piece.hint)[0]
