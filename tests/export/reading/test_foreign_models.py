"""Flat ONNX files that tf2onnx and torch.onnx made: they are read and written again as they were, and re-rolled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import GOLDEN, Array, golden_arrays, golden_json, refused

import unroll
from unroll import ops
from unroll.errors import UnsupportedError, VerificationError
from unroll.export.file_proof import prove
from unroll.export.file_rerolling import reroll_file
from unroll.export.reading.reader import from_onnx

FOLDER = GOLDEN / "foreign"
CASES: list[dict[str, Any]] = [case for case in golden_json("foreign/manifest.json")["cases"] if case["file"]]
FLAT = [case for case in CASES if case["flat"]]
NATIVE = ("LSTM", "GRU", "RNN", "Scan")

#: Files that stay as they are, or become less than they could: what they become, and why.
SHORT_OF_NATIVE: dict[str, tuple[dict[str, int], str]] = {
    "tf2onnx-basic_rnn-lengths=fixed-b3-t4-op13": ({"Scan": 2}, "each step masks other rows, by constants"),
    "tf2onnx-basic_lstm-lengths=fixed-b3-t3-op9": ({"Scan": 1}, "each step masks other rows, by constants"),
    "keras-lstm-b1-t2-op18": ({}, "two steps, of which the converter folded the first"),
}
#: Of files that are refused, the node that the message names, and what it says of it.
REFUSED = {
    "keras-lstm-b1-t2-op18": ("sequential_1/lstm_1/lstm_cell_3/BiasAdd_1", "one whole step shows no pattern"),
    "tf2onnx-basic_rnn-lengths=fed-bn-t4-op13": ("rnn/cond/output_If__48", "this If is not looked at"),
    "tf2onnx-basic_lstm-lengths=fed-bn-t4-op15": ("rnn/cond/output_If__60", "this If is not looked at"),
    "tf2onnx-gru-lengths=fed-b3-t3-op9": ("rnn/cond/output_If__50", "this If is not looked at"),
    "dynamo-nn_lstm-bn-t4-op18": ("node_lstm__2", "a loop in one node already (LSTM)"),
    "torchscript-nn_lstm-bn-t4-op13": ("/LSTM", "a loop in one node already (LSTM)"),
}


def each(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["id"])


def runs(case: dict[str, Any]) -> list[tuple[dict[str, Array], list[Array]]]:
    """What a case was fed, and what onnxruntime computed of the converter's own file."""
    arrays = golden_arrays("foreign/arrays.npz")
    found = []
    for batch in case["batches"]:
        feeds = {name: arrays[f"{case['id']}/{batch}/in{place}"] for place, name in enumerate(case["inputs"])}
        found.append((feeds, [arrays[f"{case['id']}/{batch}/out{place}"] for place in range(len(case["outputs"]))]))
    return found


def check_runs(model: onnx.ModelProto, case: dict[str, Any]) -> None:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_inputs()] == case["inputs"]
    assert [item.name for item in session.get_outputs()] == case["outputs"]
    for feeds, expected in runs(case):
        for name, found, wanted in zip(case["outputs"], session.run(None, feeds), expected, strict=True):
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), name
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=name)


def fixed_sizes(items: Any) -> list[list[int | None]]:
    return [
        [dim.dim_value if dim.HasField("dim_value") else None for dim in item.type.tensor_type.shape.dim]
        for item in items
    ]


