"""RNN, GRU and LSTM operators of anybody's file, written out step by step: held against onnxruntime on the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
from helpers import GOLDEN, Array
from onnx import ModelProto, TensorProto, helper, numpy_helper
from random_recurrent_nodes import draw_node

import unroll
from unroll import ops

NATIVES = {"GRU", "LSTM", "RNN"}


def run_file(model: ModelProto, feeds: dict[str, Array]) -> dict[str, Array]:
    """What onnxruntime makes of a file; NumPy where rows come first, which onnxruntime refuses."""
    if any(item.name == "layout" and item.i for node in model.graph.node for item in node.attribute):
        return unroll.from_onnx(model).run(feeds)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [item.name for item in model.graph.output]
    return dict(zip(names, session.run(names, feeds), strict=True))


def kinds(graph: unroll.Graph) -> set[str]:
    return {node.op.name for node in graph.nodes}


def check_flat(model: ModelProto, feeds: dict[str, Array], told: str = "", **options: Any) -> unroll.Graph:
    """Check a file's graph, flat, in NumPy and written again, against what onnxruntime makes of the file."""
    flat, report = unroll.unroll(unroll.from_onnx(model), **options)
    assert report and report.proof, f"{told}: {report}"
    assert not kinds(flat) & NATIVES
    written = unroll.Session(unroll.to_onnx(flat)).run(feeds)
    for name, wanted in run_file(model, feeds).items():
        scale = max(1.0, float(np.abs(wanted).max(initial=0)))
        for found in (flat.run(feeds)[name], written[name]):
            assert found.shape == wanted.shape, told
            np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-5, err_msg=f"{told}: {name}")
    return flat


@pytest.mark.parametrize("start", range(0, 120, 30))
def test_random_nodes_of_every_attribute_are_flat_and_right(start: int) -> None:
    seen = 0
    for seed in range(start, start + 30):
        drawn = draw_node(seed, foreign=0.3)
        if drawn.feeds["X"].dtype != np.float32 or not drawn.fixed:  # no kernel in onnxruntime, or no meaning in ONNX
            continue
        check_flat(drawn.model, drawn.feeds, drawn.told)
        seen += 1
    assert seen > 20


