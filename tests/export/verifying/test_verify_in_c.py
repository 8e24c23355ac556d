"""`verify(..., runners="c")`: the graph as C beside the other runners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from c_running import needs_compiler
from helpers import refused

import unroll
from unroll import ops, verify
from unroll.export.c.session import CSession


def doubled(dtype: str = "float32") -> unroll.Graph:
    x = unroll.placeholder([None, 2], "x", dtype)
    return unroll.Graph([x], {"y": x + x})


@needs_compiler
def test_c_is_one_more_runner_where_it_is_asked_for(tmp_path: Path) -> None:
    graph = doubled()
    assert verify(graph, runners="c").runners == ("NumPy", "onnx reference", "onnxruntime", "C")
    assert "C" not in verify(graph).runners
    onnx.save(unroll.to_onnx(graph), tmp_path / "m.onnx")
    found = verify(tmp_path / "m.onnx", runners="c")
    assert found.runners == ("NumPy", "onnx reference", "onnxruntime", "onnxruntime (rewritten by unroll)", "C")


@needs_compiler
def test_c_that_computes_something_else_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CSession, "run", lambda self, feeds: {"y": 3 * np.asarray(feeds["x"])})
    refused(lambda: verify(doubled(), runners="c"), ArithmeticError, "C gives", "y")


@needs_compiler
def test_what_cannot_be_written_as_c_or_compiled_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "float16" in verify(doubled("float16"), runners="c").left_out["C"]
    monkeypatch.setenv("CC", "false")
    assert "cannot compile" in verify(doubled(), runners="c").left_out["C"]
    monkeypatch.setenv("CC", "nowhere-cc")
    assert "no such program" in verify(doubled(), runners="c").left_out["C"]


@needs_compiler
def test_c_alone_proves_nothing_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written from the graph, and not from the model."""
    monkeypatch.setattr("unroll.export.verifying.witnesses.why_aside", lambda *a, **k: "for this test")
    x = unroll.placeholder([2], "x")
    refused(lambda: verify(unroll.Graph([x], ops.tanh(x)), runners="c"), ArithmeticError, "no witness", "for this test")


def test_another_word_is_refused() -> None:
    refused(lambda: verify(doubled(), runners="d"), ValueError, "runners", "'c'")
