"""CONTRIBUTING.md's lists are complete: each is followed in a copy of the code, and the tests that it names pass there."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from helpers import REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: An operator that ONNX has from opset 18 on, put where the list for operators says.
MISH = {
    "unroll/ops/functions.py": '''
class Mish(Unary):
    """``x * tanh(softplus(x))``."""

    def evaluate(self, x: Array) -> Array:
        return np.asarray(x * np.tanh(np.logaddexp(x, x.dtype.type(0)))).astype(x.dtype)


mish = unary(Mish, "mish")
''',
    "unroll/ops/__init__.py": 'from unroll.ops.functions import mish\n\n__all__ = [\n    "mish",\n]\n',
    "tests/operator_cases.py": 'CASES: dict[str, Row] = {\n    "Mish": unary(ops.mish),\n}\n',
}


def section(title: str) -> str:
    """What stands under a heading."""
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return found


def places(title: str) -> list[tuple[str, str]]:
    """The files that a list names, each with the code that goes into it."""
    items = re.split(r"^\d+\. ", section(title), flags=re.MULTILINE)[1:]
    found = []
    for item in items:
        path = re.match(r"`([\w/]+\.py)`", item)
        for code in re.findall(r"^   ```python\n(.*?)^   ```$", item, re.MULTILINE | re.DOTALL):
            assert path is not None, f"{title}: code without a file: {item[:60]}"
            found.append((path[1], textwrap.dedent(code)))
    assert found, title
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code in the shape that an installed package has, with the tests' own code and without golden files."""
    for folder in ("unroll", "export", "viz"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    for folder in ("export", "viz"):
        (tmp_path / "unroll" / folder).symlink_to(tmp_path / folder)
    shutil.copytree(REPOSITORY / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("golden", ".*"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def put(root: Path, path: str, code: str) -> None:
    """Put code into a file as a person would: imports among the imports, rows into their table, all else at the end."""
    file = root / path
    if not file.exists():
        file.write_text(code, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    lines = code.splitlines()
    for node in ast.parse(code).body:
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        source = "\n".join(lines[first - 1 : node.end_lineno])
        opening, _, rest = source.partition("\n")
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            text, count = re.subn(
                r"^(?=(from|import) (?!__future__))", f"{source}\n", text, count=1, flags=re.MULTILINE
            )
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and f"\n{opening}\n" in text:
            rows, count = rest.rpartition("\n")[0], text.count(f"\n{opening}\n")
            text = text.replace(f"\n{opening}\n", f"\n{opening}\n{rows}\n")
        else:
            text, count = f"{text}\n\n{source}\n", 1
        assert count == 1, f"{path}: {opening}"
    file.write_text(text, encoding="utf-8")


def check_runs(root: Path, code: str) -> None:
    """Run a program in the copy, in one process of its own; it may call `run_tests`."""
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert not done.returncode, done.stdout[-4000:] + done.stderr[-4000:]


PROLOGUE = """
import sys, json
import numpy as np, pytest
import unroll
from unroll import ops

EXAMPLES = ["tests/whole/test_docstring_examples.py"]

def run_tests(expression, *paths):
    "Run the tests of these files whose names match: all pass, and there are some."
    quiet = ("-q", "-x", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist")
    assert pytest.main([*quiet, *paths, "-k", expression]) == pytest.ExitCode.OK, (expression, paths)

def make_row(op):
    "The row of the table of kernels, with the runners that are here: an entry is there for them, or the newest one stands in."
    from make_onnxruntime_support import TABLE, VERSIONS, as_text, make_table
    table = json.loads(TABLE.read_text())
    for runner, version in VERSIONS.items():
        assert all(op not in entry["lacks"] for entry in table[runner].values())
        table[runner].setdefault(version, next(iter(table[runner].values())))
    TABLE.write_text(as_text(make_table(table, [op])))

x = unroll.placeholder([None, 3], "x")
"""


@pytest.mark.slow
def test_an_operator_is_its_class_its_function_in_the_face_and_its_cases(copy: Path) -> None:
    listed = places("Adding an operator")
    assert [path for path, _ in listed] == [
        "unroll/ops/functions.py", "unroll/ops/__init__.py", "tests/operator_cases.py"
    ]  # fmt: skip
    for path, code in listed:
        put(copy, path, code)
    check_runs(copy, SIN)


SIN = """
make_row("Sin")
run_tests(
    "Sin- or Sin] or .sin] or every_operator",
    "tests/ops/test_operators.py", "tests/export/test_onnxruntime_support.py", *EXAMPLES,
)
graph = unroll.Graph([x], {"y": np.sin(x)})
assert graph.run({x: [[0.0, 1.0, 2.0]]})["y"].tolist() == np.sin(np.array([[0, 1, 2]], "float32")).tolist()
assert unroll.verify(graph)
assert [node.op.name for node in unroll.from_onnx(unroll.to_onnx(graph)).nodes] == ["Sin"]
assert unroll.equivalent(graph, unroll.optimize(graph))
from random_graphs import random_graph
assert "Sin" in {node.op.name for node in random_graph(0, first="Sin")[0].nodes}, "the random graphs draw it"
"""


@pytest.mark.slow
def test_a_lowering_is_a_function_and_its_row(copy: Path) -> None:
    for path, code in [*MISH.items(), *places("Adding a lowering")]:
        put(copy, path, code)
    check_runs(copy, MISHES)


MISHES = """
make_row("Mish")
run_tests("mish or Mish", "tests/export/test_older_opsets.py", "tests/export/test_onnxruntime_support.py")
"""


@pytest.mark.slow
def test_a_cell_is_its_file_the_face_and_its_formula(copy: Path) -> None:
    for path, code in places("Adding a cell"):
        put(copy, path, code)
    check_runs(
        copy, 'run_tests("leaky or Leaky", "tests/cells/test_leaky.py", "tests/whole/test_family.py", *EXAMPLES)'
    )


@pytest.mark.slow
def test_a_layer_is_its_file_the_face_its_arguments_and_its_numbers(copy: Path) -> None:
    for path, code in places("Adding a layer"):
        put(copy, path, code)
    check_runs(
        copy,
        'run_tests("escaling or numbers", "tests/layers/test_rescaling.py", "tests/layers/test_layer_arguments.py")',
    )


@pytest.mark.slow
def test_a_pass_is_its_file_a_row_of_the_pipeline_and_its_contract(copy: Path) -> None:
    for path, code in places("Adding a pass"):
        put(copy, path, code)
    pipeline = copy / "unroll" / "passes" / "pipeline.py"
    text, row = pipeline.read_text(encoding="utf-8"), "        canonical,\n"
    assert text.count(row) == 1
    pipeline.write_text(text.replace(row, f"        cancel_negations,\n{row}"), encoding="utf-8")
    check_runs(copy, NEGATIONS)


NEGATIONS = """
graph = unroll.Graph([x], {"y": -(-(-x)) + 1})
found = unroll.optimize(graph, ["cancel_negations", "remove_dead"])
assert [node.op.name for node in found.nodes] == ["Neg", "Add"]
assert found.run({x: [[1.0, -2.0, 0.5]]})["y"].tolist() == [[0.0, 3.0, 0.5]]
run_tests("cancel_negations or preserves", "tests/passes/test_passes.py", "tests/passes/test_each_pass.py")
"""


def test_every_file_and_folder_that_the_page_names_is_there_or_made_by_it() -> None:
    made = {path for title in ("a cell", "a layer", "a pass") for path, _ in places(f"Adding {title}")}
    named = set(re.findall(r"`((?:unroll|export|viz|tests|docs|benchmarks|\.ci)/[\w./]*)`", TEXT))
    assert len(named) > 15
    assert not [path for path in named - made if not (REPOSITORY / path).exists()]


@pytest.mark.parametrize("command", re.findall(r"python -m pytest ([^`\n]+)", TEXT))
def test_the_tests_that_the_page_names_are_there(command: str) -> None:
    for path in command.split():
        assert (REPOSITORY / path).exists(), path


def test_every_target_of_make_that_the_page_names_is_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"^make (\w+)|`make (\w+)`", TEXT, re.MULTILINE))
    assert {one or other for one, other in named} <= targets
