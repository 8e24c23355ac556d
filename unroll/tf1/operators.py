"""TensorFlow 1's functions of tensors, ``tf.matmul`` and its kin: a table over `unroll.ops` and ``keras.ops``.

A row is TensorFlow's name, what it calls the result, its arguments, and a function of the core's tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from unroll import nest, ops
from unroll.checks import check_flag
from unroll.errors import ArgumentError
from unroll.keras import ops as keras_ops
from unroll.ops.contraction import einsum, tensordot
from unroll.ops.given_sizes import int64, plain_size, sizes_of
from unroll.ops.operator import axes_of
from unroll.ops.tensor_indexing import index_by_tensors
from unroll.tensor import Constant
from unroll.tensor import Tensor as Core
from unroll.tensor import placeholder as core_placeholder
from unroll.tf1.dtypes import as_dtype
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.shapes import TensorShape
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import SIGNS, Tensor, named, operator, tensor_of, unwrap

Row = tuple[str, str, Callable[..., Any]]


@operator("constant", "Const", "value, dtype=None, shape=None, name=None, verify_shape=False")
def constant(value: Any, dtype: Any, shape: Any) -> Core:
    """Return a fixed array as a tensor: Python's floats are float32, its ints int32; a number fills a shape."""
    core = tensor_of(value, dtype)
    if shape is None or not isinstance(core, Constant):
        return core
    sizes = tuple(map(int, unwrap(TensorShape(shape))))
    array = core.value
    return tensor_of(
        np.array(array.reshape(sizes) if array.size == np.prod(sizes) else np.broadcast_to(array.ravel(), sizes))
    )


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None) -> Tensor:
    """Return a value as a tensor; a tensor as it is."""
    return value if isinstance(value, Tensor) else constant(value, dtype, name=name)


@takes("placeholder", "dtype, shape=None, name=None")
def placeholder(dtype: Any, shape: Any, name: str | None) -> Tensor:
    """Return an input of a graph. Without a shape it is a number, such as a rate of dropout."""
    sizes, base = TensorShape(shape), get_default_graph().scoped_name(name or "Placeholder")
    core = core_placeholder([size.core for size in sizes.dims or []], base, as_dtype(dtype).dtype)
    return Tensor(core, f"{base}:0", get_default_graph(), unknown=sizes.dims is None)


# -- what rows are made of --------------------------------------------------------------------------------------------


def _same(x: Any) -> Core:
    """Return a copy under a name of its own."""
    return ops.identity(tensor_of(x))


def _ceil(x: Core) -> Core:
    return -ops.floor(-x) if x.dtype.kind == "f" else x


def _divided(x: Core, y: Core) -> Core:
    return ops.div(*(ops.cast(item, "float64") if item.dtype.kind == "i" else item for item in (x, y)))


def _floordiv(x: Core, y: Core) -> Core:
    return ops.floor(ops.div(x, y)) if x.dtype.kind == "f" else ops.cast(ops.floor(_divided(x, y)), x.dtype)


def pair(x: Any, y: Any) -> tuple[Core, Core]:
    """Return two operands as tensors of one dtype: that of the one that is a tensor."""
    if isinstance(x, Core):
        return x, tensor_of(y, None if isinstance(y, Core) else x.dtype)
    second = tensor_of(y)
    return tensor_of(x, second.dtype if isinstance(y, Core) else None), second


def _prod(x: Core, axis: Any, keepdims: bool) -> Core:
    axes = range(x.rank) if axis is None else axes_of(axis, x.rank, "reduce_prod: axis")
    for place in sorted(axes, reverse=True):
        x = functools.reduce(ops.mul, ops.unstack(x, place))
        x = ops.unsqueeze(x, [place]) if keepdims else x
    return x


def _logsumexp(x: Core, axis: Any, keepdims: bool) -> Core:
    top = ops.reduce_max(x, axis, True)
    found = ops.log(ops.reduce_sum(ops.exp(x - top), axis, True)) + top
    return found if keepdims else ops.squeeze(found, [*range(x.rank)] if axis is None else axis)


