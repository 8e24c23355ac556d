"""docs/from_keras.md is true: its programs run in order, in one folder, and print what the page says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from unroll.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "from_keras.md"
#: A program, and what it prints where the page says so.
BLOCK = re.compile(r"```(python|console)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def test_each_program_of_the_page_prints_what_it_says(tmp_path: Path, monkeypatch, capsys) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 6
    python = "".join(text for kind, text, _ in blocks if kind == "python")
    done = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(said for _, _, said in blocks)
    monkeypatch.chdir(tmp_path)
    for command, said in re.findall(
        r"^\$ unroll (.*)\n(.*\n)", "".join(text for kind, text, _ in blocks if kind == "console"), re.MULTILINE
    ):
        assert main(shlex.split(command)) == 0
        assert capsys.readouterr().out == said
