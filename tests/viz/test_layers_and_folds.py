"""Layers are one box in a picture of cells, and what says nothing of the network is left out of it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from drawn_programs import keras, over_steps, parsed, texts
from picture_networks import NETWORKS

import unroll
from unroll import layers, nn, ops


def labels(graph: unroll.Graph, kind: str = "", level: str = "cell") -> dict[str, list[str]]:
    """The lines of text in each box whose name begins so."""
    picture = parsed(unroll.draw(graph, level=level, format="dot"))  # type: ignore[arg-type]
    return {
        str(node): re.findall(r">([^<>]+)<", node.attr["label"] or "")
        for node in picture.nodes()
        if node.startswith(kind)
    }


def edges(graph: unroll.Graph, level: str = "cell") -> set[tuple[str, str]]:
    picture = parsed(unroll.draw(graph, level=level, format="dot"))  # type: ignore[arg-type]
    return {(str(edge[0]), str(edge[1])) for edge in picture.edges()}


LAYERS = {
    "Dense": (lambda: layers.Dense(2, "softmax"), ["dense", "2 units, softmax"], ["kernel", "bias"]),
    "Dense, linear": (lambda: layers.Dense(2), ["dense", "2 units"], ["kernel", "bias"]),
    "LayerNormalization": (lambda: layers.LayerNormalization(), ["layer_normalization"], ["gamma", "beta"]),
    "two Dense": (
        lambda: layers.Sequential([layers.Dense(5, "relu", name="first"), layers.Dense(1, name="last")]),
        ["first", "5 units, relu", "last", "1 unit"],
        ["kernel", "bias"],
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_one_box_with_its_weights_beside_it(name: str) -> None:
    make, said, weights = LAYERS[name]
    graph = keras(layers.LSTM(3), make())
    boxes = labels(graph, "layer_")
    assert [line for lines in boxes.values() for line in lines][: len(said)][0] == said[0]
    for line in said:
        assert any(line in lines for lines in boxes.values())
    beside = labels(graph, "weight_")
    assert len(beside) == len(boxes)
    for lines in beside.values():
        assert [line for line in lines if line in weights] == weights
    shown = {line for lines in labels(graph).values() for line in lines}
    assert not {"MatMul", "Add", "Softmax", "Relu", "ReduceMean", "Sqrt"} & shown
    assert {(weight, layer) for weight in beside for layer in boxes} & edges(graph)


def test_embedding_dense_and_linear_are_boxes_and_dropout_is_none() -> None:
    words = labels(NETWORKS["layers Embedding"](), "layer_")
    assert [lines[0] for lines in words.values()] == ["embedding", "dense"]
    x = unroll.placeholder([None, 3, 4], "x")
    last = nn.LSTM(4, 3, batch_first=True)(x)[0][:, -1, :]
    linear = labels(unroll.Graph([x], {"y": nn.Linear(3, 2)(last)}), "layer_")
    assert [lines[:2] for lines in linear.values()] == [["linear", "2 units"]]
    dropped = labels(keras(layers.LSTM(3), layers.Dropout(0.5), layers.Dense(2)))
    assert not any("dropout" in line.lower() for lines in dropped.values() for line in lines)


def test_a_layer_at_every_step_has_one_card_for_all_steps() -> None:
    graph = keras(layers.LSTM(3, return_sequences=True), layers.TimeDistributed(layers.Dense(2)))
    assert [lines[0] for lines in labels(graph, "layer_").values()] == ["dense"] * 3
    cards = labels(graph, "weights_")
    (card,) = (lines for lines in cards.values() if "sequential/time_distributed/dense" in lines)
    assert "one set of weights for all 3 steps" in card and "kernel" in card and "bias" in card


def test_a_network_of_layers_alone_is_drawn_as_layers_and_opened_up_at_operator_level() -> None:
    graph = NETWORKS["layers without recurrence"]()
    assert [lines[0] for lines in labels(graph, "layer_").values()] == ["first", "last"]
    assert texts(unroll.draw(graph, level="op")).count("MatMul") == 2


def test_a_layer_that_is_called_twice_is_drawn_twice() -> None:
    x, dense = unroll.placeholder([None, 4], "x"), layers.Dense(4, "tanh", name="shared")
    other = layers.Dense(2, name="other")
    apart = unroll.Graph([x], {"a": other(dense(x)), "b": dense(ops.neg(x))})
    assert sorted(lines[0] for lines in labels(apart, "layer_").values()) == ["other", "shared", "shared"]


def test_a_recurrence_under_a_scope_of_its_own_weights_is_no_layer() -> None:
    inputs = [unroll.placeholder([None, 3], f"X{step}") for step in range(3)]
    with unroll.scope("loop"):
        w = unroll.Parameter(np.ones((3, 3), "float32"), "w")
        h = inputs[0]
        for step, x in enumerate(inputs):
            with unroll.step(step):
                h = ops.tanh(x + h @ w)
    assert not labels(unroll.Graph(inputs, {"h": h}), "layer_")


@pytest.mark.parametrize("name", ["layers LSTM", "nn LSTM, two layers both ways", "Keras, both ways", "lengths"])
def test_axes_of_one_that_come_and_go_are_no_boxes_of_a_picture_of_cells(name: str) -> None:
    graph = NETWORKS[name]()
    shown = texts(unroll.draw(graph))
    assert not {"Squeeze", "Unsqueeze", "Identity"} & set(shown)
    assert shown.count("Unstack") >= 1
    opened = texts(unroll.draw(graph, level="op", full=True))
    count = sum(node.op.name in ("Squeeze", "Unsqueeze") for node in graph.nodes)
    assert opened.count("Squeeze") + opened.count("Unsqueeze") == count


def test_a_reshape_is_left_out_only_where_it_changes_nothing_but_axes_of_one() -> None:
    x = unroll.placeholder([None, 6], "x")
    cell = unroll.GRUCell(3)
    outputs, _ = unroll.static_rnn(cell, [ops.reshape(x, [-1, 6]), ops.reshape(ops.reshape(x, [-1, 2, 3]), [-1, 6])])
    shown = texts(unroll.draw(unroll.Graph([x], outputs)))
    assert shown.count("Reshape") == 2
    lifted = ops.reshape(x, [-1, 1, 6])
    y = ops.reshape(lifted * 2.0, [-1, 6])
    _, state = unroll.static_rnn(cell, [y, y])
    assert "Reshape" not in texts(unroll.draw(unroll.Graph([x], state)))


@pytest.mark.parametrize("steps", [3, 5])
def test_a_mask_reaches_every_cell_without_boxes_or_a_shape_for_each_step(steps: int) -> None:
    graph = keras(layers.Masking(), layers.LSTM(3), steps=steps)
    shown = texts(unroll.draw(graph))
    assert shown.count("(batch, 1)") == 0 and "Split" not in shown
    (mask,) = (name for name, lines in labels(graph, "layer_").items() if lines[0] == "masking")
    reached = {target for source, target in edges(graph) if source == mask}
    assert set(labels(graph, "cell_")) <= reached


def test_lengths_reach_every_cell_without_a_comparison_for_each_step() -> None:
    graph = NETWORKS["both ways with lengths"]()
    assert "Less" not in texts(unroll.draw(graph))
    (lengths,) = (name for name, lines in labels(graph, "input_").items() if "lengths" in lines)
    assert set(labels(graph, "cell_")) <= {target for source, target in edges(graph) if source == lengths}


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("GRU", ["(batch, 6)"]),
        ("one step", ["c (batch, 3)", "h (batch, 3)"]),
        ("two steps", ["(batch, 5)"]),
    ],
)
def test_a_state_of_zeros_is_one_mark_with_its_shape_at_operator_level(name: str, states: list[str]) -> None:
    graph = NETWORKS[name]()
    marks = labels(graph, "zero_", "op")
    assert sorted(marks.values()) == [["0", state] for state in states]
    shown = texts(unroll.draw(graph, level="op"))
    assert not {"ConstantOfShape", "Shape", "zero_state"} & set(shown)
    assert {mark for mark, _ in edges(graph, "op") if mark in marks} == set(marks)


def test_a_picture_leaves_out_no_operator_of_a_cell_but_what_makes_zeros() -> None:
    graph = over_steps(unroll.BasicLSTMCell(3), 2)
    inside = [node for node in graph.nodes if node.origin.cell is not None]
    assert len(labels(graph, "op_", "op")) == len(inside)
