"""What `compile` remembers between calls and processes, and at which sizes it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_programs import check_agrees, lstm_graph
from helpers import refused, run_python

import unroll
from unroll import UnrollWarning
from unroll.export import compiler, tuning
from unroll.export.compiler import compile

pytestmark = pytest.mark.usefixtures("measuring_little")


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


# -- the cache ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_call_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compile(lstm_graph(), cache=tmp_path)
    assert len(entries(tmp_path)) == 1
    monkeypatch.setattr(tuning, "measured_seconds", lambda runs: pytest.fail("measured again"))
    second = compile(lstm_graph(), cache=tmp_path)
    assert second.choice == first.choice._replace(how="cached")
    check_agrees(second, lstm_graph())


@pytest.mark.slow
def test_other_content_or_settings_are_measured_anew(tmp_path: Path) -> None:
    graph = lstm_graph()
    compile(graph, cache=tmp_path)
    compile(graph, batch=2, cache=tmp_path)
    compile(graph, form="scan", cache=tmp_path)
    compile(graph, dtype="float16", cache=tmp_path)
    graph.parameters["rnn/basic_lstm_cell/bias"].assign(np.ones(16))
    compile(graph, cache=tmp_path)
    assert len(entries(tmp_path)) == 5


@pytest.mark.slow
def test_the_cache_is_in_the_users_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    compile(lstm_graph())
    assert len(entries(tmp_path / "new" / "unroll" / "tuning")) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard says to ignore
    assert tuning.cache_folder().is_absolute()


DAMAGE: dict[str, Any] = {
    "empty": "",
    "cut": '{"form": "scan", "thre',
    "not an object": "[1, 2]",
    "a field missing": "{}",
    "an unknown form": lambda entry: entry | {"form": "flat"},
    "an unknown field": lambda entry: entry | {"speed": 3},
    "a form not measured": lambda entry: entry | {"candidates": []},
    "words for numbers": lambda entry: (
        entry | {"candidates": [item | {"seconds": "fast"} for item in entry["candidates"]]}
    ),
    "threads of no kind": lambda entry: entry | {"threads": 77},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_corrupt_entry_is_rebuilt_with_a_warning(kind: str, tmp_path: Path) -> None:
    graph = lstm_graph()
    compile(graph, cache=tmp_path)
    (path,) = entries(tmp_path)
    damage = DAMAGE[kind]
    path.write_text(damage if isinstance(damage, str) else json.dumps(damage(json.loads(path.read_text()))))
    with pytest.warns(UnrollWarning, match="tuning cache cannot be used"):
        session = compile(graph, cache=tmp_path)
    assert session.choice.how == "measured"
    check_agrees(session, graph)
    assert compile(graph, cache=tmp_path).choice.how == "cached"


@pytest.mark.slow
def test_an_entry_of_no_text_is_rebuilt_too(tmp_path: Path) -> None:
    compile(lstm_graph(), cache=tmp_path)
    (path,) = entries(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.warns(UnrollWarning, match="tuning cache cannot be used"):
        assert compile(lstm_graph(), cache=tmp_path).choice.how == "measured"


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_warned_of_and_the_session_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UnrollWarning, match="tuning cache cannot be written"):
        session = compile(lstm_graph(), cache=tmp_path / "file" / "inner")
    check_agrees(session, lstm_graph())


TUNE = """
import json, sys, unroll
from unroll.export import compiler, tuning
from unroll.export.compiler import compile
tuning._BUDGET = 0.01
x = unroll.placeholder([None, 5, 3], "x")
graph = unroll.Graph([x], {"y": unroll.dynamic_rnn(unroll.BasicLSTMCell(4), x)[0]})
for turn in range(6):
    if turn % 2:
        for path in tuning.as_path(sys.argv[1], "").glob("*.json"):  # and no file that the other writes just now
            path.unlink(missing_ok=True)
    print(compile(graph, cache=sys.argv[1]).choice.form)
