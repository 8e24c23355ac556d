"""Operators that walk over an input with a window: convolutions and pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.export.c.expressions import literal, load
from unroll.export.c.lowering import Entry, Lowering, Value
from unroll.export.c.statements import Pooling, Window
from unroll.export.c.types import number
from unroll.export.c.views import shape_of
from unroll.ops.convolution import Conv
from unroll.ops.pooling import AveragePool, Pool
from unroll.tensor import Node


def _conv(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    op, tensor = node.op, node.outputs[0]
    assert isinstance(op, Conv)
    views = [None if value is None else low.view(value).plain() for value in (*given, None)[:3]]
    x, weights, bias = views
    assert x is not None and weights is not None
    depth = max(view.depth for view in views if view is not None)
    out = low.scratch(tensor.label, tensor.dtype, shape_of(tensor), depth, exact=True)
    if out.size:
        low.emit(
            Window(out, x, weights, bias, op.strides, op.pads_of(x.shape[2:]), op.dilations, op.group, tensor.label),
            depth,
        )
    return [load(out)]


def _pool(low: Lowering, node: Node, given: list[Value | None]) -> Sequence[Value]:
    op, tensor = node.op, node.outputs[0]
    assert isinstance(op, Pool)
    x = low.view(given[0]).plain()
    assert x is not None
    mean, shape = isinstance(op, AveragePool), shape_of(tensor)
    if not x.size:  # windows over nothing but what is padded
        return [literal(number(np.nan if mean else -np.inf, tensor.dtype), shape, tensor.dtype)]
    out = low.scratch(tensor.label, tensor.dtype, shape, x.depth, exact=True)
    pads = op.pads_of(x.shape[2:])
    low.emit(Pooling(out, x, op.kernel_shape, op.strides, pads, mean, tensor.label), x.depth)
    return [load(out)]


WINDOWS: dict[str, Entry] = {"AveragePool": _pool, "Conv": _conv, "MaxPool": _pool}
