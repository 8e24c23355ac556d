"""A user's program may raise and change anything: the command says one line, or does its work as if it had done nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_programs import GRAPH, said

import unroll
from unroll.cli import main
from unroll.cli.programs import load_graph

# -- what a program raises ---------------------------------------------------------------------------------------------


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
    text = (
        "class Mine(unroll.Graph):\n    def summary(self, full, width):\n        return 1 / 0\n"
        "mine = Mine([x], {'y': x * 2})\n"
    )
    shown = said(capsys, "summary", f"{write(GRAPH + text)}:mine")
    assert "the program raised at line 6: ZeroDivisionError: division by zero" in shown


def test_a_fault_of_ours_is_seen_in_full(write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unroll.Graph, "summary", lambda self, full, width: 1 / 0)
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


# -- what a program changes --------------------------------------------------------------------------------------------


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
