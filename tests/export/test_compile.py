"""`compile`: the right numbers from whatever it chooses, why it chose, and what it remembers. Nothing here asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused, run_python

import unroll
from unroll import Graph, UnrollWarning, ops
from unroll.export import compiler, tuning
from unroll.export.compiler import CompiledSession, compile


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measure as little as possible: what is chosen is not tested."""
    monkeypatch.setattr(tuning, "_BUDGET", 0.001)
    monkeypatch.setattr(tuning, "_BLOCK", 0.0001)
    yield


def lstm_graph(steps: int = 5) -> Graph:
    x = unroll.placeholder([None, steps, 3], "x")
    outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(4), x)
    return Graph([x], {"y": outputs, "c": state.c})


def feeds(batch: int = 2, steps: int = 5) -> dict[str, Array]:
    return {"x": np.random.default_rng(11).standard_normal((batch, steps, 3)).astype("float32")}


def agrees(session: unroll.Session, graph: Graph, tolerance: float = 1e-5) -> None:
    for batch in (1, 4):
        found, wanted = session.run(feeds(batch)), graph.run(feeds(batch))
        for name, array in wanted.items():
            np.testing.assert_allclose(found[name], array, rtol=0, atol=tolerance, err_msg=name)


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


# -- what it returns --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [None, "auto", "unrolled", "functions", "scan", "rerolled"])
@pytest.mark.parametrize("tune", [True, False])
def test_a_compiled_session_gives_numpys_numbers_at_any_batch(form: str | None, tune: bool) -> None:
    graph = lstm_graph()
    session = compile(graph, batch=3, tune=tune, form=form, cache=False)
    agrees(session, graph)
    assert form in (None, "auto") or session.choice.form.startswith(form)


def test_the_choice_is_a_table_of_every_form_that_was_tried() -> None:
    choice = compile(lstm_graph(), batch=3, cache=False).choice
    assert choice.how == "measured"
    assert choice.batch == 3
    assert {row.form for row in choice.candidates} == {"unrolled", "unrolled, optimized", "rerolled", "scan"}
    assert all(row.seconds and row.nodes and row.bytes for row in choice.candidates)
    assert all(row.difference is not None and row.difference < 1e-5 for row in choice.candidates)
    best = next(row for row in choice.candidates if (row.form, row.threads) == (choice.form, choice.threads))
    assert best.quick == min(row.quick for row in choice.candidates if row.quick is not None)
    lines = str(choice).splitlines()
    assert lines[0] == f"{choice.form}, measured at batch 3"
    assert len(lines) == 2 + len(choice.candidates)
    assert sum(line.endswith("chosen") for line in lines) == 1


def test_a_form_that_the_graph_cannot_take_is_a_row_that_says_why() -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = Graph([x], {"y": ops.tanh(x)})
    choice = compile(graph, cache=False).choice
    assert choice.form.startswith("unrolled")
    notes = {row.form: row.note for row in choice.candidates}
    assert "no steps of the graph can become one operator" in notes["rerolled"]
    assert notes["unrolled"] == ""


def test_without_tuning_nothing_is_measured_and_the_estimate_chooses() -> None:
    choice = compile(lstm_graph(), tune=False).choice
    assert choice.how == "estimated"
    assert choice.form == "rerolled"
    assert [row.seconds for row in choice.candidates] == [None]
    assert compile(lstm_graph(), tune=False, form="scan").choice.how == "asked for"


def test_a_form_that_is_wrong_is_never_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = unroll.to_onnx

    def wrong(graph: Graph, **options: Any) -> Any:
        model = right(graph, **options)
        if options.get("form") in ("rerolled", "scan"):
            for weight in model.graph.initializer:
                if weight.data_type == 1:
                    weight.raw_data = bytes(len(weight.raw_data))
        return model

    monkeypatch.setattr("unroll.export.compiler.to_onnx", wrong)
    graph = lstm_graph()
    session = compile(graph, cache=False)
    assert session.choice.form.startswith("unrolled")
    agrees(session, graph)
    notes = {row.form: row.note for row in session.choice.candidates}
    assert "differs from NumPy by more than 1e-05" in notes["rerolled"]


