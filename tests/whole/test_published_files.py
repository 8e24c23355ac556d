"""Files inside published packages are fetched by a script of their own, which says so where they cannot be had."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import GOLDEN, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import published


def test_packages_that_cannot_be_had_are_named_and_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found")
    monkeypatch.setattr(published.subprocess, "run", lambda *given, **more: done)
    assert published.main(str(tmp_path)) == published.NOTHING_HAD
    said = capsys.readouterr().out
    for package in {item.package for item in published.FILES}:
        assert f"NOT HAD: {package}: ERROR: No matching distribution found" in said
    assert said.rstrip().endswith("nothing was measured")


def test_a_file_of_a_wheel_has_a_row_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of an exporter stands for one of a package, in a wheel that is there already."""
    source = GOLDEN / "exporters" / "torchscript-lstm-bt.onnx"
    with zipfile.ZipFile(tmp_path / "a_package-1.0-py3-none-any.whl", "w") as archive:
        archive.write(source, "a_package/data/model.onnx")
    item = published.Published(
        "a-package==1.0", "model.onnx", lambda draw: {"x0": draw.random((2, 5, 3), "float32")}, {"time": 5}
    )
    monkeypatch.setattr(published, "FILES", (item,))
    assert published.main(str(tmp_path)) == 0
    title, _, row = capsys.readouterr().out.strip().splitlines()
    assert title.count("|") == row.count("|")
    assert row.startswith("| a-package 1.0: model.onnx | 0.0 MB | 1 LSTM | yes | yes | yes | ")
    flat = onnx.load(tmp_path / "flat-a_package-model.onnx")
    assert published.loops_of(flat) == "none"
    assert np.isfinite(float(row.split("|")[-2].split()[0]))
