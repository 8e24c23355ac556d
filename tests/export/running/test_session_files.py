"""A Session of files and of other people's models: what is no model is refused by name."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
import pytest
from helpers import refused
from onnx import TensorProto, helper
from session_programs import FEEDS, is_right, two_steps

import unroll
from unroll import Session

OPSET = [helper.make_opsetid("", 13)]


def cut_in_half() -> bytes:
    data = unroll.to_onnx(two_steps()).SerializeToString()
    return data[: len(data) // 2]


FILES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"this is not a model\n",
    "picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "zip": lambda: b"PK\x03\x04" + bytes(64),
    "cut in half": cut_in_half,
    "zeros": lambda: bytes(100),
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_that_is_no_model_is_refused_by_name(what: str, as_text: bool, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(FILES[what]())
    refused(lambda: Session(str(path) if as_text else path), ValueError, str(path), "ONNX")


def test_what_a_file_lacks_to_be_a_model_is_said(tmp_path: Path) -> None:
    for lacking, said in (("outputs", "it has no outputs"), ("version", "it has no ir_version")):
        model = unroll.to_onnx(two_steps())
        if lacking == "outputs":
            del model.graph.output[:]
        else:
            model.ClearField("ir_version")
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        message = refused(partial(Session, path), ValueError, str(path), said)
        assert message.endswith(said)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    refused(lambda: Session(tmp_path / "no.onnx"), OSError, str(tmp_path / "no.onnx"), "No such file")
    refused(lambda: Session(str(tmp_path)), OSError, str(tmp_path), "it is a folder")
    refused(lambda: Session(""), TypeError, "not a path")


def test_a_file_that_may_not_be_read_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = unroll.save(two_steps(), tmp_path / "model.onnx")

    def refuse(*arguments: Any) -> int:  # chmod would not keep root from reading
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuse)
    refused(lambda: Session(path), OSError, str(path), "Permission")


@pytest.mark.parametrize("what", [None, 3, b"bytes", [], {}])
def test_what_is_neither_graph_model_nor_path_is_refused(what: Any) -> None:
    refused(lambda: Session(what), TypeError, type(what).__name__, "Graph", "path")


@pytest.mark.slow
def test_a_valid_file_that_onnxruntime_refuses_is_an_error_that_names_it(tmp_path: Path) -> None:
    node = helper.make_node("NoSuchOperator", ["x"], ["y"])
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    model = helper.make_model(helper.make_graph([node], "g", infos[:1], infos[1:]), ir_version=7, opset_imports=OPSET)
    path = tmp_path / "unknown.onnx"
    path.write_bytes(model.SerializeToString())
    refused(lambda: Session(model), ValueError, "onnxruntime refuses", "NoSuchOperator")
    refused(lambda: Session(path), ValueError, "onnxruntime refuses", "NoSuchOperator", str(path))


def test_a_model_whose_weights_lie_in_a_file_of_their_own_is_found_from_its_path(tmp_path: Path) -> None:
    graph = two_steps()
    path = tmp_path / "large.onnx"
    onnx.save_model(unroll.to_onnx(graph), path, save_as_external_data=True, location="weights.bin", size_threshold=64)
    assert (tmp_path / "weights.bin").stat().st_size >= 8 * 5 * 4
    assert is_right(Session(path).run(FEEDS))
    (tmp_path / "weights.bin").unlink()
    refused(lambda: Session(path), OSError, str(path), "weights.bin")


def test_inputs_of_other_peoples_models_are_checked_as_they_declare_them() -> None:
    infos = {
        "a": helper.make_tensor_value_info("a", TensorProto.FLOAT, ["rows", None]),
        "w": helper.make_tensor_value_info("w", TensorProto.FLOAT, [2]),
        "y": helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
    }
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    nodes = [helper.make_node("Add", ["a", "w"], ["y"])]
    graph = helper.make_graph(nodes, "g", [infos["a"], infos["w"]], [infos["y"]], [weight])
    made = Session(helper.make_model(graph, ir_version=7, opset_imports=OPSET))
    assert [spec.name for spec in made.inputs] == ["a"], "an initializer need not be fed"
    assert made.run({"a": [[1, 1], [2, 2]]})["y"].tolist() == [[2, 3], [3, 4]]
    refused(lambda: made.run({"a": [1, 1]}), ValueError, "'a'", "(2,)")


@pytest.mark.slow
def test_a_sequence_as_input_is_refused() -> None:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    node = helper.make_node("SequenceLength", ["s"], ["n"])
    out = helper.make_tensor_value_info("n", TensorProto.INT64, [])
    graph = helper.make_graph([node], "g", [helper.make_value_info("s", kind)], [out])
    model = helper.make_model(graph, ir_version=7, opset_imports=OPSET)
    refused(lambda: Session(model), NotImplementedError, "'s'", "tensor")


def test_session_options_are_handed_to_onnxruntime() -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    made = Session(two_steps(), options)
    assert made._session.get_session_options().intra_op_num_threads == 1
    made.refresh()
    assert made._session.get_session_options().intra_op_num_threads == 1
    assert is_right(made.run(FEEDS))
