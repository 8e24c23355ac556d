"""What passes ask about matrix products with weights: which use one weight, and which of them depend on one another."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import NamedTuple

from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.tools.drafting import studied
from unroll.passes.tools.rewriting import Readers, is_known
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor


class Product(NamedTuple):
    """``left @ weight``: a MatMul or a Gemm.

    Attributes:
        node: the node.
        left: what is multiplied, the weight's rows with its last axis.
        weight: a matrix that is a weight.
        added: what a Gemm adds.
        turned: the weight is stored with columns first.
    """

    node: Node
    left: Tensor
    weight: Tensor
    added: Tensor | None
    turned: bool

    @property
    def base_axis(self) -> int:
        """The axis of the weight that meets the left side."""
        return 1 if self.turned else 0

    @property
    def width(self) -> int:
        """How wide what is multiplied is: the size of that axis of the weight, which is a number."""
        return int(self.weight.shape[self.base_axis])

    @property
    def is_plain(self) -> bool:
        """Whether nothing is scaled."""
        return not isinstance(self.node.op, Gemm) or (self.node.op.alpha, self.node.op.beta) == (1.0, 1.0)


class Products:
    """The products of a graph with weights, and what they depend on.

    A tensor is *free* of a weight if no product with any block of that weight comes before it: products of free tensors
    with one weight can be computed all at once. What depends on what is found out when first asked, so a pass asks before
    it carries nodes over.
    """

    def __init__(self, graph: Graph, weights: Weights) -> None:
        self.weights = weights
        products = [node for node in graph.nodes if isinstance(node.op, (MatMul, Gemm))]
        self.found = {node: found for node in products if (found := _product(node, weights)) is not None}
        counts = Counter(weights.base(product.weight) for product in self.found.values())
        repeated = [base for base, count in counts.items() if count > 1]
        #: One bit for each weight with several products.
        self.bits = {base: 1 << place for place, base in enumerate(repeated)}
        self._nodes = graph.nodes

    @cached_property
    def _behind(self) -> dict[Node | None, int]:
        own = {product.node: self.bit(product.weight) for product in self.found.values()}
        behind: dict[Node | None, int] = {None: 0}
        for node in self._nodes:
            bits = own.get(node, 0)
            for tensor in node.inputs:
                if tensor is not None:
                    bits |= behind[tensor.node]
            behind[node] = bits
        return behind

    def behind(self, tensor: Tensor) -> int:
        """Return the bits of the weights with products that a tensor depends on."""
        return self._behind[tensor.node]

    def bit(self, weight: Tensor) -> int:
        """Return the bit of the weight that an expression is a block of; 0 where it has one product only."""
        return self.bits.get(self.weights.base(weight), 0)

    def is_free(self, tensor: Tensor, weight: Tensor) -> bool:
        """Say whether a tensor is free of a weight."""
        return not self.behind(tensor) & self.bit(weight)

    @cached_property
    def recurrent(self) -> frozenset[Tensor]:
        """The weights with a product that is not free of them; that of an initial state is free, and those after are not."""
        bound = (item for item in self.found.values() if not self.is_free(item.left, item.weight))
        return frozenset(item.weight for item in bound)

    def partner(self, product: Product, readers: Readers) -> Product | None:
        """Return the product that another is added to, biases aside."""
        tensor = product.node.outputs[0]
        for _ in range(2):  # a bias may be added first
            add = readers.only(tensor)
            if add is None or not isinstance(add.op, Add):
                return None
            other = add.inputs[1] if add.inputs[0] is tensor else add.inputs[0]
            found = self.inside(other, readers)
            if found is not None or not self.weights.holds(other):
                return found
            tensor = add.outputs[0]
        return None

    def inside(self, tensor: Tensor | None, readers: Readers) -> Product | None:
        """Return the product that a tensor is, or is but for a bias, where nothing else reads it."""
        node = tensor.node if tensor is not None and readers.only(tensor) is not None else None
        if node is None or node in self.found:
            return self.found.get(node) if node is not None else None
        if not isinstance(node.op, Add) or sum(map(self.weights.holds, node.inputs)) != 1:
            return None
        inner = node.inputs[1] if self.weights.holds(node.inputs[0]) else node.inputs[0]
        unread = inner is None or inner.node not in self.found or readers.only(inner) is None
        return None if unread or inner is None or inner.node is None else self.found[inner.node]

    def joined_width(self, product: Product, readers: Readers) -> int:
        """Return how wide the inputs are together of a product and of the one that it is added to; 0 where not known."""
        partner = self.partner(product, readers)
        widths = [item.left.shape[-1] for item in (product, partner) if item is not None]
        return sum(width for width in widths if isinstance(width, int))


def products_of(graph: Graph) -> Products:
    """Return the products of a graph with its weights."""
    return studied(graph, _products)


def _products(graph: Graph) -> Products:
    return Products(graph, studied(graph, Weights))


def _product(node: Node, weights: Weights) -> Product | None:
    if not isinstance(node.op, (MatMul, Gemm)) or not is_known(node.op):
        return None
    left, weight = node.inputs[0], node.inputs[1]
    if (
        left is None
        or weight is None
        or weight.rank != 2
        or left.rank < 2
        or not weights.holds(weight)
        or weights.holds(left)
    ):
        return None
    if isinstance(node.op, MatMul):
        return Product(node, left, weight, None, False)
    added = node.inputs[2] if len(node.inputs) > 2 else None
    return None if node.op.transA else Product(node, left, weight, added, bool(node.op.transB))
