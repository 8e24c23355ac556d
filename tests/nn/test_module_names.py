"""Modules of unroll.nn in graphs, summaries and pictures: names, gates and layouts are PyTorch's; dropout changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nn_modules import SEQUENCES, every_cell, every_module, every_sequence, sequence

import unroll
from unroll import nn


@every_sequence
def test_dropout_is_kept_and_changes_nothing(module: Any) -> None:
    x = sequence()
    plain, dropping = module(3, 4, 2), module(3, 4, 2, dropout=0.25)
    assert dropping.dropout == 0.25 and module.TRAINING_ONLY == ("dropout",)
    feeds = {"x": np.random.default_rng(0).standard_normal((4, 2, 3))}
    found, wanted = (unroll.Graph([x], [*m(x)]).run(feeds) for m in (dropping, plain))
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


@every_sequence
def test_dropout_with_nothing_to_act_on_is_said(module: Any) -> None:
    with pytest.warns(unroll.UnrollWarning, match="acts between layers, and num_layers is 1") as said:
        module(3, 4, dropout=0.5)
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.RNN(3, 5), "(5, 3) = [h 5] x [x 3]"),
        (nn.LSTM(3, 5), "(20, 3) = [i|f|g|o 5] x [x 3]"),
        (nn.GRU(3, 5), "(15, 3) = [r|z|n 5] x [x 3]"),
    ],
    ids=["RNN", "LSTM", "GRU"],
)
def test_the_summary_names_the_gates_in_pytorchs_order_and_layout(module: Any, text: str) -> None:
    x = sequence()
    assert text in unroll.Graph([x], [*module(x)]).summary()


def test_a_projection_is_a_block_of_its_own() -> None:
    x = sequence()
    assert "lstm/weight_hr_l0  (2, 5) = [h 2] x [m 5]" in unroll.Graph([x], nn.LSTM(3, 5, proj_size=2)(x)[0]).summary()


@pytest.mark.slow
@pytest.mark.parametrize(("module", "gates"), [(nn.LSTM, "i, f, g, o"), (nn.GRU, "r, z, n")])
def test_the_picture_names_the_gates_in_pytorchs_order(module: Any, gates: str) -> None:
    x = sequence(2)
    dot = unroll.draw(unroll.Graph([x], [*module(3, 4)(x)])).dot
    assert f"gate order {gates}" in dot
    assert "weight_hh_l0" in dot and "bias_hh_l0" in dot


@pytest.mark.parametrize("module", [nn.GRU, nn.GRUCell])
def test_a_grus_recurrent_blocks_say_why_they_stand_apart(module: Any) -> None:
    parameters = {name.removesuffix("_l0"): getattr(module(3, 4), name) for name in module(3, 4).state_dict()}
    notes = {name: parameter.blocks.note for name, parameter in parameters.items()}
    after = "the reset gate acts after the product"
    assert notes == {"weight_ih": "", "weight_hh": after, "bias_ih": "", "bias_hh": after}


def test_each_layer_and_direction_is_a_cell_and_parameters_keep_pytorchs_names() -> None:
    x = sequence(2)
    graph = unroll.Graph([x], [*nn.LSTM(3, 4, 2, bidirectional=True, name="encoder")(x)])
    cells = {origin.cell for node in graph.nodes for origin in node.provenance}
    assert cells == {None, *(f"encoder/{cell}" for cell in ("l0", "l0_reverse", "l1", "l1_reverse"))}
    assert {graph.name(node).rpartition("/")[0] for node in graph.nodes} >= {
        "encoder/t0/l0/i",
        "encoder/t1/l1_reverse/g",
    }
    assert all(name.startswith(("encoder/weight_", "encoder/bias_")) for name in graph.parameters)
    assert "encoder/weight_ih_l1_reverse" in graph.parameters
    assert graph.output_names == ("encoder/output", "encoder/h_n", "encoder/c_n")


def test_the_backward_direction_names_its_nodes_by_the_position_it_reads() -> None:
    x = sequence(3)
    graph = unroll.Graph([x], [*nn.RNN(3, 4, bidirectional=True)(x)])
    nodes = [node for node in graph.nodes if graph.name(node).startswith("rnn/t1/l0_reverse/")]
    reads = {graph.name(tensor) for node in nodes for tensor in node.inputs if tensor is not None}
    assert {"rnn/t1/x", "rnn/t2/l0_reverse/h"} <= reads and "rnn/t0/l0_reverse/h" not in reads


def test_the_scope_around_a_module_is_above_its_names() -> None:
    x = sequence(2)
    with unroll.scope("model"):
        gru = nn.GRU(3, 4)
        graph = unroll.Graph([x], gru(x)[0])
    assert next(iter(graph.parameters)) == "model/gru/weight_ih_l0"
    assert "model/gru/t1/l0/z" in graph.tensor_names()


@every_module
def test_the_products_are_gemms_of_the_weights_as_they_are_stored(module: Any) -> None:
    x = sequence() if module in SEQUENCES else unroll.placeholder([None, 3], "x")
    ops = [node.op for node in unroll.Graph([x], [module(3, 4)(x)]).nodes]
    assert "Transpose" not in {op.name for op in ops}
    assert {getattr(op, "transB", None) for op in ops if op.name == "Gemm"} == {1}


@every_cell
def test_of_one_vector_the_products_are_matrix_by_vector(module: Any) -> None:
    x = unroll.placeholder([3], "x")
    graph = unroll.Graph([x], [module(3, 4)(x)])
    assert {"Gemm", "Transpose"}.isdisjoint(node.op.name for node in graph.nodes)
    assert [node.inputs[0] for node in graph.nodes if node.op.name == "MatMul"] == [
        graph.parameters[f"{graph.nodes[0].origin.cell}/{name}"] for name in ("weight_ih", "weight_hh")
    ]
