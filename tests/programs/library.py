"""Programs of the library's own cells, drivers, layers and modules, with states, lengths, masks and directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unroll
from unroll import cells, layers, nest, nn, ops
from unroll.tensor import Tensor

from programs.choices import Choices
from programs.material import Material

ACTIVATIONS = {"tanh": 6.0, "relu": 1, "sigmoid": 0.7, "softsign": 0.4, "elu": 0.3, "linear": 0.3}


def _cell_makers(c: Choices, name: str, units: int, dtype: str) -> dict[str, tuple[float, Callable[[], Any]]]:
    """Return how to make each cell, and how often it is taken."""

    def some(option: str, share: float = 0.3) -> bool:
        return c.flag(f"{name}/{option}", share)

    def act() -> Any:
        found = c.quirk(f"{name}/activation", ACTIVATIONS)
        return {"linear": ops.identity}.get(found) or getattr(ops, found)

    def bias() -> float:
        return float(c.pick(f"{name}/forget bias", {"1.0": 3, "0.0": 1, "-0.0": 0.3, "0.4": 1}))

    def clip() -> float | None:
        return 0.3 if some("cell_clip", 0.2) else None

    def proj() -> int | None:
        return 2 if some("projection", 0.25) else None

    return {
        "BasicRNNCell": (2, lambda: unroll.BasicRNNCell(units, activation=act())),
        "BasicLSTMCell": (3, lambda: unroll.BasicLSTMCell(units, bias(), state_is_tuple=not some("joined state", 0.15), activation=act())),
        "GRUCell": (3, lambda: unroll.GRUCell(units, activation=act())),
        "LSTMCell": (3, lambda: unroll.LSTMCell(units, some("peepholes", 0.5), clip(), num_proj=proj(), forget_bias=bias(), activation=act())),
        "CoupledInputForgetGateLSTMCell": (
            1, lambda: cells.CoupledInputForgetGateLSTMCell(units, some("peepholes"), num_proj=proj(), layer_norm=some("layer norm", 0.2), activation=act()),
        ),
        "UGRNNCell": (0.7, lambda: cells.UGRNNCell(units, forget_bias=bias(), activation=act())),
        "NASCell": (0.5, lambda: cells.NASCell(units, num_proj=proj(), use_bias=some("bias"))),
        "SRUCell": (0.5, lambda: cells.SRUCell(units, activation=act())),
        "IndRNNCell": (0.7, lambda: cells.IndRNNCell(units, activation=act())),
        "IndyGRUCell": (0.7, lambda: cells.IndyGRUCell(units, activation=act())),
        "IndyLSTMCell": (0.7, lambda: cells.IndyLSTMCell(units, bias(), activation=act())),
        "MinimalRNNCell": (0.5, lambda: cells.MinimalRNNCell(units)),
        "IntersectionRNNCell": (0.4, lambda: cells.IntersectionRNNCell(units, num_in_proj=units)),
        "LayerNormBasicLSTMCell": (0.7, lambda: cells.LayerNormBasicLSTMCell(units, bias(), layer_norm=some("layer norm", 0.6), activation=act())),
        "SLSTMCell": (0.6, lambda: cells.SLSTMCell(units, forget_activation="exp" if some("exp") else "sigmoid")),
        "Keras's LSTMCell": (0.7, lambda: layers.LSTMCell(units, dtype=dtype, recurrent_activation=c.pick(f"{name}/gates", ("sigmoid", "hard_sigmoid")))),
        "Keras's GRUCell": (0.7, lambda: layers.GRUCell(units, dtype=dtype, reset_after=not some("reset before", 0.5))),
        "Keras's SimpleRNNCell": (0.4, lambda: layers.SimpleRNNCell(units, dtype=dtype)),
        "own": (0.7, lambda: _Own(units)),
    }  # fmt: skip


class _Own(unroll.RNNCell):
    """A user's cell: a dict of two states, of which one is blended and one counts."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    state_size = property(lambda self: {"a": self.units, "b": self.units})
    output_size = property(lambda self: self.units)

    def call(self, inputs: Any, state: Any) -> Any:
        w = self.add_weight("w", (int(inputs.shape[-1]), self.units))
        f = ops.sigmoid(inputs @ w + state["a"])
        a = f * state["a"] + (1 - f) * ops.tanh(state["b"])
        return a, {"a": a, "b": 0.5 * state["b"] + f}


