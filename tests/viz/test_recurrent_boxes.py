"""What a picture says of an LSTM, GRU or RNN node, held against ONNX's specification and the node's own attributes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
import pytest
from drawn_programs import HOSTILE, keras, over_steps, said
from picture_boxes import Drawn, boxes, loops
from picture_networks import torch_lstm, two_loops
from random_recurrent_nodes import draw_node

import unroll
from unroll import layers, ops
from unroll.viz import drawing

#: The blocks of W and R, from ONNX's operators: "Concatenation of W[iofc]", "W[zrh]", and one block of an RNN.
GATES = {"LSTM": "iofc", "GRU": "zrh", "RNN": "h"}
TIME, BATCH, FEATURES, UNITS = 5, 2, 3, 4
DIRECTIONS = {"forward": ["forward"], "reverse": ["reverse"], "bidirectional": ["forward", "reverse"]}
OPTIONAL = {
    "LSTM": ("B", "sequence_lens", "initial_h", "initial_c", "P"),
    "GRU": ("B", "sequence_lens", "initial_h"),
    "RNN": ("B", "sequence_lens", "initial_h"),
}
#: How it begins, by whether it is an LSTM and which states are given.
BEGINS = {
    (True, ()): "h and c begin with zeros",
    (True, ("initial_h",)): "begins with initial_h, c begins with zeros",
    (True, ("initial_c",)): "begins with initial_c, h begins with zeros",
    (True, ("initial_h", "initial_c")): "begins with initial_h and initial_c",
    (False, ()): "h begins with zeros",
    (False, ("initial_h",)): "begins with initial_h",
}


def node(kind: str, direction: str, given: tuple[str, ...], **attributes: Any) -> unroll.Graph:
    """One node, its weights Parameters and the rest fed."""
    dirs, rows = len(DIRECTIONS[direction]), len(GATES[kind]) * UNITS
    shapes = {"W": (dirs, rows, FEATURES), "R": (dirs, rows, UNITS), "B": (dirs, 2 * rows), "P": (dirs, 3 * UNITS)}
    weights = {name: unroll.Parameter(np.full(shape, 0.1, np.float32), name) for name, shape in shapes.items()}
    fed = {"X": unroll.placeholder([TIME, BATCH, FEATURES], "X")}
    fed |= {name: unroll.placeholder([dirs, BATCH, UNITS], name) for name in ("initial_h", "initial_c")}
    fed["sequence_lens"] = unroll.placeholder([BATCH], "sequence_lens", "int32")
    names = ("X", "W", "R", "B", "sequence_lens", "initial_h", *(["initial_c", "P"] if kind == "LSTM" else []))
    inputs = [(weights | fed)[name] if name in (*given, "X", "W", "R") else None for name in names]
    call = {"LSTM": ops.lstm, "GRU": ops.gru, "RNN": ops.rnn}[kind]
    outputs = call(*inputs, hidden_size=UNITS, direction=direction, **attributes)
    return unroll.Graph([item for item in inputs if item in fed.values()], list(outputs))


def only(graph: unroll.Graph, level: drawing.Level = "cell", **options: Any) -> Drawn:
    (found,) = loops(unroll.draw(graph, format="dot", level=level, **options))
    return found


def expected_blocks(kind: str, sides: int, given: tuple[str, ...], reset_last: bool = False) -> list[str]:
    """The symbols of the blocks, row by row; an RNN has no gates to tell apart."""
    gates = list(GATES[kind]) if kind != "RNN" else [""]
    rows = ["Wx", "Wh"]
    rows += ["bx", "bh"] if "B" in given and reset_last else []
    found = [row + gate for row in rows for gate in gates]
    if "B" in given and not reset_last:
        found += [f"b{gate}" for gate in gates]
    if "P" in given:
        found += ["Pi", "Po", "Pf"]
    return found * sides


@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", GATES)
def test_every_combination_of_inputs_says_what_is_given_and_nothing_else(
    kind: str, direction: str, level: drawing.Level
) -> None:
    optional, sides = OPTIONAL[kind], DIRECTIONS[direction]
    for count in range(len(optional) + 1):
        for given in itertools.combinations(optional, count):
            box = only(node(kind, direction, given), level)
            assert kind in box.lines
            size = f"2 directions of {UNITS} units" if len(sides) == 2 else f"{UNITS} units, {direction}"
            assert f"{TIME} steps, {size}" in box.lines
            assert box.blocks == expected_blocks(kind, len(sides), given)
            said_of = {
                "B": f"B {(len(sides), 2 * len(GATES[kind]) * UNITS)}",
                "sequence_lens": "each row ends at its length in sequence_lens",
                "P": "peepholes P",
            }
            for name, text in said_of.items():
                assert (name in given) == any(text in line for line in box.lines), (name, box.lines)
            assert ("no bias" in box.lines) == ("B" not in given)
            for name in ("sequence_lens", "initial_h", "initial_c"):
                assert (name in given) == (name in box.lines)  # a port of that name
            states = tuple(name for name in ("initial_h", "initial_c") if name in given)
            assert BEGINS[kind == "LSTM", states] in box.lines


@pytest.mark.parametrize("kind", GATES)
def test_gates_stand_in_the_order_of_onnx_over_their_columns(kind: str) -> None:
    box = only(node(kind, "forward", ("B",)))
    heads = [f"{gate} {UNITS}" for gate in GATES[kind]]
    assert box.lines[box.lines.index(heads[0]) :][: len(heads)] == heads
    assert f"x {FEATURES}" in " ".join(box.lines).replace("  ", " ") and f"h {UNITS}" in " ".join(box.lines)
    rows = len(GATES[kind]) * UNITS
    assert f"W and R as one kernel ({FEATURES + UNITS}, {rows})" in box.lines
    assert any(f"W (1, {rows}, {FEATURES}), R (1, {rows}, {UNITS})" in line for line in box.lines)


def test_outputs_are_told_in_words_with_their_shapes() -> None:
    box = only(node("LSTM", "bidirectional", ()))
    wanted = {
        "Y": ["h of every step", f"({TIME}, 2, {BATCH}, {UNITS})"],
        "Y_h": ["last h", f"(2, {BATCH}, {UNITS})"],
        "Y_c": ["last c", f"(2, {BATCH}, {UNITS})"],
    }
    ports = box.lines[: box.lines.index("LSTM")]
    assert sorted(ports) == sorted([*wanted, *(text for told in wanted.values() for text in told)])


def test_reset_after_the_product_has_two_rows_of_biases() -> None:
    box = only(node("GRU", "forward", ("B",), linear_before_reset=1))
    assert box.blocks == expected_blocks("GRU", 1, ("B",), reset_last=True)
    assert "x bias is Wb and h bias is Rb" in box.lines
    assert any("linear_before_reset" in line for line in box.lines)
    assert not any("linear_before_reset" in line for line in only(node("GRU", "forward", ("B",))).lines)


@pytest.mark.parametrize("seed", range(60))
def test_settings_of_any_node_of_a_file_are_those_that_it_has(seed: int) -> None:
    drawn = draw_node(seed, foreign=0.4)
    proto = drawn.model.graph.node[0]
    given = {item.name: onnx.helper.get_attribute_value(item) for item in proto.attribute}
    box = only(unroll.from_onnx(drawn.model))
    text = "\n".join(box.lines)
    names = [name.decode() for name in given.get("activations", ())]
    own = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}[proto.op_type]
    sides = DIRECTIONS[given.get("direction", b"forward").decode()]
    for place, name in enumerate(names):
        shown = names != own * len(sides)
        letter = "fgh"[place % len(own)]
        assert (f"{letter} = {name}" in text) == shown, text
    assert ("layout 1" in text) == bool(given.get("layout", 0))
    assert ("input_forget" in text) == bool(given.get("input_forget", 0))
    assert ("linear_before_reset" in text) == bool(given.get("linear_before_reset", 0))
    assert ("clip" in text) == ("clip" in given)
    if "clip" in given:
        assert f"clip {given['clip']:.4g}" in text
    for name in ("activation_alpha", "activation_beta"):
        assert (name in text) == (name in given)
        assert not given.get(name) or f"{name} {', '.join(f'{value:.4g}' for value in given[name])}" in text
    time = next(item for item in drawn.model.graph.input if item.name == "X").type.tensor_type.shape.dim
    steps = time[1 if given.get("layout", 0) else 0].dim_value
    assert f"{steps} step{'s' * (steps != 1)}, " in text
    assert box.blocks[: len(GATES[proto.op_type])] == [
        f"Wx{gate if proto.op_type != 'RNN' else ''}" for gate in GATES[proto.op_type]
    ]
    for name, place in zip(("Y", "Y_h", "Y_c"), range(len(proto.output)), strict=False):
        assert bool(proto.output[place]) <= (name in box.lines[: box.lines.index(proto.op_type)])


@pytest.mark.parametrize("seed", range(20))
def test_values_at_the_ports_are_those_of_a_run(seed: int) -> None:
    drawn = draw_node(seed, foreign=0)
    graph = unroll.from_onnx(drawn.model)
    found = graph.run(drawn.feeds)
    box = only(graph, feeds=drawn.feeds)
    ports = box.lines[: box.lines.index(drawn.model.graph.node[0].op_type)]
    starts = [place for place, line in enumerate(ports) if line in ("Y", "Y_h", "Y_c")]
    printed = {ports[a]: ports[a + 3 : b] for a, b in zip(starts, [*starts[1:], len(ports)], strict=True)}
    for name, array in found.items():
        if array.size >= 4 and (array == array.flat[0]).all():
            assert printed[name] == [f"all {array.flat[0] + 0.0:.4g}"]
        elif array.size > 12 or len(array.reshape(-1, array.shape[-1])) > 8:
            assert printed[name] == ["\u2026"]
        else:
            values = [float(item) for line in printed[name] for item in line.split(", ")]
            np.testing.assert_allclose(values, array.ravel(), rtol=1e-3)


def test_weights_of_a_rerolled_cell_are_one_table_that_says_where_they_come_from() -> None:
    graph, _ = unroll.reroll(over_steps(unroll.BasicLSTMCell(13), 28))
    picture = unroll.draw(graph)
    (box,) = loops(picture)
    assert "28 steps, 13 units, forward" in box.lines and "W and R as one kernel (17, 52)" in box.lines
    assert "W, R from kernel (gate order i, j, f, o)" in box.lines
    assert "B from bias (gate order i, j, f, o)" in box.lines
    assert not any({"Slice", "Transpose", "Unsqueeze"} & set(item.lines) for item in boxes(picture).values())


def test_several_nodes_each_show_their_weights_and_stand_apart() -> None:
    graph, _ = unroll.reroll(torch_lstm())
    for level in ("cell", "op"):
        first, second = loops(unroll.draw(graph, level=level))
        assert first.blocks == second.blocks == expected_blocks("LSTM", 2, ("B",))
        assert first.top < second.bottom or second.top < first.bottom
    assert any("weight_ih_l0, weight_ih_l0_reverse" in line for line in first.lines)
    assert any("weight_ih_l1, weight_ih_l1_reverse" in line for line in second.lines)


def test_a_decoder_begins_with_the_states_of_its_encoder() -> None:
    graph, _ = unroll.reroll(two_loops(9, 8))
    encoder, decoder = loops(unroll.draw(graph))
    assert "9 steps, 4 units, forward" in encoder.lines and "h and c begin with zeros" in encoder.lines
    assert "8 steps, 4 units, forward" in decoder.lines and "begins with initial_h and initial_c" in decoder.lines


def test_weights_that_are_computed_from_what_is_fed_come_in_from_below() -> None:
    x, w = unroll.placeholder([TIME, BATCH, FEATURES], "x"), unroll.placeholder([1, UNITS, FEATURES], "w")
    r = unroll.Parameter(np.zeros((1, UNITS, UNITS), np.float32), "r")
    y, _ = ops.rnn(x, ops.tanh(w), r, hidden_size=UNITS)
    box = only(unroll.Graph([x, w], {"y": y}))
    assert {"W", "R"} <= set(box.lines) and not box.blocks


def test_one_tensor_that_is_both_first_states_reaches_both_ports() -> None:
    state = unroll.placeholder([1, BATCH, UNITS], "state")
    x = unroll.placeholder([TIME, BATCH, FEATURES], "x")
    w, r = (unroll.Parameter(np.zeros((1, 16, size), np.float32), name) for size, name in ((3, "w"), (4, "r")))
    y, _, _ = ops.lstm(x, w, r, None, None, state, state, hidden_size=UNITS)
    picture = unroll.draw(unroll.Graph([x, state], {"y": y}))
    assert picture.dot.count("-> loop_") == 3


def test_an_lstm_has_the_colours_of_our_cells_beside_it() -> None:
    x = unroll.placeholder([4, None, 4], "x")
    w, r = (unroll.Parameter(np.zeros((1, 16, 4), np.float32), name) for name in ("w", "r"))
    y, _, _ = ops.lstm(x, w, r, hidden_size=4)
    steps = [ops.squeeze(part, [0]) for part in ops.split(ops.squeeze(y, [1]), 4)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(3), steps)
    for graph in (made := unroll.Graph([x], outputs), unroll.optimize(made)):
        dot = unroll.draw(graph, format="dot").dot
        ours = dict.fromkeys(part.split('"')[0] for part in dot.split('BGCOLOR="')[1:])
        assert len(ours) == 4, ours


def test_a_bidirectional_layer_is_one_node_of_two_tables() -> None:
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    graph, _ = unroll.reroll(keras(both, steps=5))
    box = only(graph)
    assert "5 steps, 2 directions of 3 units" in box.lines
    assert box.blocks == expected_blocks("LSTM", 2, ("B",))


def test_names_of_a_file_are_shown_to_the_letter() -> None:
    weights = [np.zeros(shape, np.float32) for shape in ((1, 4, 3), (1, 4, 4))]
    names = [f"{HOSTILE}w", f"{HOSTILE}r"]
    made = onnx.helper.make_node("RNN", ["x", *names], ["y"], HOSTILE, hidden_size=4)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [made],
        "one",
        [info("x", onnx.TensorProto.FLOAT, [5, 2, 3])],
        [info("y", onnx.TensorProto.FLOAT, [5, 1, 2, 4])],
        [onnx.numpy_helper.from_array(array, name) for array, name in zip(weights, names, strict=True)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    assert "".join(HOSTILE.split()) in said(unroll.draw(unroll.from_onnx(model)))
