"""Compute the input products of all steps as one matrix product.

``x_0 @ W, x_1 @ W, ...`` become ``X @ W`` and one Split, where no ``x_t`` depends on another of the products; a bias
that each step adds is added once. Steps that are cut from one tensor use that tensor as it is (turned, if time is not
its first axis); others are joined along the rows. Each kernel has a product of its own: for the two of a GRU, one
product cut in two took as long or up to 6 % longer in onnxruntime. Preserves the names of what is kept, and the values
of the outputs but for rounding. Done where it pays (see `unroll.passes.tools.cost`): from four steps on, so that it
never adds a node.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from typing import NamedTuple

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Concat, Split
from unroll.ops.operator import made
from unroll.ops.shaping import Reshape, Transpose
from unroll.passes.tools import cost
from unroll.passes.tools.products import Product, products_of
from unroll.passes.tools.rewriting import Rewriting, in_place, ints, merged, readers_of
from unroll.passes.tools.time_slices import Cut, TimeSlices
from unroll.scopes import Origin
from unroll.tensor import Node, Tensor
from unroll.topological_order import Together, in_order


class _Step(NamedTuple):
    """One product to hoist: the product, the Add of a bias after it (if any), and the bias."""

    product: Product
    add: Node | None
    bias: Tensor | None

    @property
    def result(self) -> Tensor:
        """The tensor that the hoisted product replaces."""
        return (self.add or self.product.node).outputs[0]


@in_place
def hoist_inputs(graph: Graph, batch: int = 1) -> Graph:
    """Return `graph` with the input products of all steps computed at once where that pays.

    Args:
        graph: the graph.
        batch: the size that symbolic dimensions are taken for when asking what pays.
    """
    with collector_paused():
        hoisting = _Hoisting(graph, batch)
        units = hoisting.plan()
        if not units:
            return graph
        for item in in_order(graph.nodes, units):
            if isinstance(item, Together):
                hoisting.write(item.members)
            else:
                hoisting.carry(item)
        return hoisting.finish()


class _Hoisting(Rewriting):
    def __init__(self, graph: Graph, batch: int) -> None:
        super().__init__(graph)
        self._batch = batch
        self._readers = readers_of(graph)
        self._products = products_of(graph)

    # -- finding ---------------------------------------------------------------------------------------------------

    def plan(self) -> dict[Node, Together[_Step]]:
        """Return the unit of each node that is to be hoisted."""
        groups: dict[object, list[_Step]] = {}
        # In the order of the multiplied tensors, so that products of the same steps with other weights join the same
        # rows.
        place: dict[Tensor | Node, int] = dict(zip(chain(self.graph.inputs, self.graph.nodes), count()))
        for product in sorted(self._products.found.values(), key=lambda item: place[item.left.node or item.left]):
            step = self._step(product)
            if step is not None:
                key = (
                    type(product.node.op),
                    product.weight,
                    product.turned,
                    product.added,
                    step.bias,
                    product.left.shape,
                )
                groups.setdefault(key, []).append(step)
        paying = [steps for steps in groups.values() if len(steps) > 1 and self._pays(steps)]
        units: dict[Node, Together[_Step]] = {}
        for steps in self._without_circles(paying):
            unit = Together(
                steps,
                (cut.source for cut in cuts) if (cuts := _whole(steps)) else (step.product.left for step in steps),
            )
            for step in steps:
                units[step.product.node] = unit
                if step.add is not None:
                    units[step.add] = unit
        return units

    def _step(self, product: Product) -> _Step | None:
        weights = self._products.weights
        rows = product.left.shape[:-1]
        if not self._products.is_free(product.left, product.weight) or not self._products.bit(product.weight):
            return None
        if len(rows) != 1 or not product.is_plain or not isinstance(product.left.shape[-1], int):
            return None
        if product.added is not None and not weights.holds_row(product.added):
            return None
        reader = self._readers.only(product.node.outputs[0])
        if product.added is None and reader is not None and isinstance(reader.op, Add):
            other = reader.inputs[1] if reader.inputs[0] is product.node.outputs[0] else reader.inputs[0]
            if (
                other is not None
                and weights.holds_row(other)
                and reader.outputs[0].shape == product.node.outputs[0].shape
            ):
                return _Step(product, reader, other)
        return _Step(product, None, None)

    def _pays(self, steps: list[_Step]) -> bool:
        joined = max(self._products.joined_width(step.product, self._readers) for step in steps)
        return cost.hoisting_pays(len(steps), steps[0].product, joined, self._batch)

    def _without_circles(self, groups: list[list[_Step]]) -> list[list[_Step]]:
        """Leave out groups that depend on one another both ways: they cannot each be computed at once."""
        products = self._products
        bits = {products.bit(steps[0].product.weight) for steps in groups}
        if len(bits) < 2:
            return groups
        import networkx  # loaded when first used

        needs: networkx.DiGraph[int] = networkx.DiGraph()
        needs.add_nodes_from(bits)
        for steps in groups:
            own = products.bit(steps[0].product.weight)
            behind = 0
            for step in steps:
                behind |= products.behind(step.product.left)
            needs.add_edges_from((own, other) for other in bits if behind & other and other != own)
        circles = {bit for part in networkx.strongly_connected_components(needs) if len(part) > 1 for bit in part}
        return [steps for steps in groups if products.bit(steps[0].product.weight) not in circles]

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, steps: Sequence[_Step]) -> None:
        """Write the products of all steps as one."""
        product = steps[0].product
        provenance = merged(node for step in steps for node in (step.product.node, step.add) if node is not None)
        cuts = _whole(steps)
        if cuts:
            joined = self._rows_of(self[cuts[0].source], cuts[0].axis, int(product.left.shape[-1]), provenance)
            order = [cut.number for cut in cuts]
        else:
            (joined,) = made(Concat(0), [self[step.product.left] for step in steps], provenance)
            order = list(range(len(steps)))
        weights = [self[tensor] for tensor in (product.weight, product.added) if tensor is not None]
        (result,) = made(product.node.op, (joined, *weights), provenance)
        if steps[0].bias is not None:
            (result,) = made(Add(), (result, self[steps[0].bias]), provenance)
        pieces = made(Split(0, len(steps)), (result,), provenance)
        for step, index in zip(steps, order, strict=True):
            pieces[index].hint = step.result.hint
            self.stand_in(step.result, pieces[index])

    def _rows_of(self, whole: Tensor, axis: int, width: int, provenance: frozenset[Origin]) -> Tensor:
        """Return ``(batch, time, width)``, or ``(time, batch, width)`` with `axis` 0, as ``(time * batch, width)``."""
        if axis == 1 and whole.shape[0] != 1:
            (whole,) = made(Transpose((1, 0, 2)), (whole,), provenance)
        return made(Reshape(), (whole, ints(-1, width)), provenance)[0]


def _whole(steps: Sequence[_Step]) -> list[Cut]:
    """Return which step of a sequence each step's input is, if together they are all of one."""
    slices = TimeSlices()
    first = slices.cut_of(steps[0].product.left)
    if first is None or not _is_step(first):
        return []
    cuts = [cut for step in steps if (cut := slices.cut_of(step.product.left)) is not None and cut.like(first)]
    all_of_one = len(cuts) == len(steps) == first.source.shape[first.axis] == len({cut.number for cut in cuts})
    return cuts if all_of_one else []


def _is_step(cut: Cut) -> bool:
    """Say whether a cut is one step ``(batch, width)`` of ``(batch, time, width)`` or ``(time, batch, width)``."""
    return cut.squeezed and cut.source.rank == 3 and cut.axis < 2
