"""Input products that were computed for all steps at once, step by step again: what `hoist_inputs` made is undone.

An operator has its input product inside, and takes the inputs themselves.
"""

from __future__ import annotations

import numpy as np

from unroll.graph import Graph
from unroll.ops.joining import Split
from unroll.ops.shaping import Reshape
from unroll.ops.slicing import Gather, Slice
from unroll.passes.joining.lanes import Hoisted, pieces_of
from unroll.passes.products import Products, products_of
from unroll.passes.rewriting import Readers, Rewriting, ints, made
from unroll.tensor import Constant, Node, Tensor


def with_steps_apart(graph: Graph) -> Graph:
    """Return `graph` with a product of its own for each step, where those of all steps are one and meet a state's."""
    products = products_of(graph)
    if not products.recurrent:
        return graph
    meeting, apart = _Meeting(products, Readers(graph)), Rewriting(graph)
    hoisted = {item.split: item for item in pieces_of(graph, products).values()}
    found = {node: item for node, item in hoisted.items() if 2 * sum(map(meeting, node.outputs)) >= item.steps}

    def write(node: Node) -> None:
        for piece, result in zip(node.outputs, _steps(found[node], apart), strict=True):
            apart.stand_in(piece, result)

    return apart.walk(found, write)


class _Meeting:
    """Says whether an input product meets the product of a state: is added to it, whole or a gate of it."""

    def __init__(self, products: Products, readers: Readers) -> None:
        self._products, self._readers, self._states = products, readers, 0
        for weight in products.recurrent:
            self._states |= products.bit(weight)

    def __call__(self, tensor: Tensor, deep: int = 2) -> bool:
        for reader in self._readers.all(tensor):
            others = [item for item in reader.inputs if item is not None and item is not tensor]
            if any(self._products.behind(item) & self._states for item in others):
                return True
            if deep and isinstance(reader.op, (Split, Slice)) and any(self(item, deep - 1) for item in reader.outputs):
                return True
        return False


def _steps(hoisted: Hoisted, apart: Rewriting) -> list[Tensor]:
    product, provenance = hoisted.product, hoisted.split.provenance
    weights = [apart[tensor] for tensor in (product.weight, product.added) if tensor is not None]
    lefts = [apart[part] for part in hoisted.parts]
    if not lefts:
        shape = ints(hoisted.steps, -1, int(product.left.shape[1]))
        (steps,) = made(Reshape(), (apart[product.left], shape), provenance)
        lefts = [made(Gather(0), (steps, Constant(np.array(step))), provenance)[0] for step in range(hoisted.steps)]
    return [
        made(product.node.op, (left, *weights), provenance, piece.hint)[0]
        for left, piece in zip(lefts, hoisted.split.outputs, strict=True)
    ]