def lstm_file(inputs: Sequence[str], weights: dict[str, Array], **attributes: Any) -> ModelProto:
    """An LSTM of 28 inputs and 13 units over a time and a batch that only a run knows."""
    dirs = 2 if attributes.get("direction") == "bidirectional" else 1
    node = helper.make_node("LSTM", inputs, ["Y", "Y_h", "Y_c"], "/lstm/LSTM", hidden_size=13, **attributes)
    shapes = {"X": ["time", "batch", 28], "lengths": ["batch"], "W": [dirs, 52, 28], "R": [dirs, 52, 13]}
    fed = [name for name in inputs if name and name not in weights]
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(
                name, TensorProto.INT32 if name == "lengths" else TensorProto.FLOAT, shapes[name]
            )
            for name in fed
        ],
        [
            helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["time", dirs, "batch", 13]),
            helper.make_tensor_value_info("Y_c", TensorProto.FLOAT, [dirs, "batch", 13]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def weights(dirs: int = 1) -> dict[str, Array]:
    rng = np.random.default_rng(3)
    shapes = {"W": (dirs, 52, 28), "R": (dirs, 52, 13), "B": (dirs, 104), "P": (dirs, 39)}
    return {name: rng.normal(size=shape, scale=0.3).astype("float32") for name, shape in shapes.items()}


def fed(time: int = 3, batch: int = 2) -> dict[str, Array]:
    return {"X": np.random.default_rng(4).normal(size=(time, batch, 28)).astype("float32")}


def without(names: str) -> dict[str, Array]:
    return {name: array for name, array in weights().items() if name not in names}


def test_the_kernel_of_anybodys_lstm_has_its_gates_by_name_in_the_files_order() -> None:
    given = without("P")
    flat = check_flat(lstm_file(["X", "W", "R", "B"], given), fed(), dims={"time": 3})
    kernel, bias = flat.parameters["lstm/kernel"], flat.parameters["lstm/bias"]
    assert kernel.shape == (41, 52)
    assert str(kernel.blocks) == "[x 28 + h 13] x [i|o|f|c 13]"
    np.testing.assert_array_equal(kernel.value, np.concatenate([given["W"][0].T, given["R"][0].T]))
    np.testing.assert_array_equal(bias.value, given["B"][0, :52] + given["B"][0, 52:])
    assert len(flat.parameters) == 2
    assert "[x 28 + h 13] x [i|o|f|c 13]" in flat.summary()


def test_nodes_know_their_step_cell_and_gate() -> None:
    flat = check_flat(lstm_file(["X", "W", "R", "B"], without("P")), fed(), dims={"time": 3})
    sigmoids = [node.origin for node in flat.nodes if node.op.name == "Sigmoid"]
    assert sorted((origin.step, origin.gate) for origin in sigmoids) == [(t, gate) for t in range(3) for gate in "fio"]
    assert {origin.cell for origin in sigmoids} == {"lstm"}
    assert flat.tensor("t1/lstm/f").shape == flat.tensor("t1/lstm/h").shape


def test_the_directions_of_a_cell_are_told_apart_by_name() -> None:
    given = {name: array for name, array in weights(2).items() if name != "P"}
    flat = check_flat(lstm_file(["X", "W", "R", "B"], given, direction="bidirectional"), fed(), dims={"time": 3})
    assert list(flat.parameters) == ["lstm/fw/kernel", "lstm/fw/bias", "lstm/bw/kernel", "lstm/bw/bias"]
    np.testing.assert_array_equal(flat.parameters["lstm/bw/kernel"].value[:28], given["W"][1].T)
    assert {node.origin.cell for node in flat.nodes if node.op.name == "Tanh"} == {"lstm/fw", "lstm/bw"}


def test_peepholes_are_parameters_of_their_gates() -> None:
    flat = check_flat(lstm_file(["X", "W", "R", "B", "", "", "", "P"], weights()), fed(), dims={"time": 3})
    np.testing.assert_array_equal(flat.parameters["lstm/peephole_o"].value, weights()["P"][0, 13:26])
    assert str(flat.parameters["lstm/peephole_f"].blocks) == "[f 13]"


def test_weights_that_are_inputs_are_read_as_they_come() -> None:
    feeds = {**fed(), **without("BP")}
    flat = check_flat(lstm_file(["X", "W", "R"], {}), feeds, dims={"time": 3})
    assert not flat.parameters
    assert [item.name for item in flat.inputs] == ["X", "W", "R"]


@pytest.mark.parametrize("lengths", [[3, 1], [0, 2], [0, 0]])
def test_lengths_keep_rows_back_in_both_directions(lengths: list[int]) -> None:
    given = {name: array for name, array in weights(2).items() if name != "P"}
    model = lstm_file(["X", "W", "R", "B", "lengths"], given, direction="bidirectional")
    flat = check_flat(model, {**fed(), "lengths": np.array(lengths, "int32")}, dims={"time": 3})
    assert sum(node.op.name == "Less" for node in flat.nodes) == 3


@pytest.mark.parametrize("reset_after", [0, 1])
def test_a_gru_has_the_kernels_of_its_formula(reset_after: int) -> None:
    rng = np.random.default_rng(5)
    x = unroll.placeholder([4, None, 3], "x")
    w, r, b = (
        unroll.Parameter(rng.normal(size=size), name, "float32")
        for name, size in (("w", (1, 15, 3)), ("r", (1, 15, 5)), ("b", (1, 30)))
    )
    graph = unroll.Graph([x], {"y": ops.gru(x, w, r, b, hidden_size=5, linear_before_reset=reset_after)[0]})
    flat, _ = unroll.unroll(graph)
    tables = {name: str(item.blocks) for name, item in flat.parameters.items()}
    if reset_after:
        assert tables == {
            "gru/kernel": "[x 3] x [z|r|h 5]",
            "gru/bias": "[z|r|h 5]",
            "gru/recurrent_kernel": "[h 5] x [z|r|h 5]",
            "gru/recurrent_bias": "[z|r|h 5]",
        }
    else:
        assert tables == {
            "gru/gates/kernel": "[x 3 + h 5] x [z|r 5]",
            "gru/gates/bias": "[z|r 5]",
            "gru/candidate/kernel": "[x 3 + h 5] x [h 5]",
            "gru/candidate/bias": "[h 5]",
        }
    feeds = {"x": rng.normal(size=(4, 2, 3)).astype("float32")}
    np.testing.assert_allclose(flat.run(feeds)["y"], run_file(unroll.to_onnx(graph), feeds)["y"], atol=1e-6)


def test_two_layers_hand_their_steps_on_and_stack_none() -> None:
    x = unroll.placeholder([5, None, 3], "x")
    first, _ = ops.rnn(x, np.full((1, 3, 3), 0.3), np.full((1, 3, 3), 0.2), hidden_size=3)
    second, _ = ops.rnn(ops.squeeze(first, [1]), np.full((1, 3, 3), 0.1), np.full((1, 3, 3), 0.4), hidden_size=3)
    flat, report = unroll.unroll(unroll.Graph([x], {"y": second}))
    assert [item.steps for item in report] == [5, 5]
    assert sum(node.op.name == "Split" for node in flat.nodes) == 1


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("foreign/*nn_lstm*.onnx")), ids=lambda path: path.stem)
def test_the_lstm_of_torchs_exporters_is_flat_and_right(path: Any) -> None:
    import onnx

    model = onnx.load(path)
    rng = np.random.default_rng(0)
    feeds = {}
    for item in model.graph.input:
        sizes = [dim.dim_value or 2 for dim in item.type.tensor_type.shape.dim]
        feeds[item.name] = rng.normal(size=sizes).astype("float32")
    flat = check_flat(model, feeds, path.stem)
    assert any("i|o|f|c" in str(item.blocks) for item in flat.parameters.values())


