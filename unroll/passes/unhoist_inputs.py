"""Compute input products step by step that were computed for all steps at once: what `hoist_inputs` made is undone.

An operator has its input product inside, and takes the inputs themselves. Preserves the names of what is kept, and the values
of the outputs but for rounding. Adds a product for each step, and a node that picks its input.
"""

from __future__ import annotations

from unroll.graph import Graph
from unroll.ops.joining import Split
from unroll.ops.slicing import Slice
from unroll.passes.tools.hoisted import StepByStep, hoisted_pieces
from unroll.passes.tools.products import Products, products_of
from unroll.passes.tools.rewriting import Readers, Rewriting
from unroll.tensor import Node, Tensor


def unhoist_inputs(graph: Graph) -> Graph:
    """Return `graph` with a product of its own for each step, where those of all steps are one and meet a state's."""
    products = products_of(graph)
    if not products.recurrent:
        return graph
    meeting, apart = _Meeting(products, Readers(graph)), Rewriting(graph)
    steps = StepByStep(apart)
    hoisted = {item.split: item for item in hoisted_pieces(graph, products).values()}
    found = {node: item for node, item in hoisted.items() if 2 * sum(map(meeting, node.outputs)) >= item.steps}

    def write(node: Node) -> None:
        for piece in node.outputs:
            apart.stand_in(piece, steps.product(found[node], piece))

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
