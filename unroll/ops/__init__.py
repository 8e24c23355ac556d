"""The operators, with ONNX's names and semantics, as functions on tensors.

A plain number, list or array among the operands becomes a constant of the tensors' dtype.
"""

from unroll.ops.arithmetic import add, div, mul, pow, sub
from unroll.ops.base import OPERATORS, Operator, apply, apply_one
from unroll.ops.choices import clip, equal, greater, less, logical_and, logical_not, where
from unroll.ops.filling import constant_of_shape, shape
from unroll.ops.functions import abs_ as abs
from unroll.ops.functions import (
    cast,
    elu,
    exp,
    hard_sigmoid,
    identity,
    leaky_relu,
    log,
    neg,
    relu,
    sigmoid,
    softplus,
    softsign,
    sqrt,
    tanh,
)
from unroll.ops.joining import concat, split, stack, unstack
from unroll.ops.linear import gemm, matmul
from unroll.ops.reduction import log_softmax, reduce_max, reduce_mean, reduce_sum, softmax
from unroll.ops.shaping import expand, reshape, squeeze, transpose, unsqueeze
from unroll.ops.slicing import gather, slice_

__all__ = [
    "OPERATORS",
    "Operator",
    "abs",
    "add",
    "apply",
    "apply_one",
    "cast",
    "clip",
    "concat",
    "constant_of_shape",
    "div",
    "elu",
    "equal",
    "exp",
    "expand",
    "gather",
    "gemm",
    "greater",
    "hard_sigmoid",
    "identity",
    "leaky_relu",
    "less",
    "log",
    "log_softmax",
    "logical_and",
    "logical_not",
    "matmul",
    "mul",
    "neg",
    "pow",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "relu",
    "reshape",
    "shape",
    "sigmoid",
    "slice_",
    "softmax",
    "softplus",
    "softsign",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "sub",
    "tanh",
    "transpose",
    "unsqueeze",
    "unstack",
    "where",
]