def operators(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def test_at_least_45_flat_files_are_held() -> None:
    assert len(FLAT) >= 45
    assert {case["made_by"] for case in FLAT} == {"tf2onnx", "keras", "dynamo", "torchscript"}
    assert {case["opset"] for case in FLAT} >= {9, 11, 13, 15, 17, 18}


@pytest.mark.slow
@each(CASES)
def test_a_file_read_and_written_again_is_the_same_model(case: dict[str, Any]) -> None:
    original = onnx.load(FOLDER / case["file"])
    graph = from_onnx(FOLDER / case["file"])
    written = unroll.to_onnx(graph)
    onnx.checker.check_model(written, full_check=True)
    weights = {item.name for item in original.graph.initializer}
    inputs = [item for item in original.graph.input if item.name not in weights]
    assert fixed_sizes(written.graph.input) == fixed_sizes(inputs)
    kinds = [item.type.tensor_type.elem_type for item in inputs]
    assert [item.type.tensor_type.elem_type for item in written.graph.input] == kinds
    check_runs(written, case)


@each(CASES)
def test_our_numpy_computes_what_onnxruntime_does(case: dict[str, Any]) -> None:
    graph = from_onnx(FOLDER / case["file"])
    for feeds, expected in runs(case):
        for found, wanted in zip(graph.run(feeds).values(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@each(CASES)
def test_every_weight_of_a_file_is_a_parameter_of_its_name(case: dict[str, Any]) -> None:
    original = onnx.load(FOLDER / case["file"])
    read = {name for node in original.graph.node for name in node.input}
    for weight in original.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and len(weight.dims) == 2 and weight.name in read:
            graph = from_onnx(original)
            wanted = onnx.numpy_helper.to_array(weight)
            np.testing.assert_array_equal(graph.parameters[weight.name].value, wanted)


@pytest.mark.slow
@each(FLAT)
def test_a_flat_file_is_rerolled_or_refused_with_the_reason(case: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "fast.onnx"
    try:
        found = reroll_file(FOLDER / case["file"], target)
    except UnsupportedError as error:
        check_refusal(case, str(error))
        assert not target.exists()
        return
    written = onnx.load(target)
    check_runs(written, case)
    became = {name: count for name, count in operators(written).items() if name in NATIVE}
    assert set(found.report.operators) == became.keys()
    assert became == SHORT_OF_NATIVE.get(case["id"], (case["native"], ""))[0]


def check_refusal(case: dict[str, Any], message: str) -> None:
    """Check that a refusal says why, naming a node of the file."""
    node, why = REFUSED[case["id"]]
    assert message.startswith("nothing was re-rolled, and nothing written: ")
    assert node in message and why in message
    assert node in {item.name for item in onnx.load(FOLDER / case["file"]).graph.node}


@each([case for case in CASES if not case["flat"]])
def test_a_file_that_is_not_flat_has_nothing_to_reroll_and_is_told_why(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError) as raised:
        reroll_file(FOLDER / case["file"], tmp_path / "x.onnx")
    check_refusal(case, str(raised.value))
    assert not list(tmp_path.iterdir())


def test_a_result_that_differs_is_never_written() -> None:
    original = onnx.load(FOLDER / "torchscript-lstm-b3-t3-op9.onnx")
    wrong = onnx.ModelProto.FromString(original.SerializeToString())
    bias = next(item for item in wrong.graph.initializer if item.name.endswith("bias_hh"))
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32(1e-2), bias.name))
    graph = from_onnx(original)
    assert prove(original, original, graph).worst.absolute == 0
    with pytest.raises(VerificationError, match="nothing was written"):
        prove(original, wrong, graph)


def test_models_are_compared_on_rows_of_zeros_too_as_masks_are_made_of_them() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    counts = ops.reduce_max(ops.abs(x), [-1], keepdims=True) > 0
    masked = unroll.Graph([x], {"y": ops.where(counts, x, -1.0)})
    careless = unroll.Graph([x], {"y": ops.identity(x)})
    with pytest.raises(VerificationError, match="by 1"):
        prove(unroll.to_onnx(masked), unroll.to_onnx(careless), masked)


def test_nothing_is_written_where_nothing_was_rerolled_or_the_result_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kept.onnx"
    target.write_bytes(b"what was there")
    refused(lambda: reroll_file(FOLDER / "keras-lstm-b1-t2-op18.onnx", target), NotImplementedError, "no recurrence")
    wrong = onnx.load(FOLDER / "torchscript-gru-b3-t4-op11.onnx")
    for weight in wrong.graph.initializer:
        weight.CopyFrom(onnx.numpy_helper.from_array(1.01 * onnx.numpy_helper.to_array(weight), weight.name))
    monkeypatch.setattr("unroll.export.file_rerolling.to_onnx", lambda graph, **options: wrong)
    with pytest.raises(VerificationError, match="nothing was written"):
        reroll_file(FOLDER / "torchscript-gru-b3-t4-op11.onnx", target)
    assert target.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_may_be_rerolled_onto_itself(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    case = next(case for case in FLAT if case["id"] == "tf2onnx-gru-bn-t5-op13")
    path.write_bytes((FOLDER / case["file"]).read_bytes())
    found = reroll_file(path, path)
    check_runs(onnx.load(path), case)
    text = str(found)
    assert "became GRU" in text
    assert "77 nodes became" in text
    assert "the same in onnxruntime on 4 feeds" in text


@pytest.mark.slow
def test_the_rest_of_a_file_stays_as_it_was(tmp_path: Path) -> None:
    path = FOLDER / "dynamo-rows-bn-t3-op18.onnx"
    reroll_file(path, tmp_path / "fast.onnx")
    before, after = onnx.load(path), onnx.load(tmp_path / "fast.onnx")
    assert [item.version for item in after.opset_import] == [18]
    pool = next(node for node in before.graph.node if node.op_type == "MaxPool")
    kept = next(node for node in after.graph.node if node.op_type == "MaxPool")
    assert (kept.name, list(kept.output)) == (pool.name, list(pool.output))
    assert {item.name for item in kept.attribute} == {"kernel_shape", "strides", "pads"}
    assert all(item in pool.attribute for item in kept.attribute)  # the others have their defaults
    assert operators(after).keys() >= {"Conv", "MaxPool", "LSTM", "LogSoftmax"}


def test_a_target_or_source_that_will_not_do_is_refused(tmp_path: Path) -> None:
    flat = FOLDER / "torchscript-gru-b3-t4-op11.onnx"
    refused(lambda: reroll_file(flat, tmp_path / "fast.tflite"), OSError, ".onnx")
    refused(lambda: reroll_file(flat, tmp_path / "missing" / "fast.onnx"), OSError, "cannot be written")
    refused(lambda: reroll_file(tmp_path / "none.onnx", tmp_path / "fast.onnx"), OSError, "none.onnx")
    refused(lambda: reroll_file(flat, 7), TypeError, "path")
    assert not list(tmp_path.iterdir())


def test_models_are_compared_on_several_sizes_and_on_lengths() -> None:
    path = FOLDER / "tf2onnx-basic_rnn-lengths=fed-bn-t4-op13.onnx"
    model = onnx.load(path)
    proof = prove(model, model, from_onnx(path))
    assert [feed.split(", lengths")[1] for feed in proof.feeds] == [":0 [5]", ":0 [3]", ":0 [2]", ":0 [1]"]
    assert {row.output for row in proof.differences} == {f"Y{place}:0" for place in range(5)}
