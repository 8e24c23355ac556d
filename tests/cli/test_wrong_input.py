"""Whatever is wrong with what a command is given is one line that says so, and exit status 2: every command, every kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_programs import GRAPH

import unroll
from unroll.cli import main
from unroll.cli.parser import COMMANDS

#: Every command that reads a program or a file, and what else it must be given.
READING: dict[str, list[str]] = {
    "summary": [],
    "explain": [],
    "draw": ["-o", "out.svg"],
    "view": ["-o", "out.html", "--no-browser"],
    "kernels": ["-o", "out.svg"],
    "values": ["-o", "out.svg"],
    "export": ["-o", "out.onnx"],
    "run": [],
    "gate-order": ["--expected", "x.npy"],
    "verify": [],
    "optimize": [],
    "reroll": ["-o", "out.onnx"],
    "unroll": ["-o", "out.onnx"],
    "compile": ["--no-cache"],
    "diff": ["good.onnx"],
    "equivalent": ["good.onnx"],
}
#: What a program does that gives no graph; each defines `g` last, where it comes so far.
PROGRAMS: dict[str, str] = {
    "empty": "",
    "raises": "raise ValueError('one\\ntwo')",
    "raises a BaseException": "def g():\n  raise BaseException('b')",
    "raises GeneratorExit": "def g():\n  raise GeneratorExit",
    "exits": "import sys\nsys.exit(7)",
    "exits in the function": "def g(): raise SystemExit(0)",
    "interrupts itself": "def g(): raise KeyboardInterrupt",
    "cannot say why": "class E(Exception):\n  def __str__(s): raise ValueError('in str')\ndef g(): raise E()",
    "has no end of calls": "def g(): return g()",
    "is no Python": "def g(:",
    "is deep": "(" * 5000,
    "gives a number": "g = 3",
    "gives nothing": "def g(): pass",
    "wants an argument": "def g(a): return a",
    "asks for input": "def g(): return input()",
    "has a __getattr__": "def __getattr__(name): raise ZeroDivisionError('x')",
    "gives what cannot be asked": "class M:\n  def __call__(s): return 3\n  __module__ = 1\ng = M()",
    "divides in a property": "class C:\n  @property\n  def __class__(self): return 1 / 0\ng = C()",
}
#: What a file that is called .onnx may be.
FILES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello, this is no model\n" * 40,
    "zeros": b"\0" * 4096,
    "an archive": b"PK\3\4" + b"\0" * 100,
    "an image": b"\x89PNG\r\n\x1a\n" + b"\1" * 200,
}


def one_line(capsys: pytest.CaptureFixture[str], command: str, *arguments: object) -> str:
    assert main([command, *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and said.err.startswith(f"unroll {command}: ") and "Traceback" not in said.err
    assert len(said.err) < 1500
    return said.err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good model and good feeds, which is the current one."""
    monkeypatch.chdir(tmp_path)
    x = unroll.placeholder([None, 2], "x")
    unroll.save(unroll.Graph([x], {"y": unroll.ops.tanh(x)}), "good.onnx")
    np.save("x.npy", np.ones((1, 2), "float32"))
    return tmp_path


def test_the_table_has_every_command_that_reads() -> None:
    assert set(READING) == set(COMMANDS) - {"demo"}


