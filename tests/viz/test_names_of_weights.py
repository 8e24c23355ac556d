"""Weights and cells of files are called in pictures by what of their names says something."""

from __future__ import annotations

import re

import numpy as np
import pytest
from drawn_programs import parsed
from picture_networks import FOREIGN, file

import unroll
from unroll import ops


def cards(name: str) -> dict[str, list[str]]:
    """The title of each card of weights, with the other lines of its text."""
    picture = parsed(unroll.draw(unroll.from_onnx(FOREIGN / f"{name}.onnx"), format="dot"))
    lines = [re.findall(r">([^<>]+)<", n.attr["label"]) for n in picture.nodes() if n.startswith("weights_")]
    return {first: rest for first, *rest in lines}


def cell_titles(name: str) -> set[str]:
    picture = parsed(unroll.draw(unroll.from_onnx(FOREIGN / f"{name}.onnx"), format="dot"))
    return {re.findall(r">([^<>]+)<", n.attr["label"])[0] for n in picture.nodes() if n.startswith("cell_")}


LSTM_CELL = "sequential_1/lstm_1/lstm_cell_1"


@pytest.mark.parametrize(
    ("name", "titles", "weights"),
    [
        ("tf2onnx-basic_lstm-bn-t5-op13", {"rnn/basic_lstm_cell"}, {"kernel", "bias"}),
        (
            "tf2onnx-gru-bn-t5-op13",
            {"rnn/gru_cell"},
            {"gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"},
        ),
        ("torchscript-lstm-bn-t5-op17", {"stack.0"}, {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}),
        (
            "dynamo-both_ways_gru-bn-t3-op18",
            {"there/stack.0", "back/stack.0"},
            {"weight_ih", "weight_hh", "bias_ih", "bias_hh"},
        ),
        ("keras-simple_rnn-bn-t4-op13", None, {"weights of x", "weights of h", "biases"}),
    ],
)
def test_a_card_has_the_scope_for_its_title_and_weights_without_what_reads_them(
    name: str, titles: set[str] | None, weights: set[str]
) -> None:
    found = cards(name)
    assert titles is None or set(found) == titles
    said = {line for lines in found.values() for line in lines}
    assert weights <= said
    assert not [line for line in (*found, *said) if re.search(r"Read|Identity|Cast|BiasAdd|:0|^stack\.0\.", line)]


def test_a_dense_layer_of_a_keras_file_is_one_box_with_its_kernel_and_bias() -> None:
    dot = unroll.draw(unroll.from_onnx(FOREIGN / "keras-two_lstm-bn-t3-op18.onnx"), format="dot").dot
    assert "<B>dense_1</B>" in dot and "2 units" in dot
    assert "<B>kernel</B>" in dot and "<B>bias</B>" in dot


def test_biases_of_files_have_the_letter_b() -> None:
    for name in ("tf2onnx-basic_lstm-bn-t5-op13", "keras-gru-return_sequences-bn-t4-op17"):
        said = [line for lines in cards(name).values() for line in lines]
        assert "b" in said and "w" not in said


def test_weights_of_one_card_that_only_operators_name_are_told_apart() -> None:
    (lines,) = (lines for lines in cards("keras-gru-return_sequences-bn-t4-op17").values() if "weights of h" in lines)
    assert {"biases of x", "biases of h"} <= set(lines)


def test_a_cell_whose_name_is_a_number_is_told_with_what_it_is_in() -> None:
    assert cell_titles("torchscript-lstm-bn-t5-op17") == {"stack.0"}
    assert cell_titles("dynamo-both_ways_gru-bn-t3-op18") == {"there/stack.0", "back/stack.0"}
    assert cell_titles("dynamo-two_lstm-bn-t3-op18") == {"stack.0", "stack.1"}


def test_two_weights_that_differ_in_what_reads_them_alone_keep_their_names_in_formulas() -> None:
    x = unroll.placeholder([None, 2], "x")
    one, other = (unroll.Parameter(np.ones((2, 2), "float32"), f"w/{way}") for way in ("Read", "Identity"))
    picture = unroll.draw(unroll.Graph([x], {"y": ops.tanh(x @ one) + ops.tanh(x @ other)}), format="dot", level="op")
    formulas = {line for line in re.findall(r">([^<>]+)<", picture.dot) if " @ " in line}
    assert {"x @ Read", "x @ Identity"} <= formulas


@pytest.mark.parametrize("level", ["cell", "op"])
def test_a_formula_calls_a_weight_as_its_card_does(level: str) -> None:
    dot = unroll.draw(file("tf2onnx-basic_lstm-bn-t5-op13")(), format="dot", level=level).dot  # type: ignore[arg-type]
    assert ("@ kernel<" in dot) == (level == "op")
    assert "Read/Identity" not in "".join(re.findall(r">([^<>]+)<", dot))
