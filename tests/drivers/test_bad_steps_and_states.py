"""Bad input to drivers: an error names the thing, what was seen, what is wanted and the fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused, step_inputs

import unroll
from unroll import (
    BasicLSTMCell,
    BasicRNNCell,
    LSTMStateTuple,
    ops,
    placeholder,
    static_rnn,
)

# -- the list of steps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [[], ()])
def test_an_empty_input_list_is_refused(empty: Any) -> None:
    refused(lambda: static_rnn(BasicRNNCell(5), empty), ValueError, "inputs", "non-empty list", "one tensor a step")


def test_one_tensor_instead_of_a_list_is_refused_with_both_ways_on() -> None:
    x = placeholder([None, 4, 3], "x")
    refused(lambda: static_rnn(BasicRNNCell(5), x), TypeError, "unstack", "dynamic_rnn", "(batch, 4, 3)")


def test_dynamic_rnn_of_an_empty_nest_is_refused() -> None:
    message = refused(lambda: unroll.dynamic_rnn(BasicRNNCell(5), {}), ValueError, "dynamic_rnn", "inputs")
    assert "differ" not in message, "there is nothing that could differ"


def test_a_step_that_is_no_tensor_is_refused() -> None:
    action = lambda: static_rnn(BasicRNNCell(5), [np.ones((2, 3))])  # noqa: E731
    refused(action, TypeError, "step 0", "ndarray", "unroll.placeholder", "unroll.constant")


def test_inputs_of_different_widths_are_refused() -> None:
    steps = [placeholder([None, 3], "a"), placeholder([None, 4], "b")]
    refused(
        lambda: static_rnn(BasicRNNCell(5), steps), ValueError, "step 1", "b (batch, 4)", "a (batch, 3)", "features"
    )


def test_inputs_of_different_dtypes_are_refused() -> None:
    steps = [placeholder([None, 3], "a"), placeholder([None, 3], "b", "float64")]
    refused(lambda: static_rnn(BasicRNNCell(5), steps), TypeError, "step 1", "float64", "float32", "cast")


def test_inputs_of_different_batch_sizes_are_refused() -> None:
    steps = [placeholder([2, 3], "a"), placeholder([4, 3], "b")]
    refused(lambda: static_rnn(BasicRNNCell(5), steps), ValueError, "step 1", "(4, 3)", "(2, 3)", "batch size")


def test_rank_1_among_rank_2_is_refused() -> None:
    steps = [placeholder([None, 3], "a"), placeholder([3], "b")]
    refused(lambda: static_rnn(BasicRNNCell(5), steps), ValueError, "step 1", "b (3,)", "a (batch, 3)", "rank")


def test_scalars_and_tensors_of_rank_3_are_refused() -> None:
    refused(
        lambda: static_rnn(BasicRNNCell(5), [placeholder([], "s")]),
        ValueError,
        "rank 1 (features,)",
        "2 (batch, features)",
    )
    cube = placeholder([None, 4, 3], "cube")
    refused(lambda: static_rnn(BasicRNNCell(5), [cube]), ValueError, "cube (batch, 4, 3)", "(batch, features)")


def test_an_unknown_number_of_features_is_refused() -> None:
    x = placeholder([None, None], "x")
    refused(lambda: static_rnn(BasicRNNCell(5), [x]), ValueError, "x (batch, x_1)", "known number of features")


def test_inputs_that_are_no_floats_are_refused() -> None:
    x = placeholder([None, 3], "x", "int64")
    refused(lambda: static_rnn(BasicRNNCell(5), [x]), TypeError, "int64", "float32", "cast")


@pytest.mark.parametrize("time_major", [False, True])
def test_a_time_of_no_steps_is_refused(time_major: bool) -> None:
    x = placeholder([0, 0, 3], "x")
    message = refused(
        lambda: unroll.dynamic_rnn(BasicRNNCell(5), x, time_major=time_major), ValueError, "x (0, 0, 3)", "at least 1"
    )
    assert f"axis {0 if time_major else 1}" in message


def test_dynamic_rnn_of_a_list_or_a_matrix_points_to_static_rnn() -> None:
    refused(
        lambda: unroll.dynamic_rnn(BasicRNNCell(5), step_inputs(2)), ValueError, "(batch, time, features)", "static_rnn"
    )
    refused(lambda: unroll.dynamic_rnn(BasicRNNCell(5), [1.0]), TypeError, "static_rnn")


def test_a_dtype_other_than_that_of_the_inputs_is_refused() -> None:
    refused(
        lambda: static_rnn(BasicRNNCell(5), step_inputs(), dtype="float64"), TypeError, "float64", "float32", "cast"
    )


# -- states ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c, h: c,
        lambda c, h: [c],
        lambda c, h: (c, h, h),
        lambda c, h: {"c": c, "h": h},
        lambda c, h: LSTMStateTuple((c, c), h),
    ],
)
def test_a_state_of_the_wrong_structure_is_refused(wrong: Any) -> None:
    state = wrong(placeholder([None, 5], "c"), placeholder([None, 5], "h"))
    action = lambda: static_rnn(BasicLSTMCell(5), step_inputs(), initial_state=state)  # noqa: E731
    refused(action, ValueError, "initial_state", "LSTMStateTuple(c=*, h=*)", "wanted")


@pytest.mark.parametrize("shape", [[None, 4], [5], [2, 5], [None, 1], [None, 5, 1], [1, 5]])
def test_a_state_of_the_wrong_shape_is_refused(shape: Any) -> None:
    state = LSTMStateTuple(placeholder([None, 5], "c"), placeholder(shape, "h0"))
    action = lambda: static_rnn(BasicLSTMCell(5), step_inputs(), initial_state=state)  # noqa: E731
    refused(action, ValueError, "initial_state", "state h", "h0", "(batch, 5)")


def test_a_state_of_another_dtype_is_refused() -> None:
    state = placeholder([None, 5], "h0", "float64")
    action = lambda: static_rnn(BasicRNNCell(5), step_inputs(), initial_state=state)  # noqa: E731
    refused(action, TypeError, "initial_state", "float64", "float32", "cast")


def test_a_state_that_is_an_array_is_told_to_be_made_a_tensor() -> None:
    action = lambda: static_rnn(BasicRNNCell(5), step_inputs(), initial_state=np.zeros((2, 5)))  # noqa: E731
    refused(action, ValueError, "initial_state", "unroll.constant", "unroll.placeholder")


def test_a_cell_called_directly_checks_its_state_too() -> None:
    x = placeholder([None, 4], "x")
    refused(
        lambda: BasicRNNCell(5)(x, placeholder([None, 6], "h")),
        ValueError,
        "basic_rnn_cell",
        "(batch, 6)",
        "(batch, 5)",
    )
    refused(lambda: BasicLSTMCell(5)(x, placeholder([None, 5], "h")), ValueError, "basic_lstm_cell", "LSTMStateTuple")
    refused(
        lambda: BasicRNNCell(5)(np.ones((2, 4)), placeholder([2, 5], "h")), TypeError, "basic_rnn_cell", "no tensor"
    )


class WrongCell(unroll.RNNCell):
    """A user's cell of 2 units whose result is whatever the test says."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result

    state_size = output_size = 2  # type: ignore[assignment]

    def call(self, inputs: Any, state: Any) -> Any:
        return self.result(inputs, state)