def mean(x: Core, axis: Any, keepdims: bool) -> Core:
    """Return the mean over axes; that of integers is one."""
    if x.dtype.kind == "f":
        return ops.reduce_mean(x, axis, keepdims)
    return ops.cast(ops.reduce_mean(ops.cast(x, "float64"), axis, keepdims), x.dtype)


def _reducing(function: Callable[..., Core]) -> Callable[..., Core]:
    def reduce(input_tensor: Any, axis: Any, keepdims: Any, reduction_indices: Any, keep_dims: Any) -> Core:
        along = reduction_indices if axis is None else axis
        along = along.tolist() if isinstance(along, np.ndarray) else along
        return function(tensor_of(input_tensor), along, bool(keepdims or keep_dims))

    return reduce


def _argmax(x: Core, axis: Any, dimension: Any, output_type: Any) -> Core:
    place = dimension if axis is None else axis
    found = ops.argmax(x, 0 if place is None else plain_size(place), False)
    return found if output_type is None else ops.cast(found, output_type)


def _matmul(a: Any, b: Any, transpose_a: bool, transpose_b: bool, adjoint_a: bool, adjoint_b: bool) -> Core:
    def turned(x: Core, is_turned: bool) -> Core:
        return ops.transpose(x, [*range(x.rank - 2), x.rank - 1, x.rank - 2]) if is_turned else x

    one, other = pair(a, b)
    return ops.matmul(turned(one, transpose_a or adjoint_a), turned(other, transpose_b or adjoint_b))


def _size(x: Core, out_type: Any) -> Core:
    sizes = [ops.unsqueeze(ops.shape(x)[at], [0]) for at in range(x.rank)]
    return ops.cast(functools.reduce(ops.mul, sizes, int64(tensor_of([1])))[0], out_type)


def _concat(values: Any, axis: Any) -> Core:
    if isinstance(values, int) and nest.is_nested(axis):  # as before TensorFlow 1.0
        values, axis = axis, values
    return ops.concat(values, plain_size(axis)) if nest.is_nested(values) else tensor_of(values)


def _split(value: Any, num_or_size_splits: Any, axis: Any) -> list[Core]:
    if not isinstance(value, Core) and isinstance(axis, Core):  # split_dim, num_split, value, as before TensorFlow 1.0
        value, axis = axis, value
    x, place = tensor_of(value), plain_size(axis)
    pieces = plain_size(num_or_size_splits)
    if not isinstance(pieces, int):
        pieces = sizes_of(pieces)
        pieces = [int(x.shape[place]) - sum(pieces) - 1 if size == -1 else size for size in pieces]
    return list(ops.split(x, pieces, place))


def _stack(values: Any, axis: Any = 0) -> Core:
    first = next((item.dtype for item in nest.flatten(values) if isinstance(item, Core)), None)
    return ops.stack([tensor_of(item, None if isinstance(item, Core) else first) for item in values], axis)


def _pad(x: Core, paddings: Any, mode: str, constant_values: Any) -> Core:
    if mode.upper() != "CONSTANT":
        raise ArgumentError(f"pad: mode {mode!r}; only CONSTANT is here: join slices with tf.concat")
    return ops.pad(x, np.asarray(paddings).T.ravel().tolist(), constant_values)


def _gather_nd(x: Core, indices: Any) -> Core:
    places = int64(tensor_of(indices))
    sizes = [int(size) for size in x.shape[1 : int(places.shape[-1])]]
    steps = np.array([int(np.prod(sizes[place:])) for place in range(len(sizes) + 1)])
    flat = ops.reshape(x, [-1, *x.shape[len(steps) :]])
    return ops.gather(flat, ops.reduce_sum(places * steps, [-1]), 0)


def _where(condition: Any, x: Any, y: Any) -> Core:
    if x is None or y is None:
        raise ArgumentError("where: x and y must be given: how many places are true only a run knows")
    (one, other), chosen = pair(x, y), tensor_of(condition)
    return ops.where(
        ops.unsqueeze(chosen, [*range(1, one.rank)]) if chosen.rank == 1 < one.rank else chosen, one, other
    )


