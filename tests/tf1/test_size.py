"""The face stays a table over the core: 2,000 lines of code, beside docstrings, comments and blank lines."""

from __future__ import annotations

import ast
import io
import tokenize

from helpers import REPOSITORY

NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(text: str) -> int:
    """How many lines are neither blank, nor a comment, nor a docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node
        ):
            lines -= {*range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)}
    return len(lines)


def test_lines_of_code_are_counted_without_what_explains_them() -> None:
    assert (
        lines_of_code(
            '"""A page.\n\nOf text."""\n\nx = (1,\n     2)  # two\n# none\ndef f():\n    """Say."""\n    return x\n'
        )
        == 4
    )


def test_the_face_has_no_more_lines_of_code_than_was_agreed() -> None:
    files = sorted((REPOSITORY / "unroll" / "tf1").rglob("*.py"))
    assert files and sum(lines_of_code(path.read_text(encoding="utf-8")) for path in files) <= 2000
