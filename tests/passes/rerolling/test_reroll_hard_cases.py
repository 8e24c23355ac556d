"""Re-rolling where a step lacks what nobody reads, where layers share their weights, and where masks are known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reroll_checks import BATCH, FEATURES, UNITS, Graph, check_rerolled, operators

import unroll
from unroll import cells, ops

CELLS: dict[str, Callable[[], Any]] = {
    "RNN": lambda: unroll.BasicRNNCell(UNITS),
    "LSTM": lambda: unroll.LSTMCell(UNITS, use_peepholes=True),
    "GRU": lambda: unroll.GRUCell(UNITS),
}


def masked(cell: Any, time: int, given: Callable[[Any], Any]) -> Graph:
    """A cell over rows of different lengths, of which the last state is not asked for."""
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(time)]
    lengths = unroll.placeholder([None], "lengths", "int32")
    outputs, _ = unroll.static_rnn(cell, inputs, sequence_length=lengths)
    return Graph([*inputs, lengths], given(outputs))


@pytest.mark.parametrize("given", [list, lambda outputs: [outputs[-1]], lambda outputs: [ops.stack(outputs, 1)]])
@pytest.mark.parametrize("time", [3, 7])
@pytest.mark.parametrize("name", CELLS)
def test_a_last_state_that_nobody_reads_leaves_no_step_outside(name: str, time: int, given: Any) -> None:
    """The mask of the last step keeps back no state, as the graph has no node for what is not read."""
    found, report = check_rerolled(masked(CELLS[name](), time, given))
    assert [(item.became, item.steps) for item in report] == [(name, time)]
    assert not operators(found)["MatMul"]


@pytest.mark.parametrize("time", [3, 7])
def test_the_same_holds_for_a_scan(time: int) -> None:
    _, report = check_rerolled(masked(unroll.LSTMCell(UNITS, cell_clip=0.3), time, list))
    assert [(item.became, item.steps) for item in report] == [("Scan", time)]


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("name", CELLS)
def test_layers_that_are_one_cell_become_an_operator_each(name: str, layers: int) -> None:
    cell = {"RNN": unroll.BasicRNNCell, "LSTM": unroll.BasicLSTMCell, "GRU": unroll.GRUCell}[name](UNITS)
    inputs = [unroll.placeholder([None, UNITS], f"x{step}") for step in range(6)]
    outputs, state = unroll.static_rnn(unroll.MultiRNNCell([cell] * layers), inputs)
    found, report = check_rerolled(Graph(inputs, [*outputs, *unroll.nest.flatten(state)]))
    assert [(item.became, item.steps) for item in report] == [(name, 6)] * layers
    assert len([item for item in found.parameters if item.endswith("kernel")]) == (2 if name == "GRU" else 1)


def test_states_that_are_the_same_zeros_are_told_apart() -> None:
    """c and n of an sLSTM are the same zeros at first, so that f * c and f * n are one node at step 0."""
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{step}") for step in range(5)]
    outputs, state = unroll.static_rnn(cells.SLSTMCell(UNITS), inputs)
    _, report = check_rerolled(Graph(inputs, [*outputs, *unroll.nest.flatten(state)]))
    assert [(item.became, item.steps) for item in report] == [("Scan", 5)]


def test_masks_known_beforehand_may_differ_from_step_to_step() -> None:
    """``h = m * new + (1 - m) * old`` with a Parameter m of its own at each step, as converters leave fixed lengths."""
    w, r = (unroll.Parameter(np.ones((rows, UNITS), "float32"), f"w{rows}") for rows in (FEATURES, UNITS))
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{step}") for step in range(5)]
    h: Any = unroll.placeholder([BATCH, UNITS], "h0")
    fed = [*inputs, h]
    for step, x in enumerate(inputs):
        here, past = (unroll.Parameter(np.ones((BATCH, 1), "float32"), f"{name}{step}") for name in ("here", "past"))
        h = here * ops.tanh(x @ w + h @ r) + past * h
    _, report = check_rerolled(Graph(fed, {"h": h}))
    assert [(item.became, item.steps) for item in report] == [("Scan", 5)]


def test_a_state_that_only_the_mask_of_one_step_reads_is_found() -> None:
    """Three steps of which the first was simplified and the last needs no c: one whole step shows how c is kept back."""
    w, r, b = (
        unroll.Parameter(np.ones(shape, "float32"), f"w{len(shape)}{shape[0]}")
        for shape in ((FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,))
    )
    x, masks = unroll.placeholder([BATCH, 3, FEATURES], "x"), unroll.placeholder([BATCH, 3, 1], "m", "bool")
    c: Any = unroll.constant(np.zeros((BATCH, UNITS), "float32"))
    h: Any = None
    outputs = []
    for step in range(3):
        keep = ops.cast(masks[:, step], "float32")
        rest = ops.cast(ops.logical_not(masks[:, step]), "float32")
        product = x[:, step] @ w + b if h is None else x[:, step] @ w + h @ r + b
        i, f, g, o = ops.split(product, 4, 1)
        new = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        out = keep * (ops.sigmoid(o) * ops.tanh(new))
        h = out if h is None else out + rest * h
        c = keep * new + rest * c
        outputs.append(h)
    _, report = check_rerolled(Graph([x, masks], outputs))
    assert [(item.became, item.steps) for item in report] == [("Scan", 2)]