def _slice(x: Core, begin: Any, size: Any) -> Core:
    sides = (side if nest.is_nested(side) else np.asarray(side) for side in (begin, size))
    starts, sizes = (list(map(plain_size, side)) for side in sides)
    ends = [None if isinstance(n, int) and n == -1 else at + n for at, n in zip(starts, sizes, strict=True)]
    return index_by_tensors(x, tuple(map(slice, starts, ends)))


def _one_hot(indices: Any, depth: Any, on_value: Any, off_value: Any, axis: Any, dtype: Any) -> Core:
    kind = as_dtype("float32" if dtype is None else dtype).dtype
    hot = keras_ops.one_hot(tensor_of(indices), plain_size(depth), -1 if axis is None else axis, "bool")
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    return ops.cast(hot, kind) if (on, off) == (1, 0) else ops.where(hot, tensor_of(on, kind), tensor_of(off, kind))


def _range(start: Any, limit: Any, delta: Any, dtype: Any) -> Core:
    numbers: list[Any] = [plain_size(item) for item in ((0, start, delta) if limit is None else (start, limit, delta))]
    if any(isinstance(item, Core) for item in numbers):
        sizes: list[Any] = [int64(item) if isinstance(item, Core) else item for item in numbers]
        return ops.cast(ops.range(*sizes), dtype or "int32")
    kind = "int32" if all(isinstance(item, int) for item in numbers) else "float32"
    return ops.range(*numbers, dtype=kind if dtype is None else dtype)  # type: ignore[misc]


def _sequence_mask(lengths: Any, maxlen: Any, dtype: Any) -> Core:
    if maxlen is None:
        raise ArgumentError(
            "sequence_mask: give maxlen, such as tf.shape(x)[1]: how long the longest is only a run knows"
        )
    rows = tensor_of(lengths)
    return ops.cast(
        ops.less(ops.cast(_range(maxlen, None, 1, None), rows.dtype), ops.unsqueeze(rows, [rows.rank])), dtype
    )


def _reverse_sequence(x: Core, seq_lengths: Any, seq_axis: Any, batch_axis: Any, seq_dim: Any, batch_dim: Any) -> Core:
    time, batch = seq_dim if seq_axis is None else seq_axis, batch_dim if batch_axis is None else batch_axis
    return ops.reverse_sequence(x, int64(tensor_of(seq_lengths)), time_axis=time, batch_axis=batch or 0)


# -- the table --------------------------------------------------------------------------------------------------------

