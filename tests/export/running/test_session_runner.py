"""The runner: large graphs, runs without copies, many sequences at once. What is promised, never how fast it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from helpers import Array, refused, step_inputs

import unroll
from unroll import Graph, Session, UnrollWarning, ops
from unroll.export.running import session_options
from unroll.export.running.session_batches import run_many
from unroll.export.running.session_options import disabled_optimizers, options_for, threads_for


def lstm_graph(steps: int = 5, units: int = 4) -> Graph:
    x = unroll.placeholder([None, steps, 3], "x")
    outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(units), x)
    return Graph([x], {"y": outputs, "c": state.c})


def draw(*shape: int) -> Array:
    return np.random.default_rng(5).standard_normal(shape).astype("float32")


# -- how a session is made --------------------------------------------------------------------------------------------


def test_a_session_takes_the_options_of_to_onnx() -> None:
    graph = lstm_graph()
    fed = {"x": draw(2, 5, 3)}
    for options in ({"form": "scan"}, {"form": "functions"}, {"optimized": True, "batch": 2}, {"opset": 18}):
        found = Session(graph, **options).run(fed)
        for name, wanted in graph.run(fed).items():
            np.testing.assert_allclose(found[name], wanted, rtol=0, atol=1e-6)
    refused(lambda: Session(graph, form="flat"), ValueError, "'flat'", "'unrolled'")
    refused(lambda: Session(unroll.to_onnx(graph), form="scan"), TypeError, "form", "a model already")


def test_refreshing_keeps_the_form() -> None:
    graph = lstm_graph()
    session = Session(graph, form="scan")
    graph.parameters["rnn/basic_lstm_cell/bias"].assign(np.ones(16))
    session.refresh()
    fed = {"x": draw(2, 5, 3)}
    np.testing.assert_allclose(session.run(fed, "y"), graph.run(fed, "y"), rtol=0, atol=1e-6)


def test_a_graph_of_small_operators_runs_on_one_thread_and_one_of_large_ones_on_all() -> None:
    assert threads_for(lstm_graph(units=13)) == 1
    assert threads_for(lstm_graph(units=512)) is None
    assert threads_for(lstm_graph(units=64), batch=1) == 1
    assert threads_for(lstm_graph(units=64), batch=512) is None
    assert options_for(unroll.to_onnx(lstm_graph()), 1).intra_op_num_threads == 1


def test_a_process_that_may_run_on_fewer_cores_starts_no_more_threads_than_these(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = unroll.to_onnx(lstm_graph(units=512))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for allowed, threads in (({3}, 1), ({1, 2, 5}, 3), (set(range(8)), 0)):  # 0: onnxruntime's own choice, all cores
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, allowed=allowed: allowed, raising=False)
        assert options_for(model).intra_op_num_threads == threads


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small graphs be loaded as large ones are."""
    monkeypatch.setattr(session_options, "MANY_NODES", 1)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("steps", [6, 7, 30, 36, 49])
