"""Cut a product with joined inputs in two, so that what does not depend on the step before can be computed at once.

``[x, h] @ kernel`` becomes ``x @ kernel[:in] + h @ kernel[in:]``. Preserves all names of what is kept, and the values
of the outputs but for rounding. Done where hoisting the products of all steps then pays (see `unroll.passes.tools.cost`);
adds at most two nodes a product, and two Slices a kernel, which are expressions over the Parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Concat
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import made
from unroll.passes.tools import cost
from unroll.passes.tools.products import Product, products_of
from unroll.passes.tools.rewriting import Rewriting, in_place
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor


class _Run(NamedTuple):
    """Neighbouring parts of a joined input that are all free of the kernel, or all not."""

    free: bool
    start: int
    end: int
    parts: tuple[Tensor, ...]


@in_place
def split_kernels(graph: Graph, batch: int = 1) -> Graph:
    """Return `graph` with products of joined inputs cut in two where that pays.

    Args:
        graph: the graph.
        batch: the size that symbolic dimensions are taken for when asking what pays.
    """
    return _split(graph, lambda count, product, joined: cost.hoisting_pays(count, product, joined, batch))


def split_all_kernels(graph: Graph) -> Graph:
    """Return `graph` with every product of joined inputs and a weight cut into one for each input, whether it pays or
    not.
    """
    return _split(graph, None)


def _split(graph: Graph, pays: Callable[[int, Product, int], bool] | None) -> Graph:
    with collector_paused():
        products, splitting = products_of(graph), Rewriting(graph)
        parts = {node: _parts(product) for node, product in products.found.items()}
        groups: dict[object, list[Product]] = {}
        for node, found in parts.items():
            if found:
                product = products.found[node]
                groups.setdefault((product.weight, *[part.shape[-1] for part in found]), []).append(product)
        chosen: dict[Node, list[_Run]] = {}
        for group in groups.values():
            # An initial state is free of the kernel, and the states after it are not.
            columns = zip(*[parts[product.node] for product in group], strict=True)
            free = [all(products.is_free(part, group[0].weight) for part in column) for column in columns]
            for product in group if pays is None or _differ(free, group, pays) else ():
                chosen[product.node] = _runs(parts[product.node], free, each=pays is None)
        return splitting.walk(
            chosen, lambda node: _write(splitting, products.weights, products.found[node], chosen[node])
        )


def _differ(free: list[bool], group: list[Product], pays: Callable[[int, Product, int], bool]) -> bool:
    """Say whether some parts are free of the kernel, some are not, and cutting them apart pays."""
    inner = group[0].left.shape[-1]
    return len(set(free)) == 2 and isinstance(inner, int) and pays(len(group), group[0], inner)


def _parts(product: Product) -> list[Tensor]:
    """Return the parts that a left side is joined from; none where it is not joined, or sizes are not known."""
    joined = product.left.node
    if joined is None or not isinstance(joined.op, Concat) or joined.op.axis != product.left.rank - 1:
        return []
    fits = product.is_plain and (product.left.rank == 2 or isinstance(product.node.op, MatMul))
    parts = [part for part in joined.inputs if part is not None]
    sized = all(isinstance(part.shape[-1], int) for part in parts)
    return parts if fits and sized and len(parts) > 1 else []


def _runs(parts: list[Tensor], free: list[bool], each: bool) -> list[_Run]:
    """Return the neighbouring parts that are alike, or `each` part by itself."""
    runs: list[_Run] = []
    at = 0
    for part, is_free in zip(parts, free, strict=True):
        end = at + int(part.shape[-1])
        if runs and runs[-1].free == is_free and not each:
            runs[-1] = _Run(is_free, runs[-1].start, end, (*runs[-1].parts, part))
        else:
            runs.append(_Run(is_free, at, end, (part,)))
        at = end
    return runs


def _write(splitting: Rewriting, weights: Weights, product: Product, runs: list[_Run]) -> None:
    node, cell = product.node, product.node.origin.cell
    terms: list[Tensor] = []
    for run in sorted(runs, key=lambda run: not run.free):  # the free ones first, so that they take a Gemm's bias
        parts = [splitting[part] for part in run.parts]
        left = parts[0] if len(parts) == 1 else made(Concat(parts[0].rank - 1), parts, node.provenance)[0]
        rows = weights.cut(splitting[product.weight], run.start, run.end, product.base_axis, cell)
        added = [splitting[product.added]] if product.added is not None and not terms else []
        op = node.op if isinstance(node.op, Gemm) else MatMul()
        terms += made(op, (left, rows, *added), node.provenance)
    result = terms[0]
    for term in terms[1:]:
        (result,) = made(Add(), (result, term), node.provenance)
    result.hint = node.outputs[0].hint
    splitting.stand_in(node.outputs[0], result)
