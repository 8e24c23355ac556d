"""Nodes without a timestep get the step, the cell and the gate that they are of, and no other; nothing else changes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from picture_networks import CELLS, FOREIGN, LAYERS, PROGRAMS, numpy_style

import unroll
from unroll import ops
from unroll.passes.places import places
from unroll.scopes import Origin

NETWORKS = {name: make for name, make in {**PROGRAMS, **CELLS, **LAYERS}.items() if name != "stateful"}
FILES = sorted(path.stem for path in FOREIGN.glob("*.onnx"))


def scrambled(graph: unroll.Graph) -> tuple[unroll.Graph, dict[str, str]]:
    """The file of a graph with every name replaced, as another program's; and what each node was called."""
    model = unroll.to_onnx(graph)
    model.producer_name = "another"
    names = {"": ""}
    called = {}
    for number, node in enumerate(model.graph.node):
        called[f"k{number}"] = node.name
        node.name = f"k{number}"
        for listed in (node.input, node.output):
            listed[:] = [names.setdefault(name, f"n{len(names)}") for name in listed]
    for group in (model.graph.input, model.graph.output, model.graph.initializer, model.graph.value_info):
        for item in group:
            item.name = names.setdefault(item.name, f"n{len(names)}")
    return unroll.from_onnx(model), called


def found(name: str) -> list[tuple[Origin, Origin]]:
    """Where each node comes from that has a step: as it was traced, and as it was found."""
    graph = NETWORKS[name]()
    traced = {graph.name(node): node.origin for node in graph.nodes}
    read, called = scrambled(graph)
    placed = places(read)
    pairs = [(traced.get(called.get(placed.name(node), "")), node.origin) for node in placed.nodes]
    return [(one, other) for one, other in pairs if one is not None and other.step is not None]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_without_names_gets_the_steps_and_gates_that_the_program_had(name: str) -> None:
    steps: dict[str | None, dict[int | None, set[int | None]]] = {}
    for traced, read in found(name):
        if traced.step is not None:
            steps.setdefault(read.cell, {}).setdefault(read.step, set()).add(traced.step)
        if traced.gate is not None and read.gate is not None and traced.gate != "gates":
            # Where each gate has weights of its own, their order does not tell whose names a program uses.
            assert read.gate == traced.gate or name == "cell PhasedLSTM", (traced, read)
            assert read.gate == traced.gate or (traced.gate, read.gate) == ("j", "c")
    for cell, pairs in steps.items():
        assert {read: {read} for read in pairs} == pairs, cell  # and it is the very one


@pytest.mark.parametrize("name", ["image rows", "layers LSTM, 28 steps", "both ways", "two RNNs", "GRU", "stacked"])
def test_most_of_the_nodes_have_steps(name: str) -> None:
    pairs = found(name)
    assert len(pairs) > 0.9 * len(unroll.to_onnx(NETWORKS[name]()).graph.node)  # states of zeros, slices have none


@pytest.mark.parametrize("name", FILES)
def test_files_of_others_keep_everything_but_provenance(name: str) -> None:
    graph = unroll.from_onnx(FOREIGN / f"{name}.onnx")
    placed = places(graph)
    assert sorted(placed.tensor_names()) == sorted(graph.tensor_names())
    assert [placed.name(node) for node in placed.nodes] == [graph.name(node) for node in graph.nodes]
    assert placed.inputs == graph.inputs and list(placed.parameters) == list(graph.parameters)
    assert all(item.value is graph.parameters[name].value for name, item in placed.parameters.items())
    plain, after = (unroll.to_onnx(item, runtime=None).graph for item in (graph, placed))
    assert list(plain.output) == list(after.output) and list(plain.initializer) == list(after.initializer)
    # Nodes that are made on writing, such as those of operators that the opset lacks, are called by where they come from.
    named = {graph.name(node) for node in graph.nodes}
    kinds = [[(node.op_type, node.name if node.name in named else "") for node in one.node] for one in (plain, after)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    ("name", "table", "steps"),
    [
        ("tf2onnx-basic_lstm-bn-t5-op13", "[x 3 + h 4] x [i|j|f|o 4]", 5),
        ("tf2onnx-lstm_peepholes-b3-t4-op11", "[x 3 + h 4] x [i|j|f|o 4]", 4),
        ("tf2onnx-gru-bn-t5-op13", "[x 3 + h 4] x [r|u 4]", 5),
        ("tf2onnx-basic_rnn-bn-t7-op13", "[x 3 + h 4] x [h 4]", 7),
        ("keras-lstm-return_sequences-bn-t5-op13", "[x 3] x [i|f|c|o 4]", 5),
        ("keras-gru-return_sequences-bn-t4-op17", "[x 3] x [z|r|h 4]", 4),
        ("torchscript-lstm-bn-t5-op17", "[i|f|g|o 4] x [h 4]", 5),
        ("torchscript-rnn-bn-t4-op13", "[h 4] x [x 3]", 4),
        ("dynamo-gru-bn-t4-op18", "[r|z|n 4] x [x 3]", 4),
    ],
)
def test_kernels_of_others_have_the_blocks_of_their_gates(name: str, table: str, steps: int) -> None:
    placed = places(unroll.from_onnx(FOREIGN / f"{name}.onnx"))
    assert table in [str(item.blocks) for item in placed.parameters.values()]
    assert len({node.origin.step for node in placed.nodes} - {None}) == steps
    summary = placed.summary()
    assert f"over {steps} timesteps" in summary and table in summary


