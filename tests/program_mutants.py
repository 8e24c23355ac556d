"""Small programs with lengths, masks and tables, and mutants of them: one operator, attribute, constant or weight is another.

Each program comes with feeds of its own on which every length, every id and every mask stands, written down here by hand: they
are what says whether a mutant computes the same, and owe nothing to how the package draws feeds.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from helpers import Array

import unroll
from unroll import ops
from unroll.ops.operator import OPERATORS, apply
from unroll.ops.scan import Scan
from unroll.tensor import Constant, Node, Tensor

STEPS, WIDTH, UNITS, ROWS = 5, 2, 3, 12


class Program(NamedTuple):
    """A graph, and feeds that leave nothing out."""

    build: Callable[[], unroll.Graph]
    feeds: Callable[[np.random.Generator], Iterator[dict[str, Array]]]


def _x(name: str = "x", shape: Any = ("batch", STEPS, WIDTH), dtype: Any = "float32") -> Any:
    return unroll.placeholder(list(shape), name, dtype)


def _int(value: int, dtype: str = "int32") -> Any:
    return unroll.constant(value, dtype=dtype)


def _weight(name: str, *shape: int) -> Any:
    rng = np.random.default_rng(len(name) + 7 * int(np.prod(shape)))
    return unroll.Parameter((rng.uniform(0.3, 0.9, shape) * rng.choice([-1, 1], shape)).astype("float32"), name)


def _normal(rng: np.random.Generator, *shape: int) -> Array:
    return np.asarray(rng.standard_normal(shape), "float32")


def _all_lengths(rng: np.random.Generator, dtype: str = "int32", **more: Any) -> Iterator[dict[str, Array]]:
    lengths = np.arange(STEPS + 1, dtype=dtype)
    for scale in (0.5, 1.5, 4.0):
        yield {"x": _normal(rng, STEPS + 1, STEPS, WIDTH) * np.float32(scale), "n": lengths, **more}


def _cell() -> Callable[[Any, Any], Any]:
    w, u = _weight("w", WIDTH, UNITS), _weight("u", UNITS, UNITS)
    return lambda x, h: ops.tanh(x @ w + h @ u)


def _by_hand(valid: Callable[[int, Any], Any], dtype: str = "int32") -> Callable[[], unroll.Graph]:
    def build() -> unroll.Graph:
        x, n = _x(), _x("n", ("batch",), dtype)
        cell, h = _cell(), x[:, 0] @ _weight("first", WIDTH, UNITS)
        for step in range(STEPS):
            h = ops.where(ops.unsqueeze(valid(step, n), [1]), cell(x[:, step], h), h)
        return unroll.Graph([x, n], {"h": h})

    return build


def _driver(cell: Callable[[], Any], rolled: bool = False) -> Callable[[], unroll.Graph]:
    def build() -> unroll.Graph:
        x, n = _x(), _x("n", ("batch",), "int32")
        outputs, state = unroll.dynamic_rnn(cell(), x, sequence_length=n, dtype="float32", rolled=rolled)
        graph = unroll.Graph([x, n], {"y": outputs, "state": state})
        rng = np.random.default_rng(1)
        for item in graph.parameters.values():
            item.assign(rng.uniform(-0.9, 0.9, item.shape))
        return graph

    return build


def _native() -> unroll.Graph:
    x, n = _x("x", (STEPS, "batch", WIDTH)), _x("n", ("batch",), "int32")
    w, r, b = _weight("W", 2, 4 * UNITS, WIDTH), _weight("R", 2, 4 * UNITS, UNITS), _weight("B", 2, 8 * UNITS)
    y, h, c = ops.lstm(x, w, r, b, n, hidden_size=UNITS, direction="bidirectional")
    return unroll.Graph([x, n], {"y": y * 2.0, "h": h, "c": c + 0.5})


def _native_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    for feeds in _all_lengths(rng):
        yield feeds | {"x": np.ascontiguousarray(np.moveaxis(feeds["x"], 1, 0))}


def _turned() -> unroll.Graph:
    x, n = _x(), _x("n", ("batch",), "int64")
    turned = ops.reverse_sequence(x, n, batch_axis=0, time_axis=1)
    return unroll.Graph([x, n], {"y": turned @ _weight("w", WIDTH, UNITS), "last": turned[:, STEPS - 1] - 0.25})


def _words() -> unroll.Graph:
    ids = _x("ids", ("batch", 2), "int64")
    table, mask, cell = _weight("table", ROWS, WIDTH), _int(0, "int64"), _cell()
    h = ops.constant_of_shape(ops.concat([ops.shape(ids)[:1], [UNITS]], 0), 0.25)
    for step in range(2):
        word = ids[:, step]
        new = cell(ops.gather(table, word, 0), h)
        h = ops.where(ops.unsqueeze(ops.not_equal(word, mask), [1]), new, h)
    return unroll.Graph([ids], {"h": h})


def _word_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    yield {"ids": np.array(list(itertools.product(range(ROWS), repeat=2)), "int64")}


def _two_tables() -> unroll.Graph:
    ids = _x("ids", ("batch", 2), "int32")
    word = ops.gather(_weight("words", ROWS, WIDTH), ops.clip(ids[:, 0], _int(0), _int(ROWS - 1)), 0)
    kind = ops.gather(_weight("kinds", 3, WIDTH), ids[:, 1], 0)
    return unroll.Graph([ids], {"y": ops.sigmoid(word * kind + 0.5), "much": ops.cast(ids[:, 0], "float32") * 0.1})


def _two_table_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    yield {"ids": np.array(list(itertools.product(range(-3, ROWS + 3), range(3))), "int32")}


def _masked() -> unroll.Graph:
    x, mask = _x(), _x("mask", ("batch", STEPS), "bool")
    cell, h = _cell(), x[:, 0] @ _weight("first", WIDTH, UNITS)
    for step in range(STEPS):
        keep = ops.logical_and(mask[:, step], mask[:, 0]) if step % 2 else mask[:, step]
        h = ops.where(ops.unsqueeze(keep, [1]), cell(x[:, step], h), h)
    return unroll.Graph([x, mask], {"h": h})


def _mask_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    masks = np.array(list(itertools.product([False, True], repeat=STEPS)))
    yield {"x": _normal(rng, len(masks), STEPS, WIDTH), "mask": masks}


def _masking() -> unroll.Graph:
    """Rows that hold nothing but -1 are left out, as Keras's Masking does."""
    x = _x()
    away, cell = ops.not_equal(x, -1.0), _cell()
    h = ops.constant_of_shape(ops.concat([ops.shape(x)[:1], [UNITS]], 0), 0.25)
    for step in range(STEPS):
        keep = ops.greater(ops.reduce_max(ops.cast(away[:, step], "float32"), [1], True), 0.0)
        h = ops.where(keep, cell(x[:, step], h), h)
    return unroll.Graph([x], {"h": h})


