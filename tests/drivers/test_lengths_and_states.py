"""Rows of different lengths, state that lives between runs, and loops that make their own inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import Array, refused, step_inputs

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, LSTMStateTuple, ops, placeholder, static_rnn

RNG = np.random.default_rng(31)


def counting() -> BasicRNNCell:
    """``h' = h + x`` of one unit: what a row has seen can be read off."""
    cell = BasicRNNCell(1, activation="linear")
    cell.set_weights(np.ones((2, 1)))
    return cell


def ones(batch: int, steps: int) -> dict[str, Array]:
    return {f"X{step}": np.ones((batch, 1)) for step in range(steps)}


# -- lengths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_past_its_end_a_rows_output_is_zero_and_its_state_stays(dtype: str) -> None:
    inputs, lengths = step_inputs(3, 1), placeholder([None], "lengths", dtype)
    outputs, state = static_rnn(counting(), inputs, sequence_length=lengths)
    graph = Graph([*inputs, lengths], [ops.concat(outputs, 1), state])
    seen, last = graph.run({**ones(4, 3), "lengths": [0, 1, 2, 3]}, graph.outputs)
    assert seen.tolist() == [[0, 0, 0], [1, 0, 0], [1, 2, 0], [1, 2, 3]]
    assert last.ravel().tolist() == [0, 1, 2, 3]


def test_lengths_known_beforehand_are_a_plain_list() -> None:
    inputs = step_inputs(2, 1)
    outputs, _ = static_rnn(counting(), inputs, sequence_length=[2, 1])
    graph = Graph(inputs, ops.concat(outputs, 1))
    assert graph.run(ones(2, 2), graph.outputs)[0].tolist() == [[1, 2], [1, 0]]
    refused(lambda: graph.run(ones(3, 2)), ValueError, "axis 0")


def test_without_a_batch_one_length_is_a_scalar() -> None:
    inputs = [placeholder([1], f"X{step}") for step in range(3)]
    length = placeholder([], "length", "int64")
    outputs, state = static_rnn(counting(), inputs, sequence_length=length)
    graph = Graph([*inputs, length], [ops.concat(outputs, 0), state])
    seen, last = graph.run({"X0": [1], "X1": [1], "X2": [1], "length": 2}, graph.outputs)
    assert (seen.tolist(), last.tolist()) == ([1, 2, 0], [2])


def test_the_backward_cell_starts_at_the_end_of_each_row() -> None:
    inputs, lengths = step_inputs(3, 1), placeholder([None], "lengths", "int32")
    outputs, fw, bw = unroll.static_bidirectional_rnn(counting(), counting(), inputs, sequence_length=lengths)
    graph = Graph([*inputs, lengths], [ops.stack(outputs, 1), fw, bw])
    seen, _, last = graph.run({**ones(2, 3), "lengths": [2, 3]}, graph.outputs)
    assert seen[:, :, 1].tolist() == [[2, 1, 0], [3, 2, 1]]
    assert last.ravel().tolist() == [2, 3]


