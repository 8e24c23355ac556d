"""Files that cannot be read are refused with what is wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from helpers import refused
from onnx import TensorProto, helper
from read_models import FLOAT, branches, floats, model_of

import unroll
from unroll.export.reading.graph_reader import NEWEST_OPSET
from unroll.export.reading.reader import from_onnx


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(64), b"\x08\x07", b"PK\x03\x04"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flat.onnx"
    path.write_bytes(content)
    refused(lambda: from_onnx(path), ValueError, str(path), "ONNX model")


def test_a_torn_file_is_refused_or_is_whole(tmp_path: Path) -> None:
    whole = branches(13).SerializeToString()
    path = tmp_path / "torn.onnx"
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        try:
            from_onnx(path)
        except unroll.UnrollError as error:
            assert isinstance(error, ValueError)
    path.write_bytes(whole[: len(whole) // 2])
    refused(lambda: from_onnx(path), ValueError, str(path))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    refused(lambda: from_onnx(tmp_path / "none.onnx"), OSError, "none.onnx")
    refused(lambda: from_onnx(tmp_path), OSError, str(tmp_path))
    refused(lambda: from_onnx(7), TypeError, "int")  # type: ignore[arg-type]


def unknown_rank() -> onnx.ModelProto:
    return model_of(
        [
            helper.make_node("Mystery", ["x"], ["h"], name="odd", domain="com.acme"),
            helper.make_node("Neg", ["h"], ["y"]),
        ],
        {"x": [2]},
        {"y": [2]},
        domains={"com.acme": 1},
    )


def external() -> onnx.ModelProto:
    model = model_of([helper.make_node("Mul", ["x", "w"], ["y"])], {"x": [2]}, {"y": [2]}, {"w": floats(2)})
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    return model


def sparse() -> onnx.ModelProto:
    model = model_of([helper.make_node("Mul", ["x", "w"], ["y"])], {"x": [2]}, {"y": [2]})
    values = helper.make_tensor("w", FLOAT, [1], [3.0])
    indices = helper.make_tensor("at", TensorProto.INT64, [1], [1])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2]))
    return model


def undefined() -> onnx.ModelProto:
    return model_of([helper.make_node("Neg", ["nothing"], ["y"])], {"x": [2]}, {"y": [2]})


def of_opset(opset: int) -> onnx.ModelProto:
    return model_of([helper.make_node("Neg", ["x"], ["y"])], {"x": [2]}, {"y": [2]}, opset=opset)


def without_outputs() -> onnx.ModelProto:
    model = of_opset(13)
    del model.graph.output[:]
    return model


@pytest.mark.parametrize(
    ("make", "builtin", "fragments"),
    [
        (unknown_rank, ValueError, ["'odd'", "Mystery", "'h'", "shape"]),
        (external, NotImplementedError, ["other files"]),
        (sparse, ValueError, ["'w'", "sparse"]),
        (undefined, ValueError, ["not a valid ONNX model", "nothing"]),
        (lambda: of_opset(6), NotImplementedError, ["opset 6", f"7 to {NEWEST_OPSET}"]),
        (
            lambda: of_opset(NEWEST_OPSET + 1),
            NotImplementedError,
            [f"opset {NEWEST_OPSET + 1}", f"7 to {NEWEST_OPSET}"],
        ),
        (without_outputs, ValueError, ["it has no outputs"]),
        (onnx.ModelProto, ValueError, ["no ir_version and no outputs"]),
    ],
    ids=[
        "rank",
        "external",
        "sparse",
        "undefined",
        "opset8",
        "opset26",
        "no outputs",
        "empty",
    ],
)
def test_a_model_that_cannot_be_read_is_refused_with_what_is_wrong(
    make: Callable[[], onnx.ModelProto], builtin: type[Exception], fragments: list[str]
) -> None:
    refused(lambda: from_onnx(make()), builtin, *fragments)
