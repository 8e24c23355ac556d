"""No circle of imports: a file stands above all that it imports, in functions and for types too; what is late says why."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import networkx
import pytest
from helpers import REPOSITORY

import unroll

#: The one arrow that may close a circle: a node holds its operator, and operators are called on tensors. For types alone.
FOR_TYPES = {("unroll.tensor", "unroll.ops.operator")}
#: Files that import files of ours in functions, and why.
LATE = {
    "unroll": "the front hands names on, each of which is imported when it is first used",
    "unroll.cli": "a Ctrl-C is quiet from the first moment",
    "unroll.cli.demo": "the command line answers at once",
    "unroll.cli.line": "the command line answers at once",
    "unroll.cli.offers": "the command line answers at once",
    "unroll.cli.options": "the command line answers at once",
    "unroll.cli.reroll": "the command line answers at once",
    "unroll.cli.unrolling": "the command line answers at once",
    "unroll.cli.run": "the command line answers at once",
    "unroll.cli.programs": "a program is run without onnx",
    "unroll.viz.drawing": "without Graphviz everything works but pictures",
}


class Import(NamedTuple):
    """One import, wherever it stands."""

    target: str
    line: int
    late: bool = False  #: in a function
    for_types: bool = False  #: under TYPE_CHECKING
    explained: bool = False  #: a comment on its line; looked for where the import is late or for types


def module_of(path: Path) -> str:
    """``export/saving.py`` is unroll.export.saving, and an ``__init__.py`` the package itself."""
    parts = list(path.relative_to(REPOSITORY).with_suffix("").parts)
    return ".".join([*(["unroll"] if parts[0] != "unroll" else []), *parts]).removesuffix(".__init__")


@cache
def package() -> dict[str, str]:
    """The source of every file that is installed, by module."""
    paths = (path for folder in ("unroll", "export", "viz", "examples") for path in (REPOSITORY / folder).rglob("*.py"))
    return {module_of(path): path.read_text(encoding="utf-8") for path in paths}


# -- reading imports --------------------------------------------------------------------------------------------------


@cache
def imports(source: str) -> list[Import]:
    """Every import of a file: at its top, in functions, under TYPE_CHECKING, and by a name handed to import_module."""

    def walk(node: ast.AST, late: bool, for_types: bool) -> Iterator[tuple[ast.stmt | ast.expr, Import]]:
        if isinstance(node, (ast.stmt, ast.expr)):
            yield from ((node, Import(target, node.lineno, late, for_types)) for target in _targets(node))
        late = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        checked = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, late, for_types or checked)

    found = list(walk(ast.parse(source), False, False))
    comments = _commented_lines(source) if any(item.late or item.for_types for _, item in found) else set()
    lines = (range(node.lineno, (node.end_lineno or node.lineno) + 1) for node, _ in found)
    return [
        item._replace(explained=not comments.isdisjoint(span)) for span, (_, item) in zip(lines, found, strict=True)
    ]


def _commented_lines(source: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT}


def _targets(node: ast.stmt | ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, f"line {node.lineno}: imports are written in full here"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in ("import_module", "__import__"):
            named = (item.value for item in node.args[:1] if isinstance(item, ast.Constant))
            yield str(next(named, ""))  # empty where the name is known in a run alone


def arrows(sources: Mapping[str, str]) -> dict[tuple[str, str], list[Import]]:
    """Which file imports which, with the lines that say so; the front also names the modules whose names it hands on."""
    found: dict[tuple[str, str], list[Import]] = {}
    for module, source in sources.items():
        for item in imports(source):
            target = item.target if item.target in sources else item.target.rpartition(".")[0]
            if target in sources:
                found.setdefault((module, target), []).append(item)
    return found


def circles(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The files that import one another, around however many corners."""
    graph: networkx.DiGraph[str] = networkx.DiGraph()  # given the edges at once, networkx 3.2 asks for pandas
    graph.add_edges_from(pairs)
    parts = [sorted(part) for part in networkx.strongly_connected_components(graph) if len(part) > 1]
    return sorted(parts + [[module] for module in graph if graph.has_edge(module, module)])


def unexplained(sources: Mapping[str, str]) -> list[str]:
    """The imports in functions that have no comment on their line."""
    items = ((module, item) for module, source in sources.items() for item in imports(source))
    return [f"{module}:{item.line}: {item.target}" for module, item in items if item.late and not item.explained]