@pytest.mark.parametrize("time_major", [False, True])
def test_a_bidirectional_stack_over_one_tensor_is_the_one_over_its_steps(time_major: bool) -> None:
    x = placeholder([3, None, 2] if time_major else [None, 3, 2], "x")
    lengths = placeholder(["batch" if not time_major else "x_1"], "lengths", "int32")
    cells = [[GRUCell(4), BasicRNNCell(3)], [GRUCell(2), BasicRNNCell(4)]]
    axis = 0 if time_major else 1
    whole, whole_fw, whole_bw = unroll.stack_bidirectional_dynamic_rnn(
        *cells, x, sequence_length=lengths, time_major=time_major
    )
    steps, steps_fw, steps_bw = unroll.stack_bidirectional_rnn(*cells, ops.unstack(x, axis), sequence_length=lengths)
    graph = Graph([x, lengths], [whole, whole_fw, whole_bw, ops.stack(steps, axis), steps_fw, steps_bw])
    assert next(iter(graph.parameters)) == "stack_bidirectional_rnn/cell_0/bidirectional_rnn/fw/gru_cell/gates/kernel"
    found = graph.run({"x": RNG.normal(size=(3, 3, 2)), "lengths": [1, 3, 0]}, graph.outputs)
    for one, other in zip(found[:5], found[5:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("lengths", "builtin", "fragments"),
    [
        ([1, 4], ValueError, ["[1, 4]", "0 to 3"]),
        ([-1, 2], ValueError, ["[-1, 2]", "0 to 3"]),
        ([1.5, 2.0], TypeError, ["sequence_length", "int64"]),
        (placeholder([None], "real"), TypeError, ["real (batch,) float32", "int32 or int64"]),
        (placeholder([None, 1], "wide", "int32"), ValueError, ["wide (batch, 1)", "(batch,)"]),
        (2, ValueError, ["sequence_length", "(batch,)"]),
    ],
)
@pytest.mark.parametrize("driver", ["static", "dynamic"])
def test_lengths_that_make_no_sense_are_refused(
    driver: str, lengths: Any, builtin: type[Exception], fragments: list[str]
) -> None:
    def call() -> Any:
        if driver == "static":
            return static_rnn(counting(), step_inputs(3, 1), sequence_length=lengths)
        return unroll.dynamic_rnn(counting(), placeholder([None, 3, 1], "x"), sequence_length=lengths)

    refused(call, builtin, f"{driver}_rnn", *fragments)


@pytest.mark.parametrize(("fed", "seen"), [([0, 4], "4"), ([-1, 2], "-1")])
def test_lengths_that_are_fed_are_checked_against_the_number_of_steps(fed: list[int], seen: str) -> None:
    inputs, lengths = step_inputs(3, 1), placeholder([None], "lengths", "int32")
    outputs, _ = static_rnn(counting(), inputs, sequence_length=lengths)
    graph = Graph([*inputs, lengths], outputs)
    for run in (graph.run, unroll.Session(graph).run, unroll.Session(unroll.to_onnx(graph)).run):
        refused(lambda run=run: run({**ones(2, 3), "lengths": fed}), ValueError, "'lengths'", seen, "0 to 3")
    assert unroll.verify(graph)


# -- state that lives between runs ------------------------------------------------------------------------------------


def chunk(steps: int, batch: int | None = None) -> Graph:
    """An LSTM over `steps` steps whose state is saved."""
    saver = unroll.StateSaver({"c": 3, "h": 3}, batch)
    inputs = step_inputs(steps, 2)
    cell = BasicLSTMCell(3)
    outputs, state = unroll.static_state_saving_rnn(cell, inputs, saver, ("c", "h"))
    assert isinstance(state, LSTMStateTuple)
    return Graph(inputs, {"y": ops.stack(outputs, 1)}, states=saver.states)


def whole(steps: int) -> Graph:
    inputs = step_inputs(steps, 2)
    outputs, _ = static_rnn(BasicLSTMCell(3), inputs)
    return Graph(inputs, {"y": ops.stack(outputs, 1)})


def test_the_state_is_a_named_input_and_output_of_the_graph_and_of_the_model(tmp_path: Path) -> None:
    graph = chunk(2)
    assert graph.states == {"c": "c/next", "h": "h/next"}
    assert [item.name for item in graph.inputs] == ["X0", "X1", "c", "h"]
    assert graph.output_names == ("y", "c/next", "h/next")
    model = unroll.to_onnx(graph)
    assert [item.name for item in model.graph.input] == ["X0", "X1", "c", "h"]
    assert [item.name for item in model.graph.output] == ["y", "c/next", "h/next"]
    unroll.save(graph, tmp_path / "chunk.onnx")
    assert unroll.Session(tmp_path / "chunk.onnx").states == graph.states


@pytest.mark.parametrize("runner", ["graph", "session", "file"])
def test_a_stream_run_chunk_by_chunk_gives_what_the_whole_gives(runner: str, tmp_path: Path) -> None:
    graph, long = chunk(2), whole(6)
    values = dict(zip(long.parameters, (RNG.normal(size=p.shape) for p in long.parameters.values()), strict=True))
    graph.assign(values)
    long.assign(values)
    unroll.save(graph, tmp_path / "chunk.onnx")
    runs: dict[str, Any] = {
        "graph": lambda: graph,
        "session": lambda: unroll.Session(graph),
        "file": lambda: unroll.Session(tmp_path / "chunk.onnx"),
    }
    stream = runs[runner]().stream()
    x = RNG.normal(size=(6, 4, 2))
    wanted = long.run({f"X{step}": x[step] for step in range(6)})["y"]
    for _ in range(2):
        found = [stream.run({"X0": x[at], "X1": x[at + 1]})["y"] for at in (0, 2, 4)]
        np.testing.assert_allclose(np.concatenate(found, 1), wanted, rtol=1e-5, atol=1e-6)
        stream.reset()


def test_a_stream_starts_from_what_reset_gives_it() -> None:
    saver = unroll.StateSaver({"h": 1})
    inputs = step_inputs(2, 1)
    unroll.static_state_saving_rnn(counting(), inputs, saver, "h")
    stream = Graph(inputs, inputs[0] + inputs[1], states=saver.states).stream()
    stream.reset({"h": [[5.0]]})
    assert list(stream.run(ones(1, 2))) == ["Add"]
    assert stream.state["h"].tolist() == [[7.0]]
    stream.run(ones(1, 2))
    assert stream.state["h"].tolist() == [[9.0]]
    refused(lambda: stream.reset({"c": [[1.0]]}), ValueError, "'c'", "'h'")
    refused(lambda: stream.run({**ones(1, 2), "h": [[1.0]]}), ValueError, "'h'", "reset")


def test_what_a_stream_shows_of_its_state_is_a_copy() -> None:
    saver = unroll.StateSaver({"h": 1})
    inputs = step_inputs(2, 1)
    unroll.static_state_saving_rnn(counting(), inputs, saver, "h")
    stream = Graph(inputs, inputs[0] + inputs[1], states=saver.states).stream()
    stream.run(ones(1, 2))
    stream.state["h"][:] = 100.0
    assert stream.state["h"].tolist() == [[2.0]]
    refused(lambda: stream.reset(np.ones((1, 1))), TypeError, "dict")  # type: ignore[arg-type]


def test_one_state_is_saved_once() -> None:
    saver = unroll.StateSaver({"c": 3, "h": 3})
    cell = BasicLSTMCell(3)
    refused(
        lambda: unroll.static_state_saving_rnn(cell, step_inputs(2, 2), saver, ("c", "c")), ValueError, "'c'", "twice"
    )
    unroll.static_state_saving_rnn(GRUCell(3), step_inputs(2, 2), saver, "h")
    refused(
        lambda: unroll.static_state_saving_rnn(GRUCell(3), step_inputs(2, 2), saver, "h"), ValueError, "saved already"
    )


def test_what_cannot_be_streamed_says_why() -> None:
    refused(lambda: whole(2).stream(), ValueError, "no state", "states=")
    lonely = placeholder([None, 2], "lonely")
    x = placeholder([3], "x")
    stream = Graph([x], x + 1.0, states={lonely: lonely * 2.0}).stream()
    refused(lambda: stream.run({"x": [1, 2, 3]}), ValueError, "'lonely'", "(batch, 2)", "reset")
    refused(lambda: stream.run(5), TypeError, "dict", "int")  # type: ignore[arg-type]


def test_states_that_do_not_fit_are_refused() -> None:
    x, state = placeholder([None, 3], "x"), placeholder([None, 2], "state")
    refused(lambda: Graph([x], x + 1.0, states={state: x}), ValueError, "state (batch, 2)", "x (batch, 3)")
    refused(lambda: Graph([x], x + 1.0, states={x + 1.0: x}), ValueError, "placeholder")
    refused(lambda: Graph([x], x + 1.0, states=[state]), TypeError, "dict")


def test_a_state_name_for_each_part_of_the_state_is_wanted() -> None:
    saver = unroll.StateSaver({"c": 3, "h": 3})

    def saving(names: Any) -> Any:
        return unroll.static_state_saving_rnn(BasicLSTMCell(3), step_inputs(2, 2), saver, names)

    refused(lambda: saving("h"), ValueError, "'h'", "one name for each")
    refused(lambda: saving(("c", "h", "x")), ValueError, "one name for each")
    refused(lambda: saving(("c", "m")), KeyError, "'m'", "'c'", "'h'")
    refused(lambda: unroll.StateSaver({}), ValueError, "sizes")
    cell = GRUCell(3)
    refused(
        lambda: unroll.static_state_saving_rnn(cell, step_inputs(2, 2), None, "h"),
        TypeError,
        "state, save_state",
        "StateSaver",
    )
    refused(lambda: unroll.StateSaver({"h": 0}), ValueError, "at least 1")


def test_metadata_that_names_what_is_not_there_is_refused() -> None:
    for text in ('{"c": "elsewhere"}', "{", "[1, 2]"):
        model = unroll.to_onnx(chunk(2))
        next(item for item in model.metadata_props if item.key == "unroll.states").value = text
        refused(lambda model=model: unroll.Session(model), ValueError, "unroll.states")


def test_limits_in_metadata_that_are_no_limits_are_refused() -> None:
    inputs, lengths = step_inputs(3, 1), placeholder([None], "lengths", "int32")
    outputs, _ = static_rnn(counting(), inputs, sequence_length=lengths)
    for text in ('{"lengths": 3}', '{"lengths": [["a", 1]]}', "7"):
        model = unroll.to_onnx(Graph([*inputs, lengths], outputs))
        next(item for item in model.metadata_props if item.key == "unroll.limits").value = text
        refused(lambda model=model: unroll.Session(model), ValueError, "unroll.limits")


def test_passes_keep_the_states() -> None:
    graph = chunk(2)
    assert unroll.Session(unroll.to_onnx(graph, fold_zero_state=True)).states == graph.states
    assert isinstance(unroll.to_onnx(graph), onnx.ModelProto)


# -- loops that make their own inputs ---------------------------------------------------------------------------------


def test_raw_rnn_feeds_a_cell_its_own_output_and_stops_each_row_by_itself() -> None:
    x, limit = placeholder([None, 1], "x"), placeholder([None, 1], "limit")

    def loop(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        if time == 0:
            return False, x, x * 0.0, None, None
        return ops.squeeze(output >= limit, [1]), output, state, None, None

    emitted, state, _ = unroll.raw_rnn(counting(), loop, maximum_iterations=4)
    graph = Graph([x, limit], [ops.concat(emitted, 1), state])
    seen, last = graph.run({"x": [[1.0], [1.0]], "limit": [[2.0], [100.0]]}, graph.outputs)
    # h: 0 + 1, then each step adds its own last output: 1, 2, 4, 8; the first row stops once it has 2
    assert seen.tolist() == [[1, 2, 0, 0], [1, 2, 4, 8]]
    assert last.ravel().tolist() == [2, 8]
    assert unroll.verify(graph)


def test_raw_rnn_says_that_it_needs_a_number_of_steps() -> None:
    refused(lambda: unroll.raw_rnn(GRUCell(3), lambda *_: None), ValueError, "maximum_iterations")  # type: ignore[arg-type]


def test_a_loop_function_that_breaks_its_contract_is_told_what_is_wanted() -> None:
    x = placeholder([2, 3], "x")
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x), maximum_iterations=2),
        ValueError,
        "time 0",
        "emit_output",
    )
    refused(lambda: unroll.raw_rnn(GRUCell(3), None, maximum_iterations=2), TypeError, "loop_fn")  # type: ignore[arg-type]
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x, x, None, None), maximum_iterations=0),
        ValueError,
        "at least 1",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (1, x, x, None, None), maximum_iterations=2),
        TypeError,
        "finished",
        "bool",
    )
    wide = unroll.constant([[True], [False]])
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (wide, x, x, None, None), maximum_iterations=2),
        ValueError,
        "finished",
        "(2,)",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x, None, None, None), maximum_iterations=2),
        ValueError,
        "step 0",
        "None",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, 1.0, x, None, None), maximum_iterations=2),
        TypeError,
        "input 1.0",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x, x, 1.0, None), maximum_iterations=2),
        TypeError,
        "emitted 1.0",
        "step 0",
    )

    def changing(time: int, *_: Any) -> Any:
        return False, x, x, (x, x) if time == 2 else x, None

    refused(lambda: unroll.raw_rnn(GRUCell(3), changing, maximum_iterations=2), ValueError, "step 1")


