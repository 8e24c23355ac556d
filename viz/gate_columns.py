"""Which gates the columns of a tensor belong to: known from the block tables of the weights that it is a product with.

A weight that a pass has rearranged is followed too: its expression is computed on the numbers of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.ops.slicing import columns_of
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.made_weights import fixed_tensors

#: The number of a column's gate; 0 where the column is of none, as zeros between two joined kernels are.
Labels = npt.NDArray[np.int32]

# What only moves elements, and so can be computed on their labels.
_MOVING = ("Concat", "Slice", "Gather", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Split", "Identity", "Expand")
# What leaves columns where they are.
_KEEPING = (
    "Add", "Sigmoid", "Tanh", "Relu", "Elu", "HardSigmoid", "LeakyRelu", "Softsign", "Softplus", "Exp", "Clip", "Cast",
    "Identity",
)  # fmt: skip
#: Weights of more elements than this are not followed through expressions.
_MOST = 1 << 24


class GateColumns:
    """The gates of the columns of every tensor of a graph for which they are known.

    Args:
        graph: the graph.
        nodes: those of its nodes that are asked about, with all before them, in order; None for all.
    """

    def __init__(self, graph: Graph, nodes: Sequence[Node] | None = None) -> None:
        self._names: list[str] = [""]
        self._numbers: dict[str, int] = {}
        self._weights: dict[Tensor, Labels] = {
            item: labels for item in graph.parameters.values() if (labels := self._of_weight(item)) is not None
        }
        # For tensors that are computed at a run: their labels, and the axis that these lie along, counted from the end.
        self._computed: dict[Tensor, tuple[int, Labels]] = {}
        nodes = graph.nodes if nodes is None else nodes
        self._fixed = fixed_tensors(graph, nodes)
        for node in nodes:
            if node.outputs[0] in self._fixed:
                self._weights |= _moved(node, self._weights)
            else:
                self._computed |= self._after(node)

    def gates(self, tensor: Tensor | None) -> tuple[str, ...]:
        """Return the gates of a tensor's columns, each once, in order; nothing where they are not known."""
        found = self._computed.get(tensor) if tensor is not None else None
        if found is None:
            return ()
        return tuple(dict.fromkeys(self._names[number] for number in dict.fromkeys(found[1].tolist()) if number))

    def _number(self, gate: str) -> int:
        if gate not in self._numbers:
            self._numbers[gate] = len(self._names)
            self._names.append(gate)
        return self._numbers[gate]

    def _of_weight(self, item: Parameter) -> Labels | None:
        blocks = item.blocks
        if blocks is None:
            return None
        columns = np.concatenate([np.full(size, self._number(gate), np.int32) for gate, size in blocks.columns])
        along = columns[:, None] if blocks.transposed and item.rank > 1 else columns
        return np.broadcast_to(along, tuple(int(str(size)) for size in item.shape))

    def _after(self, node: Node) -> Mapping[Tensor, tuple[int, Labels]]:
        """Return what is known of a node's outputs."""
        name, first = node.op.name, node.inputs[0] if node.inputs else None
        if name in ("MatMul", "Gemm", "Conv"):
            product = self._product(node)
            return {} if product is None else {node.outputs[0]: product}
        given = self._computed.get(first) if first is not None else None
        if name == "Split" and given is not None:
            return _cut(node, *given)
        if name == "Slice" and given is not None and given[0] == -1:
            columns = columns_of(node)
            return {} if columns is None else {node.outputs[0]: (-1, given[1][columns.start : columns.stop])}
        if name == "Transpose" and given is not None and first is not None:
            order = [int(axis) for axis in node.op.attributes.get("perm", ())]
            axis = first.rank + given[0]
            return {node.outputs[0]: (order.index(axis) - first.rank, given[1])} if axis in order else {}
        if name in _KEEPING:
            moving = [tensor for tensor in node.inputs if tensor is not None and tensor not in self._fixed]
            found = [self._computed[tensor] for tensor in moving if tensor in self._computed]
            alike = all(axis == found[0][0] and _equal(one, found[0][1]) for axis, one in found)
            if found and len(found) == len(moving) and alike:
                return {node.outputs[0]: found[0]}
        return {}

    def _product(self, node: Node) -> tuple[int, Labels] | None:
        weight = node.inputs[1] if len(node.inputs) > 1 else None
        labels = self._weights.get(weight) if weight is not None else None
        if labels is None or labels.ndim < 2:
            return None
        if node.op.name == "Conv":
            flat = labels.reshape(len(labels), -1).T
            axis = 1 - node.outputs[0].rank
        else:
            flat = labels.T if node.op.attributes.get("transB") else labels
            axis = -1
        columns = _columns(flat.reshape(-1, flat.shape[-1]))
        return None if columns is None else (axis, columns)


def _equal(one: Labels, other: Labels) -> bool:
    return one is other or np.array_equal(one, other)


def _columns(labels: Labels) -> Labels | None:
    """Return the label that each column has in all its rows, where zeros leave it open; None where rows differ."""
    most = labels.max(axis=0, initial=0)
    return most if np.all((labels == 0) | (labels == most)) else None


def _moved(node: Node, weights: Mapping[Tensor, Labels]) -> Mapping[Tensor, Labels]:
    """Return the labels of a weight expression's outputs, where it only moves elements that are known."""
    if node.op.name not in _MOVING:
        return {}
    arrays: list[Array | None] = []
    for place, tensor in enumerate(node.inputs):
        moved = place == 0 or node.op.name == "Concat"
        if tensor is None:
            arrays.append(None)
        elif isinstance(tensor, Constant):
            arrays.append(np.zeros(tensor.value.shape, np.int32) if moved else tensor.value)
        elif tensor in weights and moved and weights[tensor].size <= _MOST:
            arrays.append(weights[tensor])
        else:
            return {}
    results = node.op.evaluate(*arrays)
    listed: Sequence[Array] = [results] if isinstance(results, np.ndarray) else results
    return dict(zip(node.outputs, listed, strict=True))


def _cut(node: Node, axis: int, labels: Labels) -> Mapping[Tensor, tuple[int, Labels]]:
    """Return what is known of the pieces of a Split."""
    rank = node.outputs[0].rank
    cut = int(node.op.attributes["axis"])
    if (cut - rank if cut >= 0 else cut) != axis:
        return dict.fromkeys(node.outputs, (axis, labels))
    sizes = [tensor.shape[axis] for tensor in node.outputs]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) < len(sizes):
        return {}
    ends = list(accumulate(known))
    return {
        tensor: (axis, labels[end - size : end]) for tensor, size, end in zip(node.outputs, known, ends, strict=True)
    }
