"""Operators that an older opset does not have, or no opset in a form that runtimes take, written as others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from unroll.graph import Graph
from unroll.ops.arithmetic import Add, Div, Mul, Sub
from unroll.ops.functions import Cast, Sqrt
from unroll.ops.normalization import LayerNormalization
from unroll.ops.operator import Operator, axis_of, made
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.reduction import ReduceMean
from unroll.ops.shaping import Transpose
from unroll.passes.tools.rewriting import Rewriting, ints
from unroll.tensor import Constant, Node, Tensor


def in_opset(graph: Graph, opset: int) -> Graph:
    """Return `graph` with every operator that `opset` does not have written out in older ones; its rounding may change.

    Preserves the inputs, the names of all that is kept, and the values of the outputs but for rounding.
    """
    rewriting = Rewriting(graph)

    def write(node: Node) -> None:
        if isinstance(node.op, Recurrent):
            results = _time_first(node, node.op, rewriting.inputs(node))
        else:
            results = [_WRITTEN_OUT[type(node.op)][1](node, rewriting.inputs(node))]
        for old, new in zip(node.outputs, results, strict=True):
            rewriting.stand_in(old, new)

    return rewriting.walk({node for node in graph.nodes if _is_newer(node.op, opset)}, write)


def _is_newer(op: Operator, opset: int) -> bool:
    if isinstance(op, Recurrent):
        return bool(op.layout)
    since, _ = _WRITTEN_OUT.get(type(op), (0, None))
    return since > opset


def _layer_normalization(node: Node, inputs: tuple[Tensor | None, ...]) -> Tensor:
    op, x = node.op, inputs[0]
    if not isinstance(op, LayerNormalization) or x is None:
        raise TypeError(f"{node.op!r} is no LayerNormalization of a tensor")

    def one(kind: Operator, *tensors: Tensor | None) -> Tensor:
        return made(kind, tensors, node.provenance)[0]

    half = x.dtype == np.float16
    wide = one(Cast(np.dtype("float32")), x) if half else x
    axes = ints(*range(axis_of(op.axis, x.rank), x.rank))
    centred = one(Sub(), wide, one(ReduceMean(1), wide, axes))
    variance = one(ReduceMean(1), one(Mul(), centred, centred), axes)
    spread = one(Sqrt(), one(Add(), variance, Constant(np.array(op.epsilon, wide.dtype))))
    result = one(Div(), centred, spread)
    result = one(Mul(), one(Cast(x.dtype), result) if half else result, inputs[1])
    return one(Add(), result, inputs[2]) if len(inputs) > 2 else result


def _time_first(node: Node, op: Recurrent, inputs: tuple[Tensor | None, ...]) -> list[Tensor]:
    """Return the outputs of a recurrent operator whose batch comes first, which onnxruntime has no kernel for."""

    def turned(tensor: Tensor, *order: int) -> Tensor:
        return made(Transpose(order), (tensor,), node.provenance)[0]

    given = [
        turned(tensor, 1, 0, 2) if tensor is not None and slot.name in ("X", "initial_h", "initial_c") else tensor
        for slot, tensor in zip(op.signature.slots, inputs, strict=False)
    ]
    y, *last = made(replace(op, layout=0), given, node.provenance)
    return [turned(y, 2, 0, 1, 3), *(turned(state, 1, 0, 2) for state in last)]


#: By operator: the opset that introduced it, and the function that makes its output from older ones.
_WRITTEN_OUT: dict[type[Operator], tuple[int, Callable[[Node, tuple[Tensor | None, ...]], Tensor]]] = {
    LayerNormalization: (17, _layer_normalization),
}
