"""Bad input to cells: an error names the thing, what was seen, what is wanted and the fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused, step_inputs

import unroll
from unroll import (
    BasicLSTMCell,
    BasicRNNCell,
    GRUCell,
    MultiRNNCell,
    static_rnn,
)

CELLS = (BasicRNNCell, BasicLSTMCell, GRUCell)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [0, -1])
def test_num_units_below_1_is_refused(cell: Any, units: int) -> None:
    refused(lambda: cell(units), ValueError, cell.__name__, "num_units", str(units), "at least 1")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [5.0, "5", None, [5], True, np.True_, np.float32(5)])
def test_num_units_that_is_no_int_is_refused(cell: Any, units: Any) -> None:
    refused(lambda: cell(units), TypeError, cell.__name__, "num_units", repr(units), "int")


@pytest.mark.parametrize("cell", CELLS)
def test_a_numpy_int_is_an_int(cell: Any) -> None:
    assert cell(np.int64(5)).num_units == 5


@pytest.mark.parametrize("cell", CELLS)
def test_an_activation_there_is_not_is_refused_with_those_there_are(cell: Any) -> None:
    refused(lambda: cell(5, activation="tanhh"), ValueError, cell.__name__, "'tanhh'", "tanh", "relu")
    refused(lambda: cell(5, activation=3), TypeError, cell.__name__, "3", "function")


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_reused_with_another_input_width_is_refused(cell: Any) -> None:
    made = cell(5)
    static_rnn(made, step_inputs(2, 3))
    refused(lambda: static_rnn(made, step_inputs(2, 4)), ValueError, made.name, "4 features", "for 3", "second cell")


def test_a_cell_reused_with_another_dtype_is_refused() -> None:
    made = BasicRNNCell(5)
    static_rnn(made, step_inputs(2, 3))
    with pytest.raises(unroll.UnrollError, match="float64"):
        static_rnn(made, step_inputs(2, 3, "float64"))


@pytest.mark.parametrize("thing", [BasicRNNCell, "cell", None, 3, object()])
def test_something_that_is_no_cell_is_refused(thing: Any) -> None:
    refused(lambda: static_rnn(thing, step_inputs()), ValueError, "static_rnn", "not a cell")
    refused(lambda: MultiRNNCell([BasicRNNCell(2), thing]), ValueError, "MultiRNNCell", "not a cell")


def test_a_class_in_place_of_a_cell_is_told_to_be_made() -> None:
    refused(lambda: static_rnn(BasicRNNCell, step_inputs()), ValueError, "class", "BasicRNNCell(...)")  # type: ignore[arg-type]


@pytest.mark.parametrize("cells", [[], (), None, BasicRNNCell(3)])
def test_a_stack_of_no_cells_is_refused(cells: Any) -> None:
    refused(lambda: MultiRNNCell(cells), ValueError, "MultiRNNCell", "non-empty list of cells")


@pytest.mark.parametrize("forget_bias", [[1.0, 2.0], "1", None, True, 1j])
def test_a_forget_bias_that_is_no_number_is_refused(forget_bias: Any) -> None:
    with pytest.raises(unroll.UnrollError, match="forget_bias"):
        BasicLSTMCell(5, forget_bias=forget_bias)
