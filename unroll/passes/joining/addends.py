"""What is added to the recurrent products of a group of lanes: where each lane's input product comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unroll.passes.joining.lanes import Depths, Lane, together
from unroll.passes.tools.hoisted import Hoisted
from unroll.passes.tools.products import Product
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor


class Group(NamedTuple):
    """The products of some lanes, and what is added to them.

    Attributes:
        products: one from each lane, for each time that they are computed as one.
        hoisted: the input product of each lane, hoisted; None where it has none.
        biases: the row that each lane adds; None where it adds none.
        outside: the lanes whose input products do not wait for any of the products.
    """

    products: Sequence[tuple[Product, ...]]
    hoisted: Sequence[Hoisted | None]
    biases: Sequence[Tensor | None]
    outside: Sequence[int]

    @property
    def packs(self) -> list[tuple[Node, ...]]:
        """The nodes that are computed as one."""
        return [tuple(product.node for product in products) for products in self.products]

    def beside(self, products: Sequence[Product], lane: int) -> int | None:
        """Return the lane whose recurrent product multiplies the input of another lane's input product; None where
        there is no such lane.
        """
        source = self.source(products, lane)
        return next((at for at, item in enumerate(products) if item.left is source and at != lane), None)

    def source(self, products: Sequence[Product], lane: int) -> Tensor | None:
        """Return the tensor that a lane's input product multiplies."""
        hoisted = self.hoisted[lane]
        return None if hoisted is None else _source(products[lane], hoisted)


def group_of(lanes: Sequence[Lane], depths: Depths, weights: Weights) -> Group | None:
    """Return a group of lanes with what is added to them; None where something other than a hoisted product or a row of
    weights is added.
    """
    products = list(together(lanes))
    hoisted: list[Hoisted | None] = []
    biases: list[Tensor | None] = []
    for lane in range(len(lanes)):
        added = [item[lane].added for item in products]
        found = {id(depths.pieces.get(tensor)) if tensor is not None else None for tensor in added}
        first = added[0]
        whole = depths.pieces.get(first) if first is not None else None
        if len(found) > 1 or (whole is None and first is not None and not weights.holds(first)):
            return None
        if whole is None and any(tensor is not first for tensor in added):
            return None
        row = first if whole is None else whole.product.added
        if row is not None and row.shape[-1:] != products[0][lane].node.outputs[0].shape[-1:]:
            return None  # one number for all columns, which cannot be laid beside another lane's
        hoisted.append(whole)
        biases.append(row)
    outside = [
        lane
        for lane, whole in enumerate(hoisted)
        if whole is not None and not any(depths.waits(_source(item[lane], whole), lanes) for item in products)
    ]
    return Group(products, hoisted, biases, outside)


def _source(product: Product, hoisted: Hoisted) -> Tensor | None:
    return hoisted.source(product.added) if product.added is not None else None