def late_of_ours(sources: Mapping[str, str]) -> set[str]:
    """The files that import one of ours, or who knows what, in a function."""
    items = ((module, item) for module, source in sources.items() for item in imports(source))
    return {module for module, item in items if item.late and item.target.split(".")[0] in ("unroll", "")}


# -- the package ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_imports_of_the_package_form_no_circle() -> None:
    assert circles(set(arrows(package())) - FOR_TYPES) == []


def test_where_tensors_and_operators_name_each_other_it_is_for_types_and_says_so() -> None:
    found = arrows(package())
    assert circles(found) == [["unroll.ops.operator", "unroll.tensor"]], (
        "without its one exception the test sees the circle"
    )
    assert all(item.for_types and item.explained for pair in FOR_TYPES for item in found[pair])


def test_what_is_imported_in_a_function_says_why() -> None:
    assert unexplained(package()) == []


def test_files_of_ours_are_imported_in_functions_only_where_a_reason_is_named() -> None:
    assert late_of_ours(package()) == set(LATE)


def test_the_test_reads_the_package() -> None:
    assert len(package()) > 200
    found = arrows(package())
    for pair in (
        ("unroll.graph", "unroll.structure"),
        ("unroll.structure", "unroll.nest"),
        ("unroll.export.compiled", "unroll.export.running.session"),
        ("unroll.viz.scene", "unroll.viz.units"),
        ("unroll.examples.hello", "unroll"),
        ("unroll", "unroll.ops"),
    ):
        assert pair in found, pair
    homes = {*unroll._HOME.values(), *(f"unroll.{name}" for name in unroll._MODULES)}
    assert homes <= {target for module, target in found if module == "unroll"}, (
        "what the front hands on, it names for types"
    )


# -- the test can fail ------------------------------------------------------------------------------------------------

A, B, C = "unroll.a", "unroll.b", "unroll.rooms.c"


@pytest.mark.parametrize(
    ("sources", "seen"),
    [
        ({A: "import unroll.b", B: "from unroll.rooms.c import d", C: "import numpy"}, []),
        ({A: "import unroll.b", B: "import unroll.a"}, [[A, B]]),
        ({A: "from unroll import b", B: "def f():\n    from unroll.a import g"}, [[A, B]]),
        ({A: "from unroll.b import f", B: "if TYPE_CHECKING:\n    from unroll.a import G"}, [[A, B]]),
        ({A: "from unroll.b import f", B: "if typing.TYPE_CHECKING:\n    import unroll.a as a"}, [[A, B]]),
        ({A: "import unroll.b", B: "from unroll.rooms import c", C: "import unroll.a"}, [[A, B, C]]),
        (
            {A: "import unroll.b", B: "class D:\n    def f(self):\n        return lambda: import_module('unroll.a')"},
            [[A, B]],
        ),
        ({A: "import unroll.b", B: "importlib.import_module('unroll.a').g()"}, [[A, B]]),
        ({A: "from unroll import a"}, [[A]]),
        ({A: "import unroll", "unroll": "from unroll.a import f"}, [["unroll", A]]),
        ({A: "from unroll import f", "unroll": "def g():\n    import unroll.a"}, [["unroll", A]]),
        ({A: "text = 'import unroll.b'", B: "import unroll.a"}, []),
    ],
)
def test_a_circle_is_found_wherever_it_is_closed(sources: dict[str, str], seen: list[list[str]]) -> None:
    assert circles(arrows(sources)) == seen


def test_a_relative_import_is_refused_for_it_hides_its_target() -> None:
    with pytest.raises(AssertionError, match="line 2: imports are written in full here"):
        imports("import numpy\nfrom . import b")


@pytest.mark.parametrize(
    ("source", "count", "late"),
    [
        ("import onnx", 0, False),
        ("def f():\n    import rich", 1, False),
        ("def f():\n    import rich  # loaded when first shown", 0, False),
        ("def f():\n    # loaded when first shown\n    import rich", 1, False),
        ("class A:\n    async def f(self):\n        from unroll.graph import Graph", 1, True),
        ("def f():\n    from unroll.graph import (  # late\n        Graph,\n    )", 0, True),
        ("g = lambda name: import_module(name)", 1, True),
        ("if TYPE_CHECKING:\n    from unroll.graph import Graph", 0, False),
        ("def f():\n    text = '# no comment'; import rich", 1, False),
    ],
)
def test_an_import_in_a_function_is_found_with_or_without_its_reason(source: str, count: int, late: bool) -> None:
    assert len(unexplained({A: source})) == count
    assert late_of_ours({A: source}) == ({A} if late else set())
