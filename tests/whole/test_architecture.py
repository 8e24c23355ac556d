"""ARCHITECTURE.md is true of the code: packages, paths, floors, and what each room must not know."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from helpers import REPOSITORY

import unroll

TEXT = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("floors", REPOSITORY / "tests" / "whole" / "test_floors.py")
assert SPEC is not None and SPEC.loader is not None
floors = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(floors)
FOLDERS = ("unroll", "export", "viz")


def rows(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


#: What the code of each room must not import.
ROOMS = {quoted(row[0])[0]: quoted(row[2]) for row in rows("Rooms: the packages")}


def files_of(room: str) -> list[Path]:
    """The files of a package, without those of the packages in it that are rooms themselves."""
    inner = [other for other in ROOMS if other != room and other.startswith(room)]
    names = {path: str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / room).rglob("*.py")}
    return [path for path, name in names.items() if not any(name.startswith(item) for item in inner)]


def test_every_package_is_a_room_and_every_room_is_a_package() -> None:
    found = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("__init__.py")]
    assert {f"{path.parent.relative_to(REPOSITORY)}/" for path in found} - {"unroll/"} == set(ROOMS)


@pytest.mark.slow
def test_every_file_directly_in_the_core_is_named_and_knows_only_its_own_row_and_those_above() -> None:
    order = [quoted(row[0]) for row in rows("Rooms: one file each")]
    there = {f"unroll/{path.name}" for path in (REPOSITORY / "unroll").glob("*.py") if not path.name.startswith("__")}
    assert sorted(path for row in order for path in row) == sorted(there)
    known: set[str] = set()
    for row in order:
        known |= {module_of(path) for path in row}
        for path in row:
            found = set(floors.imports((REPOSITORY / path).read_text(encoding="utf-8")))
            assert found & {module_of(other) for other in there} <= known, path


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def test_every_path_is_there() -> None:
    named = set(re.findall(r"(?<![\w/.])((?:unroll|export|viz|tests|docs|examples|benchmarks|\.ci)/[\w./]*\w/?)", TEXT))
    assert len(named) > 60
    no_file = {"unroll/trace.py"}  # the trap names a file that may not be
    assert {path for path in named if not (REPOSITORY / path).exists()} == no_file


def test_the_table_of_floors_is_what_the_test_of_imports_enforces() -> None:
    table = {row[0].replace("front", "face"): (quoted(row[1]), quoted(row[2])) for row in rows("Floors")}
    assert {floor: set(never) for floor, (_, never) in table.items()} == {
        floor: set(never) for floor, never in floors.FORBIDDEN.items()
    }
    for path in floors.FILES:
        name = str(path.relative_to(REPOSITORY))
        homes = [(len(home), floor) for floor, (where, _) in table.items() for home in where if name.startswith(home)]
        assert max(homes)[1] == floors.floor_of(path), name


def test_the_core_knows_the_packages_that_the_page_says() -> None:
    (sentence,) = re.findall(r"It knows ([^.]*) and no other package", TEXT)
    said = {name.lower() for name in re.findall(r"\w+", sentence)} - {"and"}
    assert said == floors.CORE_KNOWS - {"unroll"}


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_what_the_page_says_it_must_not_know(room: str) -> None:
    assert ROOMS[room], "a room says what it must not know"
    assert files_of(room)
    for path in files_of(room):
        package = ".".join(("unroll", *path.relative_to(REPOSITORY).parent.parts)).replace("unroll.unroll", "unroll")
        found = set(floors.imports(path.read_text(encoding="utf-8"), package))
        bad = {name for name in found for known in ROOMS[room] if name == known or name.startswith(f"{known}.")}
        assert not bad, path


@pytest.mark.parametrize("name", sorted({name for row in rows("Rooms: the packages") for name in quoted(row[2])}))
def test_what_a_room_must_not_know_is_there_to_be_known(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


def test_every_form_is_named() -> None:
    (meaning,) = [row[1] for row in rows("Words") if row[0] == "form"]
    from unroll.export.forms import FORMS

    assert set(quoted(meaning)) == set(FORMS)
    assert callable(unroll.to_onnx)
