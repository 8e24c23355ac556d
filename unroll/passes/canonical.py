"""The canonical form: graphs that compute the same in the same way, written alike.

Preserves inputs, outputs and their names, and the values of the outputs but for rounding. Products of joined inputs are
cut into one for each input; a Gemm becomes MatMuls, Muls and Adds; what depends on constants alone is computed; what
does nothing, or is undone again, is left out; equal things are computed once; the operands of a sum, and of other
operators whose operands can be exchanged, stand in one order. May add, for a Gemm, two Transposes, two Muls and an Add,
and for a product of joined inputs two nodes an input. Meant for comparing: it does not run faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add, Mul
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import made
from unroll.ops.shaping import Transpose
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.fold_constants import fold_constants
from unroll.passes.fold_zeros import fold_zeros
from unroll.passes.merge_equal import merge_equal
from unroll.passes.remove_dead import remove_dead
from unroll.passes.split_kernels import split_all_kernels
from unroll.passes.tools.digests import CHAINS, EXCHANGEABLE, Digests
from unroll.passes.tools.rewriting import Readers, Rewriting, is_known, merged
from unroll.passes.tools.weight_expressions import with_values
from unroll.tensor import Constant, Node, Tensor

_STEPS: tuple[Callable[[Graph], Graph], ...] = (
    fold_constants,
    fold_zeros,
    remove_dead,
    cancel_shapes,
    split_all_kernels,
    merge_equal,
)


def canonical(graph: Graph, values: bool = False, inputs: Sequence[Tensor] | None = None) -> Graph:
    """Return `graph` in canonical form; see this module for what is preserved.

    Args:
        graph: the graph.
        values: put the current values of Parameters in their place, so that a kernel equals its parts.
        inputs: the inputs, in the order of the corresponding inputs of another graph; their own order by default.
    """
    with collector_paused():
        graph = _without_gemm(graph)
        for step in _STEPS:
            graph = step(graph)
        if values:
            graph = merge_equal(with_values(graph))
        graph = fold_zeros(_sorted_operands(graph, inputs))  # a zero may stand where it can be left out now
        return merge_equal(_sorted_operands(remove_dead(graph), inputs))


def _without_gemm(graph: Graph) -> Graph:
    writing = Rewriting(graph)
    for node in graph.nodes:
        inputs = writing.inputs(node)
        if isinstance(node.op, Gemm) and is_known(node.op):
            result = _plain(node, node.op, inputs)
            result.hint = node.outputs[0].hint
            writing.stand_in(node.outputs[0], result)
        else:
            writing.keep(node, inputs)
    return writing.finish()


def _plain(node: Node, op: Gemm, inputs: tuple[Any, ...]) -> Tensor:
    def scaled(tensor: Tensor, factor: float) -> Tensor:
        if factor == 1.0:
            return tensor
        return made(Mul(), (tensor, Constant(np.array(factor, tensor.dtype))), node.provenance)[0]

    def turned(tensor: Tensor, turn: int) -> Tensor:
        return made(Transpose((1, 0)), (tensor,), node.provenance)[0] if turn else tensor

    left, right = turned(inputs[0], op.transA), turned(inputs[1], op.transB)
    product = scaled(made(MatMul(), (left, right), node.provenance)[0], op.alpha)
    if len(inputs) < 3 or inputs[2] is None:
        return product
    return made(Add(), (product, scaled(inputs[2], op.beta)), node.provenance)[0]


def _sorted_operands(graph: Graph, inputs: Sequence[Tensor] | None) -> Graph:
    """Put operands in the order of digests of how they are computed, and chains as a whole."""
    sorting, readers, digests = Rewriting(graph), Readers(graph), Digests(graph, inputs=inputs)
    for node in graph.nodes:
        if node.op.name not in EXCHANGEABLE or not is_known(node.op):
            digests.add(sorting.carry(node))
            continue
        if _is_inner(node, readers):
            continue
        terms, nodes = _chain(node, readers)
        ordered = sorted((sorting[term] for term in terms), key=digests.__getitem__)
        result, provenance = ordered[0], merged(nodes)
        for term in ordered[1:]:
            (result,) = made(node.op, (result, term), provenance)
            if result.node is not None:
                digests.add(result.node)
        result.hint = node.outputs[0].hint
        sorting.stand_in(node.outputs[0], result)
    return sorting.finish()


def _is_inner(node: Node, readers: Readers) -> bool:
    reader = readers.only(node.outputs[0])
    same = reader is not None and reader.op.name == node.op.name in CHAINS
    return (
        same
        and reader is not None
        and reader.outputs[0].shape == node.outputs[0].shape
        and reader.outputs[0].dtype.kind == "f"
    )


def _chain(root: Node, readers: Readers) -> tuple[list[Tensor], list[Node]]:
    terms, nodes, stack = [], [root], [item for item in root.inputs if item is not None]
    while stack:
        tensor = stack.pop()
        node = tensor.node
        if (
            node is not None
            and node.op.name == root.op.name
            and is_known(node.op)
            and _is_inner(node, readers)
            and tensor.shape == root.outputs[0].shape
        ):
            nodes.append(node)
            stack.extend(item for item in node.inputs if item is not None)
        else:
            terms.append(tensor)
    return terms, nodes


def chain_terms(root: Node) -> list[Tensor]:
    """Return the terms of a chain in a canonical form: of all nodes of the root's operator that are joined in it."""
    terms, stack = [], [item for item in root.inputs if item is not None]
    while stack:
        tensor = stack.pop()
        node = tensor.node
        if node is not None and node.op.name == root.op.name and root.op.name in CHAINS and is_known(node.op):
            stack.extend(item for item in node.inputs if item is not None)
        else:
            terms.append(tensor)
    return terms
