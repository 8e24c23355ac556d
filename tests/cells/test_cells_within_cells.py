"""A cell within another that does not return an output and a state is refused by its name, whatever is around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import cells, layers, placeholder


class Wrong(unroll.RNNCell):
    """A cell of 3 units that returns what it is told."""

    state_size = output_size = property(lambda self: 3)

    def __init__(self, result: Callable[[Any], Any]) -> None:
        super().__init__()
        self.result = result

    def call(self, inputs: Any, state: Any) -> Any:
        return self.result(state)


RESULTS: dict[str, Callable[[Any], Any]] = {
    "a number for the output": lambda h: (1.0, h),
    "no output": lambda h: (None, h),
    "no state": lambda h: (h, None),
    "a number for the state": lambda h: (h, 1.0),
    "an array": lambda h: (np.ones((2, 3)), h),
    "one tensor": lambda h: h,
    "nothing": lambda h: None,
    "three tensors": lambda h: (h, h, h),
    "a list for the output": lambda h: ([h], h),
    "text": lambda h: "ab",
}
AROUND: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda cell: cell,
    "ResidualWrapper": cells.ResidualWrapper,
    "DropoutWrapper": cells.DropoutWrapper,
    "DeviceWrapper": lambda cell: cells.DeviceWrapper(cell, "/cpu:0"),
    "InputProjectionWrapper": lambda cell: cells.InputProjectionWrapper(cell, 3),
    "OutputProjectionWrapper": lambda cell: cells.OutputProjectionWrapper(cell, 4),
    "AttentionCellWrapper": lambda cell: cells.AttentionCellWrapper(cell, 2),
    "MultiRNNCell": lambda cell: unroll.MultiRNNCell([cell, unroll.GRUCell(3)]),
    "MultiRNNCell, joined": lambda cell: unroll.MultiRNNCell([cell], state_is_tuple=False),
    "a wrapper in a wrapper": lambda cell: cells.ResidualWrapper(cells.DropoutWrapper(cell)),
}


def run(cell: Any, **given: Any) -> Any:
    return unroll.static_rnn(cell, [placeholder([None, 3], "x")], **given)


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("around", AROUND)
def test_a_wrong_result_is_refused_by_the_cell_that_gave_it(around: str, result: str) -> None:
    refused(lambda: run(AROUND[around](Wrong(RESULTS[result]))), ValueError, "wrong")


@pytest.mark.parametrize("result", RESULTS)
def test_so_it_is_in_a_stack_of_kerass_and_over_ids(result: str) -> None:
    x, ids = placeholder([None, 2, 3], "x"), [placeholder([None], "ids", "int64")]
    for stack in ([Wrong(RESULTS[result])], [Wrong(RESULTS[result]), layers.GRUCell(3)]):
        refused(lambda stack=stack: layers.RNN(stack)(x), ValueError, "wrong")
    wrapper = cells.EmbeddingWrapper(Wrong(RESULTS[result]), 9, 3)
    refused(lambda: unroll.static_rnn(wrapper, ids, dtype="float32"), ValueError, "wrong")


@pytest.mark.parametrize("state", [None, 1.0, "a", (None,), (None, None, None)], ids=str)
@pytest.mark.parametrize("around", [name for name in AROUND if name != "nothing"])
def test_a_wrong_state_is_refused(around: str, state: Any) -> None:
    cell = AROUND[around](unroll.GRUCell(3))
    refused(lambda: cell(placeholder([None, 3], "x"), state), ValueError, "state")


def test_what_is_right_passes_through_every_wrapper() -> None:
    for around in AROUND.values():
        outputs, _ = run(around(Wrong(lambda h: (h, h))))
        assert outputs[0].shape[1:] in {(3,), (4,)}


def test_a_probability_of_dropout_that_is_fed_must_be_fed_as_1() -> None:
    x, keep = placeholder([None, 3], "x"), placeholder([], "keep")
    inner = unroll.GRUCell(3)
    outputs, _ = unroll.static_rnn(inner, [x])
    kept, _ = unroll.static_rnn(cells.DropoutWrapper(inner, keep, output_keep_prob=keep), [x], scope="kept")
    graph = unroll.Graph([x, keep], {"plain": outputs[0], "kept": kept[0]})
    found = graph.run({"x": np.ones((2, 3)), "keep": 1})
    np.testing.assert_array_equal(found["kept"], found["plain"])
    refused(lambda: graph.run({"x": np.ones((2, 3)), "keep": 0.5}), ValueError, "dropout acts in training only")
