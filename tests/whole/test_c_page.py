"""docs/c.md is true: its programs run in order, in one folder, and print what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from c_running import needs_compiler

PAGE = Path(__file__).parents[2] / "docs" / "c.md"
#: A program, and what it prints where the page says so.
BLOCK = re.compile(r"```(python|c|ld|console)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
CHAPTER = "## On a microcontroller"
#: What the commands of that chapter need, and the package that has it.
TOOLS = {"arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi", "qemu-system-arm": "qemu-system-arm"}
#: Sizes and counts of instructions are this large, and may be so far from those on the page: compilers differ.
LARGE, NEAR = 1000, 0.25


def blocks(text: str) -> list[tuple[str, str, str]]:
    return BLOCK.findall(text)


def parts() -> tuple[str, str]:
    """What the page says of all machines, and of microcontrollers."""
    before, _, chapter = PAGE.read_text().partition(CHAPTER)
    chapter, _, after = chapter.partition("\n## ")
    return before + after, chapter


@needs_compiler
def test_each_program_of_the_page_prints_what_it_says(tmp_path: Path) -> None:
    found = blocks(parts()[0])
    assert [kind for kind, _, _ in found] == ["python", "c", "console", "python"]
    run(found, tmp_path)


@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS),
    reason=f"no compiler for Cortex-M or no qemu is found; apt-get install {' '.join(TOOLS.values())}",
)
def test_microcontrollers_give_numpys_numbers_in_as_many_instructions_as_the_page_says(tmp_path: Path) -> None:
    everywhere, chapter = map(blocks, parts())
    assert [kind for kind, _, _ in chapter] == ["python", "c", "ld", "c", "console", "python", "console"]
    first, *_, last = everywhere
    run([first, (last[0], "import numpy as np\n", ""), *chapter], tmp_path)


def run(found: Sequence[tuple[str, str, str]], folder: Path) -> None:
    """Run blocks in order: programs go on where the last one ended, files are called as their first line says."""
    python, printed = "", ""
    for kind, text, said in found:
        if kind in ("c", "ld"):
            name = re.match(r"/\* ([\w.]+): ", text)
            assert name is not None
            (folder / name[1]).write_text(text)
        elif kind == "console":
            run_commands(text, folder)
        else:
            python, printed = python + text, printed + said
            command = [sys.executable, "-c", python]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            assert agree(done.stdout, printed), f"printed:\n{done.stdout}"


def run_commands(text: str, folder: Path) -> None:
    """Run the lines that begin with a prompt; what follows them is what they print."""
    for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert agree(done.stdout + done.stderr, said), f"{command} printed\n{done.stdout}{done.stderr}"


def agree(seen: str, said: str) -> bool:
    """Say whether a program prints what the page says, word for word: anything for ``...``, about as much for large numbers."""
    words = seen.split(), said.split()
    return len(words[0]) == len(words[1]) and all(
        one == other or other == "..." or _about(one, other) for one, other in zip(*words, strict=True)
    )


def _about(seen: str, said: str) -> bool:
    both = seen.isdecimal() and said.isdecimal() and int(said) >= LARGE
    return both and abs(int(seen) - int(said)) <= NEAR * int(said)
