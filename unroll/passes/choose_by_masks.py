"""Write a sum of products with a mask and its opposite as the choice that it is: ``m * a + (1 - m) * b`` is a or b.

Keras's loops that skip steps are written so by converters, with Cast and Not: ``Cast(m) * a + Cast(Not(m)) * b``.

Preserves all names of what is kept, and the values of the outputs for finite numbers. Never adds a node.
"""

from __future__ import annotations

import numpy as np

from unroll.graph import Graph
from unroll.ops.arithmetic import Add, Mul
from unroll.ops.choices import Not, Where
from unroll.ops.functions import Cast
from unroll.ops.operator import made
from unroll.ops.shaping import Tile
from unroll.passes.tools.rewriting import Rewriting, nodes_called
from unroll.tensor import Constant, Node, Tensor


def choose_by_masks(graph: Graph) -> Graph:
    """Return `graph` with Where in the place of sums of masked products; see this module for what is preserved."""
    choosing = Rewriting(graph)

    def write(node: Node) -> None:
        found = _choice(node)
        if found is not None:
            condition, new, old = (choosing[tensor] for tensor in found)
            (result,) = made(Where(), (_narrow(condition, new), new, old), node.provenance, node.outputs[0].hint)
            if result.shape == node.outputs[0].shape:
                choosing.stand_in(node.outputs[0], result)
                return
        choosing.carry(node)

    return choosing.walk({node for node in nodes_called(graph, ["Add"]) if _choice(node) is not None}, write)


def _choice(node: Node) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return the mask, what is taken where it is true, and what elsewhere; None for any other sum."""
    if not isinstance(node.op, Add):
        return None
    fixed = [_fixed(tensor) for tensor in node.inputs]
    for (ones, new), (zeros, old) in [(one, other) for one in fixed[0] for other in fixed[1]]:
        if ones.shape == zeros.shape and (ones.value != zeros.value).all():
            return Constant(ones.value.astype(bool)), new, old
    sides = [_masked(tensor) for tensor in node.inputs]
    for (mask, new), (opposite, old) in [(one, other) for one in sides[0] for other in sides[1]] + [
        (other, one) for one in sides[0] for other in sides[1]
    ]:
        inner = opposite.node
        if inner is not None and isinstance(inner.op, Not) and inner.inputs[0] is mask:
            return mask, new, old
    return None


def _masked(tensor: Tensor | None) -> list[tuple[Tensor, Tensor]]:
    """Return the ways in which a tensor is a product with a mask: the mask, and what it is of."""
    node = tensor.node if tensor is not None else None
    if node is None or not isinstance(node.op, Mul):
        return []
    found = []
    for factor, other in (node.inputs, node.inputs[::-1]):
        cast = factor.node if factor is not None else None
        if cast is not None and isinstance(cast.op, Cast) and other is not None:
            mask = cast.inputs[0]
            if mask is not None and mask.dtype.kind == "b":
                found.append((mask, other))
    return found


def _fixed(tensor: Tensor | None) -> list[tuple[Constant, Tensor]]:
    """Return the ways in which a tensor is a product with zeros and ones that the graph holds."""
    node = tensor.node if tensor is not None else None
    if node is None or not isinstance(node.op, Mul):
        return []
    return [
        (factor, other)
        for factor, other in (node.inputs, node.inputs[::-1])
        if isinstance(factor, Constant) and other is not None and np.isin(factor.value, (0, 1)).all()
    ]


def _narrow(mask: Tensor, like: Tensor) -> Tensor:
    """Return the column that a mask repeats, where it repeats one: a choice does so itself."""
    node = mask.node
    if node is None or not isinstance(node.op, Tile) or node.inputs[0] is None or node.inputs[1] is None:
        return mask
    column, counts = node.inputs[0], node.inputs[1].known
    plain = isinstance(counts, tuple) and all(count == 1 for count in counts[:-1]) and column.shape[-1:] == (1,)
    return column if plain and mask.shape == like.shape else mask
