"""What passes share is a tool: a pass imports no other pass, and a tool none at all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import unroll

PASSES = Path(unroll.__file__).parent / "passes"
#: Those that run other passes: all of them, some, or one on what it has written itself.
RUN_PASSES = {
    "pipeline": None,
    "canonical": None,
    "join_cells": {"cancel_shapes"},
    "places": {"cancel_shapes", "merge_equal", "unhoist_inputs"},  # as re-rolling does before it searches
}


def imported(file: Path) -> set[str]:
    """The modules of the package of passes that a file imports, in functions too: ``tools.rewriting``."""
    modules = (node.module or "" for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom))
    return {name.removeprefix("unroll.passes.") for name in modules if name.startswith("unroll.passes.")}


@pytest.mark.slow
def test_a_pass_imports_no_other_pass() -> None:
    files = {file.stem: file for file in PASSES.glob("*.py") if file.stem != "__init__"}
    assert len(files) > 15
    for name, file in files.items():
        allowed = RUN_PASSES.get(name, set())
        if allowed is not None:
            assert imported(file) & set(files) == allowed, name


def test_a_tool_imports_tools_alone() -> None:
    for file in (PASSES / "tools").glob("*.py"):
        assert all(name.startswith("tools.") for name in imported(file)), file.name


def test_what_join_cells_is_made_of_imports_no_pass() -> None:
    for file in (PASSES / "joining").glob("*.py"):
        assert all(name.startswith(("tools.", "joining.")) for name in imported(file)), file.name
