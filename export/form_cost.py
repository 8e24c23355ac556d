"""How long one run of a graph takes in onnxruntime, estimated without running it: what ``form="auto"`` decides by.

The sum over nodes of what starting one costs and of what its arithmetic costs. The constants are fitted to one thread
of a server (AMD EPYC, onnxruntime 1.31; medians of 25 in CPU time; LSTM, GRU and RNN of 13 to 512 units, T = 2 to 500,
batch 1 to 50). It is only meant to tell the forms of one graph apart: a native LSTM or GRU starts one node, not ten a
step; Scan starts as many as a flat graph; the native RNN computes its activation number by number, so that it loses to
a flat graph once the batch is large (1431 against 260 us at T = 28, batch 32, 128 units).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2, prod

from unroll.dimensions import Shape, substitute_shape
from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.recurrent import RNN, Recurrent
from unroll.ops.scan import Scan
from unroll.passes.tools.cost import sizes_of
from unroll.passes.tools.weight_expressions import weight_expressions
from unroll.structure import Structure
from unroll.tensor import Node

#: Seconds to start a node, and how much more for each doubling of a graph beyond 1000 nodes, which leave the caches.
_NODE, _NODE_DOUBLING = 0.3e-6, 0.1e-6
#: Seconds for each element of a node's outputs.
_ELEMENT = 0.25e-9
#: Floating-point operations per second: of a product with one row, more with each further row, and at most.
_RATE, _RATE_ROW, _RATE_MOST = 50e9, 10e9, 200e9
#: Seconds of a native operator: to start, for each step, and for each element of its gates; then for each element in an
#: RNN.
_NATIVE, _NATIVE_STEP, _NATIVE_ELEMENT, _RNN_ELEMENT = 5e-6, 0.2e-6, 1e-9, 9e-9
#: Seconds of a Scan: to start, and for each iteration.
_SCAN, _SCAN_STEP = 14e-6, 0.4e-6


def estimated_seconds(graph: Structure, batch: int = 1, dims: Mapping[str, int] | None = None) -> float:
    """Return about how long onnxruntime takes to run `graph` once, every symbolic dimension taken for `batch` that `dims` does
    not give a size.
    """
    given = dims or {}
    fixed = set(weight_expressions(graph))
    nodes = [node for node in graph.nodes if node not in fixed]
    start = _NODE + _NODE_DOUBLING * log2(max(1.0, len(nodes) / 1000))
    known: dict[Shape, tuple[int, ...]] = {}
    return sum(start + _arithmetic(node, batch, given, known) for node in nodes)


def _arithmetic(node: Node, batch: int, dims: Mapping[str, int], known: dict[Shape, tuple[int, ...]]) -> float:
    def sizes(shape: Shape) -> tuple[int, ...]:
        if shape not in known:
            known[shape] = sizes_of(substitute_shape(shape, dims), batch)
        return known[shape]

    op = node.op
    inputs = [None if tensor is None else sizes(tensor.shape) for tensor in node.inputs]
    outputs = [sizes(tensor.shape) for tensor in node.outputs]
    if isinstance(op, Recurrent):
        return _native(op, inputs[0] or (0, 0, 0))
    if isinstance(op, Scan):
        steps = (inputs[op.num_states] or (0,))[0]
        return _SCAN + steps * (_SCAN_STEP + estimated_seconds(op.body, batch, dims))
    seconds = _ELEMENT * sum(map(prod, outputs))
    if isinstance(op, (MatMul, Gemm, Conv)):
        seconds += op.flops(inputs, outputs) / _rate(prod(outputs[0][:-1]))
    return seconds


def _native(op: Recurrent, sizes: tuple[int, ...]) -> float:
    time, rows, features = sizes
    columns = op.gates * op.hidden_size
    element = _RNN_ELEMENT if isinstance(op, RNN) else _NATIVE_ELEMENT
    products = 2 * rows * columns * (features / _rate(rows * time) + op.hidden_size / _rate(rows))
    return op.directions * (_NATIVE + time * (_NATIVE_STEP + products + element * rows * columns))


def _rate(rows: int) -> float:
    return min(_RATE_MOST, _RATE + _RATE_ROW * rows)
