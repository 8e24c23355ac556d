"""docs/c.md is true: its programs run in order, in one folder, and print what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "c.md"
#: A program, and what it prints where the page says so.
BLOCK = re.compile(r"```(python|c|console)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc is found; apt-get install gcc libc6-dev")
def test_each_program_of_the_page_prints_what_it_says(tmp_path: Path) -> None:
    python, printed = "", ""
    blocks = BLOCK.findall(PAGE.read_text())
    assert [kind for kind, _, _ in blocks] == ["python", "c", "console", "python"]
    for kind, text, said in blocks:
        if kind == "c":
            (tmp_path / "main.c").write_text(text)
        elif kind == "console":
            run_commands(text, tmp_path)
        else:  # a program goes on where the last one ended
            python, printed = python + text, printed + said
            command = [sys.executable, "-c", python]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            assert done.stdout == printed


def run_commands(text: str, folder: Path) -> None:
    """Run the lines that begin with a prompt; what follows them is what they print."""
    for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout + done.stderr == said
