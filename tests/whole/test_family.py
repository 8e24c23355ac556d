"""What holds for the whole family of cells, drivers and layers, whoever's words they are in."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import REPOSITORY, golden_json

GOLDEN = ("tensorflow_rnn", "tensorflow_family", "contrib_cells", "keras_layers", "torch_modules")
FOLDERS = ("cells", "layers", "nn")
MOST_LINES = 60


def lines_of_code(source: str) -> int:
    """The lines that hold code: no blanks, no comments, no docstrings."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def cells() -> Iterator[tuple[str, str]]:
    """Every class called a cell, with its source."""
    for path in sorted(file for folder in FOLDERS for file in Path(REPOSITORY, "unroll", folder).glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Cell", "Wrapper")):
                segment = ast.get_source_segment(text, node)
                assert segment is not None
                yield f"{path.parent.name}-{node.name}", segment


CELLS = dict(cells())


def test_the_count_of_lines_is_right() -> None:
    assert lines_of_code('class A:\n    """Two\n    lines."""\n\n    # why\n    x = [\n        1,\n    ]\n') == 4


def test_there_are_cells_to_count() -> None:
    assert len(CELLS) > 40


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CELLS if not name.endswith(("-RNNCell", "-GatedCell", "-Cell"))])
def test_no_cell_is_longer_than_sixty_lines_of_code(name: str) -> None:
    assert lines_of_code(CELLS[name]) <= MOST_LINES


def test_the_golden_files_hold_the_cases_that_are_promised() -> None:
    counts = {name: len(golden_json(f"{name}.json")["cases"]) for name in GOLDEN}
    assert sum(counts.values()) >= 1500, counts
    assert min(counts.values()) >= 100, counts
