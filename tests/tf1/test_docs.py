"""The page From TensorFlow 1 is true: its blocks run in order, as written, and print what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers import REPOSITORY

PAGE = (REPOSITORY / "docs" / "from_tensorflow_1.md").read_text(encoding="utf-8")


def test_every_block_of_the_page_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "from_tensorflow_1.md", "exec"), names)
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[:3] == [
        "rnn/basic_rnn_cell/kernel:0 (8, 5)",
        "rnn/basic_rnn_cell/bias:0 (5,)",
        "0.29131263 0.94211787",
    ]
    assert "onnxruntime" in said and "training is not here yet" in said and lines[-1] == "(1, 2)"
    assert {path.name for path in tmp_path.iterdir()} == {"rnn.svg", "rnn.onnx", "model.ckpt.npz"}
