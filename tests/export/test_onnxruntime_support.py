"""The table of what onnxruntime has kernels for: true of the installed version, complete, and what export goes by."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import refused
from make_onnxruntime_support import (
    RUNNERS,
    TABLE,
    VERSIONS,
    Program,
    as_text,
    dtypes_of,
    make_table,
    opsets_of,
    problem,
    programs,
)

import unroll
from unroll import ops
from unroll.export import support
from unroll.ops import OPERATORS

NAMES = sorted(name for _, name in OPERATORS)


@cache
def table() -> Any:
    return json.loads(TABLE.read_text(encoding="utf-8"))


@cache
def ends(runner: str) -> tuple[int, int]:
    """The oldest and the newest opset that a runner loads."""
    opsets = opsets_of(runner)
    return opsets[0], opsets[-1]


def missing(op: str, runner: str = "onnxruntime") -> Collection[str]:
    return support.kernels_of(runner, VERSIONS[runner]).lacks.get(op, ())


@cache
def programs_of(op: str) -> list[Program]:
    return list(programs(op))


def pairs(supported: bool) -> list[tuple[str, str]]:
    return [(op, dtype) for op in NAMES for dtype in dtypes_of(op) if (dtype not in missing(op)) == supported]


@pytest.mark.parametrize("op", NAMES)
def test_every_operator_is_tried_on_every_dtype_it_takes(op: str) -> None:
    assert {program.dtype for program in programs_of(op)} == set(dtypes_of(op))


def test_the_table_is_laid_out_as_its_generator_does_with_the_newest_version_first() -> None:
    assert set(table()) == set(RUNNERS)
    for entries in table().values():
        numbers = [tuple(map(int, version.split("."))) for version in entries]
        assert numbers == sorted(numbers, reverse=True)
    assert TABLE.read_text(encoding="utf-8") == as_text(table())


@pytest.mark.slow
def test_an_operator_tried_alone_changes_its_row_of_the_installed_versions_alone() -> None:
    entry = {"opsets": [13], "lacks": {"Elu": ["bool"], "Xor": ["bool"]}}
    before: Any = {runner: dict.fromkeys(["1.9.0", VERSIONS[runner], "1.100.2"], entry) for runner in RUNNERS}
    made = make_table(before, ["Elu"])
    for runner, lacking in (("onnxruntime", {"Elu": ["float64"]}), ("reference", {})):
        assert list(made[runner]) == ["1.100.2", VERSIONS[runner], "1.9.0"]
        assert made[runner]["1.9.0"] == made[runner]["1.100.2"] == entry
        assert made[runner][VERSIONS[runner]] == {"opsets": opsets_of(runner), "lacks": lacking | {"Xor": ["bool"]}}
    with pytest.raises(SystemExit, match="without names"):
        make_table({runner: {"1.9.0": entry} for runner in RUNNERS}, ["Elu"])


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_entry_of_the_installed_version_was_tried_at_every_opset_that_it_loads(runner: str) -> None:
    entry = table()[runner].get(VERSIONS[runner])
    assert entry is None or entry["opsets"] == opsets_of(runner)


def test_float32_is_supported_everywhere_so_that_no_cell_is_ever_refused_there() -> None:
    assert not [op for op in NAMES if "float32" in missing(op)]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("op", NAMES)
def test_what_the_table_calls_supported_runs_and_agrees_with_numpy(op: str, runner: str) -> None:
    problems = [
        f"{program.case} {program.dtype}, opset {opset}: {found}"
        for program in programs_of(op)
        if program.dtype not in missing(op, runner)
        for opset in ends(runner)
        if (found := problem(RUNNERS[runner], program, opset))
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("op", "dtype"), pairs(supported=False), ids="-".join)
def test_what_the_table_calls_unsupported_fails_in_the_version_that_was_tried(op: str, dtype: str) -> None:
    found = [
        problem(RUNNERS["onnxruntime"], item, ends("onnxruntime")[0]) for item in programs_of(op) if item.dtype == dtype
    ]
    assert found
    assert all(found) or VERSIONS["onnxruntime"] not in table()["onnxruntime"], (
        "a version that was not tried may have more"
    )


@pytest.mark.parametrize(("op", "dtype"), pairs(supported=False), ids="-".join)
def test_export_refuses_what_onnxruntime_cannot_run_and_names_the_node_the_dtype_and_what_there_is(
    op: str, dtype: str
) -> None:
    graph = next(program.graph for program in programs_of(op) if program.dtype == dtype)
    node, there_are = graph.name(graph.nodes[0]), ", ".join(kind for kind in dtypes_of(op) if kind not in missing(op))
    message = refused(lambda: unroll.to_onnx(graph), NotImplementedError, f"{node}: ", f"{op} on {dtype}", there_are)
    assert "ops.cast" in message
    assert "runtime=None" in message
    refused(lambda: unroll.Session(graph), NotImplementedError, f"{op} on {dtype}")
    model = unroll.to_onnx(graph, runtime=None)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == [op]


@pytest.mark.parametrize(("op", "dtype"), pairs(supported=True), ids="-".join)
def test_export_lets_through_what_onnxruntime_can_run(op: str, dtype: str) -> None:
    graph = next(program.graph for program in programs_of(op) if program.dtype == dtype)
    assert unroll.to_onnx(graph) == unroll.to_onnx(graph, runtime=None)


def test_the_refusal_names_the_node_among_many() -> None:
    x = unroll.placeholder([None, 3], "x", "float64")
    with unroll.scope("deep/inside"):
        y = ops.softplus(x + 1)
    message = refused(lambda: unroll.to_onnx(unroll.Graph([x], y * 2)), NotImplementedError, "deep/inside/Softplus: ")
    assert "float16, float32" in message


@pytest.mark.parametrize("activation", ["elu", "hard_sigmoid", "leaky_relu", "softplus", "softsign"])
def test_a_missing_kernel_in_the_body_of_a_loop_is_refused_before_loading_under_the_name_in_the_file(
    activation: str,
) -> None:
    x = unroll.placeholder([None, 5, 2], "x", "float64")
    cell = unroll.BasicRNNCell(3, activation=getattr(ops, activation))
    graph = unroll.Graph([x], {"y": unroll.dynamic_rnn(cell, x, dtype="float64", rolled=True)[0]})
    (loop,) = (node for node in unroll.to_onnx(graph, runtime=None).graph.node if node.op_type == "Scan")
    (body,) = (attribute.g for attribute in loop.attribute if attribute.name == "body")
    (name,) = (node.name for node in body.node if node.op_type not in {"MatMul", "Add", "Concat", "Identity"})
    for export in (unroll.to_onnx, unroll.Session):
        message = refused(lambda export=export: export(graph), NotImplementedError, f"{name}: ", "float64")
        assert "float16, float32" in message


def test_a_cast_as_the_refusal_says_makes_the_graph_run() -> None:
    x = unroll.placeholder([None, 3], "x", "float64")
    y = ops.cast(ops.softplus(ops.cast(x, "float32")), "float64")
    fed = np.array([[-1.0, 0.0, 2.0]])
    found = unroll.Session(unroll.Graph([x], {"y": y})).run({"x": fed})["y"]
    np.testing.assert_allclose(found, np.log1p(np.exp(fed)), rtol=1e-6)


TRIED = {
    "onnxruntime": {
        "1.32.0": {"lacks": {"Softplus": ["float64"]}},
        "1.9.0": {"lacks": {"Softplus": ["float64"], "Tanh": ["float64"]}},
    }
}


@pytest.mark.parametrize(
    ("version", "entry"),
    [
        ("1.32.0", "1.32.0"),
        ("1.32.0.dev20261101+cpu", "1.32.0"),
        ("1.40", "1.32.0"),
        ("2.0.0", "1.32.0"),
        ("1.31.9", "1.9.0"),
        ("1.10.2", "1.9.0"),
        ("1.2.0", "1.9.0"),
    ],
)
def test_another_version_goes_by_the_newest_entry_that_is_not_newer_or_by_the_oldest(
    version: str, entry: str, other_table: None
) -> None:
    found = support.kernels_of("onnxruntime", version)
    assert found.version == entry
    assert found.lacks == {op: frozenset(kinds) for op, kinds in TRIED["onnxruntime"][entry]["lacks"].items()}


@pytest.fixture
def other_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "table.json").write_text(json.dumps(TRIED), encoding="utf-8")
    monkeypatch.setattr(support, "TABLE", tmp_path / "table.json")
    support.kernels_of.cache_clear()
    yield
    support.kernels_of.cache_clear()


@pytest.mark.parametrize(("version", "refused_there"), [("1.20.1", True), ("1.32.0", False), ("1.33.0", False)])
def test_a_refusal_says_by_which_version_it_goes_where_another_is_installed(
    version: str, refused_there: bool, other_table: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "__version__", version)
    x = unroll.placeholder([3], "x", "float64")
    graphs = {"Softplus": unroll.Graph([x], ops.softplus(x))} | {"Tanh": unroll.Graph([x], ops.tanh(x))}
    message = refused(lambda: unroll.to_onnx(graphs["Softplus"]), NotImplementedError, "Softplus on float64")
    entry = "1.9.0" if refused_there else "1.32.0"
    assert (f"(tried in {entry}; {version} is installed)" in message) == (version != entry)
    if refused_there:
        refused(lambda: unroll.to_onnx(graphs["Tanh"]), NotImplementedError, "Tanh on float64")
    else:
        unroll.to_onnx(graphs["Tanh"])


@pytest.mark.parametrize("runtime", ["tensorrt", "", "ONNXRuntime"])
def test_a_runtime_that_is_not_known_is_refused_with_those_that_are(runtime: str) -> None:
    x = unroll.placeholder([3], "x")
    refused(lambda: unroll.to_onnx(unroll.Graph([x], x + 1), runtime=runtime), ValueError, repr(runtime), "onnxruntime")
