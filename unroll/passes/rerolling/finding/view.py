"""A graph as re-rolling looks at it: equal constants are one tensor, and every tensor knows its readers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from unroll.graph import Graph
from unroll.ops.filling import ConstantOfShape
from unroll.ops.functions import Cast, Identity
from unroll.ops.shaping import Expand, Reshape, Squeeze, Transpose, Unsqueeze
from unroll.ops.slicing import Slice
from unroll.parameter import Parameter
from unroll.passes.tools.rewriting import is_known, merged, op_key
from unroll.tensor import Constant, Node, Tensor

_KEEP_ZERO = (Expand, Reshape, Squeeze, Transpose, Unsqueeze, Slice)


class SearchGivenUpError(Exception):
    """A search has looked at as many nodes as it may."""


class View:
    """Nodes in order, with what they read and who reads them.

    Attributes:
        nodes: all nodes but those that change nothing, each of which is taken for what it reads.
        place: the place of each node in that order.
        inputs: what each node reads.
        readers: the (node, input) pairs that read each tensor.
        fixed: the nodes that compute weights: those that depend on no placeholder.
        outputs: the tensors that the graph gives.

    Args:
        graph: the graph.
        looks: how many looks at a node a search may take; None for any number.
    """

    def __init__(self, graph: Graph, looks: int | None = None) -> None:
        self.graph = graph
        self._looks_left = looks
        self._constants: dict[Hashable, Constant] = {}
        self._stands_for: dict[Tensor, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: dict[Node, tuple[Tensor | None, ...]] = {}
        self.readers: dict[Tensor, list[tuple[Node, int]]] = {}
        self.fixed: set[Node] = set()
        self._keys: dict[Node, Hashable] = {}
        for node in graph.nodes:
            inputs = tuple([None if tensor is None else self.same(tensor) for tensor in node.inputs])
            if inputs and inputs[0] is not None and _changes_nothing(node, inputs[0]):
                self._stands_for[node.outputs[0]] = inputs[0]
                continue
            self.nodes.append(node)
            self.inputs[node] = inputs
            for place, tensor in enumerate(inputs):
                if tensor is not None:
                    self.readers.setdefault(tensor, []).append((node, place))
            if inputs and is_known(node.op) and all(tensor is None or self.is_fixed(tensor) for tensor in inputs):
                self.fixed.add(node)
        self.place = {node: place for place, node in enumerate(self.nodes)}
        self.outputs = {self.same(tensor) for tensor in graph.outputs}

    def look(self, count: int) -> None:
        """Count looks at nodes.

        Raises:
            SearchGivenUpError: more than the search may take.
        """
        if self._looks_left is not None:
            self._looks_left -= count
            if self._looks_left < 0:
                raise SearchGivenUpError

    def add(self, example: Node, inputs: Sequence[Tensor | None], beside: Sequence[Node]) -> Node:
        """Return a new node like `example` on other inputs, in the same step as `beside`; nothing in the graph reads it."""
        node = example.copied(tuple(inputs), merged(beside))
        self.inputs[node] = node.inputs
        self.place[node] = max(self.place[other] for other in beside)
        return node

    def same(self, tensor: Tensor) -> Tensor:
        """Return the tensor that stands for this one and for all that equal it."""
        found = self._stands_for.get(tensor)
        if found is None:
            found = tensor
            if isinstance(tensor, Constant):
                value = tensor.value
                found = self._constants.setdefault((value.dtype.str, value.shape, value.tobytes()), tensor)
            self._stands_for[tensor] = found
        return found

    def is_fixed(self, tensor: Tensor) -> bool:
        """Say whether a tensor is a weight: a Parameter, a Constant, or computed from them alone."""
        return isinstance(tensor, (Constant, Parameter)) or tensor.node in self.fixed

    def is_zero(self, tensor: Tensor) -> bool:
        """Say whether a tensor is known to hold only zeros."""
        while True:
            if isinstance(tensor, Constant):
                return tensor.dtype.kind == "f" and not np.any(tensor.value)
            node = tensor.node
            if node is None or isinstance(node.op, ConstantOfShape):
                return node is not None and node.op.value == 0  # type: ignore[attr-defined]
            source = self.inputs[node][0] if isinstance(node.op, _KEEP_ZERO) and node in self.inputs else None
            if source is None:
                return False
            tensor = source

    def key(self, node: Node) -> Hashable:
        """Return the operator and attributes of a node, and how many inputs and outputs it has."""
        found = self._keys.get(node)
        if found is None:
            found = self._keys[node] = (op_key(node), len(node.inputs), len(node.outputs))
        return found


def _changes_nothing(node: Node, source: Tensor) -> bool:
    """Say whether a node gives its input unchanged."""
    result = node.outputs[0]
    if isinstance(node.op, (Expand, Reshape)):
        return result.shape == source.shape
    return isinstance(node.op, Identity) or (isinstance(node.op, Cast) and result.dtype == source.dtype)
