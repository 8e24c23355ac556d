"""docs/bring_your_model.md is true: its command lines and its Python run as they stand, on files that exporters wrote."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import onnx
import pytest
from exporter_files import FOLDER, LOOPS, kinds
from helpers import REPOSITORY

from unroll.cli import main

PAGE = (REPOSITORY / "docs" / "bring_your_model.md").read_text(encoding="utf-8")
LINES = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
PROGRAMS: list[str] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
#: What stands for what the page's own programs write.
FILES = {
    "torch.onnx": "torchscript-lstm-bt",
    "keras.onnx": "keras-two_lstm-b",
    "keras_gru.onnx": "keras-gru_reset_before-b",
    "anybody.onnx": "torchscript-scripted_loop-bt",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, case in FILES.items():
        (tmp_path / name).write_bytes((FOLDER / f"{case}.onnx").read_bytes())
    return tmp_path


@pytest.mark.slow
def test_every_command_line_runs_and_flat_files_are_flat(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for program, *words in LINES:
        assert program == "unroll"
        assert main(words) == 0, words
        assert capsys.readouterr().err == "", words
    flat = [path for path in folder.glob("*_flat.onnx") if not kinds(onnx.load(path)) & LOOPS]
    assert {path.name for path in flat} == {f"{name}_flat.onnx" for name in ("torch", "keras", "keras_gru", "anybody")}
    fast = {path.name: kinds(onnx.load(path)) & LOOPS for path in folder.glob("*_fast.onnx")}
    assert fast == {"torch_fast.onnx": {"LSTM"}, "keras_fast.onnx": {"LSTM"}}


def test_the_python_of_files_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for program in PROGRAMS:
        if "import unroll" in program:
            exec(compile(program, "page", "exec"), {})
    said = capsys.readouterr().out
    assert "Loop: 5 steps written out" in said and "proven by structure" in said
    assert kinds(onnx.load(folder / "keras_gru_fast.onnx")) & LOOPS == {"GRU"}


def test_the_programs_that_export_are_python_of_the_framework() -> None:
    assert [text.split()[1] for text in PROGRAMS] == ["torch", "keras", "unroll", "unroll"]
    for text in PROGRAMS:
        compile(text, "page", "exec")