def test_a_loop_as_people_write_it_has_steps_and_a_cell() -> None:
    graph = numpy_style(steps=6)
    placed = places(graph)
    at = {placed.name(node): node.origin for node in placed.nodes if node.origin.step is not None}
    assert [origin.step for name, origin in at.items() if name.startswith("Tanh")] == list(range(6))
    rows = {name for name in at if name.startswith("Gather")}
    assert [at[name].step for name in rows] == [at[name].step for name in rows if at[name].cell is None]
    assert len(rows) == 6 and {origin.cell for name, origin in at.items() if name not in rows} == {"rnn"}
    assert "over 6 timesteps" in graph.summary()


def test_a_graph_with_steps_is_returned_as_it_is() -> None:
    for name in ("image rows", "GRU", "by hand"):
        graph = NETWORKS[name]()
        if any(node.origin.step is not None for node in graph.nodes):
            assert places(graph) is graph


def test_to_show_a_graph_leaves_its_parameters_as_they_are() -> None:
    x = [unroll.placeholder([None, 3], f"x{step}") for step in range(4)]
    kernel = unroll.Parameter(np.ones((7, 16), np.float32), "kernel")

    def lstm(order: str) -> unroll.Graph:
        h = c = first = unroll.placeholder([None, 4], "h0")
        for row in x:
            gate = dict(zip(order, ops.split(ops.concat([row, h], 1) @ kernel, 4, 1), strict=True))
            c = ops.sigmoid(gate["f"]) * c + ops.sigmoid(gate["i"]) * ops.tanh(gate["g"])
            h = ops.sigmoid(gate["o"]) * ops.tanh(c)
        return unroll.Graph([*x, first], {"h": h})

    one, other = lstm("ifgo"), lstm("oigf")
    tables = [str(places(graph).parameters["kernel"].blocks) for graph in (one, other, one)]
    assert kernel.blocks is None
    gates = [table.partition("] x [")[2].partition(" ")[0] for table in tables]
    assert gates[0] == gates[2] and gates[1].split("|")[0] == gates[0].split("|")[3] == "o"
    assert gates[1].split("|")[1] == gates[0].split("|")[0] == "i" and gates[1].split("|")[3] == "f"
    one.summary()
    assert kernel.blocks is None


def test_what_repeats_without_a_state_gets_no_step() -> None:
    x = unroll.placeholder([None, 4], "x")
    weight = unroll.Parameter(np.ones((4, 4), np.float32), "w")
    y = ops.relu(x @ weight) + ops.tanh(x @ weight)
    graph = unroll.Graph([x], {"y": y})
    assert places(graph) is graph


def test_gates_are_named_only_where_the_cell_is_proven() -> None:
    x = [unroll.placeholder([None, 3], f"x{step}") for step in range(4)]
    kernel = unroll.Parameter(np.ones((7, 16), np.float32), "kernel")
    h = c = first = unroll.placeholder([None, 4], "h0")
    for row in x:  # the output gate is a square of a sigmoid: close to an LSTM, and none
        i, j, f, o = ops.split(ops.concat([row, h], 1) @ kernel, 4, 1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(j)
        h = ops.sigmoid(o) * ops.sigmoid(o) * ops.tanh(c)
    placed = places(unroll.Graph([*x, first], {"h": h}))
    assert {node.origin.step for node in placed.nodes} - {None} == {0, 1, 2, 3}
    assert {node.origin.gate for node in placed.nodes} == {None} and kernel.blocks is None


@pytest.mark.parametrize("producer", ["unroll", "another"])
def test_a_loop_of_a_file_is_reported_without_the_name_of_a_step(producer: str) -> None:
    x = [unroll.placeholder([None, 3], f"x{step}") for step in range(28)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(4), x)
    model = unroll.to_onnx(unroll.Graph(x, {"y": outputs[-1]}))
    model.producer_name = producer
    _, report = unroll.reroll(unroll.from_onnx(model))
    assert [item.scope for item in report] == ["rnn/basic_lstm_cell"]


def test_a_file_is_summarised_by_its_steps_without_a_look_at_the_class_of_graphs() -> None:
    path = FOREIGN / "tf2onnx-basic_lstm-bn-t5-op13.onnx"
    program = f"import unroll; print(unroll.from_onnx({str(path)!r}).summary())"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "over 5 timesteps" in shown and "[x 3 + h 4] x [i|j|f|o 4]" in shown