@pytest.mark.parametrize(
    ("result", "builtin", "fragments"),
    [
        (lambda x, h: h, ValueError, ["step 0", "(output, new_state)"]),
        (lambda x, h: (h, h, h), ValueError, ["step 0", "(output, new_state)"]),
        (lambda x, h: None, ValueError, ["step 0", "None", "(output, new_state)"]),
        (lambda x, h: (h, (h, h)), ValueError, ["step 0", "state", "((batch, 2), (batch, 2))"]),
        (lambda x, h: (h, x), ValueError, ["step 0", "(batch, 4)", "(batch, 2)"]),
        (lambda x, h: (h, h[0]), ValueError, ["step 0", "(2,)", "(batch, 2)"]),
        (lambda x, h: (h, ops.cast(h, "float64")), TypeError, ["step 0", "float64", "float32"]),
        (lambda x, h: (h, 0.0), ValueError, ["step 0", "no tensor"]),
        (lambda x, h: (x, h), ValueError, ["step 0", "output", "(batch, 4)", "2"]),
        (lambda x, h: ((h, h), h), ValueError, ["step 0", "output"]),
        (lambda x, h: (1.0, h), ValueError, ["step 0", "output", "no tensor"]),
    ],
)
def test_a_cell_that_returns_a_wrong_result_is_refused(result: Any, builtin: Any, fragments: list[str]) -> None:
    refused(lambda: static_rnn(WrongCell(result), step_inputs()), builtin, "wrong_cell", *fragments)


@pytest.mark.parametrize("steps", [3, 5])
def test_a_cell_whose_state_goes_wrong_at_a_later_step_is_refused_at_that_step(steps: int) -> None:
    calls: list[int] = []

    def late(x: Any, h: Any) -> Any:
        calls.append(len(calls))
        return h, h if len(calls) < 3 else ops.concat([h, h], -1)

    refused(lambda: static_rnn(WrongCell(late), step_inputs(steps)), ValueError, "step 2", "(batch, 4)", "(batch, 2)")


def test_a_cell_without_call_or_sizes_says_what_to_define() -> None:
    class Bare(unroll.RNNCell):
        pass

    refused(lambda: static_rnn(Bare(), step_inputs()), ValueError, "Bare", "state_size", "define")
