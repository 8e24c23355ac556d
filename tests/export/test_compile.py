"""`compile`: the right numbers from whatever it chooses, and why it chose. Nothing here asserts a time."""

from __future__ import annotations

import re
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
from compiled_programs import check_agrees, feeds, lstm_graph
from helpers import refused

import unroll
from unroll import Graph, UnrollWarning, ops
from unroll.export.choice import Candidate, Choice, in_milliseconds
from unroll.export.compiler import CompiledSession, compile

pytestmark = pytest.mark.usefixtures("measuring_little")


# -- what it returns ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("form", [None, "auto", "unrolled", "functions", "scan", "rerolled"])
@pytest.mark.parametrize("tune", [True, False])
def test_a_compiled_session_gives_numpys_numbers_at_any_batch(form: str | None, tune: bool) -> None:
    graph = lstm_graph()
    session = compile(graph, batch=3, tune=tune, form=form, cache=False)
    check_agrees(session, graph)
    assert form in (None, "auto") or session.choice.form.startswith(form)


@pytest.mark.slow
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
    columns = ["form", "threads", "ms", "nodes", "bytes", "error"]
    assert lines[1].split() == columns
    assert sum(line.endswith("chosen") for line in lines) == 1
    row = next(line for line in lines if line.endswith("chosen"))
    assert float(re.split(r"  +", row)[2]) == pytest.approx(best.quick * 1e3, rel=0.006)
    explained = "\n".join(lines[3 + len(choice.candidates) :])
    assert all(re.search(rf"\b{column}\b", explained) for column in columns[1:])
    assert "milliseconds" in explained


def test_a_choice_fits_a_narrow_terminal() -> None:
    rows = [
        Candidate("unrolled, optimized", None, 12.5, 3.214e-4, 1234, 56789, 1e-9),
        Candidate("scan", note="no loop " * 20),
    ]
    choice = Choice("unrolled, optimized", None, "measured", 1, tuple(rows))
    lines = choice.table(60).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("----"))
    last = next(place for place, line in enumerate(lines) if line.startswith("ms: "))
    assert max(map(len, lines[first - 1 : last])) <= 60
    assert re.split("  +", choice.table().splitlines()[3])[1:] == [
        "all",
        "0.321",
        "1,234",
        "56,789",
        "1.0e-09",
        "chosen",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"), [(2.5e-8, "0.000025"), (3.214e-4, "0.321"), (0.01, "10"), (0.12345, "123"), (61.5, "61,500")]
)
def test_times_are_milliseconds_to_read(seconds: float, said: str) -> None:
    assert in_milliseconds(seconds) == said


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


@pytest.mark.slow
def test_a_form_that_is_wrong_is_never_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = unroll.to_onnx

    def wrong(graph: Graph, **options: Any) -> Any:
        model = right(graph, **options)
        if options.get("form") in ("rerolled", "scan"):
            for weight in model.graph.initializer:
                if weight.data_type == 1:
                    weight.raw_data = bytes(len(weight.raw_data))
        return model

    monkeypatch.setattr("unroll.export.compiled.to_onnx", wrong)
    graph = lstm_graph()
    session = compile(graph, cache=False)
    assert session.choice.form.startswith("unrolled")
    check_agrees(session, graph)
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


@pytest.mark.slow
@pytest.mark.parametrize("run", [1, 2, 3, 6])
def test_a_form_that_fails_while_it_is_checked_or_measured_is_a_row_that_says_why(
    run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at(run, "rerolled", monkeypatch)
    graph = lstm_graph()
    session = compile(graph, cache=False)
    assert session.choice.form != "rerolled"
    check_agrees(session, graph)
    rows = [row for row in session.choice.candidates if row.form == "rerolled"]
    assert rows
    for row in rows:
        assert "onnxruntime failed while running: out of luck" in row.note
        assert row.seconds is None


@pytest.mark.slow
def test_where_every_form_fails_there_is_none_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_at(2, "", monkeypatch)
    refused(lambda: compile(lstm_graph(), cache=False), NotImplementedError, "rerolled, scan, unrolled", "out of luck")


@pytest.mark.slow
def test_sequence_lengths_and_several_inputs_compile() -> None:
    x, n = unroll.placeholder([None, 5, 3], "x"), unroll.placeholder([None], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(unroll.GRUCell(4), x, sequence_length=n)
    graph = Graph([x, n], {"y": outputs})
    session = compile(graph, batch=2, cache=False)
    fed = feeds(3) | {"n": np.array([5, 0, 2], "int32")}
    np.testing.assert_allclose(session.run(fed, "y"), graph.run(fed, "y"), rtol=0, atol=1e-5)


# -- staleness ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
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
    check_agrees(session, graph)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"target": "tensorrt"}, ("'tensorrt'", "'onnxruntime'")),
        ({"form": "flat"}, ("'flat'", "'unrolled'", "'functions'", "'scan'", "'rerolled'", "'auto'")),
        ({"dtype": "float8"}, ("'float8'", "'float16'")),
        ({"quantize": "int4"}, ("'int4'", "'int8'")),
        ({"dtype": "float16", "quantize": "int8"}, ("choose one",)),
        ({"batch": 0}, ("batch is 0",)),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(options: dict[str, Any], seen: tuple[str, ...]) -> None:
    refused(lambda: compile(lstm_graph(), cache=False, **options), ValueError, *seen)


def test_other_things_than_graphs_are_refused() -> None:
    model: Any = unroll.to_onnx(lstm_graph())
    refused(lambda: compile(model), TypeError, "a Graph is wanted", "ModelProto")
    refused(lambda: compile(lstm_graph(), cache=3), TypeError, "cache", "3")
    refused(lambda: compile(lstm_graph(), batch=True), TypeError, "batch is True")
    refused(lambda: compile(lstm_graph(), batch=2.0), TypeError, "batch is 2.0")  # type: ignore[arg-type]


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
