"""docs/command_line.md is true: each command line of it does what it says, and its table is that of the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from helpers import REPOSITORY

from unroll.cli import main, statuses
from unroll.cli.parser import COMMANDS

PAGE = (REPOSITORY / "docs" / "command_line.md").read_text(encoding="utf-8")
LINES = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
#: What the page, and the help, say is the reader's own.
MODEL = """\
from unroll import layers
model = layers.Sequential([layers.Input((None, 5)), layers.LSTM(4), layers.Dense(2)])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("webbrowser.open", lambda address: address.startswith("file://"))
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    images = np.random.default_rng(0).random((2, 784), "float32")
    np.save("images.npy", images)
    np.savez("inputs.npz", X=images)
    np.save("x.npy", np.array([[0, 0.1, 0.2]]))
    return tmp_path


@pytest.mark.slow
def test_every_command_line_of_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {line[1] for line in LINES} == set(COMMANDS), "the page shows every command"
    for program, *words in LINES:
        assert program == "unroll"
        assert main(words) == 0, words
        said = capsys.readouterr()
        assert said.err == "", words
        for place, word in enumerate(words):
            if word == "-o":
                assert (folder / words[place + 1]).stat().st_size > 0


@pytest.mark.slow
def test_every_example_of_the_help_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "examples/image_rows_lstm.py:image_rows", "-o", "lstm.onnx"])
    for command in COMMANDS.values():
        for line in command.examples:
            assert line.split()[:2] == ["unroll", command.name]
            assert main(shlex.split(line)[1:]) == 0, line
    assert capsys.readouterr().err == ""


def test_the_table_of_exit_statuses_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)
    assert list(map(int, rows)) == [statuses.DONE, statuses.DISAGREES, statuses.MISUSED, statuses.INTERRUPTED]


@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_the_terminal(
    command: str, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main([*filter(None, [command]), "--help"]) == 0
    said = capsys.readouterr().out
    before, _, examples = said.partition("examples:\n")
    assert max(map(len, before.splitlines())) <= min(int(columns), 110)
    assert examples.startswith(f"  unroll {command or 'demo'}")
