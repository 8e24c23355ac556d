"""Parameter files that cannot be written or read: an error says why, and nothing is lost."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import refused, two_step_graph


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_an_unwritable_path_is_refused(tmp_path: Path, suffix: str) -> None:
    graph = two_step_graph()
    (tmp_path / f"folder{suffix}").mkdir()
    refused(lambda: graph.save_parameters(str(tmp_path / f"folder{suffix}")), OSError, "folder")
    missing = str(tmp_path / "missing" / f"w{suffix}")
    refused(lambda: graph.save_parameters(missing), OSError, missing, "cannot be written")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"folder{suffix}"]


@pytest.mark.parametrize("name", ["w.txt", "w", "w.npy", "w.pkl"])
def test_an_unknown_suffix_is_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    graph = two_step_graph()
    refused(lambda: graph.save_parameters(str(tmp_path / name)), OSError, name, ".npz", ".safetensors")
    (tmp_path / name).write_bytes(b"something")
    refused(lambda: graph.load_parameters(str(tmp_path / name)), OSError, name, ".npz", ".safetensors")
    refused(lambda: graph.save_parameters(""), TypeError, "path")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a file of arrays", b"PK\x03\x04 torn", b"\x93NUMPY", bytes(100)])
def test_a_corrupt_parameter_file_is_refused_and_changes_nothing(tmp_path: Path, suffix: str, content: bytes) -> None:
    graph = two_step_graph()
    before = {name: item.value.copy() for name, item in graph.parameters.items()}
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    refused(lambda: graph.load_parameters(str(path)), OSError, str(path), suffix)
    gc.collect()  # an open file would warn here
    assert all(np.array_equal(graph.parameters[name].value, array) for name, array in before.items())


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_truncated_parameter_file_is_refused_and_changes_nothing(tmp_path: Path, suffix: str) -> None:
    graph = two_step_graph()
    before = graph.parameters["rnn/basic_rnn_cell/kernel"].value.copy()
    path = tmp_path / f"w{suffix}"
    graph.save_parameters(str(path))
    whole = path.read_bytes()
    for length in range(0, len(whole), 61):
        path.write_bytes(whole[:length])
        refused(lambda: graph.load_parameters(str(path)), OSError, str(path))
    gc.collect()  # an open file would warn here
    assert np.array_equal(graph.parameters["rnn/basic_rnn_cell/kernel"].value, before)


def test_a_file_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"rnn/basic_rnn_cell/kernel": np.array([{"code": print}], object)})  # type: ignore[arg-type]
    refused(lambda: two_step_graph().load_parameters(str(tmp_path / "w.npz")), OSError, "w.npz")


def test_a_parameter_file_that_lacks_a_name_or_has_one_too_many_changes_nothing(tmp_path: Path) -> None:
    graph = two_step_graph()
    bias, kernel = np.ones(5, "float32"), np.ones((8, 5), "float32")
    path = tmp_path / "w.npz"
    np.savez(path, **{"rnn/basic_rnn_cell/bias": bias})  # type: ignore[arg-type]
    refused(lambda: graph.load_parameters(str(path)), OSError, "lacks", "rnn/basic_rnn_cell/kernel", "graph.assign")
    whole = {"rnn/basic_rnn_cell/bias": bias, "rnn/basic_rnn_cell/kernel": kernel, "more": bias}
    np.savez(path, **whole)  # type: ignore[arg-type]
    refused(lambda: graph.load_parameters(str(path)), OSError, "more", "graph.assign")
    np.savez(path, **{"rnn/basic_rnn_cell/bias": bias, "rnn/basic_rnn_cell/kernel": kernel.T})  # type: ignore[arg-type]
    refused(lambda: graph.load_parameters(str(path)), ValueError, "(5, 8)", "(8, 5)")
    assert not graph.parameters["rnn/basic_rnn_cell/bias"].value.any()


def test_a_missing_parameter_file_is_an_os_error(tmp_path: Path) -> None:
    refused(lambda: two_step_graph().load_parameters(str(tmp_path / "none.npz")), OSError, "none.npz", "cannot be read")


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("failing", ["write", "replace"])
def test_a_save_that_fails_midway_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, failing: str
) -> None:
    graph = two_step_graph()
    path = tmp_path / f"w{suffix}"
    graph.save_parameters(str(path))
    old = path.read_bytes()
    graph.assign({"rnn/basic_rnn_cell/bias": np.ones(5)})

    def fail(*arguments: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "replace":
            patch.setattr(Path, "replace", fail)
        else:
            patch.setattr(os, "fsync", fail)
        refused(lambda: graph.save_parameters(str(path)), OSError, str(path), "No space left")
    assert path.read_bytes() == old
    assert [item.name for item in tmp_path.iterdir()] == [path.name], "a temporary file was left behind"
    graph.save_parameters(str(path))
    assert path.read_bytes() != old
