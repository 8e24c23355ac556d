"""Programs of Keras's layers, PyTorch's modules, an encoder with a decoder that attends to it, and cells that take images."""

from __future__ import annotations

from typing import Any

import numpy as np

import unroll
from programs.choices import Choices
from programs.family_cells import ACTIVATIONS, cell_of, zero_state
from programs.material import Material
from unroll import cells, layers, nest, nn, ops

KERAS = {"SimpleRNN": 1.0, "LSTM": 2, "GRU": 2, "RNN of cells": 0.7}
HEADS = {"none": 2.0, "dense": 1, "dense over time": 1, "second": 2, "norm": 0.5}


def of_keras(choices: Choices) -> unroll.Graph:
    """Return a Keras model: embedding or features, mask or none, one or two recurrent layers, a head."""
    m = Material(choices)
    units, width = m.units(), choices.whole("width", 2, 3)
    batch = {"fixed": 2, "one": 1}.get(m.batch)
    stack: list[Any] = []
    if choices.flag("keras/embedding", 0.3):
        stack = [
            layers.Input((m.steps,), batch_size=batch, dtype="int64"),
            layers.Embedding(7, width, dtype=m.dtype, mask_zero=choices.flag("keras/mask zero")),
        ]
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
    return m.with_values(layers.Sequential(stack).trace())


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
        return layers.RNN(
            [layers.LSTMCell(units, dtype=options["dtype"]), layers.GRUCell(units, dtype=options["dtype"])], **options
        )
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
    units, width = m.units(), choices.whole("width", 2, 3)
    kind = choices.pick("torch/module", ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"))
    bias = choices.flag("torch/bias", 0.8)
    if kind.endswith("Cell"):
        cell = getattr(nn, kind)(width, units, bias=bias, dtype=m.dtype)
        state, ys = None, []
        for x in m.sequence("x", width):
            state = cell(x, state)
            ys.append(state[0] if kind == "LSTMCell" else state)
        return m.with_values(unroll.Graph(m.inputs, {"y": ops.stack(ys, 0), "last": state}))
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
    return m.with_values(
        unroll.Graph(m.inputs, {"y": y, "states": states} if choices.flag("states", 0.6) else {"y": y})
    )


def of_attention(choices: Choices) -> unroll.Graph:
    """Return an encoder and a decoder that attends to all that the encoder made."""
    m = Material(choices)
    units, width = m.units(), choices.whole("width", 2, 3)
    ys, state = unroll.static_rnn(unroll.GRUCell(units), m.sequence("x", width), dtype=m.dtype, scope="encoder")
    memory = ops.stack(ys, 1)
    cell = cell_of(choices, "cell", units) if choices.flag("attention/other cell") else unroll.BasicLSTMCell(units)
    keras = isinstance(cell, layers.Layer)
    now, found = zero_state(m, cell, state), []
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
    return m.with_values(unroll.Graph(m.inputs, {"y": ops.stack(found, 1)}))


OTHERS = ("ConvLSTMCell", "ConvLSTM1D", "PhasedLSTMCell", "EmbeddingWrapper", "stateful")


def of_others(choices: Choices) -> unroll.Graph:
    """Return a program of what takes other inputs than rows of features: images, times, words; or keeps its state."""
    m = Material(choices)
    units, kind = m.units(), choices.pick("other", OTHERS)
    batch = {"fixed": 2, "one": 1}.get(m.batch)
    if kind in ("ConvLSTM1D", "stateful"):
        if kind == "stateful":
            layer = choices.pick("stateful/layer", ("LSTM", "GRU", "SimpleRNN"))
            one = getattr(layers, layer)(units, stateful=True, return_sequences=choices.flag("keras/sequences"))
            return m.with_values(layers.Sequential([layers.Input((m.steps, 2), batch_size=2), one]).trace())
        conv = layers.ConvLSTM1D(units, 2, padding="same", return_sequences=choices.flag("keras/sequences"))
        return m.with_values(layers.Sequential([layers.Input((m.steps, 4, 2), batch_size=batch), conv]).trace())
    lengths = m.lengths() if choices.flag("lengths", 0.35) and m.batch != "two names" else None
    if kind == "ConvLSTMCell":
        cell: Any = cells.Conv1DLSTMCell(
            input_shape=[4, 2], output_channels=units, kernel_shape=[2], skip_connection=choices.flag("conv/skip", 0.3)
        )
        xs: Any = [m.placeholder(f"x{step}", [m.rows(), 4, 2], "float32") for step in range(m.steps)]
    elif kind == "EmbeddingWrapper":
        cell = cells.EmbeddingWrapper(unroll.GRUCell(units), 7, 2)
        xs = [m.placeholder(f"x{step}", [m.rows(), 1], "int64") for step in range(m.steps)]
    else:
        cell = cells.PhasedLSTMCell(units, use_peepholes=choices.flag("phased/peepholes"))
        sizes = (("time", 1), ("x", 2))
        xs = [tuple(m.placeholder(f"{name}{step}", [m.rows(), n]) for name, n in sizes) for step in range(m.steps)]
    ys, state = unroll.static_rnn(cell, xs, sequence_length=lengths)
    graph = unroll.Graph(m.inputs, {"y": ops.stack(ys, 1), "state": state})
    return graph if kind == "PhasedLSTMCell" else m.with_values(graph)
