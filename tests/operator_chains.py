"""Chains of two or three operators, each fed the result of the one before: what optimisers of a runner look for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from helpers import Array
from operator_cases import CASES, cases_of
from operator_cases import DTYPES as CASE_DTYPES

import unroll
from unroll import ops
from unroll.tensor import Tensor

FLOATS = ("float16", "float32", "float64")
DTYPES = (*FLOATS, "int32", "int64", "bool")
#: Constants that optimisers look for, among others.
USUAL = (0, 1, -1, 2, 0.5, 3)
MOST_ELEMENTS = 200
Link = Callable[["Draw", Tensor], Any]


class Draw:
    """Random choices for one chain; its inputs, and the array for each."""

    def __init__(self, seed: Sequence[int], dtype: str) -> None:
        self.rng = np.random.default_rng(list(seed))
        self.feeds: dict[Any, Array] = {}
        shape = self.one_of([(2, 3), (2, 3), (3,), (2, 1, 3), (1, 2, 3, 4), ()])
        self.first = self.placeholder(shape, dtype)

    def one_of(self, items: Sequence[Any]) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def flip(self, chance: float = 0.5) -> bool:
        return bool(self.rng.random() < chance)

    def array(self, shape: Sequence[int], dtype: Any) -> Array:
        kind = np.dtype(dtype).kind
        if kind == "b":
            return np.asarray(self.rng.random(tuple(shape)) < 0.5)
        if kind == "i":
            return np.asarray(self.rng.integers(-4, 5, tuple(shape))).astype(dtype)
        return np.asarray(self.rng.uniform(-3, 3, tuple(shape))).astype(dtype)

    def placeholder(self, shape: Sequence[int], dtype: Any) -> Tensor:
        """A new input; now and then the first size is not known."""
        loose = bool(shape) and self.flip(0.3)
        declared = [f"n{len(self.feeds)}", *shape[1:]] if loose else list(shape)
        made = unroll.placeholder(declared, f"in{len(self.feeds)}", dtype)
        self.feeds[made] = self.array(shape, dtype)
        return made

    def other(self, shape: Sequence[Any], dtype: Any) -> Tensor:
        """A partner for a tensor: an input, an array, or one of the numbers that optimisers look for."""
        return self.passed_on(self._other(shape, dtype))

    def passed_on(self, made: Tensor) -> Tensor:
        """Now and then, put an operator after a tensor that does nothing."""
        if self.flip(0.8):
            return made
        return ops.identity(made) if self.flip() else ops.cast(made, made.dtype)

    def _other(self, shape: Sequence[Any], dtype: Any) -> Tensor:
        fixed = [size if isinstance(size, int) else 1 for size in shape]
        choice = self.one_of(["input", "array", "array", "number", "number", "filled"])
        if choice == "input":
            return self.placeholder(fixed, dtype)
        if choice == "array":
            return unroll.constant(self.array(fixed[int(self.rng.integers(len(fixed) + 1)) :], dtype))
        value = np.asarray(self.one_of(USUAL)).astype(dtype)
        return unroll.constant(np.full(fixed if choice == "filled" else self.one_of([[], [1]]), value))

    def weight(self, shape: Sequence[int], dtype: Any) -> Tensor:
        """An array to multiply with: a constant, or now and then an input."""
        made = self.placeholder(shape, dtype) if self.flip(0.2) else unroll.constant(self.array(shape, dtype))
        return self.passed_on(made)


def chain(names: Sequence[str], dtype: str, seed: int) -> tuple[unroll.Graph, dict[str, Array]] | None:
    """A graph of the operators `names`, each on the result of the one before, and feeds; None where they do not fit.

    Args:
        names: of operators, in order.
        dtype: of the first input.
        seed: any int; another one gives other shapes, constants and outputs.
    """
    draw = Draw([seed, *map(ord, "".join(names) + dtype)], dtype)
    current, outputs = draw.first, []
    for name in names:
        try:
            made = LINKS[name](draw, current)
        except unroll.UnrollError:  # another dtype or rank is wanted
            return None
        listed = list(made) if isinstance(made, (tuple, list)) else [made]
        if made is None or not listed:
            return None
        outputs.append(listed)
        current = draw.one_of(listed)
        if int(np.prod([size if isinstance(size, int) else 3 for size in current.shape])) > MOST_ELEMENTS:
            return None
    shown = {id(item): item for item in outputs[-1]}
    if draw.flip(0.25):  # what lies between is wanted too
        shown |= {id(item): item for listed in outputs for item in listed}
    if draw.flip(0.15):  # or is used twice
        extra = ops.identity(draw.one_of(outputs[0]))
        shown[id(extra)] = extra
    listed = list(shown.values())
    graph = unroll.Graph(list(draw.feeds), {f"out{place}": item for place, item in enumerate(listed)})
    return graph, {item.name: array for item, array in draw.feeds.items()}


# -- one function an operator -----------------------------------------------------------------------------------------


def unary(function: Callable[[Tensor], Tensor]) -> Link:
    return lambda d, x: function(x)


def binary(function: Callable[[Tensor, Tensor], Tensor]) -> Link:
    def make(d: Draw, x: Tensor) -> Tensor:
        if d.flip(0.1):
            return function(x, x)
        pair = (x, d.other(x.shape, x.dtype))
        return function(*(pair if d.flip() else pair[::-1]))

    return make


def reduction(function: Callable[..., Tensor]) -> Link:
    def make(d: Draw, x: Tensor) -> Tensor:
        axes = None if x.rank == 0 or d.flip(0.3) else [int(d.rng.integers(-x.rank, x.rank))]
        return function(x, axes, keepdims=d.flip())

    return make


def along(function: Callable[[Tensor, int], Any]) -> Link:
    def make(d: Draw, x: Tensor) -> Any:
        return function(x, int(d.rng.integers(-x.rank, x.rank))) if x.rank else None

    return make


def fixed_axis(d: Draw, x: Tensor) -> int | None:
    fit = [axis for axis, size in enumerate(x.shape) if isinstance(size, int) and size > 0]
    return d.one_of(fit) if fit else None


def cast(d: Draw, x: Tensor) -> Tensor:
    return ops.cast(x, d.one_of([*DTYPES, str(x.dtype), str(x.dtype)]))


def clip(d: Draw, x: Tensor) -> Tensor:
    low, high = d.one_of([(-1, 2), (None, 1), (0, None), (None, None), (0, 6), (-3, 3), (1, 2), (-2, -1)])
    return ops.clip(x, low, high)


def concat(d: Draw, x: Tensor) -> Tensor | None:
    if not x.rank:
        return None
    parts = [
        x,
        *(d.weight([s if isinstance(s, int) else 2 for s in x.shape], x.dtype) for _ in range(d.one_of([0, 1, 1]))),
    ]
    return ops.concat(d.one_of([parts, parts[::-1], [x, x]]), fixed_axis(d, x) or 0)


def conv(d: Draw, x: Tensor) -> Tensor | None:
    if x.rank < 3 or not all(isinstance(size, int) and size > 0 for size in x.shape[1:]):
        return None
    kernel = d.weight([2, x.shape[1], *(1 for _ in x.shape[2:])], x.dtype)  # type: ignore[list-item]
    bias = d.weight([2], x.dtype) if d.flip() else None
    return ops.conv(x, kernel, bias, padding=d.one_of(["same", "valid"]))


def expand(d: Draw, x: Tensor) -> Tensor:
    fixed = [size if isinstance(size, int) else 1 for size in x.shape]
    return ops.expand(x, d.one_of([fixed, [1] * x.rank, [2, *fixed], ops.shape(x)]))


def gather(d: Draw, x: Tensor) -> Tensor | None:
    axis = fixed_axis(d, x)
    if axis is None:
        return None
    size = int(x.shape[axis])  # type: ignore[arg-type]
    places = d.one_of([0, -1, [0], list(range(size)), [size - 1, 0]])
    return ops.gather(x, np.asarray(places, np.int64), axis)


def gemm(d: Draw, x: Tensor) -> Tensor | None:
    if x.rank != 2 or not isinstance(x.shape[1], int):
        return None
    turned = d.flip()
    weight = d.weight([3, x.shape[1]] if turned else [x.shape[1], 3], x.dtype)
    bias = d.weight(d.one_of([[3], [1, 3], []]), x.dtype) if d.flip(0.7) else None
    scale = {"alpha": d.one_of([1.0, 0.5]), "beta": d.one_of([1.0, 2.0])} if x.dtype.kind == "f" else {}
    return ops.gemm(x, weight, bias, transB=turned, **scale)


def layer_normalization(d: Draw, x: Tensor) -> Tensor | None:
    if not x.rank or not isinstance(x.shape[-1], int) or not x.shape[-1]:
        return None
    width = [x.shape[-1]]
    return ops.layer_normalization(x, d.weight(width, x.dtype), d.weight(width, x.dtype) if d.flip() else None)


def matmul(d: Draw, x: Tensor) -> Tensor | None:
    if not x.rank or not isinstance(x.shape[-1], int):
        return None
    return x @ d.weight([x.shape[-1], *([2] if d.flip(0.8) else [])], x.dtype)


def recurrent(call: Callable[..., Any], gates: int) -> Link:
    def make(d: Draw, x: Tensor) -> Any:
        if x.dtype != "float32" or x.rank != 3 or not all(isinstance(size, int) and size > 0 for size in x.shape[1:]):
            return None
        shapes = [1, gates * 2, x.shape[2]], [1, gates * 2, 2]
        return call(x, *(unroll.constant(d.array(shape, "float32") / 3) for shape in shapes), hidden_size=2)  # type: ignore[arg-type]

    return make


def reshape(d: Draw, x: Tensor) -> Tensor:
    return ops.reshape(
        x, d.one_of([[-1], [1, -1], [-1, 1], ops.shape(x), *([[0, -1], [0] * x.rank] if x.rank else [])])
    )


def reverse_sequence(d: Draw, x: Tensor) -> Tensor | None:
    if x.rank < 2 or not all(isinstance(size, int) and size > 0 for size in x.shape[:2]):
        return None
    lengths = d.rng.integers(1, int(x.shape[0]) + 1, int(x.shape[1]))  # type: ignore[arg-type]
    return ops.reverse_sequence(x, lengths)


def if_(d: Draw, x: Tensor) -> Any:
    if not all(isinstance(size, int) for size in x.shape):
        return None
    inner = unroll.placeholder(list(x.shape), "inner", x.dtype)
    then, otherwise = (
        unroll.Graph([inner], made) for made in (ops.identity(inner), ops.transpose(ops.transpose(inner)))
    )
    return ops.if_(d.placeholder((), "bool"), then, otherwise, [x])


def loop(d: Draw, x: Tensor) -> Any:
    if not all(isinstance(size, int) for size in x.shape):
        return None
    number, go = unroll.placeholder([], "i", "int64"), unroll.placeholder([], "go", "bool")
    state = unroll.placeholder(list(x.shape), "state", x.dtype)
    made = ops.logical_not(state) if x.dtype.kind == "b" else ops.relu(state) if x.dtype.kind == "f" else -state
    return ops.loop(unroll.Graph([number, go, state], [ops.identity(go), made]), [x], count=d.one_of([0, 1, 2, 3]))


def scan(d: Draw, x: Tensor) -> Any:
    if x.rank < 2 or x.dtype.kind != "f" or not all(isinstance(size, int) and size > 0 for size in x.shape):
        return None
    before, row = (unroll.placeholder(list(x.shape[1:]), name, x.dtype) for name in ("before", "row"))
    body = unroll.Graph([before, row], [ops.tanh(before + row), ops.relu(row)])
    return ops.scan(body, [unroll.constant(d.array(x.shape[1:], x.dtype))], [x])  # type: ignore[arg-type]


def slice_(d: Draw, x: Tensor) -> Tensor | None:
    axis = fixed_axis(d, x)
    if axis is None:
        return None
    bounds = d.one_of(
        [slice(None), slice(0, 1), slice(1, None), slice(None, None, -1), slice(None, -1), slice(None, None, 2)]
    )
    return x[(slice(None),) * axis + (bounds,)]


def split(d: Draw, x: Tensor) -> Any:
    axis = fixed_axis(d, x)
    return None if axis is None else ops.split(x, d.one_of([1, int(x.shape[axis])]), axis)  # type: ignore[arg-type]


def squeeze(d: Draw, x: Tensor) -> Tensor:
    ones = [axis for axis, size in enumerate(x.shape) if size == 1]
    return ops.squeeze(x, ones) if ones else x


def where(d: Draw, x: Tensor) -> Tensor:
    if x.dtype == bool and d.flip():
        return ops.where(x, *(d.other(x.shape, "float32") for _ in range(2)))
    return ops.where(
        d.other(x.shape, "bool"), *d.one_of([(x, d.other(x.shape, x.dtype)), (d.other(x.shape, x.dtype), x)])
    )


LINKS: dict[str, Link] = {
    "Abs": unary(ops.abs),
    "Add": binary(ops.add),
    "And": binary(ops.logical_and),
    "ArgMax": along(lambda x, axis: ops.argmax(x, axis)),
    "Cast": cast,
    "Clip": clip,
    "Concat": concat,
    "ConstantOfShape": lambda d, x: ops.constant_of_shape(ops.shape(x), d.one_of([0.0, 1.0, 2.0])),
    "Conv": conv,
    "Div": binary(ops.div),
    "Elu": unary(lambda x: ops.elu(x, 0.5)),
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
    "HardSigmoid": unary(ops.hard_sigmoid),
    "Identity": unary(ops.identity),
    "If": if_,
    "LSTM": recurrent(ops.lstm, 4),
    "LayerNormalization": layer_normalization,
    "LeakyRelu": unary(lambda x: ops.leaky_relu(x, 0.25)),
    "Less": binary(ops.less),
    "LessOrEqual": binary(ops.less_equal),
    "Log": unary(ops.log),
    "Loop": loop,
    "LogSoftmax": along(ops.log_softmax),
    "MatMul": matmul,
    "Max": binary(ops.maximum),
    "Min": binary(ops.minimum),
    "Mul": binary(ops.mul),
    "Neg": unary(ops.neg),
    "Not": unary(ops.logical_not),
    "Or": binary(ops.logical_or),
    "Pow": lambda d, x: x ** d.one_of([0, 1, 2, 3, 0.5]) if x.dtype.kind == "f" else x**2,
    "RNN": recurrent(ops.rnn, 1),
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
    "Softmax": along(ops.softmax),
    "Softplus": unary(ops.softplus),
    "Softsign": unary(ops.softsign),
    "Split": split,
    "Sqrt": unary(ops.sqrt),
    "Squeeze": squeeze,
    "Sub": binary(ops.sub),
    "Tanh": unary(ops.tanh),
    "Tile": lambda d, x: ops.tile(x, d.one_of([[1] * x.rank, [2] * x.rank])),
    "Transpose": lambda d, x: ops.transpose(x, [int(axis) for axis in d.rng.permutation(x.rank)]),
    "Unsqueeze": lambda d, x: ops.unsqueeze(x, [int(d.rng.integers(-x.rank - 1, x.rank + 1))]),
    "Where": where,
}


def from_cases(op: str) -> Link:
    """A link for an operator that is listed in operator_cases.py alone: one of its cases, with `x` for the first array."""

    def link(d: Draw, x: Tensor) -> Any:
        cases = cases_of(op, str(x.dtype)) if str(x.dtype) in CASE_DTYPES[op] else []
        fit = [case for case in cases if case.arrays]
        if not fit:
            return None
        case = d.one_of(fit)
        return case.call(x, *map(unroll.constant, case.arrays[1:]))

    return link


LINKS |= {op: from_cases(op) for op in CASES if op not in LINKS}