# -- both contracts ---------------------------------------------------------------------------------------------------


class Keras:
    """A Keras-contract cell that is no more than that: ``h' = (x + h) * w``."""

    state_size = 2

    def build(self, shape: Any) -> None:
        self.w = unroll.Parameter([2.0, 3.0], "w")

    def call(self, inputs: Any, states: Any) -> Any:
        h = (inputs + states[0]) * self.w
        return h, [h]


def test_a_plain_keras_contract_cell_runs_in_every_driver() -> None:
    x = placeholder([None, 2, 2], "x")
    cell = Keras()
    outputs, state = static_rnn(cell, ops.unstack(x, 1))  # type: ignore[arg-type]
    graph = Graph([x], [*outputs, state])
    assert list(graph.parameters) == ["rnn/keras/w"]
    found = graph.run({"x": np.ones((1, 2, 2))}, graph.outputs)
    assert [array.tolist() for array in found] == [[[2, 3]], [[6, 12]], [[6, 12]]]
    whole, _ = unroll.dynamic_rnn(Keras(), x, scope="whole")  # type: ignore[arg-type]
    both, _, _ = unroll.static_bidirectional_rnn(Keras(), Keras(), ops.unstack(x, 1))  # type: ignore[arg-type]
    stack = unroll.MultiRNNCell([Keras(), BasicRNNCell(2)])  # type: ignore[list-item]
    deep, _ = static_rnn(stack, ops.unstack(x, 1), scope="deep")
    assert unroll.verify(Graph([x], [whole, both, deep]))