def _masking_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    masks = np.array(list(itertools.product([False, True], repeat=STEPS)))
    x = _normal(rng, len(masks), STEPS, WIDTH)
    x[masks] = -1
    x[rng.random(x.shape) < 0.1] = -1
    yield {"x": x}


def _activations() -> unroll.Graph:
    x = _x("x", ("batch", 4))
    parts = [
        ops.leaky_relu(x, 0.1),
        ops.elu(x, 0.7),
        ops.hard_sigmoid(x, 0.2, 0.5),
        ops.clip(x, -0.5, 1.5),
        ops.softmax(x, 1),
        ops.softplus(x) - ops.softsign(x),
        ops.layer_normalization(x, _weight("scale", 4), _weight("shift", 4), epsilon=1e-3),
    ]
    return unroll.Graph([x], {f"y{place}": part * _weight(f"f{place}", 4) for place, part in enumerate(parts)})


def _activation_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    for scale in (0.3, 1.0, 3.0):
        yield {"x": _normal(rng, 30, 4) * np.float32(scale)}
    yield {"x": np.array([[0, 1, -1, 2], [0, 0, 0, 0]], "float32")}


def _counting() -> unroll.Graph:
    n, k = _x("n", ("batch",), "int64"), _x("k", ("batch",), "int64")
    left = _int(STEPS, "int64") - n
    half = (n * 3 + k) / _int(2, "int64")
    return unroll.Graph([n, k], {"left": left, "half": half, "most": ops.maximum(left, k), "size": ops.abs(n - k)})


