"""The table of what onnxruntime has kernels for: true of the installed version, complete, and what export goes by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from helpers import refused
from make_onnxruntime_support import OPSETS, RUNNERS, TABLE, Program, as_text, dtypes_of, problem, programs

import unroll
from unroll import ops
from unroll.ops import OPERATORS

NAMES = sorted(name for _, name in OPERATORS)
ENDS = (OPSETS[0], OPSETS[-1])


@cache
def table() -> Any:
    return json.loads(TABLE.read_text(encoding="utf-8"))


def missing(op: str, runner: str = "onnxruntime") -> Sequence[str]:
    key = {"onnxruntime": "unsupported", "reference": "reference_unsupported"}[runner]
    return table()[key].get(op, [])


@cache
def programs_of(op: str) -> list[Program]:
    return list(programs(op))


def pairs(supported: bool) -> list[tuple[str, str]]:
    return [(op, dtype) for op in NAMES for dtype in dtypes_of(op) if (dtype not in missing(op)) == supported]


def test_the_table_covers_every_operator_and_every_dtype_it_takes() -> None:
    assert table()["operators"] == {op: dtypes_of(op) for op in NAMES}
    assert table()["opsets"] == list(OPSETS)
    for op in NAMES:
        assert {program.dtype for program in programs_of(op)} == set(dtypes_of(op)), op


def test_the_table_says_what_it_was_made_with_and_is_laid_out_as_its_generator_does() -> None:
    assert set(table()) >= {"onnxruntime", "onnx", "unsupported", "reference_unsupported"}
    assert TABLE.read_text(encoding="utf-8") == as_text(table())


def test_float32_is_supported_everywhere_so_that_no_cell_is_ever_refused_there() -> None:
    assert not [op for op in NAMES if "float32" in missing(op)]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("op", NAMES)
def test_what_the_table_calls_supported_runs_and_agrees_with_numpy(op: str, runner: str) -> None:
    problems = [
        f"{program.case} {program.dtype}, opset {opset}: {found}"
        for program in programs_of(op)
        if program.dtype not in missing(op, runner)
        for opset in ENDS
        if (found := problem(RUNNERS[runner], program, opset))
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("op", "dtype"), pairs(supported=False), ids="-".join)
def test_what_the_table_calls_unsupported_does_fail_in_the_version_it_was_made_with(op: str, dtype: str) -> None:
    if ort.__version__ != table()["onnxruntime"] or onnx.__version__ != table()["onnx"]:
        pytest.skip("the table was made with other versions: run tests/make_onnxruntime_support.py")
    failed = [problem(RUNNERS["onnxruntime"], item, ENDS[0]) for item in programs_of(op) if item.dtype == dtype]
    assert failed
    assert all(failed)


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


@pytest.mark.parametrize("runtime", ["tensorrt", "", "ONNXRuntime"])
def test_a_runtime_that_is_not_known_is_refused_with_those_that_are(runtime: str) -> None:
    x = unroll.placeholder([3], "x")
    refused(lambda: unroll.to_onnx(unroll.Graph([x], x + 1), runtime=runtime), ValueError, repr(runtime), "onnxruntime")
