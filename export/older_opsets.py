"""Operators that an older opset does not have, written as the operators that they are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unroll.graph import Graph
from unroll.ops.arithmetic import Add, Div, Mul, Sub
from unroll.ops.functions import Cast, Sqrt
from unroll.ops.normalization import LayerNormalization
from unroll.ops.operator import Operator, axis_of, made
from unroll.ops.reduction import ReduceMean
from unroll.passes.tools.rewriting import Rewriting, ints
from unroll.tensor import Constant, Node, Tensor


def in_opset(graph: Graph, opset: int) -> Graph:
    """Return `graph` with every operator that `opset` does not have written out in older ones; its rounding may change.

    Preserves the inputs, the names of all that is kept, and the values of the outputs but for rounding.
    """
    rewriting = Rewriting(graph)

    def write(node: Node) -> None:
        rewriting.stand_in(node.outputs[0], _WRITTEN_OUT[type(node.op)][1](node, rewriting.inputs(node)))

    return rewriting.walk({node for node in graph.nodes if _is_newer(node.op, opset)}, write)


def _is_newer(op: Operator, opset: int) -> bool:
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


#: By operator: the opset that introduced it, and the function that makes its output from older ones.
_WRITTEN_OUT: dict[type[Operator], tuple[int, Callable[[Node, tuple[Tensor | None, ...]], Tensor]]] = {
    LayerNormalization: (17, _layer_normalization),
}
