"""Re-rolling in storeys: its imports run downwards only, and each package is entered by its door."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import REPOSITORY

PACKAGE = "unroll.passes.rerolling"
#: From the ground up: the rooms of each storey. A room imports rooms of the storeys below its own, and no others.
STOREYS = [
    {"finding", "joined_directions", "report"},
    {"native", "reasons"},
    {"writing"},
    {"planner"},
    {"native_scans"},
    {"__init__"},
]
STOREY_OF = {room: number for number, rooms in enumerate(STOREYS) for room in rooms}
FOLDER = REPOSITORY.joinpath(*PACKAGE.split("."))
FILES = sorted(FOLDER.rglob("*.py"))
DOORS = sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))


def room_of(path: Path) -> str:
    """Return the room of a file: the package that it is in, or its own name."""
    return path.relative_to(FOLDER).with_suffix("").parts[0]


def imports(source: str) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every import, those in functions and for type checking included; "" for a whole module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full here"
            yield from ((node.module or "", alias.name) for alias in node.names)


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Yield (room, what of it) for each import of this package: a name that it offers, or a file inside."""
    for module, name in imports(source):
        path = [*module.split("."), *([name] if name else [])]
        if path[: len(PACKAGE.split("."))] != PACKAGE.split("."):
            continue
        room, *rest = path[len(PACKAGE.split(".")) :] or ["__init__"]
        yield (room, ".".join(rest)) if room in STOREY_OF else ("__init__", room)


def violations(source: str, room: str) -> list[str]:
    """Return the imports of a file that run up, or into another package past its door."""
    found = []
    for other, what in imported(source):
        inside = what.split(".")[0]
        is_file = (FOLDER / other / f"{inside}.py").is_file()
        if other != room and (STOREY_OF[other] >= STOREY_OF[room] or is_file):
            found.append(f"{room} imports {other}.{what}" if what else f"{room} imports {other}")
    return sorted(found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_imports_run_downwards_and_through_doors(path: Path) -> None:
    assert not violations(path.read_text(encoding="utf-8"), room_of(path))


def test_every_room_stands_on_a_storey() -> None:
    assert {room_of(path) for path in FILES} == set(STOREY_OF)
    assert DOORS == ["finding", "native", "writing"]


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_a_door_offers_what_other_rooms_ask_for(door: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in FILES if room_of(path) != door]
    wanted = {what for source in sources for room, what in imported(source) if room == door}
    search = (REPOSITORY / "unroll" / "passes" / "places.py").read_text(
        encoding="utf-8"
    )  # from outside, by the door too
    wanted |= {what for room, what in imported(search) if room == door and "." not in what}
    assert set(importlib.import_module(f"{PACKAGE}.{door}").__all__) == wanted


@pytest.mark.parametrize(
    ("source", "room", "seen"),
    [
        (f"from {PACKAGE}.native import Cell", "finding", ["finding imports native.Cell"]),
        (f"from {PACKAGE}.writing.emission import Plan", "native", ["native imports writing.emission.Plan"]),
        (f"def f():\n    import {PACKAGE}.planner", "writing", ["writing imports planner"]),
        (f"if TYPE_CHECKING:\n    from {PACKAGE} import planner", "reasons", ["reasons imports planner"]),
        (f"from {PACKAGE} import reroll", "planner", ["planner imports __init__.reroll"]),
        (f"from {PACKAGE}.native import Cell", "reasons", ["reasons imports native.Cell"]),
        (f"from {PACKAGE}.finding.view import View", "native", ["native imports finding.view.View"]),
        (f"from {PACKAGE}.finding import view", "planner", ["planner imports finding.view"]),
        (f"from {PACKAGE}.finding import View", "native", []),
        (f"from {PACKAGE}.finding.view import View", "finding", []),
        ("from unroll.passes.merge_equal import merge_equal", "finding", []),
    ],
)
def test_this_test_sees_imports_that_run_up(source: str, room: str, seen: list[str]) -> None:
    assert violations(source, room) == seen
