"""A model of operators that unroll does not know is loaded in a process of its own first, which may end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from onnx import TensorProto, helper

import unroll
from unroll.export.guards import trial_load
from unroll.export.guards.trial_load import VARIABLE, try_load, unknown_operator


def model_of(node: onnx.NodeProto, doc: str = "", **more: Any) -> onnx.ModelProto:
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", [4, 6]), ("y", ["a", "b"]))
    )
    graph = helper.make_graph([node], "main", inputs, outputs)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, doc_string=doc, **more)


#: On this one, onnx's inference and onnxruntime end the process (the table of aborting_nodes knows it; the child does not).
ENDS = helper.make_node("Split", ["x"], ["y", "b", "c"], axis=1, num_outputs=2)
#: Harmless, and no operator of unroll's.
UNKNOWN = helper.make_node("Hardmax", ["x"], ["y"])


class Children:
    """Counts the children that are started."""

    def __init__(self) -> None:
        self.count, self._start = 0, trial_load.subprocess.run

    def run(self, *arguments: Any, **options: Any) -> Any:
        self.count += 1
        return self._start(*arguments, **options)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    found = Children()
    monkeypatch.setattr(trial_load.subprocess, "run", found.run)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(trial_load, "_came_through", set())
    return found


@pytest.mark.slow
def test_what_ends_the_child_is_an_error_here(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "always")
    refused(lambda: try_load(model_of(ENDS), "here"), ValueError, "here: ", "ended the process", "not loaded here")
    assert children.count == 1


@pytest.mark.slow
def test_an_unknown_operator_bears_it_once_and_a_known_one_never(children: Children, tmp_path: Path) -> None:
    model = model_of(UNKNOWN)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    x = np.eye(4, 6)
    for _ in range(2):  # the largest of each row is on the diagonal
        assert np.array_equal(unroll.Session(path).run({"x": x}, "y"), x)
        assert unroll.from_onnx(model).nodes
    assert children.count == 1
    unroll.Session(model_of(helper.make_node("Relu", ["x"], ["y"])))
    unroll.Session(unroll.from_onnx(model))  # a Graph comes from what was looked at
    assert children.count == 1


@pytest.mark.slow
def test_an_error_of_the_child_is_left_to_this_process(children: Children) -> None:
    refused(lambda: unroll.Session(model_of(helper.make_node("NoSuchThing", ["x"], ["y"]))), ValueError, "NoSuchThing")
    assert children.count == 1


def test_a_child_that_does_not_end_is_an_error(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_load, "_SECONDS", 0.001)
    refused(lambda: try_load(model_of(UNKNOWN), "here"), ValueError, "did not end within", "it holds Hardmax")


def test_it_can_be_switched_off_and_cannot_be_mistaken(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "never")
    try_load(model_of(UNKNOWN), "here")
    assert children.count == 0
    monkeypatch.setenv(VARIABLE, "of course")
    refused(lambda: try_load(model_of(UNKNOWN), "here"), ValueError, VARIABLE, "'of course'", "unknown, always, never")


@pytest.mark.parametrize("executable", ["", "/no/such/interpreter"])
def test_where_no_interpreter_can_be_started_the_model_is_loaded_as_it_is(
    executable: str, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert unroll.Session(model_of(UNKNOWN)).output_names == ("y",)


@pytest.mark.slow
def test_the_child_imports_nothing_from_where_the_user_stands(
    children: Children, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("onnx", "onnxruntime", "numpy", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try_load(model_of(UNKNOWN), "here")  # an exit status of 77 would be taken for a crash
    assert children.count == 1


def test_an_operator_is_known_by_its_domain_and_name_in_functions_too() -> None:
    relu = helper.make_node("Relu", ["x"], ["y"])
    own = helper.make_node("Relu", ["x"], ["y"], domain="own")
    assert unknown_operator(model_of(relu)) == ""
    assert unknown_operator(model_of(own)) == "own.Relu"
    for inner, wanted in ((relu, ""), (UNKNOWN, "Hardmax")):
        function = helper.make_function("own", "Relu", ["x"], ["y"], [inner], [helper.make_opsetid("", 18)])
        assert unknown_operator(model_of(own, functions=[function])) == wanted
    recursive = helper.make_function("own", "Relu", ["x"], ["y"], [own], [helper.make_opsetid("own", 1)])
    assert unknown_operator(model_of(own, functions=[recursive])) == ""
