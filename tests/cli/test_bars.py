"""On a terminal every command says what it is doing before it does it, and nothing is printed into a bar."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_programs import NAMED

from unroll.cli import line, main
from unroll.cli.parser import COMMANDS
from unroll.progress import shown_by

#: What each command says it does, on a file and on a program, among other things.
SAID = {
    "summary m.onnx": ["reading the file", "summing up N nodes"],
    "summary program.py:graph": ["summing up N nodes"],
    "draw m.onnx -o x.svg --level op": ["reading the file", "drawing N nodes", "laying out the picture"],
    "view m.onnx -o x.html --no-browser": ["reading the file", "laying out a page of N nodes"],
    "explain m.onnx": ["reading the file", "reading N nodes"],
    "kernels m.onnx -o x.svg": ["reading the file", "drawing kernels"],
    "values m.onnx --feed x.npy -o x.svg": ["reading the file", "drawing the values of N nodes"],
    "export m.onnx -o x.onnx": ["reading ONNX", "writing ONNX"],
    "run m.onnx --feed x.npy": ["loading into onnxruntime"],
    "verify m.onnx": ["verifying", "running in NumPy"],
    "optimize m.onnx -o x.onnx": ["reading ONNX", "optimizing N nodes", "writing ONNX"],
    "reroll program.py:graph -o x.onnx": ["re-rolling", "measuring"],
    "unroll m.onnx -o x.onnx --dim batch=1": ["unrolling", "reading ONNX"],
    "compile m.onnx --no-cache": ["reading the file", "measuring forms"],
    "gate-order m.onnx --feed x.npy --expected y.npz": ["reading the file", "trying orders of gates"],
    "diff m.onnx program.py:graph -o x.svg": ["reading the file", "comparing N nodes"],
    "equivalent m.onnx program.py:graph": ["reading the file", "comparing"],
}


class Shown:
    """Notes what is shown, and what is at this moment."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.now = 0

    def track(self, items: Sequence[Any], description: str) -> Iterable[Any]:
        with self.busy(description):
            yield from items

    @contextmanager
    def busy(self, description: str) -> Iterator[None]:
        self.said.append(description)
        self.now += 1
        yield
        self.now -= 1


def test_every_command_is_tried() -> None:
    assert {words.split()[0] for words in SAID} == set(COMMANDS) - {"demo"}


@pytest.mark.parametrize("words", SAID)
def test_what_is_done_is_said_and_nothing_is_printed_meanwhile(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("program.py").write_text(NAMED, encoding="utf-8")
    assert main(["export", "program.py:graph", "-o", "m.onnx"]) == 0
    np.save("x.npy", np.ones((1, 5, 2), "float32"))
    assert main(["run", "m.onnx", "--feed", "x.npy", "-o", "y.npz"]) == 0
    shown = Shown()
    monkeypatch.setattr(line, "on_terminal", lambda: shown_by(shown))

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            assert not shown.now, f"{text!r} is printed into {shown.said[-1]!r}"
            return super().write(text)

    monkeypatch.setattr(sys, "stdout", Output())
    assert main(words.split()) == 0
    wanted = [said for said in (re.sub(r"\d+", "N", said) for said in shown.said) if said in SAID[words]]
    assert list(dict.fromkeys(wanted)) == SAID[words]
    assert sys.stdout.getvalue()
