"""Graphviz runs in a process of its own: it is renewed, started again, interrupted and forked without harm."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest
from drawn_programs import (
    over_steps,
    two_steps,
)
from rendering_checks import DRAW, fresh

import unroll
from unroll.errors import (
    FileError,
    UnsupportedError,
)
from unroll.viz import process


def drawing_process() -> int:
    unroll.draw(two_steps())
    assert process._drawer is not None
    return process._drawer._process.pid


@pytest.mark.slow
def test_graphviz_is_never_loaded_into_the_users_program() -> None:
    code = "import sys; print([name for name in sys.modules if name.startswith('pygraphviz')])"
    done = fresh(
        DRAW.replace("import hashlib, sys", "import hashlib, sys\nimport unroll.viz.render") + code, "svg", "x"
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_one_process_draws_until_it_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = drawing_process()
    assert drawing_process() == first
    monkeypatch.setattr(process, "RENEWED_AFTER", 1)
    unroll.draw(two_steps())
    monkeypatch.undo()
    assert drawing_process() != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of another process is bounded with prlimit")
@pytest.mark.parametrize("format", ["svg", "png"])
def test_memory_that_runs_out_is_an_error_and_the_next_picture_is_drawn(format: str) -> None:
    """Graphviz ends its process then."""
    import resource

    pid = drawing_process()
    status = Path(f"/proc/{pid}/status").read_text()
    bound = int(status.partition("VmData:")[2].split()[0]) * 1024 + 2**20
    resource.prlimit(pid, resource.RLIMIT_DATA, (bound, bound))
    with pytest.raises(FileError, match="ran out of memory"):
        unroll.draw(over_steps(unroll.GRUCell(2), 30), level="op", full=True, format=format)
    assert unroll.draw(two_steps()).data


def test_a_process_that_somebody_ends_is_started_again() -> None:
    before = drawing_process()
    os.kill(before, 9)
    assert process._drawer is not None
    process._drawer._process.wait()
    assert drawing_process() != before


@pytest.mark.slow
def test_a_picture_that_is_interrupted_leaves_nothing_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = unroll.draw(two_steps()).data

    def interrupted(_: process.Drawer) -> process.Answer:
        raise KeyboardInterrupt

    monkeypatch.setattr(process.Drawer, "_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unroll.draw(over_steps(unroll.GRUCell(2), 3))
    monkeypatch.undo()
    assert unroll.draw(two_steps()).data == expected


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_program_draws_with_a_process_of_its_own() -> None:
    code = """
import os
import unroll
from unroll.viz import process
x = unroll.placeholder([None, 3], "x")
graph = unroll.Graph([x], [x + 1.0])
first = unroll.draw(graph).data
parents = process._drawer._process.pid
if not (child := os.fork()):
    same = unroll.draw(graph).data == first and process._drawer._process.pid != parents
    process._end()
    os._exit(not same)
assert os.waitpid(child, 0)[1] == 0
assert unroll.draw(graph).data == first and process._drawer._process.pid == parents
"""
    assert fresh(code).stderr == ""


def test_a_picture_that_takes_too_long_is_given_up_and_its_dot_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = unroll.draw(two_steps()).data
    os.kill(drawing_process(), signal.SIGSTOP)  # as one that hangs: it reads nothing and answers nothing
    monkeypatch.setattr(process, "LONGEST", 0.5)
    with pytest.raises(UnsupportedError, match="took longer than 1 s, and was ended") as refused:
        unroll.draw(two_steps())
    monkeypatch.undo()
    (kept,) = re.findall(r"is in (\S+\.dot);", str(refused.value))
    assert Path(kept).read_text() == unroll.draw(two_steps(), format="dot").data.decode()
    Path(kept).unlink()
    assert unroll.draw(two_steps()).data == expected


def test_where_no_process_can_be_started_the_error_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process._end()
    for name, value, error in (
        ("executable", "", UnsupportedError),
        ("executable", str(tmp_path / "missing"), FileError),
    ):
        monkeypatch.setattr(sys, name, value)
        with pytest.raises(error, match=r"\.dot file"):
            unroll.draw(two_steps())
        assert unroll.draw(two_steps(), format="dot").data
        monkeypatch.undo()
    monkeypatch.setattr(process, "_START", "raise SystemExit('no')")
    with pytest.raises(UnsupportedError, match="ended with status 1: no"):
        unroll.draw(two_steps())


def test_svg_names_families_that_browsers_have() -> None:
    families = set(re.findall(r'font-family="([^"]+)"', unroll.draw(two_steps())._repr_svg_()))
    assert families == {"Open Sans,Segoe UI,Helvetica,Arial,sans-serif"}
