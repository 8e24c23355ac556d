"""State that lives between runs: a stream run chunk by chunk gives what the whole gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from counting_cell import counting, ones
from helpers import refused, step_inputs

import unroll
from unroll import BasicLSTMCell, Graph, GRUCell, LSTMStateTuple, ops, placeholder, static_rnn

RNG = np.random.default_rng(31)


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
