"""One-node programs for every operator, each written twice: with unroll, and as the node that ONNX's own names give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from helpers import Array
from onnx import helper, numpy_helper

import unroll
from unroll import ops

FLOATS = ("float16", "float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ALL = (*NUMBERS, "bool")

#: The dtypes of each operator's first input, from the ONNX specification (less those that tensors here cannot have).
DTYPES: dict[str, tuple[str, ...]] = (
    dict.fromkeys(
        ("Add", "Sub", "Mul", "Div", "Neg", "Abs", "Pow", "MatMul", "Gemm", "Clip", "Less", "Greater"), NUMBERS
    )
    | dict.fromkeys(("Max", "Min", "Sign", "ArgMax", "LessOrEqual", "GreaterOrEqual"), NUMBERS)
    | dict.fromkeys(("Erf", "Floor", "Conv"), FLOATS)
    | dict.fromkeys(("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"), NUMBERS)
    | dict.fromkeys(("Sqrt", "Exp", "Log", "Tanh", "Sigmoid", "Softplus", "Softsign", "Elu", "LeakyRelu"), FLOATS)
    | dict.fromkeys(("Relu", "HardSigmoid", "Softmax", "LogSoftmax", "LayerNormalization"), FLOATS)
    | dict.fromkeys(("Not", "And", "Or", "Where"), ("bool",))
    | dict.fromkeys(("Concat", "Split", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Gather"), ALL)
    | dict.fromkeys(("Expand", "Shape", "Cast", "Identity", "Equal", "Tile", "ReverseSequence"), ALL)
    | {"ConstantOfShape": ("int64",)}
    | dict.fromkeys(("RNN", "GRU", "LSTM"), FLOATS)
    | {"Scan": ALL}
)
UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": ops.neg,
    "Abs": ops.abs,
    "Sqrt": ops.sqrt,
    "Exp": ops.exp,
    "Log": ops.log,
    "Tanh": ops.tanh,
    "Sigmoid": ops.sigmoid,
    "Relu": ops.relu,
    "Softplus": ops.softplus,
    "Softsign": ops.softsign,
    "Not": ops.logical_not,
    "Identity": ops.identity,
    "Shape": ops.shape,
    "Elu": ops.elu,
    "LeakyRelu": ops.leaky_relu,
    "HardSigmoid": ops.hard_sigmoid,
    "Erf": ops.erf,
    "Floor": ops.floor,
    "Sign": ops.sign,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": ops.add,
    "Sub": ops.sub,
    "Mul": ops.mul,
    "Div": ops.div,
    "Equal": ops.equal,
    "Less": ops.less,
    "Greater": ops.greater,
    "And": ops.logical_and,
    "Or": ops.logical_or,
    "LessOrEqual": ops.less_equal,
    "GreaterOrEqual": ops.greater_equal,
    "Max": ops.maximum,
    "Min": ops.minimum,
}
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceSum": ops.reduce_sum,
    "ReduceMean": ops.reduce_mean,
    "ReduceMax": ops.reduce_max,
    "ReduceMin": ops.reduce_min,
}
SHAPES = ((), (3,), (2, 3), (2, 1, 3), (2, 3, 1, 2))
PAIRS = (((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((2, 1, 1, 3), (1, 2, 2, 1)))


class Case(NamedTuple):
    """An operator applied once."""

    op: str
    call: Callable[..., Any]  #: takes the tensors of `arrays`; returns a tensor or a tuple of them
    arrays: Sequence[Array]  #: fed both to unroll and to ONNX
    attributes: dict[str, Any] = {}  # noqa: RUF012 (read only) #: of the ONNX node
    extra: Sequence[Any] = ()  #: further inputs of the ONNX node alone, None for one left out

    @property
    def id(self) -> str:
        shapes = "x".join(str(list(array.shape)).replace(" ", "") for array in self.arrays)
        more = ",".join(
            f"{key}={value}"
            for key, value in self.attributes.items()
            if not isinstance(value, (onnx.TensorProto, onnx.GraphProto))
        )
        tail = ",".join("-" if item is None else str(np.asarray(item).tolist()) for item in self.extra)
        return "-".join(filter(None, [self.op, shapes, more, tail])).replace(" ", "")


def model_of(
    op: str, inputs: Sequence[Any], attributes: dict[str, Any], outputs: int
) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """A model of one node (opset 21: axes are inputs), and what to feed it."""
    names = ["" if array is None else f"in{place}" for place, array in enumerate(inputs)]
    feeds = {name: np.asarray(array) for name, array in zip(names, inputs, strict=True) if array is not None}
    node = helper.make_node(op, names, [f"out{place}" for place in range(outputs)], **attributes)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in feeds.items()
    ]
    results = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "one", infos, results)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), feeds


def draw(rng: np.random.Generator, dtype: str, shape: tuple[int, ...], low: float = -3.0) -> Array:
    """Small numbers from `low` to 3 (an integer 0 only where `low` allows it), or booleans."""
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.startswith("int"):
        return np.asarray(rng.integers(int(np.ceil(low)), 4, shape)).astype(dtype)
    return np.asarray(rng.uniform(low, 3.0, shape)).astype(dtype)


def elementwise(op: str, x: Callable[..., Array]) -> Iterator[Case]:
    if op in UNARY:
        # onnx's evaluator fails on a Softsign of rank 0; its value is checked by hand.
        for shape in SHAPES[1:] if op == "Softsign" else SHAPES:
            yield Case(op, UNARY[op], [x(shape, low=0.5) if op in ("Sqrt", "Log") else x(shape)])
    for alpha in {"Elu": (0.5, 2.0), "LeakyRelu": (0.2, 0.0)}.get(op, ()):
        yield Case(op, lambda t, alpha=alpha: UNARY[op](t, alpha=alpha), [x((2, 3))], {"alpha": alpha})
    if op == "HardSigmoid":
        yield Case(op, lambda t: ops.hard_sigmoid(t, 1 / 6, 0.25), [x((3, 4))], {"alpha": 1 / 6, "beta": 0.25})
    if op in BINARY:
        for left, right in (*PAIRS, *(pair[::-1] for pair in PAIRS)):
            yield Case(op, BINARY[op], [x(left), x(right, low=1) if op == "Div" else x(right)])
    if op == "Pow":
        for left, right in PAIRS:
            yield Case(op, ops.pow, [x(left, low=0.5), x(right, low=0)])
        yield Case(op, lambda t: t**2, [x((2, 3))], {}, [np.asarray(2, x(()).dtype)])
    if op == "Clip":
        kind = x(()).dtype
        yield Case(op, lambda t: ops.clip(t, -1, 2), [x((3, 4))], {}, [kind.type(-1), kind.type(2)])
        yield Case(op, lambda t: ops.clip(t, max=1), [x((3, 4))], {}, [None, kind.type(1)])
        yield Case(op, lambda t: ops.clip(t, min=0), [x((2, 1, 3))], {}, [kind.type(0)])
        yield Case(op, lambda t: ops.clip(t, 2, -1), [x((3, 4))], {}, [kind.type(2), kind.type(-1)])
    if op == "Where":
        for shape in ((2, 3), (3,), (2, 1), ()):
            for kind in ALL:
                y = draw(np.random.default_rng(7), kind, (4, 2, 1)), draw(np.random.default_rng(8), kind, (1, 3))
                yield Case(op, ops.where, [x(shape), *y])
    if op == "Cast":
        for to in ALL:
            number = helper.np_dtype_to_tensor_dtype(np.dtype(to))
            yield Case(op, lambda t, to=to: ops.cast(t, to), [x((2, 3))], {"to": number})
            yield Case(op, lambda t, to=to: ops.cast(t, to), [x(())], {"to": number})


def arithmetic(op: str, x: Callable[..., Array]) -> Iterator[Case]:
    if op == "MatMul":
        for left, right in (((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4))):
            yield Case(op, ops.matmul, [x(left), x(right)])
        yield Case(op, ops.matmul, [x((5, 1, 2, 3)), x((2, 3, 1))])
    if op == "Gemm":
        yield Case(op, ops.gemm, [x((2, 3)), x((3, 4))])
        for c in ((4,), (2, 4), (2, 1), (), (1, 4)):
            yield Case(op, ops.gemm, [x((2, 3)), x((3, 4)), x(c)])
        # Integers are not scaled: what half of one would be, ONNX leaves open.
        floating = x(()).dtype.kind == "f"
        flags = {"transA": 1, "transB": 1} | ({"alpha": 2.0, "beta": 3.0} if floating else {})
        yield Case(op, lambda a, b, c: ops.gemm(a, b, c, **flags), [x((3, 2)), x((4, 3)), x((4,))], flags)
        if floating:
            yield Case(op, lambda a, b: ops.gemm(a, b, alpha=0.5), [x((2, 3)), x((3, 4))], {"alpha": 0.5})
    if op == "Conv":
        yield from convolutions(x)
    if op == "ArgMax":
        for axis in (0, 1, -1):
            for keep in (0, 1):
                call = lambda t, axis=axis, keep=keep: ops.argmax(t, axis, keepdims=bool(keep))  # noqa: E731
                yield Case(op, call, [x((2, 3, 4))], {"axis": axis, "keepdims": keep})
    if op in REDUCTIONS:
        reduce = REDUCTIONS[op]
        for shape in SHAPES:
            yield Case(op, reduce, [x(shape)], {"keepdims": 0})
        for axes in ([0], [-1], [1, -1], [0, 1, 2]):
            for keep in (0, 1):
                call = lambda t, axes=axes, keep=keep: reduce(t, axes, keepdims=bool(keep))  # noqa: E731
                yield Case(op, call, [x((2, 3, 4))], {"keepdims": keep}, [np.array(axes)])
    if op in ("Softmax", "LogSoftmax"):
        function = ops.softmax if op == "Softmax" else ops.log_softmax
        for shape in SHAPES[1:]:
            for axis in range(-len(shape), len(shape)):
                yield Case(op, lambda t, axis=axis: function(t, axis), [x(shape)], {"axis": axis})
    if op == "LayerNormalization":
        for shape, axis in (((2, 3), -1), ((2, 3), 1), ((2, 3, 4), 2), ((2, 3, 4), -2), ((4,), 0)):
            arrays = [x(shape), x(shape[axis:]), x(shape[axis:])]
            call = lambda *t, axis=axis: ops.layer_normalization(*t, axis=axis)  # noqa: E731
            yield Case(op, call, arrays, {"axis": axis})
            yield Case(op, call, arrays[:2], {"axis": axis})
        call = lambda *t: ops.layer_normalization(*t, epsilon=0.5)  # noqa: E731
        yield Case(op, call, [x((3, 5)), x((5,)), x((5,))], {"epsilon": 0.5})


#: x, kernel, bias, what unroll is told, and what ONNX calls it.
CONVOLUTIONS: tuple[tuple[Any, ...], ...] = (
    ((2, 3, 5), (4, 3, 2), None, {}, {}),
    ((2, 3, 5), (4, 3, 3), (4,), {"padding": "same"}, {"auto_pad": "SAME_UPPER"}),
    ((1, 2, 4, 5), (3, 2, 2, 3), (3,), {"padding": "same"}, {"auto_pad": "SAME_UPPER"}),
    (
        (1, 2, 6, 7),
        (3, 2, 3, 2),
        None,
        {"strides": 2, "padding": "same"},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ),
    ((2, 2, 6, 5), (3, 2, 2, 2), (3,), {"strides": (1, 2)}, {"strides": [1, 2]}),
    ((2, 2, 6, 5), (3, 2, 2, 2), None, {"dilations": (2, 1)}, {"dilations": [2, 1]}),
    ((1, 4, 5, 5), (6, 2, 3, 3), (6,), {"group": 2}, {"group": 2}),
    ((1, 1, 3, 4, 3), (2, 1, 2, 2, 2), None, {}, {}),
)


def convolutions(x: Callable[..., Array]) -> Iterator[Case]:
    for data, kernel, bias, options, attributes in CONVOLUTIONS:
        arrays = [x(data), x(kernel), *([x(bias)] if bias else [])]
        yield Case("Conv", lambda *t, options=options: ops.conv(*t, **options), arrays, attributes)


def structure(op: str, x: Callable[..., Array]) -> Iterator[Case]:
    if op == "Concat":
        yield Case(op, lambda a: ops.concat([a], 0), [x((3,))], {"axis": 0})
        yield Case(op, lambda a, b: ops.concat([a, b], 0), [x((2,)), x((3,))], {"axis": 0})
        yield Case(op, lambda *t: ops.concat(t, -1), [x((2, 3)), x((2, 1)), x((2, 4))], {"axis": -1})
        yield Case(op, lambda *t: ops.concat(t, 1), [x((2, 1, 3, 2)), x((2, 2, 3, 2))], {"axis": 1})
    if op == "Split":
        yield Case(op, lambda t: ops.split(t, 3), [x((6,))], {"axis": 0, "num_outputs": 3})
        yield Case(op, lambda t: ops.split(t, 2, -1), [x((2, 3, 4))], {"axis": -1, "num_outputs": 2})
        yield Case(op, lambda t: ops.split(t, [1, 0, 3], 1), [x((2, 4))], {"axis": 1}, [np.array([1, 0, 3])])
        yield Case(op, lambda t: ops.split(t, [2, 2], -2), [x((4, 3))], {"axis": -2}, [np.array([2, 2])])
    if op == "Slice":
        for starts, ends, axes, steps in SLICES:
            call = lambda t, s=starts, e=ends, a=axes, b=steps: ops.slice_(t, s, e, a, b)  # noqa: E731
            extra = [None if item is None else np.array(item) for item in (starts, ends, axes, steps)]
            yield Case(op, call, [x((5, 4))], {}, extra)
    if op == "Reshape":
        for before, after in (((2, 6), [3, 4]), ((2, 6), [-1]), ((2, 3, 4), [0, -1]), ((6,), [2, -1, 1]), ((1,), [])):
            yield Case(op, lambda t, to=after: ops.reshape(t, to), [x(before)], {}, [np.array(after, np.int64)])
        yield Case(op, lambda t: ops.reshape(t, [-1, 0]), [x((4, 2))], {}, [np.array([-1, 0])])
    if op == "Transpose":
        for shape in SHAPES:
            # ONNX's perm is the reversed order by default; an empty one cannot be written with helper.make_node.
            yield Case(op, ops.transpose, [x(shape)], {"perm": list(range(len(shape)))[::-1]} if shape else {})
        yield Case(op, lambda t: ops.transpose(t, [1, -1, 0]), [x((2, 3, 4))], {"perm": [1, 2, 0]})
    if op == "Squeeze":
        yield Case(op, ops.squeeze, [x((1, 3, 1))])
        yield Case(op, lambda t: ops.squeeze(t, [0]), [x((1, 3, 1))], {}, [np.array([0])])
        yield Case(op, lambda t: ops.squeeze(t, [-1, 0]), [x((1, 3, 1))], {}, [np.array([-1, 0])])
        yield Case(op, lambda t: ops.squeeze(t, [0]), [x((1,))], {}, [np.array([0])])
    if op == "Unsqueeze":
        for shape, axes in (((), [0]), ((3,), [0]), ((3,), [-1]), ((2, 3), [0, 3]), ((2, 3), [-1, 1]), ((2,), [2, 0])):
            yield Case(op, lambda t, axes=axes: ops.unsqueeze(t, axes), [x(shape)], {}, [np.array(axes)])
    if op == "Gather":
        for axis, where in ((0, [2, 0, -1]), (1, [[0, 1], [-1, -4]]), (-1, -2), (0, [])):
            index = np.array(where, np.int64)
            yield Case(op, lambda t, a=axis, i=index: ops.gather(t, i, a), [x((3, 4))], {"axis": axis}, [index])
        yield Case(op, lambda t, i: ops.gather(t, i, 1), [x((2, 3, 2)), np.array([[1, -1]], np.int32)], {"axis": 1})
    if op == "Expand":
        for shape, to in (((), [2, 3]), ((3,), [2, 3]), ((2, 1), [2, 4]), ((3, 1), [2, 1, 5]), ((2, 3), [1])):
            yield Case(op, lambda t, to=to: ops.expand(t, to), [x(shape)], {}, [np.array(to)])
    if op == "Tile":
        for shape, times in (((3,), [2]), ((2, 3), [1, 4]), ((2, 1, 3), [3, 2, 1]), ((2, 3), [2, 0]), ((3, 1), [1, 1])):
            yield Case(op, lambda t, times=times: ops.tile(t, times), [x(shape)], {}, [np.array(times, np.int64)])
    if op == "ReverseSequence":
        for shape, batch, lens in (
            ((4, 3), 1, [1, 4, 2]),
            ((3, 4), 0, [4, 1, 3]),
            ((3, 2, 2), 1, [3, 2]),
            ((1, 2), 1, [1, 1]),
        ):
            axes = {"batch_axis": batch, "time_axis": 1 - batch}
            call = lambda t, n, axes=axes: ops.reverse_sequence(t, n, **axes)  # noqa: E731
            yield Case(op, call, [x(shape), np.array(lens, np.int64)], axes)
    if op == "ConstantOfShape":
        for kind, value in (
            ("float32", 0.0),
            ("float16", 2.5),
            ("float64", -1.0),
            ("int32", 3),
            ("int64", -2),
            ("bool", True),
        ):
            for shape in ([2, 3], [], [0], [4]):
                filled = numpy_helper.from_array(np.array([value], kind))
                call = lambda v=value, s=shape, k=kind: ops.constant_of_shape(s, v, k)  # noqa: E731
                yield Case(op, call, [], {"value": filled}, [np.array(shape, np.int64)])


def recurrent(op: str, x: Callable[..., Array]) -> Iterator[Case]:
    """Loops over time. Only what onnx's evaluator knows: forward, without lengths, with the operator's own
    activations; all the rest is held against onnxruntime in test_recurrent_operators.py.
    """
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}.get(op, 0)
    for time, batch, features, hidden in ((3, 2, 2, 3), (1, 1, 3, 2)) if gates else ():
        w, r = x((1, gates * hidden, features)) / 3, x((1, gates * hidden, hidden)) / 3
        arrays = [x((time, batch, features)), w.astype(r.dtype), r, x((1, 2 * gates * hidden))]
        first = [x((1, batch, hidden)) for _ in range(2 if op == "LSTM" else 1)]
        call = {"RNN": ops.rnn, "GRU": ops.gru, "LSTM": ops.lstm}[op]
        size = {"hidden_size": hidden}
        yield Case(op, lambda *t, call=call, size=size: call(*t, **size), arrays[:3], size)
        yield Case(op, lambda *t, call=call, size=size: call(*t, **size), arrays, size)
        more = [None, *first]
        yield Case(op, lambda *t, call=call, size=size, more=more: call(*t, *more, **size), arrays, size, more)
        if op == "GRU":
            after = size | {"linear_before_reset": 1}
            yield Case(op, lambda *t, call=call, size=after: call(*t, **size), arrays, after)
        if op == "LSTM":
            more = [None, *first, x((1, 3 * hidden))]
            yield Case(op, lambda *t, call=call, size=size, more=more: call(*t, *more, **size), arrays, size, more)
    for time in (1, 2, 3, 5) if op == "Scan" else ():
        arrays = [x((2,)), x((time, 2))]
        yield Case(op, _scan, arrays, {"body": _onnx_body(arrays[0].dtype), "num_scan_inputs": 1})


def _scan(state: Any, scanned: Any) -> Any:
    """Add up the rows, or say of which there was a true one so far; and each row as it came."""
    before = unroll.placeholder([2], "before", state.dtype)
    row = unroll.placeholder([2], "row", state.dtype)
    after = ops.logical_or(before, row) if state.dtype == bool else before + row
    return ops.scan(unroll.Graph([before, row], [after, ops.identity(row)]), [state], [scanned])


def _onnx_body(dtype: Any) -> onnx.GraphProto:
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    infos = [helper.make_tensor_value_info(name, kind, [2]) for name in ("before", "row", "after", "same")]
    nodes = [
        helper.make_node("Or" if dtype.kind == "b" else "Add", ["before", "row"], ["after"]),
        helper.make_node("Identity", ["row"], ["same"]),
    ]
    return helper.make_graph(nodes, "body", infos[:2], infos[2:])


END = np.iinfo(np.int64).max
#: starts, ends, axes, steps on a tensor (5, 4).
SLICES: tuple[tuple[list[int], list[int], list[int] | None, list[int] | None], ...] = (
    ([1], [3], None, None),
    ([0, 1], [5, 3], None, None),
    ([1], [3], [1], None),
    ([-2], [END], [0], None),
    ([0], [-1], [-1], None),
    ([0], [5], [0], [2]),
    ([4], [0], [0], [-1]),
    ([-1], [-END], [0], [-2]),
    ([-1, 3], [-6, 0], [0, 1], [-1, -3]),
    ([3], [1], [0], None),
    ([10], [20], [0], None),
    ([-10], [2], [0], None),
)


def cases_of(op: str, dtype: str) -> list[Case]:
    """The cases of an operator whose first input has `dtype`."""
    rng = np.random.default_rng([len(op), *map(ord, op + dtype)])

    def x(shape: tuple[int, ...], low: float = -3.0) -> Array:
        return draw(rng, dtype, shape, low)

    return [*elementwise(op, x), *arithmetic(op, x), *structure(op, x), *recurrent(op, x)]
