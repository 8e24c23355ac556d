"""Programs to draw, and ways to read a picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pygraphviz

import unroll
from unroll import cells, layers, nn, ops
from unroll.viz import drawing

HOSTILE = '<b>&amp;"x"\\N\\G{a|b}<é>'


def two_steps() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 3], f"X{step}") for step in range(2)]
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(5), inputs)
    return unroll.Graph(inputs, outputs)


def image_rows(steps: int = 28) -> unroll.Graph:
    images = unroll.placeholder([None, 28 * steps], "images")
    rows = ops.transpose(ops.reshape(images, [-1, steps, 28]), [1, 0, 2])
    outputs, state = unroll.static_rnn(unroll.BasicLSTMCell(13), list(ops.split(ops.reshape(rows, [-1, 28]), steps)))
    return unroll.Graph([images], [*outputs, *state])


def over_steps(cell: unroll.RNNCell, steps: int = 4) -> unroll.Graph:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(steps)]
    outputs, state = unroll.static_rnn(cell, inputs)
    return unroll.Graph(inputs, [outputs, state])


def dynamic() -> unroll.Graph:
    x = unroll.placeholder([None, 5, 4], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicRNNCell(3), x)
    return unroll.Graph([x], [outputs])


def by_hand() -> unroll.Graph:
    first, second = (unroll.placeholder([None, 3], f"X{step}") for step in range(2))
    wx, wh, b = (
        unroll.Parameter(np.ones(shape, np.float32), name) for shape, name in (((3, 5), "Wx"), ((5, 5), "Wh"), (5, "b"))
    )
    before = ops.tanh(first @ wx + b)
    return unroll.Graph([first, second], {"Y0": before, "Y1": ops.tanh(second @ wx + before @ wh + b)})


def two_rnns_and_a_dense_layer() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(4)]
    middle, _ = unroll.static_rnn(unroll.BasicRNNCell(3), inputs, scope="a")
    _, last = unroll.static_rnn(unroll.GRUCell(3), middle, scope="b")
    kernel = unroll.Parameter(np.ones((3, 2), np.float32), "dense/kernel")
    bias = unroll.Parameter(np.zeros(2, np.float32), "dense/bias")
    return unroll.Graph(inputs, {"scores": ops.softmax(last @ kernel + bias)})


def hostile() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 'di"m<&\n'], HOSTILE + str(step)) for step in range(2)]
    cell = unroll.BasicRNNCell(2, name="cell <&>\\N{|}")
    outputs, _ = unroll.static_rnn(cell, [ops.reshape(x, [-1, 3]) for x in inputs], scope='<sc"ope>&lt;')
    return unroll.Graph(inputs, outputs)


class Pair(unroll.RNNCell):
    """A user's own cell: a dict for a state, a weight without block table."""

    state_size = {"a": 2, "b": 3}  # noqa: RUF012
    output_size = 2

    def call(self, inputs, state):
        weight = self.add_weight("w", (4, 2))
        new = ops.tanh(inputs @ weight + state["a"])
        return new, {"a": new, "b": state["b"] * 0.5}


class Split(unroll.RNNCell):
    """A user's own cell whose two new states stand side by side."""

    state_size = {"a": 2, "b": 3}  # noqa: RUF012
    output_size = 2

    def call(self, inputs, state):
        kernel = self.add_weight("kernel", rows={"x": 4, "a": 2, "b": 3}, columns={"a": 2, "b": 3})
        a, b = ops.split(ops.concat([inputs, state["a"], state["b"]], -1) @ kernel, [2, 3], -1)
        a, b = ops.tanh(a), ops.sigmoid(b)
        return a, {"a": a, "b": b}


def keras(*stack: layers.Layer, steps: int = 3) -> unroll.Graph:
    return layers.Sequential([layers.Input((steps, 4)), *stack]).trace()


def keras_bidirectional(steps: int = 3) -> unroll.Graph:
    both = layers.Bidirectional(layers.LSTM(5, return_sequences=True))
    return keras(both, layers.TimeDistributed(layers.Dense(2)), steps=steps)


def bidirectional() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    return unroll.Graph(
        inputs, list(unroll.static_bidirectional_rnn(unroll.BasicLSTMCell(3), unroll.GRUCell(3), inputs))
    )


def torch_gru() -> unroll.Graph:
    x = unroll.placeholder([3, None, 4], "x")
    return unroll.Graph([x], list(nn.GRU(4, 3, num_layers=2, bidirectional=True)(x)))