def test_a_cell_that_was_rerolled_keeps_its_name_and_the_weights_that_it_has() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    graph = unroll.Graph([x], {"y": unroll.dynamic_rnn(unroll.BasicLSTMCell(4), x, dtype="float32")[0]})
    again, _ = unroll.unroll(unroll.reroll(graph)[0])
    assert {origin.cell for node in again.nodes for origin in node.provenance} - {None} == {"rnn/basic_lstm_cell"}
    assert list(again.parameters) == list(graph.parameters)
    of_file, _ = unroll.unroll(unroll.from_onnx(unroll.to_onnx(graph, form="rerolled")))
    assert list(of_file.parameters) == ["rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias"]
    assert str(of_file.parameters["rnn/basic_lstm_cell/kernel"].blocks) == "[x 3 + h 4] x [i|o|f|c 4]"


@pytest.mark.parametrize(
    ("make", "gates"),
    [
        (lambda x: unroll.dynamic_rnn(unroll.BasicLSTMCell(4), x)[0], {"i", "j", "f", "o"}),
        (lambda x: unroll.dynamic_rnn(unroll.GRUCell(4), x)[0], {"r", "u", "c"}),
        (unroll.layers.LSTM(4, return_sequences=True), {"i", "f", "c", "o"}),
        (lambda x: unroll.nn.LSTM(3, 4, batch_first=True)(x)[0], {"i", "f", "g", "o"}),
    ],
    ids=["TensorFlow's LSTM", "TensorFlow's GRU", "Keras's LSTM", "PyTorch's LSTM"],
)
def test_gates_of_a_cell_that_was_rerolled_are_called_as_its_kernels_call_them(make: Any, gates: set[str]) -> None:
    x = unroll.placeholder([None, 3, 3], "x")
    rolled, report = unroll.reroll(unroll.Graph([x], [make(x)]))
    assert report
    flat, _ = unroll.unroll(rolled)
    assert {node.origin.gate for node in flat.nodes if node.origin.gate} == gates
