"""Running in onnxruntime: what can be fed and fetched, and when a snapshot is out of date."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import refused
from session_programs import FEEDS, Y0, Y1, is_right, session, two_steps

import unroll
from unroll import BasicLSTMCell, Graph, Session, UnrollWarning, static_rnn

# -- feeding and fetching ----------------------------------------------------------------------------------------------


def test_a_session_gives_the_textbook_values(kind: str, tmp_path: Path) -> None:
    made = session(two_steps(), kind, tmp_path)
    assert made.output_names == ("y0", "y1")
    assert [(spec.name, str(spec.shape), spec.dtype) for spec in made.inputs] == [
        ("X0", "(batch, 3)", np.float32),
        ("X1", "(batch, 3)", np.float32),
    ]
    assert is_right(made.run(FEEDS))


def test_feeds_go_by_name_or_placeholder_in_any_order() -> None:
    graph = two_steps()
    x0, x1 = graph.inputs
    for feeds in (
        {"X1": FEEDS["X1"], "X0": FEEDS["X0"]},
        {x0: FEEDS["X0"], x1: FEEDS["X1"]},
        {x1: FEEDS["X1"], **FEEDS},
    ):
        if len(feeds) == 2:
            assert is_right(Session(graph).run(feeds))
        else:
            refused(lambda feeds=feeds: Session(graph).run(feeds), ValueError, "'X1' twice")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "list"])
def test_arrays_of_other_dtypes_and_lists_are_cast(kind: str, dtype: str, tmp_path: Path) -> None:
    fed: Any = [[0, 1, 0], [1, 0, 1]]
    fed = fed if dtype == "list" else np.array(fed, dtype)
    found = session(two_steps(), kind, tmp_path).run({"X0": fed, "X1": fed}, "y0")
    np.testing.assert_allclose(found, np.tanh([[1] * 5, [2] * 5]), atol=1e-6)


def test_arrays_need_not_be_contiguous() -> None:
    fed = np.arange(12, dtype="float32").reshape(3, 4).T[::2] / 100  # [[0, 4, 8], [2, 6, 10]] / 100
    found = Session(two_steps()).run({"X0": fed, "X1": fed}, "y0")
    np.testing.assert_allclose(found, np.tanh([[0.12] * 5, [0.18] * 5]), atol=1e-6)


def test_fetches_choose_outputs_and_their_order(kind: str, tmp_path: Path) -> None:
    made = session(two_steps(), kind, tmp_path)
    listed = made.run(FEEDS, ["y1", "y0", "y1"])
    assert [round(float(array[0, 0]), 5) for array in listed] == [round(y, 5) for y in (Y1, Y0, Y1)]
    one = made.run(FEEDS, "y1")
    assert np.array_equal(one, listed[0])
    assert np.array_equal(made.run(FEEDS, "y1:0"), one)


def test_fetching_nothing_gives_nothing() -> None:
    assert two_steps().run(FEEDS, []) == []
    assert Session(two_steps()).run(FEEDS, []) == []


def test_a_session_of_a_graph_is_fetched_by_tensor_too() -> None:
    graph = two_steps()
    y0, y1 = graph.outputs
    assert float(Session(graph).run(FEEDS, y0)[0, 0]) == pytest.approx(Y0, abs=1e-6)
    assert [float(array[0, 0]) for array in Session(graph).run(FEEDS, [y1, "y0"])] == pytest.approx([Y1, Y0], abs=1e-6)


def test_a_session_of_a_model_has_no_tensors_to_fetch_by() -> None:
    graph = two_steps()
    made = Session(unroll.to_onnx(graph))
    refused(lambda: made.run(FEEDS, graph.outputs[0]), TypeError, "fetch by name")


def test_fetching_an_inner_tensor_is_refused_with_the_fix() -> None:
    graph = two_steps()
    inner = graph.nodes[-1].inputs[0]
    for fetch in (inner, [inner], graph.name(inner)):  # type: ignore[arg-type]
        refused(lambda fetch=fetch: Session(graph).run(FEEDS, fetch), KeyError, "Graph(outputs=...)", "graph.run", "y0")
    refused(lambda: Session(graph).run(FEEDS, "z"), KeyError, "'z'", "'y0', 'y1'")
    not_a_name: Any = 3
    refused(lambda: Session(graph).run(FEEDS, [not_a_name]), TypeError, "3", "neither a tensor nor a name")


def test_what_is_returned_is_the_callers_own() -> None:
    made = Session(two_steps())
    first = made.run(FEEDS)
    first["y0"][:] = 7
    assert is_right(made.run(FEEDS))


# -- a session is a snapshot -------------------------------------------------------------------------------------------


def test_a_session_whose_parameters_have_changed_says_so_and_can_refresh() -> None:
    graph = two_steps()
    made = Session(graph)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert made.stale == []
        made.run(FEEDS)
    graph.assign({"rnn/basic_rnn_cell/bias": [0.5] * 5})
    assert made.stale == ["rnn/basic_rnn_cell/bias"]
    with pytest.warns(UnrollWarning, match=r"rnn/basic_rnn_cell/bias.*refresh") as caught:
        assert is_right(made.run(FEEDS)), "it goes on with the old values"
    assert [Path(item.filename).name for item in caught] == [Path(__file__).name], "the warning points at the caller"
    made.refresh()
    assert made.stale == []
    assert float(made.run(FEEDS)["y0"][0, 0]) == pytest.approx(np.tanh(0.8), abs=1e-6)


def test_every_changed_parameter_is_named() -> None:
    x = [unroll.placeholder([None, 2], "x")]
    cell = BasicLSTMCell(3)
    made = Session(Graph(x, static_rnn(cell, x)[0]))
    cell.bias.assign(cell.bias.value)
    cell.kernel.assign(cell.kernel.value)
    assert sorted(made.stale) == ["rnn/basic_lstm_cell/bias", "rnn/basic_lstm_cell/kernel"]


def test_a_session_of_a_model_is_never_stale_and_cannot_refresh() -> None:
    graph = two_steps()
    made = Session(unroll.to_onnx(graph))
    graph.assign({"rnn/basic_rnn_cell/bias": [0.5] * 5})
    assert made.stale == []
    assert is_right(made.run(FEEDS))
    refused(made.refresh, NotImplementedError, "model", "new Session")
