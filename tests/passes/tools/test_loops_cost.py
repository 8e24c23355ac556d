"""Floating-point operations of operators that walk over time, counted by hand: T = 4, batch 3, 2 features, 3 units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unroll
from unroll import ops
from unroll.passes.rerolling.planner import reroll
from unroll.passes.tools.cost import cost_of

TIME, BATCH, FEATURES, HIDDEN = 4, 3, 2, 3
#: How often each unit is computed: at each step, for each row.
UNITS = 4 * 3 * 3
#: Operations for each unit: multiply and add for each of 2 features and 3 units, in each gate.
PRODUCTS = 2 * (2 + 3)


def inputs(gates: int, dirs: int = 1, bias: bool = True) -> dict[str, Any]:
    shapes = {"w": (dirs, gates * HIDDEN, FEATURES), "r": (dirs, gates * HIDDEN, HIDDEN)}
    shapes |= {"b": (dirs, 2 * gates * HIDDEN)} if bias else {}
    fed = {name: unroll.placeholder(shape, name) for name, shape in shapes.items()}
    return {"x": unroll.placeholder([TIME, None, FEATURES], "x"), **fed}


def flops(outputs: Any, fed: dict[str, Any]) -> int:
    return cost_of(unroll.Graph(list(fed.values()), list(outputs)), batch=BATCH).flops


@pytest.mark.parametrize(
    ("call", "gates", "options", "wanted"),
    [
        # x @ W + h @ R, tanh
        (ops.rnn, 1, {"bias": False}, UNITS * (PRODUCTS + 1 + 1)),
        # and a bias
        (ops.rnn, 1, {}, UNITS * (PRODUCTS + 2 + 1)),
        (ops.rnn, 1, {"direction": "bidirectional"}, 2 * UNITS * (PRODUCTS + 2 + 1)),
        # three gates; r * h before the product; (1 - z) * n + z * h
        (ops.gru, 3, {}, UNITS * (3 * (PRODUCTS + 2 + 1) + 1 + 4)),
        # r * (h @ R + Rb), whose bias is added apart
        (ops.gru, 3, {"linear_before_reset": 1}, UNITS * (3 * (PRODUCTS + 2 + 1) + 2 + 4)),
        # four gates; f * c + i * g, tanh, o * that
        (ops.lstm, 4, {"bias": False}, UNITS * (4 * (PRODUCTS + 1 + 1) + 3 + 2)),
        (ops.lstm, 4, {}, UNITS * (4 * (PRODUCTS + 2 + 1) + 3 + 2)),
        # c times a peephole added in i, o and f
        (ops.lstm, 4, {"peepholes": True}, UNITS * (4 * (PRODUCTS + 2 + 1) + 3 + 2 + 3 * 2)),
    ],
)
def test_a_native_operator_counts_every_product_and_every_element_of_every_step(
    call: Any, gates: int, options: dict[str, Any], wanted: int
) -> None:
    direction = options.pop("direction", "forward")
    fed = inputs(gates, 2 if direction == "bidirectional" else 1, options.pop("bias", True))
    if options.pop("peepholes", False):
        fed["p"] = unroll.placeholder((1, 3 * HIDDEN), "p")
    outputs = call(**fed, hidden_size=HIDDEN, direction=direction, **options)
    assert flops(outputs, fed) == wanted


def test_a_scan_counts_its_body_once_a_step() -> None:
    """tanh(h @ w + x): 2 * 3 * 3 * 3 for the product, 9 each for sum and tanh."""
    h, row, w = (
        unroll.placeholder(shape, name) for shape, name in (([None, 3], "h"), ([None, 3], "row"), ([3, 3], "w"))
    )
    body = unroll.Graph([h, row, w], [ops.tanh(h @ w + row)])
    fed = {
        "h0": unroll.placeholder([None, 3], "h0"),
        "x": unroll.placeholder([TIME, None, 3], "x"),
        "kernel": unroll.placeholder([3, 3], "kernel"),
    }
    assert flops(ops.scan(body, [fed["h0"]], [fed["x"]], [fed["kernel"]]), fed) == 4 * (2 * 3 * 3 * 3 + 9 + 9)


@pytest.mark.parametrize("options", [{}, {"native": False}])
def test_a_network_rerolled_takes_about_as_many_operations_as_it_did(options: dict[str, bool]) -> None:
    x = unroll.placeholder([None, 8, 16], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.LSTMCell(32), x, dtype=np.float32)
    graph = unroll.Graph([x], outputs)
    found, report = reroll(graph, **options)
    assert report
    assert cost_of(found, batch=4).flops == pytest.approx(cost_of(graph, batch=4).flops, rel=0.02)
