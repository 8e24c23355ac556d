"""Compute without a first axis of size 1, as torch's exporter has it in the states of an ``nn.RNN``: ``(1, batch, units)``.

Preserves the inputs, all names of what is kept, and the values of the outputs to the bit. Adds a Squeeze where such a tensor
enters and an Unsqueeze where one is read by something else. Elements meet the same elements as before: the axis is dropped
from those operators alone that work on the others, one element or one row at a time.
"""

from __future__ import annotations

from dataclasses import replace

from unroll.graph import Graph
from unroll.ops.elementwise import Binary, Unary
from unroll.ops.joining import Split
from unroll.ops.linear import MatMul
from unroll.ops.operator import Operator, made
from unroll.ops.shaping import Squeeze, Unsqueeze
from unroll.passes.tools.rewriting import Rewriting, ints, is_known
from unroll.tensor import Node, Tensor


def drop_unit_axes(graph: Graph) -> Graph:
    """Return `graph` with what has a first axis of size 1 computed without it; see this module for what is preserved."""
    dropping = _Dropping(graph)
    return dropping.walk({node for node in graph.nodes if _dropped(node) is not None}, dropping.write)


class _Dropping(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        #: What each tensor of the new graph is without its first axis.
        self._without: dict[Tensor, Tensor] = {}

    def write(self, node: Node) -> None:
        """Write a node without the axis, and an Unsqueeze behind each output."""
        op, rank = _dropped(node), node.outputs[0].rank
        assert op is not None, "such nodes are planned"
        operands = tuple(
            self._small(tensor, node) if tensor is not None and tensor.rank == rank else tensor
            for tensor in self.inputs(node)
        )
        for old, small in zip(node.outputs, made(op, operands, node.provenance), strict=True):
            small.hint = old.hint
            (wide,) = made(Unsqueeze(), (small, ints(0)), node.provenance)
            self._without[wide] = small
            self.stand_in(old, wide)

    def _small(self, tensor: Tensor, node: Node) -> Tensor:
        if tensor not in self._without:
            (self._without[tensor],) = made(Squeeze(), (tensor, ints(0)), node.provenance)
        return self._without[tensor]


def _dropped(node: Node) -> Operator | None:
    """Return the operator of a node without the first axis; None where it has no such axis, or works on it."""
    op, shape = node.op, node.outputs[0].shape
    operands = [tensor for tensor in node.inputs if tensor is not None]
    if len(shape) < 3 or shape[0] != 1 or not is_known(op):
        return None
    if isinstance(op, (Unary, Binary)):
        return op
    if isinstance(op, MatMul):
        return op if operands[0].rank == len(shape) and operands[1].rank == 2 else None
    if isinstance(op, Split) and op.axis % len(shape):
        return replace(op, axis=op.axis % len(shape) - 1)
    return None