@pytest.mark.parametrize("opset", [13, 18])
def test_a_graph_that_is_loaded_as_large_gives_the_same_numbers(steps: int, opset: int) -> None:
    graph = lstm_graph(steps)
    fed = {"x": draw(2, steps, 3)}
    session = Session(graph, opset=opset)
    for name, wanted in graph.run(fed).items():
        np.testing.assert_allclose(session.run(fed, name), wanted, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("everything_is_large")
def test_pieces_that_nothing_else_reads_are_still_made() -> None:
    x = unroll.placeholder([None, 12], "x")
    graph = Graph([x], {f"y{place}": piece for place, piece in enumerate(ops.split(x, 12, 1))})
    fed = {"x": draw(2, 12)}
    for name, wanted in graph.run(fed).items():
        assert np.array_equal(Session(graph).run(fed, name), wanted)


def test_small_models_are_loaded_as_onnxruntime_does() -> None:
    model = unroll.to_onnx(lstm_graph())
    assert options_for(model).enable_mem_reuse
    assert disabled_optimizers(model) == []


def test_the_size_of_a_model_counts_what_its_functions_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = lstm_graph(10)
    nodes = len(unroll.to_onnx(graph).graph.node)
    monkeypatch.setattr(session_options, "MANY_NODES", nodes)
    assert not options_for(unroll.to_onnx(graph, form="functions")).enable_mem_reuse
    monkeypatch.setattr(session_options, "MANY_NODES", nodes + 1)
    assert options_for(unroll.to_onnx(graph, form="functions")).enable_mem_reuse


@pytest.mark.usefixtures("everything_is_large")
def test_large_models_are_loaded_without_what_grows_too_fast_for_them() -> None:
    model = unroll.to_onnx(lstm_graph())
    assert not options_for(model).enable_mem_reuse
    assert "AttentionFusion" in disabled_optimizers(model)
    model.graph.node.add(op_type="Softmax", input=["x"], output=["s"])  # for which there are optimisers
    assert disabled_optimizers(model) == []


@pytest.mark.usefixtures("everything_is_large")
def test_options_of_ones_own_are_used_as_they_are() -> None:
    options = ort.SessionOptions()
    session = Session(lstm_graph(30), options)
    assert session._session.get_session_options().enable_mem_reuse
    assert session.run({"x": draw(1, 30, 3)}, "c").shape == (1, 4)


# -- binding ----------------------------------------------------------------------------------------------------------


def test_a_bound_run_reads_and_writes_the_same_arrays_again_and_again() -> None:
    graph = lstm_graph()
    bound = Session(graph).bind({"x": draw(2, 5, 3)})
    y = bound.outputs["y"]
    np.testing.assert_allclose(bound.run()["y"], graph.run({"x": draw(2, 5, 3)}, "y"), atol=1e-6)
    bound.inputs["x"][:] = 0.5
    assert bound.run()["y"] is y
    np.testing.assert_allclose(y, graph.run({"x": np.full((2, 5, 3), 0.5)}, "y"), atol=1e-6)


def test_what_is_fed_to_a_bound_run_is_copied_and_checked() -> None:
    graph = lstm_graph()
    x = graph.inputs[0]
    fed = draw(2, 5, 3)
    bound = Session(graph).bind({x: fed})
    assert not np.shares_memory(bound.inputs["x"], fed)
    for key in (x, "x", "x:0"):
        bound.feed({key: np.ones((2, 5, 3))})
        assert np.all(bound.inputs["x"] == 1)
        bound.inputs["x"][:] = 0
    refused(
        lambda: bound.feed({"x": np.ones((3, 5, 3))}), ValueError, "(3, 5, 3)", "(2, 5, 3) is bound", "session.bind"
    )
    refused(lambda: bound.feed({"z": 1}), ValueError, "'z'")
    not_a_dict: Any = [fed]
    refused(lambda: bound.feed(not_a_dict), TypeError, "feeds", "list")
    refused(lambda: bound.feed({"x": np.ones((2, 5, 3), complex)}), TypeError, "complex")
    refused(lambda: Session(graph).bind({}), ValueError, "'x'")


def test_the_arrays_of_a_bound_run_cannot_be_replaced_unnoticed() -> None:
    bound: Any = Session(lstm_graph()).bind({"x": draw(2, 5, 3)})
    for given, name in ((bound.inputs, "x"), (bound.outputs, "y"), (bound.run(), "y")):
        with pytest.raises(TypeError):
            given[name] = np.zeros((2, 5, 3), "float32")
    for name in ("inputs", "outputs"):
        with pytest.raises(AttributeError):
            setattr(bound, name, {})


def test_what_docstrings_refer_to_is_there() -> None:
    from unroll import export

    session = Session(lstm_graph())
    assert isinstance(session.bind({"x": draw(2, 5, 3)}), export.Bound)
    assert export.run_many is unroll.run_many


def test_binding_takes_every_dtype_and_several_inputs() -> None:
    kinds = ("float16", "float32", "float64", "int32", "int64", "bool")
    inputs = [unroll.placeholder([None, 2], kind, kind) for kind in kinds]
    graph = Graph(inputs, {f"{item.name}_too": ops.concat([item, item], 1) for item in inputs})
    fed = {kind: np.array([[0, 1], [1, 0]], kind) for kind in kinds}
    bound = Session(graph).bind(fed)
    for name, wanted in graph.run(fed).items():
        assert bound.run()[name].dtype == wanted.dtype
        assert np.array_equal(bound.outputs[name], wanted)


def test_arrays_that_are_not_contiguous_can_be_bound() -> None:
    graph = lstm_graph()
    fed = draw(3, 5, 2).T  # (2, 5, 3)
    np.testing.assert_allclose(Session(graph).bind({"x": fed}).run()["y"], graph.run({"x": fed}, "y"), atol=1e-6)


def test_a_bound_run_is_warned_of_new_values_and_takes_them_after_a_refresh() -> None:
    graph = lstm_graph()
    session = Session(graph)
    bound = session.bind({"x": draw(2, 5, 3)})
    graph.parameters["rnn/basic_lstm_cell/bias"].assign(np.ones(16))
    with pytest.warns(UnrollWarning, match="refresh"):
        bound.run()
    session.refresh()
    np.testing.assert_allclose(bound.run()["y"], graph.run({"x": draw(2, 5, 3)}, "y"), atol=1e-6)


# -- many sequences ---------------------------------------------------------------------------------------------------


def graph_with_lengths(steps: int, time_major: bool = False) -> Graph:
    x = unroll.placeholder([steps, None, 3] if time_major else [None, steps, 3], "x")
    n = unroll.placeholder([x.shape[1 if time_major else 0]], "n", "int32")
    with unroll.scope("net", seed=1):
        outputs, state = unroll.dynamic_rnn(unroll.GRUCell(4), x, sequence_length=n, time_major=time_major)
    return Graph([x, n], {"y": outputs, "h": state})


def sequences(*lengths: int) -> list[Array]:
    generator = np.random.default_rng(2)
    return [generator.standard_normal((length, 3)).astype("float32") for length in lengths]


LENGTHS = (3, 6, 1, 0, 2, 6, 5, 4, 3, 2)


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize(("batch_size", "window"), [(32, 1024), (4, 5), (1, 1), (3, 100)])
def test_many_sequences_give_what_each_gives_alone_in_their_order(
    time_major: bool, batch_size: int, window: int
) -> None:
    graph = graph_with_lengths(6, time_major)
    listed = sequences(*LENGTHS)
    found = list(Session(graph).run_many(iter(listed), batch_size=batch_size, window=window))
    assert len(found) == len(listed)
    for item, result in zip(listed, found, strict=True):
        padded = np.zeros((1, 6, 3), "float32")
        padded[0, : len(item)] = item
        alone = graph.run({"x": padded.swapaxes(0, 1) if time_major else padded, "n": [len(item)]})
        np.testing.assert_allclose(result["h"], alone["h"][0], rtol=0, atol=1e-6)
        np.testing.assert_allclose(result["y"], alone["y"][:, 0] if time_major else alone["y"][0], rtol=0, atol=1e-6)
        assert not result["y"][len(item) :].any()


@pytest.mark.slow
def test_of_several_sessions_the_shortest_that_fits_runs_a_sequence() -> None:
    sessions = [Session(graph_with_lengths(steps)) for steps in (8, 2, 4)]
    found = list(run_many(sessions, sequences(1, 2, 3, 4, 5, 8)))
    assert [len(result["y"]) for result in found] == [2, 2, 4, 4, 8, 8]
    alone = [next(Session(graph_with_lengths(8)).run_many([item])) for item in sequences(1, 2, 3, 4, 5, 8)]
    for result, wanted in zip(found, alone, strict=True):
        np.testing.assert_allclose(result["h"], wanted["h"], rtol=0, atol=1e-6)


def test_sessions_without_lengths_take_sequences_of_exactly_their_steps() -> None:
    sessions = [Session(lstm_graph(steps)) for steps in (2, 3)]
    assert [result["y"].shape for result in run_many(sessions, sequences(3, 2, 3))] == [(3, 4), (2, 4), (3, 4)]
    refused(lambda: list(run_many(sessions, sequences(1))), ValueError, "sequence 0 has 1 steps", "exactly 2, 3")


def test_a_session_with_an_input_a_step_takes_sequences_too() -> None:
    inputs = step_inputs(3, 3)
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(4), inputs)
    graph = Graph(inputs, {"last": outputs[-1]})
    (item,) = sequences(3)
    (found,) = Session(graph).run_many([item])
    wanted = graph.run({f"X{step}": item[None, step] for step in range(3)}, "last")
    np.testing.assert_allclose(found["last"], wanted[0], rtol=0, atol=1e-6)
    again = next(Session(graph).run_many([item], input=list(inputs)))
    assert np.array_equal(again["last"], found["last"])


