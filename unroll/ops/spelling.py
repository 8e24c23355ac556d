"""Other frameworks' names for the arguments of the functions here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll.words import spelled

#: TensorFlow's, NumPy's and PyTorch's names for an argument, by ours.
WORDS: dict[str, tuple[str, ...]] = {
    "axis": ("axes", "dim", "dims", "reduction_indices"),
    "perm": ("axes", "axis", "dims"),
    "keepdims": ("keepdim", "keep_dims"),
    "x": ("input", "input_tensor", "value", "tensor", "data", "features", "logits", "a", "t"),
    "a": ("x", "input"),
    "b": ("y", "other", "mat2"),
    "y": ("other", "exponent"),
    "tensors": ("values", "arrays", "inputs"),
    "pieces": ("num_or_size_splits", "num_split", "indices_or_sections", "split_size_or_sections", "chunks", "num"),
    "num": ("num_splits",),
    "shape": ("size", "newshape", "new_shape", "output_shape"),
    "repeats": ("multiples", "reps", "dims"),
    "dtype": ("to",),
    "min": ("clip_value_min", "a_min", "low"),
    "max": ("clip_value_max", "a_max", "high"),
    "lengths": ("seq_lengths", "sequence_lens", "sequence_length"),
    "batch_axis": ("batch_dim",),
    "time_axis": ("seq_axis", "seq_dim"),
    "indices": ("index",),
    "starts": ("begin",),
    "epsilon": ("eps", "variance_epsilon"),
    "scale": ("weight", "gamma"),
    "bias": ("beta", "offset"),
    "kernel": ("weight", "filters", "filter"),
    "strides": ("stride",),
    "dilations": ("dilation", "dilation_rate"),
    "group": ("groups",),
    "alpha": ("negative_slope",),
    "condition": ("mask",),
    "stop": ("limit", "end"),
    "step": ("delta",),
}
ADVICE = {
    "name": "names come from the program: with unroll.scope('name'), and Graph(inputs, {'name': tensor}) for outputs",
    "out": "a tensor is made, never written to",
}


def in_other_words(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of this package be called with `WORDS` for its arguments."""
    return spelled(words=WORDS, advice=ADVICE)(function)


#: Functions of other frameworks that are not here, and what to use.
ELSEWHERE: dict[str, str] = {
    "add_n": "add them up: a + b + c",
    "amax": "it is unroll.ops.reduce_max",
    "amin": "it is unroll.ops.reduce_min",
    "arange": "it is unroll.ops.range",
    "assign": "it is parameter.assign(array), before a run",
    "average": "it is unroll.ops.reduce_mean",
    "bmm": "it is unroll.ops.matmul",
    "broadcast_to": "it is unroll.ops.expand(x, shape)",
    "cat": "it is unroll.ops.concat",
    "chunk": "it is unroll.ops.split(x, pieces, axis)",
    "clamp": "it is unroll.ops.clip",
    "clip_by_value": "it is unroll.ops.clip",
    "concatenate": "it is unroll.ops.concat",
    "constant": "it is unroll.constant",
    "conv1d": "it is unroll.ops.conv, with channels after the batch",
    "conv2d": "it is unroll.ops.conv, with channels after the batch",
    "cond": "both sides are traced: unroll.ops.where(condition, a, b)",
    "convert_to_tensor": "it is unroll.constant",
    "cos": "it is not among the operators; CONTRIBUTING.md shows how one is added",
    "divide": "it is unroll.ops.div, or a / b",
    "dot": "it is unroll.ops.matmul, or a @ b",
    "dropout": "a traced graph infers, where it does nothing: leave it out",
    "dtype": "read tensor.dtype",
    "einsum": "write it with unroll.ops.transpose, reshape and matmul",
    "embedding_lookup": "it is unroll.ops.gather(table, ids)",
    "fill": "it is unroll.ops.constant_of_shape(shape, value)",
    "flatten": "it is unroll.ops.reshape(x, [0, -1])",
    "full": "it is unroll.ops.constant_of_shape(shape, value)",
    "gelu": "it is unroll.activations.gelu",
    "index_select": "it is unroll.ops.gather(x, indices, axis)",
    "linear": "it is x @ w + b, or unroll.ops.gemm(x, w, b, transB=True)",
    "logsumexp": "it is unroll.ops.log(unroll.ops.reduce_sum(unroll.ops.exp(x), axis))",
    "map_fn": "a Python loop is traced: [fn(row) for row in unroll.ops.unstack(x)]",
    "max": "it is unroll.ops.reduce_max along axes, unroll.ops.maximum of two tensors",
    "mean": "it is unroll.ops.reduce_mean",
    "min": "it is unroll.ops.reduce_min along axes, unroll.ops.minimum of two tensors",
    "mm": "it is unroll.ops.matmul",
    "multiply": "it is unroll.ops.mul, or a * b",
    "negative": "it is unroll.ops.neg, or -x",
    "ones_like": "it is unroll.ops.ones(unroll.ops.shape(x), x.dtype)",
    "permute": "it is unroll.ops.transpose(x, perm)",
    "placeholder": "it is unroll.placeholder",
    "power": "it is unroll.ops.pow, or a ** b",
    "rsqrt": "it is 1 / unroll.ops.sqrt(x)",
    "size": "read tensor.shape, or unroll.ops.shape(x) for what a run gives",
    "slice": "it is unroll.ops.slice_, or x[1:3]",
    "square": "it is x * x",
    "subtract": "it is unroll.ops.sub, or a - b",
    "sum": "it is unroll.ops.reduce_sum",
    "swapaxes": "it is unroll.ops.transpose(x, perm)",
    "take": "it is unroll.ops.gather(x, indices, axis)",
    "truediv": "it is unroll.ops.div, or a / b",
    "unbind": "it is unroll.ops.unstack(x, axis)",
    "view": "it is unroll.ops.reshape(x, shape)",
    "while_loop": "a Python loop is traced; unroll.raw_rnn and unroll.ops.scan are loops in the graph",
    "zeros_like": "it is unroll.ops.zeros(unroll.ops.shape(x), x.dtype)",
}
