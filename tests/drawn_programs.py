"""Programs to draw, and ways to read a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pygraphviz
from unroll.viz import drawing

import unroll
from unroll import ops

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
    "an input returned": lambda: unroll.Graph([x := unroll.placeholder([None, 3], "x")], {"y": x}),
}


def parsed(picture: drawing.Picture) -> pygraphviz.AGraph:
    return pygraphviz.AGraph(string=picture.dot)


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
