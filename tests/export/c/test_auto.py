"""`compile(graph, target="auto")`: compiled C is measured beside the forms that onnxruntime runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_running import needs_compiler
from helpers import refused

import unroll
from unroll.export import form_trial, tuning
from unroll.export.c import building
from unroll.export.c.session import CSession
from unroll.export.compiled import CompiledSession


def network() -> unroll.Graph:
    x = unroll.placeholder([None, 4, 3], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x)
    return unroll.Graph([x], {"y": outputs})


@pytest.fixture
def c_is(monkeypatch: pytest.MonkeyPatch) -> object:
    """Says how long C takes beside everything else, which takes a millisecond."""

    def says(seconds: float) -> None:
        def measured(runs: dict[tuple[str, int | None], object]) -> dict[object, tuple[float, float]]:
            return {key: (seconds, seconds) if key[0] == "c" else (1e-3, 1e-3) for key in runs}

        monkeypatch.setattr(tuning, "measured_seconds", measured)

    return says


@needs_compiler
def test_the_fastest_of_all_is_returned_and_remembered(c_is, tmp_path: Path) -> None:
    for seconds, kind in ((1e-6, CSession), (1.0, CompiledSession)):
        c_is(seconds)
        folder = tmp_path / kind.__name__
        first, again = (unroll.compile(network(), "auto", batch=2, cache=folder) for _ in range(2))
        assert isinstance(first, kind) and isinstance(again, kind)
        assert [session.choice.how for session in (first, again)] == ["measured", "cached"]
        assert {row.form for row in again.choice.candidates} == {
            "c", "rerolled", "scan", "unrolled", "unrolled, optimized"
        }  # fmt: skip
        fed = {"x": np.ones((2, 4, 3), "float32")}
        np.testing.assert_allclose(again.run(fed)["y"], network().run(fed)["y"], atol=1e-6)


@needs_compiler
def test_another_compiler_is_measured_again(c_is, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    c_is(1e-6)
    unroll.compile(network(), "auto", cache=tmp_path)
    monkeypatch.setattr(building, "FLAGS", (*building.FLAGS, "-fno-builtin"))
    assert unroll.compile(network(), "auto", cache=tmp_path).choice.how == "measured"


def test_without_a_compiler_onnxruntime_alone_is_measured(
    c_is, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    c_is(1e-6)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    session = unroll.compile(network(), "auto", cache=False)
    assert isinstance(session, CompiledSession)
    assert "c" not in {row.form for row in session.choice.candidates}


@needs_compiler
def test_what_cannot_be_compiled_is_a_row_that_says_why(c_is, monkeypatch: pytest.MonkeyPatch) -> None:
    c_is(1e-6)
    monkeypatch.setattr(form_trial, "MOST_LINES", 10)
    choice = unroll.compile(network(), "auto", cache=False).choice
    assert choice.form != "c"
    assert "lines of C take long to compile" in next(row.note for row in choice.candidates if row.form == "c")


def test_a_form_or_an_estimate_is_of_onnxruntime() -> None:
    assert unroll.compile(network(), "auto", tune=False).choice.how == "estimated"
    assert unroll.compile(network(), "auto", form="scan", tune=False).choice.form == "scan"
    refused(lambda: unroll.compile(network(), "automatic"), ValueError, "'automatic'", "'auto'")  # type: ignore[call-overload]


@needs_compiler
def test_compiled_c_says_that_it_was_asked_for(tmp_path: Path) -> None:
    choice = unroll.compile(network(), "c", batch=3, cache=tmp_path).choice
    assert str(choice).startswith("c, asked for at batch 3\n")
