"""Weights in fewer bits: float16, or int8 with a scale for each column. What is computed, and all sums, stay float32.

A weight is narrowed where an operator reads it, and widened where C reads it: see `unroll.export.c.widening`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from unroll.comparison import worst_difference
from unroll.dtypes import Array
from unroll.errors import UnsupportedError
from unroll.evaluator import evaluate
from unroll.export.c.held import Held
from unroll.graph import Graph
from unroll.ops.operator import made
from unroll.ops.scan import Scan
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Tensor
from unroll.trials.trial_feeds import trials

#: The input of an operator that is a weight, where it is known; int8 has columns, which only those of a product are.
_WEIGHTS = {"float16": {"Conv": 1, "Gather": 0, "MatMul": 1}, "int8": {"MatMul": 1}}
_MOST = 127

#: The weights that were narrowed: the input of a node, and the numbers that it has now.
Narrowed = dict[Node, tuple[int, Array]]


def weight_of(node: Node, bits: str) -> int | None:
    """Return which input of a node may be held in `bits`; None where none may."""
    place = _WEIGHTS[bits].get(node.op.name)
    tensor = None if place is None else node.inputs[place]
    fits = (
        tensor is not None
        and tensor.dtype == np.float32
        and (tensor.rank == 2 or (bits == "float16" and tensor.rank > 2))
    )
    return place if fits else None


def narrowed(array: Array, tensor: Tensor, bits: str, node: Node, what: str) -> Held:
    """Return a weight with the numbers that are left of it in fewer bits.

    Args:
        array: its numbers, of float32; of int8 ``(rows, columns)``.
        tensor: whose value it is, where the array does not say it.
        bits: ``"float16"`` or ``"int8"``.
        node: what reads it, for messages.
        what: who asks, for messages.

    Raises:
        UnsupportedError: it holds numbers that these bits have not.
    """
    given = np.asarray(array)
    owner = array.tensor if isinstance(array, Held) else tensor
    if bits == "float16":
        with np.errstate(over="ignore"):
            kept = given.astype(np.float16)
        if np.any(np.isinf(kept) & np.isfinite(given)):
            largest = np.max(np.abs(given), where=np.isfinite(given), initial=0)
            raise UnsupportedError(
                f"{what}: float16: a weight of {node!r} has {largest:g}, and float16 ends at 65504; leave float16 out"
            )
        found = Held.of(kept.astype(np.float32), owner)
        found.bits = np.dtype(np.float16)
        return found
    if not np.all(np.isfinite(given)):
        raise UnsupportedError(
            f"{what}: int8: a weight of {node!r} has NaN or infinity, which int8 has not; leave int8 out"
        )
    scale = (np.max(np.abs(given), axis=0, initial=0) / np.float32(_MOST)).astype(np.float32)
    scale[scale == 0] = 1
    found = Held.of(np.clip(np.rint(given / scale), -_MOST, _MOST).astype(np.float32), owner)
    found.bits, found.scale = np.dtype(np.int8), scale
    return found


def numbers_of(weight: Held) -> Array:
    """Return the numbers that a narrowed weight stands for."""
    plain = np.asarray(weight)
    return plain if weight.scale is None else plain * weight.scale


def lost_by(graph: Graph, dims: Mapping[str, int] | None, settled: Graph, weights: Narrowed) -> float:
    """Return the worst ``|a - b| / max(1, |b|)`` of the outputs, in NumPy, on random feeds, by which fewer bits change them.

    Args:
        graph: the graph.
        dims: numbers for the symbols of its inputs.
        settled: the graph that C was written of.
        weights: those of its nodes that are held in fewer bits.
    """
    outputs = _with_weights(settled.nodes, settled.outputs, weights)
    (trial,) = trials(graph, dims=dims, count=1, rows=1, what="to_c")
    found = evaluate(Structure(settled.inputs, outputs), trial.feeds, tuple(outputs))
    return worst_difference(graph.run(trial.feeds), dict(zip(settled.output_names, found, strict=True)))


def _with_weights(nodes: Sequence[Node], outputs: Sequence[Tensor], weights: Narrowed) -> list[Tensor]:
    """Return outputs computed with other weights."""
    new: dict[Tensor, Tensor] = {}
    for node in nodes:
        op, inputs = node.op, [None if tensor is None else new.get(tensor, tensor) for tensor in node.inputs]
        if isinstance(op, Scan):
            inner = _with_weights(op.body.nodes, op.body.outputs, weights)
            if any(one is not other for one, other in zip(inner, op.body.outputs, strict=True)):
                op = replace(op, body=Structure(op.body.inputs, inner))
        if node in weights:
            place, array = weights[node]
            inputs[place] = Constant(array)
        if op is not node.op or any(one is not other for one, other in zip(inputs, node.inputs, strict=True)):
            new |= zip(node.outputs, made(op, inputs, node.provenance), strict=True)
    return [new.get(tensor, tensor) for tensor in outputs]