def test_other_inputs_of_a_sequence_come_in_a_dict() -> None:
    x, extra = unroll.placeholder([None, 3, 3], "x"), unroll.placeholder([None, 2], "extra")
    _, state = unroll.dynamic_rnn(unroll.BasicRNNCell(2), x)
    graph = Graph([x, extra], {"sum": state + extra})
    items = [{"x": item, "extra": np.full(2, place)} for place, item in enumerate(sequences(3, 3))]
    found = list(Session(graph).run_many(items))
    alone = [graph.run({"x": item["x"][None], "extra": item["extra"][None]})["sum"][0] for item in items]
    np.testing.assert_allclose([result["sum"] for result in found], alone, rtol=0, atol=1e-6)
    session = Session(graph)
    refused(lambda: list(session.run_many(sequences(3))), ValueError, "sequence 0 lacks 'extra'")
    refused(lambda: list(session.run_many([items[0] | {"z": 1}])), ValueError, "sequence 0 holds 'z'")


def test_sequences_are_read_only_as_far_as_a_window_needs() -> None:
    read: list[int] = []

    def generator() -> Iterator[Array]:
        for place, item in enumerate(sequences(*[4] * 10)):
            read.append(place)
            yield item

    results = Session(graph_with_lengths(4)).run_many(generator(), window=3)
    assert read == []
    next(results)
    assert read == [0, 1, 2]
    assert len(list(results)) == 9