WRAPPERS = {
    "none": 8.0, "residual": 1, "stack": 2, "stack of other cells": 1, "one cell twice": 0.7, "output projection": 0.6,
    "input projection": 0.6, "attention": 0.8, "residual stack": 0.4, "dropout": 0.2,
}  # fmt: skip


def cell_of(c: Choices, name: str, units: int) -> Any:
    """Return a cell, wrapped or not."""
    makers = _cell_makers(c, name, units, c.made["dtype"])
    kind = c.pick(f"{name}/cell", {key: share for key, (share, _) in makers.items() })
    keras = kind.startswith("Keras")
    wrapper = c.quirk(f"{name}/wrapper", WRAPPERS)
    one = makers[kind][1]()
    if wrapper == "none" or keras:
        return one
    if wrapper.startswith("residual") and kind in ("IntersectionRNNCell",):
        return one
    if wrapper == "residual":
        return cells.ResidualWrapper(one, _added)
    if wrapper == "residual stack":
        return unroll.MultiRNNCell([one, cells.ResidualWrapper(makers[kind][1](), _added)])
    if wrapper == "stack":
        return unroll.MultiRNNCell([one, makers[kind][1]()])
    if wrapper == "stack of other cells":
        return unroll.MultiRNNCell([one, unroll.GRUCell(units), unroll.BasicLSTMCell(units)][: c.whole(f"{name}/layers", 2, 3)])
    if wrapper == "one cell twice":
        first = cells.OutputProjectionWrapper(one, units) if one.output_size != units else one
        return unroll.MultiRNNCell([unroll.BasicRNNCell(units), first, first])
    if wrapper == "output projection":
        return cells.OutputProjectionWrapper(one, 2)
    if wrapper == "input projection":
        return cells.InputProjectionWrapper(one, 3)
    if wrapper == "dropout":
        return cells.DropoutWrapper(one)
    if nest.is_nested(one.state_size) and kind not in ("BasicLSTMCell", "LSTMCell", "IndyLSTMCell"):
        return one
    return cells.AttentionCellWrapper(one, c.whole(f"{name}/attn_length", 1, 3))


def _added(inputs: Tensor, outputs: Tensor) -> Tensor:
    """Add the input to the output, or its first column where they are not as wide."""
    return outputs + (inputs if inputs.shape[-1] == outputs.shape[-1] else inputs[:, :1])


def _awkward(m: Material, graph: unroll.Graph) -> unroll.Graph:
    """Give every Parameter values of ours: the library starts biases with zeros, which hide what is wrong with them."""
    graph.assign({name: m.values(name, item.value.shape, 0.7) for name, item in graph.parameters.items()})
    return graph


DRIVERS = {
    "static_rnn": 4.0, "dynamic_rnn": 2, "rolled": 3, "static_bidirectional_rnn": 1.5, "bidirectional_dynamic_rnn": 1.5,
    "stack_bidirectional_rnn": 0.5, "by hand": 1, "raw_rnn": 0.8, "state saving": 0.5, "two scopes": 0.7,
    "one cell over two inputs": 0.7,
}  # fmt: skip