_UNARY: dict[str, tuple[str, Callable[[Core], Core]]] = {
    "abs": ("Abs", ops.abs), "ceil": ("Ceil", _ceil), "erf": ("Erf", ops.erf), "exp": ("Exp", ops.exp),
    "floor": ("Floor", ops.floor), "identity": ("Identity", _same), "log": ("Log", ops.log),
    "log1p": ("Log1p", keras_ops.log1p), "log_sigmoid": ("LogSigmoid", lambda x: -ops.softplus(-x)),
    "logical_not": ("LogicalNot", ops.logical_not), "negative": ("Neg", ops.neg),
    "reciprocal": ("Reciprocal", keras_ops.reciprocal), "rsqrt": ("Rsqrt", keras_ops.rsqrt),
    "sigmoid": ("Sigmoid", ops.sigmoid), "sign": ("Sign", ops.sign), "sqrt": ("Sqrt", ops.sqrt),
    "square": ("Square", keras_ops.square), "stop_gradient": ("StopGradient", _same), "tanh": ("Tanh", ops.tanh),
}  # fmt: skip
_BINARY: dict[str, tuple[str, Callable[[Core, Core], Core]]] = {
    "add": ("Add", ops.add), "divide": ("truediv", _divided), "equal": ("Equal", ops.equal),
    "floordiv": ("floordiv", _floordiv), "floormod": ("FloorMod", lambda x, y: x - y * _floordiv(x, y)),
    "greater": ("Greater", ops.greater), "greater_equal": ("GreaterEqual", ops.greater_equal),
    "less": ("Less", ops.less), "less_equal": ("LessEqual", ops.less_equal),
    "logical_and": ("LogicalAnd", ops.logical_and), "logical_or": ("LogicalOr", ops.logical_or),
    "logical_xor": ("LogicalXor", ops.not_equal), "maximum": ("Maximum", ops.maximum),
    "minimum": ("Minimum", ops.minimum), "multiply": ("Mul", ops.mul), "not_equal": ("NotEqual", ops.not_equal),
    "pow": ("Pow", ops.pow), "squared_difference": ("SquaredDifference", lambda x, y: keras_ops.square(x - y)),
    "subtract": ("Sub", ops.sub), "truediv": ("truediv", _divided),
}  # fmt: skip
_REDUCING: dict[str, tuple[str, Callable[..., Core]]] = {
    "reduce_all": ("All", keras_ops.all), "reduce_any": ("Any", keras_ops.any),
    "reduce_logsumexp": ("ReduceLogSumExp", _logsumexp), "reduce_max": ("Max", ops.reduce_max), "reduce_mean": ("Mean", mean),
    "reduce_min": ("Min", ops.reduce_min), "reduce_prod": ("Prod", _prod), "reduce_sum": ("Sum", ops.reduce_sum),
}  # fmt: skip
_AXES = "input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None"
#: Of one tensor, the first argument, and more.
_OF_ONE: dict[str, Row] = {
    "argmax": ("ArgMax", "input, axis=None, name=None, dimension=None, output_type=None", _argmax),
    "argmin": ("ArgMin", "input, axis=None, name=None, dimension=None, output_type=None",
               lambda x, axis, dimension, output_type: _argmax(-x, axis, dimension, output_type)),
    "broadcast_to": ("BroadcastTo", "input, shape, name=None", lambda x, shape: ops.expand(x, sizes_of(shape))),
    "cast": ("Cast", "x, dtype, name=None", lambda x, dtype: ops.cast(x, as_dtype(dtype).dtype)),
    "clip_by_value": ("clip_by_value", "t, clip_value_min, clip_value_max, name=None",
                      lambda x, clip_value_min, clip_value_max: ops.clip(x, clip_value_min, clip_value_max)),
    "expand_dims": ("ExpandDims", "input, axis=None, name=None, dim=None",
                    lambda x, axis, dim: ops.unsqueeze(x, plain_size(dim if axis is None else axis))),
    "gather": ("GatherV2", "params, indices, validate_indices=None, name=None, axis=None, batch_dims=0",
               lambda x, indices, axis: ops.gather(x, tensor_of(indices), axis or 0)),
    "gather_nd": ("GatherNd", "params, indices, name=None", _gather_nd),
    "getitem": ("strided_slice", "x, index, name=None", index_by_tensors),
    "ones_like": ("ones_like", "tensor, dtype=None, name=None, optimize=True", keras_ops.ones_like),
    "pad": ("Pad", "tensor, paddings, mode='CONSTANT', name=None, constant_values=0", _pad),
    "placeholder_with_default": ("PlaceholderWithDefault", "input, shape, name=None", ops.identity),
    "rank": ("Rank", "input, name=None", lambda x: tensor_of(x.rank)),
    "reshape": ("Reshape", "tensor, shape, name=None", lambda x, shape: ops.reshape(x, sizes_of(shape))),
    "reverse": ("ReverseV2", "tensor, axis, name=None", lambda x, axis: keras_ops.flip(x, axis)),
    "reverse_sequence": ("ReverseSequence", "input, seq_lengths, seq_axis=None, batch_axis=None, name=None, seq_dim=None, "
                         "batch_dim=None", _reverse_sequence),
    "shape": ("Shape", "input, name=None, out_type='int32'", lambda x, out_type: ops.cast(ops.shape(x), out_type)),
    "size": ("Size", "input, name=None, out_type='int32'", _size),
    "slice": ("Slice", "input_, begin, size, name=None", _slice),
    "squeeze": ("Squeeze", "input, axis=None, name=None, squeeze_dims=None",
                lambda x, axis, squeeze_dims: ops.squeeze(x, squeeze_dims if axis is None else axis)),
    "tile": ("Tile", "input, multiples, name=None", lambda x, multiples: ops.tile(x, sizes_of(multiples))),
    "to_double": ("ToDouble", "x, name=None", lambda x: ops.cast(x, "float64")),
    "to_float": ("ToFloat", "x, name=None", lambda x: ops.cast(x, "float32")),
    "to_int32": ("ToInt32", "x, name=None", lambda x: ops.cast(x, "int32")),
    "to_int64": ("ToInt64", "x, name=None", lambda x: ops.cast(x, "int64")),
    "transpose": ("transpose", "a, perm=None, name=None, conjugate=False", lambda x, perm: ops.transpose(x, perm)),
    "unstack": ("unstack", "value, num=None, axis=0, name=None", lambda x, num, axis: ops.unstack(x, axis, num=num)),
    "zeros_like": ("zeros_like", "tensor, dtype=None, name=None, optimize=True", keras_ops.zeros_like),
}  # fmt: skip
_OTHERS: dict[str, Row] = {
    "add_n": ("AddN", "inputs, name=None", lambda inputs: functools.reduce(ops.add, map(tensor_of, inputs))),
    "concat": ("concat", "values, axis, name=None", _concat),
    "cond_where": ("cond/Merge", "pred, x, y, name=None", ops.where),
    "fill": ("Fill", "dims, value, name=None", lambda dims, value: ops.expand(tensor_of(value), sizes_of(dims))),
    "linspace": ("LinSpace", "start, stop, num, name=None",
                 lambda start, stop, num: tensor_of(np.linspace(start, stop, num, dtype="f4"))),
    "matmul": ("MatMul", "a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False, "
               "b_is_sparse=False, name=None", _matmul),
    "one_hot": ("one_hot", "indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None", _one_hot),
    "ones": ("ones", "shape, dtype='float32', name=None", lambda shape, dtype: ops.ones(sizes_of(shape), as_dtype(dtype))),
    "range": ("range", "start, limit=None, delta=1, dtype=None, name=None", _range),
    "sequence_mask": ("SequenceMask/Less", "lengths, maxlen=None, dtype='bool', name=None", _sequence_mask),
    "split": ("split", "value, num_or_size_splits, axis=0, num=None, name=None", _split),
    "stack": ("stack", "values, axis=0, name=None", _stack),
    "tensordot": ("Tensordot", "a, b, axes, name=None", lambda a, b, axes: tensordot(*pair(a, b), axes)),
    "where": ("Select", "condition, x=None, y=None, name=None", _where),
    "zeros": ("zeros", "shape, dtype='float32', name=None", lambda shape, dtype: ops.zeros(sizes_of(shape), as_dtype(dtype))),
}  # fmt: skip
#: Other names of functions here, some of versions before 1.0.
_ALSO = {
    "batch_matmul": "matmul", "div": "truediv", "mod": "floormod", "mul": "multiply", "neg": "negative", "pack": "stack",
    "sub": "subtract", "unpack": "unstack",
}  # fmt: skip
#: Python's signs, by the core's names: what TensorFlow calls the results.
_SIGNS = {
    "add": ("add", "add"), "sub": ("sub", "subtract"), "mul": ("mul", "multiply"), "div": ("truediv", "truediv"),
    "pow": ("pow", "pow"), "logical_and": ("and", "logical_and"), "logical_or": ("or", "logical_or"),
    "floordiv": ("floordiv", "floordiv"), "mod": ("mod", "floormod"), "less": ("Less", "less"),
    "less_equal": ("LessEqual", "less_equal"), "greater": ("Greater", "greater"),
    "greater_equal": ("GreaterEqual", "greater_equal"),
}  # fmt: skip


