"""Small random valid graphs over every operator, with feeds that keep every result well-conditioned.

An operator has a builder in `BUILDERS` where much is to be drawn: axes, sizes, what stands beside a tensor. Every other is
drawn from its cases in operator_cases.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hashed_choices import chosen, number_of
from helpers import Array
from operator_cases import CASES, DTYPES, cases_of

import unroll
from unroll import ops
from unroll.tensor import Node, Tensor

MOST_ELEMENTS = 60
HIGHEST_RANK = 4
#: How many times an operator is drawn for one graph.
DRAWS = 9


def random_graph(
    seed: int, dtype: str = "float32", allowed: Callable[[Node], bool] = lambda node: True, first: str = ""
) -> tuple[unroll.Graph, dict[str, Array]]:
    """Draw a graph and feeds for it; the same arguments always give the same, whatever other builders there are.

    Args:
        seed: any int.
        dtype: of most floating tensors.
        allowed: what is left out: a runner may lack an operator on some dtype.
        first: an operator to begin with, so that a few graphs for each hold them all on every dtype.
    """
    drawer = Drawer(number_of(first, seed), seed, dtype)
    drawn = [chosen(BUILDERS, first, seed, place) for place in range(DRAWS)]
    for name in [first, *drawn] if first else drawn:
        with unroll.scope(f"part{drawer.integer(0, 2)}"):
            for tensor in BUILDERS[name](drawer) or ():
                if all(map(allowed, new_nodes(tensor, drawer.pool))) and small(tensor):
                    drawer.pool.append(tensor)
    read = {source for tensor in drawer.pool if tensor.node for source in sources(tensor)}
    ends = [tensor for tensor in drawer.pool if tensor.node and tensor not in read]
    outputs: Any = ends if seed % 3 else {f"end/{place}": tensor for place, tensor in enumerate(ends)}
    return unroll.Graph(list(drawer.feeds), outputs), {item.name: array for item, array in drawer.feeds.items()}


class Drawer:
    """The tensors made so far, and random choices among them. Floats stay within +-3 or so, integers within +-9."""

    def __init__(self, key: int, seed: int, dtype: str) -> None:
        self.rng = np.random.default_rng(key)
        self.dtype = np.dtype(dtype)
        self.batch = self.integer(1, 3)
        self.feeds: dict[Any, Array] = {}
        self.pool: list[Tensor] = []
        self.exact: set[Tensor] = set()  #: floats that every runner has to the last bit, so that they may be compared
        for place, (shape, kind) in enumerate(
            [
                ([None, 3], dtype),
                (["batch", 2, 3], dtype),
                ([4, 3], dtype),
                ([None, 3], ("int32", "int64")[seed % 2]),
                ([2, 3], "bool"),
            ]
        ):
            tensor = unroll.placeholder(shape, f"in{place}", kind)
            real = tuple(size if isinstance(size, int) else self.batch for size in tensor.shape)
            self.feeds[tensor] = self.values(real, tensor.dtype)
            self.pool.append(tensor)
            self.exact.add(tensor)

    def integer(self, low: int, high: int) -> int:
        """An int of ``low .. high``."""
        return int(self.rng.integers(low, high + 1))

    def flip(self) -> bool:
        return bool(self.rng.random() < 0.5)

    def one_of(self, items: Sequence[Any]) -> Any:
        return items[self.integer(0, len(items) - 1)]

    def values(self, shape: Sequence[int], dtype: Any) -> Array:
        kind = np.dtype(dtype).kind
        if kind == "b":
            return np.asarray(self.rng.random(shape) < 0.5)
        if kind == "i":
            return np.asarray(self.rng.integers(-9, 10, shape)).astype(dtype)
        return np.asarray(self.rng.uniform(-2, 2, shape)).astype(dtype)

    def pick(self, kinds: str = "f", least_rank: int = 0, where: Callable[[Tensor], bool] = lambda t: True) -> Tensor:
        """A tensor of the pool whose dtype is of one of `kinds`; newer ones are likelier."""
        fit = [t for t in self.pool if t.dtype.kind in kinds and t.rank >= least_rank and where(t)]
        return self.one_of(fit[-4:] if self.flip() and len(fit) > 4 else fit)

    def axis(self, x: Tensor) -> int:
        """An axis of `x`, counted from either end."""
        return self.integer(-x.rank, x.rank - 1)

    def fixed_axis(self, x: Tensor) -> int | None:
        """An axis of `x` whose size is known and at least 1."""
        fit = [axis for axis, size in enumerate(x.shape) if isinstance(size, int) and size > 0]
        return self.one_of(fit) if fit else None

    def partner(self, x: Tensor) -> Tensor:
        """A tensor that broadcasts with `x`: one of the pool, a constant or a Parameter."""
        fit = [t for t in self.pool if t.dtype == x.dtype and t is not x and broadcasts(t, x)]
        if fit and self.flip():
            return self.one_of(fit)
        start = self.integer(0, x.rank)
        shape = [1 if not isinstance(size, int) or self.rng.random() < 0.3 else size for size in x.shape[start:]]
        return self.weight(shape, x.dtype)

    def weight(self, shape: Sequence[int], dtype: Any) -> Tensor:
        """A constant or, for floats, now and then a Parameter."""
        array = self.values(shape, dtype)
        if np.dtype(dtype).kind == "f" and self.flip():
            return unroll.Parameter(array, f"weight{self.integer(0, 10**9)}")
        return unroll.constant(array)

    def tame(self, x: Tensor) -> Tensor:
        """Bring `x` back into range, smoothly for floats."""
        if x.dtype.kind == "i":
            return ops.clip(x, -9, 9)
        return ops.tanh(x) if self.flip() else ops.clip(x, -3, 3)

    def keep_exact(self, made: Tensor, *origins: Tensor) -> list[Tensor]:
        """Say that `made` is as exact as what it was made from."""
        if made.dtype.kind != "f" or all(tensor in self.exact or tensor.node is None for tensor in origins):
            self.exact.add(made)
        return [made]


def broadcasts(a: Tensor, b: Tensor) -> bool:
    pairs = zip(a.shape[::-1], b.shape[::-1], strict=False)
    return all(one == other or 1 in (one, other) for one, other in pairs)


def sources(tensor: Tensor) -> set[Tensor]:
    """Everything that `tensor` was made from."""
    found: set[Tensor] = set()
    todo = [tensor]
    while todo:
        node = todo.pop().node
        new = [item for item in (node.inputs if node else ()) if item is not None and item not in found]
        found.update(new)
        todo += new
    return found


def new_nodes(tensor: Tensor, pool: Sequence[Tensor]) -> list[Node]:
    """The nodes between the pool and a tensor just made of it."""
    known = {item.node for item in pool}
    return [item.node for item in {tensor, *sources(tensor)} if item.node is not None and item.node not in known]


def small(tensor: Tensor) -> bool:
    sizes = [size if isinstance(size, int) else 3 for size in tensor.shape]
    return tensor.rank <= HIGHEST_RANK and int(np.prod(sizes)) <= MOST_ELEMENTS


# -- one builder an operator: it returns the new tensors, or nothing where the pool has none that fit -----------------

Builder = Callable[[Drawer], "list[Tensor] | None"]


def unary(function: Callable[[Tensor], Tensor], kinds: str = "f", exact: bool = False, least_rank: int = 0) -> Builder:
    def build(d: Drawer) -> list[Tensor]:
        x = d.pick(kinds, least_rank)
        return d.keep_exact(function(x), x) if exact else [function(x)]

    return build


def exact_unary(function: Callable[[Tensor], Tensor], kinds: str) -> Builder:
    """For functions that jump: only of what every runner has to the last bit."""

    def build(d: Drawer) -> list[Tensor]:
        x = d.pick(kinds, where=lambda t: t.dtype.kind != "f" or t in d.exact)
        return d.keep_exact(function(x), x)

    return build


def binary(function: Callable[[Tensor, Tensor], Tensor]) -> Builder:
    def build(d: Drawer) -> list[Tensor]:
        x = d.pick("fi")
        pair = (x, d.partner(x))
        return [d.tame(function(*(pair if d.flip() else pair[::-1])))]

    return build


def comparison(function: Callable[[Tensor, Tensor], Tensor], kinds: str) -> Builder:
    def build(d: Drawer) -> list[Tensor]:
        x = d.pick(kinds, where=lambda t: t.dtype.kind != "f" or t in d.exact)
        fit = [t for t in d.pool if t.dtype == x.dtype and broadcasts(t, x) and (t.dtype.kind != "f" or t in d.exact)]
        return [function(x, d.one_of(fit))]

    return build


def reduction(function: Callable[..., Tensor]) -> Builder:
    def build(d: Drawer) -> list[Tensor]:
        x = d.pick("fi")
        axes = None if x.rank == 0 or d.flip() else sorted({d.axis(x) % x.rank for _ in range(2)})
        if axes and d.flip():
            axes = [axis - x.rank for axis in axes]
        return [d.tame(function(x, axes, keepdims=d.flip()))]

    return build


def div(d: Drawer) -> list[Tensor]:
    x = d.pick("fi")
    return [d.tame(x / (abs(d.partner(x)) + 1))]


def power(d: Drawer) -> list[Tensor]:
    x = d.pick("fi")
    if x.dtype.kind == "i":
        return [d.tame(x ** d.integer(0, 3))]
    return [d.tame((abs(x) + 0.5) ** d.partner(x))]


def matmul(d: Drawer) -> list[Tensor] | None:
    x = d.pick("fi", 1)
    if not isinstance(x.shape[-1], int):
        return None
    return [d.tame(x @ d.weight([x.shape[-1], *([2] if d.flip() else [])], x.dtype))]


def gemm(d: Drawer) -> list[Tensor] | None:
    fit = [t for t in d.pool if t.rank == 2 and t.dtype.kind in "fi" and isinstance(t.shape[-1], int)]
    if not fit:
        return None
    x, turned = d.one_of(fit), d.flip()
    other = d.weight([2, x.shape[-1]] if turned else [x.shape[-1], 2], x.dtype)
    bias = d.weight(d.one_of([[2], [1, 2], [], [1, 1]]), x.dtype) if d.flip() else None
    options = {"alpha": 0.5, "beta": 2.0} if x.dtype.kind == "f" and d.flip() else {}
    if isinstance(x.shape[0], int) and d.flip():
        return [d.tame(ops.gemm(ops.transpose(x), other, bias, transA=True, transB=turned, **options))]
    return [d.tame(ops.gemm(x, other, bias, transB=turned, **options))]


def along_axis(function: Callable[[Tensor, int], Tensor]) -> Builder:
    def build(d: Drawer) -> list[Tensor]:
        x = d.pick("f", 1)
        return [function(x, d.axis(x))]

    return build


def concat(d: Drawer) -> list[Tensor]:
    x = d.pick("fib", 1)
    axis = d.axis(x)
    rest = [t for t in d.pool if t.dtype == x.dtype and t.shape == x.shape]
    parts = [x, *(d.one_of(rest) for _ in range(d.integer(0, 2)))]
    return d.keep_exact(ops.concat(parts, axis), *parts)


def split(d: Drawer) -> list[Tensor] | None:
    x = d.pick("fib", 1)
    axis = d.fixed_axis(x)
    if axis is None:
        return None
    size = int(x.shape[axis])  # type: ignore[arg-type]
    if d.flip():
        pieces = ops.split(x, size, axis - x.rank)
    else:
        first = d.integer(0, size)
        pieces = ops.split(x, [first, size - first], axis)
    return [made for piece in pieces if 0 not in piece.shape for made in d.keep_exact(piece, x)]


def slice_(d: Drawer) -> list[Tensor] | None:
    x = d.pick("fib", 1)
    axis = d.fixed_axis(x)
    if axis is None:
        return None
    step = d.one_of([1, 1, 2, -1, -2])
    bounds = slice(None, None, step) if d.flip() else slice(*((None, -1) if step > 0 else (-1, 0)), step)
    made = x[(slice(None),) * axis + (bounds,)]
    return d.keep_exact(made, x) if 0 not in made.shape else None


def reshape(d: Drawer) -> list[Tensor]:
    x = d.pick("fib")
    to: Any = d.one_of([[-1], [1, -1], [-1, 1, 1], ops.shape(x), *([[0, -1]] if x.rank else [])])
    return d.keep_exact(ops.reshape(x, to), x)


def transpose(d: Drawer) -> list[Tensor]:
    x = d.pick("fib")
    return d.keep_exact(ops.transpose(x, [int(axis) for axis in d.rng.permutation(x.rank)]), x)


def unsqueeze(d: Drawer) -> list[Tensor]:
    x = d.pick("fib", where=lambda t: t.rank < HIGHEST_RANK)
    return d.keep_exact(ops.unsqueeze(x, [d.integer(-x.rank - 1, x.rank)]), x)


def squeeze(d: Drawer) -> list[Tensor]:
    x = d.pick("fib", where=lambda t: t.rank < HIGHEST_RANK)
    axis = d.integer(0, x.rank)
    return d.keep_exact(ops.squeeze(ops.unsqueeze(x, [axis]), [axis - x.rank - 1] if d.flip() else [axis]), x)


def gather(d: Drawer) -> list[Tensor] | None:
    x = d.pick("fib", 1)
    axis = d.fixed_axis(x)
    if axis is None:
        return None
    size = int(x.shape[axis])  # type: ignore[arg-type]
    if d.flip():
        return d.keep_exact(ops.gather(x, d.rng.integers(-size, size, d.one_of([(), (2,), (1, 2)])), axis), x)
    return d.keep_exact(ops.gather(x, ops.clip(d.pick("i"), -size, size - 1), axis), x)


def expand(d: Drawer) -> list[Tensor]:
    x = d.pick("fib")
    shape = ops.shape(x) if d.flip() else [1 if not isinstance(s, int) else s for s in (2, *x.shape)][-HIGHEST_RANK:]
    return d.keep_exact(ops.expand(x, shape), x)


def shape(d: Drawer) -> list[Tensor]:
    return [ops.clip(ops.shape(d.pick("fib", 1)), -9, 9)]


def constant_of_shape(d: Drawer) -> list[Tensor]:
    dtype = d.one_of([d.dtype, "int32", "int64", "bool"])
    filled = ops.constant_of_shape(ops.shape(d.pick("fib")), d.one_of([0, 1]) == 1 if dtype == "bool" else 2, dtype)
    return d.keep_exact(filled)


def where(d: Drawer) -> list[Tensor]:
    x = d.pick("fib")
    y = d.partner(x)
    fit = [t for t in d.pool if t.dtype == bool and broadcasts(t, x) and broadcasts(t, y)]
    condition = d.one_of(fit) if fit else d.weight([1], bool)
    return d.keep_exact(ops.where(condition, x, y), x, y)


def both(d: Drawer) -> list[Tensor]:
    x = d.pick("b")
    return [x & d.partner(x)]


def cast(d: Drawer) -> list[Tensor]:
    x = d.pick("fib", where=lambda t: t.dtype.kind != "f" or t in d.exact)
    made = ops.cast(x, d.one_of(["float16", "float32", "float64", "int32", "int64", "bool", d.dtype, d.dtype]))
    if made.dtype == "float16" and x.dtype.kind == "f" and x.dtype != made.dtype:
        return [made]  # onnxruntime may leave the rounding out again, as it computes in float32
    return d.keep_exact(made, x)


def either(d: Drawer) -> list[Tensor]:
    a = d.pick("b")
    return [ops.logical_or(a, d.one_of([t for t in d.pool if t.dtype == a.dtype and broadcasts(t, a)]))]


def argmax(d: Drawer) -> list[Tensor] | None:
    fit = [t for t in d.pool if t.rank and (t.dtype.kind == "i" or (t.dtype.kind == "f" and t in d.exact))]
    x = d.one_of(fit)
    return [ops.argmax(x, d.axis(x), keepdims=d.flip())]


def conv(d: Drawer) -> list[Tensor] | None:
    fit = [t for t in d.pool if t.dtype.kind == "f" and t.rank == 3 and t.shape[0] != 0]
    fit = [t for t in fit if all(isinstance(size, int) and size > 0 for size in t.shape[1:])]
    if not fit:
        return None
    x = d.one_of(fit)
    kernel = d.weight([2, x.shape[1], d.integer(1, int(x.shape[2]))], x.dtype)
    return [d.tame(ops.conv(x, kernel, padding=d.one_of(["same", "valid"]), strides=d.integer(1, 2)))]


def clip(d: Drawer) -> list[Tensor]:
    x = d.pick("fi")
    low, high = d.one_of([(-1, 2), (None, 1), (0, None), (None, None)])
    return d.keep_exact(ops.clip(x, low, high), x)


def recurrent(call: Callable[..., Any], gates: int) -> Builder:
    def build(d: Drawer) -> list[Tensor] | None:
        fit = [t for t in d.exact if t.dtype.kind == "f" and t.rank == 3 and 0 not in t.shape]
        fit = [t for t in d.pool if t in fit and all(isinstance(size, int) for size in t.shape[1:])]
        if not fit:
            return None
        x = ops.cast(d.one_of(fit), "float32")  # the one dtype for which onnxruntime has these operators
        hidden = d.integer(1, 3)
        w, r = d.weight([1, gates * hidden, x.shape[2]], "float32"), d.weight([1, gates * hidden, hidden], "float32")
        bias = d.weight([1, 2 * gates * hidden], "float32") if d.flip() else None
        return list(call(x, w * 0.3, r * 0.3, bias, hidden_size=hidden))

    return build


def layer_normalization(d: Drawer) -> list[Tensor] | None:
    fit = [t for t in d.pool if t.dtype.kind == "f" and t.rank and isinstance(t.shape[-1], int) and t.shape[-1] > 0]
    if not fit:
        return None
    x = d.one_of(fit)
    width = [int(x.shape[-1])]
    bias = d.weight(width, x.dtype) if d.flip() else None
    # A large epsilon: what all but cancels would be divided by what all but vanishes.
    return [d.tame(ops.layer_normalization(x, d.weight(width, x.dtype), bias, epsilon=0.5))]


def tile(d: Drawer) -> list[Tensor]:
    x = d.pick("fib")
    return d.keep_exact(ops.tile(x, [d.integer(1, 2) for _ in x.shape]), x)


def reverse_sequence(d: Drawer) -> list[Tensor] | None:
    fit = [t for t in d.pool if t.rank >= 2 and all(isinstance(size, int) and size > 0 for size in t.shape[:2])]
    if not fit:
        return None
    x, batch = d.one_of(fit), d.integer(0, 1)
    time = int(x.shape[1 - batch])
    lengths = d.rng.integers(1, time + 1, int(x.shape[batch]))
    return d.keep_exact(ops.reverse_sequence(x, lengths, batch_axis=batch, time_axis=1 - batch), x)


def scan(d: Drawer) -> list[Tensor]:
    x = d.pick("f", 2, lambda t: isinstance(t.shape[0], int) and t.shape[0] > 0)
    state = d.weight([size if isinstance(size, int) else 1 for size in x.shape[1:]], x.dtype)
    if state.shape != x.shape[1:]:
        state = ops.reduce_max(x, 0)
    weight = d.weight([], x.dtype)
    before, row, shared = (
        unroll.placeholder(list(tensor.shape), name, x.dtype)
        for name, tensor in (("before", state), ("row", state), ("weight", weight))
    )
    after = ops.tanh(before * shared + row)
    body = unroll.Graph([before, row, shared], [after, ops.abs(row)])
    return list(ops.scan(body, [state], [x], [weight]))


def from_cases(op: str) -> Builder:
    """Draw one of an operator's cases; a boolean of the pool says which of two drawings of its numbers goes in.

    So what is read is exact, and within what the function is defined for, as it is in the cases.
    """

    def build(d: Drawer) -> list[Tensor]:
        dtype = str(d.dtype) if str(d.dtype) in DTYPES[op] else d.one_of(DTYPES[op])
        first, second = (cases_of(op, dtype, variant) for variant in (0, 1))
        case, other = d.one_of(list(zip(first, second, strict=True)))
        chooser = ops.cast(ops.reduce_max(ops.cast(d.pick("b"), "int32")), "bool")
        made = case.call(*(one_or_other(chooser, *pair) for pair in zip(case.arrays, other.arrays, strict=True)))
        listed = list(made) if isinstance(made, tuple) else [made]
        return [tensor if tensor.dtype == bool else d.tame(tensor) for tensor in listed if 0 not in tensor.shape]

    return build


def one_or_other(condition: Tensor, first: Array, second: Array) -> Tensor:
    """`first` or `second`; onnxruntime has no Where of booleans."""
    if first.dtype == bool:
        return ops.cast(ops.where(condition, first.astype("int32"), second.astype("int32")), "bool")
    return ops.where(condition, first, second)


BUILDERS: dict[str, Builder] = {
    "Abs": unary(ops.abs, "fi", exact=True),
    "Add": binary(ops.add),
    "And": both,
    "ArgMax": argmax,
    "Cast": cast,
    "Clip": clip,
    "Concat": concat,
    "ConstantOfShape": constant_of_shape,
    "Conv": conv,
    "Div": div,
    "Elu": unary(lambda x: ops.elu(x, 0.5)),
    "Equal": comparison(ops.equal, "fib"),
    "Erf": unary(ops.erf),
    "Exp": unary(lambda x: ops.exp(ops.clip(x, -3, 1))),
    "Expand": expand,
    "Floor": exact_unary(ops.floor, "f"),
    "Gather": gather,
    "Gemm": gemm,
    "GRU": recurrent(ops.gru, 3),
    "Greater": comparison(ops.greater, "fi"),
    "GreaterOrEqual": comparison(ops.greater_equal, "fi"),
    "HardSigmoid": unary(lambda x: ops.hard_sigmoid(x, 0.25, 0.5)),
    "Identity": unary(ops.identity, "fib", exact=True),
    "LSTM": recurrent(ops.lstm, 4),
    "LayerNormalization": layer_normalization,
    "LeakyRelu": unary(lambda x: ops.leaky_relu(x, 0.25)),
    "Less": comparison(ops.less, "fi"),
    "LessOrEqual": comparison(ops.less_equal, "fi"),
    "Log": unary(lambda x: ops.log(abs(x) + 1)),
    "LogSoftmax": along_axis(ops.log_softmax),
    "MatMul": matmul,
    "Max": binary(ops.maximum),
    "Min": binary(ops.minimum),
    "Mul": binary(ops.mul),
    "Neg": unary(ops.neg, "fi", exact=True),
    "Not": unary(ops.logical_not, "b"),
    "Or": either,
    "Pow": power,
    "RNN": recurrent(ops.rnn, 1),
    "ReduceMax": reduction(ops.reduce_max),
    "ReduceMean": reduction(ops.reduce_mean),
    "ReduceMin": reduction(ops.reduce_min),
    "ReduceSum": reduction(ops.reduce_sum),
    "Relu": unary(ops.relu, exact=True),
    "Reshape": reshape,
    "ReverseSequence": reverse_sequence,
    "Scan": scan,
    "Shape": shape,
    "Sigmoid": unary(ops.sigmoid),
    "Sign": exact_unary(ops.sign, "fi"),
    "Slice": slice_,
    "Softmax": along_axis(ops.softmax),
    "Softplus": unary(ops.softplus),
    "Softsign": unary(ops.softsign, least_rank=1),  # onnx's evaluator fails on rank 0
    "Split": split,
    "Sqrt": unary(lambda x: ops.sqrt(abs(x) + 0.5)),
    "Squeeze": squeeze,
    "Sub": binary(ops.sub),
    "Tanh": unary(ops.tanh),
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Where": where,
}
BUILDERS |= {op: from_cases(op) for op in CASES if op not in BUILDERS}
