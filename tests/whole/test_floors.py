"""Who may import whom: no import runs up, hidden ones included; and names that the face exports stay what they are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import REPOSITORY, run_python

import unroll

#: By floor: what none of its files may import. The face and the command line may import everything.
FORBIDDEN = {
    "core": (
        "onnx",
        "onnxruntime",
        "graphviz",
        "pygraphviz",
        "unroll.export",
        "unroll.viz",
        "unroll.cli",
        "export",
        "viz",
    ),
    "export": ("unroll.viz", "unroll.cli", "viz", "export", "graphviz", "pygraphviz"),
    "viz": ("unroll.export", "unroll.cli", "onnxruntime", "viz", "export"),
    "face": ("viz", "export"),
}
CORE_KNOWS = {"numpy", "networkx", "safetensors", "unroll"}
FILES = sorted(path for folder in ("unroll", "export", "viz") for path in (REPOSITORY / folder).rglob("*.py"))


def floor_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).parts
    if parts[0] != "unroll":
        return parts[0]
    return "face" if parts[1] in ("__init__.py", "__main__.py", "cli.py", "cli") else "core"


def imports(source: str, package: str = "unroll") -> Iterator[str]:
    """Every module that a file imports anywhere: inside functions, for type checking, by name, or through the face."""
    tree = ast.parse(source)
    homes: dict[str, str] = unroll._HOME  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [base])]
                )
            yield base
            for alias in node.names:
                yield homes.get(alias.name, f"unroll.{alias.name}") if base == "unroll" else f"{base}.{alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "unroll":
            yield homes.get(node.attr, f"unroll.{node.attr}")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (
                item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)
            )


def violations(source: str, floor: str) -> list[str]:
    found = set(imports(source))
    return sorted(name for name in found for bad in FORBIDDEN[floor] if name == bad or name.startswith(f"{bad}."))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_import_runs_up(path: Path) -> None:
    assert not violations(path.read_text(encoding="utf-8"), floor_of(path))


@pytest.mark.parametrize("path", [path for path in FILES if floor_of(path) == "core"], ids=lambda path: path.stem)
def test_the_core_knows_only_numpy_networkx_and_safetensors(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path.read_text(encoding="utf-8"))}
    assert tops - set(sys.stdlib_module_names) <= CORE_KNOWS


def test_there_are_files_on_every_floor() -> None:
    assert {floor_of(path) for path in FILES} == {"core", "export", "viz", "face"}
    assert len(FILES) > 30


@pytest.mark.parametrize(
    ("source", "floor", "seen"),
    [
        ("import onnx.helper", "core", ["onnx.helper"]),
        (
            "def f():\n    from unroll.viz.drawing import draw",
            "core",
            ["unroll.viz.drawing", "unroll.viz.drawing.draw"],
        ),
        ("from unroll import draw", "core", ["unroll.viz.drawing"]),
        ("import unroll\nunroll.draw(1)", "export", ["unroll.viz.drawing"]),
        ("from unroll import export", "viz", ["unroll.export"]),
        ("if TYPE_CHECKING:\n    import onnxruntime as ort", "viz", ["onnxruntime"]),
        ("import_module('unroll.export.running.session')", "core", ["unroll.export.running.session"]),
        ("from export import to_onnx", "face", ["export", "export.to_onnx"]),
        ("from unroll import ops\nimport unroll\nunroll.__version__", "export", []),
        ("import onnxconverter", "core", []),
    ],
)
def test_the_floor_test_sees_hidden_imports(source: str, floor: str, seen: list[str]) -> None:
    assert violations(source, floor) == seen


def test_no_module_under_unroll_has_the_name_of_an_exported_function() -> None:
    modules = {path.stem for path in (REPOSITORY / "unroll").glob("*.py")}
    modules |= {path.name for path in (REPOSITORY / "unroll").iterdir() if path.is_dir()} | {"export", "viz"}
    homes: dict[str, str] = unroll._HOME  # type: ignore[attr-defined]
    assert not modules & set(homes)
    assert sorted({*homes, *unroll._MODULES}) == sorted(unroll.__all__)  # type: ignore[attr-defined]


IMPORTS = """
import sys
import unroll
print(*sorted({"onnx", "onnxruntime", "graphviz", "pygraphviz", "networkx", "rich"} & set(sys.modules)))
"""


def test_import_unroll_loads_neither_onnxruntime_nor_graphviz() -> None:
    assert run_python(IMPORTS).split() == []


TRACED = """
import sys
import numpy as np
import unroll
steps = [unroll.placeholder([None, 3], f"X{step}") for step in range(3)]
outputs, state = unroll.static_rnn(unroll.BasicLSTMCell(2), steps)
graph = unroll.Graph(steps, [outputs, state])
graph.summary()
graph.run({step: np.ones((4, 3)) for step in steps})
print(*sorted({"onnx", "onnxruntime", "graphviz", "pygraphviz", "networkx", "rich"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_a_graph_is_traced_summed_up_and_run_in_numpy_with_nothing_else() -> None:
    assert run_python(TRACED).split() == []


CALLED_TWICE = """
import importlib, pathlib, pkgutil, sys, types
import numpy as np
import unroll
folder = pathlib.Path(sys.argv[1])
def program():
    x0, x1 = unroll.placeholder([None, 3], name="X0"), unroll.placeholder([None, 3], "X1")
    with unroll.scope("a"):
        outputs, state = unroll.static_rnn(unroll.BasicRNNCell(2), [x0, x1])
        whole, _ = unroll.dynamic_rnn(unroll.GRUCell(2), unroll.ops.stack([x0, x1], 1))
        more, _ = unroll.static_rnn(unroll.MultiRNNCell([unroll.BasicLSTMCell(2)]), [x0, x1])
    return unroll.Graph([x0, x1], [outputs, whole, more, unroll.Parameter([1.0], "w") + unroll.constant(1.0)])
def over_time():
    x = unroll.placeholder([None, 2, 3], "x")
    return unroll.Graph([x], unroll.dynamic_rnn(unroll.GRUCell(2), x)[0])
x = unroll.constant(np.ones((1, 3), "float32"))
def gate_order():
    graph, feeds = over_time(), {"x": np.ones((1, 2, 3), "float32")}
    unroll.check_gate_order(graph, feeds, graph.run(feeds))
def both_ways():
    unroll.static_bidirectional_rnn(unroll.GRUCell(2), unroll.GRUCell(2), [x, x])
    unroll.stack_bidirectional_rnn([unroll.GRUCell(2)], [unroll.GRUCell(2)], [x, x])
def saving():
    saver = unroll.StateSaver({"h": 2}, 1)
    outputs, _ = unroll.static_state_saving_rnn(unroll.GRUCell(2), [x, x], saver, "h")
    unroll.Stream(unroll.Graph([], outputs, states=saver.states)).run({})
def decode():
    start = unroll.constant(np.zeros((1, 2), "float32"))
    unroll.raw_rnn(
        unroll.GRUCell(2), lambda t, y, s, more: (False, x, s if t else start, None, None), maximum_iterations=2)
calls = {
    "placeholder": lambda: unroll.placeholder([1], "x"),
    "constant": lambda: unroll.constant(1.0),
    "Parameter": lambda: unroll.Parameter([1.0], "w"),
    "Graph": program,
    "trace": lambda: unroll.trace(lambda x: x + 1, unroll.placeholder([1], "x")),
    "scope": lambda: unroll.scope("a").__enter__(), "step": lambda: unroll.step(1).__enter__(),
    "static_rnn": program, "dynamic_rnn": program,
    **dict.fromkeys(("static_bidirectional_rnn", "stack_bidirectional_rnn"), both_ways),
    "bidirectional_dynamic_rnn": lambda: unroll.bidirectional_dynamic_rnn(
        unroll.GRUCell(2), unroll.GRUCell(2), unroll.placeholder([None, 2, 3], "x")),
    "raw_rnn": decode,
    "stack_bidirectional_dynamic_rnn": lambda: unroll.stack_bidirectional_dynamic_rnn(
        [unroll.GRUCell(2)], [unroll.GRUCell(2)], unroll.placeholder([None, 2, 3], "x")),
    **dict.fromkeys(("StateSaver", "Stream", "static_state_saving_rnn"), saving),
    "check_gate_order": gate_order,
    "LSTMCell": lambda: unroll.LSTMCell(2), "TensorShape": lambda: unroll.TensorShape([2, 3]),
    "BasicRNNCell": lambda: unroll.BasicRNNCell(2), "BasicLSTMCell": lambda: unroll.BasicLSTMCell(2),
    "GRUCell": lambda: unroll.GRUCell(2), "MultiRNNCell": lambda: unroll.MultiRNNCell([unroll.GRUCell(2)]),
    "LSTMStateTuple": lambda: unroll.LSTMStateTuple(1, 2),
    "RNNCell": lambda: unroll.RNNCell(), "UnrollError": lambda: unroll.UnrollError("no"),
    "UnrollWarning": lambda: unroll.UnrollWarning("hm"),
    "Tensor": lambda: unroll.Tensor((1,), np.dtype("float32")),
    "to_c": lambda: unroll.to_c(program(), dims={"batch": 1}),
    "to_onnx": lambda: unroll.to_onnx(program()), "from_onnx": lambda: unroll.from_onnx(unroll.to_onnx(program())),
    "optimize": lambda: unroll.optimize(program()), "equivalent": lambda: unroll.equivalent(program(), program()),
    "reroll": lambda: unroll.reroll(program()), "unroll": lambda: unroll.unroll(program()),
    "compile": lambda: unroll.compile(program(), tune=False, cache=False),
    "run_many": lambda: list(unroll.run_many(unroll.Session(over_time()), [np.ones((2, 3), "float32")])),
    "save": lambda: unroll.save(program(), folder / "model.onnx"),
    "Session": lambda: unroll.Session(program()),
    "verify": lambda: unroll.verify(program()),
    "draw": lambda: unroll.draw(program(), folder / "picture.svg"),
    "explain": lambda: unroll.explain(program()),
    "view": lambda: unroll.view(program(), folder / "page.html"),
    "draw_values": lambda: unroll.draw_values(program(), {"X0": np.ones((2, 3)), "X1": np.ones((2, 3))}, folder / "values.svg"),
    "draw_diff": lambda: unroll.draw_diff(program(), over_time(), folder / "diff.svg"),
    "draw_kernel": lambda: unroll.draw_kernel(program(), folder / "kernel.svg"),
}
modules = {name for name in unroll.__all__ if isinstance(getattr(unroll, name), types.ModuleType)}
assert modules == {"activations", "cells", "initializers", "keras", "layers", "nest", "nn", "ops", "seq2seq", "tf1"}, modules
assert set(calls) | modules == set(unroll.__all__), set(calls) ^ set(unroll.__all__)
for name, call in calls.items():
    call()
for found in pkgutil.walk_packages(unroll.__path__, "unroll."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
for name, call in calls.items():
    first = getattr(unroll, name)
    assert callable(first) and not isinstance(first, types.ModuleType), name
    call()
    assert getattr(unroll, name) is first, name
print("done")
"""


@pytest.mark.slow
def test_every_exported_name_can_be_called_twice_in_a_fresh_process(tmp_path: Path) -> None:
    assert run_python(CALLED_TWICE, str(tmp_path)).strip() == "done"


@pytest.mark.slow
def test_a_users_own_export_py_and_viz_py_break_nothing(tmp_path: Path) -> None:
    for name in ("export", "viz"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the user\\'s own file was imported')\n")
    code = f"import sys, os; os.chdir({str(tmp_path)!r}); sys.path.insert(0, '')\n" + CALLED_TWICE
    assert run_python(code, str(tmp_path)).strip() == "done"


MIMEBUNDLE = """
import unroll.graph, unroll.tensor, sys
x = unroll.tensor.placeholder([2], "x")
graph = unroll.graph.Graph([x], x + 1.0)
assert "x (2,)" in repr(graph), graph
print(*[name for name in ("graphviz", "pygraphviz", "unroll.viz") if name in sys.modules])
assert [*graph._repr_mimebundle_()] == ["image/svg+xml", "text/plain"]
"""


@pytest.mark.slow
def test_graphviz_is_loaded_when_the_first_picture_is_shown() -> None:
    assert run_python(MIMEBUNDLE).split() == []