def _counting_feeds(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    pairs = np.array(list(itertools.product(range(-9, 10), repeat=2)), "int64")
    yield {"n": pairs[:, 0].copy(), "k": pairs[:, 1].copy()}


def _as_floats(rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    return _all_lengths(rng, "float32")


PROGRAMS: dict[str, Program] = {
    "less": Program(_by_hand(lambda t, n: ops.less(_int(t), n)), _all_lengths),
    "greater or equal": Program(_by_hand(lambda t, n: ops.greater_equal(n, _int(t + 1))), _all_lengths),
    "what is left": Program(_by_hand(lambda t, n: ops.greater(n - t, _int(0))), _all_lengths),
    "floats": Program(_by_hand(lambda t, n: ops.less(unroll.constant(float(t)), n), "float32"), _as_floats),
    "clipped": Program(
        _by_hand(lambda t, n: ops.less(_int(t), ops.minimum(ops.maximum(n, _int(1)), _int(STEPS - 1)))), _all_lengths
    ),
    "lstm": Program(_driver(lambda: unroll.BasicLSTMCell(UNITS)), _all_lengths),
    "gru": Program(_driver(lambda: unroll.GRUCell(UNITS)), _all_lengths),
    "loop": Program(_driver(lambda: unroll.BasicRNNCell(UNITS), rolled=True), _all_lengths),
    "native": Program(_native, _native_feeds),
    "turned": Program(_turned, lambda rng: _all_lengths(rng, "int64")),
    "words": Program(_words, _word_feeds),
    "two tables": Program(_two_tables, _two_table_feeds),
    "mask": Program(_masked, _mask_feeds),
    "masking": Program(_masking, _masking_feeds),
    "activations": Program(_activations, _activation_feeds),
    "counting": Program(_counting, _counting_feeds),
}

#: Operators that take the place of one another.
_FAMILIES = (
    ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"),
    ("Add", "Sub", "Mul", "Max", "Min"),
    ("Tanh", "Sigmoid", "Relu", "Softsign", "Identity", "Neg"),
    ("And", "Or"),
    ("Abs", "Neg", "Sign", "Identity"),
    ("ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean"),
)


def _pick(rng: np.random.Generator, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def _other_operator(node: Node, rng: np.random.Generator) -> tuple[Any, tuple[Any, ...]] | None:
    """Another operator of the family, or the same on two inputs exchanged."""
    if node.op.name in ("Sub", "Div", "MatMul", "Less", "Greater") and rng.random() < 0.3:
        return node.op, (node.inputs[1], node.inputs[0])
    if node.op.name == "Where":
        return node.op, (node.inputs[0], node.inputs[2], node.inputs[1])
    names = [name for family in _FAMILIES if node.op.name in family for name in family if name != node.op.name]
    if not names:
        return None
    kind = OPERATORS["", _pick(rng, names)]
    fields = {item.name for item in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    return kind(**{name: value for name, value in node.op.attributes.items() if name in fields}), node.inputs


def _other_attribute(node: Node, rng: np.random.Generator) -> tuple[Any, tuple[Any, ...]] | None:
    if not dataclasses.is_dataclass(node.op) or isinstance(node.op, Scan):
        return None
    changed: list[tuple[str, Any]] = []
    for field in dataclasses.fields(node.op):
        value = getattr(node.op, field.name)
        if isinstance(value, float):
            changed.append((field.name, value * 1.5 + 0.1))
        elif isinstance(value, int) and field.name not in ("hidden_size", "num_outputs"):
            changed.append((field.name, 1 - value if value in (0, 1) else value + 1))
        elif field.name == "direction":
            changed.append((field.name, "reverse" if value == "forward" else "forward"))
        elif field.name == "activations":
            count = len(node.op.default_activations) * node.op.directions  # type: ignore[attr-defined]
            names = [*(value or node.op.default_activations * node.op.directions)]  # type: ignore[attr-defined]
            names[int(rng.integers(count))] = "Softsign"
            changed.append((field.name, tuple(names)))
        elif field.name == "perm" and len(value) > 1:
            changed.append((field.name, (*value[1:], value[0])))
    if not changed:
        return None
    name, value = _pick(rng, changed)
    return dataclasses.replace(node.op, **{name: value}), node.inputs


def _other_value(node: Node, rng: np.random.Generator, kind: type) -> tuple[Any, tuple[Any, ...]] | None:
    """One element of one constant, or weight, is another; a weight keeps its name."""
    places = [place for place, tensor in enumerate(node.inputs) if isinstance(tensor, kind) and tensor.value.size]
    if not places:
        return None
    place = _pick(rng, places)
    tensor = node.inputs[place]
    value = np.array(tensor.value)  # type: ignore[union-attr]
    at = tuple(int(rng.integers(size)) for size in value.shape)
    if value.dtype.kind == "b":
        value[at] = not value[at]
    else:
        value[at] += _pick(rng, (1, -1)) if value.dtype.kind == "i" else _pick(rng, (0.2, -0.35))
    other = Constant(value) if kind is Constant else unroll.Parameter(value, tensor.name)  # type: ignore[union-attr]
    return node.op, (*node.inputs[:place], other, *node.inputs[place + 1 :])


MUTATIONS: dict[str, Callable[[Node, np.random.Generator], tuple[Any, tuple[Any, ...]] | None]] = {
    "operator": _other_operator,
    "attribute": _other_attribute,
    "constant": lambda node, rng: _other_value(node, rng, Constant),
    "weight": lambda node, rng: _other_value(node, rng, unroll.Parameter),
}


def _rebuilt(graph: unroll.Graph, at: Node, op: Any, inputs: tuple[Any, ...]) -> unroll.Graph:
    """The graph with one node replaced, every node after it made anew by its own rules."""
    new: dict[Tensor, Tensor] = {}
    for node in graph.nodes:
        if node is not at and not any(tensor in new for tensor in node.inputs):
            continue
        kind, given = (op, inputs) if node is at else (node.op, node.inputs)
        moved = [None if tensor is None else new.get(tensor, tensor) for tensor in given]
        if isinstance(kind, Scan):
            shared = kind.num_states + kind.num_scan_inputs
            made = ops.scan(kind.body, moved[: kind.num_states], moved[kind.num_states : shared], moved[shared:])
        else:
            made = apply(kind, *moved)
        new.update(zip(node.outputs, made, strict=True))
    outputs = {name: new.get(t, t) for name, t in zip(graph.output_names, graph.outputs, strict=True)}
    return unroll.Graph(graph.inputs, outputs, graph.requirements)


def _mutated(graph: unroll.Graph, mutation: str, rng: np.random.Generator) -> unroll.Graph | None:
    node = _pick(rng, graph.nodes)
    if isinstance(node.op, Scan) and rng.random() < 0.9:
        body = _mutated(node.op.body, "weight" if mutation == "weight" else mutation, rng)
        return None if body is None else _rebuilt(graph, node, dataclasses.replace(node.op, body=body), node.inputs)
    found = MUTATIONS[mutation](node, rng)
    return None if found is None else _rebuilt(graph, node, *found)


class Mutant(NamedTuple):
    """A mutant, and what it is one of."""

    what: str
    original: unroll.Graph
    changed: unroll.Graph
    program: Program


def mutant(seed: int) -> Mutant:
    """Return one mutant: of each program and each kind of mutation in turn."""
    rng = np.random.default_rng(seed)
    name = list(PROGRAMS)[seed % len(PROGRAMS)]
    mutation = list(MUTATIONS)[seed // len(PROGRAMS) % len(MUTATIONS)]
    program = PROGRAMS[name]
    original = program.build()
    for attempt in range(400):
        kind = mutation if attempt < 200 else _pick(rng, list(MUTATIONS))
        try:
            changed = _mutated(original, kind, rng)
        except (unroll.UnrollError, TypeError, ValueError):
            continue
        if changed is not None and _alike(original, changed):
            return Mutant(f"seed {seed}: {name}, {kind}", original, changed, program)
    raise AssertionError(f"seed {seed}: no mutant of {name} was found")


def _alike(one: unroll.Graph, other: unroll.Graph) -> bool:
    return [(t.shape, t.dtype) for t in one.outputs] == [(t.shape, t.dtype) for t in other.outputs]


def apart(found: Mutant, seed: int) -> float:
    """Return how far outputs are apart on the program's own feeds; infinity where one fails and the other does not."""
    worst = 0.0
    for feeds in found.program.feeds(np.random.default_rng(seed)):
        outcomes: list[Any] = []
        for graph in (found.original, found.changed):
            try:
                outcomes.append(graph.run(feeds))
            except unroll.UnrollError:
                outcomes.append(None)
        if outcomes[0] is None or outcomes[1] is None:
            if outcomes[0] is not outcomes[1]:
                return float("inf")
            continue
        for name, wanted in outcomes[0].items():
            a, b = np.asarray(wanted, "float64"), np.asarray(outcomes[1][name], "float64")
            if a.shape != b.shape:
                return float("inf")
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            gap = np.where(same, 0, np.abs(a - b) / np.maximum(1, np.abs(a)))
            worst = max(worst, float(np.where(np.isnan(gap), np.inf, gap).max(initial=0)))
    return worst