def both_ways_with_lengths() -> unroll.Graph:
    x, lengths = unroll.placeholder([None, 3, 4], "x"), unroll.placeholder([None], "lengths", "int64")
    forward, backward = unroll.BasicLSTMCell(3), unroll.BasicLSTMCell(3)
    outputs, states = unroll.bidirectional_dynamic_rnn(forward, backward, x, sequence_length=lengths)
    return unroll.Graph([x, lengths], [outputs, states])


def stateful() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    c, h = unroll.placeholder([None, 3], "c"), unroll.placeholder([None, 3], "h")
    outputs, state = unroll.static_rnn(unroll.BasicLSTMCell(3), inputs, initial_state=unroll.LSTMStateTuple(c, h))
    named = {f"Y{step}": output for step, output in enumerate(outputs)}
    return unroll.Graph(inputs, named, states={c: state.c, h: state.h})


def fed_back(steps: int = 4) -> unroll.Graph:
    """An encoder of three steps, and a decoder that reads what it made last."""
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    _, state = unroll.static_rnn(unroll.BasicLSTMCell(4), inputs, scope="encoder")
    projection = unroll.Parameter(np.ones((4, 4), np.float32), "projection")

    def step(time, output, new_state, loop_state):
        return False, ops.tanh(output @ projection) if time else inputs[0], new_state if time else state, None, None

    outputs, _, _ = unroll.raw_rnn(unroll.BasicLSTMCell(4), step, maximum_iterations=steps, scope="decoder")
    return unroll.Graph(inputs, outputs)


PROGRAMS = {
    "two steps": two_steps,
    "image rows": image_rows,
    "GRU": lambda: over_steps(unroll.GRUCell(6)),
    "stacked": lambda: over_steps(unroll.cells.MultiRNNCell([unroll.BasicLSTMCell(8), unroll.GRUCell(4)])),
    "one state tensor": lambda: over_steps(unroll.BasicLSTMCell(2, state_is_tuple=False)),
    "own cell": lambda: over_steps(Pair()),
    "two states side by side": lambda: over_steps(Split()),
    "one step": lambda: over_steps(unroll.BasicLSTMCell(3), 1),
    "dynamic_rnn": dynamic,
    "by hand": by_hand,
    "two RNNs": two_rnns_and_a_dense_layer,
    "hostile names": hostile,
    "Keras, both ways": keras_bidirectional,
    "Keras, backward": lambda: keras(layers.GRU(5, go_backwards=True)),
    "Keras, masked": lambda: keras(layers.Masking(), layers.GRU(5)),
    "both ways": bidirectional,
    "both ways with lengths": both_ways_with_lengths,
    "PyTorch, both ways": torch_gru,
    "stateful": stateful,
    "encoder and decoder": fed_back,
    "attention": lambda: over_steps(cells.AttentionCellWrapper(unroll.BasicLSTMCell(3), 2), 3),
    "four states": lambda: over_steps(cells.SLSTMCell(3), 3),
    "peepholes": lambda: over_steps(unroll.LSTMCell(5, use_peepholes=True, num_proj=2), 3),
    "norms": lambda: over_steps(cells.LayerNormBasicLSTMCell(3), 2),
    "one matrix after another": lambda: over_steps(cells.MinimalRNNCell(3), 2),
    "an input returned": lambda: unroll.Graph([x := unroll.placeholder([None, 3], "x")], {"y": x}),
}


def parsed(picture: drawing.Picture) -> pygraphviz.AGraph:
    return pygraphviz.AGraph(string=picture.dot)


def places(graph: pygraphviz.AGraph) -> dict[str, tuple[float, float]]:
    """The middle of each box, in points."""
    return {str(node): tuple(map(float, node.attr["pos"].split(","))) for node in graph.nodes()}


def texts(picture: drawing.Picture) -> list[str]:
    """The lines of text a viewer sees; pieces set in several sizes are joined by their place."""
    root = ElementTree.fromstring(picture._repr_svg_())
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def said(picture: drawing.Picture) -> str:
    return "".join("".join(texts(picture)).split())


def dashed(graph: pygraphviz.AGraph, source: str) -> set[str]:
    return {edge[1] for edge in graph.out_edges([source]) if edge.attr["style"] == "dashed"}


def cells_of(graph: pygraphviz.AGraph) -> list[str]:
    return [node for node in graph.nodes() if node.startswith("cell_")]


def headings(picture: drawing.Picture) -> list[int]:
    """The timesteps over the columns, from left to right."""
    graph = parsed(picture)
    place = places(graph)
    found = [node for node in graph.nodes() if node.startswith("step_")]
    return [
        int(re.findall(r"t = (\d+)", node.attr["label"])[0]) for node in sorted(found, key=lambda node: place[node][0])
    ]
