"""``unroll export -o FILE.c``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_checks import refused

from unroll.cli import main

PROGRAM = """
import unroll
x = unroll.placeholder([None, 4, 3], "x")
outputs, _ = unroll.dynamic_rnn(unroll.GRUCell(5), x)
graph = unroll.Graph([x], {"y": outputs})
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def test_a_file_of_c_and_its_header_are_written(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "program.py:graph", "-o", "net.c", "--dim", "batch=2"]) == 0
    assert capsys.readouterr().out == ("net_run(x (2, 4, 3) float32 -> y (2, 4, 5) float32)\nwrote net.c and net.h\n")
    assert '#include "net.h"' in (program / "net.c").read_text()
    assert "void net_run(" in (program / "net.h").read_text()


def test_an_onnx_file_becomes_c(program: Path) -> None:
    assert main(["export", "program.py:graph", "-o", "net.onnx"]) == 0
    assert main(["export", "net.onnx", "-o", "net.c", "--dim", "batch=1"]) == 0
    assert (program / "net.c").exists()


@pytest.mark.usefixtures("program")
def test_what_is_missing_or_of_onnx_is_said_in_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "batch" in refused(capsys, "export", "program.py:graph", "-o", "net.c")
    assert "--opset" in refused(
        capsys, "export", "program.py:graph", "-o", "net.c", "--dim", "batch=1", "--opset", "17"
    )


def test_a_files_name_that_is_none_in_c_is_made_one(program: Path) -> None:
    assert main(["export", "program.py:graph", "-o", "my-net.c", "--dim", "batch=1"]) == 0
    assert "void my_net_run(" in (program / "my-net.h").read_text()


def test_weights_in_fewer_bits_are_smaller_and_it_is_said_what_is_lost(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags in ([], ["--dtype", "float16"], ["--quantize", "int8"]):
        assert main(["export", "program.py:graph", "-o", "net.c", "--dim", "batch=1", *flags]) == 0
        assert ("of max(1, |value|) lost on random feeds" in capsys.readouterr().out) == bool(flags)
        held = {"": "float", "float16": "uint16_t", "int8": "int8_t"}["".join(flags[1:])]
        assert re.search(rf"static const {held} \w*kernel", (program / "net.c").read_text())
    wrong = ["export", "program.py:graph", "-o", "net.c", "--dim", "batch=1", "--quantize", "int4"]
    assert "'int8'; leave --quantize out" in refused(capsys, *wrong)
    asked = refused(capsys, "export", "program.py:graph", "-o", "net.onnx", "--quantize", "int8")
    assert "--quantize: it is for C" in asked and "unroll compile MODEL -o FILE.onnx --quantize int8" in asked
