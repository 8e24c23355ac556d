"""Ctrl-C ends a command quietly, at once, whatever it is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_checks import IMAGE_ROWS
from cli_programs import GRAPH

from unroll.cli import main
from unroll.cli.interrupts import listening

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a signal of Unix")


def interrupted(code: str, *arguments: str) -> tuple[int, str, float]:
    """Run Python code that gets SIGINT once it says so on standard output; return its status, what it said on standard
    error, and how long it took to end.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    _, said = process.communicate(timeout=30)
    return process.returncode, said, time.monotonic() - begin


#: Says that it is ready while a module is imported, and waits there.
IMPORTING = """\
import importlib.abc, sys, time
slow = sys.argv.pop(1)
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == slow:
            print(name, flush=True)
            time.sleep(20)
from unroll.cli import main
sys.meta_path.insert(0, Slow())
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["unroll.cli.output", "unroll.cli.line", "numpy", "unroll.cli.programs", "unroll.viz"]
)
def test_it_is_quiet_while_modules_are_imported(module: str, tmp_path: Path) -> None:
    status, said, took = interrupted(IMPORTING, module, "draw", IMAGE_ROWS, "-o", str(tmp_path / "x.svg"))
    assert status in (130, -signal.SIGINT), said
    assert said in ("", "unroll draw: interrupted\n")
    assert took < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    pass",
        "while True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass",
        "try:\n    time.sleep(20)\nexcept BaseException:\n    raise ImportError('something else') from None",
    ],
    ids=["runs for ever", "catches it", "makes another error of it"],
)
def test_it_ends_a_program_that_does_not_end(body: str, write: Callable[[str], Path]) -> None:
    program = write("import time\nprint('ready', flush=True)\n" + body)
    status, said, took = interrupted(
        f"from unroll.cli import main; raise SystemExit(main(['summary', {f'{program}:g'!r}]))"
    )
    assert (status, said) == (130, "unroll summary: interrupted\n")
    assert took < 1.5  # 0.4 s of grace, and what a busy machine adds


def test_the_handler_is_the_callers_again(write: Callable[[str], Path]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)
    assert main(["summary", f"{write(GRAPH)}:graph"]) == 0
    assert main(["summary", f"{write('raise ValueError')}:graph"]) == 2
    assert (signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)) == before


def test_whoever_handles_the_signal_already_goes_on_to() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with listening() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        assert seen == [signal.SIGINT] and not interrupts.seen
    finally:
        signal.signal(signal.SIGINT, before)
