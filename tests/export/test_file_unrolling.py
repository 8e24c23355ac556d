"""A file's loops written out: proven on the file's own bytes, with sizes and inputs bound by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import GOLDEN, Array, refused
from onnx import ModelProto, TensorProto, helper, numpy_helper

import unroll
from unroll.export.file_unrolling import unroll_file

LOOPS = {"GRU", "If", "LSTM", "Loop", "RNN", "Scan"}
FILES = sorted((GOLDEN / "foreign").glob("*.onnx"))


def kinds(model: ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def run_bytes(model: ModelProto, feeds: dict[str, Array]) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


@pytest.fixture
def rnn_file() -> ModelProto:
    """A GRU over a time and a batch that only a run knows, whose output is multiplied by an input of one number."""
    rng = np.random.default_rng(1)
    weights = {"W": (1, 12, 3), "R": (1, 12, 4), "B": (1, 24)}
    nodes = [
        helper.make_node("GRU", ["X", "W", "R", "B"], ["Y"], "gru", hidden_size=4),
        helper.make_node("Mul", ["Y", "scale"], ["Z"], "scaled"),
    ]
    shapes: dict[str, list[Any]] = {"X": ["time", "batch", 3], "scale": []}
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info("Z", TensorProto.FLOAT, ["time", 1, "batch", 4])],
        [numpy_helper.from_array(rng.normal(size=size).astype("float32"), name) for name, size in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_file_is_flat_with_a_size_and_a_value_by_name(rnn_file: ModelProto, tmp_path: Path) -> None:
    found = unroll_file(rnn_file, tmp_path / "flat.onnx", dims={"time": 3}, values={"scale": 2})
    assert found.report.found[0].steps == 3
    written = onnx.load(found.path)
    assert not kinds(written) & LOOPS
    assert [item.name for item in written.graph.input] == ["X"]
    assert written.opset_import[0].version == 17
    x = np.random.default_rng(2).normal(size=(3, 2, 3)).astype("float32")
    wanted = run_bytes(rnn_file, {"X": x, "scale": np.array(2, "float32")})
    np.testing.assert_allclose(run_bytes(written, {"X": x})[0], wanted[0], atol=1e-6)
    assert "3 steps written out" in str(found)
    assert "the same in onnxruntime on" in str(found)


def test_what_stays_is_named_with_the_knob_and_nothing_is_written(rnn_file: ModelProto, tmp_path: Path) -> None:
    target = tmp_path / "flat.onnx"
    refused(
        lambda: unroll_file(rnn_file, target),
        NotImplementedError,
        "gru: GRU: left as it was",
        "takes time steps",
        'dims={"time": 28}',
        "nothing was written",
    )
    refused(
        lambda: unroll_file(rnn_file, target, dims={"time": 10**9}), NotImplementedError, "1000000000", "most_nodes="
    )
    assert not target.exists()


def test_names_and_values_that_do_not_fit_are_refused_with_those_there_are(
    rnn_file: ModelProto, tmp_path: Path
) -> None:
    def call(**given: Any) -> Any:
        return lambda: unroll_file(rnn_file, tmp_path / "flat.onnx", **given)

    refused(call(dims={"tiem": 3}), ValueError, "unroll", "'tiem'", "time")
    refused(call(dims={"time": -3}), ValueError, "time = -3")
    refused(call(dims={"time": 3}, values={"skale": 1}), ValueError, "'skale'", "no input", "scale")
    refused(call(dims={"time": 3}, values={"scale": [1, 2]}), ValueError, "scale of shape (2,)", "() is wanted")
    refused(call(dims={"time": 3}, values={"scale": "loud"}), TypeError, "scale")
    refused(call(dims={"time": 4}, values={"X": np.ones((3, 1, 3))}), ValueError, "X of shape (3, 1, 3)", "time = 4")
    refused(call(dims={"time": 3}, values=[1]), TypeError, "values", "dict")
    assert not list(tmp_path.iterdir())


def test_the_sizes_of_a_value_settle_symbols(rnn_file: ModelProto, tmp_path: Path) -> None:
    found = unroll_file(rnn_file, tmp_path / "flat.onnx", values={"X": np.ones((2, 5, 3))})
    assert found.report.found[0].steps == 2
    assert [item.name for item in onnx.load(found.path).graph.input] == ["scale"]


def test_a_file_may_be_written_in_its_own_place_and_one_without_loops_is_refused(
    rnn_file: ModelProto, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(rnn_file, path)
    unroll_file(path, path, dims={"time": 2})
    assert not kinds(onnx.load(path)) & LOOPS
    refused(lambda: unroll_file(path, tmp_path / "other.onnx"), NotImplementedError, "no loop was found")


LOOPING = [path for path in FILES if kinds(onnx.load(path)) & LOOPS]


@pytest.mark.parametrize("path", LOOPING, ids=lambda path: path.stem)
def test_the_loops_of_other_exporters_are_flat_and_right(path: Path, tmp_path: Path) -> None:
    original = onnx.load(path)
    values = {}
    if "If" in kinds(original):  # steps that only some lengths reach
        refused(lambda: unroll_file(path, tmp_path / "flat.onnx"), NotImplementedError, "If: left", "'lengths:0'")
        values["lengths:0"] = np.array([2, 1, 3], "int32")
    found = unroll_file(path, tmp_path / "flat.onnx", values=values)
    written = onnx.load(found.path)
    assert not kinds(written) & LOOPS
    rng = np.random.default_rng(0)
    feeds = {}
    for item in original.graph.input:
        shape = [dim.dim_value or 3 for dim in item.type.tensor_type.shape.dim]
        feeds[item.name] = rng.normal(size=shape).astype("float32")
    feeds |= values
    fed = {item.name: feeds[item.name] for item in written.graph.input}
    for wanted, seen in zip(run_bytes(original, feeds), run_bytes(written, fed), strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-5)


def test_a_graph_that_was_rerolled_is_flat_again(tmp_path: Path) -> None:
    steps = [unroll.placeholder([None, 3], f"X{t}") for t in range(4)]
    graph = unroll.Graph(steps, {"y": unroll.static_rnn(unroll.BasicLSTMCell(5), steps)[0][-1]})
    rolled = unroll.to_onnx(graph, form="rerolled")
    assert "LSTM" in kinds(rolled)
    found = unroll_file(rolled, tmp_path / "flat.onnx")
    assert not kinds(onnx.load(found.path)) & LOOPS
    assert found.before["LSTM"] == 1
    assert found.after["MatMul"] == 4
