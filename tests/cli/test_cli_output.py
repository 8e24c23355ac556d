"""Where a command prints: terminals, files and closed pipes, never onto what it reads; and what it never prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from cli_programs import GRAPH, said

import unroll
from unroll.cli import main

# -- where it is printed -----------------------------------------------------------------------------------------------


HAS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
UNICODE = GRAPH.replace('"y"', '"é😀"')


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``unroll ...`` in a shell, where streams can be closed."""
    full = f"exec {sys.executable} -m unroll {command}"
    settings = os.environ | environment
    return subprocess.run(full, shell=True, capture_output=True, text=True, env=settings, check=False, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_names_that_the_terminal_cannot_show_are_escaped(
    environment: dict[str, str], write: Callable[[str], Path]
) -> None:
    done = shell(f"summary {write(UNICODE)}:graph", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\U0001f600" in done.stdout
    done = shell(f"summary {write(UNICODE)}:gräph", **environment)
    assert done.returncode == 2 and "Traceback" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        (">&-", "standard output is closed"),
        (">&- 2>&- <&-", None),
        pytest.param("> /dev/full", "No space left", marks=HAS_FULL),
        pytest.param("> /dev/full 2> /dev/full", None, marks=HAS_FULL),
    ],
)
def test_a_result_that_cannot_be_told_is_one_line_and_status_2(
    streams: str, expected: str | None, write: Callable[[str], Path]
) -> None:
    done = shell(f"summary {write(GRAPH)}:graph {streams}")
    assert done.returncode == 2
    assert done.stderr == "" if expected is None else expected in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_file_never_becomes_a_stream_that_was_closed(write: Callable[[str], Path], tmp_path: Path) -> None:
    """The number of a closed stream is the next file's, and what is printed would stand in it."""
    done = shell(f"draw {write(GRAPH + 'print(3)')}:graph -o {tmp_path / 'graph.dot'} 2>&- <&-")
    assert (done.returncode, done.stdout) == (0, f"3\nwrote {tmp_path / 'graph.dot'}\n")
    assert (tmp_path / "graph.dot").read_text().startswith("digraph")


@pytest.mark.slow
def test_a_stream_that_the_program_closes_is_one_line(write: Callable[[str], Path]) -> None:
    done = shell(f"summary {write(GRAPH + 'import sys; sys.stdout.close()')}:graph")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "the result cannot be written: I/O operation on closed file" in done.stderr


def test_names_from_a_file_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = unroll.placeholder([None, 2], "x")
    model = unroll.to_onnx(unroll.Graph([x], {"y": unroll.ops.tanh(x)}))
    model.graph.output[0].name = model.graph.node[0].output[0] = "y\x1b[2J"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    np.save(tmp_path / "x.npy", np.zeros((1, 2)))
    assert main(["run", str(tmp_path / "m.onnx"), "--feed", f"x={tmp_path / 'x.npy'}"]) == 0
    shown = capsys.readouterr().out
    assert "y\\x1b[2J (1, 2) float32" in shown and "\x1b" not in shown


def on_terminal(*arguments: str, stdout: int | None = None) -> str:
    """Run a command on a terminal, and return what it sends there; standard output may go elsewhere."""
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "unroll", *arguments]
    settings = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=follower if stdout is None else stdout, stderr=follower, env=settings)
    os.close(follower)
    shown = b""
    try:
        while piece := os.read(leader, 65536):
            shown += piece
    except OSError:  # the process has closed its end
        pass
    os.close(leader)
    assert process.wait() == 0
    return shown.decode()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a pseudo-terminal is a Unix device")
def test_a_result_goes_to_the_file_it_was_sent_to_while_progress_goes_to_the_terminal(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    with (tmp_path / "out.txt").open("wb") as out:
        shown = on_terminal("summary", f"{write(GRAPH)}:graph", stdout=out.fileno())
    assert (tmp_path / "out.txt").read_text().startswith("Graph of 1 nodes")
    assert "Graph of" not in shown


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a pseudo-terminal is a Unix device")
def test_a_bar_is_gone_before_a_result_is_printed(write: Callable[[str], Path], tmp_path: Path) -> None:
    shown = on_terminal("export", f"{write(GRAPH)}:graph", "-o", str(tmp_path / "m.onnx"))
    assert "writing ONNX" in shown
    left = re.sub(r"[^\n]*\r\x1b\[2K", "", shown.replace("\r\n", "\n"))  # as a terminal erases a line
    assert left.splitlines()[0] == f"wrote {tmp_path / 'm.onnx'}"


def test_warnings_that_are_errors_are_one_line(
    write: Callable[[str], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's -W error, which these tests run with, makes an exception of what NumPy, say, warns of."""

    def warn(self: unroll.Graph, full: bool, width: int) -> str:
        warnings.warn("not what was meant", RuntimeWarning, stacklevel=1)
        return ""

    monkeypatch.setattr(unroll.Graph, "summary", warn)
    assert "RuntimeWarning: not what was meant" in said(capsys, "summary", f"{write(GRAPH)}:graph")


# -- onto what is read -------------------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Path:
    inputs = [unroll.placeholder([None, 2], f"x{step}") for step in range(4)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(3), inputs)
    return unroll.save(unroll.Graph(inputs, {"last": outputs[-1]}), tmp_path / "m.onnx")


@pytest.mark.parametrize("name", ["m.onnx", "link.onnx", "hard.onnx", "sub/../m.onnx"])
@pytest.mark.parametrize("command", ["reroll", "export", "run"])
def test_what_is_read_is_not_written_onto_without_force(
    command: str,
    name: str,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.onnx").symlink_to("m.onnx")
    (tmp_path / "hard.onnx").hardlink_to(model)
    before = model.read_bytes()
    assert "--force" in said(capsys, command, "m.onnx", "-o", name)
    assert model.read_bytes() == before


def test_force_writes_onto_what_is_read(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reroll", str(model), "-o", str(model), "--force"]) == 0
    assert [node.op_type for node in onnx.load(model).graph.node].count("LSTM") == 1


def test_feeds_and_programs_are_not_written_onto_either(
    model: Path, write: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds = tmp_path / "x.npz"
    np.savez(feeds, **{f"x{step}": np.ones((1, 2)) for step in range(4)})  # type: ignore[arg-type]
    before = feeds.read_bytes()
    assert "--force" in said(capsys, "run", model, "--feeds", feeds, "-o", feeds)
    np.save(tmp_path / "x.npy", np.ones((1, 2)))
    assert "--force" in said(capsys, "run", model, "--feed", f"x0={tmp_path / 'x.npy'}", "-o", tmp_path / "x.npy")
    program = write(GRAPH)
    (tmp_path / "g.svg").symlink_to(program)
    assert "--force" in said(capsys, "draw", f"{program}:graph", "-o", tmp_path / "g.svg")
    assert feeds.read_bytes() == before and program.read_text() == GRAPH
    assert main(["run", str(model), "--feeds", str(feeds), "-o", str(feeds), "--force"]) == 0
    assert list(np.load(feeds)) == ["last"]