def of_cells(choices: Choices) -> unroll.Graph:
    """Return a program of TensorFlow's cells and drivers."""
    m = Material(choices)
    units, width = choices.whole("units", 2, 4), choices.whole("width", 2, 3)
    driver = choices.pick("driver", DRIVERS)
    if m.batch == "two names" and driver in ("state saving", "one cell over two inputs"):
        driver = "static_rnn"  # these refuse a state of another batch than the input's
    cell = cell_of(choices, "cell", units)
    lengths = m.lengths() if choices.flag("lengths", 0.35) and driver not in ("by hand", "raw_rnn") else None
    start = choices.pick("initial state", {"none": 4, "inputs": 2}) if driver != "stack_bidirectional_rnn" else "none"

    def first(name: str, item: Any, rows: Any) -> Any:
        size = item.state_size
        if start != "inputs" or not nest.flatten(size) or not hasattr(item, "zero_state"):
            return None
        return nest.pack(size, [m.placeholder(f"{name}{k}", [rows, n]) for k, n in enumerate(nest.flatten(size))])

    if driver in ("dynamic_rnn", "rolled", "bidirectional_dynamic_rnn"):
        return _awkward(m, _dynamic(m, driver, cell, lengths, first, width))
    xs = m.sequence("x", width)
    if driver in ("static_bidirectional_rnn", "stack_bidirectional_rnn"):
        other = cell_of(choices, "other cell", units) if choices.flag("other cell backward") else cell_of(choices, "cell", units)
        if driver == "stack_bidirectional_rnn":
            below = [unroll.GRUCell(units)], [unroll.BasicRNNCell(units)]
            ys, *states = unroll.stack_bidirectional_rnn([*below[0], cell], [*below[1], other], xs, sequence_length=lengths)
        else:
            ys, *states = unroll.static_bidirectional_rnn(
                cell, other, xs, first("fw", cell, xs[0].shape[0]), first("bw", other, xs[0].shape[0]), sequence_length=lengths, dtype=m.dtype
            )
    elif driver == "raw_rnn":
        ys, states = _raw(m, cell, xs, first)
    elif driver == "by hand":
        ys, states = _by_hand(m, cell, xs, first)
    elif driver == "state saving":
        return _awkward(m, _saving(m, cell, xs, lengths))
    else:
        scope = "a" if driver == "two scopes" else None
        ys, states = unroll.static_rnn(cell, xs, first("start", cell, xs[0].shape[0]), m.dtype, lengths, scope=scope)
        if driver == "two scopes":
            more, others = unroll.static_rnn(cell_of(choices, "second cell", units), ys, scope="b", sequence_length=lengths)
            ys, states = more, [ys[-1], states, others]
        if driver == "one cell over two inputs":
            more, others = unroll.static_rnn(cell, m.sequence("v", width), states, scope="again")
            ys, states = [*ys, *more], [others]
    outputs = {f"y/{step}": y for step, y in enumerate(ys)} if choices.flag("each step") else {"y": ops.stack(ys, 1)}
    if choices.flag("states", 0.6):
        outputs |= {f"state/{place}": tensor for place, tensor in enumerate(nest.flatten(states))}
    return _awkward(m, unroll.Graph(m.inputs, outputs))


def _dynamic(m: Material, driver: str, cell: Any, lengths: Any, first: Any, width: int) -> unroll.Graph:
    major = m.choices.flag("time major")
    x = m.placeholder("x", [m.steps, m.rows(), width] if major else [m.rows(), m.steps, width])
    options = {"time_major": major, "dtype": m.dtype}
    rows = x.shape[1 if major else 0]
    if driver == "bidirectional_dynamic_rnn":
        other = cell_of(m.choices, "cell", m.choices.whole("units", 2, 4))
        ys, states = unroll.bidirectional_dynamic_rnn(cell, other, x, lengths, first("fw", cell, rows), first("bw", other, rows), **options)
        return unroll.Graph(m.inputs, {"y": ops.concat(ys, -1), "states": states})
    rolled = driver == "rolled"
    y, state = unroll.dynamic_rnn(cell, x, lengths, first("start", cell, rows), rolled=rolled, **options)
    outputs = {"y": y}
    if rolled and m.choices.flag("second loop", 0.3):
        y, _ = unroll.dynamic_rnn(unroll.GRUCell(2), y, lengths, rolled=rolled, scope="second", **options)
        outputs = {"y": ops.tanh(y)}
    if m.choices.flag("states", 0.6):
        outputs["state"] = state
    return unroll.Graph(m.inputs, outputs)


def _zero_state(m: Material, cell: Any, x: Tensor) -> Any:
    sizes = nest.flatten(cell.state_size)
    zeros = [ops.constant_of_shape(ops.concat([ops.shape(x)[:1], [n]], 0), 0.0, m.dtype) for n in sizes]
    return nest.pack(cell.state_size, zeros)


def _by_hand(m: Material, cell: Any, xs: list[Tensor], first: Any) -> tuple[list[Tensor], Any]:
    state = first("start", cell, xs[0].shape[0])
    state = _zero_state(m, cell, xs[0]) if state is None else state
    ys = []
    keras = isinstance(cell, layers.Layer)
    for x in xs:
        y, state = cell(x, nest.flatten(state) if keras else state)
        ys.append(y)
    return ys, state


