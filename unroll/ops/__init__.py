"""The operators, with ONNX's names and semantics, as functions on tensors.

A plain number, list or array among the operands becomes a constant of the tensors' dtype.
"""

from typing import TYPE_CHECKING

from unroll.operation_table import OPERATIONS
from unroll.ops.arithmetic import add, div, mul, pow, sub
from unroll.ops.branches import if_
from unroll.ops.choices import (
    clip,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    where,
)
from unroll.ops.composed import floor_divide as _floor_divide
from unroll.ops.composed import mod as _mod
from unroll.ops.convolution import conv
from unroll.ops.filling import constant_of_shape, shape
from unroll.ops.functions import abs_ as abs
from unroll.ops.functions import (
    cast,
    elu,
    erf,
    exp,
    floor,
    hard_sigmoid,
    identity,
    leaky_relu,
    log,
    neg,
    relu,
    sigmoid,
    sign,
    softplus,
    softsign,
    sqrt,
    tanh,
)
from unroll.ops.indexing import getitem
from unroll.ops.joining import concat, split, stack, unstack
from unroll.ops.linear import gemm, matmul
from unroll.ops.loop import loop, most_iterations
from unroll.ops.normalization import layer_normalization
from unroll.ops.numpy_functions import NUMPYS, numpy_function
from unroll.ops.numpy_ufuncs import numpy_ufunc
from unroll.ops.operator import OPERATORS, Operator, apply, apply_one
from unroll.ops.padding import pad
from unroll.ops.pooling import average_pool, max_pool
from unroll.ops.recurrent import gru, lstm, rnn
from unroll.ops.reduction import argmax, log_softmax, reduce_max, reduce_mean, reduce_min, reduce_sum, softmax
from unroll.ops.reversing import reverse_sequence
from unroll.ops.scan import scan
from unroll.ops.shaping import expand, reshape, squeeze, tile, transpose, unsqueeze
from unroll.ops.slicing import gather, slice_
from unroll.ops.spelling import ELSEWHERE, in_other_words
from unroll.ops.synonyms import expand_dims, ones, range, zeros
from unroll.words import face

__all__ = [
    "OPERATORS",
    "Operator",
    "abs",
    "add",
    "apply",
    "apply_one",
    "argmax",
    "average_pool",
    "cast",
    "clip",
    "concat",
    "constant_of_shape",
    "conv",
    "div",
    "elu",
    "equal",
    "erf",
    "exp",
    "expand",
    "expand_dims",
    "floor",
    "gather",
    "gemm",
    "greater",
    "greater_equal",
    "gru",
    "hard_sigmoid",
    "identity",
    "if_",
    "layer_normalization",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "loop",
    "lstm",
    "matmul",
    "max_pool",
    "maximum",
    "minimum",
    "most_iterations",
    "mul",
    "neg",
    "not_equal",
    "ones",
    "pad",
    "pow",
    "range",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_sum",
    "relu",
    "reshape",
    "reverse_sequence",
    "rnn",
    "scan",
    "shape",
    "sigmoid",
    "sign",
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
    "tile",
    "transpose",
    "unsqueeze",
    "unstack",
    "where",
    "zeros",
]

_FUNCTIONS = {name: globals()[name] for name in __all__ if name.islower()}
# What ``a + b``, ``a[0]`` and ``np.tanh(a)`` call.
OPERATIONS.update(_FUNCTIONS, getitem=getitem, numpy_function=numpy_function, numpy_ufunc=numpy_ufunc)
OPERATIONS.update(floordiv=_floor_divide, mod=_mod)
globals().update({name: in_other_words(function) for name, function in _FUNCTIONS.items()})


#: What is said of functions that are not here.
ADVICE = {**NUMPYS, **ELSEWHERE}

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.ops", __all__, lambda: ADVICE)