"""


@pytest.mark.slow
def test_two_processes_that_tune_at_once_never_tear_an_entry(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", TUNE, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors  # a torn entry would have been a warning, and so an error
        assert len(output.splitlines()) == 6
    assert all(path.suffix == ".json" for path in entries(tmp_path))
    for path in entries(tmp_path):
        assert json.loads(path.read_text())["how"] == "measured"


@pytest.mark.slow
def test_nothing_is_written_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compile(lstm_graph(), cache=False)
    compile(lstm_graph(), tune=False)
    assert entries(tmp_path) == []


@pytest.mark.slow
def test_the_same_program_finds_its_entry_in_another_process(tmp_path: Path) -> None:
    program = TUNE.replace("range(6)", "range(1)").replace(".choice.form", ".choice.how")
    assert run_python(program, str(tmp_path)) == "measured\n"
    assert run_python(program, str(tmp_path)) == "cached\n"


# -- sizes -------------------------------------------------------------------------------------------------------------


def _measured_shapes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, tuple[int, ...]]]:
    """Note the shapes of everything that is measured."""
    seen: list[dict[str, tuple[int, ...]]] = []
    real = compiler.Trial

    def noting(graph: Any, writer: Any, feeds: Any, cache: Any) -> Any:
        seen.extend({name: array.shape for name, array in fed.items()} for fed in feeds)
        return real(graph, writer, feeds, cache)

    monkeypatch.setattr(compiler, "Trial", noting)
    return seen


def test_batch_is_the_size_of_the_batch_alone_and_dims_give_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unroll.placeholder(["batch", "time", 3], "x")
    graph = unroll.Graph([x], unroll.ops.tanh(x))
    seen = _measured_shapes(monkeypatch)
    compile(graph, batch=2, dims={"time": 28}, cache=False)
    compile(graph, dims={"time": 5}, cache=False)
    assert [shapes["x"] for shapes in seen] == [(2, 28, 3), (1, 5, 3)]
    with pytest.raises(unroll.errors.ArgumentError, match="time is not known"):
        compile(graph, batch=2, cache=False)
    with pytest.raises(unroll.errors.ArgumentError, match="'tim'"):
        compile(graph, dims={"tim": 3}, cache=False)
    assert compile(graph, tune=False, cache=False).choice.form, "an estimate needs no sizes"


def test_a_symbol_that_the_graph_ties_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = unroll.placeholder(["batch", 3], "x"), unroll.placeholder(["rows", 3], "y")
    flat = unroll.placeholder(["many"], "flat")
    graph = unroll.Graph([x, y, flat], unroll.ops.reshape(x + y, [-1]) + flat)
    seen = _measured_shapes(monkeypatch)
    compile(graph, batch=4, cache=False)
    assert seen == [{"x": (4, 3), "y": (4, 3), "flat": (12,)}]


def test_forms_have_to_agree_on_other_lengths_than_the_longest_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row alone is as long as it can be; what shorter rows do is seen on feeds of their own."""
    x, n = unroll.placeholder(["batch", 4, 3], "x"), unroll.placeholder(["batch"], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicRNNCell(2), x, sequence_length=n, dtype="float32")
    seen: list[list[int]] = []
    real = compiler.Trial

    def noting(graph: Any, writer: Any, feeds: Any, cache: Any) -> Any:
        seen.extend(sorted(fed["n"].tolist()) for fed in feeds)
        return real(graph, writer, feeds, cache)

    monkeypatch.setattr(compiler, "Trial", noting)
    compile(unroll.Graph([x, n], outputs), cache=False)
    assert seen[0] == [4]
    assert {0, 1, 2, 3, 4} == set(seen[1])


def test_sizes_at_which_was_measured_are_remembered_apart(tmp_path: Path) -> None:
    x = unroll.placeholder(["batch", "time", 3], "x")
    graph = unroll.Graph([x], unroll.ops.tanh(x))
    assert compile(graph, dims={"time": 5}, cache=tmp_path).choice.how == "measured"
    assert compile(graph, dims={"time": 5}, cache=tmp_path).choice.how == "cached"
    assert compile(graph, dims={"time": 6}, cache=tmp_path).choice.how == "measured"


@pytest.mark.slow
def test_what_was_measured_for_sizes_given_by_name_is_remembered(tmp_path: Path) -> None:
    graph = lstm_graph()
    first = unroll.compile(graph, dims={"batch": 2}, cache=tmp_path)
    assert first.choice.batch == 2
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.iterdir())
    again = unroll.compile(graph, dims={"batch": 2}, cache=tmp_path)  # a warning would be an error
    assert again.choice.form == first.choice.form
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.iterdir()) == before
    refused(lambda: unroll.compile(graph, batch=3, dims={"batch": 2}), ValueError, "batch is 3", "batch = 2")
