"""Operators that are made of others, written as those."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unroll.ops.arithmetic import Add, Div, Mul, Sub
from unroll.ops.functions import Exp, Log, Sqrt
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.normalization import LayerNormalization
from unroll.ops.operator import Operator, axis_of
from unroll.ops.reduction import LogSoftmax, ReduceMax, ReduceMean, ReduceSum, Softmax
from unroll.passes.tools.making import Maker
from unroll.passes.tools.rewriting import ints
from unroll.passes.unrolling.flattening import Flattening, Inputs, Writer
from unroll.scopes import Origin
from unroll.tensor import Constant, Node, Tensor

_Made = Callable[[Maker, Operator, Sequence[Tensor]], Tensor]


def _writer(written: _Made) -> Writer:
    def write(
        flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
    ) -> tuple[Sequence[Tensor], int]:
        result = written(Maker(provenance), op, [tensor for tensor in inputs if tensor is not None])
        result.hint = node.outputs[0].hint
        return [result], 1

    return write


def _number(value: float, like: Tensor) -> Constant:
    return Constant(np.array(value, like.dtype))


def _gemm(maker: Maker, op: Operator, given: Sequence[Tensor]) -> Tensor:
    assert isinstance(op, Gemm)
    a, b, *more = given
    a, b = (maker.transpose(x, (1, 0)) if turned else x for x, turned in ((a, op.transA), (b, op.transB)))
    product = maker.one(MatMul(), a, b)
    if op.alpha != 1:
        product = maker.one(Mul(), product, _number(op.alpha, a))
    if not more:
        return product
    return maker.one(Add(), product, maker.one(Mul(), more[0], _number(op.beta, a)) if op.beta != 1 else more[0])


def _softmax(maker: Maker, op: Operator, given: Sequence[Tensor]) -> Tensor:
    assert isinstance(op, Softmax)
    (x,) = given
    axis = ints(axis_of(op.axis, x.rank))
    shifted = maker.one(Sub(), x, maker.one(ReduceMax(1), x, axis))
    powers = maker.one(Exp(), shifted)
    total = maker.one(ReduceSum(1), powers, axis)
    if isinstance(op, LogSoftmax):
        return maker.one(Sub(), shifted, maker.one(Log(), total))
    return maker.one(Div(), powers, total)


def _layer_normalization(maker: Maker, op: Operator, given: Sequence[Tensor]) -> Tensor:
    assert isinstance(op, LayerNormalization)
    x, scale, *bias = given
    axes = ints(*range(axis_of(op.axis, x.rank), x.rank))
    centred = maker.one(Sub(), x, maker.one(ReduceMean(1), x, axes))
    variance = maker.one(ReduceMean(1), maker.one(Mul(), centred, centred), axes)
    spread = maker.one(Sqrt(), maker.one(Add(), variance, _number(op.epsilon, x)))
    result = maker.one(Mul(), maker.one(Div(), centred, spread), scale)
    return maker.one(Add(), result, bias[0]) if bias else result


COMPOSITES: dict[type[Operator], Writer] = {
    Gemm: _writer(_gemm),
    LayerNormalization: _writer(_layer_normalization),
    LogSoftmax: _writer(_softmax),
    Softmax: _writer(_softmax),
}
