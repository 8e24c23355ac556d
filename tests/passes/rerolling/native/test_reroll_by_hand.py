"""Cells written by hand come back as native operators, in whatever order their gates and however their sums are written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reroll_checks import BATCH, FEATURES, UNITS, Graph, check_rerolled, operators
from rerolled_networks import check_native

import unroll
from unroll import ops


def _lstm_by_hand(order: str, joined: bool, swapped: bool, time: int = 5) -> Graph:
    """An LSTM whose gates lie in any order, with one kernel or eight, and sums and products written either way."""
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(time)]
    size = 4 * UNITS if joined else UNITS
    names = ["all"] if joined else list(order)
    wx = {name: unroll.Parameter(np.zeros((FEATURES, size), "float32"), f"wx_{name}") for name in names}
    wh = {name: unroll.Parameter(np.zeros((UNITS, size), "float32"), f"wh_{name}") for name in names}
    bias = {name: unroll.Parameter(np.zeros(size, "float32"), f"b_{name}") for name in names}
    h, c = unroll.placeholder([None, UNITS], "h0"), unroll.placeholder([None, UNITS], "c0")
    fed, outputs = [*inputs, h, c], []

    def both(one: Any, two: Any, op: Any) -> Any:
        return op(two, one) if swapped else op(one, two)

    for x in inputs:
        z = {n: both(ops.matmul(x, wx[n]) + bias[n], ops.matmul(h, wh[n]), ops.add) for n in names}
        gates = dict(zip(order, ops.split(z["all"], 4, axis=1), strict=True)) if joined else z
        i, f, o = (ops.sigmoid(gates[gate]) for gate in "ifo")
        c = both(ops.mul(f, c), both(i, ops.tanh(gates["g"]), ops.mul), ops.add)
        h = both(o, ops.tanh(c), ops.mul)
        outputs.append(h)
    return Graph(fed, {"y": ops.stack(outputs, 0), "last": c})


@pytest.mark.parametrize("order", ["".join(order) for order in itertools.permutations("ifog")])
def test_the_gates_of_an_lstm_may_lie_in_any_order(order: str) -> None:
    check_native(_lstm_by_hand(order, joined=True, swapped=order < "g"), "LSTM")


@pytest.mark.slow
@pytest.mark.parametrize("swapped", [False, True])
def test_the_kernels_of_an_lstm_may_be_eight(swapped: bool) -> None:
    check_native(_lstm_by_hand("ifog", joined=False, swapped=swapped), "LSTM")


#: Ways of writing ``h' = z * h + (1 - z) * n``, and with the other gate ``z' = 1 - z``.
BLENDS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "z h + (1 - z) n": lambda z, h, n: z * h + (1 - z) * n,
    "(1 - z) n + z h": lambda z, h, n: (1 - z) * n + z * h,
    "n + z (h - n)": lambda z, h, n: n + z * (h - n),
    "n - z n + h z": lambda z, h, n: n - z * n + h * z,
    "(1 - z) h + z n": lambda z, h, n: (1 - z) * h + z * n,
    "h + z (n - h)": lambda z, h, n: h + (n - h) * z,
    "h - z (h - n)": lambda z, h, n: h - z * (h - n),
}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("blend", BLENDS)
def test_a_gru_is_recognised_however_its_sum_is_written(blend: str, after: bool) -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(5)]
    wx, wh = (unroll.Parameter(np.zeros((rows, 3 * UNITS), "float32"), f"w{rows}") for rows in (FEATURES, UNITS))
    b, rb = (unroll.Parameter(np.zeros(3 * UNITS, "float32"), name) for name in ("b", "rb"))
    h = unroll.placeholder([None, UNITS], "h0")
    fed = [*inputs, h]
    for x in inputs:
        r, z, n = ops.split(x @ wx + b, 3, axis=-1)
        hr, hz, hn = ops.split(h @ wh + rb, 3, axis=-1)
        r, z = ops.sigmoid(hr + r), ops.sigmoid(z + hz)
        of_h = r * hn if after else (h * r) @ wh[:, 2 * UNITS :]
        h = BLENDS[blend](z, h, ops.tanh(of_h + n))
    check_native(Graph(fed, {"h": h}), "GRU")


def test_weights_may_be_transposed_and_products_gemms() -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(5)]
    wx, wh = (unroll.Parameter(np.zeros((UNITS, rows), "float32"), f"w{rows}") for rows in (FEATURES, UNITS))
    b = unroll.Parameter(np.zeros(UNITS, "float32"), "b")
    h: Any = unroll.constant(np.zeros((BATCH, UNITS), "float32"))
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{step}") for step in range(5)]
    for x in inputs:
        h = ops.tanh(ops.gemm(h, wh, ops.gemm(x, wx, b, transB=True), transB=True))
    check_native(Graph(inputs, {"h": h}), "RNN")


def test_steps_cut_from_an_image_by_rows_are_the_image() -> None:
    pixels = unroll.placeholder([None, 4 * FEATURES], "pixels")
    rows = ops.split(ops.reshape(ops.transpose(ops.reshape(pixels, [-1, 4, FEATURES]), [1, 0, 2]), [-1, FEATURES]), 4)
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(UNITS), list(rows))
    found, report = check_rerolled(Graph([pixels], {"y": outputs[-1]}))
    assert report.operators == ["LSTM"]
    assert not operators(found)["Split"]
