"""Telling loops from short runs that happen to repeat in what is no loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.rerolling.finding import Recurrence, View
from unroll.tensor import Node, Tensor

#: Which part of the products with its weights a loop has at least.
_LEAST = 1 / 3


def whole_runs(view: View, recurrences: Sequence[Recurrence]) -> list[Recurrence]:
    """Return the recurrences that have a third of all products with each of their weights, or multiply none.

    Layers that share their weights are counted together: those of as many steps.
    """
    everywhere = _products(view, view.nodes)
    found: dict[int, Counter[Tensor]] = {}
    each = [(len(item.steps), _products(view, item.members)) for item in recurrences]
    for steps, own in each:
        found.setdefault(steps, Counter()).update(own)
    return [
        item
        for item, (steps, own) in zip(recurrences, each, strict=True)
        if all(found[steps][weight] >= _LEAST * everywhere[weight] for weight in own)
    ]


def _products(view: View, nodes: Iterable[Node]) -> Counter[Tensor]:
    """Count the products with each weight; a node that was made anew for a last step counts for none in the graph."""
    products = (node for node in nodes if isinstance(node.op, (Conv, Gemm, MatMul)) and node not in view.fixed)
    read = (tensor for node in products for tensor in view.inputs.get(node, ())[:2])
    return Counter(tensor for tensor in read if tensor is not None and view.is_fixed(tensor))
