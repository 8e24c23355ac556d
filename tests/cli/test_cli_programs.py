"""A user's program may do anything: the command says one line, or does its work as if the program had done nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

import unroll
from unroll.cli import main
from unroll.cli.programs import load_graph

GRAPH = """\
import unroll
x = unroll.placeholder([None, 2], "x")
graph = unroll.Graph([x], {"y": unroll.ops.tanh(x)})
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that is refused, and return the one line that it says."""
    assert main([str(argument) for argument in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and shown.err.startswith(f"unroll {arguments[0]}: ")
    assert shown.out == ""
    return shown.err


# -- what a program raises --------------------------------------------------------------------------------------------

#: What stands in the program, what is asked of it, and what is said of it.
RAISING: dict[str, tuple[str, str, str]] = {
    "BaseException": ("raise BaseException('b')", "graph", "at line 4: BaseException: b"),
    "GeneratorExit": ("raise GeneratorExit", "graph", "at line 4: GeneratorExit"),
    "StopIteration": ("raise StopIteration(3)", "graph", "at line 4: StopIteration: 3"),
    "SystemExit": ("raise SystemExit(7)", "graph", "at line 4: SystemExit: 7"),
    "its own KeyboardInterrupt": ("raise KeyboardInterrupt", "graph", "at line 4: KeyboardInterrupt"),
    "a BrokenPipeError": ("raise BrokenPipeError(32, 'gone')", "graph", "at line 4: BrokenPipeError"),
    "a MemoryError": ("x = bytes(1 << 60)", "graph", "at line 4: MemoryError"),
    "many lines": ("raise ValueError('one\\ntwo\\r\\nthree')", "graph", "ValueError: one two three"),
    "a long one": ("raise ValueError('a' * 10**6)", "graph", f"ValueError: {'a' * 500} ..."),
    "an escape of a terminal": ("raise ValueError('\\x1b[2Jgone')", "graph", "ValueError: \\x1b[2Jgone"),
    "one that cannot say why": (
        "class E(Exception):\n    def __str__(self):\n        raise KeyError('in it')\nraise E",
        "graph",
        "at line 7: E, which cannot say why: its __str__ raised KeyError",
    ),
    "one whose class lies": (
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n"
        "class E(Exception, metaclass=M):\n    __traceback__ = property(lambda s: 1 / 0)\nraise E('e')",
        "graph",
        "at line 8: E: e",
    ),
    "recursion": ("def f():\n    return f()", "f", "at line 5: RecursionError: maximum recursion depth exceeded"),
    "brackets": ("(" * 1000, "graph", "line 4: SyntaxError: too many nested parentheses"),
    "NUL": ("x = '\0'", "graph", "null bytes"),
    "no text": ("x = '\udcff'", "graph", "SyntaxError"),
    "a SyntaxError of its own": ("raise SyntaxError('mine')", "graph", "at line 4: SyntaxError: mine"),
    "a module's __getattr__": ("def __getattr__(name):\n    return 1 / 0", "other", "at line 5: ZeroDivisionError"),
    "a generator": ("def f():\n    yield graph", "f", "is generator, not a Graph"),
    "a property": ("f = property(lambda s: 1 / 0)", "f", "is property, not a Graph"),
    "an argument": ("def f(a):\n    return graph", "f", "TypeError: f() missing 1 required positional argument: 'a'"),
    "a call": ("class C:\n    def __call__(self):\n        return 1 / 0\nf = C()", "f", "at line 6: ZeroDivisionError"),
    "a class that it says it is": (
        "class C:\n    @property\n    def __class__(self):\n        return 1 / 0\nf = C()",
        "f",
        "is C, not a Graph",
    ),
    "a name of no kind": ("globals()[3] = graph", "graf", "did you mean 'graph'?"),
    "things that may not be asked": (
        "class M(type):\n    __module__ = property(lambda c: 1 / 0)\n    __eq__ = None\nclass C(metaclass=M):\n    pass",
        "graf",
        "did you mean 'graph'?",
    ),
    "an interrupt while it is asked": ("def __getattr__(name):\n    raise KeyboardInterrupt", "f", "KeyboardInterrupt"),
    "errors made of warnings": (
        "import warnings\nwarnings.simplefilter('error')\ndef f():\n    warnings.warn('w', unroll.UnrollWarning)",
        "f",
        "at line 7: UnrollWarning: w",
    ),
}


@pytest.mark.parametrize("kind", RAISING)
def test_whatever_a_program_raises_is_one_line_that_names_its_line(
    kind: str, write: Callable[[str], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, name, expected = RAISING[kind]
    path = write("")
    path.write_bytes((GRAPH + text + "\n").encode(errors="surrogateescape"))
    shown = said(capsys, "summary", f"{path}:{name}")
    assert expected in shown and str(path) in shown
    monkeypatch.chdir(path.parent)
    assert expected in said(capsys, "summary", f"program.py:{name}")


def test_what_a_program_raises_after_it_was_loaded_is_one_line_too(
    write: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    text = "class Mine(unroll.Graph):\n    def summary(self, full):\n        return 1 / 0\nmine = Mine([x], {'y': x * 2})\n"
    shown = said(capsys, "summary", f"{write(GRAPH + text)}:mine")
    assert "the program raised at line 6: ZeroDivisionError: division by zero" in shown


def test_a_fault_of_ours_is_seen_in_full(write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unroll.Graph, "summary", lambda self, full: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["summary", f"{write(GRAPH)}:graph"])


@pytest.mark.slow
def test_the_users_own_interrupt_is_not_the_programs(write: Callable[[str], Path]) -> None:
    path = write(GRAPH + "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True:\n    pass\n")
    command = [sys.executable, "-m", "unroll", "summary", f"{path}:graph"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "unroll summary: interrupted\n")
    before = signal.getsignal(signal.SIGINT)
    load_graph(f"{write(GRAPH)}:graph")
    assert signal.getsignal(signal.SIGINT) is before


# -- what a program changes -------------------------------------------------------------------------------------------

#: What a program does to the process, at its end or in the function that is called.
CHANGES = {
    "folder": "import os\nos.chdir('/')",
    "paths": "import sys\nsys.path.clear()",
    "paths, replaced": "import sys\nsys.path = None",
    "modules": "import sys\nsys.modules.clear()",
    "modules, replaced": "import sys\nsys.modules = {}",
    "a module": "import sys\nsys.modules['unroll.viz.drawing'] = sys.modules['numpy'] = None",
    "streams": "import sys\nsys.stdout = sys.stderr = sys.stdin = None",
    "streams, replaced": "import io, sys\nsys.stdout = io.StringIO()",
    "recursion": "import sys\nsys.setrecursionlimit(100)",
    "NumPy's errors": "import numpy\nnumpy.seterr(all='raise')",
    "a handler": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("inside", [False, True])
def test_what_a_program_changes_is_put_back(
    change: str,
    inside: bool,
    write: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    lines = CHANGES[change].splitlines()
    text = (
        "\n".join(["def f():", *(f"    {line}" for line in lines), "    return graph"]) if inside else CHANGES[change]
    )
    path = write(GRAPH + text + "\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = (
        list(sys.path),
        dict(sys.modules),
        sys.stdin,
        sys.stdout,
        sys.stderr,
        sys.getrecursionlimit(),
        np.geterr(),
        signal.getsignal(signal.SIGINT),
    )
    name = "f" if inside else "graph"
    np.save("x.npy", np.full((1, 2), 1e-30))  # whose square is below what float32 holds
    assert main(["draw", f"../program.py:{name}", "-o", "y.svg", "--feed", "x=x.npy"]) == 0
    assert capsys.readouterr().out == "wrote y.svg\n"
    assert b"<svg" in Path("y.svg").read_bytes()
    assert Path.cwd() == tmp_path / "here"
    now = (
        list(sys.path),
        {name: sys.modules[name] for name in before[1]},
        sys.stdin,
        sys.stdout,
        sys.stderr,
        sys.getrecursionlimit(),
        np.geterr(),
        signal.getsignal(signal.SIGINT),
    )
    assert now == before
    assert path.read_text() == GRAPH + text + "\n"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["here", "program.py"], "no __pycache__"


def test_a_function_may_import_what_lies_beside_the_program(
    write: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "beside_it.py").write_text("UNITS = 5\n")
    path = write(GRAPH + "def f():\n    import beside_it\n    return graph if beside_it.UNITS == 5 else None\n")
    assert main(["summary", f"{path}:f"]) == 0
    assert str(tmp_path) not in sys.path


def test_a_program_that_is_no_plain_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    assert "a named pipe" in said(capsys, "summary", f"{tmp_path}/pipe.py:g")
    assert "a folder" in said(capsys, "summary", f"{tmp_path}/folder.py:g")
    assert "a device" in said(capsys, "summary", f"{tmp_path}/zero.py:g")
    assert "there is no such program" in said(capsys, "summary", f"{'a' * 300}.py:g")
    assert "NUL" in said(capsys, "summary", f"{tmp_path}/a\0b.py:g")


# -- where it is printed ----------------------------------------------------------------------------------------------

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

    def warn(self: unroll.Graph, full: bool) -> str:
        warnings.warn("not what was meant", RuntimeWarning, stacklevel=1)
        return ""

    monkeypatch.setattr(unroll.Graph, "summary", warn)
    assert "RuntimeWarning: not what was meant" in said(capsys, "summary", f"{write(GRAPH)}:graph")


# -- onto what is read ------------------------------------------------------------------------------------------------


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
