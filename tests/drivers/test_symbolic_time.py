"""What drivers promise of a time that only a run knows: one graph for every length, with the numbers of the unrolled one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused

import unroll
from unroll import Graph, layers, nest

FEATURES, ROWS = 5, 2
TIMES = (1, 3, 8)

CELLS: dict[str, Callable[[], Any]] = {
    "rnn": lambda: unroll.BasicRNNCell(4),
    "lstm": lambda: unroll.BasicLSTMCell(4),
    "gru": lambda: unroll.GRUCell(4),
    "peepholes": lambda: unroll.LSTMCell(4, use_peepholes=True),
    "projection": lambda: unroll.LSTMCell(4, num_proj=2),
    "keras gru": lambda: layers.GRUCell(4),
    "stack": lambda: unroll.MultiRNNCell([unroll.BasicLSTMCell(4), unroll.GRUCell(3)]),
}
NATIVE = {
    "rnn": ["RNN"],
    "lstm": ["LSTM"],
    "gru": ["GRU"],
    "peepholes": ["LSTM"],
    "projection": ["Scan"],
    "keras gru": ["GRU"],
    "stack": ["LSTM", "GRU"],
}

Program = Callable[[Any, Any], Any]


def one_way(kind: str) -> Program:
    return lambda x, lengths: unroll.dynamic_rnn(CELLS[kind](), x, lengths)


def both_ways(x: Any, lengths: Any) -> Any:
    return unroll.bidirectional_dynamic_rnn(CELLS["lstm"](), CELLS["gru"](), x, lengths)


def stacked(x: Any, lengths: Any) -> Any:
    cells = [[CELLS["lstm"](), CELLS["gru"]()] for _ in range(2)]
    return unroll.stack_bidirectional_dynamic_rnn(*cells, x, sequence_length=lengths)


def traced(program: Program, time: int | str, lengths: str | None = None) -> Graph:
    """A program on a sequence; its weights depend on the names of the Parameters alone."""
    x = unroll.placeholder([None, time, FEATURES], "x")
    inputs = [x] if lengths is None else [x, unroll.placeholder([None], "lengths", lengths)]
    with unroll.scope("model", seed=5):
        return Graph(inputs, {"y": program(x, inputs[1] if lengths else None)})


def fed(time: int, lengths: str | None = None) -> dict[str, Any]:
    x = np.random.default_rng(time).standard_normal((ROWS, time, FEATURES)).astype("float32")
    return {"x": x} if lengths is None else {"x": x, "lengths": np.array([time, time // 2], lengths)}


def check_any_length(program: Program, lengths: str | None, operators: list[str]) -> None:
    """Check that one graph of any length computes at several lengths what the unrolled graph of each does."""
    graph = traced(program, "time", lengths)
    model = unroll.to_onnx(graph, form="rerolled")
    onnx.checker.check_model(model, full_check=True)
    found = [node.op_type for node in model.graph.node]
    assert [kind for kind in found if kind in ("RNN", "GRU", "LSTM", "Scan")] == operators
    runners: list[Any] = [graph, unroll.Session(model), unroll.Session(graph)]
    for time in TIMES:
        feeds = fed(time, lengths)
        wanted = traced(program, time, lengths).run(feeds)
        for runner in runners:
            results = runner.run(feeds)
            assert list(results) == list(wanted)
            for name, array in wanted.items():
                np.testing.assert_allclose(results[name], array, rtol=1e-5, atol=1e-5, err_msg=f"{name} at {time}")


@pytest.mark.parametrize("lengths", [None, "int32", "int64"])
@pytest.mark.parametrize("kind", CELLS)
def test_one_graph_runs_every_length(kind: str, lengths: str | None) -> None:
    check_any_length(one_way(kind), lengths, NATIVE[kind])


@pytest.mark.parametrize("lengths", [None, "int32"])
def test_both_directions_and_stacks_of_them_run_every_length(lengths: str | None) -> None:
    check_any_length(both_ways, lengths, ["LSTM", "GRU"])
    check_any_length(stacked, lengths, ["LSTM", "GRU"])  # of two directions each


def test_shapes_call_the_time_as_the_placeholder_does() -> None:
    y = traced(one_way("gru"), "time")
    assert [str(y.shape(tensor)) for tensor in y.outputs] == ["(batch, time, 4)", "(batch, 4)"]
    x = unroll.placeholder([None, None, FEATURES], "x")
    assert str(unroll.dynamic_rnn(CELLS["gru"](), x)[0].shape) == "(batch, x_1, 4)"
    x = unroll.placeholder([None, None, FEATURES], "z")
    assert str(unroll.dynamic_rnn(CELLS["gru"](), x, time_major=True, scope="b")[0].shape) == "(z_0, z_1, 4)"


def test_a_time_that_comes_first_is_not_called_batch() -> None:
    x, start = unroll.placeholder([None, None, FEATURES], "x"), unroll.placeholder([None, 4], "start")
    graph = Graph([x, start], {"y": unroll.dynamic_rnn(CELLS["gru"](), x, initial_state=start, time_major=True)[0]})
    assert [str(graph.shape(tensor)) for tensor in (*graph.inputs, *graph.outputs)] == [
        "(x_0, batch, 5)",
        "(batch, 4)",
        "(x_0, batch, 4)",
    ]
    feeds = {"x": np.ones((3, ROWS, FEATURES)), "start": np.zeros((ROWS, 4))}
    assert graph.run(feeds)["y"].shape == (3, ROWS, 4)
    refused(lambda: graph.run({**feeds, "x": np.ones((0, ROWS, FEATURES))}), ValueError, "axis 0: x_0 is 0")
    named = unroll.placeholder(["batch", "rows", FEATURES], "named")  # what a shape says stays
    assert str(unroll.dynamic_rnn(CELLS["gru"](), named, time_major=True, scope="named")[0].shape) == "(batch, rows, 4)"
    alone = unroll.placeholder([None, FEATURES], "alone")
    assert str(unroll.nn.GRU(FEATURES, 4)(alone)[0].shape) == "(alone_0, 4)"
    model = layers.Sequential([layers.Input((None, FEATURES)), layers.GRU(4, return_sequences=True, time_major=True)])
    assert str(model.trace().outputs[0].shape) == "(time, batch, 4)"


def test_a_state_may_be_given() -> None:
    def program(x: Any, _: Any) -> Any:
        cell = CELLS["lstm"]()
        with unroll.scope("start"):
            state = nest.map_leaves(lambda size: x[:, 0, :size] / 2, cell.state_size)
        return unroll.dynamic_rnn(cell, x, initial_state=state)

    check_any_length(program, None, ["LSTM"])


@pytest.mark.parametrize("form", [None, "scan", "rerolled", "auto"])
@pytest.mark.parametrize("kind", ["rnn", "gru", "projection"])
def test_no_steps_are_refused_by_name_in_every_runner(kind: str, form: str | None, tmp_path: Path) -> None:
    graph = traced(one_way(kind), "time")
    unroll.save(graph, tmp_path / "any.onnx", form=form)
    read = unroll.from_onnx(tmp_path / "any.onnx")
    for runner in (graph, unroll.Session(graph, form=form), unroll.Session(tmp_path / "any.onnx"), read):
        refused(lambda runner=runner: runner.run(fed(0)), ValueError, "feed 'x'", "axis 1", "time is 0", "at least 1")
        assert runner.run(fed(1))
    again = unroll.from_onnx(unroll.to_onnx(unroll.optimize(read)))
    refused(lambda: again.run(fed(0)), ValueError, "time is 0", "at least 1", "metadata")


@pytest.mark.parametrize("form", [None, "rerolled"])
@pytest.mark.parametrize("given", [[5, 2], np.array([5, 2], "int32"), "tensor"], ids=["list", "array", "tensor"])
def test_lengths_that_are_fixed_are_within_the_time_that_is_fed(given: Any, form: str | None) -> None:
    lengths = unroll.constant(np.array([5, 2]), "int32") if isinstance(given, str) else given
    graph = traced(lambda x, _: unroll.dynamic_rnn(CELLS["gru"](), x, lengths), "time")
    model = unroll.to_onnx(graph, form=form)
    for runner in (graph, unroll.Session(graph, form=form), unroll.Session(model), unroll.from_onnx(model)):
        refused(lambda runner=runner: runner.run(fed(4)), ValueError, "time is 4, and at least 5 is wanted")
        outputs = next(iter(runner.run(fed(6)).values()))
        assert not outputs[0, 5:].any() and not outputs[1, 2:].any() and outputs[0, 4].all() and outputs[1, 1].all()
    assert unroll.verify(graph)
    refused(
        lambda: traced(lambda x, _: unroll.dynamic_rnn(CELLS["gru"](), x, lengths), 4), ValueError, "outside 0 to 4"
    )


def test_lengths_are_within_the_time_that_is_fed() -> None:
    graph = traced(one_way("lstm"), "time", "int32")
    for form in (None, "rerolled"):
        session = unroll.Session(graph, form=form)
        read = unroll.Session(unroll.to_onnx(graph, form=form))  # which the model's metadata tells
        for runner in (graph, session, read):
            for lengths in ([4, 1], [-1, 2]):
                feeds = {**fed(3, "int32"), "lengths": np.array(lengths, "int32")}
                refused(lambda runner=runner, feeds=feeds: runner.run(feeds), ValueError, "'lengths'", "0 to time = 3")
            runner.run({**fed(3, "int32"), "lengths": np.array([3, 0], "int32")})


def test_sequences_of_times_that_differ_are_refused() -> None:
    class Sum:
        state_size = output_size = 2

        def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            total = inputs[0] + inputs[1] + state
            return total, total

    def given(first: Any, second: Any) -> list[Any]:
        return [unroll.placeholder([None, time, 2], name) for time, name in ((first, "a"), (second, "b"))]

    refused(lambda: unroll.dynamic_rnn(Sum(), tuple(given(3, 4))), ValueError, "axis 1", "(batch, 3, 2), (batch, 4, 2)")
    inputs = given("t", "u")
    graph = Graph(inputs, {"y": unroll.dynamic_rnn(Sum(), tuple(inputs))[0]})
    arrays = {"a": np.ones((1, 3, 2)), "b": np.ones((1, 4, 2))}
    refused(lambda: graph.run(arrays), ValueError, "'b'", "axis 1", "size 4")
    one = graph.run({"a": np.ones((1, 3, 2)), "b": np.ones((1, 3, 2))})["y"]
    np.testing.assert_array_equal(one[0, :, 0], [2, 4, 6])


def test_a_list_of_steps_is_no_sequence_of_any_length() -> None:
    x = unroll.placeholder([None, None, FEATURES], "x")
    y = unroll.placeholder([None, FEATURES], "y")
    drivers: dict[str, Callable[[Any], Any]] = {
        "dynamic_rnn": lambda steps: unroll.static_rnn(CELLS["gru"](), steps),
        "bidirectional_dynamic_rnn": lambda steps: unroll.static_bidirectional_rnn(
            CELLS["gru"](), CELLS["gru"](), steps
        ),
    }
    for instead, driver in drivers.items():
        said = refused(
            lambda driver=driver: driver(x), TypeError, "time, axis 1, is x_1", f"Use {instead}", "rolled=True"
        )
        assert "unstack" not in said
        for steps in ([x, y], [y, x]):
            refused(
                lambda driver=driver, steps=steps: driver(steps),
                ValueError,
                "x is a whole sequence, of time x_1 on axis 1",
                f"give it to {instead}",
            )
        known = unroll.placeholder([None, 3, FEATURES], "known")
        refused(lambda driver=driver, known=known: driver(known), TypeError, "unstack", instead)
    refused(lambda: unroll.dynamic_rnn(CELLS["gru"](), [x, y]), ValueError)


def test_a_cell_that_changes_the_shape_of_its_state_is_refused() -> None:
    class Growing:
        state_size = output_size = 5

        def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            return inputs, unroll.ops.concat([state, state], axis=-1)

    x = unroll.placeholder([None, None, FEATURES], "x")
    refused(lambda: unroll.dynamic_rnn(Growing(), x), ValueError, "growing: the new state", "(batch, 10)", "(batch, 5)")


def test_a_loop_is_written_as_unrolled_once_its_steps_can_be_counted() -> None:
    graph = traced(one_way("lstm"), "time")
    for optimized in (False, True):
        refused(
            lambda optimized=optimized: unroll.to_onnx(graph, form="unrolled", optimized=optimized),
            NotImplementedError,
            "'unrolled'",
            "time steps",
            'dims={"time": 28}',
        )
    x = unroll.placeholder([None, 7, FEATURES], "x")
    rolled = Graph([x], {"y": unroll.dynamic_rnn(CELLS["lstm"](), x, rolled=True)[0]})
    assert "Scan" not in {node.op_type for node in unroll.to_onnx(rolled, form="unrolled").graph.node}
    assert "Scan" in {node.op_type for node in unroll.to_onnx(graph).graph.node}


def test_the_fastest_form_is_chosen_for_a_size_by_name() -> None:
    graph = traced(one_way("lstm"), "time")
    for time in (1, 28, 1000):
        model = unroll.to_onnx(graph, form="auto", dims={"time": time})
        assert "LSTM" in {node.op_type for node in model.graph.node}
    assert unroll.compile(graph, dims={"time": 28}, tune=False).choice.form == "rerolled"
    refused(lambda: unroll.to_onnx(graph, form="auto", dims={"times": 3}), ValueError, "to_onnx", "'times'", "'time'")


def test_a_file_is_read_and_computes_the_same() -> None:
    graph = traced(one_way("projection"), "time", "int64")
    read = unroll.from_onnx(unroll.to_onnx(graph))
    for time in TIMES:
        feeds = fed(time, "int64")
        for name, array in graph.run(feeds).items():
            np.testing.assert_allclose(read.run(feeds)[name], array, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("lengths", [None, "int32"])
def test_proofs_feed_several_lengths(lengths: str | None) -> None:
    graph = traced(one_way("gru"), "time", lengths)
    assert unroll.verify(graph, form="rerolled")
    assert unroll.equivalent(graph, unroll.optimize(graph))


def test_a_graph_of_any_length_is_drawn(tmp_path: Any) -> None:
    for level in ("cell", "op"):
        unroll.draw(traced(both_ways, "time", "int32"), tmp_path / f"{level}.svg", level=level)