@pytest.mark.parametrize("kind", PROGRAMS)
@pytest.mark.parametrize("command", READING)
def test_a_program_that_gives_no_graph(
    command: str, kind: str, here: Path, write: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("import unroll\n" + PROGRAMS[kind] + "\n")
    said = one_line(capsys, command, f"{path}:g", *READING[command])
    assert "program.py" in said
    assert sorted(item.name for item in here.iterdir()) == ["good.onnx", "program.py", "x.npy"]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("command", READING)
def test_a_file_that_is_no_model(command: str, kind: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.onnx").write_bytes(FILES[kind])
    assert "m.onnx" in one_line(capsys, command, "m.onnx", *READING[command])
    assert not Path("out.onnx").exists() and not Path("out.svg").exists()


@pytest.mark.parametrize(
    ("target", "fragment"),
    [
        ("missing.onnx", "missing.onnx"),
        ("missing.py:g", "missing.py"),
        ("folder.onnx", "a folder"),
        ("folder.py:g", "a folder"),
        ("pipe.onnx", "a named pipe"),
        ("zero.onnx", "a device"),
        ("x.npy", "x.npy"),
        ("good", "good"),
        ("program.py", "program.py"),
        ("program.py:", "program.py"),
        ("program.py:a b", "program.py"),
        ("program.py:other", "there are 'graph'"),
        ("", "''"),
        ("a" * 400 + ".onnx", "aaa"),
        ("nul\0.onnx", "NUL"),
        ("loop.onnx", "loop.onnx"),
    ],
)
@pytest.mark.parametrize("command", READING)
def test_a_target_that_is_none(
    command: str,
    target: str,
    fragment: str,
    here: Path,
    write: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(GRAPH)
    for name in ("folder.onnx", "folder.py"):
        (here / name).mkdir()
    os.mkfifo(here / "pipe.onnx")
    (here / "zero.onnx").symlink_to("/dev/zero")
    (here / "loop.onnx").symlink_to("loop.onnx")
    said = one_line(capsys, command, target, *READING[command])
    assert fragment in said


FEEDING = [command for command in READING if command not in ("summary", "kernels", "diff")]


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        (["--feed", "x"], "NAME=FILE.npy"),
        (["--feed", "x=missing.npy"], "missing.npy"),
        (["--feed", "x=."], "a folder"),
        (["--feed", "x=good.onnx"], "good.onnx"),
        (["--feed", "x=objects.npy"], "plain numbers"),
        (["--feed", "x=x.npy", "--feed", "x=x.npy"], "fed already"),
        (["--feed", "z=x.npy"], "'x'"),
        (["--feed", "x=wide.npy"], "3"),
        (["--feed", "x=texts.npy"], "plain numbers"),
        (["--feeds", "wide.npy"], "3"),
        (["--feeds", "x=x.npz"], "--feeds x.npz"),
        (["--feeds", "good.onnx"], ".npz"),
        (["--feeds", "missing.npz"], "missing.npz"),
        (["--feeds", "text.npz"], "text.npz"),
    ],
)
@pytest.mark.parametrize("command", FEEDING)
def test_feeds_that_are_none(
    command: str, given: list[str], fragment: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save("texts.npy", np.array(["a", "b"]))
    np.save("wide.npy", np.ones((1, 3), "float32"))
    Path("text.npz").write_text("hello")
    output = ["-o", "new.onnx"] if command in ("optimize", "compile") else []
    if command in NOTHING:  # these read their feeds once there is something to prove
        output, given = [], [*given]
    said = one_line(capsys, command, "good.onnx", *READING[command], *output, *given)
    assert fragment in said or (command in NOTHING and NOTHING[command] in said)


#: What good.onnx, which has no cell, is refused by.
NOTHING = {"reroll": "nothing was re-rolled", "unroll": "no loop was found"}
NEEDING_CELLS = (*NOTHING, "gate-order", "kernels", "values")
WRITING = {
    "draw": ".svg", "export": ".onnx", "run": ".npz", "optimize": ".onnx", "reroll": ".onnx",
    "unroll": ".onnx", "compile": ".onnx",
}  # fmt: skip


@pytest.mark.parametrize("command", WRITING)
def test_an_output_that_cannot_be(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suffix = WRITING[command]
    (here / f"folder{suffix}").mkdir()
    (here / "locked").mkdir()
    for target, fragment in (
        (f"no/such/out{suffix}", "there is no folder no/such"),
        (f"good.onnx/out{suffix}", "there is no folder good.onnx"),
        (f"folder{suffix}", "it is a folder"),
        ("locked", "it is a folder"),
        ("out.txt", f"must end in {suffix}"),
        ("out", f"must end in {suffix}"),
        (f"nul\0{suffix}", "NUL"),
        ("a" * 300 + suffix, "cannot be"),
    ):
        given = {"compile": ["--no-cache"], "run": ["--feed", "x=x.npy"]}.get(command, [])
        said = one_line(capsys, command, "good.onnx", "-o", target, *given)
        assert fragment in said or (command in NOTHING and NOTHING[command] in said)
    assert sorted(item.name for item in here.iterdir()) == sorted(["good.onnx", "x.npy", f"folder{suffix}", "locked"])


def test_a_folder_of_somebody_else(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: (str(path), mode) != ("locked", os.W_OK))
    assert "locked is not yours to write in" in one_line(capsys, "export", "good.onnx", "-o", "locked/out.onnx")


@pytest.mark.parametrize("command", READING)
def test_a_misspelt_flag_has_the_near_name(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean --dim" in one_line(capsys, command, "good.onnx", *READING[command], "--dimm", "x=3")
    assert f"see unroll {command} --help" in one_line(capsys, command, "good.onnx", *READING[command], "--zzzzzz=4")
    assert "one argument too many" in one_line(capsys, command, "good.onnx", *READING[command], "another")
    assert "is missing" in one_line(capsys, command)


@pytest.mark.parametrize("size", ["time", "time=", "=3", "time=x", "time=1.5", "time=" + "9" * 30])
@pytest.mark.parametrize("command", READING)
def test_a_size_that_is_none(command: str, size: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = one_line(capsys, command, "good.onnx", *READING[command], "--dim", size)
    assert "NAME=SIZE" in said or "--dim" in said


def test_nan_is_fed_and_printed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", np.array([[np.nan, 0]], "float32"))
    assert main(["run", "good.onnx", "--feed", "x=x.npy"]) == 0
    assert capsys.readouterr().out == "y (1, 2) float32\n[[nan  0.]]\n"
    assert main(["draw", "good.onnx", "--feed", "x=x.npy", "-o", "x.dot"]) == 0
    assert main(["verify", "good.onnx", "--feed", "x=x.npy"]) == 0


@pytest.mark.parametrize("command", [command for command in READING if command not in NEEDING_CELLS])
def test_a_file_is_known_by_its_suffix_in_capitals_too(command: str, here: Path) -> None:
    Path("good.onnx").rename("GOOD.ONNX")
    more = {"run": ["--feed", "x=x.npy"], "equivalent": ["GOOD.ONNX"], "diff": ["GOOD.ONNX"]}.get(
        command, READING[command]
    )
    assert main([command, "GOOD.ONNX", *more]) == 0
