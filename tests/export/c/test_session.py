"""`compile(graph, target="c")`: run, bound and streamed as a Session is."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_running import needs_compiler
from helpers import Array, refused

import unroll
from unroll.errors import UnrollWarning

pytestmark = needs_compiler


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what is compiled is kept: one for all tests, so that each graph is compiled once."""
    return tmp_path_factory.mktemp("compiled")


def network(units: int = 5) -> tuple[unroll.BasicLSTMCell, unroll.Graph]:
    x = unroll.placeholder([None, 4, 3], "x")
    cell = unroll.BasicLSTMCell(units)
    outputs, state = unroll.dynamic_rnn(cell, x)
    return cell, unroll.Graph([x], {"y": outputs, "h": state.h})


def rows(batch: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(batch, 4, 3)).astype("float32")


def test_it_gives_numpys_numbers_for_every_batch(folder: Path) -> None:
    _, graph = network()
    session = unroll.compile(graph, "c", cache=folder)
    for batch in (1, 5):
        found, wanted = session.run({"x": rows(batch)}), graph.run({"x": rows(batch)})
        assert list(found) == ["y", "h"]
        np.testing.assert_allclose(found["y"], wanted["y"], atol=1e-6)
        np.testing.assert_allclose(found["h"], wanted["h"], atol=1e-6)


def test_outputs_are_fetched_by_name_and_by_tensor(folder: Path) -> None:
    _, graph = network()
    session = unroll.compile(graph, "c", batch=1, cache=folder)
    whole = session.run({"x": rows(1)})
    np.testing.assert_array_equal(session.run({"x": rows(1)}, "h"), whole["h"])
    np.testing.assert_array_equal(session.run({"x": rows(1)}, [graph.outputs[0]])[0], whole["y"])
    refused(lambda: session.run({"x": rows(1)}, "hh"), KeyError, "'hh'", "'h'")


def test_feeds_are_checked_as_a_session_checks_them(folder: Path) -> None:
    _, graph = network()
    session = unroll.compile(graph, "c", batch=1, cache=folder)
    refused(lambda: session.run({"x": np.zeros((1, 4, 2))}), ValueError, "'x'", "(1, 4, 2)")
    refused(lambda: session.run({}), ValueError, "'x'")


def test_bound_arrays_are_read_and_written_in_place(folder: Path) -> None:
    _, graph = network()
    bound = unroll.compile(graph, "c", batch=1, cache=folder).bind({"x": rows(1)})
    first = bound.run()["y"].copy()
    np.testing.assert_allclose(first, graph.run({"x": rows(1)})["y"], atol=1e-6)
    bound.inputs["x"][:] = rows(1, seed=1)
    np.testing.assert_allclose(bound.run()["y"], graph.run({"x": rows(1, seed=1)})["y"], atol=1e-6)


def test_refresh_takes_new_weights_without_a_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, graph = network()
    session = unroll.compile(graph, "c", batch=1, cache=folder)
    bound = session.bind({"x": rows(1)})
    cell.kernel.assign(cell.kernel.value * 2)
    cell.weights["bias"].assign(np.linspace(-1, 1, 20))
    assert session.stale == ["rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias"]
    with pytest.warns(UnrollWarning, match="session.refresh"):
        session.run({"x": rows(1)})
    monkeypatch.setenv("PATH", "")
    session.refresh()
    wanted = graph.run({"x": rows(1)})["y"]
    np.testing.assert_allclose(session.run({"x": rows(1)})["y"], wanted, atol=1e-6)
    np.testing.assert_allclose(bound.run()["y"], wanted, atol=1e-6)


def test_a_stream_carries_the_state(folder: Path) -> None:
    x, h = unroll.placeholder([None, 2], "x"), unroll.placeholder([None, 5], "h")
    output, new = unroll.GRUCell(5)(x, h)
    graph = unroll.Graph([x], {"y": output}, states={h: new})
    compiled, numpy = unroll.compile(graph, "c", cache=folder).stream(), graph.stream()
    for step in range(4):
        fed = {"x": np.full((3, 2), step / 4, "float32")}
        np.testing.assert_allclose(compiled.run(fed)["y"], numpy.run(fed)["y"], atol=1e-6)


def test_many_sequences_are_run_in_batches(folder: Path) -> None:
    _, graph = network()
    session = unroll.compile(graph, "c", cache=folder)
    found = [item["h"] for item in session.run_many([rows(1, seed)[0] for seed in range(5)], batch_size=5)]
    wanted = [graph.run({"x": rows(1, seed)})["h"][0] for seed in range(5)]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_threads_may_share_a_session(folder: Path) -> None:
    _, graph = network()
    session = unroll.compile(graph, "c", batch=1, cache=folder)
    wanted = {seed: graph.run({"x": rows(1, seed)})["y"] for seed in range(4)}
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for _ in range(200):
            if not np.allclose(session.run({"x": rows(1, seed)})["y"], wanted[seed], atol=1e-6):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("option", [{"form": "scan"}, {"tune": False}])
def test_what_is_said_to_onnxruntime_is_refused(option: dict[str, Any]) -> None:
    _, graph = network()
    refused(lambda: unroll.compile(graph, target="c", **option), ValueError, next(iter(option)), "onnxruntime")