def test_no_sequences_give_no_results() -> None:
    assert list(Session(graph_with_lengths(4)).run_many([])) == []


def test_what_cannot_be_a_sequence_is_refused() -> None:
    session = Session(graph_with_lengths(4))
    refused(lambda: list(session.run_many(sequences(2, 9))), ValueError, "sequence 1 has 9 steps", "up to 4")
    refused(lambda: list(session.run_many([np.ones((2, 5))])), ValueError, "sequence 0", "(2, 5)", "(time, 3)")
    refused(lambda: list(session.run_many([np.ones((2, 3), complex)])), TypeError, "sequence 0", "complex")
    refused(lambda: list(session.run_many([np.float32(1)])), ValueError, "sequence 0", "()")
    for name, value in product(("batch_size", "window"), (0, -1, True, 2.5)):
        options: dict[str, Any] = {name: value}
        wrong: type[Exception] = ValueError if type(value) is int else TypeError
        refused(partial(session.run_many, [], **options), wrong, name, repr(value))
    refused(lambda: session.run_many([], input="z"), ValueError, "'z' is no input", "'x'")
    refused(lambda: session.run_many([], lengths="z"), ValueError, "'z' is no input")
    refused(lambda: run_many([], []), ValueError, "no session")
    for none in (5, None, np.float32(1)):
        refused(partial(session.run_many, none), TypeError, "sequences", repr(none), "a list or a generator")
    not_one: Any = lstm_graph()
    refused(lambda: run_many(not_one, []), TypeError, "a Session is wanted", "Graph")


def test_inputs_that_do_not_say_which_is_the_sequence_must_be_told() -> None:
    a, b = unroll.placeholder([None, 4, 3], "a"), unroll.placeholder([None, 4, 2], "b")
    session = Session(Graph([a, b], {"y": ops.concat([a, b], 2)}))
    refused(lambda: session.run_many([]), ValueError, "not clear", "a (batch, 4, 3)", "b (batch, 4, 2)", "input=name")
    items = [{"a": np.ones((4, 3)), "b": np.zeros((4, 2))}]
    assert next(session.run_many(items, input="a"))["y"].shape == (4, 5)
    fixed = Session(Graph([x := unroll.placeholder([2, 4, 3], "x")], ops.tanh(x)))
    refused(lambda: fixed.run_many([]), ValueError, "whose batch is None")
