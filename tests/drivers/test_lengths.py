"""Rows of different lengths: past its end a row's outputs are zero, and its state stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from counting_cell import counting, ones
from helpers import refused, step_inputs

import unroll
from unroll import BasicRNNCell, Graph, GRUCell, ops, placeholder, static_rnn

RNG = np.random.default_rng(31)


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