@pytest.mark.parametrize(
    ("cell", "fragments"),
    [
        (type("NoSize", (), {"call": lambda self, x, s: (x, s)})(), ["state_size"]),
        (type("NoCall", (), {"state_size": 2, "output_size": 2})(), ["__call__", "call(inputs, states)"]),
        (type("Neither", (), {})(), ["state_size", "output_size", "__call__"]),
        (Keras, ["is a class", "Keras(...)"]),
        (type("Zero", (Keras,), {"state_size": 0})(), ["state_size", "is 0", "at least 1"]),
        (type("Half", (Keras,), {"state_size": [2.5]})(), ["state_size", "2.5", "an int"]),
    ],
    ids=["no size", "no call", "neither", "a class", "zero", "half"],
)
def test_a_cell_that_misses_part_of_its_contract_is_told_which(cell: Any, fragments: list[str]) -> None:
    x = placeholder([None, 2], "x")
    refused(lambda: static_rnn(cell, [x]), TypeError if "2.5" in fragments else ValueError, *fragments)


@pytest.mark.parametrize(
    ("result", "fragments"),
    [
        (lambda h: h, ["returned", "(output, [states])"]),
        (lambda h: (h, [h, h]), ["2 states", "state_size 2 has 1"]),
        (lambda h: (h, []), ["0 states"]),
    ],
    ids=["no pair", "two states", "no states"],
)
def test_a_keras_cell_that_returns_something_else_is_told_what_is_wanted(result: Any, fragments: list[str]) -> None:
    class Wrong(Keras):
        def call(self, inputs: Any, states: Any) -> Any:
            return result(super().call(inputs, states)[0])

    x = placeholder([None, 2], "x")
    refused(lambda: static_rnn(Wrong(), [x]), ValueError, *fragments)  # type: ignore[arg-type]