def fails_at(run: int, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make onnxruntime fail in the so-many-th run of a session of one form, and in all that follow."""

    class Failing:
        def __init__(self, session: Any) -> None:
            self.session, self.runs = session, 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self.session, name)

        def run(self, *given: Any) -> Any:
            self.runs += 1
            if self.runs >= run:
                raise RuntimeError("out of luck")
            return self.session.run(*given)

    made = CompiledSession._start

    def start(self: CompiledSession, *given: Any) -> None:
        made(self, *given)
        if self.choice.form.startswith(form):
            self._session = Failing(self._session)

    monkeypatch.setattr(CompiledSession, "_start", start)


@pytest.mark.parametrize("run", [1, 2, 3, 6])
def test_a_form_that_fails_while_it_is_checked_or_measured_is_a_row_that_says_why(
    run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at(run, "rerolled", monkeypatch)
    graph = lstm_graph()
    session = compile(graph, cache=False)
    assert session.choice.form != "rerolled"
    agrees(session, graph)
    rows = [row for row in session.choice.candidates if row.form == "rerolled"]
    assert rows
    for row in rows:
        assert "onnxruntime failed while running: out of luck" in row.note
        assert row.seconds is None


def test_where_every_form_fails_there_is_none_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_at(2, "", monkeypatch)
    refused(lambda: compile(lstm_graph(), cache=False), NotImplementedError, "rerolled, scan, unrolled", "out of luck")


def test_sequence_lengths_and_several_inputs_compile() -> None:
    x, n = unroll.placeholder([None, 5, 3], "x"), unroll.placeholder([None], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(unroll.GRUCell(4), x, sequence_length=n)
    graph = Graph([x, n], {"y": outputs})
    session = compile(graph, batch=2, cache=False)
    fed = feeds(3) | {"n": np.array([5, 0, 2], "int32")}
    np.testing.assert_allclose(session.run(fed, "y"), graph.run(fed, "y"), rtol=0, atol=1e-5)


# -- staleness --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["unrolled", "rerolled", "scan"])
def test_a_compiled_session_knows_that_it_is_stale_and_refreshes_in_its_form(form: str) -> None:
    graph = lstm_graph()
    session = compile(graph, form=form, cache=False)
    chosen = session.choice
    graph.parameters["rnn/basic_lstm_cell/kernel"].assign(np.full((7, 16), 0.1))
    assert session.stale == ["rnn/basic_lstm_cell/kernel"]
    with pytest.warns(UnrollWarning, match="refresh"):
        session.run(feeds())
    session.refresh()
    assert session.stale == []
    assert session.choice is chosen
    agrees(session, graph)


# -- fewer bits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tune", [True, False])
@pytest.mark.parametrize(("options", "most"), [({"quantize": "int8"}, 0.1), ({"dtype": "float16"}, 0.01)])
def test_fewer_bits_say_what_they_lost(options: dict[str, Any], most: float, tune: bool) -> None:
    graph = lstm_graph()
    session = compile(graph, tune=tune, cache=False, **options)
    assert session.choice.lost is not None
    assert 0 < session.choice.lost < most
    assert "lost on random feeds" in str(session.choice)
    agrees(session, graph, most)
    assert [item.dtype for item in session.run(feeds()).values()] == [np.float32] * 2
    assert compile(graph, tune=tune, cache=False).choice.lost is None


def test_int8_weights_take_fewer_bytes() -> None:
    x = unroll.placeholder([None, 4, 64], "x")
    graph = Graph([x], unroll.dynamic_rnn(unroll.BasicLSTMCell(64), x)[0])
    full, small = (compile(graph, form="rerolled", tune=False, quantize=kind).size[1] for kind in (None, "int8"))
    assert small < full / 2


@pytest.mark.parametrize("tune", [True, False])
@pytest.mark.parametrize("options", [{"quantize": "int8"}, {"dtype": "float16"}])
@pytest.mark.parametrize("form", [None, "unrolled", "functions", "rerolled"])
def test_fewer_bits_are_refused_where_nothing_is_float32(options: dict[str, Any], tune: bool, form: str | None) -> None:
    x = unroll.placeholder([None, 4, 3], "x", "float64")
    graph = Graph([x], unroll.dynamic_rnn(unroll.GRUCell(4), x, dtype="float64")[0])
    asked = partial(compile, graph, form=form, tune=tune, cache=False, **options)
    message = refused(asked, NotImplementedError, *options.values(), "float64", "Make the graph of float32")
    assert "int64" not in message


@pytest.mark.parametrize(
    ("form", "fragments"), [("rerolled", ("GRU", "form='unrolled'")), ("functions", ("functions", "another form"))]
)
def test_int8_weights_are_refused_where_the_tool_finds_no_product(form: str, fragments: tuple[str, ...]) -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    graph = Graph([x], unroll.layers.GRU(4, unroll=True)(x))
    asked = partial(compile, graph, form=form, tune=False, cache=False, quantize="int8")
    refused(asked, NotImplementedError, "int8: no product was quantised", *fragments)


def test_int8_is_chosen_of_the_forms_that_have_it() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    choice = compile(Graph([x], unroll.layers.GRU(4, unroll=True)(x)), cache=False, quantize="int8").choice
    assert choice.form != "rerolled"
    assert choice.lost is not None
    assert choice.lost > 1e-5
    assert "leaves GRU as it is" in {row.form: row.note for row in choice.candidates}["rerolled"]


# -- the cache --------------------------------------------------------------------------------------------------------


def test_a_second_call_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compile(lstm_graph(), cache=tmp_path)
    assert len(entries(tmp_path)) == 1
    monkeypatch.setattr(tuning, "measured_seconds", lambda runs: pytest.fail("measured again"))
    second = compile(lstm_graph(), cache=tmp_path)
    assert second.choice == first.choice._replace(how="cached")
    agrees(second, lstm_graph())


def test_other_content_or_settings_are_measured_anew(tmp_path: Path) -> None:
    graph = lstm_graph()
    compile(graph, cache=tmp_path)
    compile(graph, batch=2, cache=tmp_path)
    compile(graph, form="scan", cache=tmp_path)
    compile(graph, dtype="float16", cache=tmp_path)
    graph.parameters["rnn/basic_lstm_cell/bias"].assign(np.ones(16))
    compile(graph, cache=tmp_path)
    assert len(entries(tmp_path)) == 5


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
    agrees(session, graph)
    assert compile(graph, cache=tmp_path).choice.how == "cached"


def test_an_entry_of_no_text_is_rebuilt_too(tmp_path: Path) -> None:
    compile(lstm_graph(), cache=tmp_path)
    (path,) = entries(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.warns(UnrollWarning, match="tuning cache cannot be used"):
        assert compile(lstm_graph(), cache=tmp_path).choice.how == "measured"


def test_a_cache_that_cannot_be_written_is_warned_of_and_the_session_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UnrollWarning, match="tuning cache cannot be written"):
        session = compile(lstm_graph(), cache=tmp_path / "file" / "inner")
    agrees(session, lstm_graph())


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


def test_nothing_is_written_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compile(lstm_graph(), cache=False)
    compile(lstm_graph(), tune=False)
    assert entries(tmp_path) == []


def test_the_same_program_finds_its_entry_in_another_process(tmp_path: Path) -> None:
    program = TUNE.replace("range(6)", "range(1)").replace(".choice.form", ".choice.how")
    assert run_python(program, str(tmp_path)) == "measured\n"
    assert run_python(program, str(tmp_path)) == "cached\n"


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"target": "tensorrt"}, ("'tensorrt'", "'onnxruntime'")),
        ({"form": "flat"}, ("'flat'", "'unrolled'", "'functions'", "'scan'", "'rerolled'", "'auto'")),
        ({"dtype": "float8"}, ("'float8'", "'float16'")),
        ({"quantize": "int4"}, ("'int4'", "'int8'")),
        ({"dtype": "float16", "quantize": "int8"}, ("choose one",)),
        ({"batch": 0}, ("batch 0",)),
        ({"batch": True}, ("batch True",)),
        ({"batch": 2.0}, ("batch 2.0",)),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(options: dict[str, Any], seen: tuple[str, ...]) -> None:
    refused(lambda: compile(lstm_graph(), cache=False, **options), ValueError, *seen)


def test_other_things_than_graphs_are_refused() -> None:
    model: Any = unroll.to_onnx(lstm_graph())
    refused(lambda: compile(model), TypeError, "a Graph is wanted", "ModelProto")
    refused(lambda: compile(lstm_graph(), cache=3), TypeError, "cache", "3")


def test_a_form_asked_for_that_the_graph_cannot_take_is_an_error() -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = Graph([x], {"y": ops.tanh(x)})
    for tune in (True, False):
        asked = partial(compile, graph, form="scan", tune=tune, cache=False)
        refused(asked, NotImplementedError, "no steps")


def test_a_compiled_session_is_a_session() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session = compile(lstm_graph(), tune=False)
    assert isinstance(session, CompiledSession)
    assert isinstance(session, unroll.Session)
    assert [spec.name for spec in session.inputs] == ["x"]
    assert session.output_names == ("y", "c")


# -- sizes ------------------------------------------------------------------------------------------------------------


def _measured_shapes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, tuple[int, ...]]]:
    """Note the shapes of everything that is measured."""
    seen: list[dict[str, tuple[int, ...]]] = []
    real = compiler._Trial

    def noting(graph: Any, writer: Any, feeds: Any) -> Any:
        seen.extend({name: array.shape for name, array in fed.items()} for fed in feeds)
        return real(graph, writer, feeds)

    monkeypatch.setattr(compiler, "_Trial", noting)
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
    real = compiler._Trial

    def noting(graph: Any, writer: Any, feeds: Any) -> Any:
        seen.extend(sorted(fed["n"].tolist()) for fed in feeds)
        return real(graph, writer, feeds)

    monkeypatch.setattr(compiler, "_Trial", noting)
    compile(unroll.Graph([x, n], outputs), cache=False)
    assert seen[0] == [4]
    assert {0, 1, 2, 3, 4} == set(seen[1])


def test_sizes_at_which_was_measured_are_remembered_apart(tmp_path: Path) -> None:
    x = unroll.placeholder(["batch", "time", 3], "x")
    graph = unroll.Graph([x], unroll.ops.tanh(x))
    assert compile(graph, dims={"time": 5}, cache=tmp_path).choice.how == "measured"
    assert compile(graph, dims={"time": 5}, cache=tmp_path).choice.how == "cached"
    assert compile(graph, dims={"time": 6}, cache=tmp_path).choice.how == "measured"


def test_what_was_measured_for_sizes_given_by_name_is_remembered(tmp_path: Path) -> None:
    graph = lstm_graph()
    first = unroll.compile(graph, dims={"batch": 2}, cache=tmp_path)
    assert first.choice.batch == 2
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.iterdir())
    again = unroll.compile(graph, dims={"batch": 2}, cache=tmp_path)  # a warning would be an error
    assert again.choice.form == first.choice.form
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.iterdir()) == before
    refused(lambda: unroll.compile(graph, batch=3, dims={"batch": 2}), ValueError, "batch is 3", "batch = 2")
