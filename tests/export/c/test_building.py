"""Compiling: which compiler, what is kept on disk, and compilers that fail."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from c_running import needs_compiler
from helpers import refused

import unroll
from unroll.export.c import building


def twice() -> unroll.Graph:
    x = unroll.placeholder([2], "x")
    return unroll.Graph([x], {"y": 2 * x})


def script(folder: Path, text: str) -> str:
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def works(folder: Path) -> bool:
    found = unroll.compile(twice(), "c", cache=folder).run({"x": [1, 2]})["y"]
    return bool(np.array_equal(found, [2, 4]))


@needs_compiler
def test_two_processes_compile_one_graph_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np, unroll\n"
        "x = unroll.placeholder([2], 'x')\n"
        "found = unroll.compile(unroll.Graph([x], {'y': 2 * x}), 'c', cache=sys.argv[1]).run({'x': [1, 2]})['y']\n"
        "assert found.tolist() == [2, 4]\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 1


@needs_compiler
def test_a_folder_that_cannot_be_written_only_warns(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(unroll.UnrollWarning, match="cannot be kept"):
        assert works(tmp_path / "file")


def test_without_a_compiler_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    refused(lambda: unroll.compile(twice(), "c"), NotImplementedError, "no C compiler", "CC", "install gcc")
    monkeypatch.setenv("CC", "nowhere-cc")
    refused(lambda: unroll.compile(twice(), "c"), NotImplementedError, "'nowhere-cc'", "no such program")
    monkeypatch.setenv("CC", "gcc '-O2")
    refused(lambda: unroll.compile(twice(), "c"), NotImplementedError, "gcc '-O2", "quotation", "unset it")
    assert not building.has_compiler()


def test_what_a_compiler_that_fails_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", script(tmp_path, "echo 'disk full' >&2; exit 1"))
    refused(lambda: unroll.compile(twice(), "c", cache=False), ValueError, "cannot compile", "disk full")
    monkeypatch.setenv("CC", script(tmp_path, "exit 0"))
    refused(lambda: unroll.compile(twice(), "c", cache=False), ValueError, "made no library")


@pytest.mark.parametrize("text", ["exec sleep 60", "sleep 60", "yes"], ids=["itself", "in a child", "while it prints"])
def test_a_compiler_that_hangs_is_ended(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", script(tmp_path, text))
    monkeypatch.setattr(building, "MOST_SECONDS", 0.2)
    begun = time.monotonic()
    refused(lambda: unroll.compile(twice(), "c", cache=False), ValueError, "ran for more than", "CC")
    assert time.monotonic() - begun < 20


@needs_compiler
def test_what_a_compiler_prints_is_not_shown_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    loud = "yes '\\377 warning' | head -c 3000000; yes warning | head -c 3000000 >&2"
    monkeypatch.setenv("CC", script(tmp_path, f'{loud}; exec gcc "$@"'))
    assert works(tmp_path / "kept")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("CC", script(tmp_path, f"echo 'no room'; {loud}; exit 1"))
    with pytest.raises(unroll.UnrollError, match="no room") as caught:
        works(tmp_path / "kept")
    assert len(str(caught.value)) < 1000


@needs_compiler
def test_what_a_compiler_leaves_running_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", script(tmp_path, 'sleep 30 & exec gcc "$@"'))
    begun = time.monotonic()
    assert works(tmp_path / "kept")
    assert time.monotonic() - begun < 20