def _of_two(function: Callable[[Core, Core], Core]) -> Callable[..., Core]:
    return lambda x, y: function(*pair(x, y))


def _of_one(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(x: Any, **more: Any) -> Any:
        return function(tensor_of(x), **more)

    return call


def table_of(rows: dict[str, Row]) -> dict[str, Callable[..., Any]]:
    """Return functions by name."""
    return {name: operator(name, result, arguments)(body) for name, (result, arguments, body) in rows.items()}


TABLE = table_of({
    **{name: (result, "x, name=None", _of_one(body)) for name, (result, body) in _UNARY.items()},
    **{name: (result, "x, y, name=None", _of_two(body)) for name, (result, body) in _BINARY.items()},
    **{name: (result, _AXES, _reducing(body)) for name, (result, body) in _REDUCING.items()},
    **{name: (result, arguments, _of_one(body)) for name, (result, arguments, body) in _OF_ONE.items()},
    **_OTHERS,
})  # fmt: skip
TABLE |= {name: TABLE[other] for name, other in _ALSO.items()}
cond_where, getitem = TABLE.pop("cond_where"), TABLE.pop("getitem")
SIGNS |= table_of(
    {sign: (result, "x, y, name=None", _of_two(_BINARY[name][1])) for sign, (result, name) in _SIGNS.items()}
)
SIGNS |= {
    "neg": TABLE["neg"],
    "abs": TABLE["abs"],
    "logical_not": TABLE["logical_not"],
    "getitem": getitem,
    "stack": _stack,
}
SIGNS |= table_of({"matmul": ("matmul", *_OTHERS["matmul"][1:])})


@functools.wraps(einsum)
def _einsum(equation: str, *inputs: Any, name: str | None = None) -> Any:
    found = unwrap([tensor_of(item) for item in inputs])
    return named(einsum(equation, *found), f"{get_default_graph().scoped_name(name or 'einsum')}/Einsum")


TABLE["einsum"] = _einsum

# -- what calls functions of the program ------------------------------------------------------------------------------


@takes("cond", "pred, true_fn=None, false_fn=None, strict=False, name=None, fn1=None, fn2=None")
def cond(pred: Any, true_fn: Any, false_fn: Any, fn1: Any, fn2: Any) -> Any:
    """Return what one of two functions gives: of a `pred` that is known that one is called, else both are, and chosen from.

    Raises:
        ArgumentError: a function is missing.
    """
    yes, no, core = (true_fn or fn1), (false_fn or fn2), unwrap(pred)
    if yes is None or no is None:
        raise ArgumentError("cond: true_fn and false_fn are functions without arguments, and both are wanted")
    if isinstance(core, Constant) or not isinstance(core, Core):
        value = core.value.item() if isinstance(core, Constant) and core.value.size == 1 else core
        return (yes if check_flag(value, "cond: pred") else no)()
    results = [nest.map_leaves(convert_to_tensor, function()) for function in (yes, no)]
    return nest.map_leaves(lambda one, other: cond_where(pred, one, other), *results)


def _stepped(fn: Callable[..., Any], elems: Any, first: Any, is_alone: bool) -> Any:
    """Return what a function makes of each slice along axis 0, and unless it `is_alone` of what it made before, stacked."""
    rows = zip(*(TABLE["unstack"](item) for item in nest.flatten(elems)), strict=True)
    made: list[Any] = [] if first is None else [first]
    for row in rows:
        step = nest.pack(elems, list(row))
        made.append(fn(step) if is_alone else fn(made[-1], step) if made else step)
    kept = made if first is None else made[1:]
    if not kept:
        raise ArgumentError("map_fn and scan: elems has no slices along axis 0")
    return nest.map_leaves(lambda *items: TABLE["stack"](list(items)), *kept)


_UNUSED = "parallel_iterations=10, back_prop=True, swap_memory=False, infer_shape=True"


@takes("scan", f"fn, elems, initializer=None, {_UNUSED}, reverse=False, name=None")
def scan(fn: Any, elems: Any, initializer: Any) -> Any:
    """Return what a function makes, step by step, of what it made and the next slice along axis 0, stacked."""
    return _stepped(fn, elems, initializer, False)


@takes("map_fn", f"fn, elems, dtype=None, {_UNUSED}, name=None")
def map_fn(fn: Any, elems: Any) -> Any:
    """Return what a function makes of each slice along axis 0, whose size must be known, stacked."""
    return _stepped(fn, elems, None, True)