def test_a_state_may_be_an_image() -> None:
    class Blur(unroll.RNNCell):
        """``h' = h + x`` of images."""

        state_size = output_size = unroll.TensorShape([2, 3])

        def check(self, inputs: Any, state: Any) -> None:
            pass

        def call(self, inputs: Any, state: Any) -> Any:
            h = inputs + state
            return h, h

    frames = [placeholder([None, 2, 3], f"X{step}") for step in range(2)]
    lengths = placeholder([None], "lengths", "int32")
    outputs, state = static_rnn(Blur(), frames, sequence_length=lengths)
    graph = Graph([*frames, lengths], [*outputs, state])
    feeds = {"X0": np.ones((2, 2, 3)), "X1": np.ones((2, 2, 3)), "lengths": [1, 2]}
    assert graph.run(feeds, graph.outputs)[2][:, 0, 0].tolist() == [1, 2]
    assert unroll.verify(graph)
    wrong = placeholder([None, 3, 2], "state")
    refused(lambda: static_rnn(Blur(), frames, wrong), ValueError, "(batch, 3, 2)", "(batch, 2, 3)")
    assert repr(unroll.TensorShape([2, 3])) == "TensorShape([2, 3])"
    assert unroll.TensorShape([2, 3]) == unroll.TensorShape((2, 3)) != unroll.TensorShape([3, 2])
