"""Weights of other frameworks: their orientation is asked for, and their gate order is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Array, refused, step_inputs

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, static_rnn

SIZE = 3  # inputs and units: square matrices, whose orientation cannot be told from their shapes


def gates_of(names: str, seed: int) -> dict[str, tuple[Array, Array, Array]]:
    """For each gate its input matrix, recurrent matrix (rows in, columns out) and bias."""
    rng = np.random.default_rng(seed)
    return {
        name: (rng.normal(size=(SIZE, SIZE)), rng.normal(size=(SIZE, SIZE)), rng.normal(size=SIZE)) for name in names
    }


def joined(gates: dict[str, tuple[Array, Array, Array]], order: str) -> tuple[Array, Array, Array]:
    return tuple(np.concatenate([gates[name][part] for name in order], axis=-1) for part in range(3))  # type: ignore[return-value]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def lstm_by_hand(gates: dict[str, tuple[Array, Array, Array]], xs: Array) -> Array:
    c = h = np.zeros((xs.shape[1], SIZE))
    for x in xs:
        i, f, o, g = (x @ gates[name][0] + h @ gates[name][1] + gates[name][2] for name in "ifog")
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def gru_by_hand(gates: dict[str, tuple[Array, Array, Array]], xs: Array) -> Array:
    h = np.zeros((xs.shape[1], SIZE))
    for x in xs:
        z, r = (sigmoid(x @ gates[name][0] + h @ gates[name][1] + gates[name][2]) for name in "zr")
        n = np.tanh(x @ gates["n"][0] + (r * h) @ gates["n"][1] + gates["n"][2])
        h = z * h + (1 - z) * n
    return h


def last_output(cell: Any, xs: Array) -> Array:
    inputs = step_inputs(len(xs), SIZE, "float64")
    outputs, _ = static_rnn(cell, inputs)
    return Graph(inputs, outputs).run(dict(zip(inputs, xs, strict=True)), outputs[-1])


XS = np.random.default_rng(5).normal(size=(4, 2, SIZE))


@pytest.mark.parametrize("layout", ["in_out", "out_in"])
@pytest.mark.parametrize(
    ("letters", "order"),
    [("ifgo", "ifgo"), ("ifco", "ifgo"), ("iofc", "iofg"), ("ijfo", "igfo"), ("i, f, g, o", "ifgo")],
)
def test_lstm_weights_of_other_frameworks_are_taken_in_their_layout_and_gate_order(
    letters: str, order: str, layout: Any
) -> None:
    gates = gates_of("ifog", 1)
    wx, wh, b = joined(gates, order)
    if layout == "out_in":
        wx, wh = wx.T, wh.T
    cell = BasicLSTMCell(SIZE, forget_bias=0.0)
    cell.set_weights(input=wx, recurrent=wh, bias=b, layout=layout, gate_order=letters)
    assert last_output(cell, XS) == pytest.approx(lstm_by_hand(gates, XS), abs=1e-12)


@pytest.mark.parametrize("layout", ["in_out", "out_in"])
@pytest.mark.parametrize(("letters", "order"), [("zrh", "zrn"), ("rzh", "rzn"), ("ruc", "rzn")])
def test_gru_weights_of_other_frameworks_are_taken_in_their_layout_and_gate_order(
    letters: str, order: str, layout: Any
) -> None:
    gates = gates_of("zrn", 2)
    wx, wh, b = joined(gates, order)
    if layout == "out_in":
        wx, wh = wx.T, wh.T
    cell = GRUCell(SIZE)
    cell.set_weights(input=wx, recurrent=wh, bias=b, layout=layout, gate_order=letters)
    assert last_output(cell, XS) == pytest.approx(gru_by_hand(gates, XS), abs=1e-12)


def test_a_gru_that_resets_after_the_product_is_refused_as_it_computes_something_else() -> None:
    wx, wh, b = joined(gates_of("zrn", 2), "rzn")
    action = lambda: GRUCell(SIZE).set_weights(input=wx, recurrent=wh, bias=b, layout="in_out", gate_order="rzn")  # noqa: E731
    refused(action, NotImplementedError, "gru_cell", "PyTorch", "after the recurrent product")


def test_a_whole_kernel_is_taken_in_its_layout_too() -> None:
    cells = [BasicRNNCell(2), BasicRNNCell(2)]
    kernel = np.arange(10.0).reshape(5, 2)
    cells[0].set_weights(kernel)
    cells[1].set_weights(kernel.T, layout="out_in")
    x = unroll.placeholder([None, 3], "x")
    for place, cell in enumerate(cells):
        unroll.static_rnn(cell, [x], scope=f"s{place}")
        assert cell.kernel.value.tolist() == kernel.tolist()


def test_two_biases_are_to_be_added_up_first() -> None:
    cell = BasicLSTMCell(2)
    refused(lambda: cell.set_weights(np.zeros((5, 8)), np.zeros((2, 8))), ValueError, "(2, 8)", "(8,)", "add the two")


def test_a_weight_is_not_replaced_by_setting_the_attribute() -> None:
    cell = BasicRNNCell(2)
    action = lambda: setattr(cell, "kernel", np.zeros((5, 2)))  # noqa: E731
    refused(action, ValueError, "kernel", ".assign(array)", "set_weights")


@pytest.mark.parametrize("late", [False, True])
def test_square_matrices_of_a_basic_cell_are_taken_as_their_layout_says(late: bool) -> None:
    rng = np.random.default_rng(3)
    wx, wh, b = rng.normal(size=(SIZE, SIZE)), rng.normal(size=(SIZE, SIZE)), rng.normal(size=SIZE)
    results = {}
    for layout in ("in_out", "out_in"):
        cell = BasicRNNCell(SIZE)
        if late:
            last_output(cell, XS)
        cell.set_weights(input=wx, recurrent=wh, bias=b, layout=layout)  # type: ignore[arg-type]
        results[layout] = last_output(cell, XS)
        h = np.zeros((2, SIZE))
        for x in XS:
            h = np.tanh(x @ (wx if layout == "in_out" else wx.T) + h @ (wh if layout == "in_out" else wh.T) + b)
        assert results[layout] == pytest.approx(h, abs=1e-12)
    assert not np.allclose(results["in_out"], results["out_in"])


def test_separate_matrices_without_a_layout_are_refused() -> None:
    square = np.ones((SIZE, SIZE))
    for layout in (None, "rows", True):
        refused(
            lambda layout=layout: BasicRNNCell(SIZE).set_weights(input=square, recurrent=square, layout=layout),
            ValueError,
            "layout",
            "'in_out'",
            "'out_in'",
            "PyTorch",
        )


def test_weights_given_both_ways_or_half_or_of_wrong_shapes_change_nothing() -> None:
    cell = BasicLSTMCell(SIZE)
    last_output(cell, XS)
    before = cell.kernel.value.copy()
    kernel, square = np.ones((2 * SIZE, 4 * SIZE)), np.ones((SIZE, 4 * SIZE))
    refused(lambda: cell.set_weights(), ValueError, "either kernel, or input and recurrent")
    refused(lambda: cell.set_weights(kernel, input=square), ValueError, "either kernel")
    refused(lambda: cell.set_weights(input=square, layout="in_out"), ValueError, "either kernel")
    refused(lambda: cell.set_weights(kernel.T), ValueError, "(12, 6)", "12", "i, j, f, o")
    refused(lambda: cell.set_weights(kernel[:-1]), ValueError)
    refused(lambda: cell.set_weights(kernel, np.ones(SIZE)), ValueError, "bias", "(3,)", "(12,)")
    refused(lambda: cell.set_weights(kernel, gate_order="ifgx"), ValueError, "'ifgx'", "i, j, f, o", "g for j")
    refused(lambda: cell.set_weights(kernel.astype(complex)), TypeError, "complex128")
    assert np.array_equal(cell.kernel.value, before)


def test_a_gru_takes_its_two_kernels_by_scope() -> None:
    gates = gates_of("zrn", 4)
    stacked = {name: np.concatenate(gates[name][:2]) for name in gates}
    cell = GRUCell(SIZE)
    cell.set_weights(
        {"gates": np.hstack([stacked["r"], stacked["z"]]), "candidate": stacked["n"]},
        {"gates": np.concatenate([gates["r"][2], gates["z"][2]]), "candidate": gates["n"][2]},
    )
    assert last_output(cell, XS) == pytest.approx(gru_by_hand(gates, XS), abs=1e-12)
    refused(lambda: GRUCell(SIZE).set_weights({"gates": stacked["r"]}), ValueError, "gates, candidate")
    refused(lambda: GRUCell(SIZE).set_weights({"gates": stacked["r"], "candidate": stacked["n"]}), ValueError, "(6, 3)")
