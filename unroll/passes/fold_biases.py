"""Add up what is added to a preactivation: biases, and constants such as a forget bias.

Preserves all names of what is kept, and the values of the outputs but for rounding: sums are added in another order.
Never adds a node, except, over weights, one Add for each bias that joins another. In a sum of products and biases the
biases become one expression, added to the product that does not depend on the step before (which hoisting then takes
along); ``sigmoid(f + 1)``, with f a block of columns of such a sum, becomes ``sigmoid(f)`` with the 1 in that block of
the bias. Parameters stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unroll.dtypes import DType
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Split
from unroll.ops.operator import made
from unroll.passes.tools.products import Product, products_of
from unroll.passes.tools.rewriting import Rewriting, in_place, merged, readers_of
from unroll.tensor import Constant, Node, Tensor


@in_place
def fold_biases(graph: Graph) -> Graph:
    """Return `graph` with one bias for each preactivation; see this module for what is preserved."""
    with collector_paused():
        folding = _Folding(graph)
        return folding.walk(folding.plan(), folding.write)


class _Sum(NamedTuple):
    """A preactivation: the Adds that make it, and its terms."""

    adds: list[Node]
    products: list[Product]
    biases: list[Tensor]
    others: list[Tensor]


class _Folding(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._readers = readers_of(graph)
        self._products = products_of(graph)
        self._weights = self._products.weights
        self._recurrent = self._products.recurrent
        self._sums: dict[Node, _Sum] = {}
        self._extras: dict[Node, dict[int, Constant]] = {}
        self._sizes: dict[Node, list[int]] = {}
        self._blocks: dict[object, Constant] = {}
        self._constants: dict[tuple[DType, bytes], Constant] = {}
        self._changed: dict[Node, _Sum] = {}
        self._gone: set[Node] = set()
        self._skipped: dict[Node, Tensor] = {}

    # -- finding ---------------------------------------------------------------------------------------------------

    def plan(self) -> set[Node]:
        """Find the sums, and the constants that are added to blocks of them; return the nodes that are part of what changes."""
        products = self._products.found
        for node in self.graph.nodes:
            if (isinstance(node.op, Add) or node in products) and self._ends_sum(node):
                found = self._sum(node)
                if found.biases:
                    self._sums[node] = found
        self._plan_blocks()
        for root, found in self._sums.items():
            if self._changes(root, found):
                self._changed[root] = found
                self._gone.update(found.adds, (product.node for product in found.products if product.added is not None))
        return {*self._changed, *self._gone, *self._skipped}

    def _ends_sum(self, node: Node) -> bool:
        """Say whether a node ends a sum: the last Add of one, or a Gemm that nothing is added to."""
        adds = isinstance(node.op, Add) or len(node.inputs) > 2
        result = node.outputs[0]
        return adds and result.dtype.kind == "f" and not self._is_term(node) and not self._weights.holds(result)

    def _is_term(self, node: Node) -> bool:
        """Say whether a node is summed with others, and nothing else reads it."""
        reader = self._readers.only(node.outputs[0]) if len(node.outputs) == 1 else None
        return reader is not None and isinstance(reader.op, Add) and reader.outputs[0].shape == node.outputs[0].shape

    def _sum(self, root: Node) -> _Sum:
        found = _Sum([], [], [], [])
        stack = [root.outputs[0]]
        while stack:
            tensor = stack.pop()
            node = tensor.node
            if node is not None and isinstance(node.op, Add) and self._joins(node, root):
                found.adds.append(node)
                stack.extend(reversed([item for item in node.inputs if item is not None]))
            elif node in self._products.found and self._joins(node, root) and self._fits(self._products.found[node]):
                product = self._products.found[node]
                found.products.append(product)
                if product.added is not None:
                    found.biases.append(product.added)
            elif self._is_bias(tensor):
                found.biases.append(tensor)
            else:
                found.others.append(tensor)
        return found

    def _joins(self, node: Node, root: Node) -> bool:
        """Say whether a node is part of the sum that ends at `root`."""
        return node is root or (self._is_term(node) and node.outputs[0].shape == root.outputs[0].shape)

    def _is_bias(self, tensor: Tensor) -> bool:
        return tensor.rank > 0 and self._weights.holds_row(tensor)

    def _fits(self, product: Product) -> bool:
        return product.is_plain and (product.added is None or self._is_bias(product.added))

    def _plan_blocks(self) -> None:
        """Find constants added to pieces of a sum; a piece that nothing reads takes the constant of other steps."""
        wanted: dict[tuple[object, ...], dict[int, Constant]] = {}
        open_pieces: list[tuple[Node, tuple[object, ...], list[int]]] = []
        for node in self.graph.nodes:
            root = self._cut_sum(node) if isinstance(node.op, Split) else None
            if root is None:
                continue
            sizes = [int(piece.shape[-1]) for piece in node.outputs]
            key = (*self._sums[root].biases, *sizes)
            given, adds = self._given(node)
            self._sizes[root] = sizes
            if given:
                self._extras[root] = given
                self._skipped |= adds
                known = wanted.setdefault(key, {})
                for place, value in given.items():
                    known.setdefault(place, value)
            unread = [place for place, piece in enumerate(node.outputs) if self._readers.unread(piece)]
            if unread:
                open_pieces.append((root, key, unread))
        for root, key, unread in open_pieces:
            adopted = {place: value for place, value in wanted.get(key, {}).items() if place in unread}
            if adopted:
                self._extras.setdefault(root, {}).update(adopted)

    def _cut_sum(self, node: Node) -> Node | None:
        """Return the sum that a Split along the last axis cuts, where nothing else reads it."""
        source = node.inputs[0]
        if source is None or source.node not in self._sums or self._readers.only(source) is not node:
            return None
        sized = all(isinstance(piece.shape[-1], int) for piece in node.outputs)
        return source.node if sized and node.op.attributes["axis"] == source.rank - 1 else None

    def _given(self, split: Node) -> tuple[dict[int, Constant], dict[Node, Tensor]]:
        found: dict[int, Constant] = {}
        adds: dict[Node, Tensor] = {}
        for place, piece in enumerate(split.outputs):
            reader = self._readers.only(piece)
            if reader is None or not isinstance(reader.op, Add) or reader.outputs[0].shape != piece.shape:
                continue
            other = reader.inputs[1] if reader.inputs[0] is piece else reader.inputs[0]
            if isinstance(other, Constant) and all(size == 1 for size in other.shape[:-1]):
                found[place] = other
                adds[reader] = piece
        return found, adds

    def _changes(self, root: Node, found: _Sum) -> bool:
        if root in self._extras or len(found.biases) > 1:
            return True
        carrier = self._carrier(found)
        if carrier is None or len(found.products) == 1 or carrier.added is not None:
            return False
        reader = self._readers.only(carrier.node.outputs[0])
        return reader is not None and found.biases[0] not in reader.inputs

    def _carrier(self, found: _Sum) -> Product | None:
        """Return the product that the bias is added to: one that is free of the step before."""
        free = [product for product in found.products if product.weight not in self._recurrent]
        adding = [product for product in found.products if product.added is not None]
        if len(adding) == len(found.biases) and (not free or free[0].added is None):
            free = adding  # there is no Add that could take the bias elsewhere
        return next(iter(free or found.products), None)

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, node: Node) -> None:
        """Write a sum anew where it ends, and leave out its parts."""
        if node in self._skipped:
            self.redirect(node.outputs[0], self[self._skipped[node]])
        elif node in self._changed:
            self._write(node, self._changed[node])

    def _write(self, root: Node, found: _Sum) -> None:
        cell = root.origin.cell
        provenance = merged(found.adds or [root])
        biases = [self[bias] for bias in found.biases]
        if root in self._extras:
            biases.append(self._extra(root))
        total = self._weights.total(biases, cell)
        carrier = self._carrier(found)
        products = sorted(found.products, key=lambda product: product is not carrier)
        terms = [self._term(product, total if product is carrier else None) for product in products]
        terms += [self[tensor] for tensor in found.others]
        if carrier is None or carrier.added is None:
            terms.insert(1, total)
        result = terms[0]
        for term in terms[1:]:
            (result,) = made(Add(), (result, term), provenance)
        result.hint = root.outputs[0].hint
        self.stand_in(root.outputs[0], result)

    def _term(self, product: Product, total: Tensor | None) -> Tensor:
        """Return a product with another bias; only a Gemm has one of its own."""
        if product.added is None:
            return self[product.node.outputs[0]]
        inputs = (*self.inputs(product.node)[:2], *([total] if total is not None else []))
        return self.copy(product.node, inputs).outputs[0]

    def _extra(self, root: Node) -> Constant:
        """Return what is added to the blocks of a sum, as one constant: the same for all steps that are given the same."""
        sizes, given, dtype = self._sizes[root], self._extras[root], root.outputs[0].dtype
        key = (dtype, *sizes, *given.items())
        if key not in self._blocks:
            blocks = [np.zeros(size, dtype) for size in sizes]
            for place, constant in given.items():
                blocks[place][:] = constant.value.reshape(-1)
            value = np.concatenate(blocks)
            self._blocks[key] = self._constants.setdefault((dtype, value.tobytes()), Constant(value))
        return self._blocks[key]