def _raw(m: Material, cell: Any, xs: list[Tensor], first: Any) -> tuple[list[Tensor], Any]:
    """A decoder that reads what it made, from step 1 on or added to its input."""
    width = int(xs[0].shape[-1])
    start = first("start", cell, xs[0].shape[0])
    start = _zero_state(m, cell, xs[0]) if start is None else start
    way = m.choices.pick("decoder", ("its output", "input and output", "input"))
    lengths = m.lengths() if m.choices.flag("decoder/lengths", 0.3) and m.batch != "two names" else None

    def step(time: int, output: Any, state: Any, loop: Any) -> Any:
        done: Any = False
        if lengths is not None:
            done = ops.less_equal(lengths, unroll.constant(time, dtype=lengths.dtype))
        x = xs[min(time, len(xs) - 1)]
        if time and way != "input":
            said = ops.tanh(output @ m.weight("said", int(output.shape[-1]), width))
            x = said if way == "its output" else x + said
        return done, x, state if time else start, None, None

    ys, state, _ = unroll.raw_rnn(cell, step, maximum_iterations=m.steps)
    return ys, state


def _saving(m: Material, cell: Any, xs: list[Tensor], lengths: Any) -> unroll.Graph:
    sizes = nest.flatten(cell.state_size)
    names = nest.pack(cell.state_size, [f"s{place}" for place in range(len(sizes))])
    saver = unroll.StateSaver({f"s{place}": size for place, size in enumerate(sizes)}, batch_size={"fixed": 2, "one": 1}.get(m.batch), dtype=m.dtype)
    ys, _ = unroll.static_state_saving_rnn(cell, xs, saver, names, sequence_length=lengths)
    return unroll.Graph([*m.inputs, *saver.states], {"y": ops.stack(ys, 0)}, states=saver.states)


KERAS = {"SimpleRNN": 1.0, "LSTM": 2, "GRU": 2, "RNN of cells": 0.7}
HEADS = {"none": 2.0, "dense": 1, "dense over time": 1, "second": 2, "norm": 0.5}


def of_keras(choices: Choices) -> unroll.Graph:
    """Return a Keras model: embedding or features, mask or none, one or two recurrent layers, a head."""
    m = Material(choices)
    units, width = choices.whole("units", 2, 4), choices.whole("width", 2, 3)
    batch = {"fixed": 2, "one": 1}.get(m.batch)
    stack: list[Any] = []
    if choices.flag("keras/embedding", 0.3):
        stack = [layers.Input((m.steps,), batch_size=batch, dtype="int64"), layers.Embedding(7, width, dtype=m.dtype, mask_zero=choices.flag("keras/mask zero"))]
    else:
        stack = [layers.Input((m.steps, width), batch_size=batch, dtype=m.dtype)]
        stack += [layers.Masking(0.0, dtype=m.dtype)] if choices.flag("keras/masking", 0.3) else []
    head = choices.pick("keras/head", HEADS)
    sequences = head in ("second", "dense over time") or choices.flag("keras/sequences")
    stack.append(_keras_layer(choices, "keras/first", units, sequences))
    if head == "second":
        stack.append(_keras_layer(choices, "keras/second", units, choices.flag("keras/sequences")))
    if head == "norm":
        stack.append(layers.LayerNormalization(dtype=m.dtype))
    if head == "dense over time":
        stack.append(layers.TimeDistributed(layers.Dense(2, activation="tanh", dtype=m.dtype)))
    if head == "dense":
        stack.append(layers.Dense(3, activation="softmax", dtype=m.dtype))
    return _awkward(m, layers.Sequential(stack).trace())


def _keras_layer(c: Choices, name: str, units: int, sequences: bool) -> Any:
    kind = c.pick(f"{name}/layer", KERAS)
    merge = c.pick(f"{name}/bidirectional", {"no": 3, "concat": 1, "sum": 0.4, "mul": 0.3, "ave": 0.3})
    options: dict[str, Any] = {
        "dtype": c.made["dtype"],
        "return_sequences": sequences,
        "go_backwards": c.flag(f"{name}/go_backwards", 0.2) and merge == "no",
        "zero_output_for_mask": c.flag(f"{name}/zero_output_for_mask", 0.2),
    }
    if kind == "RNN of cells":
        return layers.RNN([layers.LSTMCell(units, dtype=options["dtype"]), layers.GRUCell(units, dtype=options["dtype"])], **options)
    options["stateful"] = False
    options |= {"use_bias": c.flag(f"{name}/use_bias", 0.8), "activation": c.quirk(f"{name}/activation", ACTIVATIONS)}
    if kind != "SimpleRNN":
        gates = ("sigmoid", "hard_sigmoid", "tanh", "relu")
        options["recurrent_activation"] = c.pick(f"{name}/gates", dict(zip(gates, (4.0, 1, 0.5, 0.3), strict=True)))
    if kind == "GRU":
        options["reset_after"] = c.flag(f"{name}/reset_after")
    one = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}[kind](units, **options)
    return one if merge == "no" else layers.Bidirectional(one, merge_mode=merge)


