"""Gates of files are called as the cell's equations show, cut out of a joined product or behind a mask."""

from __future__ import annotations

import pytest
from foreign_files import anonymous
from picture_networks import FOREIGN, NETWORKS, PROGRAMS, read_back

import unroll
from unroll import layers
from unroll.passes.places import places


def file(name: str) -> unroll.Graph:
    return places(unroll.from_onnx(FOREIGN / f"{name}.onnx"))


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("tf2onnx-gru-bn-t5-op13", ("r", "u")),  # TensorFlow's GRUCell: r and u by one sigmoid
        ("tf2onnx-two_gru-last-b3-t3-op11", ("r", "u")),
        (
            "tf2onnx-basic_lstm-bn-t5-op13",
            ("z_i", "z_j", "z_f", "z_o"),
        ),  # BasicLSTMCell adds its forget bias afterwards
        ("tf2onnx-lstm-bn-t4-op13", ("z_i", "z_j", "z_f", "z_o")),
    ],
)
def test_pieces_of_a_joined_product_are_called_by_their_gates(name: str, called: tuple[str | None, ...]) -> None:
    cuts = [node for node in file(name).nodes if node.op.name == "Split" and node.origin.step not in (None, 0)]
    assert cuts and {tuple(tensor.hint for tensor in node.outputs) for node in cuts} == {called}


def test_the_reset_gate_is_the_one_that_multiplies_the_state_in_the_candidate() -> None:
    placed = file("tf2onnx-gru-bn-t5-op13")
    at_1 = [node for node in placed.nodes if node.origin.step == 1]
    (cut,) = (node for node in at_1 if node.op.name == "Split")
    (joined,) = (node for node in at_1 if node.op.name == "Concat" and node.inputs[1].node.op.name == "Mul")
    reset = next(tensor for tensor in joined.inputs[1].node.inputs if tensor.node is cut)
    assert reset.hint == "r"


@pytest.mark.parametrize(
    "name", ["keras-masked_lstm-return_sequences-b3-t3-op13", "tf2onnx-basic_lstm-lengths=fixed-b3-t3-op9"]
)
def test_a_file_with_a_mask_has_the_gates_of_the_cell_behind_it(name: str) -> None:
    gates = [node.origin.gate for node in file(name).nodes if node.op.name == "Sigmoid" and node.origin.step == 1]
    assert sorted(filter(None, gates)) == ["f", "i", "o"]


@pytest.mark.parametrize("name", ["Keras, masked", "lengths", "both ways with lengths"])
def test_a_mask_hides_no_gate(name: str) -> None:
    program = {**PROGRAMS, **NETWORKS}[name]()
    traced = {program.name(node): node.origin for node in program.nodes}
    model = unroll.to_onnx(program)
    names = [node.name for node in model.graph.node]
    placed = places(unroll.from_onnx(anonymous(model)))
    found = {names[int(placed.name(node)[1:])]: node.origin for node in placed.nodes if placed.name(node)[1:].isdigit()}
    sigmoids = {
        name for name, origin in traced.items() if name.endswith("Sigmoid") and origin.gate in ("i", "o", "z", "r")
    }
    later = {name for name in sigmoids & found.keys() if traced[name].step == 1}
    assert later and all(found[name].gate == traced[name].gate for name in later)


def test_functions_that_are_read_back_have_steps_cells_and_gates() -> None:
    graph = layers.Sequential([layers.Input((4, 4)), layers.LSTM(3, return_sequences=True)]).trace()
    placed = places(read_back(graph, "functions"))
    called = {graph.name(node): node.origin for node in graph.nodes}
    steps = [node.origin.step for node in placed.nodes]
    assert len([step for step in steps if step is not None]) == len(steps) - 2  # the Split and the Concat over time
    assert {node.origin.cell for node in placed.nodes} - {None} == {origin.cell for origin in called.values()} - {None}
    sigmoids = [node.origin for node in placed.nodes if node.op.name == "Sigmoid" and node.origin.step != 0]
    assert sorted((origin.step, origin.gate) for origin in sigmoids) == [(t, gate) for t in (1, 2, 3) for gate in "fio"]
