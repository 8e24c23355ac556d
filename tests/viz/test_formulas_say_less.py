"""Formulas that would be read in another way than they are meant are written otherwise, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from picture_networks import NETWORKS
from picture_reading import read

import unroll
from unroll import ops


def said(graph: unroll.Graph, operator: str) -> list[str]:
    """Return what the boxes of an operator say it computes."""
    boxes = read(graph, level="op", full=True).boxes
    return [box.lines[1] for box in boxes if box.node is not None and box.node.op.name == operator]


def of_three(make: Callable[[Any, Any, Any], Any]) -> unroll.Graph:
    a, b, c = (unroll.placeholder([3], name) for name in "abc")
    return unroll.Graph([a, b, c], {"y": make(a, b, c)})


BRACKETS: dict[str, tuple[Callable[[Any, Any, Any], Any], str, str]] = {
    "a difference taken off": (lambda a, b, c: a - (b - c), "Sub", "a \u2212 (b \u2212 c)"),
    "a sum taken off": (lambda a, b, c: a - (b + c), "Sub", "a \u2212 (b + c)"),
    "a sum added": (lambda a, b, c: a + (b + c), "Add", "a + b + c"),
    "a divisor": (lambda a, b, c: a / (b * c), "Div", "a / (b \u00d7 c)"),
    "a base": (lambda a, b, c: (a * b) ** c, "Pow", "(a \u00d7 b) ^ c"),
    "a factor": (lambda a, b, c: (a - b) * c, "Mul", "(a \u2212 b) \u00d7 c"),
    "terms": (lambda a, b, c: a * b + c, "Add", "a \u00d7 b + c"),
}


@pytest.mark.parametrize("name", BRACKETS)
def test_brackets_stand_where_a_reader_needs_them(name: str) -> None:
    make, operator, wanted = BRACKETS[name]
    assert said(of_three(make), operator)[-1] == f"y = {wanted}"


def test_a_comparison_is_not_written_as_an_equation() -> None:
    a = unroll.placeholder([3], "a")
    assert said(unroll.Graph([a], [ops.equal(a, 0.0)]), "Equal") == ["a == 0"]


SETTINGS: dict[str, tuple[Callable[[Any, Any, Any], Any], str, str]] = {
    "the usual slope": (lambda a, b, c: ops.elu(a), "Elu", "y = elu(a)"),
    "another slope": (lambda a, b, c: ops.elu(a, alpha=0.5), "Elu", "y"),
    "the last axis": (lambda a, b, c: ops.concat([a, b], 0), "Concat", "y = [a, b]"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_has_a_slope_of_its_own_is_not_written_as_if_it_had_the_usual_one(name: str) -> None:
    make, operator, wanted = SETTINGS[name]
    assert said(of_three(make), operator) == [wanted]


def test_what_is_joined_along_another_axis_does_not_stand_side_by_side() -> None:
    a, b = (unroll.placeholder([2, 3], name) for name in "ab")
    assert said(unroll.Graph([a, b], [ops.concat([a, b], 0)]), "Concat") == ["axis 0"]


def test_the_rows_of_a_constant_are_not_written_as_one() -> None:
    a = unroll.placeholder([2, 2], "a")
    row, rows = np.array([1, 2], np.float32), np.array([[1, 2], [3, 4]], np.float32)
    assert said(unroll.Graph([a], [a + row]), "Add") == ["a + [1, 2]"]
    assert said(unroll.Graph([a], [a + rows]), "Add") == ["a + \u00b7"]


def test_a_state_that_is_fed_is_told_from_the_one_that_the_cell_makes() -> None:
    c, h = (unroll.placeholder([None, 3], name) for name in "ch")
    x = unroll.placeholder([None, 4], "x")
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(3), [x], initial_state=unroll.LSTMStateTuple(c, h))
    assert "c = input c \u00d7 f + i \u00d7 j" in said(unroll.Graph([x, c, h], outputs), "Add")


def test_an_output_whose_name_is_a_number_is_no_number() -> None:
    a = unroll.placeholder([3], "a")
    weight = unroll.Parameter(np.eye(3, dtype=np.float32), "w")
    product = a @ weight
    texts = said(unroll.Graph([a], {"h/0": product, "h/1": product @ weight}), "MatMul")
    assert texts == ["a @ w", "a @ w @ w"] or texts == ["a @ w", "(a @ w) @ w"]


def test_what_another_step_computes_is_called_as_the_reader_would() -> None:
    """The state of the step before is named with its step where it stands inside what has no name."""
    x = unroll.placeholder([None, 3], "x")
    made = []
    for step in range(2):
        with unroll.scope("rnn"), unroll.step(step), unroll.scope("cell"):
            made.append(ops.tanh(x * float(step + 2)))
            made[-1].hint = "h"
            if step:
                with unroll.step(0):
                    late = ops.exp(made[0])
                made.append(late + made[1])
    assert said(unroll.Graph([x], [made[-1]]), "Add") == ["exp(h[0]) + h"]


def test_two_weights_of_one_name_are_told_apart() -> None:
    x = unroll.placeholder([None, 4], "x")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(3), [x])
    texts = said(unroll.Graph([x], outputs), "MatMul")
    assert texts == ["[x, 0] @ gates/kernel", "[x, r \u00d7 0] @ candidate/kernel"]


@pytest.mark.parametrize(
    ("turned", "text"),
    [((0, 0), "a @ w + b"), ((0, 1), "a @ w^T + b"), ((1, 0), "a^T @ w + b"), ((1, 1), "a^T @ w^T + b")],
)
def test_a_product_of_transposed_matrices_says_so(turned: tuple[int, int], text: str) -> None:
    a = unroll.placeholder([3, 3], "a")
    w, b = unroll.Parameter(np.eye(3, dtype=np.float32), "w"), unroll.Parameter(np.ones(3, np.float32), "b")
    graph = unroll.Graph([a], {"y": ops.gemm(a, w, b, transA=bool(turned[0]), transB=bool(turned[1]))})
    assert said(graph, "Gemm") == [f"y = {text}"]


def test_a_product_that_is_scaled_says_nothing() -> None:
    a, w = unroll.placeholder([3, 3], "a"), unroll.Parameter(np.eye(3, dtype=np.float32), "w")
    assert said(unroll.Graph([a], {"y": ops.gemm(a, w, alpha=2.0)}), "Gemm") == ["y"]


def test_columns_that_are_cut_out_are_said_by_their_numbers() -> None:
    a = unroll.placeholder([2, 6], "a")
    cuts = [a[:, 2:4], (a + 1.0)[:, -2:], a[:1, 2:4], a[:, ::2]]
    assert said(unroll.Graph([a], cuts), "Slice")[:2] == ["a[..., 2:4]", "\u00b7[..., 4:6]"]
    assert not [text for text in said(unroll.Graph([a], cuts), "Slice")[2:] if "..." in text]


@pytest.mark.parametrize(
    "name",
    [name for name in NETWORKS if name.startswith(("tf2onnx", "Keras file", "torch"))],
)
def test_what_a_converter_calls_a_tensor_is_no_name(name: str) -> None:
    """Only a search's finds, outputs, inputs and weights have names: no operator's with a number."""
    reading = read(NETWORKS[name](), level="op", full=True)
    given = {*reading.graph.output_names, *(item.name for item in reading.graph.inputs)}
    short = {part.rpartition("/")[2].removesuffix(":0") for part in given}
    for box in reading.boxes:
        for called in box.formula.names if box.node is not None else ():
            found = re.fullmatch(r"(new_|z_|x_|h_)?[a-z]|\u00b7", called)
            assert found or called in short, f"{called!r} in {box.lines}"
    assert not [box.lines for box in reading.boxes if box.node is not None for line in box.lines if ":0" in line]


@pytest.mark.parametrize("name", ["Keras file GRU", "torch file GRU both ways", "layers GRU, reset before"])
def test_what_enters_the_gates_of_a_gru_is_called_by_where_it_comes_from(name: str) -> None:
    reading = read(NETWORKS[name](), level="op", full=True)
    texts = {box.formula.text for box in reading.boxes if box.node is not None and box.step == 1}
    assert all({f"x_{gate} + h_{gate}", f"h_{gate} + x_{gate}"} & texts for gate in "rz")
    if name != "layers GRU, reset before":  # there the last product is of what is reset
        assert texts & {"x_h + r \u00d7 h_h", "x_n + h_n \u00d7 r", "x_n + r \u00d7 h_n"}


@pytest.mark.parametrize(
    "index",
    ["[:, ::-1]", "[:, 1:3]", "[:, -2:]", "[::2, :, 3:0:-1]", "[:, :4]", "[1:-1, 4::-2]"],
)
def test_what_a_slice_takes_is_written_as_python_writes_it(index: str) -> None:
    x = unroll.placeholder([7, 5, 4], "x")
    graph = unroll.Graph([x], eval(f"x{index}", {"x": x}))
    label = unroll.draw(graph, format="dot").dot
    assert f">{index}<" in label
