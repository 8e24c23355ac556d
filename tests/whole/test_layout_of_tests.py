"""A module's tests are found from its path: they lie in the folder that it has in the package, in short files."""

from __future__ import annotations

import ast

import pytest
from helpers import REPOSITORY, TESTS

FILES = [path for path in TESTS.rglob("test_*.py") if "golden" not in path.parts]


def test_each_folder_of_tests_is_one_of_the_package_or_whole() -> None:
    folders = {path.parent.relative_to(TESTS) for path in FILES}
    assert len(folders) > 10
    strange = [
        str(folder)
        for folder in folders
        if str(folder) != "whole" and not any((home / folder).is_dir() for home in (REPOSITORY / "unroll", REPOSITORY))
    ]
    assert not strange, "tests of unroll/cells/gru.py lie in tests/cells/, of export/saving.py in tests/export/"


def test_no_file_of_tests_is_longer_than_400_lines() -> None:
    lengths = {str(path.relative_to(TESTS)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {name: length for name, length in lengths.items() if length > 400}, "split it by what it promises"


@pytest.mark.slow
def test_no_test_is_skipped_but_where_the_system_lacks_what_it_tests() -> None:
    """A skip hides what fails: only the operating system may be a reason, said in the open."""
    found = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"skip", "xfail", "importorskip"}:
                found.add((path.name, node.attr))
    assert not found, "say what holds instead, or skipif by what the operating system has"


def test_helpers_of_tests_and_of_benchmarks_have_names_of_their_own() -> None:
    """Both are imported by name, in one process where tests try the benchmarks."""
    folders = (REPOSITORY / "tests", REPOSITORY / "benchmarks")
    tests, benchmarks = ({path.stem for path in folder.glob("*.py")} for folder in folders)
    assert not tests & benchmarks
