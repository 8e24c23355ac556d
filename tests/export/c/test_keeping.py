"""Compiled C on disk: what is loaded, and what is compiled anew because it may not be what was put there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from c_running import needs_compiler

import unroll
from unroll.export.c import building, keeping

pytestmark = needs_compiler


def works(folder: Path) -> bool:
    x = unroll.placeholder([2], "x")
    found = unroll.compile(unroll.Graph([x], {"y": 2 * x}), "c", cache=folder).run({"x": [1, 2]})["y"]
    return bool(np.array_equal(found, [2, 4]))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library that was compiled and kept, in a folder that others may read."""
    folder = tmp_path / "kept"
    assert works(folder)
    (found,) = folder.iterdir()
    return found


def never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building.subprocess, "run", lambda *a, **k: pytest.fail("compiled again"))


def test_what_was_compiled_is_kept_and_used_again(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never_again(monkeypatch)
    assert works(library.parent)
    assert list(library.parent.iterdir()) == [library]


def test_the_folder_and_what_is_in_it_are_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert works(tmp_path / "kept")
    finally:
        os.umask(before)
    (library,) = (tmp_path / "kept").iterdir()
    assert [path.stat().st_mode & 0o077 for path in (library.parent, library)] == [0, 0]


@pytest.mark.parametrize("name, known", [("features", "flags: another"), ("processor_name", "another processor")])
def test_a_library_of_another_machine_is_compiled_anew(
    library: Path, monkeypatch: pytest.MonkeyPatch, name: str, known: str
) -> None:
    monkeypatch.setattr(keeping, name, lambda: known)
    assert works(library.parent)
    assert len(list(library.parent.iterdir())) == 2


def test_where_nobody_says_what_a_processor_can_do_no_other_machine_is_trusted(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "features", lambda: "")
    names = []
    for node in ("one", "another"):
        monkeypatch.setattr(keeping.platform, "node", lambda node=node: node)
        names.append(keeping.key_of("", ["cc"], []))
    assert names[0] != names[1]


@pytest.mark.parametrize("damage", ["cut", "changed", "exchanged"])
def test_a_library_that_is_not_what_was_compiled_is_compiled_anew(library: Path, tmp_path: Path, damage: str) -> None:
    whole = library.read_bytes()
    other = whole[:100] if damage == "cut" else whole[:-1] + bytes([whole[-1] ^ 1])
    library.unlink()  # a file that this process has loaded is not written to
    if damage == "exchanged":  # by a link to a file of that content elsewhere
        (tmp_path / "elsewhere.so").write_bytes(whole)
        library.symlink_to(tmp_path / "elsewhere.so")
    else:
        library.write_bytes(other)
    assert works(library.parent)
    assert not library.is_symlink() and library.read_bytes() == whole
    assert list(library.parent.iterdir()) == [library]


def test_a_library_that_others_may_write_to_is_compiled_anew(library: Path) -> None:
    library.chmod(0o777)
    assert works(library.parent)
    assert library.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("mode", [0o770, 0o777])
def test_a_folder_that_others_may_write_to_is_not_trusted(library: Path, mode: int) -> None:
    library.parent.chmod(mode)
    library.unlink()
    library.write_bytes(b"no library")
    with pytest.warns(unroll.UnrollWarning, match=r"others may write to it \(chmod go-w"):
        assert works(library.parent)
    assert library.read_bytes() == b"no library"


def test_a_folder_of_another_user_is_not_trusted(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.geteuid()
    monkeypatch.setattr(keeping.os, "geteuid", lambda: me + 1)
    with pytest.warns(unroll.UnrollWarning, match="belongs to another user"):
        assert works(library.parent)