def of_torch(choices: Choices) -> unroll.Graph:
    """Return a program of PyTorch's modules."""
    m = Material(choices)
    units, width = choices.whole("units", 2, 4), choices.whole("width", 2, 3)
    kind = choices.pick("torch/module", ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"))
    bias = choices.flag("torch/bias", 0.8)
    if kind.endswith("Cell"):
        cell = getattr(nn, kind)(width, units, bias=bias, dtype=m.dtype)
        state, ys = None, []
        for x in m.sequence("x", width):
            state = cell(x, state)
            ys.append(state[0] if kind == "LSTMCell" else state)
        return _awkward(m, unroll.Graph(m.inputs, {"y": ops.stack(ys, 0), "last": state}))
    deep, both = choices.whole("torch/layers", 1, 2), choices.flag("torch/bidirectional", 0.3)
    options: dict[str, Any] = {"bias": bias, "batch_first": choices.flag("torch/batch_first"), "bidirectional": both}
    if kind == "LSTM" and choices.flag("torch/proj_size", 0.2):
        options["proj_size"] = 1
    if kind == "RNN" and choices.flag("torch/relu", 0.3):
        options["nonlinearity"] = "relu"
    module = getattr(nn, kind)(width, units, deep, dtype=m.dtype, **options)
    shape = [m.rows(), m.steps, width] if options["batch_first"] else [m.steps, m.rows(), width]
    x = m.placeholder("x", shape)
    rows = x.shape[0 if options["batch_first"] else 1]
    lengths = m.lengths() if choices.flag("torch/lengths", 0.3) else None
    hx: Any = None
    if choices.flag("torch/states", 0.4):
        count = deep * (1 + both)
        hx = m.placeholder("h0", [count, rows, options.get("proj_size") or units])
        hx = (hx, m.placeholder("c0", [count, rows, units])) if kind == "LSTM" else hx
    y, states = module(x, hx, lengths=lengths)
    return _awkward(m, unroll.Graph(m.inputs, {"y": y, "states": states} if choices.flag("states", 0.6) else {"y": y}))


def of_attention(choices: Choices) -> unroll.Graph:
    """Return an encoder and a decoder that attends to all that the encoder made."""
    m = Material(choices)
    units, width = choices.whole("units", 2, 4), choices.whole("width", 2, 3)
    ys, state = unroll.static_rnn(unroll.GRUCell(units), m.sequence("x", width), dtype=m.dtype, scope="encoder")
    memory = ops.stack(ys, 1)
    cell = cell_of(choices, "cell", units) if choices.flag("attention/other cell") else unroll.BasicLSTMCell(units)
    keras = isinstance(cell, layers.Layer)
    now, found = _zero_state(m, cell, state), []
    read = ops.tanh(state)
    scaled = choices.pick("attention/score", ("dot", "general", "scaled dot"))
    masked = m.lengths() if choices.flag("attention/lengths", 0.3) else None
    for _ in range(m.steps):
        query, now = cell(read, nest.flatten(now) if keras else now)
        if query.shape[-1] != units or scaled == "general":
            query = query @ m.weight("score", int(query.shape[-1]), units)
        scores = ops.reduce_sum(memory * ops.unsqueeze(query, [1]), [2])
        scores = scores * 0.5 if scaled == "scaled dot" else scores
        if masked is not None:
            places = unroll.constant(np.arange(m.steps)[None, :], dtype=masked.dtype)
            scores = ops.where(ops.less(places, ops.unsqueeze(masked, [1])), scores, -20.0)
        shares = ops.softmax(scores, -1)
        read = ops.reduce_sum(memory * ops.unsqueeze(shares, [2]), [1])
        found.append(read)
    return _awkward(m, unroll.Graph(m.inputs, {"y": ops.stack(found, 1)}))
