"""One row an operator: programs of one node, each written twice, with unroll and as the node of ONNX's own names.

`CASES` is the one place in the tests where an operator is listed. Its NumPy meaning is held against onnx's evaluator on
these programs, the table of kernels is made with them (make_onnxruntime_support.py), and random graphs draw an operator
from them that has no builder of its own (random_graphs.py). An operator of one tensor without attributes is
``"Sqrt": unary(ops.sqrt, low=0.5)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import onnx
from helpers import Array
from onnx import helper, numpy_helper

import unroll
from unroll import ops

FLOATS = ("float16", "float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ALL = (*NUMBERS, "bool")
#: ONNX's names of these dtypes.
ONNX_NAMES = dict(zip(("float16", "float", "double", "int32", "int64", "bool"), ALL, strict=True))
#: The opset whose operators unroll has, or for one that is newer the first that has it.
OLDEST_OPSET = 13

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


#: Draws an array of the dtype under test: ``x(shape)``, or ``x(shape, low=0.5)`` where a function asks for more than 0.
Draw: TypeAlias = Callable[..., Array]
#: A row: makes the cases of an operator, given its name.
Row: TypeAlias = Callable[[str, Draw], Iterator[Case]]


def cases_of(op: str, dtype: str, variant: int = 0) -> list[Case]:
    """The cases of an operator whose first input has `dtype`; another `variant` has other numbers in the same shapes."""
    rng = np.random.default_rng([len(op), *map(ord, op + dtype), *([variant] if variant else [])])

    def x(shape: tuple[int, ...], low: float = -3.0) -> Array:
        return draw(rng, dtype, shape, low)

    return list(CASES[op](op, x))


def draw(rng: np.random.Generator, dtype: str, shape: tuple[int, ...], low: float = -3.0) -> Array:
    """Small numbers from `low` to 3 (an integer 0 only where `low` allows it), or booleans."""
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.startswith("int"):
        return np.asarray(rng.integers(int(np.ceil(low)), 4, shape)).astype(dtype)
    return np.asarray(rng.uniform(low, 3.0, shape)).astype(dtype)


def model_of(
    op: str, inputs: Sequence[Any], attributes: dict[str, Any], outputs: int
) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """A model of one node (opset 21: axes are inputs), and what to feed it."""
    names = ["" if array is None else f"in{place}" for place, array in enumerate(inputs)]
    feeds = {name: np.asarray(array) for name, array in zip(names, inputs, strict=True) if array is not None}
    listed = names[:1] if op == "If" else names  # the others are read by its graphs
    node = helper.make_node(op, listed, [f"out{place}" for place in range(outputs)], **attributes)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in feeds.items()
    ]
    results = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "one", infos, results)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), feeds


# -- rows that several operators share --------------------------------------------------------------------------------


def unary(
    function: Callable[..., Any], *options: dict[str, Any], low: float = -3.0, shapes: Sequence[Any] = SHAPES
) -> Row:
    """A function of one tensor, of numbers from `low` to 3; and once with each of these attributes."""

    def cases(op: str, x: Draw) -> Iterator[Case]:
        for shape in shapes:
            yield Case(op, function, [x(shape, low=low)])
        for attributes in options:
            yield Case(op, partial(function, **attributes), [x((2, 3), low=low)], attributes)

    return cases


def binary(function: Callable[[Any, Any], Any], low: float = -3.0) -> Row:
    """A function of two tensors that broadcast, the second of numbers from `low` to 3."""

    def cases(op: str, x: Draw) -> Iterator[Case]:
        for left, right in (*PAIRS, *(pair[::-1] for pair in PAIRS)):
            yield Case(op, function, [x(left), x(right, low=low)])

    return cases


def reduction(function: Callable[..., Any]) -> Row:
    def cases(op: str, x: Draw) -> Iterator[Case]:
        for shape in SHAPES:
            yield Case(op, function, [x(shape)], {"keepdims": 0})
        for axes in ([0], [-1], [1, -1], [0, 1, 2]):
            for keep in (0, 1):
                call = partial(function, axis=axes, keepdims=bool(keep))
                yield Case(op, call, [x((2, 3, 4))], {"keepdims": keep}, [np.array(axes)])

    return cases


def along_axis(function: Callable[..., Any]) -> Row:
    def cases(op: str, x: Draw) -> Iterator[Case]:
        for shape in SHAPES[1:]:
            for axis in range(-len(shape), len(shape)):
                yield Case(op, partial(function, axis=axis), [x(shape)], {"axis": axis})

    return cases


# -- operators with rows of their own, by name ------------------------------------------------------------------------


def argmax(op: str, x: Draw) -> Iterator[Case]:
    for axis in (0, 1, -1):
        for keep in (0, 1):
            call = partial(ops.argmax, axis=axis, keepdims=bool(keep))
            yield Case(op, call, [x((2, 3, 4))], {"axis": axis, "keepdims": keep})


def cast(op: str, x: Draw) -> Iterator[Case]:
    for to in ALL:
        number = helper.np_dtype_to_tensor_dtype(np.dtype(to))
        yield Case(op, partial(ops.cast, dtype=to), [x((2, 3))], {"to": number})
        yield Case(op, partial(ops.cast, dtype=to), [x(())], {"to": number})


def clip(op: str, x: Draw) -> Iterator[Case]:
    kind = x(()).dtype
    yield Case(op, lambda t: ops.clip(t, -1, 2), [x((3, 4))], {}, [kind.type(-1), kind.type(2)])
    yield Case(op, lambda t: ops.clip(t, max=1), [x((3, 4))], {}, [None, kind.type(1)])
    yield Case(op, lambda t: ops.clip(t, min=0), [x((2, 1, 3))], {}, [kind.type(0)])
    yield Case(op, lambda t: ops.clip(t, 2, -1), [x((3, 4))], {}, [kind.type(2), kind.type(-1)])


def concat(op: str, x: Draw) -> Iterator[Case]:
    yield Case(op, lambda a: ops.concat([a], 0), [x((3,))], {"axis": 0})
    yield Case(op, lambda a, b: ops.concat([a, b], 0), [x((2,)), x((3,))], {"axis": 0})
    yield Case(op, lambda *t: ops.concat(t, -1), [x((2, 3)), x((2, 1)), x((2, 4))], {"axis": -1})
    yield Case(op, lambda *t: ops.concat(t, 1), [x((2, 1, 3, 2)), x((2, 2, 3, 2))], {"axis": 1})


#: A value to fill with, by dtype.
FILLINGS = (("float32", 0.0), ("float16", 2.5), ("float64", -1.0), ("int32", 3), ("int64", -2), ("bool", True))


def constant_of_shape(op: str, x: Draw) -> Iterator[Case]:
    for kind, value in FILLINGS:
        for shape in ([2, 3], [], [0], [4]):
            filled = numpy_helper.from_array(np.array([value], kind))
            call = partial(ops.constant_of_shape, shape, value, kind)
            yield Case(op, call, [], {"value": filled}, [np.array(shape, np.int64)])


def ranges(op: str, x: Draw) -> Iterator[Case]:
    for start, stop, step in ((0, 5, 1), (2, 9, 3), (3, 3, 1), (4, -3, -2)):
        kind = x(()).dtype
        call = partial(ops.range, start, unroll.constant(stop, kind), step)
        yield Case(op, call, [], {}, [np.array(item, kind) for item in (start, stop, step)])


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


def conv(op: str, x: Draw) -> Iterator[Case]:
    for data, kernel, bias, options, attributes in CONVOLUTIONS:
        arrays = [x(data), x(kernel), *([x(bias)] if bias else [])]
        yield Case(op, partial(ops.conv, **options), arrays, attributes)


#: x, window, what unroll is told, and what ONNX calls it.
POOLINGS: tuple[tuple[Any, ...], ...] = (
    ((2, 3, 6), 2, {}, {"kernel_shape": [2], "strides": [2]}),
    ((1, 2, 7), 3, {"strides": 2}, {"kernel_shape": [3], "strides": [2]}),
    ((1, 2, 7), 3, {"strides": 2, "padding": "same"}, {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
    ((1, 2, 4, 5), (2, 3), {"strides": 1}, {"kernel_shape": [2, 3]}),
    ((1, 1, 3, 4, 5), 2, {}, {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2]}),
)


def pooling(function: Callable[..., Any]) -> Row:
    def cases(op: str, x: Draw) -> Iterator[Case]:
        for shape, window, options, attributes in POOLINGS:
            yield Case(op, partial(function, window=window, **options), [x(shape)], attributes)

    return cases


def pad(op: str, x: Draw) -> Iterator[Case]:
    for shape, ends in (((3,), [1, 2]), ((2, 3), [0, 1, 0, 2]), ((2, 1, 3), [1, 0, 0, 0, 0, 1]), ((2,), [0, 0])):
        yield Case(op, partial(ops.pad, pads=ends), [x(shape)], {}, [np.array(ends)])
    value = x(()).dtype.type(1)
    yield Case(op, partial(ops.pad, pads=[1, 0, 0, 1], value=value), [x((2, 3))], {}, [np.array([1, 0, 0, 1]), value])


def expand(op: str, x: Draw) -> Iterator[Case]:
    for shape, to in (((), [2, 3]), ((3,), [2, 3]), ((2, 1), [2, 4]), ((3, 1), [2, 1, 5]), ((2, 3), [1])):
        yield Case(op, partial(ops.expand, shape=to), [x(shape)], {}, [np.array(to)])


def gather(op: str, x: Draw) -> Iterator[Case]:
    for axis, where in ((0, [2, 0, -1]), (1, [[0, 1], [-1, -4]]), (-1, -2), (0, [])):
        index = np.array(where, np.int64)
        yield Case(op, partial(ops.gather, indices=index, axis=axis), [x((3, 4))], {"axis": axis}, [index])
    yield Case(op, partial(ops.gather, axis=1), [x((2, 3, 2)), np.array([[1, -1]], np.int32)], {"axis": 1})


def gemm(op: str, x: Draw) -> Iterator[Case]:
    yield Case(op, ops.gemm, [x((2, 3)), x((3, 4))])
    for c in ((4,), (2, 4), (2, 1), (), (1, 4)):
        yield Case(op, ops.gemm, [x((2, 3)), x((3, 4)), x(c)])
    # Integers are not scaled: what half of one would be, ONNX leaves open.
    floating = x(()).dtype.kind == "f"
    flags: dict[str, Any] = {"transA": 1, "transB": 1} | ({"alpha": 2.0, "beta": 3.0} if floating else {})
    yield Case(op, partial(ops.gemm, **flags), [x((3, 2)), x((4, 3)), x((4,))], flags)
    if floating:
        yield Case(op, partial(ops.gemm, alpha=0.5), [x((2, 3)), x((3, 4))], {"alpha": 0.5})


def layer_normalization(op: str, x: Draw) -> Iterator[Case]:
    for shape, axis in (((2, 3), -1), ((2, 3), 1), ((2, 3, 4), 2), ((2, 3, 4), -2), ((4,), 0)):
        arrays = [x(shape), x(shape[axis:]), x(shape[axis:])]
        yield Case(op, partial(ops.layer_normalization, axis=axis), arrays, {"axis": axis})
        yield Case(op, partial(ops.layer_normalization, axis=axis), arrays[:2], {"axis": axis})
    call = partial(ops.layer_normalization, epsilon=0.5)
    yield Case(op, call, [x((3, 5)), x((5,)), x((5,))], {"epsilon": 0.5})


def matmul(op: str, x: Draw) -> Iterator[Case]:
    for left, right in (((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4))):
        yield Case(op, ops.matmul, [x(left), x(right)])
    yield Case(op, ops.matmul, [x((5, 1, 2, 3)), x((2, 3, 1))])


def power(op: str, x: Draw) -> Iterator[Case]:
    for left, right in PAIRS:
        yield Case(op, ops.pow, [x(left, low=0.5), x(right, low=0)])
    yield Case(op, lambda t: t**2, [x((2, 3))], {}, [np.asarray(2, x(()).dtype)])


def recurrent(function: Callable[..., Any], gates: int) -> Row:
    """A loop over time. Only what onnx's evaluator knows: forward, without lengths, with the operator's own activations;
    all the rest is held against onnxruntime in test_recurrent_operators.py.
    """

    def cases(op: str, x: Draw) -> Iterator[Case]:
        for time, batch, features, hidden in ((3, 2, 2, 3), (1, 1, 3, 2)):
            w, r = x((1, gates * hidden, features)) / 3, x((1, gates * hidden, hidden)) / 3
            arrays = [x((time, batch, features)), w.astype(r.dtype), r, x((1, 2 * gates * hidden))]
            first = [x((1, batch, hidden)) for _ in range(2 if op == "LSTM" else 1)]
            size: dict[str, Any] = {"hidden_size": hidden}
            call = partial(function, **size)
            yield Case(op, call, arrays[:3], size)
            yield Case(op, call, arrays, size)
            yield Case(op, _followed_by(call, [None, *first]), arrays, size, [None, *first])
            if op == "GRU":
                after = size | {"linear_before_reset": 1}
                yield Case(op, partial(function, **after), arrays, after)
            if op == "LSTM":
                more = [None, *first, x((1, 3 * hidden))]
                yield Case(op, _followed_by(call, more), arrays, size, more)

    return cases


def _followed_by(call: Callable[..., Any], more: Sequence[Any]) -> Callable[..., Any]:
    """`call` with these inputs after the others."""
    return lambda *tensors: call(*tensors, *more)


def reshape(op: str, x: Draw) -> Iterator[Case]:
    for before, after in (((2, 6), [3, 4]), ((2, 6), [-1]), ((2, 3, 4), [0, -1]), ((6,), [2, -1, 1]), ((1,), [])):
        yield Case(op, partial(ops.reshape, shape=after), [x(before)], {}, [np.array(after, np.int64)])
    yield Case(op, partial(ops.reshape, shape=[-1, 0]), [x((4, 2))], {}, [np.array([-1, 0])])


def reverse_sequence(op: str, x: Draw) -> Iterator[Case]:
    for shape, batch, lens in (
        ((4, 3), 1, [1, 4, 2]),
        ((3, 4), 0, [4, 1, 3]),
        ((3, 2, 2), 1, [3, 2]),
        ((1, 2), 1, [1, 1]),
    ):
        axes: dict[str, Any] = {"batch_axis": batch, "time_axis": 1 - batch}
        yield Case(op, partial(ops.reverse_sequence, **axes), [x(shape), np.array(lens, np.int64)], axes)


def scan(op: str, x: Draw) -> Iterator[Case]:
    for time in (1, 2, 3, 5):
        arrays = [x((2,)), x((time, 2))]
        yield Case(op, _scanned, arrays, {"body": _onnx_body(arrays[0].dtype), "num_scan_inputs": 1})


def _scanned(state: Any, scanned: Any) -> Any:
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


def loop(op: str, x: Draw) -> Iterator[Case]:
    """Add up the numbers of the runs while the sum is below a bound, and hand on a state of any dtype."""
    for kind in ALL:
        state = draw(np.random.default_rng(7), kind, (2,))
        for count, bound in ((3, 100), (0, 100), (9, 5)):
            arrays = [np.array(count, np.int64), np.array(True), state, np.array(0, np.int64)]
            yield Case(op, partial(_looped, bound=bound), arrays, {"body": _loop_body(state.dtype, bound)})


def _looped(count: Any, go: Any, state: Any, total: Any, bound: int) -> Any:
    kinds = {"number": ([], "int64"), "again": ([], "bool"), "before": ([2], state.dtype), "sum": ([], "int64")}
    number, again, before, so_far = (unroll.placeholder(shape, name, kind) for name, (shape, kind) in kinds.items())
    after = so_far + number
    body = unroll.Graph([number, again, before, so_far], [after < bound, ops.identity(before), after])
    return ops.loop(body, [state, total], count=count, condition=go)


def _loop_body(dtype: Any, bound: int) -> onnx.GraphProto:
    whole, truth, kind = onnx.TensorProto.INT64, onnx.TensorProto.BOOL, helper.np_dtype_to_tensor_dtype(dtype)
    nodes = [
        helper.make_node("Add", ["sum", "number"], ["more"]),
        helper.make_node("Less", ["more", "bound"], ["on"]),
        helper.make_node("Identity", ["before"], ["after"]),
    ]
    infos = [
        helper.make_tensor_value_info(name, what, [2] if what == kind and name in ("before", "after") else [])
        for name, what in (
            *(("number", whole), ("again", truth), ("before", kind), ("sum", whole)),
            *(("on", truth), ("after", kind), ("more", whole)),
        )
    ]
    return helper.make_graph(nodes, "body", infos[:4], infos[4:], [numpy_helper.from_array(np.array(bound), "bound")])


def if_(op: str, x: Draw) -> Iterator[Case]:
    """A tensor that both branches read from outside as it is, or its rows in another order."""
    for kind in ALL:
        for truth in (True, False):
            arrays = [np.array(truth), draw(np.random.default_rng(7), kind, (3,))]
            number = helper.np_dtype_to_tensor_dtype(arrays[1].dtype)
            same, turned = (helper.make_tensor_value_info(name, number, [3]) for name in ("same", "turned"))
            order = [numpy_helper.from_array(np.array([2, 0, 1]), "order")]
            then = helper.make_graph([helper.make_node("Identity", ["in1"], ["same"])], "then", [], [same])
            gather = helper.make_node("Gather", ["in1", "order"], ["turned"], axis=0)
            other = helper.make_graph([gather], "else", [], [turned], order)
            yield Case(op, _chosen, arrays, {"then_branch": then, "else_branch": other})


def _chosen(condition: Any, x: Any) -> Any:
    inner = unroll.placeholder([3], "inner", x.dtype)
    branches = ops.identity(inner), ops.gather(inner, [2, 0, 1])
    return ops.if_(condition, *(unroll.Graph([inner], branch) for branch in branches), [x])


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


def slice_(op: str, x: Draw) -> Iterator[Case]:
    for bounds in SLICES:
        extra = [None if item is None else np.array(item) for item in bounds]
        yield Case(op, _followed_by(ops.slice_, bounds), [x((5, 4))], {}, extra)


def split(op: str, x: Draw) -> Iterator[Case]:
    yield Case(op, lambda t: ops.split(t, 3), [x((6,))], {"axis": 0, "num_outputs": 3})
    yield Case(op, lambda t: ops.split(t, 2, -1), [x((2, 3, 4))], {"axis": -1, "num_outputs": 2})
    yield Case(op, lambda t: ops.split(t, [1, 0, 3], 1), [x((2, 4))], {"axis": 1}, [np.array([1, 0, 3])])
    yield Case(op, lambda t: ops.split(t, [2, 2], -2), [x((4, 3))], {"axis": -2}, [np.array([2, 2])])


def squeeze(op: str, x: Draw) -> Iterator[Case]:
    yield Case(op, ops.squeeze, [x((1, 3, 1))])
    for shape, axes in (((1, 3, 1), [0]), ((1, 3, 1), [-1, 0]), ((1,), [0])):
        yield Case(op, partial(ops.squeeze, axis=axes), [x(shape)], {}, [np.array(axes)])


def tile(op: str, x: Draw) -> Iterator[Case]:
    for shape, times in (((3,), [2]), ((2, 3), [1, 4]), ((2, 1, 3), [3, 2, 1]), ((2, 3), [2, 0]), ((3, 1), [1, 1])):
        yield Case(op, partial(ops.tile, repeats=times), [x(shape)], {}, [np.array(times, np.int64)])


def transpose(op: str, x: Draw) -> Iterator[Case]:
    for shape in SHAPES:
        # ONNX's perm is the reversed order by default; an empty one cannot be written with helper.make_node.
        yield Case(op, ops.transpose, [x(shape)], {"perm": list(range(len(shape)))[::-1]} if shape else {})
    yield Case(op, lambda t: ops.transpose(t, [1, -1, 0]), [x((2, 3, 4))], {"perm": [1, 2, 0]})


def unsqueeze(op: str, x: Draw) -> Iterator[Case]:
    for shape, axes in (((), [0]), ((3,), [0]), ((3,), [-1]), ((2, 3), [0, 3]), ((2, 3), [-1, 1]), ((2,), [2, 0])):
        yield Case(op, partial(ops.unsqueeze, axis=axes), [x(shape)], {}, [np.array(axes)])


def where(op: str, x: Draw) -> Iterator[Case]:
    for shape in ((2, 3), (3,), (2, 1), ()):
        for kind in ALL:
            y = draw(np.random.default_rng(7), kind, (4, 2, 1)), draw(np.random.default_rng(8), kind, (1, 3))
            yield Case(op, ops.where, [x(shape), *y])


CASES: dict[str, Row] = {
    "Abs": unary(ops.abs),
    "Add": binary(ops.add),
    "And": binary(ops.logical_and),
    "ArgMax": argmax,
    "AveragePool": pooling(ops.average_pool),
    "Cast": cast,
    "Clip": clip,
    "Concat": concat,
    "ConstantOfShape": constant_of_shape,
    "Conv": conv,
    "Div": binary(ops.div, low=1),
    "Elu": unary(ops.elu, {"alpha": 0.5}, {"alpha": 2.0}),
    "Equal": binary(ops.equal),
    "Erf": unary(ops.erf),
    "Exp": unary(ops.exp),
    "Expand": expand,
    "Floor": unary(ops.floor),
    "GRU": recurrent(ops.gru, 3),
    "Gather": gather,
    "Gemm": gemm,
    "Greater": binary(ops.greater),
    "GreaterOrEqual": binary(ops.greater_equal),
    "HardSigmoid": unary(ops.hard_sigmoid, {"alpha": 1 / 6, "beta": 0.25}),
    "Identity": unary(ops.identity),
    "If": if_,
    "LSTM": recurrent(ops.lstm, 4),
    "LayerNormalization": layer_normalization,
    "LeakyRelu": unary(ops.leaky_relu, {"alpha": 0.2}, {"alpha": 0.0}),
    "Less": binary(ops.less),
    "LessOrEqual": binary(ops.less_equal),
    "Log": unary(ops.log, low=0.5),
    "Loop": loop,
    "LogSoftmax": along_axis(ops.log_softmax),
    "MatMul": matmul,
    "Max": binary(ops.maximum),
    "MaxPool": pooling(ops.max_pool),
    "Min": binary(ops.minimum),
    "Mul": binary(ops.mul),
    "Neg": unary(ops.neg),
    "Not": unary(ops.logical_not),
    "Or": binary(ops.logical_or),
    "Pad": pad,
    "Pow": power,
    "RNN": recurrent(ops.rnn, 1),
    "Range": ranges,
    "ReduceMax": reduction(ops.reduce_max),
    "ReduceMean": reduction(ops.reduce_mean),
    "ReduceMin": reduction(ops.reduce_min),
    "ReduceSum": reduction(ops.reduce_sum),
    "Relu": unary(ops.relu),
    "Reshape": reshape,
    "ReverseSequence": reverse_sequence,
    "Scan": scan,
    "Shape": unary(ops.shape),
    "Sigmoid": unary(ops.sigmoid),
    "Sign": unary(ops.sign),
    "Slice": slice_,
    "Softmax": along_axis(ops.softmax),
    "Softplus": unary(ops.softplus),
    # onnx's evaluator fails on a Softsign of rank 0; its value is checked by hand.
    "Softsign": unary(ops.softsign, shapes=SHAPES[1:]),
    "Split": split,
    "Sqrt": unary(ops.sqrt, low=0.5),
    "Squeeze": squeeze,
    "Sub": binary(ops.sub),
    "Tanh": unary(ops.tanh),
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Where": where,
}


def _dtypes_of_first_input(op: str) -> tuple[str, ...]:
    """What ONNX's specification gives the first input of an operator, less the dtypes that tensors here cannot have."""
    if op == "Erf":  # older releases of onnx say that it takes whole numbers, which was an error of theirs
        return FLOATS
    versions = range(OLDEST_OPSET, onnx.defs.onnx_opset_version() + 1)
    schema = onnx.defs.get_schema(op, next(version for version in versions if onnx.defs.has(op, version)))
    return tuple(name for onnxs, name in ONNX_NAMES.items() if f"tensor({onnxs})" in schema.inputs[0].types)


#: The dtypes of each operator's first input.
DTYPES: dict[str, tuple[str, ...]] = {op: _dtypes_of_first_input(op) for op in CASES}
