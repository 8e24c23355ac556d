"""Saving a model: whole or not at all, in one form, and the same bytes each time."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from google.protobuf.message import EncodeError
from helpers import refused

import unroll
from unroll import BasicLSTMCell, Graph, Session, files, static_rnn
from unroll.export import saving
from unroll.export.lowering import LATEST_IR_VERSION

OLD = b"the old file"


def graph() -> Graph:
    inputs = [unroll.placeholder([None, 3], f"X{step}") for step in range(2)]
    return Graph(inputs, {"last": static_rnn(BasicLSTMCell(4), inputs)[0][-1]})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("as_text", [True, False])
def test_saving_gives_the_path_of_a_model_that_runs(as_text: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    assert unroll.save(graph(), str(path) if as_text else path) == path
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model == unroll.to_onnx(graph())
    fed = {"X0": np.ones((2, 3)), "X1": np.zeros((2, 3))}
    np.testing.assert_allclose(Session(path).run(fed)["last"], graph().run(fed)["last"], atol=1e-6)
    assert names(tmp_path) == ["model.onnx"]


def test_a_relative_path_is_saved_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert unroll.save(graph(), "model.onnx") == Path("model.onnx")
    assert names(tmp_path) == ["model.onnx"]


def test_a_model_is_saved_as_it_is(tmp_path: Path) -> None:
    model = unroll.to_onnx(graph(), opset=17)
    model.doc_string = "mine"
    assert onnx.load(unroll.save(model, tmp_path / "model.onnx")) == model


def test_options_of_to_onnx_go_with_a_graph(tmp_path: Path) -> None:
    saved = onnx.load(
        unroll.save(graph(), tmp_path / "a.onnx", opset=21, ir_version=LATEST_IR_VERSION, fold_zero_state=False)
    )
    assert (saved.opset_import[0].version, saved.ir_version) == (21, LATEST_IR_VERSION)
    assert "ConstantOfShape" in {node.op_type for node in saved.graph.node}


def test_options_with_a_model_are_refused(tmp_path: Path) -> None:
    refused(lambda: unroll.save(unroll.to_onnx(graph()), tmp_path / "a.onnx", opset=17), TypeError, "opset", "Graph")
    assert names(tmp_path) == []


def test_the_same_program_saved_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (unroll.save(graph(), tmp_path / f"{name}.onnx", opset=21).read_bytes() for name in "ab")
    assert first == second
    assert unroll.save(unroll.to_onnx(graph(), opset=21), tmp_path / "c.onnx").read_bytes() == first
    assert unroll.save(onnx.load(tmp_path / "a.onnx"), tmp_path / "d.onnx").read_bytes() == first


# -- whole or not at all ----------------------------------------------------------------------------------------------


def test_an_existing_file_is_replaced_only_by_a_whole_new_one(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(OLD)
    unroll.save(graph(), path)
    assert path.read_bytes() == unroll.to_onnx(graph()).SerializeToString(deterministic=True)
    assert names(tmp_path) == ["model.onnx"]


@pytest.mark.parametrize("raised", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("moment", ["writing", "renaming"])
def test_an_interrupted_write_leaves_the_old_file_whole_and_nothing_else(
    raised: BaseException, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(OLD)
    model = unroll.to_onnx(graph())

    def no(*arguments: Any) -> Any:
        raise raised

    with monkeypatch.context() as patch:
        patch.setattr(os if moment == "writing" else Path, "fsync" if moment == "writing" else "replace", no)
        with pytest.raises((unroll.UnrollError, type(raised))) as caught:
            unroll.save(model, path)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["model.onnx"]
    if isinstance(raised, OSError):
        assert isinstance(caught.value, unroll.UnrollError)
        assert str(path) in str(caught.value)
        assert "No space left" in str(caught.value)


def test_a_graph_that_cannot_be_exported_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(OLD)
    refused(lambda: unroll.save(graph(), path, opset=5), ValueError, "opset 5")
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["model.onnx"]


def test_the_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        path = unroll.save(graph(), tmp_path / "model.onnx")
        assert os.umask(0o027) == 0o027, "saving leaves the umask alone"
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model", "model.pb", "model.onnx.gz", "model.ONNX.txt", ".onnx", "onnx"])
def test_another_suffix_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    refused(lambda: unroll.save(graph(), tmp_path / name), OSError, str(tmp_path / name), ".onnx")
    assert names(tmp_path) == []


def test_a_model_too_large_for_one_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class TooLarge:
        """A model of more than 2 GiB, as far as protobuf is concerned."""

        def SerializeToString(self, deterministic: bool) -> bytes:  # noqa: N802
            raise EncodeError("Failed to serialize proto")

    monkeypatch.setattr(saving, "ModelProto", TooLarge)
    model: Any = TooLarge()
    refused(lambda: unroll.save(model, tmp_path / "m.onnx"), ValueError, "2 GiB", "save_as_external_data")
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no" / "model.onnx"
    refused(lambda: unroll.save(graph(), path), OSError, str(path), "cannot be written", "No such file")


def test_a_folder_under_a_files_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").mkdir()
    refused(lambda: unroll.save(graph(), tmp_path / "model.onnx"), OSError, "is a folder")
    (tmp_path / "file").write_bytes(OLD)
    refused(lambda: unroll.save(graph(), tmp_path / "file" / "model.onnx"), OSError, "cannot be written")


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:  # root may write everywhere, so the system's answer is played

        def denied(*arguments: Any, **options: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(files.os, "open", denied)
    else:
        tmp_path.chmod(0o500)
    path = tmp_path / "model.onnx"
    try:
        refused(lambda: unroll.save(graph(), path), OSError, str(path), "Permission denied", "choose a folder")
        assert names(tmp_path) == []
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("path", [None, 3, "", b"model.onnx", ["model.onnx"]])
def test_what_is_no_path_is_refused(path: Any) -> None:
    refused(lambda: unroll.save(graph(), path), TypeError, repr(path), "not a path")


@pytest.mark.parametrize("what", [None, b"bytes", "model.onnx", []])
def test_what_is_neither_graph_nor_model_is_refused(what: Any, tmp_path: Path) -> None:
    refused(lambda: unroll.save(what, tmp_path / "model.onnx"), TypeError, "Graph", type(what).__name__)
    assert names(tmp_path) == []
