"""The rest of TensorFlow 1's cells and drivers, case by case: names, shapes and numbers of real TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import TOLERANCE, Array, check_three_runners, names_and_shapes
from tensorflow_programs import CASES, DRIVERS, arrays_of, build, under

import unroll

SAVING = [name for name, case in CASES.items() if case["chunks"] == 2]


def test_the_golden_file_crosses_what_is_promised() -> None:
    calls = [(case, call) for case in CASES.values() for call in case["calls"]]
    assert {call["driver"] for _, call in calls} == DRIVERS.keys()
    assert {case["batch"] for case, _ in calls} == {1, 3}
    for driver in DRIVERS.keys() - {"call"}:
        mine = [(case, call) for case, call in calls if call["driver"] == driver]
        assert {case["T"] for case, _ in mine} == {1, 2, 7}, driver
        assert {flag for _, call in mine for flag in call["initial"]} >= {True}, driver
        lengths = [case["lengths"] for case, call in mine if call["lengths"]]
        assert any(0 in rows for rows in lengths), driver
        assert {call["lengths"] for _, call in mine} >= {"int32", "int64", "list"}, driver
    assert len(CASES) >= 150


@pytest.mark.parametrize("name", CASES)
def test_variables_have_tensorflows_names_shapes_and_order(name: str) -> None:
    wanted = [(variable, array.shape) for variable, array in under("var/", arrays_of(CASES[name])).items()]
    assert names_and_shapes(build(name).graph) == wanted


@pytest.mark.parametrize("name", CASES)
def test_all_three_runners_give_tensorflows_numbers(name: str) -> None:
    program = build(name)
    check_three_runners(program.graph, program.feeds, program.expected[0], CASES[name]["dtype"])


def second_chunk(name: str) -> dict[str, Array]:
    """The steps of a saved state's second chunk, by the names of the placeholders."""
    feeds, inputs = build(name).feeds, arrays_of(CASES[name])["inputs"]
    lengths = {key: array for key, array in feeds.items() if key == "lengths"}
    return {**lengths, **{f"X{step}": array for step, array in enumerate(inputs[1])}}


@pytest.mark.parametrize("name", SAVING)
def test_a_second_chunk_begins_where_the_first_ended(name: str) -> None:
    program = build(name)
    states = program.graph.states
    saved = dict(zip(states, program.expected[0][-len(states) :], strict=True))
    feeds = {**second_chunk(name), **saved}
    check_three_runners(program.graph, feeds, program.expected[1], CASES[name]["dtype"])


@pytest.mark.parametrize("name", SAVING)
def test_a_stream_carries_the_state_from_chunk_to_chunk_as_tensorflow_does(name: str) -> None:
    program = build(name)
    graph, states = program.graph, program.graph.states
    first = {key: array for key, array in program.feeds.items() if key not in states}
    for runner in (graph, unroll.Session(unroll.to_onnx(graph))):
        stream = runner.stream()
        stream.reset({key: array for key, array in program.feeds.items() if key in states})
        for feeds, expected in zip((first, second_chunk(name)), program.expected, strict=True):
            found = stream.run(feeds) | {states[key]: array for key, array in stream.state.items()}
            for output, wanted in zip(graph.output_names, expected, strict=True):
                np.testing.assert_allclose(found[output], wanted, rtol=TOLERANCE["float32"], atol=TOLERANCE["float32"])
